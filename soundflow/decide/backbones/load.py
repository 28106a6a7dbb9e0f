"""The tensors of a Hugging Face folder as those of our decoder: one file or shards, adapter updates merged.

Each tensor's shape is checked by itself, and one that nothing reads is an error: it belongs to a part that we do not
have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from soundflow.decide.backbones.config import DecoderConfig
from soundflow.errors import WeightsError
from soundflow.jsonfile import read_object

FILE: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"
ROOTS: Final = ("model.", "model.language_model.", "language_model.model.", "thinker.model.", "")
"""Where the decoder may stand in a file, behind the prefix."""
HEADS: Final = ("lm_head.weight", "language_model.lm_head.weight", "thinker.lm_head.weight")
LEFT: Final = ".rotary_emb.inv_freq"
"""Older files hold the frequencies, too."""


class Tensors:
    """Read access to all safetensors of a folder by name. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        index = folder / INDEX
        self.path = index if index.exists() and not (folder / FILE).exists() else folder / FILE
        if not self.path.exists():
            raise WeightsError(
                f"{self.path} is missing (nor is there {INDEX}): run `soundflow models pull nano`, or fetch the model"
            )
        self._files: dict[str, Any] = {}
        self._of: dict[str, str] = {}
        try:
            self._open(folder)
        except BaseException:
            self._stack.close()
            raise

    def _open(self, folder: Path) -> None:
        if self.path.name == FILE:
            self._of = dict.fromkeys(self._shard(folder, FILE), FILE)
            return
        places = read_object(self.path, f"a readable {INDEX}").get("weight_map")
        if not isinstance(places, dict) or not all(isinstance(x, str) for x in places.values()):
            raise WeightsError(f"{self.path}: weight_map: an object of file names was expected")
        held = {name: self._shard(folder, name) for name in sorted(set(places.values()))}
        for name, shard in places.items():
            if name not in held[shard]:
                raise WeightsError(f"{folder / shard}: tensor {name!r} was expected, as {INDEX} says, and is not there")
        self._of = dict(places)

    def _shard(self, folder: Path, name: str) -> set[str]:
        path = folder / name
        if Path(name).name != name or not path.exists():
            raise WeightsError(f"{self.path}: a file beside it was expected, got {name!r}")
        try:
            self._files[name] = self._stack.enter_context(safe_open(path, framework="pt"))
            return set(self._files[name].keys())
        except (OSError, SafetensorError) as error:
            raise WeightsError(f"{path}: a safetensors file was expected ({error})") from error

    def __enter__(self) -> Tensors:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def names(self) -> set[str]:
        return set(self._of)

    def get(self, name: str) -> Tensor:
        """WeightsError where it is not there."""
        if name not in self._of:
            raise WeightsError(f"{self.path}: tensor {name!r} was expected and is not there")
        found: Tensor = self._files[self._of[name]].get_tensor(name)
        return found


class _Reader:
    """Takes tensors by their Hugging Face names without root, and remembers what was taken."""

    def __init__(
        self, tensors: Tensors, config: DecoderConfig, dtype: torch.dtype, deltas: Mapping[str, Tensor], prefix: str
    ) -> None:
        self.tensors, self.dtype, self.config = tensors, dtype, config
        roots = [prefix + root for root in ROOTS]
        table = "embed_tokens.weight"
        self.root = next((root for root in roots if root + table in tensors.names), None)
        if self.root is None:
            raise WeightsError(f"{tensors.path}: tensor {prefix + ROOTS[0] + table!r} was expected and is not there")
        heads = [prefix + head for head in HEADS]
        self.head = next((head for head in heads if head in tensors.names), heads[0])
        self._deltas = {_bare(name, roots, heads): (name, delta) for name, delta in deltas.items()}
        self._taken: set[str] = set()

    def __call__(self, name: str, *shape: int) -> Tensor:
        return self._take(str(self.root) + name, name, shape)

    def output(self) -> Tensor:
        c = self.config
        return self._take(self.head, HEADS[0], (c.vocab, c.width))

    def _take(self, stored: str, bare: str, shape: tuple[int, ...]) -> Tensor:
        tensor = self.tensors.get(stored)
        self._taken.add(stored)
        if tensor.shape != shape:
            raise WeightsError(
                f"{self.tensors.path}: tensor {stored!r} of shape {list(shape)} was expected, as config.json says, "
                f"got {list(tensor.shape)}"
            )
        if not tensor.is_floating_point():
            raise WeightsError(f"{self.tensors.path}: tensor {stored!r} of floats was expected, got {tensor.dtype}")
        tensor = tensor.float()
        if bare in self._deltas:
            name, delta = self._deltas.pop(bare)
            if delta.shape != shape:
                raise WeightsError(
                    f"the adapter's {name!r} of shape {list(shape)} was expected, got {list(delta.shape)}"
                )
            tensor = tensor + delta
        if self.config.centred and bare.endswith("norm.weight"):
            tensor = tensor + 1.0
        return tensor.to(self.dtype)

    def finish(self) -> None:
        """WeightsError where the adapter or the file holds what nothing reads."""
        if self._deltas:
            names = sorted(name for name, _ in self._deltas.values())[:3]
            raise WeightsError(f"the adapter changes tensors that {self.tensors.path} does not have: {names}")
        inside = (f"{self.root}layers.", f"{self.root}norm.", f"{self.root}embed_tokens.")
        left = {n for n in self.tensors.names - self._taken if n.startswith(inside) and not n.endswith(LEFT)}
        if left:
            raise WeightsError(
                f"{self.tensors.path}: tensor {min(left)!r} is of a part that config.json does not tell of, or that we "
                f"do not have ({len(left)} such)"
            )


