"""Matrices in eight and four bits: near, in bounds, for every family, and refused where they cannot be."""

from __future__ import annotations

import pytest
import torch

from soundflow import int8
from soundflow.decide import packed
from soundflow.decide.backbones import four_bit
from soundflow.decide.backbones.config import DecoderConfig
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.backbones.four_bit import GROUP, LEVELS, FourBitLinear
from soundflow.decide.backbones.quantise import MATRICES, Biased, quantise
from soundflow.decide.backbones.rope import Rope
from soundflow.errors import ConfigError

SIZES = dict(
    vocab=61, width=64, layers=2, heads=4, kv_heads=2, head_dim=16, hidden=96, rope_theta=1e4, max_positions=128,
    eps=1e-5,
)  # fmt: skip
KINDS = {
    "llama": DecoderConfig(**SIZES),
    "qwen2": DecoderConfig(**SIZES, qkv_bias=True),
    "qwen3": DecoderConfig(**SIZES, head_norms=True, tied=True),
    "biased": DecoderConfig(**SIZES, qkv_bias=True, out_bias=True, mlp_bias=True),
    "smollm3": DecoderConfig(**SIZES, still=(1,)),
    "gemma": DecoderConfig(**SIZES, gate="gelu_tanh"),
    "yarn": DecoderConfig(**SIZES, rope=Rope("yarn", 4.0, 32, query_scale=1.3)),
}
IDS = torch.randint(0, 61, (40,), generator=torch.Generator().manual_seed(3))


def hidden(own, pieces=(40,)):
    state = own.init_state(1, 48)
    return torch.cat([packed.forward(own, [own.embed(part)], [state])[0] for part in IDS.split(pieces)])


def near(a, b) -> float:
    return float(torch.nn.functional.cosine_similarity(a.float(), b.float(), dim=-1).min())


needs_int8 = pytest.mark.skipif(not int8.available(), reason="this torch does not multiply int8 on this machine")


@pytest.mark.parametrize("bits", [pytest.param("int8", marks=needs_int8), "4bit"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", KINDS)
def test_every_family_in_fewer_bits_is_near_and_its_passes_agree(kind, dtype, bits):
    full, small = (Decoder.random(KINDS[kind], 5, dtype) for _ in range(2))
    quantise(small, bits)
    found = hidden(small)
    assert found.dtype == dtype
    assert near(found, hidden(full)) > (0.99 if bits == "int8" else 0.9)
    assert not torch.equal(found, hidden(full))
    assert near(hidden(small, [1, 7, 32]), found) > 0.999
    whole = small(small.embed(IDS)[None], torch.tensor([40]), small.init_state(1, 48))[0]
    assert near(whole, found) > 0.999
    for block in small.blocks:
        for name, biased in zip(MATRICES, (c := block.c) and (c.qkv_bias, c.out_bias, *[c.mlp_bias] * 2), strict=True):
            assert isinstance(getattr(block, name), Biased) == biased


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(32, 64), (48, 100), (7, 32)])
def test_a_weight_is_off_by_at_most_half_a_level(dtype, shape):
    generator = torch.Generator().manual_seed(1)
    weight = (torch.randn(shape, generator=generator) * torch.rand(shape[0], 1, generator=generator)).to(dtype)
    layer = FourBitLinear(weight)
    stored = layer.weight().float()
    assert stored.shape == shape
    groups = torch.nn.functional.pad(weight.float(), (0, -shape[1] % GROUP)).view(shape[0], -1, GROUP)
    least, greatest = groups.amin(-1), groups.amax(-1)
    most = (greatest - least) / (2 * LEVELS) + 10 * torch.finfo(dtype).eps * groups.abs().amax(-1)
    bound = most[..., None].expand(groups.shape).reshape(shape[0], -1)[:, : shape[1]]
    assert ((stored - weight.float()).abs() <= bound + 1e-7).all()
    assert ((stored - weight.float()).abs() > bound / 100).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_product_is_that_of_the_stored_weights(dtype):
    torch.manual_seed(4)
    weight, x = torch.randn(48, 100, dtype=dtype), torch.randn(2, 3, 100, dtype=dtype)
    layer = FourBitLinear(weight)
    found, exact = layer(x), x.float() @ layer.weight().float().T
    assert found.shape == (2, 3, 48)
    assert found.dtype == dtype
    assert (found.float() - exact).norm() / exact.norm() < (1e-5 if dtype == torch.float32 else 0.01)
    bound = x.float().abs().sum(-1, keepdim=True) * (weight.float().amax() - weight.float().amin()) / (2 * LEVELS)
    assert ((exact - x.float() @ weight.float().T).abs() <= 1.1 * bound).all()


def test_rows_do_not_depend_on_each_other_and_even_rows_of_one_value_are_kept():
    torch.manual_seed(4)
    layer, x = FourBitLinear(torch.randn(32, 64)), torch.randn(5, 64)
    assert torch.allclose(layer(x)[2:3], layer(x[2:3]), atol=1e-5)
    for constant in (0.0, 0.75):
        flat = FourBitLinear(torch.full((4, 64), constant))
        assert torch.equal(flat.weight(), torch.full((4, 64), constant))


def test_the_kernel_and_the_plain_way_agree(monkeypatch):
    if not four_bit.has_kernel():
        pytest.skip("this torch has no four-bit product for this CPU")
    torch.manual_seed(6)
    weight, x = torch.randn(64, 96).bfloat16(), torch.randn(9, 96).bfloat16()
    fast = FourBitLinear(weight)
    monkeypatch.setattr(four_bit, "has_kernel", lambda: False)
    plain = FourBitLinear(weight)
    assert (fast.kernel, plain.kernel) == (True, False)
    assert torch.allclose(fast.weight().float(), plain.weight().float(), atol=0.02)
    assert (fast(x) - plain(x)).float().norm() / plain(x).float().norm() < 0.01


def test_four_bits_take_a_third_of_the_memory_of_sixteen():
    weight = torch.randn(256, 512).bfloat16()
    held = sum(b.numel() * b.element_size() for b in FourBitLinear(weight).buffers())
    assert held <= weight.numel() * (0.5 + 4 / GROUP)
    assert held < weight.numel() * weight.element_size() / 3


def test_what_cannot_be_is_refused():
    own = Decoder.random(KINDS["llama"], 1)
    with pytest.raises(ConfigError, match="one of int8, 4bit was expected, got '3bit'"):
        quantise(own, "3bit")
    quantise(own, "4bit")
    with pytest.raises(ConfigError, match="matrices are floats was expected, to make them int8"):
        quantise(own, "int8")
    away = Decoder.random(KINDS["llama"], 1).to_device(torch.device("meta"))
    quantise(away, "4bit")
    (found,) = packed.forward(away, [away.embed(IDS)], [away.init_state(1, 48)])
    assert (found.device.type, found.shape) == ("meta", (40, 64))
    away = Decoder.random(KINDS["llama"], 1).to_device(torch.device("meta"))
    with pytest.raises(ConfigError, match="int8 wants a CPU that multiplies it, got meta"):
        quantise(away, "int8")
