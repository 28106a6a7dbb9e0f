"""Rows -> figures of each scenario and system, with 95 % intervals, and the share of right behaviour over all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.duplex.behaviour import WANTED, Behaviour
from benchmarks.duplex.layout import CLEAN
from benchmarks.duplex.marks import Mark, mark
from benchmarks.duplex.stage import PEER
from benchmarks.instances import Row as Instance
from soundflow.scoring import wilson

DRAWS: Final = 1000
ORDER: Final = (
    *("pause/read", "pause/asked", "listening", "turn"),
    *("interruption", "backchannel", "others", "background"),
)
Pairs = list[tuple[Instance, Mark]]


def score(
    rows: Sequence[Instance], references: Mapping[str, Sequence[float]] | None = None, draws: int = DRAWS
) -> dict[str, Any]:
    """Figures by scenario and system, and "all".

    Shares and means have percentile bootstraps over samples (Efron 1979); a share that does not vary has Wilson's score
    interval (1927). Rows with an error count as wrong and stay in every share. "all": mean over scenarios of the share
    of right behaviour (no takeover in pauses and while listening, a turn taken behind the question and not before, the
    wanted category of v1.5 in overlaps), and the difference to the turn-taker of 700 ms, samples drawn in pairs.

    Args:
        references: human backchannel timing by sample id, of the published set.
    """
    found: dict[str, Any] = {}
    by: dict[str, dict[str, Pairs]] = {}
    for row in sorted((r for r in rows if r["item"]["group"] != CLEAN), key=lambda r: str(r["id"])):
        reference = (references or {}).get(row["item"]["facts"].get("sample", ""), () if references else None)
        pair = (row, mark(row, reference))
        by.setdefault(name_of(row), {}).setdefault(row["system"], []).append(pair)
    by = dict(sorted(by.items(), key=lambda x: (ORDER.index(x[0]) if x[0] in ORDER else len(ORDER), x[0])))
    for name, systems in by.items():
        found[name] = {system: _scenario(pairs, draws) for system, pairs in systems.items()}
    found["all"] = _all(by, draws)
    return found


def name_of(row: Instance) -> str:
    """The scenario's name; pauses of readers and of questions apart, published data by folder."""
    group, label = row["item"]["group"], row["item"]["label"]
    if "file" in row["item"]["facts"]:
        return str(label)
    return f"{group}/{label}" if group == "pause" else str(group)


def _scenario(pairs: Pairs, draws: int) -> dict[str, Any]:
    marks = [m for _, m in pairs]
    group = str(pairs[0][0]["item"]["group"])
    body: dict[str, Any] = {
        "group": group,
        "samples": len(marks),
        "failed": sum(m["failed"] for m in marks),
        "right": share([bool(m["right"]) for m in marks], draws),
        "takeover": share([bool(m["takeover"]) for m in marks], draws),
    }
    for key in ("early", "any_voice", "floor", "stopped", "answered"):
        if any(key in m for m in marks):
            body[key] = share([bool(m.get(key)) for m in marks], draws)
    for key in ("on_topic", "correct"):
        answered = [m[key] for m in marks if m.get(key) is not None]
        if any(key in m for m in marks):
            body[key] = {"of": len(answered), "share": share(answered, draws)}
    for key in ("latency_s", "latency_compute_s", "stop_s", "stop_compute_s"):
        if any(key in m for m in marks):
            body[key] = times([m[key] for m in marks if m.get(key) is not None], draws)
    for key in ("overlaps_s", "responses_s"):
        if any(key in m for m in marks):
            body[key] = times([t for m in marks for t in m.get(key, ())], draws)
    if any("frequency" in m for m in marks):
        body["frequency"] = mean([m.get("frequency", 0.0) for m in marks], draws)
        known = [m["divergence"] for m in marks if m.get("divergence") is not None]
        body["divergence"] = mean(known + [1.0] * body["failed"], draws)
    if group in WANTED:
        kinds = [*(str(b) for b in Behaviour), "failed"]
        body["behaviours"] = {k: sum(m["behaviour"] == k for m in marks) / len(marks) for k in kinds}
    return body


def share(values: Sequence[bool], draws: int = DRAWS) -> list[float] | None:
    """[share, low, high]; None of nothing."""
    if not values:
        return None
    if len(set(values)) == 1:
        w = wilson(sum(values), len(values))
        return [round(x, 4) for x in (w.value, w.low, w.high)]
    return mean([float(v) for v in values], draws)


def mean(values: Sequence[float], draws: int = DRAWS) -> list[float] | None:
    """[mean, low, high] by bootstrap; None of nothing."""
    if not values:
        return None
    x = np.array(values, dtype=float)
    rng = np.random.default_rng(0)
    drawn = x[rng.integers(len(x), size=(draws, len(x)))].mean(axis=1)
    return [round(float(v), 4) for v in (x.mean(), *np.percentile(drawn, [2.5, 97.5]))]


def times(values: Sequence[float], draws: int = DRAWS) -> dict[str, Any]:
    """Seconds: the mean, as the paper gives it, with its interval; median, p90, and of how many."""
    if not values:
        return {"of": 0, "mean": None, "median": None, "p90": None}
    median, high = (round(float(v), 3) for v in np.percentile(values, [50, 90]))
    return {"of": len(values), "mean": mean(values, draws), "median": median, "p90": high}


def _all(by: Mapping[str, Mapping[str, Pairs]], draws: int) -> dict[str, Any]:
    systems = list(dict.fromkeys(s for each in by.values() for s in each))
    drawn = {s: _right_draws(by, s, draws) for s in systems}
    found: dict[str, Any] = {}
    for system in systems:
        value, draw = drawn[system]
        low, high = np.percentile(draw, [2.5, 97.5])
        found[system] = {"right": [round(float(v), 4) for v in (value, low, high)]}
        if PEER in drawn and system != PEER and _same(by, system):
            apart = np.percentile(draw - drawn[PEER][1], [2.5, 97.5])
            found[system]["minus_peer"] = [round(float(v), 4) for v in (value - drawn[PEER][0], *apart)]
    return found


def _same(by: Mapping[str, Mapping[str, Pairs]], system: str) -> bool:
    """Whether the system and the peer were heard on the same samples."""
    ids = [[[r["id"] for r, _ in each.get(s, [])] for each in by.values()] for s in (system, PEER)]
    return ids[0] == ids[1]


def _right_draws(by: Mapping[str, Mapping[str, Pairs]], system: str, draws: int) -> tuple[float, Any]:
    """(mean over scenarios, [draws]); systems on the same samples are drawn alike."""
    rng = np.random.default_rng(0)
    values, total = [], np.zeros(draws)
    for each in by.values():
        right = np.array([float(m["right"]) for _, m in each.get(system, [])])
        if len(right):
            values.append(right.mean())
            total += right[rng.integers(len(right), size=(draws, len(right)))].mean(axis=1)
    return float(np.mean(values)), total / len(values)
