"""Recorded passes over slabs: what a CUDA graph would play, played on a CPU by calling the recorded work again.

That is the same for everything here but the recording itself: tensors that stay where they are, of one shape.
"""

from __future__ import annotations

import logging

import pytest
import torch

from soundflow.decide import packed, recorded
from soundflow.decide.slab import LEAST_ROWS, ROWS, Group, Shape, Slabs, rows_of
from tests.decide.tiny import llama as tiny_llama

CAPACITY = 40


class Recorder:
    """Records by keeping the work; refuses where it would run on tensors that came later."""

    def __init__(self):
        self.recorded, self.played = 0, 0

    def __call__(self, work):
        self.recorded += 1
        first = work().clone()  # a recording warms up by running, more than once
        assert torch.equal(work(), first)

        def play():
            self.played += 1
            return work()

        return play


@pytest.fixture
def pair():
    plain, own = tiny_llama(), tiny_llama()
    recorder = Recorder()
    own.slabs = Slabs(recorder)
    return plain, own, recorder


def grow(models, counts, caches):
    rows = [torch.randn(n, models[0].config.width) for n in counts]
    expected, found = (packed.forward(m, rows, caches[m]) for m in models)
    for a, b in zip(found, expected, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_passes_of_many_shapes_are_those_of_each_cache_alone(pair):
    plain, own, recorder = pair
    torch.manual_seed(0)
    caches = {m: [m.init_state(1, CAPACITY) for _ in range(5)] for m in (plain, own)}
    for m in (plain, own):
        caches[m].append(caches[m][0].fork(0, 10))  # a reply's: of another slab, in the same pass
    for counts in [(1, 3, 2, 1, 1, 1), (5, 1, 1, 6, 1, 2), (2, 2, 2, 2, 2, 2), (1, 1, 1, 1, 1, 1), (9, 1, 1, 8, 3, 1)]:
        grow((plain, own), counts, caches)
    assert recorder.played == 5
    for mine, theirs in zip(caches[own], caches[plain], strict=True):
        n = int(theirs.lengths[0])
        assert int(mine.lengths[0]) == n
        assert torch.allclose(mine.keys[:, :, :, :n], theirs.keys[:, :, :, :n], atol=1e-5)
        assert torch.allclose(mine.values[:, :, :, :n], theirs.values[:, :, :, :n], atol=1e-5)


def test_a_live_stream_plays_few_recordings(pair):
    """Chunks of 2 to 7 tokens of 1 to 4 rows, which are evicted as they fill."""
    plain, own, recorder = pair
    torch.manual_seed(1)
    caches = {m: [m.init_state(1, CAPACITY) for _ in range(4)] for m in (plain, own)}
    for step in range(60):
        counts = [2 + (3 * step + k) % 6 for k in range(1 + step % 4)]
        now = {m: caches[m][: len(counts)] for m in (plain, own)}
        for m in (plain, own):
            for cache, count in zip(now[m], counts, strict=True):
                if CAPACITY - int(cache.lengths[0]) < count:
                    m.evict(0, 10, cache)
        grow((plain, own), counts, now)
    assert recorder.played == 60
    assert recorder.recorded <= 16
    assert len(own.slabs.recorded) == recorder.recorded


def test_other_rows_of_the_slab_do_not_change(pair):
    _, own, _ = pair
    idle, busy = own.init_state(1, CAPACITY), own.init_state(1, CAPACITY)
    packed.forward(own, [torch.randn(7, own.config.width)], [idle])
    slab, row = idle.place
    busy_row = busy.place[1]
    before = slab.keys.clone()
    packed.forward(own, [torch.randn(3, own.config.width)], [busy])
    others = [r for r in range(ROWS) if r != busy_row]
    assert row in others
    assert torch.equal(slab.keys[:, others], before[:, others])
    assert torch.equal(slab.keys[:, busy_row, :, 3:], before[:, busy_row, :, 3:])


def test_long_prompts_are_not_recorded(pair):
    plain, own, recorder = pair
    torch.manual_seed(2)
    caches = {m: [m.init_state(1, 512) for _ in range(2)] for m in (plain, own)}
    grow((plain, own), [recorded.MOST_TOKENS, 1], caches)
    assert recorder.recorded == 0
    grow((plain, own), [recorded.MOST_TOKENS - 1, 1], caches)
    assert recorder.recorded == 1


def test_recordings_are_bounded_and_go_with_their_slab(pair, monkeypatch):
    _, own, recorder = pair
    monkeypatch.setattr(recorded, "MOST_RECORDED", 3)
    kept = [own.init_state(1, CAPACITY) for _ in range(ROWS + 1)]
    for n in (1, 9, 17, 33):
        packed.forward(own, [torch.randn(n, own.config.width)], [own.init_state(1, CAPACITY)])
    assert recorder.recorded == 4
    assert len(own.slabs.recorded) == 3
    packed.forward(own, [torch.randn(9, own.config.width)], [own.init_state(1, CAPACITY)])
    assert recorder.recorded == 4
    del kept[1:]
    own.init_state(1, CAPACITY)  # lets the empty slab go
    assert not own.slabs.recorded


def test_a_device_that_cannot_record_launches_kernel_by_kernel(pair, caplog):
    plain, own, _ = pair

    def refuse(work):
        raise RuntimeError("operation not permitted when stream is capturing")

    own.slabs.record = refuse
    torch.manual_seed(3)
    caches = {m: [m.init_state(1, CAPACITY) for _ in range(2)] for m in (plain, own)}
    with caplog.at_level(logging.WARNING):
        grow((plain, own), [3, 4], caches)
        grow((plain, own), [1, 1], caches)
    assert [r.message for r in caplog.records if "not permitted" in r.message] == [caplog.records[0].message]


def test_a_larger_shape_changes_no_result():
    places = [(5, 0, 7, 2), (1, 2, 0, 3)]
    exact, padded = Group.of(places, Shape.of(places)), Group.of(places, Shape(8, 4, 4, 20))
    assert Shape.of(places) == (5, 2, 3, 9)
    assert exact.tokens.tolist() == [0, 1, 2, 3, 4]
    assert exact.slot_of.tolist() == [7, 8, 0, 1, 2]
    assert padded.tokens.tolist() == [0, 1, 2, 3, 4, 0, 0, 0]
    assert padded.rows.tolist() == [5, 1, 5, 5]
    assert padded.kept.tolist() == [0, 1, 4, 5, 6, 0, 0, 0]
    assert padded.limits.tolist() == [[7, 8, 0, 0], [0, 1, 2, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    mask = padded.mask(20, 2, torch.float32)
    assert mask.shape == (4, 1, 8, 20)
    assert (mask[0, 0, 1] == 0).sum() == 9
    assert (mask[0, 0, 5] == 0).sum() == 9  # the same query of the other head


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: not run where this was written")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_cuda_graphs_play_what_a_cpu_computes(dtype):
    plain, own = tiny_llama().to(dtype), tiny_llama().to(dtype).to_device(torch.device("cuda"))
    torch.manual_seed(4)
    near = 1e-4 if dtype == torch.float32 else 0.1
    caches = {m: [m.init_state(1, CAPACITY) for _ in range(4)] for m in (plain, own)}
    for counts in [(1, 3, 2, 1), (5, 1, 1, 6), (5, 1, 1, 6), (2, 2, 2, 2)]:
        rows = [torch.randn(n, plain.config.width, dtype=dtype) for n in counts]
        expected, found = (packed.forward(m, rows, caches[m]) for m in (plain, own))
        for a, b in zip(found, expected, strict=True):
            assert torch.allclose(a.cpu().float(), b.float(), atol=near)
    assert own.slabs.record is not None
    assert own.slabs.recorded


def test_slabs_of_large_models_have_few_rows():
    """Qwen2.5-7B: 28 layers, 4 kv heads of 128, 1,025 slots in bfloat16 are 59 MB a cache."""
    assert rows_of((3, 2, 25, 8), torch.float32) == ROWS
    assert rows_of((28, 4, 1025, 128), torch.bfloat16) == 18
    assert rows_of((80, 8, 8193, 128), torch.bfloat16) == LEAST_ROWS
