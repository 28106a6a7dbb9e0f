"""Trains the alert branch (`soundflow.perceive.alert`) on composed streams, and averages several branches.

One loss over both of its heads: the names keep the embedding broad, and name sounds (`soundflow.perceive.named`).
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from soundflow.errors import ConfigError, DataError
from soundflow.perceive.alert import FIRST, RANK, AlertBranch, load, save
from soundflow.perceive.sound import GAIN
from soundflow.perceive.yamnet import EMBEDDING, YamNet
from training.alert_windows import Batch, Windows, disturbed
from training.named_classes import CLASSES

HEAD_RATE: Final = 1e-3
WARM_UP: Final = 50
LOG_EVERY: Final = 100
PULL: Final = 0.5
"""Of the weights towards the encoder's own, times the learning rate (L2-SP, Li et al. 2018, arXiv 1802.01483)."""
NAMES: Final = 0.15
"""Weight of the names, of which the loss is summed over the classes."""
RARE: Final = -4.0
"""Log-odds of a name before training: one window in fifty holds it."""
DECAY: Final = 0.995  # of the running mean of the weights, which is what is kept


@dataclass(frozen=True, slots=True)
class BranchConfig:
    """`minutes` of one-thread training, annealed by time; at a `rate` of 0 of the heads alone. `second_sound`: share of
    windows with another one under it.

    Raises:
        ConfigError: a value out of its range.
    """

    minutes: float
    rate: float = 2e-4
    second_sound: float = 0.3
    batch: int = 48
    seed: int = 1

    def __post_init__(self) -> None:
        if not (self.minutes > 0 and self.rate >= 0 and 0 <= self.second_sound <= 1 and self.batch > 1):
            raise ConfigError(f"minutes > 0, rate >= 0, second_sound in 0 to 1 and batch > 1 were expected, got {self}")


class Trainer:
    """One branch in training, from `start`, whose weights change."""

    def __init__(self, base: YamNet, start: AlertBranch, config: BranchConfig) -> None:
        torch.manual_seed(config.seed)
        self.base, self.branch, self.config = base, start.requires_grad_(True), config
        self.drop = nn.Dropout(0.3)
        trunk = list(self.branch.convs.parameters())  # type: ignore[attr-defined]
        heads = [*self.branch.head.parameters(), *(self.branch.names.parameters() if self.branch.names else ())]
        self.parameters = [*trunk, *heads]
        self.rates = (config.rate, HEAD_RATE)
        self.optimizer = torch.optim.AdamW([{"params": trunk}, {"params": heads}], weight_decay=0.0)
        origin = [p for conv in list(base.convs)[FIRST:] for p in conv.parameters()]
        self.pulled = list(zip(trunk, origin, strict=True))
        self.mean = [p.detach().clone() for p in self.parameters]
        self.steps = 0

    def step(self, batch: Batch, share_done: float, rng: np.random.Generator) -> tuple[float, float]:
        """One update; loss and the share of windows on the right side of even odds."""
        cosine = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share_done))
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * min(1.0, self.steps / WARM_UP) * cosine
        with torch.no_grad():
            mel = disturbed(self.base.log_mel(batch.audio * GAIN), rng)
            maps = self.base.below(mel, FIRST)
        odds, named = self.branch.heads(self.drop(self.branch.embedding(maps)))
        told = batch.alert >= 0
        loss = F.binary_cross_entropy_with_logits(odds[told], batch.alert[told] * 0.96 + 0.02)
        if named.shape[1]:
            weight = (batch.named >= 0).float()
            each = F.binary_cross_entropy_with_logits(
                named, batch.named.clamp(min=0) * 0.98 + 0.01, weight, reduction="sum"
            )
            loss = loss + NAMES * each / len(named)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 2.0)
        self.optimizer.step()
        self.steps += 1
        self._pull_and_average()
        return float(loss.detach()), float(((odds > 0) == (batch.alert > 0))[told].float().mean())

    @torch.no_grad()
    def _pull_and_average(self) -> None:
        for mine, origin in self.pulled:
            mine.add_(origin - mine, alpha=float(self.optimizer.param_groups[0]["lr"]) * PULL)
        keep = min(DECAY, self.steps / (self.steps + 20))
        for mean, value in zip(self.mean, self.parameters, strict=True):
            mean.lerp_(value, 1 - keep)

    @torch.no_grad()
    def finish(self) -> AlertBranch:
        """The branch at the running mean of its weights."""
        for mean, value in zip(self.mean, self.parameters, strict=True):
            value.copy_(mean)
        return self.branch.requires_grad_(False)


