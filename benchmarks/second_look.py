"""The second look that the end of a sound gives (`soundflow.decide.policy`): its weights, and rows replayed with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from benchmarks.instances import Row as Instance
from benchmarks.instances import turns_closed
from soundflow.decide.policy import LOOKS, thought_odds
from soundflow.errors import DataError

LEAST: Final = 10
"""Sounds of each side that a fit needs."""
RIDGE: Final = 1e-3
STEPS: Final = 50
KNOWN: Final = LOOKS - 1
Weights = tuple[float, ...]  # of margin, branch and what was thought at once, and a bias
Look = tuple[int, float, float, float]  # chunk, margin, branch, highest log-odds of telling of it at once


def ended(row: Instance) -> list[Look]:
    """What the row's sounds were when they ended. DataError for rows that do not tell when they began."""
    found = []
    said = turns_closed(row)
    for whole in row.get("wholes", ()):
        if len(whole) != 4:
            raise DataError(
                f"wholes of chunk, margin, alert and first chunk were expected, got {whole}", str(row["id"])
            )
        k, margin, alert, first = whole
        heard = [p for j, p in enumerate(row["p_speak"][first : k + 1], first) if j not in said]
        found.append((k, margin, alert, thought_odds(max(heard, default=0.0))))
    return found


def looks(row: Instance, weights: Weights) -> list[tuple[int, float]]:
    """(chunk, log-odds) of each sound of the row that ended."""
    return [(k, float(np.dot(known, weights[:-1])) + weights[-1]) for k, *known in ended(row)]


def fit(yes: Sequence[Instance], no: Sequence[Instance]) -> Weights | None:
    """Logistic regression (Newton's method) that tells the sounds of `yes` from those of `no`, both sides alike.

    None where a side has fewer than LEAST of them.
    """
    sides = [np.array([w[1:] for r in rows for w in ended(r)], float).reshape(-1, KNOWN) for rows in (yes, no)]
    if min(map(len, sides)) < LEAST:
        return None
    x = np.concatenate(sides)
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    y = np.repeat([1.0, 0.0], [len(side) for side in sides])
    weight = np.repeat([0.5 / len(side) for side in sides], [len(side) for side in sides])
    beta = np.zeros(KNOWN + 1)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ beta))
        slope = x.T @ (weight * (y - p)) - RIDGE * beta
        curve = (x * (weight * p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(KNOWN + 1)
        step = np.linalg.solve(curve, slope)
        beta += step
        if np.abs(step).max() < 1e-6:
            break
    return tuple(float(x) for x in beta)


def at(weights: Weights, least: float, threshold: float) -> Weights:
    """The same weights, so that log-odds of `least` reach `threshold`, at which the dial's middle fires."""
    return *weights[:-1], weights[-1] - least + math.log(threshold / (1 - threshold))


def replayed(row: Instance, weights: Weights) -> Instance:
    """The row as if it had been heard with these weights: p(speak) of the chunks at which sounds ended is raised."""
    speak: list[float] = list(row["p_speak"])
    for k, odds in looks(row, weights):
        if k < len(speak):
            speak[k] = max(speak[k], 1 / (1 + math.exp(-odds)))
    changed: dict[str, Any] = {**row, "p_speak": speak}
    return changed