def read(
    folder: Path, config: DecoderConfig, dtype: torch.dtype, deltas: Mapping[str, Tensor], prefix: str
) -> dict[str, Tensor]:
    """The state dict of `Decoder(config)`; arguments and errors as of `Decoder.load`."""
    c = config
    with Tensors(folder) as tensors:
        get = _Reader(tensors, config, dtype, deltas, prefix)
        state = {"embed.weight": get("embed_tokens.weight", c.vocab, c.width), "norm": get("norm.weight", c.width)}
        tied = c.tied if c.tied is not None else get.head not in tensors.names
        state["head.weight"] = state["embed.weight"] if tied else get.output()
        if c.scaled:
            state["embed.weight"] = state["embed.weight"] * torch.tensor(math.sqrt(c.width), dtype=dtype)
        for i in range(c.layers):
            _layer(get, c, f"layers.{i}.", f"blocks.{i}.", state)
        get.finish()
    return state


def _layer(get: _Reader, c: DecoderConfig, hf: str, own: str, state: dict[str, Tensor]) -> None:
    wide, narrow = c.heads * c.head_dim, c.kv_heads * c.head_dim
    parts = {
        "qkv": [("self_attn.q_proj", wide), ("self_attn.k_proj", narrow), ("self_attn.v_proj", narrow)],
        "out": [("self_attn.o_proj", c.width)],
        "gate_up": [("mlp.gate_proj", c.hidden), ("mlp.up_proj", c.hidden)],
        "down": [("mlp.down_proj", c.width)],
    }
    inputs = {"qkv": c.width, "out": wide, "gate_up": c.width, "down": c.hidden}
    biased = {"qkv": c.qkv_bias, "out": c.out_bias, "gate_up": c.mlp_bias, "down": c.mlp_bias}
    for name, sources in parts.items():
        weights = [get(f"{hf}{source}.weight", rows, inputs[name]) for source, rows in sources]
        state[f"{own}{name}.weight"] = weights[0] if len(weights) == 1 else torch.cat(weights)
        if biased[name]:
            state[f"{own}{name}.bias"] = torch.cat([get(f"{hf}{source}.bias", rows) for source, rows in sources])
    if c.head_norms:
        state[own + "q_norm"] = get(hf + "self_attn.q_norm.weight", c.head_dim)
        state[own + "k_norm"] = get(hf + "self_attn.k_norm.weight", c.head_dim)
    state[own + "norm1"] = get(hf + "input_layernorm.weight", c.width)
    state[own + "norm2"] = get(hf + "post_attention_layernorm.weight", c.width)


def _bare(name: str, roots: list[str], heads: list[str]) -> str:
    """A parameter's name, with the file's prefix or without, as if there were nothing but a plain model."""
    if name in (*heads, *HEADS):
        return HEADS[0]
    root = max((r for r in (*roots, *ROOTS) if name.startswith(r)), key=len)
    return name[len(root) :]
