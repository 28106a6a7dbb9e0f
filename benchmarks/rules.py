"""Fits the rule system's threshold on train clips composed in the same way; never on what it is reported on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import files, watch
from benchmarks.corpus import Row
from benchmarks.hear import hear
from benchmarks.instances import Row as Instance
from benchmarks.plan import single_events
from benchmarks.proactive import headline, outcomes
from benchmarks.systems import Setup
from benchmarks.workers import run
from soundflow.scoring import auc, balanced_accuracy, best_threshold, refired


def fit(rows: Sequence[Row], setup: Setup, out: Path, *, per_class: int, seed: int, workers: int) -> dict[str, Any]:
    """The threshold of the highest balanced accuracy on open train clips at 20 dB, kept in `out`/rules.json.

    Classes as in the headline: events to answer against benign events and ambience, macro-averaged.
    """
    if (saved := _kept(out / "rules.json")) is not None:
        return saved
    items = single_events(rows, "train", per_class, seed, (20.0,))
    items = [i for i in items if i.group in ("event", "ambience") and i.respond in ("yes", "no")]
    alone = Setup(setup.audio, ("rules",), setup.adapter, threshold=0.5)
    heard = run("rules on train", items, out / "rules_train", alone, hear, workers=workers)
    return _keep(out / "rules.json", [r for r in heard if headline(r)], per_class, seed)


def fit_asked(
    rows: Sequence[Row], setup: Setup, out: Path, *, per_class: int, seed: int, workers: int
) -> dict[str, Any]:
    """The same for sounds that are asked for, on "tell me when you hear X" over open train clips of the classes that
    training has; kept in `out`/rules_asked.json. One threshold serves the tags that alert and those that are asked for.
    """
    if (saved := _kept(out / "rules_asked.json")) is not None:
        return saved
    items = watch.plan(rows, per_class, seed, "train", {"in": watch.INSIDE})
    alone = Setup(setup.audio, ("rules",), setup.adapter, threshold=0.5)
    heard = run("rules on train, asked", items, out / "rules_asked_train", alone, hear, workers=workers)
    return _keep(out / "rules_asked.json", heard, per_class, seed)


def _kept(saved: Path) -> dict[str, Any] | None:
    if not saved.is_file():
        return None
    found: dict[str, Any] = json.loads(saved.read_text(encoding="utf-8"))
    return found


def _keep(saved: Path, heard: Sequence[Instance], per_class: int, seed: int) -> dict[str, Any]:
    scored = outcomes(heard)
    threshold = best_threshold(scored)
    body = {
        "threshold": round(threshold, 5),
        "train_items": len(scored),
        "train_balanced_accuracy": round(balanced_accuracy(refired(scored, threshold)), 4),
        "train_auc": round(auc(scored), 4),
        "per_class": per_class,
        "seed": seed,
    }
    files.write_json(saved, body)
    return body
