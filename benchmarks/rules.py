"""Fits the rule system's threshold on train clips composed in the same way; never on what it is reported on."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.corpus import Row
from benchmarks.hear import hear
from benchmarks.plan import single_events
from benchmarks.proactive import headline, outcomes
from benchmarks.systems import Setup
from benchmarks.workers import run
from soundflow.scoring import auc, balanced_accuracy, best_threshold, refired


def fit(rows: Sequence[Row], setup: Setup, out: Path, *, per_class: int, seed: int, workers: int) -> dict[str, Any]:
    """The threshold of the highest balanced accuracy on open train clips at 20 dB, kept in `out`/rules.json.

    Classes as in the headline: events to answer against benign events and ambience, macro-averaged.
    """
    saved = out / "rules.json"
    if saved.is_file():
        found: dict[str, Any] = json.loads(saved.read_text(encoding="utf-8"))
        return found
    items = single_events(rows, "train", per_class, seed, (20.0,))
    items = [i for i in items if i.group in ("event", "ambience") and i.respond in ("yes", "no")]
    alone = Setup(setup.audio, ("rules",), setup.adapter, threshold=0.5)
    heard = run("rules on train", items, out / "rules_train", alone, hear, workers=workers)
    scored = outcomes([r for r in heard if headline(r)])
    threshold = best_threshold(scored)
    body = {
        "threshold": round(threshold, 5),
        "train_items": len(scored),
        "train_balanced_accuracy": round(balanced_accuracy(refired(scored, threshold)), 4),
        "train_auc": round(auc(scored), 4),
        "per_class": per_class,
        "seed": seed,
    }
    part = saved.with_suffix(".part")
    part.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    os.replace(part, saved)
    return body
