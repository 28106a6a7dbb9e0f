"""Which of some classes a sound is that has ended, as one of them it must be: softmax over the mean of what the encoder
made of its loud chunks.

The heads of `soundflow.perceive.named` ask of every chunk whether there is a cough; between a cough and a dog they were
never asked to choose. Fitted on recordings by themselves, in rooms and noise (`training.whole_names`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from soundflow.errors import ConfigError
from soundflow.perceive.own import features
from soundflow.types import FloatArray

SHARE: Final = 1.0
"""What a log-probability weighs beside the mean log-odds of the heads; chosen on the dial's quarter and on cal streams
(training/RUNS.md)."""
OTHERS: Final = -3.0
"""Log-probability of a label of none of the classes."""


@dataclass(frozen=True)
class Among:
    """weight [M, D] and bias [M] of `classes`. ConfigError: shapes that do not fit, a number that is not finite."""

    classes: tuple[str, ...]
    weight: FloatArray
    bias: FloatArray

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or {len(self.weight), *self.bias.shape} != {len(self.classes)}:
            got = [self.weight.shape, self.bias.shape]
            raise ConfigError(f"weight [{len(self.classes)}, D] and bias of whole sounds were expected, got {got}")
        if not (np.isfinite(self.weight).all() and np.isfinite(self.bias).all()):
            raise ConfigError("weight and bias of whole sounds: finite numbers were expected")

    def log_p(self, seen: FloatArray) -> FloatArray:
        """[D], as of `seen` -> log-probabilities of the classes [M]."""
        odds = self.weight @ seen + self.bias
        top = odds.max()
        found: FloatArray = odds - (top + np.log(np.exp(odds - top).sum()))
        return found


def seen(embeddings: FloatArray) -> FloatArray:
    """Embeddings [n, D] of a sound's loud chunks -> what `Among` goes by [D], of length 1."""
    mean = features(embeddings).mean(axis=0)
    scaled: FloatArray = mean / max(float(np.linalg.norm(mean)), 1e-6)
    return scaled


class Choosing:
    """`among` over `labels`, of which `groups` says which belong to each of its classes."""

    def __init__(self, among: Among, groups: Mapping[str, Sequence[str]], labels: Sequence[str]) -> None:
        self._among = among
        place = {label: i for i, label in enumerate(labels)}
        self._columns = [np.array([place[x] for x in groups[c]], np.intp) for c in among.classes]
        self._count = len(labels)

    def __call__(self, embeddings: FloatArray) -> FloatArray:
        """Embeddings [n, D] of the loud chunks -> what to add to the log-odds of each label [L]."""
        found = np.full(self._count, OTHERS, np.float32)
        for columns, log_p in zip(self._columns, self._among.log_p(seen(embeddings)).tolist(), strict=True):
            found[columns] = log_p
        return SHARE * found
