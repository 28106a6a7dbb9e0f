"""`soundflow serve` in a process of its own, heard over the wire, decides as the same weights in this one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from benchmarks.hear import drive, record
from benchmarks.serve.server import serving
from benchmarks.systems import Ask, Setup, make

CHUNK = 6400


@pytest.mark.weights
@pytest.mark.slow
def test_a_served_stream_is_the_local_one(nano_parts: Path) -> None:
    # a real alarm, 3 s in: a made-up tone may lie at the threshold, where 16 bit on the wire decides
    house, rate = sf.read(Path(__file__).parents[3] / "demo" / "house.flac", dtype="float32")
    audio = house[8 * rate : 15 * rate]
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
