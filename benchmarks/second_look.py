"""The second look that the end of a sound gives (`soundflow.decide.policy`): its weights, and rows replayed with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from benchmarks.instances import Row as Instance

LEAST: Final = 10
"""Sounds of each side that a fit needs."""
RIDGE: Final = 1e-3
STEPS: Final = 50
Weights = tuple[float, float, float]  # of margin and branch, and a bias


def looks(row: Instance, weights: Weights) -> list[tuple[int, float]]:
    """(chunk, log-odds) of each sound of the row that ended."""
    margin, alert, bias = weights
    return [(k, margin * m + alert * a + bias) for k, m, a in row.get("wholes", ())]


def fit(yes: Sequence[Instance], no: Sequence[Instance]) -> Weights | None:
    """Logistic regression (Newton's method) that tells the sounds of `yes` from those of `no`, both sides alike.

    None where a side has fewer than LEAST of them.
    """
    sides = [np.array([w[1:] for r in rows for w in r.get("wholes", ())], float).reshape(-1, 2) for rows in (yes, no)]
    if min(map(len, sides)) < LEAST:
        return None
    x = np.concatenate(sides)
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    y = np.repeat([1.0, 0.0], [len(side) for side in sides])
    weight = np.repeat([0.5 / len(side) for side in sides], [len(side) for side in sides])
    beta = np.zeros(3)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ beta))
        slope = x.T @ (weight * (y - p)) - RIDGE * beta
        curve = (x * (weight * p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(3)
        step = np.linalg.solve(curve, slope)
        beta += step
        if np.abs(step).max() < 1e-6:
            break
    return float(beta[0]), float(beta[1]), float(beta[2])


def at(weights: Weights, least: float, threshold: float) -> Weights:
    """The same weights, so that log-odds of `least` reach `threshold`, at which the dial's middle fires."""
    return weights[0], weights[1], weights[2] - least + math.log(threshold / (1 - threshold))


def replayed(row: Instance, weights: Weights) -> Instance:
    """The row as if it had been heard with these weights: p(speak) of the chunks at which sounds ended is raised."""
    speak: list[float] = list(row["p_speak"])
    for k, odds in looks(row, weights):
        if k < len(speak):
            speak[k] = max(speak[k], 1 / (1 + math.exp(-odds)))
    changed: dict[str, Any] = {**row, "p_speak": speak}
    return changed