def train(
    sound: Path,
    folders: Sequence[Path],
    out: Path,
    config: BranchConfig,
    start: Path | None,
    log: Callable[[str], None],
) -> None:
    """Train from the encoder (or from the branch in `start`) and write the branch to `out` in full rank."""
    torch.set_num_threads(1)
    base = YamNet(sound)
    windows = Windows(folders, config.seed, config.second_sound, [*CLASSES])
    answered, benign = (len(windows.sides[respond]) for respond in ("yes", "no"))
    log(f"{len(windows.streams)} streams, {answered} answered classes, {benign} benign ones")
    trainer = Trainer(base, with_names(load(start, base) if start else AlertBranch(base), base), config)
    began, seen = time.monotonic(), deque[tuple[float, float]](maxlen=LOG_EVERY)
    while (done := (time.monotonic() - began) / (60 * config.minutes)) < 1:
        seen.append(trainer.step(windows.batch(config.batch), done, windows.rng))
        if trainer.steps % LOG_EVERY == 0:
            loss, right = np.mean(seen, axis=0)
            log(f"step {trainer.steps} ({done:.0%}): loss {loss:.3f}, right {right:.3f}")
    save(trainer.finish(), base, out, rank=EMBEDDING)


def with_names(branch: AlertBranch, base: YamNet) -> AlertBranch:
    """The branch itself where it names all CLASSES, else one like it that will."""
    if branch.classes == (*CLASSES,):
        return branch
    made = AlertBranch(base, [*CLASSES])
    kept = {name: value for name, value in branch.state_dict().items() if not name.startswith("names.")}
    made.load_state_dict(kept, strict=False)
    assert made.names is not None
    nn.init.constant_(made.names.bias, RARE)
    return made


def average(
    sound: Path,
    files: Sequence[Path],
    out: Path,
    rank: int = RANK,
    shares: Sequence[float] = (),
    names: Sequence[Path] = (),
) -> None:
    """The mean of branches that started from one another, in `rank` (Wortsman et al. 2022, arXiv 2203.05482; with the
    start itself among them, 2109.01903).

    Args:
        shares: one a file, all alike without any.
        names: branches whose mean head of names is taken. Without any that of `files`, as far as they name sounds.

    Raises:
        DataError: branches that name different sounds. ConfigError: shares that are not one a file, or not positive.
    """
    if shares and (len(shares) != len(files) or min(shares) <= 0):
        raise ConfigError(f"shares: one over 0 for each of {len(files)} branches was expected, got {list(shares)}")
    base = YamNet(sound)
    branches = [(load(path, base), share) for path, share in zip(files, shares or [1.0] * len(files), strict=True)]
    heads = [(load(path, base), 1.0) for path in names] or [(b, s) for b, s in branches if b.classes]
    classes = {b.classes for b, _ in branches if b.classes} | {b.classes for b, _ in heads}
    if len(classes) > 1:
        raise DataError(f"{', '.join(map(str, (*files, *names)))}: branches that name the same sounds were expected")
    branch = AlertBranch(base, classes.pop() if classes else ())
    branch.load_state_dict(
        {key: _mean(heads if key.startswith("names.") else branches, key) for key in branch.state_dict()}
    )
    save(branch, base, out, rank)


def _mean(branches: Sequence[tuple[AlertBranch, float]], key: str) -> Tensor:
    total = sum(share for _, share in branches)
    return torch.stack([b.state_dict()[key] * (share / total) for b, share in branches]).sum(0)
