"""Heads that name sounds (`soundflow.perceive.named`), fitted on cached streams whose events are known.

All classes at once by L-BFGS on the logistic loss of every chunk; then, on other streams, how much the heads and the
branch (`soundflow.perceive.alert`) weigh, as the branch knows the recordings of the first; then one shift of all
biases, at which the events that are told of on these are best. The penalty pulls a head towards its tags, and so one
with few events most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from soundflow.errors import DataError
from soundflow.perceive.named import NamedSounds, Naming, log_odds
from soundflow.perceive.own import features as scaled
from soundflow.perceive.tags import TagCalibration
from soundflow.types import FloatArray
from training.features import Features
from training.folders import tag_calibration
from training.named_classes import CLASSES, PENALTY, UNSURE, class_of, known
from training.tag_thresholds import Item, event_f1, spans

WINDOW: Final = 18_800
"""Samples up to a chunk's end that its embedding hears: a window of 15,600 and the hop of 3,200 before it."""
HEARD: Final = 4_800  # samples of an event, at least, in a chunk that counts as holding it; all of a shorter one
LEAST: Final = 12
"""Events of a class in the streams of the fit; with fewer the encoder's tags stay as they are."""
STEPS: Final = 80  # of L-BFGS
SHIFTS: Final = tuple(float(x) for x in np.arange(-7.0, 2.25, 0.25))


@dataclass(frozen=True, slots=True)
class NamingConfig:
    """penalty: of the squared weights, a chunk. balance: 0 counts every chunk alike, 1 both sides of a class alike."""

    penalty: float = PENALTY
    balance: float = 0.5


@dataclass(frozen=True, slots=True)
class Fitted:
    """heads; F1 of the events of other streams by the encoder alone (`before`) and with them (`after`), at the same
    thresholds; how many `events` of how many `classes` the heads were fitted on."""

    heads: NamedSounds
    before: float
    after: float
    events: int
    classes: int


@dataclass(frozen=True, slots=True)
class Chunks:
    """x [n, D] scaled embeddings, best [n, K] log-odds of each class's best label, branch [n, K] those of the branch,
    truth [n, K] of 0 and 1, and told [n, K]: whether anything is known of it."""

    x: FloatArray
    best: FloatArray
    branch: FloatArray
    truth: FloatArray
    told: FloatArray


def fit(
    items: Sequence[Item], others: Sequence[Item], labels: Sequence[str], calibration: TagCalibration,
    config: NamingConfig | None = None,
) -> Fitted:  # fmt: skip
    """Heads for the classes of which `items` hold enough; `others` are streams to shift them on.

    DataError where no class has LEAST events.
    """
    counts = dict.fromkeys(known(labels), 0)
    for sample, _ in items:
        for event in sample["events"]:
            if (name := class_of(event["label"])) in counts:
                counts[name] += 1
    classes = {name: group for name, group in known(labels).items() if counts[name] >= LEAST}
    if not classes:
        raise DataError(f"at least {LEAST} events of one of {', '.join([*CLASSES][:3])} ... were expected")
    config = config or NamingConfig()
    heads = solve(chunks(items, classes, labels, calibration), classes, config)
    if all(branched(f) for _, f in others):
        heads = weigh(heads, chunks(others, classes, labels, calibration), config)
    before, after, shift = best_shift(others, heads, labels, calibration)
    heads = replace(heads, bias=heads.bias + np.float32(shift))
    return Fitted(heads, before, after, sum(counts[name] for name in classes), len(classes))


