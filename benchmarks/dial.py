"""Fits the default dial: the threshold at which sounds are answered, on recordings that no figure is reported on.

The clips are the `dial` quarter of dev (`benchmarks.corpus.dial_rows`), composed as in `proactive` and `quiet`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import files, instances, proactive, quiet
from benchmarks.corpus import read_index
from benchmarks.hear import hear
from benchmarks.instances import Row as Instance
from benchmarks.plan import single_events
from benchmarks.runs import Options, heard, setup_of
from benchmarks.systems import OURS
from soundflow.errors import ConfigError
from soundflow.scoring import auc, balanced_accuracy, recalls, refired

ALARMS_HOUR = 5.0
"""Budget of false alarms an hour: under the 6 that are promised, as an hour is a small sample."""
SNRS = (20.0, 10.0)


def run_dial(o: Options, minutes: float, budget: float = ALARMS_HOUR) -> dict[str, Any]:
    """Hear the dial recordings (or, with `score_only`, read what was heard) and choose the threshold."""
    single, still = replace(o, out=o.out / "proactive"), replace(o, out=o.out / "quiet")
    if not o.score_only:
        setup = setup_of(replace(o, systems=(OURS,)), proactivity=0.0)
        index = read_index(setup.audio)
        items = [i for i in single_events(index, "dial", o.per_class, o.seed, SNRS) if i.respond != "context"]
        heard("dial", single, items, setup, hear)
        heard("dial quiet", still, quiet.plan(index, minutes, o.seed, "dial"), setup, hear, minutes=minutes)
    body = choose(instances.read(single.out), instances.read(still.out), budget)
    files.write_json(o.out / "dial.json", body)
    return body


def choose(events: Sequence[Instance], still: Sequence[Instance], budget: float) -> dict[str, Any]:
    """The threshold of the highest balanced accuracy among those within the budget of false alarms an hour.

    The hour is small: of n alarms in it, (n + 1) / hours is expected (mean of the Poisson rate under a flat prior).
    Where no threshold is within the budget, the one with the fewest. `score` of an item is its highest p(speak) +
    p(act). The items are heard without answering: an answer that is in the context already lowers every p after it, and
    thresholds above the one of the hearing would be judged by what is left.
    """
    calm = [r for r in still if r["item"]["respond"] == "no"]
    scored = proactive.outcomes([r for r in events if proactive.headline(r)])
    if not scored or not calm:
        raise ConfigError("dial: expected instances of single events and of quiet streams, got none")
    hours = sum(r["item"]["seconds"] for r in calm) / 3600
    rows = []
    for threshold in np.unique(np.round(1 / (1 + np.exp(-np.linspace(-5, 5, 201))), 4)):
        fired = refired(scored, float(threshold))
        alarms = sum(quiet.alarms_at(r, float(threshold)) for r in calm)
        rows.append((float(threshold), balanced_accuracy(fired), *recalls(fired), alarms))
    within = [r for r in rows if (r[4] + 1) / hours <= budget] or [min(rows, key=lambda r: r[4])]
    best = max(r[1] for r in within)
    near = [r for r in within if r[1] >= best - 0.005]
    threshold, accuracy, respond, silent, alarms = near[len(near) // 2]
    return {
        "speak_threshold": threshold, "balanced_accuracy": round(accuracy, 4), "respond_recall": round(respond, 4),
        "silent_recall": round(silent, 4), "false_alarms_hour": round(alarms / hours, 2),
        "expected_hour": round((alarms + 1) / hours, 2), "area": round(auc(scored), 4), "items": len(scored),
        "hours": round(hours, 3), "budget": budget,
    }  # fmt: skip


def write(adapter: Path, threshold: float) -> None:
    """Put the threshold into an adapter's calibration.json. ConfigError where there is none."""
    path = adapter / "calibration.json"
    if not path.is_file():
        raise ConfigError(
            f"{adapter}: expected a calibrated adapter (calibration.json); run `soundflow train calibrate`"
        )
    body = json.loads(path.read_text(encoding="utf-8")) | {"speak_threshold": threshold}
    files.write_json(path, body)
