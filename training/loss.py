"""Loss on decision and reply positions only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from soundflow.types import Kind
from training.adapters import TrainableLalm, targets
from training.sequence import IGNORE, TokenSequence


@dataclass(frozen=True, slots=True)
class LossConfig:
    """`classes`: weight of silent, speak, act. `decision` and `reply`: weight of each part.

    `late`: share of a response's target that is left to the chunks behind its own (see `decision_loss`).
    """

    classes: tuple[float, float, float] = (1.0, 4.0, 4.0)
    decision: float = 1.0
    reply: float = 0.3
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class Losses:
    total: Tensor
    decision: float
    reply: float


def compute(model: TrainableLalm, batch: Sequence[TokenSequence], config: LossConfig) -> Losses:
    """Class-weighted cross-entropy of the decisions plus cross-entropy of the reply tokens, each a mean.

    Logits are made at positions with a target only: no LM head anywhere else.
    """
    hidden = model.hidden(batch)
    decision, weight, token = targets(batch, hidden.shape[1], hidden.device)
    at = decision != IGNORE
    decisions = decision_loss(model.decision_logits(hidden[at]), decision[at], weight[at], config)
    spoken = token != IGNORE
    if spoken.any():
        replies = F.cross_entropy(model.token_logits(hidden[spoken]), token[spoken])
    else:
        replies = torch.zeros((), device=hidden.device)
    total = config.decision * decisions + config.reply * replies
    return Losses(total, float(decisions.detach()), float(replies.detach()))


def decision_loss(logits: Tensor, kinds: Tensor, weight: Tensor, config: LossConfig) -> Tensor:
    """Weighted mean cross-entropy, smoothed in time.

    Where a response starts in its due chunk with probability 1 - late and else in a later one, the target of the due
    chunk is (1 - late) response, late silent: the chance to start now, given that it has not started. The later chunks
    need no share of their own: in a sequence whose response was drawn late, the chunk that answers has it; in one whose
    response was on time, they see it in their context, and a second one there would be a false alarm.

    Args:
        logits: [n,K]. kinds: [n] target. weight: [n] of each position.

    Returns:
        [] float32.
    """
    each = F.cross_entropy(logits, kinds, reduction="none")
    if config.late:
        share = torch.where(kinds == Kind.SILENT, 0.0, config.late)
        each = (1 - share) * each + share * F.cross_entropy(logits, torch.zeros_like(kinds), reduction="none")
    weights = weight * torch.tensor(config.classes, device=kinds.device)[kinds]
    return (each * weights).sum() / weights.sum().clamp(min=1e-6)
