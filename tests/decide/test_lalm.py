"""Decision steps: batch rows, eviction with re-based positions, sinks, fork, snapshot."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from soundflow.errors import CapacityError
from tests.decide.tiny import lalm


def drive(model, state, row, chunks, rows=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    out = []
    for chunk in chunks:
        x = torch.randn(1 + chunk % 3, 32, generator=generator)
        inputs = [x if r == row else None for r in range(rows)]
        out.append(model.step([chunk if r == row else None for r in range(rows)], inputs, state)[row])
    return np.stack(out)


def fresh(model, rows=1, prefix=(1, 2, 3, 4)):
    state = model.init_state(rows)
    for row in range(rows):
        model.start(row, prefix, state)
    return state


def test_rows_of_a_batch_equal_streams_of_their_own():
    model = lalm()
    alone = [drive(model, fresh(model), 0, range(8), seed=s) for s in (1, 2)]
    state = fresh(model, rows=2)
    generators = [torch.Generator().manual_seed(s) for s in (1, 2)]
    together = []
    for chunk in range(8):
        inputs = [torch.randn(1 + chunk % 3, 32, generator=g) for g in generators]
        together.append(model.step([chunk, chunk], inputs, state))
    for row in range(2):
        assert np.allclose(np.stack([t[row] for t in together]), alone[row], atol=1e-4)


def test_idle_row_gives_zeros_and_keeps_its_state():
    model = lalm()
    state = fresh(model, rows=2)
    before = state.snapshot(1)
    out = model.step([0, None], [torch.randn(2, 32), None], state)
    after = state.snapshot(1)
    assert out[0].any()
    assert not out[1].any()
    assert torch.equal(before["cache"]["keys"], after["cache"]["keys"])


def test_memory_and_positions_stay_bounded_after_ten_times_the_context():
    model = lalm(capacity=64)
    state = fresh(model)
    size = state.cache.keys.numel()
    drive(model, state, 0, range(400))
    assert state.cache.keys.numel() == size
    assert int(state.cache.lengths[0]) <= 64
    assert len(state.spans[0]) <= 64
    assert state.forgotten[0] > 300
    assert int(state.cache.prefix[0]) == 4


def test_eviction_equals_a_cache_that_never_held_the_evicted_tokens_positions():
    """After eviction the keys are what they would be had the same hidden states been written at the lower positions."""
    model = lalm()
    state = fresh(model)
    drive(model, state, 0, range(6))
    cache, cos, sin = state.cache, model.llama.cos, model.llama.sin
    start, length = 4, int(cache.lengths[0])
    unrotated = []
    for at in range(start + 3, length):
        k = cache.keys[:, 0, :, at]
        half = k.shape[-1] // 2
        turned = torch.cat([k[..., half:], -k[..., :half]], -1)
        unrotated.append(k * cos[at] + turned * sin[at])
    cache.evict(0, 3, cos, sin)
    for i, raw in enumerate(unrotated):
        at = start + i
        half = raw.shape[-1] // 2
        expected = raw * cos[at] + torch.cat([-raw[..., half:], raw[..., :half]], -1) * sin[at]
        assert torch.allclose(cache.keys[:, 0, :, at], expected, atol=1e-5)


def test_eviction_in_whole_chunks_and_prefix_survives():
    model = lalm(capacity=32)
    state = fresh(model)
    sinks = state.cache.keys[:, 0, :, :4].clone()
    drive(model, state, 0, range(40))
    assert torch.equal(state.cache.keys[:, 0, :, :4], sinks)
    assert sum(n for _, n in state.spans[0]) == int(state.cache.lengths[0]) - 4


def test_snapshot_restore_gives_the_same_future():
    model = lalm(capacity=32)
    state = fresh(model)
    drive(model, state, 0, range(20))
    saved = state.snapshot(0)
    expected = drive(model, state, 0, range(20, 40), seed=3)
    other = model.init_state(1)
    other.restore(0, saved)
    assert np.allclose(drive(model, other, 0, range(20, 40), seed=3), expected, atol=1e-5)
    state.reset([0])
    assert int(state.cache.lengths[0]) == 0
    assert not state.spans[0]


def test_a_fork_does_not_touch_its_row():
    model = lalm()
    state = fresh(model)
    drive(model, state, 0, range(5))
    before = state.snapshot(0)["cache"]["keys"]
    fork = model.fork(0, state, 16)
    logits = model.feed(model.embed([5, 6, 7]), fork)
    assert logits.shape == (97,)
    assert torch.equal(state.snapshot(0)["cache"]["keys"], before)
    assert int(fork.lengths[0]) == int(state.cache.lengths[0]) + 3


def test_a_chunk_or_prefix_too_large_is_refused():
    model = lalm(capacity=32)
    with pytest.raises(CapacityError, match="prefix"):
        model.start(0, list(range(20)), model.init_state(1))
    state = fresh(model)
    model.step([0], [torch.randn(20, 32)], state)
    with pytest.raises(CapacityError, match="chunk"):
        model.step([1], [torch.randn(30, 32)], state)


def test_decisions_depend_on_the_audio():
    """Fails if the encoder's output were ignored."""
    model = lalm()
    a = model.step([0], [torch.zeros(1, 32)], fresh(model))
    b = model.step([0], [torch.randn(1, 32)], fresh(model))
    assert not np.allclose(a, b, atol=1e-3)


def test_nothing_of_an_earlier_cache_is_seen():
    model = lalm(capacity=32)
    first = fresh(model)
    drive(model, first, 0, range(10))
    fork = model.fork(0, first, 16)
    for cache in (first.cache, fork):
        cache.keys.fill_(float("nan"))
        cache.values.fill_(float("nan"))
    expected = drive(model, fresh(model), 0, range(30), seed=5)
    del first, fork, cache
    again = fresh(model)
    again.cache.keys.fill_(float("nan"))
    again.cache.values.fill_(float("nan"))
    model.start(0, (1, 2, 3, 4), again)
    assert np.array_equal(drive(model, again, 0, range(30), seed=5), expected)
    longer = model.fork(0, again, 16)
    assert longer.capacity == int(again.cache.lengths[0]) + 16
