"""Training of the temporal head: what it learns is what came before, and what is not known teaches nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import training.cli
from soundflow.errors import ConfigError, DataError
from soundflow.perceive.temporal import FILE, TemporalHead
from training import temporal_head
from training.features import CHUNK_SAMPLES as CHUNK
from training.named_classes import CLASSES

LENGTH, WIDTH = 20, 8


def sample(order: str, rng: np.random.Generator) -> tuple[dict, np.ndarray]:
    """A quiet stream with a high tone, a low one, or both: only low after high is answered."""
    sound = rng.uniform(0, 0.2, (LENGTH, WIDTH)).astype(np.float32)
    start = int(rng.integers(2, 8))
    for k, tone in enumerate(order):
        sound[start + 4 * k : start + 4 * k + 4, 2 if tone == "h" else 5] += 1.0
    onset = (start + 4 * (len(order) - 1)) * CHUNK
    answer = "yes" if order == "hl" else "no"
    event = {"label": "siren" if answer == "yes" else "door", "respond": answer}
    return {"events": [{**event, "onset": onset, "offset": onset + 4 * CHUNK}]}, sound


def cache(folder, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = [sample(("hl", "lh", "l", "ll", "hh")[k % 5], rng) for k in range(count)]
    folder.mkdir()
    np.savez(folder / "a.npz", **{f"sound_{k}": sound for k, (_, sound) in enumerate(drawn)})
    (folder / "a.jsonl").write_text("".join(json.dumps(x) + "\n" for x, _ in drawn))


def test_it_learns_what_the_last_chunk_does_not_tell(tmp_path):
    cache(tmp_path / "f", 100, 0)
    arguments = ["temporal", str(tmp_path / "f"), "--out", str(tmp_path / FILE), "--minutes", "0.15", "--share", "1"]
    told = CliRunner().invoke(training.cli.app, arguments)
    assert told.exit_code == 0, told.output
    assert "100 streams, 2000 chunks" in told.output
    head = TemporalHead.load(tmp_path)
    assert head is not None
    rng, highest = np.random.default_rng(1), {}
    for order in ("hl", "lh", "l", "ll", "hh") * 8:
        highest.setdefault(order, []).append(head.along(sample(order, rng)[1]).max())
    assert min(highest["hl"]) > max(max(highest[x]) for x in ("lh", "l", "ll", "hh"))


def test_what_is_known_of_a_chunk():
    events = [
        {"label": "siren", "respond": "yes", "onset": 4 * CHUNK, "offset": 6 * CHUNK},
        {"label": "door", "respond": "context", "onset": 10 * CHUNK, "offset": 11 * CHUNK},
        {"label": "rain", "respond": "no", "onset": 15 * CHUNK, "offset": 17 * CHUNK},
    ]
    found = temporal_head.stream({"events": events}, np.ones((LENGTH, WIDTH), np.float32))
    assert found.alert.tolist() == [0] * 4 + [1] * 4 + [0] * 2 + [-1] * 3 + [0] * 7
    assert np.flatnonzero(found.weight == 1).tolist() == [15, 16, 17, 18]
    place = {name: k for k, name in enumerate(CLASSES)}
    assert found.named[:, place["siren"]].tolist() == [0] * 4 + [1] * 4 + [0] * 12
    assert set(found.named[4:8, place["alarm"]]) == {-1}  # a siren may be an alarm
    assert np.linalg.norm(found.sound.astype(np.float32), axis=1) == pytest.approx(temporal_head.SCALE, rel=1e-2)


def test_a_batch_is_weighed_so_that_both_sides_count_alike():
    rng = np.random.default_rng(0)
    streams = [temporal_head.stream(*sample(x, rng)) for x in ("hl", "lh", "l", "ll", "hh")]
    rows = temporal_head.Rows(streams, temporal_head.TemporalConfig(1, rows=40, chunks=50))
    _, alert, weight, named = rows.batch()
    assert alert.shape == weight.shape == named.shape[:2] == (40, 50)
    assert weight[alert == 1].sum() == pytest.approx(float(weight[alert == 0].sum()), rel=0.4)


def test_what_cannot_be_trained_on_is_said(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="streams with and without sounds to answer were expected"):
        temporal_head.read([tmp_path / "none"])
    for wrong in ({"minutes": 0}, {"minutes": 1, "share": 2}, {"minutes": 1, "size": 0}):
        with pytest.raises(ConfigError, match="were expected"):
            temporal_head.TemporalConfig(**wrong)
