"""Rotary positions of the families that we load: frequencies that do not change while a model runs.

RoPE: Su et al. 2021 (arXiv 2104.09864). Linear: Chen et al. 2023 (arXiv 2306.15595). YaRN: Peng et al. 2023
(arXiv 2309.00071). Llama 3: Grattafiori et al. 2024 (arXiv 2407.21783) and the code published with Llama 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from soundflow.decide.backbones.fields import Fields
from soundflow.decide.kv_cache import tables

FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "default": frozenset(),
    "dynamic": frozenset({"factor"}),
    "linear": frozenset({"factor"}),
    "llama3": frozenset({"factor", "low_freq_factor", "high_freq_factor"}),
    "yarn": frozenset({"factor", "attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim", "truncate"}),
}
"""Kinds, and the fields that each reads besides the theta and `original_max_position_embeddings`."""
EVERYWHERE: Final = frozenset(
    {"type", "rope_type", "rope_theta", "original_max_position_embeddings", "mrope_section", "partial_rotary_factor"}
    | {"finetuned"}  # says how the weights came to be, and changes nothing
)


@dataclass(frozen=True, slots=True)
class Rope:
    """How positions become angles.

    kind: one of FIELDS; dynamic is plain up to the trained length, and no cache is longer. factor: how many times the
    trained length `original` is stretched. low, high: of Llama 3, turns within `original` between which it blends.
    fast, slow: the same of YaRN. query_scale: of YaRN, by which queries are multiplied: it stretches queries and keys,
    and here keys stay as they are, so that they can be turned back when a cache evicts.
    """

    kind: str = "default"
    factor: float = 1.0
    original: int = 0
    low: float = 1.0
    high: float = 4.0
    fast: float = 32.0
    slow: float = 1.0
    whole: bool = True
    query_scale: float = 1.0

    @staticmethod
    def read(raw: Mapping[str, Any], where: str, trained: int, plain: frozenset[str]) -> Rope:
        """From `rope_parameters` or `rope_scaling`.

        Args:
            where: file and field, for errors.
            trained: `max_position_embeddings`, where `original_max_position_embeddings` is not given.
            plain: kinds that are RoPE unchanged in this family (multimodal sections, whose ids are equal here).

        Raises:
            WeightsError: a kind or field that we do not have; the message names it.
        """
        fields = Fields(raw, where)
        kind = raw.get("rope_type") or raw.get("type") or "default"
        if kind in plain:
            kind = "default"
        if kind not in FIELDS:
            raise fields.wrong("rope_type", f"one of {', '.join(sorted(FIELDS))}", kind)
        fields.only({"partial_rotary_factor": 1.0})
        if "mrope_section" in raw and not plain:
            raise fields.wrong("mrope_section", "nothing", raw["mrope_section"])
        read = FIELDS[kind] if kind != "default" else frozenset[str]().union(*FIELDS.values())
        for name in sorted(set(raw) - read - EVERYWHERE):
            if raw[name] is not None:
                raise fields.wrong(name, f"a field of rope_type {kind!r} ({_listed(FIELDS[kind])})", raw[name])
        if kind in ("default", "dynamic"):
            return Rope(kind)
        original = fields.whole("original_max_position_embeddings", trained)
        if kind == "linear":
            return Rope(kind, fields.number("factor"))
        if kind == "llama3":
            low, high = fields.number("low_freq_factor"), fields.number("high_freq_factor")
            if not low < high:
                raise fields.wrong("high_freq_factor", f"more than low_freq_factor {low}", high)
            return Rope(kind, fields.number("factor"), original, low, high)
        factor = fields.number("factor", trained / original)
        return Rope(
            kind, factor, original, fast=fields.number("beta_fast", 32.0), slow=fields.number("beta_slow", 1.0),
            whole=raw.get("truncate", True) is not False, query_scale=_stretch(fields, factor) ** 2,
        )  # fmt: skip

    def inverse(self, head_dim: int, theta: float) -> Tensor:
        """[Dh/2] float64 radians a position."""
        plain: Tensor = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
        if self.kind == "linear":
            return plain / self.factor
        if self.kind == "llama3":
            turns = self.original * plain / (2 * math.pi)
            kept = ((turns - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
            return kept * plain + (1 - kept) * plain / self.factor
        if self.kind == "yarn":
            first, last = (self._dimension(x, head_dim, theta) for x in (self.fast, self.slow))
            if self.whole:
                first, last = math.floor(first), math.ceil(last)
            first, last = max(first, 0), min(last, head_dim - 1)
            width = last - first or 0.001
            stretched = ((torch.arange(head_dim // 2, dtype=torch.float64) - first) / width).clamp(0.0, 1.0)
            return plain * (1 - stretched) + plain / self.factor * stretched
        return plain

    def tables(self, positions: int, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
        """cos and sin [positions, Dh] in float32."""
        return tables(positions, self.inverse(head_dim, theta))

    def _dimension(self, turns: float, head_dim: int, theta: float) -> float:
        """The pair of dimensions that turns so often within `original` positions."""
        return head_dim * math.log(self.original / (turns * 2 * math.pi)) / (2 * math.log(theta))


def _stretch(fields: Fields, factor: float) -> float:
    """YaRN's attention factor: given, or 0.1 ln(factor) + 1, or that ratio for two scales."""

    def stretch(scale: float) -> float:
        return 1.0 if factor <= 1 else 0.1 * scale * math.log(factor) + 1.0

    if fields.raw.get("attention_factor") is not None:
        return fields.number("attention_factor")
    if fields.raw.get("mscale") and fields.raw.get("mscale_all_dim"):
        return stretch(fields.number("mscale")) / stretch(fields.number("mscale_all_dim"))
    return stretch(1.0)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"
