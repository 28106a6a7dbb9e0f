"""A second opinion on which sound it is: one linear head for each of some classes, beside the encoder's own tags.

The encoder's scores were fitted on clips of the internet; heard through rooms, codecs and noise, a whistle is a
ringtone to them and typing is nothing. A head sees the embedding, the best score of its class and what the branch
(`soundflow.perceive.alert`) makes of it, and says how sure it is. What alerts, and what the LALM is given, stays as the
encoder says.

named.safetensors    `weight` [K, D], `gain`, `bias`, `branch` [K]; as metadata `format`, and `classes`: a JSON object
                     of K class names with the labels of each. For whole sounds (`soundflow.perceive.among`) `among`
                     [M, D], `among_bias` [M] and as metadata `among`, a JSON list of M of these names; or none of
                     them, as in format 2. A file of format 1 has no `branch` either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.among import Among
from soundflow.perceive.own import features
from soundflow.types import FloatArray

FILE: Final = "named.safetensors"
FORMAT, OF_BEFORE = "3", ("1", "2")
SURE: Final = 6.0
"""Bound of the log-odds: no sound is surer than 0.9975."""
UNSURE: Final = 8.0
"""And of those that it is not heard, which somebody who waits for it makes less of (`soundflow.decide.evidence`)."""
_TENSORS: Final = {"weight", "gain", "bias", "branch"}
_OF_WHOLES: Final = {"among", "among_bias"}


@dataclass(frozen=True)
class NamedSounds:
    """classes: name -> its labels, each in one class only. weight [K, D], gain, bias and branch [K], in the order of
    `classes`. among: which of them a whole sound is.

    Raises:
        ConfigError: shapes that do not fit, a label in two classes, or a number that is not finite.
    """

    classes: Mapping[str, tuple[str, ...]]
    weight: FloatArray
    gain: FloatArray
    bias: FloatArray
    branch: FloatArray
    among: Among | None = None

    def __post_init__(self) -> None:
        count, named = len(self.classes), [label for labels in self.classes.values() for label in labels]
        rows = self.gain, self.bias, self.branch
        if self.weight.ndim != 2 or len(self.weight) != count or {x.shape for x in rows} != {(count,)}:
            shapes = [self.weight.shape, *(x.shape for x in rows)]
            raise ConfigError(f"weight [{count}, D], gain, bias and branch [{count}] were expected, got {shapes}")
        if not count or not all(self.classes.values()) or len(set(named)) < len(named):
            raise ConfigError("classes: at least one was expected, labels for each, and no label twice")
        if not all(np.isfinite(x).all() for x in (self.weight, *rows)):
            raise ConfigError("weight, gain, bias, branch: finite numbers were expected")
        if self.among and self.among.weight.shape[1] != self.weight.shape[1]:
            got = [self.weight.shape, self.among.weight.shape]
            raise ConfigError(f"weight and among: as wide as each other was expected, got {got}")
        if self.among and (unknown := sorted(set(self.among.classes) - set(self.classes))):
            raise ConfigError(f"among: a class with a head was expected, got {unknown[0]!r}")

    @property
    def labels(self) -> frozenset[str]:
        """Those of all classes."""
        return frozenset(label for group in self.classes.values() for label in group)

    def odds(self, best: FloatArray, embeddings: FloatArray, branch: FloatArray) -> FloatArray:
        """Log-odds [n, K] of the classes. `best` [n, K]: log-odds of each class's best label, embeddings [n, D], branch
        [n, K]: the branch's log-odds."""
        found: FloatArray = features(embeddings) @ self.weight.T + self.gain * best + self.branch * branch + self.bias
        return np.clip(found, -UNSURE, SURE)

    @staticmethod
    def load(folder: Path) -> NamedSounds | None:
        """The heads beside an adapter, None where it has none. WeightsError names the file and what is wrong."""
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            with safe_open(path, "numpy") as file:
                meta, tensors = file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dictionary
            classes, among = (json.loads(meta.get(name, "null")) for name in ("classes", "among"))
        except (OSError, SafetensorError, ValueError) as error:
            raise WeightsError(f"{path}: heads of named sounds were expected ({error})") from error
        if meta.get("format") in OF_BEFORE and "bias" in tensors:
            meta["format"] = FORMAT
            tensors.setdefault("branch", np.zeros_like(tensors["bias"]))
        wanted = _TENSORS | (_OF_WHOLES if among is not None else set())
        if meta.get("format") != FORMAT or not isinstance(classes, dict) or set(tensors) != wanted:
            raise WeightsError(f"{path}: format {FORMAT}, classes and {sorted(wanted)} were expected")
        try:
            listed = {str(name): tuple(str(x) for x in labels) for name, labels in classes.items()}
            values = {name: value.astype(np.float32) for name, value in tensors.items()}
            whole = [values.pop(name) for name in sorted(_OF_WHOLES & set(values))]
            chosen = Among(tuple(str(x) for x in among), *whole) if whole else None
            return NamedSounds(listed, **values, among=chosen)
        except (TypeError, ConfigError) as error:
            raise WeightsError(f"{path}: {error}") from error

    def save(self, path: Path) -> None:
        """Write the file; weights in float16."""
        meta = {"format": FORMAT, "classes": json.dumps({k: list(v) for k, v in self.classes.items()})}
        half: Any = self.weight.astype(np.float16)
        tensors = {"weight": half, "gain": self.gain, "bias": self.bias, "branch": self.branch}
        if self.among:
            meta["among"] = json.dumps(self.among.classes)
            tensors |= {"among": self.among.weight.astype(np.float16), "among_bias": self.among.bias}
        save_file(tensors, path, meta)


