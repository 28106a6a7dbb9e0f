"""Matrices kept in four bits; products in the dtype of what comes in.

Weights of a row are split into groups along the input; each group has sixteen levels, evenly from its least to its
greatest weight, rounded to nearest (the baseline "RTN" of Frantar et al. 2022, GPTQ, arXiv 2210.17323). A weight is off
by at most half a level, (greatest - least) / 30, and by the rounding of the levels' scale to the model's dtype.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GROUP: Final = 32
LEVELS: Final = 15
MIDDLE: Final = 8
ROWS: Final = 16
"""Of outputs that the CPU's product takes at once."""


class FourBitLinear(nn.Module):
    """`nn.Linear` without a bias; [..., in] of any float dtype -> [..., out] of the same.

    Takes (4 + 32/`GROUP`) bits a weight in a 16-bit model. In bfloat16 a CPU multiplies the levels themselves where
    torch can; elsewhere the matrix is put together for each product, which saves memory and no time.
    """

    def __init__(self, weight: Tensor) -> None:
        """`weight` [out,in], any float dtype; stays on its device. `in` is padded with zeros to whole groups."""
        super().__init__()
        self.out_features, self.in_features = weight.shape
        groups = F.pad(weight.detach().float(), (0, -self.in_features % GROUP)).view(self.out_features, -1, GROUP)
        least, greatest = groups.amin(dim=-1), groups.amax(dim=-1)
        step = (greatest - least) / LEVELS
        step, middle = (t.to(weight.dtype) for t in (step, least + MIDDLE * step))  # levels are those of what is kept
        divisor = step.float().masked_fill(step == 0, 1.0)
        places = (groups - middle.float()[..., None]) / divisor[..., None] + MIDDLE
        levels = places.round().clamp(0, LEVELS).to(torch.uint8).view(self.out_features, -1)
        on_cpu = weight.device.type == "cpu" and weight.dtype == torch.bfloat16
        self.kernel = on_cpu and self.out_features % ROWS == 0 and has_kernel()
        if self.kernel:
            packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(levels.int(), 1)
            self.register_buffer("levels", packed)
            self.register_buffer("scales", torch.stack([step, middle], dim=-1).transpose(0, 1).contiguous())
        else:
            self.register_buffer("levels", levels[:, ::2] | levels[:, 1::2] << 4)
            self.register_buffer("scales", torch.stack([step, middle], dim=-1))
        self.levels: Tensor
        self.scales: Tensor

    def weight(self) -> Tensor:
        """[out,in] as the products have it, in the dtype it was made of."""
        if self.kernel:
            columns = self.scales.shape[0] * GROUP
            return self._multiply(torch.eye(columns, dtype=self.scales.dtype)).T[:, : self.in_features]
        levels = torch.stack([self.levels & 15, self.levels >> 4], dim=-1).view(self.out_features, -1, GROUP)
        step, middle = self.scales.unsqueeze(2).unbind(-1)
        full = (levels.to(step.dtype) - MIDDLE) * step + middle
        return full.view(self.out_features, -1)[:, : self.in_features]

    def forward(self, x: Tensor) -> Tensor:
        if not self.kernel:
            return F.linear(x, self.weight().to(x.dtype))
        rows = F.pad(x.reshape(-1, self.in_features), (0, -self.in_features % GROUP))
        return self._multiply(rows.to(self.scales.dtype)).to(x.dtype).view(*x.shape[:-1], self.out_features)

    def _multiply(self, rows: Tensor) -> Tensor:
        found: Tensor = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self.levels, GROUP, self.scales)
        return found


@cache
def has_kernel() -> bool:
    """Whether this torch multiplies four-bit weights on this machine, and right."""
    if not hasattr(torch.ops.aten, "_weight_int4pack_mm_for_cpu"):
        return False
    levels = (torch.arange(64 * 64) % 16).view(64, 64).int()
    try:
        packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(levels, 1)
        scales = torch.tensor([1.0, 0.0], dtype=torch.bfloat16).expand(64 // GROUP, 64, 2).contiguous()
        found = torch.ops.aten._weight_int4pack_mm_for_cpu(torch.eye(64, dtype=torch.bfloat16), packed, GROUP, scales)
    except (RuntimeError, NotImplementedError):
        return False
    return bool(torch.equal(found.float(), (levels.float() - MIDDLE).T))
