"""Recall of hazards against false alarms an hour, out of the rows of a `proactive` and a `quiet` run; hears nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from benchmarks import quiet
from benchmarks.instances import Row as Instance
from benchmarks.instances import turns_closed
from benchmarks.proactive import outcomes
from benchmarks.systems import OURS
from soundflow.decide.policy import raised
from soundflow.errors import ConfigError
from soundflow.scoring import Interval, Outcome, percentiles, recall_draws, recalls, refired

CLASSES: Final = {
    "hazards": ("alarm", "siren", "glass_break", "gunshot", "explosion"),
    "distress": ("crying_baby", "coughing", "scream"),
}
NOISY: Final = ("ambience", "music", "side talk", quiet.TELEVISION)
"""Backgrounds in which something sounds; room tone and digital silence would only thin the alarms."""
BUDGET: Final = 2.0
"""False alarms an hour at which recall is wanted."""


def score(
    events: Sequence[Instance],
    still: Sequence[Instance],
    budget: float = BUDGET,
    draws: int = 2000,
    unheard: float | None = None,
    answer: float = 0.0,
) -> dict[str, Any]:
    """SNR -> system -> recall at the default dial and at the lowest threshold within the budget.

    Recall: macro-averaged over the classes of each group of CLASSES (eight explosions count as much as thirty alarms),
    and by class; a hit is a response in `benchmarks.proactive.window`. False alarms: responses in the streams of NOISY
    backgrounds an hour of them, and by background. Intervals: percentile bootstrap over recordings, for alarms over the
    sources of `quiet`; without any alarm the upper end is 3 / hours. `within`: the lowest threshold whose alarms an
    hour, replayed (`quiet.alarms_at`), are within the budget. It is chosen on the rows that it is reported on, so its
    rate is a little too good; its upper end is beside it. Where an answer is in the context every later p is lower, so
    rows that were heard without answering (`--proactivity 0`) give the fair recall there.

    Args:
        unheard: threshold of our default dial where our rows were heard without answering, to fire them by; None where
            the decisions of the rows are those of the default dial.
        answer: of ours, as in `quiet.alarms_at`: what is said to talk that was not for us is an alarm, too.

    Raises:
        ConfigError: no hazard, or no noisy quiet stream, of a system that is in both.
    """
    calm = [r for r in still if r["item"]["group"] in NOISY]
    asked = [r for r in events if r["item"]["respond"] == "yes" and group_of(r["item"]["label"])]
    systems = [s for s in dict.fromkeys(r["system"] for r in asked) if any(r["system"] == s for r in calm)]
    if not systems:
        raise ConfigError(
            f"hazards: expected a system with rows of {', '.join(CLASSES['hazards'])} in --proactive and of "
            f"{', '.join(NOISY)} in --quiet; got {len(asked)} and {len(calm)} rows"
        )
    found: dict[str, Any] = {}
    for snr in sorted({r["item"]["facts"]["snr"] for r in asked}, reverse=True):
        here = [r for r in asked if r["item"]["facts"]["snr"] == snr]
        found[f"{snr:g}"] = {
            s: _system(
                [r for r in here if r["system"] == s],
                [r for r in calm if r["system"] == s],
                unheard if s.startswith(OURS) else None,
                answer if s.startswith(OURS) else 0.0,
                budget,
                draws,
            )
            for s in systems
        }
    return found


def group_of(label: str) -> str:
    """The group of CLASSES that a label is in; "" for none."""
    return next((group for group, labels in CLASSES.items() if label in labels), "")


def _system(
    events: Sequence[Instance],
    calm: Sequence[Instance],
    usual: float | None,
    answer: float,
    budget: float,
    draws: int,
) -> dict[str, Any]:
    scored = outcomes(sorted(events, key=lambda r: r["id"]))
    body: dict[str, Any] = {
        "hours": round(sum(r["item"]["seconds"] for r in calm) / 3600, 3),
        "sources": len({r["item"]["source"] for r in calm}),
        "failed": sum(bool(r.get("error")) for r in (*events, *calm)),
        "default": _at(scored, usual, calm, answer, draws),
        "by_background": {
            g: quiet.show(_rate([r for r in calm if r["item"]["group"] == g], usual, answer))
            for g in NOISY
            if any(r["item"]["group"] == g for r in calm)
        },
        "by_class": {},
    }
    threshold = within(calm, budget, answer)
    if threshold is None:
        body["within"] = None
    else:
        body["within"] = {"threshold": threshold} | _at(scored, threshold, calm, answer, draws)
    for label in sorted({o.label for o in scored}, key=lambda x: (group_of(x) != "hazards", x)):
        mine = [o for o in scored if o.label == label]
        refit = None if threshold is None else _recall(refired(mine, threshold), draws)
        default = _recall(mine if usual is None else refired(mine, usual), draws)
        own = {"group": group_of(label), "items": len(mine), "default": default, "within": refit}
        body["by_class"][label] = own
    return body


def _at(
    scored: Sequence[Outcome], threshold: float | None, calm: Sequence[Instance], answer: float, draws: int
) -> dict[str, list[float] | None]:
    fired = scored if threshold is None else refired(scored, threshold)
    shown: dict[str, list[float] | None] = {"false_alarms_hour": quiet.show(_rate(calm, threshold, answer))}
    for group, labels in CLASSES.items():
        mine = [o for o in fired if o.label in labels]
        shown[group] = _recall(mine, draws) if mine else None
    return shown


def _rate(calm: Sequence[Instance], threshold: float | None, answer: float) -> Interval:
    if threshold is None:
        return quiet.rate(calm)
    return quiet.rate(calm, lambda row: quiet.alarms_at(row, threshold, answer))


def _recall(scored: Sequence[Outcome], draws: int) -> list[float]:
    found: Interval = percentiles(recalls(scored)[0], recall_draws(scored, draws)[:, 0])
    return quiet.show(found)


def within(calm: Sequence[Instance], budget: float, answer: float = 0.0) -> float | None:
    """The lowest threshold whose replayed alarms an hour stay within `budget`; None where none does. `answer`: as in
    `quiet.alarms_at`.

    Thresholds are those at which something changes: the values of p that occur (of an answer, the threshold at which it
    is given), and one above all.
    """
    hours = sum(r["item"]["seconds"] for r in calm) / 3600
    most = budget * hours
    values: set[float] = set()
    for row in (r for r in calm if not r.get("error")):
        closed = turns_closed(row)
        for k, (s, a) in enumerate(zip(row["p_speak"], row["p_act"], strict=True)):
            values.add(round(raised(s + a, -answer) if k in closed else s + a, 4))
    cuts = np.array(sorted(v for v in values if v > 0.0) or [0.5])
    cuts = np.append(cuts, min(1.0, float(cuts[-1]) + 1e-4))
    low, high = 0, len(cuts) - 1
    if _alarms(calm, float(cuts[high]), answer) > most:
        return None
    while low < high:  # alarms fall with the threshold, but for a few that a cool-down hid
        middle = (low + high) // 2
        if _alarms(calm, float(cuts[middle]), answer) <= most:
            high = middle
        else:
            low = middle + 1
    return round(float(cuts[high]), 4)


def _alarms(calm: Sequence[Instance], threshold: float, answer: float) -> int:
    return sum(quiet.alarms_at(r, threshold, answer) for r in calm)
