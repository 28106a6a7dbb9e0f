"""One pass over many caches is each cache's own pass."""

from __future__ import annotations

import pytest
import torch

from soundflow import int8
from soundflow.decide import packed
from soundflow.decide.slab import ROWS, Slabs
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


@pytest.mark.parametrize("counts", [(1, 1, 1), (1, 3, 2), (5,)])
def test_caches_in_slabs_are_read_by_index_with_the_same_result(llama, counts):
    by_index = tiny_llama()
    by_index.slabs = Slabs()
    torch.manual_seed(len(counts))
    filling = [torch.randn(1, k, llama.config.width) for k in (4, 0, 9)[: len(counts)]]
    caches = {}
    for model in (llama, by_index):
        caches[model] = [model.init_state(1, 24) for _ in counts]
        for cache, x in zip(caches[model], filling, strict=True):
            if x.shape[1]:
                model(x, torch.tensor([x.shape[1]]), cache)
        caches[model][0] = caches[model][0].fork(0, 10)  # of another shape, so of another slab
    for _ in range(2):
        rows = [torch.randn(n, llama.config.width) for n in counts]
        expected, found = (packed.forward(m, rows, caches[m]) for m in (llama, by_index))
        for a, b in zip(found, expected, strict=True):
            assert torch.allclose(a, b, atol=1e-5)
    for mine, theirs in zip(caches[by_index], caches[llama], strict=True):
        n = int(theirs.lengths[0])
        assert mine.place is not None
        assert int(mine.lengths[0]) == n
        assert torch.allclose(mine.keys[:, :, :, :n], theirs.keys[:, :, :, :n], atol=1e-5)


def test_rows_of_a_slab_are_given_back_and_empty_slabs_let_go():
    model = tiny_llama()
    model.slabs = Slabs()
    kept = [model.init_state(1, 24) for _ in range(2 * ROWS + 1)]
    slabs = {id(c.place[0]) for c in kept}
    assert len(slabs) == 3
    assert len({(id(c.place[0]), c.place[1]) for c in kept}) == len(kept)
    del kept[1:]
    again = model.init_state(1, 24)
    assert id(again.place[0]) in slabs
    assert sum(len(same) for same in model.slabs._slabs.values()) <= 2


def test_all_that_a_pass_reads_is_on_the_models_device():
    """The meta device follows shapes only, and refuses operations over two devices as a GPU does."""
    model = tiny_llama().to_device(torch.device("meta"))
    assert {model.device.type, model.head.weight.device.type} == {"meta"}
    assert model.embed.weight.device.type == "cpu"
    caches = [model.init_state(1, 24) for _ in range(3)]
    for cache, length in zip(caches, (4, 0, 9), strict=True):
        assert cache.keys.device.type == "meta"
        cache.lengths[0] = length
    rows = [model.embed(torch.zeros(n, dtype=torch.int64)) for n in (1, 3, 2)]
    found = packed.forward(model, rows, caches)
    assert [tuple(x.shape) for x in found] == [(1, 32), (3, 32), (2, 32)]
    assert {x.device.type for x in (*found, model.head(found[0]))} == {"meta"}
    alone = model(rows[1][None], torch.tensor([3]), caches[1].fork(0, 10))
    assert alone.device.type == "meta"
    model.cos = torch.zeros(model.cos.shape)
    with pytest.raises((RuntimeError, NotImplementedError)):
        packed.forward(model, rows, caches)


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
