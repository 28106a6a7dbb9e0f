"""One pass over many caches is each cache's own pass."""

from __future__ import annotations

import pytest
import torch

from soundflow import int8
from soundflow.decide import packed
from soundflow.errors import CapacityError
from tests.decide.tiny import llama as tiny_llama


@pytest.fixture(scope="module")
def llama():
    return tiny_llama()


def filled(llama, tokens: int, capacity: int = 24):
    state = llama.init_state(1, capacity)
    if tokens:
        llama(torch.randn(1, tokens, llama.config.width), torch.tensor([tokens]), state)
    return state


@pytest.mark.parametrize("counts", [(1, 1, 1), (1, 3, 2), (5,)])
def test_packed_is_each_row_alone(llama, counts):
    torch.manual_seed(len(counts))
    caches = [filled(llama, k) for k in (4, 0, 9)[: len(counts)]]
    rows = [torch.randn(n, llama.config.width) for n in counts]
    alone = [c.fork(0, 10) for c in caches]
    expected = [llama(x[None], torch.tensor([len(x)]), c)[0] for x, c in zip(rows, alone, strict=True)]
    found = packed.forward(llama, rows, caches)
    for a, b, x, y in zip(found, expected, caches, alone, strict=True):
        assert torch.allclose(a, b, atol=1e-5)
        n = int(x.lengths[0])
        assert n == int(y.lengths[0])
        assert torch.allclose(x.keys[:, :, :, :n], y.keys[:, :, :, :n], atol=1e-5)


def test_what_does_not_fit_changes_nothing(llama):
    full, free = filled(llama, 22), filled(llama, 2)
    before = free.keys.clone()
    with pytest.raises(CapacityError, match="at most 2"):
        packed.forward(llama, [torch.randn(1, llama.config.width), torch.randn(3, llama.config.width)], [free, full])
    assert torch.equal(free.keys, before)
    assert int(free.lengths[0]) == 2


def test_int8_is_near_and_a_token_does_not_depend_on_its_neighbours():
    if not int8.available():
        pytest.skip("this torch does not multiply int8 on this machine")
    torch.manual_seed(3)
    weight, x = torch.randn(40, 64), torch.randn(6, 64)
    x[3] *= 1000.0
    layer = int8.Int8Linear(weight)
    y, exact = layer(x), x @ weight.T
    assert ((y - exact).norm(dim=1) / exact.norm(dim=1)).max() < 0.02
    for k in range(6):
        assert torch.equal(layer(x[k : k + 1]), y[k : k + 1])
    assert torch.equal(layer(torch.zeros(1, 64)), torch.zeros(1, 40))
    assert layer(x.bfloat16()).dtype == torch.bfloat16


def test_int8_of_what_is_never_negative():
    if not int8.available():
        pytest.skip("this torch does not multiply int8 on this machine")
    torch.manual_seed(4)
    weight, bias, x = torch.randn(40, 64), torch.randn(40), torch.rand(2, 3, 64)
    x[1, 2] = 0.0
    layer = int8.PositiveInt8Linear(weight, bias)
    y, exact = layer(x), x @ weight.T + bias
    assert ((y - exact).norm(dim=-1) / exact.norm(dim=-1)).max() < 0.01
    assert torch.equal(layer(x[1:]), y[1:])
    assert torch.equal(y[1, 2], bias)
