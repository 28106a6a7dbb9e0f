"""One linear head for one taught sound: logistic regression, held-out scores clip by clip, and the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from soundflow.perceive.own import smoothed
from soundflow.types import FloatArray

PENALTY: Final = 1e-4  # of the squared weights, on features of length 1
STEPS: Final = 40  # of L-BFGS
ALIKE_SHARE: Final = 0.5
BUDGET: Final = 0.002
"""Share of the held-out windows of other sounds that may pass the threshold."""
KEEP: Final = 0.9  # of the held-out clips, which the threshold would like to keep


@dataclass(frozen=True, slots=True)
class Windows:
    """Features [n, 1024] of `soundflow.perceive.own.features`, with the recording of each window, [n]; windows of one
    `take` (a recording as it was rendered once) follow each other in time. `held` [n]: the sound is in it, in full."""

    x: FloatArray
    recording: NDArray[np.intp]
    take: NDArray[np.intp]
    held: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Others:
    """What the sound is not: features [n, 1024], a `label` of each window and its `recording`."""

    x: FloatArray
    label: tuple[str, ...]
    recording: tuple[str, ...]

    def without(self, labels: Sequence[str]) -> Others:
        """All but these labels."""
        keep = [k for k, label in enumerate(self.label) if label not in labels]
        return Others(self.x[keep], tuple(self.label[k] for k in keep), tuple(self.recording[k] for k in keep))

    def plus(self, more: Others) -> Others:
        """Both."""
        return Others(np.concatenate([self.x, more.x]), self.label + more.label, self.recording + more.recording)

    @staticmethod
    def of(x: FloatArray, label: str) -> Others:
        """Windows of one label, each a recording of its own."""
        return Others(x, (label,) * len(x), tuple(f"{label} {k}" for k in range(len(x))))


def fit(positive: FloatArray, negative: FloatArray, start: FloatArray | None = None) -> tuple[FloatArray, float]:
    """Weight [1024] and bias; both sides count alike, however many windows they have."""
    x = torch.from_numpy(np.concatenate([positive, negative]))
    y = torch.cat([torch.ones(len(positive)), torch.zeros(len(negative))])
    share = torch.cat([torch.full((len(s),), 0.5 / len(s)) for s in (positive, negative)])
    both = torch.zeros(x.shape[1] + 1) if start is None else torch.from_numpy(start).clone()
    both.requires_grad_(True)
    solver = torch.optim.LBFGS([both], max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        odds = x @ both[:-1] + both[-1]
        found = (share * F.binary_cross_entropy_with_logits(odds, y, reduction="none")).sum()
        found = found + PENALTY * both[:-1].square().sum()
        found.backward()
        return found

    solver.step(loss)
    made = both.detach().numpy()
    return made[:-1].copy(), float(made[-1])


@dataclass(frozen=True, slots=True)
class Held:
    """Log-odds by heads that had not seen the recording: `clips` by take, `others` by window."""

    takes: FloatArray
    take_recording: NDArray[np.intp]
    others: FloatArray


def hold_out(own: Windows, others: Others, start: FloatArray, most: int = 25) -> Held:
    """Leave one recording of the sound (of very many: a group of them) and a share of the others' out at a time."""
    groups = min(most, int(own.recording.max()) + 1)
    fold_own = own.recording % groups
    names = {name: k for k, name in enumerate(dict.fromkeys(others.recording))}
    fold_others = np.array([names[name] % groups for name in others.recording])
    odds, away = np.zeros(len(own.x), np.float32), np.zeros(len(others.x), np.float32)
    for fold in range(groups):
        weight, bias = fit(own.x[own.held & (fold_own != fold)], others.x[fold_others != fold], start)
        odds[fold_own == fold] = own.x[fold_own == fold] @ weight + bias
        away[fold_others == fold] = others.x[fold_others == fold] @ weight + bias
    takes = np.unique(own.take)
    best = np.array([smoothed(odds[own.take == t]).max() for t in takes], np.float32)
    whose = np.array([own.recording[own.take == t][0] for t in takes])
    return Held(best, whose, away)


def threshold(held: Held) -> float:
    """Log-odds at which to tell: within the budget of false windows, and where there is room between both sides,
    halfway between the budget's edge and what keeps most of the takes."""
    edge = float(np.quantile(held.others, 1 - BUDGET))
    keeps = float(np.quantile(held.takes, 1 - KEEP))
    return max(edge, 0.5 * (edge + keeps))


def alike(own: Windows, others: Others) -> list[str]:
    """Labels of `others` that are the sound itself: half of their windows are as near to a window of the sound (by
    cosine) as the sound's recordings are to each other."""
    mine, whose = own.x[own.held], own.recording[own.held]
    between = mine @ mine.T
    between[whose[:, None] == whose[None]] = -1.0
    near = float(np.median(between.max(axis=1)))
    reach = (others.x @ mine.T).max(axis=1) >= near
    labels = np.array(others.label)
    return [str(n) for n in np.unique(labels) if reach[labels == n].mean() >= ALIKE_SHARE]
