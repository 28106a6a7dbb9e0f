"""Our scorers against sed_eval and sed_scores_eval on random data, to 1e-6.

They need an interpreter of their own (librosa, numba, a backport of pathlib): `make reference`, and
REFERENCE_PYTHON names it.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.sounds import counts, psds
from benchmarks.sounds.counts import Collar, Span

PYTHON = os.environ.get("REFERENCE_PYTHON", "")
LABELS = ["bell", "cat", "dog", "rain"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="REFERENCE_PYTHON names no interpreter with sed_scores_eval"),
]


def spans(rng: np.random.Generator, seconds: float, apart: bool) -> list[list[Any]]:
    """Random events of all classes; `apart`: none of one class overlap, as in a truth."""
    found = []
    for label in LABELS:
        edges = np.sort(rng.uniform(0, seconds, 2 * int(rng.integers(0, 5))))
        found += [[label, float(a), float(b)] for a, b in edges.reshape(-1, 2) if b - a > 1e-3]
        if not apart:
            extra = [[label, float(a), float(a + rng.uniform(0.1, 2))] for a in rng.uniform(0, seconds - 2, 2)]
            found += extra
    return found


def near(rng: np.random.Generator, truth: list[list[Any]], seconds: float) -> list[list[Any]]:
    """Events as a system would tell them: the truth shifted by up to 0.6 s, some left out, some invented."""
    moved = [[c, max(0.0, a + rng.uniform(-0.6, 0.6)), b + rng.uniform(-0.6, 0.6)] for c, a, b in truth]
    kept = [[c, float(a), float(min(b, seconds))] for c, a, b in moved if b - a > 0.05 and rng.random() < 0.8]
    return [e for e in kept if e[2] > e[1]] + spans(rng, seconds, False)[:3]


def count_case(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    streams = []
    for _ in range(6):
        seconds = float(rng.uniform(8, 30))
        truth = spans(rng, seconds, True) + [[c, 0.5 * k, 0.5 * k + 1.0] for k, c in enumerate(LABELS)]
        streams.append({"seconds": seconds, "truth": truth, "told": near(rng, truth, seconds)})
    more = {"collar": [0.2, 0.8][seed % 2], "share": 0.2, "offset": seed % 3 != 0, "size": [1.0, 0.5][seed % 2]}
    return {"labels": LABELS, "streams": streams, **more}


def score_case(seed: int) -> dict[str, Any]:
    """Scores that follow the truth, in coarse steps in half of the cases, so that many are equal."""
    rng = np.random.default_rng(seed)
    streams = []
    for _ in range(5):
        chunks = int(rng.integers(20, 60))
        edges = np.round(np.arange(chunks + 1) * 0.4, 6)
        truth = spans(rng, float(edges[-1]), True)
        scores = rng.uniform(0, 1, (chunks, len(LABELS))) ** 2
        for label, a, b in truth:
            inside = (edges[1:] > a) & (edges[:-1] < b)
            scores[inside, LABELS.index(label)] += rng.uniform(0, 1.0)
        scores = np.round(scores, 1 if seed % 2 else 5)
        body = {"seconds": float(edges[-1]), "edges": edges.tolist(), "truth": truth, "scores": scores.tolist()}
        streams.append(body)
    scenario = list(psds.SCENARIOS.values())[seed % 2] if seed < 8 else psds.Scenario(0.5, 0.3, 0.2, 1.0, 0.5, 400.0)
    fields = {k: getattr(scenario, k) for k in scenario.__slots__}
    return {"labels": LABELS, "streams": streams, **fields | {"max_efpr": fields["max_efpr"] * (1 if seed < 4 else 20)}}


@pytest.fixture(scope="module")
def asked() -> dict[str, Any]:
    return {"counts": [count_case(s) for s in range(8)], "psds": [score_case(s) for s in range(12)]}


@pytest.fixture(scope="module")
def said(asked: dict[str, Any]) -> dict[str, Any]:
    script = Path(__file__).with_name("reference.py")
    done = subprocess.run([PYTHON, str(script)], input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def of(events: list[list[Any]], label: str) -> list[Span]:
    return [Span(a, b) for c, a, b in events if c == label]


def test_event_and_segment_f1_are_those_of_sed_eval(asked: dict[str, Any], said: dict[str, Any]) -> None:
    for case, theirs in zip(asked["counts"], said["counts"], strict=True):
        collar = Collar(case["collar"], case["collar"], case["share"], case["offset"])
        for kind in ("event", "segment"):
            table = np.zeros((len(LABELS), 3))
            for stream in case["streams"]:
                for c, label in enumerate(LABELS):
                    true, told = of(stream["truth"], label), of(stream["told"], label)
                    if kind == "event":
                        table[c] += counts.event_counts(true, told, collar)
                    else:
                        table[c] += counts.segment_counts(true, told, stream["seconds"], case["size"])
            f1 = counts.f1(*table.T)
            np.testing.assert_allclose(table, theirs[kind]["counts"], atol=1e-6)
            np.testing.assert_allclose(f1, theirs[kind]["f1"], atol=1e-6)
            assert f1.mean() == pytest.approx(theirs[kind]["macro"], abs=1e-6)
            assert 0.1 < f1.mean() < 0.99
            if kind == "segment":
                tp, true_, told_ = table.sum(axis=0)
                assert 2 * tp / (true_ + told_) == pytest.approx(theirs[kind]["micro"], abs=1e-6)


def test_psds_is_that_of_sed_scores_eval(asked: dict[str, Any], said: dict[str, Any]) -> None:
    values = []
    for case, theirs in zip(asked["psds"], said["psds"], strict=True):
        scenario = psds.Scenario(*(case[k] for k in psds.Scenario.__slots__))
        value, curve, each = psds.psds(psds.tally(heard(case), scenario))
        assert value == pytest.approx(theirs["psds"], abs=1e-6)
        np.testing.assert_allclose([c.area(scenario.max_efpr) for c in each], theirs["each"], atol=1e-6)
        x = np.array(theirs["efpr"][:-1])  # the last point closes the curve
        np.testing.assert_allclose(curve.at(x + 1e-7), theirs["tpr"][:-1], atol=1e-6)
        values.append(value)
    assert max(values) > 0.1
    assert len({round(v, 4) for v in values}) > 6


def heard(case: dict[str, Any]) -> list[psds.Heard]:
    return [
        psds.Heard(
            np.array(s["scores"]), np.array(s["edges"]), [of(s["truth"], label) for label in LABELS], s["seconds"]
        )
        for s in case["streams"]
    ]
