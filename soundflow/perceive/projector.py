"""Perception -> one LALM embedding a chunk.

A chunk starts where the LM already understands it: the sum over sound tags of p(tag) times the mean token embedding
of the
tag's name. Zero-initialised projections of the sound embedding and of the mean speech frame are learned on top, and
one direction that says how surely a sound is heard that the instruction names (`soundflow.perceive.asked`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

TAG_FLOOR = 0.05


class Projector(nn.Module):
    """tags [.., 521], sound [.., D_a], speech [.., D_s], asked [.., 521] of 0 and 1 -> [.., D]."""

    def __init__(self, tag_embeddings: Tensor, sound_width: int, speech_width: int) -> None:
        super().__init__()
        tags, width = tag_embeddings.shape
        self.register_buffer("tag_embeddings", tag_embeddings.float(), persistent=False)
        self.tag_embeddings: Tensor
        self.tag_gain = nn.Parameter(torch.ones(tags))
        self.sound = nn.Linear(sound_width, width)
        self.speech = nn.Linear(speech_width, width, bias=False)
        self.asked = nn.Parameter(torch.zeros(width))
        for layer in (self.sound, self.speech):
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.sound.bias)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Widths of tags, sound and speech."""
        return len(self.tag_gain), self.sound.in_features, self.speech.in_features

    def forward(self, tags: Tensor, sound: Tensor, speech: Tensor, asked: Tensor | None = None) -> Tensor:
        """float32 in, float32 out. Probabilities under the floor are dropped; embeddings are compressed by sqrt."""
        kept = torch.where(tags >= TAG_FLOOR, tags, torch.zeros_like(tags)) * self.tag_gain
        out: Tensor = kept @ self.tag_embeddings + self.sound(sound.sign() * sound.abs().sqrt()) + self.speech(speech)
        if asked is not None:
            out = out + (tags * asked).amax(-1, keepdim=True) * self.asked
        return out


def tag_embeddings(embedding: Tensor, token_ids: Sequence[Sequence[int]]) -> Tensor:
    """Mean LM token embedding of each tag's name: embedding [V,D], token ids of 521 names -> [521,D]."""
    return torch.stack([embedding[list(ids)].float().mean(0) for ids in token_ids])
