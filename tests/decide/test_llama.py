"""The decoder against transformers, streaming = whole, causality, rows."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig as HfConfig
from transformers import LlamaForCausalLM

from soundflow.decide.backbones.decoder import Decoder
from soundflow.errors import WeightsError
from tests.decide.tiny import CONFIG, llama


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    torch.manual_seed(1)
    config = HfConfig(
        vocab_size=97, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        intermediate_size=48, rope_theta=1e4, max_position_embeddings=512, rms_norm_eps=1e-5, tie_word_embeddings=False,
    )  # fmt: skip
    hf = LlamaForCausalLM(config).eval()
    folder = tmp_path_factory.mktemp("hf")
    hf.save_pretrained(folder)
    return hf, Decoder.load(folder, torch.float32), folder


def run(model: Decoder, ids: torch.Tensor, pieces: list[int]) -> torch.Tensor:
    state = model.init_state(len(ids), 64)
    x, out, at = model.embed(ids), [], 0
    for n in pieces:
        out.append(model(x[:, at : at + n], torch.full((len(ids),), n), state))
        at += n
    return torch.cat(out, 1)


def test_step_equals_transformers(pair):
    hf, own, _ = pair
    ids = torch.randint(0, 97, (2, 24))
    with torch.no_grad():
        expected = hf(ids).logits
    assert torch.allclose(own.head(run(own, ids, [24])), expected, atol=1e-4)
    assert torch.allclose(own.head(run(own, ids, [1, 5, 2, 16])), expected, atol=1e-4)


def test_adapter_deltas_are_added_and_unknown_ones_refused(pair):
    _, own, folder = pair
    name = "model.layers.1.mlp.down_proj.weight"
    changed = Decoder.load(folder, torch.float32, {name: torch.ones(32, 48)})
    assert torch.allclose(changed.blocks[1].down.weight, own.blocks[1].down.weight + 1)
    with pytest.raises(WeightsError, match="nothing_here"):
        Decoder.load(folder, torch.float32, {"nothing_here": torch.ones(1)})


@pytest.mark.parametrize("pieces", [[20], [1] * 20, [7, 1, 12]])
def test_streaming_equals_whole(pieces):
    ids = torch.randint(0, 97, (3, 20))
    assert torch.allclose(run(llama(), ids, pieces), run(llama(), ids, [20]), atol=1e-5)


def test_causal():
    """What follows a token changes nothing at it; what precedes it does."""
    model = llama()
    ids = torch.randint(0, 97, (1, 9))
    later, earlier = ids.clone(), ids.clone()
    later[0, 5:] = (later[0, 5:] + 1) % 97
    earlier[0, 0] = (earlier[0, 0] + 1) % 97
    hidden = run(model, ids, [9])
    assert torch.allclose(run(model, later, [9])[0, :5], hidden[0, :5], atol=1e-6)
    assert not torch.allclose(run(model, earlier, [9])[0, 4], hidden[0, 4], atol=1e-3)


def test_idle_row_is_untouched_and_rows_do_not_mix():
    model = llama()
    ids = torch.randint(0, 97, (2, 6))
    state = model.init_state(2, 16)
    model(model.embed(ids), torch.tensor([6, 6]), state)
    kept = state.snapshot(1)
    model(model.embed(ids), torch.tensor([6, 0]), state)
    after = state.snapshot(1)
    assert all(torch.equal(kept[k], after[k]) for k in kept)
    alone = model.init_state(1, 16)
    expected = model(model.embed(ids[:1]), torch.tensor([6]), alone)
    state.reset([0])
    got = model(model.embed(ids), torch.tensor([6, 0]), state)
    assert torch.allclose(got[0], expected[0], atol=1e-5)


def test_another_model_type_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(WeightsError, match="gpt2"):
        Decoder.load(tmp_path, torch.float32)


def test_a_cache_past_the_trained_positions_is_refused():
    with pytest.raises(WeightsError, match=str(CONFIG.max_positions)):
        llama().init_state(1, CONFIG.max_positions + 1)
