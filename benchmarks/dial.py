"""Fits the default dial: the threshold at which sounds are answered, at once or at their end, on recordings that no
figure is reported on.

The clips are the `dial` quarter of dev (`benchmarks.corpus.dial_rows`), composed as in `proactive` and `quiet`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import files, instances, proactive, quiet, second_look
from benchmarks.corpus import read_index
from benchmarks.gate import odds_between
from benchmarks.hear import hear
from benchmarks.instances import Row as Instance
from benchmarks.plan import single_events
from benchmarks.runs import ANSWER, Options, heard, saved_config, setup_of
from benchmarks.systems import OURS
from soundflow.errors import ConfigError
from soundflow.scoring import auc, balanced_accuracy, recalls, refired

ALARMS_HOUR = 2.5
"""Budget of false alarms an hour, as many as are expected where two were heard in an hour."""
SNRS = (20.0, 10.0)
THRESHOLDS: Final = tuple(float(x) for x in np.unique(np.round(1 / (1 + np.exp(-np.linspace(-4, 4, 81))), 4)))
LEASTS: Final = tuple(float(x) for x in np.arange(0.5, 3.25, 0.25))  # log-odds from which a second look tells of it
NEAR: Final = 0.005  # of balanced accuracy


def run_dial(o: Options, minutes: float, budget: float = ALARMS_HOUR) -> dict[str, Any]:
    """Hear the dial recordings (or, with `score_only`, read what was heard) and choose the threshold."""
    single, still = replace(o, out=o.out / "proactive"), replace(o, out=o.out / "quiet")
    if not o.score_only:
        setup = setup_of(replace(o, systems=(OURS,)), proactivity=0.0)
        index = read_index(setup.audio)
        items = [i for i in single_events(index, "dial", o.per_class, o.seed, SNRS) if i.respond != "context"]
        heard("dial", single, items, setup, hear)
        heard("dial quiet", still, quiet.plan(index, minutes, o.seed, "dial"), setup, hear, minutes=minutes)
    answer = saved_config(still.out).get("adapter", {}).get(ANSWER)
    body = choose(instances.read(single.out), instances.read(still.out), budget, answer)
    files.write_json(o.out / "dial.json", body)
    return body


def choose(
    events: Sequence[Instance], still: Sequence[Instance], budget: float, answer: float | None = None
) -> dict[str, Any]:
    """Threshold and second look of the highest balanced accuracy among those within the budget of false alarms an hour.

    The hour is small: of n alarms in it, (n + 1) / hours is expected (mean of the Poisson rate under a flat prior).
    Where nothing is within the budget, what has the fewest. Of all within NEAR of the best, the lowest threshold, so
    that most is told at once, and of these the strictest second look. `score` of an item is its highest p(speak) +
    p(act). The items are heard without answering, and so without a second look: an answer that is in the context
    already lowers every p after it, and thresholds above the one of the hearing would be judged by what is left.

    Args:
        answer: threshold where somebody has just finished speaking, which is not chosen here: what is said to talk that
            was not for us is an alarm, too. None: that of sounds.
    """
    calm = [r for r in still if r["item"]["respond"] == "no"]
    shown = [r for r in events if proactive.headline(r)]
    if not shown or not calm:
        raise ConfigError("dial: expected instances of single events and of quiet streams, got none")
    answered = [r for r in shown if r["item"]["respond"] == "yes"]
    weights = second_look.fit(answered, [*(r for r in shown if r["item"]["respond"] == "no"), *calm])
    hours = sum(r["item"]["seconds"] for r in calm) / 3600
    looks = [(math.inf, None), *((x, weights) for x in LEASTS if weights)]
    found = [_tried(shown, calm, t, x, fit, answer) for x, fit in looks for t in THRESHOLDS]
    within = [f for f in found if (f.alarms + 1) / hours <= budget] or [min(found, key=lambda f: f.alarms)]
    near = [f for f in within if f.accuracy >= max(x.accuracy for x in within) - NEAR]
    best = min(near, key=lambda f: (f.threshold, -f.least))
    return {
        "speak_threshold": best.threshold,
        "second_look": [round(x, 3) for x in best.weights or ()],
        "balanced_accuracy": round(best.accuracy, 4),
        "respond_recall": round(best.respond, 4),
        "silent_recall": round(best.silent, 4),
        "false_alarms_hour": round(best.alarms / hours, 2),
        "expected_hour": round((best.alarms + 1) / hours, 2),
        "area": round(best.area, 4),
        "items": len(shown),
        "hours": round(hours, 3),
        "budget": budget,
    }


@dataclass(frozen=True, slots=True)
class _Tried:
    threshold: float
    least: float  # log-odds from which the second look tells of it, inf without one
    weights: second_look.Weights | None
    accuracy: float
    respond: float
    silent: float
    area: float
    alarms: int


def _tried(
    shown: Sequence[Instance],
    calm: Sequence[Instance],
    threshold: float,
    least: float,
    fit: second_look.Weights | None,
    answer: float | None,
) -> _Tried:
    weights = second_look.at(fit, least, threshold) if fit else None
    if weights:
        shown, calm = ([second_look.replayed(r, weights) for r in rows] for rows in (shown, calm))
    scored = proactive.outcomes(shown)
    fired = refired(scored, threshold)
    more = 0.0 if answer is None else odds_between(threshold, answer)
    alarms = sum(quiet.alarms_at(r, threshold, more) for r in calm)
    return _Tried(threshold, least, weights, balanced_accuracy(fired), *recalls(fired), auc(scored), alarms)


def write(adapter: Path, found: Mapping[str, Any]) -> None:
    """Put what `choose` found into an adapter's calibration.json. ConfigError where there is none."""
    path = adapter / "calibration.json"
    if not path.is_file():
        raise ConfigError(
            f"{adapter}: expected a calibrated adapter (calibration.json); run `soundflow train calibrate`"
        )
    body = json.loads(path.read_text(encoding="utf-8")) | {
        key: found[key] for key in ("speak_threshold", "second_look")
    }
    files.write_json(path, body)
