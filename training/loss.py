"""Loss on decision and reply positions only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training.adapters import TrainableLalm, targets
from training.sequence import IGNORE, TokenSequence


@dataclass(frozen=True, slots=True)
class LossConfig:
    """`classes`: weight of silent, speak, act. `decision` and `reply`: weight of each part."""

    classes: tuple[float, float, float] = (1.0, 4.0, 4.0)
    decision: float = 1.0
    reply: float = 0.3


@dataclass(frozen=True, slots=True)
class Losses:
    total: Tensor
    decision: float
    reply: float


def compute(model: TrainableLalm, batch: Sequence[TokenSequence], config: LossConfig) -> Losses:
    """Class-weighted cross-entropy of the decisions plus cross-entropy of the reply tokens, each a mean."""
    hidden = model.hidden(batch)
    decision, weight, token = targets(batch, hidden.shape[1])
    at = decision != IGNORE
    kinds = decision[at]
    each = F.cross_entropy(model.decision_logits(hidden[at]), kinds, reduction="none")
    weights = weight[at] * torch.tensor(config.classes)[kinds]
    decision_loss = (each * weights).sum() / weights.sum().clamp(min=1e-6)
    spoken = token != IGNORE
    texts = model.token_logits(hidden[spoken])
    reply_loss = F.cross_entropy(texts, token[spoken]) if spoken.any() else torch.zeros(())
    total = config.decision * decision_loss + config.reply * reply_loss
    return Losses(total, float(decision_loss.detach()), float(reply_loss.detach()))
