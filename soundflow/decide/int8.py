"""The decoder's matrices in eight bits: on a CPU a step costs the reading of its weights.

Weights are symmetric int8 a row of the output, activations int8 a token (each token by its own largest value), so that
what stands beside a token in a batch cannot change it. Products accumulate in int32. The scheme is that of W8A8
per-token dynamic quantisation (Yao et al. 2022, ZeroQuant, arXiv 2206.01861).
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from soundflow.decide.llama import Block, Llama

LEVELS = 127.0


def available() -> bool:
    """Whether this torch multiplies int8 on this machine, and right: without VNNI its kernels add pairs of products in
    16 bits, which overflow.
    """
    has = "fbgemm" in torch.backends.quantized.supported_engines
    if not has or not hasattr(torch.ops.quantized, "linear_with_input_q_dq_qweight_dq_output_fp32"):
        return False
    ones = torch.ones(1, 512)
    return bool((Int8Linear(ones)(ones) - 512.0).abs().max() < 8.0)


class Int8Linear(nn.Module):
    """`nn.Linear` without a bias; [..., in] of any float dtype -> [..., out] of the same."""

    def __init__(self, weight: Tensor) -> None:
        """`weight` [out,in], any float dtype."""
        super().__init__()
        full = weight.detach().float()
        scale = full.abs().amax(dim=1).clamp(min=1e-8) / LEVELS
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch means to move this to another package
            quantised = torch.quantize_per_channel(
                full, scale.double(), torch.zeros(len(full), dtype=torch.int64), 0, torch.qint8
            )
        self.packed = torch.ops.quantized.linear_prepack(quantised, None)
        self.out_features = len(full)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1]).float()
        largest = rows.abs().amax(dim=1, keepdim=True).clamp(min=1e-8)
        product: Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            rows / largest, 1.0 / LEVELS, 128, self.packed
        )
        return (product * largest).to(x.dtype).view(*x.shape[:-1], self.out_features)


def quantise(llama: Llama) -> Llama:
    """Replace the matrices of every block, in place; embeddings, norms and the head stay as they are."""
    for block in llama.blocks:
        assert isinstance(block, Block)
        for name in ("qkv", "out", "gate_up", "down"):
            setattr(block, name, Int8Linear(getattr(block, name).weight))
    return llama
