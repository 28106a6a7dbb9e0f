"""A full cache: what is left after an eviction is at lower positions, for every kind of positions; cost stays flat."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from soundflow.decide import packed
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.kv_cache import CacheState, rope_tables
from soundflow.decide.lalm import Lalm
from soundflow.decide.slab import Slabs
from soundflow.perceive.projector import Projector
from tests.decide.families import FAMILIES, make, save
from tests.decide.reference import Reference

CAPACITY, PREFIX = 24, 4


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request, tmp_path_factory):
    hf = make(request.param)
    return hf, Decoder.load(save(hf, tmp_path_factory.mktemp("hf")), torch.float32)


def tokens(n: int, seed: int = 5):
    return torch.randint(0, 97, (n,), generator=torch.Generator().manual_seed(seed))


def far(a, b) -> float:
    return float((a - b).abs().max())


def test_the_reference_is_right_where_nothing_is_evicted(pair):
    hf, own = pair
    reference, ids = Reference(hf, own.config.still), tokens(30)
    found = torch.cat([reference.read(part) for part in ids.split([11, 1, 18])])
    with torch.no_grad():
        assert far(found, hf(ids[None]).logits[0]) < 1e-4


@pytest.mark.parametrize("how", ["batch", "packed", "by index"])
def test_steps_after_evictions_equal_a_cache_that_turns_all_its_keys_anew(pair, how):
    """A hundred tokens through 24 slots: every token that stays is moved several times."""
    hf, own = pair
    own.slabs = Slabs() if how == "by index" else None
    try:
        reference, ids = Reference(hf, own.config.still), tokens(PREFIX + 96)
        state = own.init_state(1, CAPACITY)
        evicted, at = 0, 0
        for n in [PREFIX] + [1, 3, 2, 6] * 8:
            if int(state.lengths[0]) + n > CAPACITY:
                count = 5 + evicted % 3
                own.evict(0, count, state)
                reference.evict(PREFIX, count)
                evicted += count
            part, at = ids[at : at + n], at + n
            if how == "batch":
                hidden = own(own.embed(part[None]), torch.tensor([n]), state)[0]
            else:
                hidden = packed.forward(own, [own.embed(part)], [state])[0]
            state.prefix[0] = PREFIX
            assert far(own.head(hidden), reference.read(part)) < 1e-4
        assert evicted > 3 * CAPACITY
    finally:
        own.slabs = None


@pytest.mark.parametrize("name", FAMILIES)
def test_one_layer_after_an_eviction_is_a_fresh_run_over_what_was_kept(name, tmp_path):
    """Keys of the first layer depend on their token alone, so there the two are the same; deeper they are not."""
    single = {"num_hidden_layers": 1} | ({"no_rope_layers": [0]} if name == "smollm3" else {})
    hf = make(name, **single)
    own = Decoder.load(save(hf, tmp_path), torch.float32)
    ids, state = tokens(20), own.init_state(1, CAPACITY)
    own(own.embed(ids[None, :17]), torch.tensor([17]), state)
    state.prefix[0] = PREFIX
    own.evict(0, 6, state)
    found = own.head(own(own.embed(ids[None, 17:]), torch.tensor([3]), state)[0])
    kept = torch.cat([ids[:PREFIX], ids[PREFIX + 6 :]])
    with torch.no_grad():
        assert far(found, hf(kept[None]).logits[0, -3:]) < 1e-4


def test_keys_of_layers_without_positions_move_and_are_not_turned(tmp_path):
    own = Decoder.load(save(make("smollm3"), tmp_path), torch.float32)
    assert own.config.still == (1,)
    state = own.init_state(1, CAPACITY)
    own(own.embed(tokens(20)[None]), torch.tensor([20]), state)
    before = state.keys.clone()
    own.evict(0, 7, state)
    assert torch.equal(state.keys[1, 0, :, :13], before[1, 0, :, 7:20])
    for layer in (0, 2):
        assert far(state.keys[layer, 0, :, :13], before[layer, 0, :, 7:20]) > 0.1
        norms = [k.norm(dim=-1) for k in (state.keys[layer, 0, :, :13], before[layer, 0, :, 7:20])]
        assert torch.allclose(*norms, atol=1e-5)  # turned, nothing else


class Elements(TorchDispatchMode):
    """Counts the elements of all tensors that operations make."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for t in out if isinstance(out, tuple | list) else [out]:
            self.made += t.numel() if isinstance(t, torch.Tensor) else 0
        return out


def test_cost_and_memory_of_a_step_are_flat_in_the_age_of_a_session(pair):
    _, own = pair
    width = own.config.width
    projector = Projector(torch.zeros(521, width), 1024, 288)
    rows = torch.randn(2, 3, width, generator=torch.Generator().manual_seed(0))
    lalm = Lalm(own, projector, rows[0], rows[1], torch.zeros(3), CAPACITY)
    state, made = lalm.init_state(1), []
    lalm.start(0, [1, 2, 3, 4], state)
    held = state.cache.keys.numel() + state.cache.values.numel()
    for chunk in range(240):
        with Elements() as counted:
            logits = lalm.step([chunk], [own.embed(tokens(2, seed=chunk))], state)
        made.append(counted.made)
        assert np.isfinite(logits).all()
    assert max(made[20:60]) == max(made[200:])
    assert sum(made[20:60]) == sum(made[200:])
    assert state.cache.keys.numel() + state.cache.values.numel() == held
    assert int(state.cache.lengths[0]) <= CAPACITY


@pytest.mark.parametrize(("theta", "width"), [(1e4, 64), (1e6, 128)])
def test_keys_in_bfloat16_stay_what_they_were_through_all_their_turns(theta, width):
    """The evictions of `Lalm`, an eighth of the window at once: each turn of a key rounds it, so they must be few."""
    window, prefix, block = 512, 16, 64
    cos, sin = rope_tables(prefix + window, width, theta)
    half, exact = (CacheState(1, 1, 1, prefix + window, width, kind) for kind in (torch.bfloat16, torch.float32))
    generator = torch.Generator().manual_seed(0)
    for state in (half, exact):
        state.prefix[0] = prefix
    for _ in range(3 * window // block):
        if int(half.lengths[0]) + block > prefix + window:
            for state in (half, exact):
                state.evict(0, block, cos, sin)
        start = int(half.lengths[0])
        new = torch.randn(prefix + block if not start else block, width, generator=generator).bfloat16()
        for state in (half, exact):
            state.keys[0, 0, 0, start : start + len(new)] = new
            state.lengths[0] += len(new)
    end = int(exact.lengths[0])
    kept, wanted = half.keys[0, 0, 0, prefix:end].float(), exact.keys[0, 0, 0, prefix:end]
    assert float(((kept - wanted).norm(dim=-1) / wanted.norm(dim=-1)).max()) < 0.01
