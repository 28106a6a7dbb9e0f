"""Every family against transformers' own class: logits in one pass, in pieces, ragged and packed; what it generates."""

from __future__ import annotations

import pytest
import torch

from soundflow.decide import packed
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.slab import Slabs
from soundflow.errors import CapacityError, WeightsError
from tests.decide.families import FAMILIES, make, save

NEAR = 1e-4


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request, tmp_path_factory):
    hf = make(request.param)
    return hf, Decoder.load(save(hf, tmp_path_factory.mktemp("hf")), torch.float32)


def logits(hf, ids):
    with torch.no_grad():
        return hf(ids).logits


def tokens(rows: int, n: int, seed: int = 3):
    return torch.randint(0, 97, (rows, n), generator=torch.Generator().manual_seed(seed))


def far(a, b) -> float:
    return float((a - b).abs().max())


@pytest.mark.parametrize("pieces", [[90], [1] * 40, [40, 1, 7, 42]], ids=["whole", "token", "pieces"])
def test_logits_equal_those_of_transformers(pair, pieces):
    hf, own = pair
    ids = tokens(2, sum(pieces))
    state, found = own.init_state(2, 96), []
    for part in ids.split(pieces, dim=1):
        found.append(own.head(own(own.embed(part), torch.full((2,), part.shape[1]), state)))
    assert far(torch.cat(found, 1), logits(hf, ids)) < NEAR


def test_ragged_rows_of_a_batch_are_each_row_alone(pair):
    hf, own = pair
    ids, state, at = tokens(3, 60), own.init_state(3, 64), [0, 0, 0]
    for counts in ([5, 0, 20], [1, 7, 0], [0, 1, 1], [12, 30, 9]):
        x = torch.full((3, max(counts)), 5)
        for row, n in enumerate(counts):
            x[row, :n] = ids[row, at[row] : at[row] + n]
        found = own.head(own(own.embed(x), torch.tensor(counts), state))
        for row, n in enumerate(counts):
            at[row] += n
            if n:
                assert far(found[row, :n], logits(hf, ids[row : row + 1, : at[row]])[0, -n:]) < NEAR


@pytest.mark.parametrize("slabs", [False, True], ids=["row by row", "by index"])
def test_one_packed_pass_is_each_row_alone(pair, slabs):
    hf, own = pair
    own.slabs = Slabs() if slabs else None
    try:
        ids, at = tokens(3, 60), [0, 0, 0]
        caches = [own.init_state(1, 64) for _ in at]
        for counts in ([5, 2, 20], [1, 1, 1], [12, 30, 1]):
            rows = [own.embed(ids[row, at[row] : at[row] + n]) for row, n in enumerate(counts)]
            found = packed.forward(own, rows, caches)
            for row, n in enumerate(counts):
                at[row] += n
                assert far(own.head(found[row]), logits(hf, ids[row : row + 1, : at[row]])[0, -n:]) < NEAR
    finally:
        own.slabs = None


def test_greedy_tokens_are_those_that_transformers_generates(pair):
    hf, own = pair
    ids = tokens(1, 12, seed=4)
    hf.generation_config.eos_token_id = None
    expected = hf.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=20, do_sample=False, eos_token_id=None
    )[0, 12:].tolist()
    state, found = own.init_state(1, 64), []
    last = own.head(own(own.embed(ids), torch.tensor([12]), state)[0, -1])
    while len(found) < 20:
        found.append(int(last.argmax()))
        last = own.head(packed.forward(own, [own.embed(torch.tensor(found[-1:]))], [state])[0][-1])
    assert found == expected


def test_bfloat16_is_near(pair, tmp_path):
    hf, _ = pair
    ids = tokens(1, 30)
    half = Decoder.load(save(hf, tmp_path), torch.bfloat16)
    found = half.head(half(half.embed(ids), torch.tensor([30]), half.init_state(1, 32))).float()
    assert torch.nn.functional.cosine_similarity(found, logits(hf, ids), dim=-1).min() > 0.99


def test_a_cache_or_fork_past_the_models_positions_is_refused(pair):
    hf, own = pair
    most = getattr(hf.config, "sliding_window", None) or 256
    assert own.config.limit == most
    with pytest.raises(WeightsError, match=f"at most {most} positions"):
        own.init_state(1, most + 1)
    state = own.init_state(1, most)
    own(own.embed(tokens(1, 10)), torch.tensor([10]), state)
    assert state.fork(0, most - 10).capacity == most
    with pytest.raises(CapacityError, match=f"at most {most} positions"):
        state.fork(0, most - 9)


def test_random_weights_are_those_of_the_seed(pair):
    _, own = pair
    one, same, other = (Decoder.random(own.config, seed) for seed in (1, 1, 2))
    ids = tokens(1, 9)
    a, b, c = (m.head(m(m.embed(ids), torch.tensor([9]), m.init_state(1, 16))) for m in (one, same, other))
    assert torch.equal(a, b)
    assert far(a, c) > 0.1
    assert a.isfinite().all()
    assert (one.head.weight is one.embed.weight) == bool(own.config.tied)


def test_all_that_a_pass_reads_is_on_the_model_s_device(pair):
    """The meta device follows shapes only, and refuses operations over two devices as a GPU does."""
    away = Decoder.random(pair[1].config, 1).to_device(torch.device("meta"))
    caches = [away.init_state(1, 24) for _ in range(3)]
    rows = [away.embed(tokens(1, n)[0]) for n in (1, 3, 2)]
    for _ in range(2):
        found = packed.forward(away, rows, caches)
    assert {x.device.type for x in (*found, away.head(found[0]))} == {"meta"}
    away.evict(0, 4, caches[1])
    assert int(caches[1].lengths[0]) == 2
    assert away(rows[1][None], torch.tensor([3]), caches[1]).device.type == "meta"
