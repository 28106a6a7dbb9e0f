"""Operations, bytes and the roofline: by hand, and against torch's own count."""

from __future__ import annotations

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.cost import work
from benchmarks.cost.limits import floor_ms
from benchmarks.cost.timed import Work
from tests.decide.tiny import CONFIG
from tests.decide.tiny import llama as tiny_llama


def test_by_hand() -> None:
    # Width 32, 3 layers, 4 heads and 2 kv heads of 8, hidden 48:
    # qkv 32 x 64, out 32 x 32, gate and up 32 x 96, down 48 x 32 = 2048 + 1024 + 3072 + 1536 = 7680 a layer.
    assert work.weights(CONFIG) == 3 * 7680
    assert work.token_bytes(CONFIG, 2) == 2 * 3 * 2 * 8 * 2
    found = work.step(CONFIG, [(10, 1)], 1, 2)
    # The token looks at 11 positions: 4 x 11 x 4 heads x 8 x 3 layers.
    assert found.ops == 2 * 23_040 + 4 * 11 * 4 * 8 * 3
    assert found.bytes == 23_040 + 11 * 192
    two = work.step(CONFIG, [(10, 1), (4, 3)], 4, 4)
    assert two.bytes == 23_040 * 4 + (11 + 7) * 384, "weights once, each cache once"
    assert two.ops == 2 * 23_040 * 4 + 4 * (11 + 5 + 6 + 7) * 32 * 3


def test_against_torchs_own_count() -> None:
    """One token: no position is masked, so that what is needed is what is done."""
    llama = tiny_llama()
    state = llama.init_state(1, 24)
    llama(torch.randn(1, 10, 32), torch.tensor([10]), state)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:  # the others are not counted
        llama(torch.randn(1, 1, 32), torch.tensor([1]), state)
    assert counter.get_total_flops() == work.step(CONFIG, [(10, 1)], 4, 4).ops


def test_the_roofline() -> None:
    # 40 GB/s and 100 GOP/s meet at 2.5 operations a byte.
    assert floor_ms(Work(1e9, 1e9), 40, 100) == pytest.approx(25.0), "memory: 1 GB at 40 GB/s"
    assert floor_ms(Work(10e9, 1e9), 40, 100) == pytest.approx(100.0), "products: 10 G at 100 GOP/s"
    assert floor_ms(Work(2.5e9, 1e9), 40, 100) == pytest.approx(25.0)
