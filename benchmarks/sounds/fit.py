"""Fits the one threshold of `yamnet` on train streams composed in the same way; never on what it is reported on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import files, instances
from benchmarks.corpus import Row
from benchmarks.instances import Row as Instance
from benchmarks.sounds import classes as catalogue
from benchmarks.sounds import plan
from benchmarks.sounds.classes import Classes
from benchmarks.sounds.counts import Collar, Span, event_counts, f1, merged
from benchmarks.sounds.heard import YAMNET, SoundsSetup, hear
from benchmarks.sounds.score import COLLARS, HEADLINE
from benchmarks.workers import run
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError

NAME = "yamnet.json"
THRESHOLDS = tuple(round(float(x), 4) for x in 1 / (1 + np.exp(-np.linspace(-4.0, 3.0, 57))))


def fit(
    rows: Sequence[Row], setup: SoundsSetup, out: Path, *, minutes: float, seed: int, workers: int, snr: float
) -> dict[str, Any]:
    """The threshold of the highest macro event F1 (`HEADLINE`) on streams of open train recordings, kept in
    `out`/yamnet.json with the sha256 of what it was fitted on. Read from there where it was fitted in the same way.

    DataError where that file was fitted in another way, or where every train stream failed.
    """
    asked = {"minutes": minutes, "seed": seed, "snr": snr, "classes": catalogue.digest(), "set": setup.classes}
    saved = out / NAME
    if saved.is_file():
        body: dict[str, Any] = json.loads(saved.read_text(encoding="utf-8"))
        if body.get("asked") != asked:
            raise DataError(
                f"expected a threshold fitted with {asked}, got {body.get('asked')}; use another --out", str(saved)
            )
        return body
    of = catalogue.read(setup.classes)
    items = plan.streams(rows, of, minutes, seed, "train", snr)
    alone = SoundsSetup(setup.audio, (YAMNET,), threshold=0.5, classes=setup.classes)
    heard = run(
        "yamnet on train",
        items,
        out / "yamnet_train",
        alone,
        hear,
        workers=workers,
        lengths=[plan.STREAM_S] * len(items),
    )
    body = {"asked": asked} | best([r for r in heard if not r.get("error")], of, COLLARS[HEADLINE])
    body |= {"streams": len(items), "failed": sum(bool(r.get("error")) for r in heard)}
    body["train_sha256"] = instances.digest(out / "yamnet_train")
    files.write_json(saved, body)
    return body


def best(rows: Sequence[Instance], of: Classes, collar: Collar, among: Sequence[float] = THRESHOLDS) -> dict[str, Any]:
    """The threshold of the highest macro F1; of several the middle one. DataError without rows."""
    if not rows:
        raise DataError("expected train streams that were heard, got none", YAMNET)
    values = [macro(rows, of, collar, threshold) for threshold in among]
    top = np.flatnonzero(np.array(values) >= max(values) - 1e-12)
    place = int(top[len(top) // 2])
    return {"threshold": among[place], "train_f1": round(values[place], 4), "collar": HEADLINE}


def macro(rows: Sequence[Instance], of: Classes, collar: Collar, threshold: float) -> float:
    """Macro event F1 of what is told at a threshold, over the classes that the truth has."""
    table = np.zeros((len(of.names), 3))
    for row in rows:
        chunk = row["chunk"] / SAMPLE_RATE_HZ
        for c, name in enumerate(of.names):
            true = merged([Span(a, b) for n, a, b in row["truth"] if n == name])
            table[c] += event_counts(true, runs(row["scores"][c], threshold, chunk), collar)
    there = table[:, 1] > 0
    return float(f1(table[there, 0], table[there, 1], table[there, 2]).mean())


def runs(scores: Sequence[float], threshold: float, chunk_s: float) -> list[Span]:
    """Where scores [K] are at least the threshold, chunk after chunk."""
    on = np.concatenate([[0], (np.array(scores) >= threshold).astype(np.int8), [0]])
    change = np.diff(on)
    starts, ends = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    return [Span(float(a) * chunk_s, float(b) * chunk_s) for a, b in zip(starts, ends, strict=True)]
