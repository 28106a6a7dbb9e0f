"""`soundflow serve` in a process of its own, heard over the wire, decides as the same weights in this one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.hear import drive, record
from benchmarks.serve.server import serving
from benchmarks.systems import Ask, Setup, make
from tests.conftest import MakeAudio

CHUNK = 6400


@pytest.mark.weights
@pytest.mark.slow
def test_a_served_stream_is_the_local_one(nano_parts: Path, noise: MakeAudio, tone: MakeAudio) -> None:
    beeps = tone(0.25, 3100.0, 0.5)
    gap = np.zeros(len(beeps), np.float32)
    alarm = np.concatenate([x for _ in range(6) for x in (beeps, gap)])
    audio = np.concatenate([noise(2.0, 0.003), alarm, noise(2.2, 0.003, 1)]).astype(np.float32)
    audio = audio[: len(audio) // CHUNK * CHUNK]
    with serving({}) as server:
        name = f"ws://127.0.0.1:{server.port}/v1/realtime#pace=0"
        served, local = make(Setup(Path(), (name, "nano-int8")))
        a, b = (record(drive(s.open(Ask()), audio, CHUNK)) for s in (served, local))
    count = len(audio) // CHUNK
    assert len(a["decisions"]) == count
    fired = b["decisions"].index("S") + 1  # from here on the reply is made in real time there, and by the chunk here
    assert a["decisions"][:fired] == b["decisions"][:fired]
    assert np.abs(np.subtract(a["p_speak"][:fired], b["p_speak"][:fired])).max() < 0.05
    assert a["sounds"][0]["label"] == b["sounds"][0]["label"]
    assert a["replies"][0]["text"]
