"""Trains the temporal head (`soundflow.perceive.temporal`) on cached streams: which chunks call for an answer, and, so
that its state keeps more than that, which of the named classes they hold.

Streams are heard one after another, as in a home: what lies before a sound is any other stream. The encoder is frozen
and its embeddings of train recordings are as good as of any other, which those of the alert branch are not.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from soundflow.errors import ConfigError, DataError
from soundflow.perceive.own import features as seen
from soundflow.perceive.temporal import TENSORS, TemporalHead
from soundflow.types import FloatArray
from training.features import CHUNK_SAMPLES
from training.named_classes import CLASSES, UNSURE, class_of
from training.named_sounds import HEARD, WINDOW

SCALE: Final = 10.0
"""Of the embeddings in training; the saved weights take them as `seen` gives them."""
DROP_IN, DROP = 0.2, 0.3
NAMES: Final = 0.15
"""Weight of the names, of which the loss is summed over the classes."""
RARE: Final = -4.0
LITTLE: Final = 0.35
"""Weight of a chunk in which nothing sounds that would tempt to answer."""
WARM_UP: Final = 50
LOG_EVERY: Final = 200


@dataclass(frozen=True, slots=True)
class TemporalConfig:
    """`minutes` of one-thread training, annealed by time. `size`: of the state, and of what is given to it. `share`:
    what its log-odds weigh beside the branch's. A batch is `rows` of `chunks`.

    Raises:
        ConfigError: a value out of its range.
    """

    minutes: float
    share: float = 0.3
    size: int = 64
    seed: int = 1
    rate: float = 2e-3
    rows: int = 20
    chunks: int = 100

    def __post_init__(self) -> None:
        counts = self.size, self.rows, self.chunks
        if not (self.minutes > 0 and 0 < self.share <= 1 and self.rate > 0 and min(counts) > 0):
            raise ConfigError(f"minutes > 0, share in 0 to 1, rate > 0 and counts over 0 were expected, got {self}")


@dataclass(frozen=True, slots=True)
class Stream:
    """sound [T, D] float16, `seen` times SCALE; alert [T] of 0 and 1, -1 where nothing is known; weight [T]; named
    [T, K] as alert."""

    sound: NDArray[np.float16]
    alert: NDArray[np.int8]
    weight: FloatArray
    named: NDArray[np.int8]


def read(caches: Sequence[Path]) -> list[Stream]:
    """All streams of `soundflow train features`. DataError without any, or without sounds of one of the two sides."""
    streams = [stream(sample, sound) for cache in caches for sample, sound in _cached(cache)]
    sides = {int(x) for s in streams for x in np.unique(s.alert)}
    if not {0, 1} <= sides:
        raise DataError(f"{[str(c) for c in caches]}: streams with and without sounds to answer were expected")
    return streams


def _cached(cache: Path) -> Iterator[tuple[Mapping[str, Any], FloatArray]]:
    for path in sorted(cache.glob("*.npz")):
        rows = path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
        with np.load(path, allow_pickle=False) as arrays:
            for number, row in enumerate(rows):
                yield json.loads(row), arrays[f"sound_{number}"].astype(np.float32)


def stream(sample: Mapping[str, Any], sound: FloatArray) -> Stream:
    """What is known of the chunks of one stream, whose embeddings are `sound` [T, D].

    A chunk is answered if a window of it holds 0.3 s of a sound that the corpus answers (all of a shorter one); of one
    that holds less of it, or a sound whose answer depends on context, nothing is known. Names are given alike.
    """
    count = len(sound)
    ends = (np.arange(count) + 1) * CHUNK_SAMPLES
    alert, weight = np.zeros(count, np.int8), np.full(count, LITTLE, np.float32)
    named, place = np.zeros((count, len(CLASSES)), np.int8), {name: k for k, name in enumerate(CLASSES)}
    for event in sample["events"]:
        onset, offset, label = int(event["onset"]), int(event["offset"]), event["label"]
        held = np.minimum(offset, ends) - np.maximum(onset, ends - WINDOW)
        some, enough = held > 0, held >= min(HEARD, offset - onset)
        if event["respond"] == "no":
            weight[enough] = 1.0
        else:
            alert[some & (alert == 0)] = -1
            alert[enough] = 1 if event["respond"] == "yes" else alert[enough]
        for other in UNSURE.get(label, ()):
            if other in place:
                named[some, place[other]] = -1
        if (name := class_of(label)) is not None:
            column = named[:, place[name]]
            column[some & (column == 0)] = -1
            column[enough] = 1
    return Stream((seen(sound) * SCALE).astype(np.float16), alert, weight, named)


class Net(nn.Module):
    """[B, T, D] -> log-odds [B, T] and those of names [B, T, K]."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.into, self.gru = nn.Linear(width, size), nn.GRU(size, size, batch_first=True)
        self.out, self.names = nn.Linear(2 * size, 1), nn.Linear(2 * size, len(CLASSES))
        nn.init.constant_(self.names.bias, RARE)
        self.drop_in, self.drop = nn.Dropout(DROP_IN), nn.Dropout(DROP)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu(self.into(self.drop_in(x)))
        both = self.drop(torch.cat([self.gru(self.drop(x))[0], x], -1))
        return self.out(both)[..., 0], self.names(both)

    @torch.no_grad()
    def head(self, share: float) -> TemporalHead:
        """What runs: the input's scale in its weights, and the log-odds `share` of themselves."""
        state = {name: value.numpy().copy() for name, value in self.state_dict().items() if name in TENSORS}
        state["into.weight"] *= SCALE
        state["out.weight"] *= share
        state["out.bias"] *= share
        return TemporalHead(state)