def chunks(
    items: Sequence[Item], classes: Mapping[str, Sequence[str]], labels: Sequence[str], calibration: TagCalibration
) -> Chunks:
    """Every chunk of the streams."""
    place = {label: i for i, label in enumerate(labels)}
    columns = [[place[x] for x in group] for group in classes.values()]
    parts = []
    for sample, features in items:
        odds = log_odds(calibration(features.tags.astype(np.float32)))
        best = np.stack([odds[:, group].max(axis=1) for group in columns], axis=1)
        truth, told = answers(sample, features, [*classes])
        named = features.names.astype(np.float32) if branched(features) else np.zeros((len(best), len(CLASSES)))
        said = named[:, [i for i, name in enumerate(CLASSES) if name in classes]].astype(np.float32)
        parts.append((scaled(features.sound.astype(np.float32)), best, said, truth, told))
    return Chunks(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def branched(features: Features) -> bool:
    """Whether a stream was heard with a branch that names CLASSES."""
    return features.names.shape[-1] == len(CLASSES)


def answers(sample: Mapping[str, Any], features: Features, names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """`truth` and `told` [T, K] of one stream."""
    place, size = {name: k for k, name in enumerate(names)}, features.chunk_samples
    truth, told = (
        np.zeros((features.chunks, len(names)), np.float32),
        np.ones((features.chunks, len(names)), np.float32),
    )
    ends = (np.arange(features.chunks) + 1) * size
    for event in sample["events"]:
        onset, offset = int(event["onset"]), int(event["offset"])
        heard = np.minimum(offset, ends) - np.maximum(onset, ends - WINDOW)
        for name in UNSURE.get(event["label"], ()):
            if name in place:
                told[heard > 0, place[name]] = 0
        if (name := class_of(event["label"])) in place:
            k, enough = place[name], min(HEARD, offset - onset)
            truth[heard >= enough, k] = 1
            told[(heard > 0) & (heard < enough), k] = 0
    told[truth > 0] = 1
    return truth, told


def solve(data: Chunks, classes: Mapping[str, tuple[str, ...]], config: NamingConfig) -> NamedSounds:
    """The heads of the smallest loss. Starts at the tags themselves."""
    x, best, truth = (torch.from_numpy(part) for part in (data.x, data.best, data.truth))
    weight = _weights(data, config)
    width, count = x.shape[1], len(classes)
    values = torch.cat([torch.zeros(width, count), torch.ones(1, count), torch.zeros(1, count)]).requires_grad_(True)
    solver = torch.optim.LBFGS([values], max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        odds = x @ values[:-2] + values[-2] * best + values[-1]
        found = (weight * F.binary_cross_entropy_with_logits(odds, truth, reduction="none")).sum()
        found = found + config.penalty * (values[:-2].square().sum() + (values[-2] - 1).square().sum())
        found.backward()
        return found

    solver.step(loss)
    made: NDArray[np.float32] = values.detach().numpy()
    return NamedSounds(dict(classes), made[:-2].T.copy(), made[-2].copy(), made[-1].copy(), np.zeros(count, np.float32))


def weigh(heads: NamedSounds, data: Chunks, config: NamingConfig) -> NamedSounds:
    """The heads, scaled, with the branch beside them: two weights and a shift for all classes, of the smallest loss."""
    own = torch.from_numpy(data.x @ heads.weight.T + heads.gain * data.best + heads.bias)
    branch, truth, weight = torch.from_numpy(data.branch), torch.from_numpy(data.truth), _weights(data, config)
    weight = weight * ((data.truth * data.told).sum(0) > 0)
    values = torch.tensor([1.0, 0.0, 0.0]).requires_grad_(True)
    solver = torch.optim.LBFGS([values], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        odds = values[0] * own + values[1] * branch + values[2]
        found = (weight * F.binary_cross_entropy_with_logits(odds, truth, reduction="none")).sum()
        found.backward()
        return found

    solver.step(loss)
    scale, share, shift = values.detach().numpy()
    return NamedSounds(
        heads.classes, heads.weight * scale, heads.gain * scale, heads.bias * scale + shift,
        np.full(len(heads.bias), share, np.float32),
    )  # fmt: skip


def _weights(data: Chunks, config: NamingConfig) -> torch.Tensor:
    """Of each chunk and class [n, K]; those of a class add up to 1."""
    truth, told = torch.from_numpy(data.truth), torch.from_numpy(data.told)
    held = (truth * told).sum(0)
    weight = 1 + truth * (((told.sum(0) - held) / held.clamp(min=1)) ** config.balance - 1)
    return weight * told / (weight * told).sum(0).clamp(min=1)


def best_shift(
    items: Sequence[Item], heads: NamedSounds, labels: Sequence[str], calibration: TagCalibration
) -> tuple[float, float, float]:
    """F1 of the encoder alone, the highest one with the heads, and the least shift of their biases that gives it."""
    place = {label: i for i, label in enumerate(labels)}
    columns = {name: [place[x] for x in group] for name, group in heads.classes.items()}
    renamed = [({**s, "events": [{**e, "label": class_of(e["label"])} for e in s["events"]]}, f) for s, f in items]
    plain = [(s, calibration(f.tags.astype(np.float32)), f) for s, f in renamed]
    at = calibration.thresholds.on, calibration.thresholds.off
    before = event_f1([spans(s, f, columns, p) for s, p, f in plain], labels, columns, *at)
    scores = []
    for shift in SHIFTS:
        naming = Naming(replace(heads, bias=heads.bias + np.float32(shift)), labels, [*CLASSES])
        streams = [spans(s, f, columns, _sure(naming, p, f)) for s, p, f in plain]
        scores.append(event_f1(streams, labels, columns, *at))
    top = max(scores)
    return before, top, min((s for s, score in zip(SHIFTS, scores, strict=True) if score == top), key=abs)


def surely(adapter: Path, labels: Sequence[str]) -> Callable[[Features], FloatArray] | None:
    """`Perception.sure` of cached streams, [T, 521], as the perceiver of an adapter's folder gives it.

    None where it has no heads, and is as sure as the tags say.
    """
    if (heads := NamedSounds.load(adapter)) is None:
        return None
    naming, calibration = Naming(heads, labels, [*CLASSES]), tag_calibration(adapter)
    return lambda f: _sure(naming, calibration(f.tags.astype(np.float32)), f)


def _sure(naming: Naming, p: FloatArray, features: Features) -> FloatArray:
    """Probabilities [T, L] of a cached stream."""
    if naming.heads.branch.any() and not branched(features):
        raise DataError("features heard with the adapter's branch were expected (soundflow train features --branch)")
    named = features.names.astype(np.float32) if branched(features) else None
    return naming(p, features.sound.astype(np.float32), named)
