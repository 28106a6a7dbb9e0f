"""Against the published scorers on random data, where a checkout of them is at hand (SOUNDFLOW_FDB: its evaluation/).

github.com/DanielLin94144/Full-Duplex-Bench; eval_backchannel.py and get_timing.py load a voice activity model when they
are imported, which stand-ins replace here: what is compared is the arithmetic behind it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.duplex import fdb
from benchmarks.duplex.fdb import Chunk

FOLDER = Path(os.environ.get("SOUNDFLOW_FDB", ""))
pytestmark = pytest.mark.skipif(
    not os.environ.get("SOUNDFLOW_FDB"), reason="SOUNDFLOW_FDB: no folder of the published scorers"
)


def load(name: str, monkeypatch: pytest.MonkeyPatch, **stand_ins: Any) -> Any:
    for module in ("torch", "torchaudio", "silero_vad", "tqdm"):
        made = types.ModuleType(module)
        made.__dict__.update({"tqdm": lambda x, **_: x, "VoiceActivityDetector": lambda **_: None} | stand_ins)
        monkeypatch.setitem(sys.modules, module, made)
    spec = importlib.util.spec_from_file_location(f"published_{name}", FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module_ = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module_)
    return module_


def said(rng: np.random.Generator) -> list[Chunk]:
    count = int(rng.integers(1, 6))
    edges = np.cumsum(rng.uniform(0.05, 0.5, size=2 * count)) + rng.uniform(0, 4)
    return [Chunk("w", round(float(edges[2 * k]), 3), round(float(edges[2 * k + 1]), 3)) for k in range(count)]


def dump(folder: Path, chunks: list[Chunk]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    body = [{"text": c.text, "timestamp": [c.start, c.end]} for c in chunks]
    (folder / "output.json").write_text(json.dumps({"text": "", "chunks": body}))


def printed(text: str, label: str) -> float:
    found = re.search(rf"{label}:? +(-?[\d.]+)", text)
    assert found, text
    return float(found[1])


def test_pauses_and_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    everything, waits = [], []
    for k in range(60):
        chunks, end = (said(rng) if k % 5 else []), round(float(rng.uniform(0, 5)), 3)
        dump(tmp_path / str(k), chunks)
        (tmp_path / str(k) / "turn_taking.json").write_text(json.dumps([{"timestamp": [end, end]}]))
        everything.append(fdb.takeover(chunks))
        wait = fdb.latency(chunks, end)
        waits += [wait] if wait is not None else []
    load("eval_pause_handling", monkeypatch).eval_pause_handling(str(tmp_path))
    assert printed(capsys.readouterr().out, "Average take turn") == pytest.approx(np.mean(everything), abs=1e-6)
    load("eval_smooth_turn_taking", monkeypatch).eval_smooth_turn_taking(str(tmp_path))
    text = capsys.readouterr().out
    assert printed(text, "Average take turn") == pytest.approx(np.mean(everything), abs=1e-6)
    assert printed(text, "Average latency") == pytest.approx(np.mean(waits), abs=1e-6)


def test_backchannels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("scipy")
    rng = np.random.default_rng(2)
    seconds, ours, references, segments = 16.0, [], {}, {}
    data = tmp_path / "data"
    for k in range(60):
        edges = np.cumsum(rng.uniform(0.2, 1.6, size=2 * int(rng.integers(0, 5))))
        spans = [(float(edges[2 * j]), float(edges[2 * j + 1])) for j in range(len(edges) // 2)]
        chunks = sorted(
            (Chunk("w", float(s), float(s + 0.3)) for s in rng.uniform(0, 14, size=int(rng.integers(0, 8)))),
            key=lambda c: c.start,
        )
        references[str(k)] = [float(x) for x in rng.random(50) + 1e-6]
        dump(data / str(k), chunks)
        (data / str(k) / "output.wav").write_bytes(b"")
        segments[str(data / str(k) / "output.wav")] = [{"start": a, "end": b} for a, b in spans]
        ours.append(fdb.listening(spans, chunks, seconds, references[str(k)]))
    monkeypatch.chdir(tmp_path)
    Path("icc_gt_distribution.json").write_text(json.dumps(references))

    class Audio(str):
        shape = (1, int(seconds * 16_000))

    module = load(
        "eval_backchannel",
        monkeypatch,
        load=lambda path: (Audio(path), 16_000),
        load_silero_vad=lambda: None,
        get_speech_timestamps=lambda wav, model, **_: segments[str(wav)],
    )
    means: list[float] = []
    real = np.mean
    monkeypatch.setattr(module.np, "mean", lambda x: means.append(float(real(x))) or real(x))
    module.eval_backchannel(str(data))
    wanted = [real([x.divergence for x in ours]), real([x.takeover for x in ours]), real([x.frequency for x in ours])]
    assert means == pytest.approx([float(w) for w in wanted], abs=1e-6)


def test_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("get_timing", monkeypatch)
    rng = np.random.default_rng(3)
    for _ in range(300):
        sides = []
        for _side in range(2):
            edges = np.round(np.cumsum(rng.uniform(0.05, 2.0, size=2 * int(rng.integers(0, 6)))), 3)
            sides.append([(float(edges[2 * j]), float(edges[2 * j + 1])) for j in range(len(edges) // 2)])
        user, model = fdb.merged(sides[0], 0.6), fdb.merged(sides[1], 0.5)
        assert (user, model) == (module._merge(sides[0], 0.6), module._merge(sides[1], 0.5))
        stops, responses = module.overlaps(user, model), module.response_gaps(user, model)
        for theirs, mine in (
            (stops, fdb.stop_intervals(user, model)),
            (responses, fdb.response_intervals(user, model)),
        ):
            assert np.array(theirs).reshape(-1, 2) == pytest.approx(np.array(mine).reshape(-1, 2), abs=1e-6)
