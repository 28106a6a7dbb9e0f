"""A sound that has left the LALM's cache is still known: a note is made of it, and a later question is given the
note.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from soundflow.loop import Stream
from soundflow.tiers import nano

pytestmark = [pytest.mark.weights, pytest.mark.slow]
RATE = 16_000


def test_a_question_about_a_sound_that_has_left_the_cache(nano_parts):
    demo, _ = sf.read(Path(__file__).parents[1] / "demo" / "house.flac", dtype="float32")
    alarm, question = demo[10 * RATE : 14 * RATE], spoken("What did you hear?", nano_parts)
    room = np.random.default_rng(0).normal(0, 1e-3, 120 * RATE).astype(np.float32)
    stream = Stream(nano.load())
    events = stream.push(alarm) + stream.push(room)
    assert stream.row.lalm.forgotten[0] > len(alarm) // 6400
    notes = [e.text for e in events if e.type == "note"]
    assert notes, "what left the cache must be noted"
    asked = stream.push(question) + stream.push(room[: 6 * RATE]) + stream.close()
    requests = [e for e in asked if e.type == "reply.done"]
    assert requests, "the question must be answered"
    said = requests[0].text.lower()
    words = {w for note in notes for w in note.split(": ", 1)[1].split() if len(w) > 3}
    assert any(w in said for w in words), (said, notes)


def spoken(text, parts):
    voice = pytest.importorskip("soundflow.respond.voice").choose_voice(parts / "voice")
    if voice is None:
        pytest.skip("no voice: install the extra [voice]")
    import soxr

    audio = np.concatenate(list(voice.speak(text)))
    return soxr.resample(audio, voice.rate_hz, RATE).astype(np.float32) * 0.5
