"""Matrix products in eight bits on a CPU.

Weights are symmetric int8 a row of the output, activations eight bits a row of the input (each by its own largest
value), so that what stands beside a row in a batch cannot change it. Products accumulate in int32. The scheme is that
of W8A8 per-token dynamic quantisation (Yao et al. 2022, ZeroQuant, arXiv 2206.01861).
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

LEVELS = 127.0
SMALLEST = 1e-8


def available() -> bool:
    """Whether this torch multiplies int8 on this machine, and right: without VNNI its kernels add pairs of products in
    16 bits, which overflow.
    """
    has = "fbgemm" in torch.backends.quantized.supported_engines
    if not has or not hasattr(torch.ops.quantized, "linear_with_input_q_dq_qweight_dq_output_fp32"):
        return False
    ones = torch.ones(1, 512)
    found = (Int8Linear(ones)(ones), PositiveInt8Linear(ones, torch.zeros(1))(ones))
    return all(bool((x - 512.0).abs().max() < 8.0) for x in found)


class Int8Linear(nn.Module):
    """`nn.Linear` without a bias; [..., in] of any float dtype -> [..., out] of the same."""

    def __init__(self, weight: Tensor) -> None:
        """`weight` [out,in], any float dtype."""
        super().__init__()
        self.packed, self.out_features = _pack(weight), len(weight)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]).float()
        largest = rows.abs().amax(dim=1, keepdim=True).clamp_(min=SMALLEST)
        product: Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            rows / largest, 1.0 / LEVELS, 128, self.packed
        )
        return (product * largest).to(x.dtype).view(*x.shape[:-1], self.out_features)


class PositiveInt8Linear(nn.Module):
    """`nn.Linear` of what is never negative: the eighth bit is a level, not a sign. [..., in] float32 -> [..., out]."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """`weight` [out,in], `bias` [out]."""
        super().__init__()
        self.packed, self.out_features = _pack(weight), len(weight)
        self.bias = bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        largest = rows.amax(dim=1, keepdim=True).clamp_(min=SMALLEST)
        product: Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            rows / largest, 1.0 / (2 * LEVELS + 1), 0, self.packed
        )
        return torch.addcmul(self.bias, product, largest).view(*x.shape[:-1], self.out_features)


def _pack(weight: Tensor) -> object:
    full = weight.detach().float()
    scale = full.abs().amax(dim=1).clamp(min=SMALLEST) / LEVELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch means to move this to another package
        zeros = torch.zeros(len(full), dtype=torch.int64)
        quantised = torch.quantize_per_channel(full, scale.double(), zeros, 0, torch.qint8)
    return torch.ops.quantized.linear_prepack(quantised, None)
