"""What cached features say was heard: in the stream where the recogniser ran there, else in the clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from soundflow.errors import ConfigError
from soundflow.perceive.perceiver import Parts, Perceiver
from training.features import CHUNK_SAMPLES, Features, extract, heard_texts, without

S = 16_000
HOUSE = Path(__file__).parents[2] / "demo" / "house.flac"


def sample(finals=None, **speech):
    items = [
        {"id": "s0", "onset": S, "offset": 5 * S, "source": "clip/a.ogg", "text": "of the index"},
        {"id": "s1", "onset": 8 * S, "offset": 10 * S, "source": "tts:1", "heard": "of the engine", "text": "x"},
    ]
    return {"speech": items, "vad": {} if finals is None else {"finals": finals}}


def test_without_the_stream_a_clip_is_what_was_transcribed():
    assert heard_texts(sample(), {"clip/a.ogg": "read by a woman"}) == {"s0": "read by a woman", "s1": "of the engine"}


def test_a_clip_that_was_cut_keeps_as_many_words_as_its_time_holds():
    text = " ".join(f"w{i}" for i in range(60))
    assert heard_texts(sample(), {"clip/a.ogg": text})["s0"] == " ".join(f"w{i}" for i in range(11))


def test_the_stream_comes_first_even_where_it_heard_nothing():
    finals = [[S, 3 * S, "two words"], [int(3.2 * S), int(5.3 * S), "and more"], [6 * S, 7 * S, "nobody's"]]
    assert heard_texts(sample(finals), {"clip/a.ogg": "never"}) == {"s0": "two words and more", "s1": ""}


def test_a_sense_is_taken_away_and_the_others_stay():
    ones = [np.ones((3, n), np.float16) for n in (521, 1024, 288)]
    heard = Features(*ones, [], [], {"s0": "words"})
    assert not without(heard, ["sound"]).sound.any()
    less = without(heard, ["tags", "words"])
    assert not less.tags.any()
    assert less.transcripts == {}
    assert less.sound.all()
    assert heard.transcripts == {"s0": "words"}
    assert without(heard, ()) == heard
    with pytest.raises(ConfigError, match="sound, tags, words, got 'smell'"):
        without(heard, ["smell"])


@pytest.mark.weights
def test_the_recogniser_in_the_stream_leaves_the_other_features_alone(nano_parts):
    audio, _ = sf.read(HOUSE, dtype="float32")
    parts = Parts(
        nano_parts / "asr", nano_parts / "vad" / "silero_vad_16k_op15.onnx", nano_parts / "sound" / "yamnet.tflite"
    )
    perceiver = Perceiver(parts, CHUNK_SAMPLES)
    plain, worded = (extract(audio[16 * S : 30 * S], perceiver, words) for words in (False, True))
    for name in ("tags", "sound", "speech", "alert"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(worded, name))
    assert (plain.segments, plain.stop_chunks, plain.finals) == (worded.segments, worded.stop_chunks, [])
    assert worded.finals
    assert all(a < b and text.strip() for a, b, text in worded.finals)