class Rows:
    """Batches of streams one after another, each from its beginning or from anywhere."""

    def __init__(self, streams: Sequence[Stream], config: TemporalConfig) -> None:
        self._streams, self._config = streams, config
        self._rng = np.random.default_rng(config.seed)
        answered = sum(int((s.alert == 1).sum()) for s in streams)
        others = sum(float(s.weight[s.alert == 0].sum()) for s in streams)
        self._answered = np.float32(others / max(answered, 1))

    def batch(self) -> tuple[Tensor, ...]:
        """sound [B, T, D], alert [B, T], its weight [B, T] (0 where nothing is known), named [B, T, K]."""
        rows = [self._row() for _ in range(self._config.rows)]
        sound, alert, weight, named = (np.stack([row[k] for row in rows]) for k in range(4))
        known = np.where(alert == 1, self._answered, np.where(alert == 0, weight, 0)).astype(np.float32)
        plain = sound.astype(np.float32), (alert == 1).astype(np.float32), known, named.astype(np.float32)
        return tuple(torch.from_numpy(x) for x in plain)

    def _row(self) -> list[NDArray[Any]]:
        parts: list[list[NDArray[Any]]] = []
        left = self._config.chunks
        while left > 0:
            s = self._streams[int(self._rng.integers(len(self._streams)))]
            start = int(self._rng.integers(max(1, len(s.alert) // 2))) if self._rng.random() < 0.5 else 0
            cut = [x[start : start + left] for x in (s.sound, s.alert, s.weight, s.named)]
            parts.append(cut)
            left -= len(cut[1])
        return [np.concatenate(column) for column in zip(*parts, strict=True)]


def train(streams: Sequence[Stream], config: TemporalConfig, log: Callable[[str], None]) -> TemporalHead:
    """Train from nothing; ends after `config.minutes`."""
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    net, rows = Net(streams[0].sound.shape[1], config.size), Rows(streams, config)
    optimizer = torch.optim.AdamW(net.parameters(), config.rate, weight_decay=1e-3)
    began, seen_losses, steps = time.monotonic(), deque[float](maxlen=LOG_EVERY), 0
    while (done := (time.monotonic() - began) / (60 * config.minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = config.rate * min(1.0, (steps + 1) / WARM_UP) * max(0.02, 1 - done)
        sound, alert, weight, named = rows.batch()
        odds, names = net(sound)
        loss = (F.binary_cross_entropy_with_logits(odds, alert, reduction="none") * weight).sum() / weight.sum()
        seen_losses.append(float(loss.detach()))
        each = F.binary_cross_entropy_with_logits(names, named.clamp(min=0), reduction="none") * (named >= 0)
        loss = loss + NAMES * each.sum() / alert.numel()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        steps += 1
        if steps % LOG_EVERY == 0:
            log(f"step {steps} ({done:.0%}): loss {np.mean(seen_losses):.3f}")
    return net.eval().head(config.share)