class Naming:
    """`heads` over the probabilities of the sounds of `labels`, and the log-odds of the classes `names` of a branch.

    WeightsError where the heads are of other labels, or go by a class that the branch does not name.
    """

    def __init__(self, heads: NamedSounds, labels: Sequence[str], names: Sequence[str] = ()) -> None:
        self.heads = heads
        column = {name: i for i, name in enumerate(names)}
        if unnamed := [x for x, say in zip(heads.classes, heads.branch, strict=True) if say and x not in column]:
            raise WeightsError(f"{FILE}: an alert branch that names {unnamed[0]!r} was expected beside it")
        self._named_too = [(k, column[name]) for k, name in enumerate(heads.classes) if name in column]
        place = {label: i for i, label in enumerate(labels)}
        if unknown := [x for group in heads.classes.values() for x in group if x not in place]:
            raise WeightsError(f"{FILE}: labels of the sound encoder were expected, got {unknown[0]!r}")
        self._groups = [np.array([place[x] for x in group], np.intp) for group in heads.classes.values()]
        self._named = np.concatenate(self._groups)

    def __call__(self, p: FloatArray, embeddings: FloatArray, names: FloatArray | None = None) -> FloatArray:
        """p [n, L] calibrated, embeddings [n, D], names [n, N] of the branch -> probabilities [n, L], in which the best
        label of a class is as sure as its head says, and the others keep their distance in log-odds."""
        odds = log_odds(p)
        best = np.stack([odds[:, group].max(axis=1) for group in self._groups], axis=1)
        moved = self.heads.odds(best, embeddings, self.branch(names, len(p))) - best
        for k, group in enumerate(self._groups):
            odds[:, group] += moved[:, k : k + 1]
        found = p.astype(np.float32, copy=True)
        found[:, self._named] = 1 / (1 + np.exp(-odds[:, self._named]))
        return found

    def branch(self, names: FloatArray | None, count: int) -> FloatArray:
        """What the branch says of each class [count, K]; that it is surely not there of those of which it says nothing,
        as where a sense was taken away."""
        found = np.full((count, len(self.heads.classes)), -SURE, np.float32)
        if names is not None and names.shape[1] and self._named_too:
            own, theirs = zip(*self._named_too, strict=True)
            found[:, own] = names[:, theirs]
        return found


def log_odds(p: FloatArray) -> FloatArray:
    """Of probabilities, within SURE."""
    floor = 1 / (1 + np.exp(SURE))
    clipped = np.clip(p.astype(np.float32), floor, 1 - floor)
    found: FloatArray = np.log(clipped / (1 - clipped))
    return found
