"""The alert branch: the upper half of YAMNet, trained on to tell sounds that call for an answer from all others, and to
name sounds.

AudioSet's labels name sounds; whether one calls for an answer they say only by way of the name, and in noise the names
get lost. The branch shares the lower convolutions with the encoder. Its file holds what training changed: for a
pointwise convolution a low-rank product, for a depthwise one, a bias and the heads the values themselves; and in its
metadata `classes`, a JSON list of the sounds that it names (none in files of before).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from soundflow.errors import WeightsError
from soundflow.perceive.yamnet import EMBEDDING, YamNet, convolve

FIRST: Final = 9
"""Number of the first convolution that the branch has of its own."""
RANK: Final = 64
LIMIT: Final = 8.0
"""Bound of the log-odds: one window may not outvote everything else."""


class AlertBranch(nn.Module):
    """Maps of YAMNet's convolution FIRST - 1, [B, C, h, w] -> log-odds of "calls for an answer" [B] and of each of
    `classes` [B, K], all within LIMIT."""

    def __init__(self, base: YamNet, classes: Sequence[str] = ()) -> None:
        super().__init__()
        self.classes = tuple(classes)
        self.convs: Sequence[nn.Conv2d] = nn.ModuleList(  # type: ignore[assignment]
            deepcopy(conv) for conv in list(base.convs)[FIRST:]
        )
        self.head = nn.Linear(EMBEDDING, 1)
        self.names = nn.Linear(EMBEDDING, len(self.classes)) if self.classes else None
        for head in filter(None, (self.head, self.names)):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        self.eval().requires_grad_(False)

    def embedding(self, x: Tensor) -> Tensor:
        """[B, 1024] >= 0."""
        return convolve(x, self.convs, FIRST).mean((2, 3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.heads(self.embedding(x))

    def heads(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """The log-odds of an embedding [B, 1024]."""
        named = self.names(embedding) if self.names else embedding[:, :0]
        return self.head(embedding)[:, 0].clamp(-LIMIT, LIMIT), named.clamp(-LIMIT, LIMIT)

    @torch.no_grad()
    def changes(self, base: YamNet, rank: int = RANK) -> dict[str, Tensor]:
        """What `save` writes, in float16. The product of A [rank, in] and B [out, rank] is the best one of its rank."""
        made = {f"head.{name}": value for name, value in self.head.state_dict().items()}
        if self.names:
            made |= {f"names.{name}": value for name, value in self.names.state_dict().items()}
        for layer, (mine, theirs) in enumerate(zip(self.convs, list(base.convs)[FIRST:], strict=True), FIRST):
            origin = theirs.state_dict()
            delta = {name: value - origin[name] for name, value in mine.state_dict().items()}
            made[f"{layer}.bias"] = delta["bias"]
            if layer % 2:
                made[f"{layer}.weight"] = delta["weight"]
            else:
                u, s, v = torch.linalg.svd(delta["weight"][:, :, 0, 0], full_matrices=False)
                root = s[:rank].sqrt()
                made[f"{layer}.A"], made[f"{layer}.B"] = root[:, None] * v[:rank], u[:, :rank] * root
        return {name: value.half().contiguous() for name, value in made.items()}

    @torch.no_grad()
    def apply_changes(self, changes: Mapping[str, Tensor]) -> None:
        """Add what `changes` returned to a branch that is still as its base. KeyError or RuntimeError if it does not
        fit."""
        found = {name: value.float() for name, value in changes.items()}
        self.head.load_state_dict({n: found.pop(f"head.{n}") for n in ("weight", "bias")})
        if self.names:
            self.names.load_state_dict({n: found.pop(f"names.{n}") for n in ("weight", "bias")})
        for layer, conv in enumerate(self.convs, FIRST):
            value = conv.state_dict()  # shares the memory of the weights
            value["bias"] += found.pop(f"{layer}.bias")
            if layer % 2:
                value["weight"] += found.pop(f"{layer}.weight")
            else:
                value["weight"] += (found.pop(f"{layer}.B") @ found.pop(f"{layer}.A"))[:, :, None, None]
        if found:
            raise KeyError(f"unknown tensor {min(found)}")


def save(branch: AlertBranch, base: YamNet, path: Path, rank: int = RANK) -> None:
    """Write the branch's changes to a safetensors file."""
    save_file(branch.changes(base, rank), path, {"classes": json.dumps(branch.classes)})


def load(path: Path, base: YamNet) -> AlertBranch:
    """The branch in `path` over `base`. WeightsError names the file where it is not one."""
    try:
        with safe_open(path, "pt") as file:
            classes = json.loads((file.metadata() or {}).get("classes", "[]"))
            changes = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dictionary
        if not isinstance(classes, list) or not all(isinstance(x, str) for x in classes):
            raise ValueError(f"classes: a list of names was expected, got {classes!r}")
        branch = AlertBranch(base, classes)
        branch.apply_changes(changes)
    except (OSError, SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise WeightsError(f"{path}: an alert branch was expected ({error})") from error
    return branch
