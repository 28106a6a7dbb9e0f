"""Published sizes of decoders, to be measured with random weights: a product takes as long whatever its numbers are.

Sizes are those of the `config.json` at `source`; tests check them against the numbers of parameters that the models'
cards state. No weights are fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from soundflow.decide.backbones.config import DecoderConfig
from soundflow.errors import ConfigError
from soundflow.tiers.omni.layout import Tokens

HUB: Final = "https://huggingface.co/"


@dataclass(frozen=True, slots=True)
class Shape:
    """held: tokens of a session's cache. layout: of a thinker, whose chunk has audio and control tokens; else a chunk
    is one token. source: the model whose `config.json` has these sizes.
    """

    name: str
    config: DecoderConfig
    held: int = 1024
    layout: Tokens | None = None
    source: str = ""


def _shape(
    name: str, source: str, config: DecoderConfig, held: int = 1024, layout: Tokens | None = None
) -> tuple[str, Shape]:
    return name, Shape(name, config, held, layout, HUB + source)


_SMOLLM2: Final = partial(
    DecoderConfig, vocab=49_152, head_dim=64, rope_theta=1e5, max_positions=8_192, eps=1e-5, tied=True
)
_QWEN: Final = partial(DecoderConfig, rope_theta=1e6, max_positions=32_768, eps=1e-6, qkv_bias=True)
_SMALL_QWEN: Final = partial(_QWEN, vocab=151_936, kv_heads=2, tied=True)

SHAPES: Final[Mapping[str, Shape]] = dict(
    [
        _shape(
            "nano",
            "HuggingFaceTB/SmolLM2-135M-Instruct",
            _SMOLLM2(width=576, layers=30, heads=9, kv_heads=3, hidden=1_536),
            held=256,
        ),
        _shape(
            "smollm2-360m",
            "HuggingFaceTB/SmolLM2-360M-Instruct",
            _SMOLLM2(width=960, layers=32, heads=15, kv_heads=5, hidden=2_560),
        ),
        _shape(
            "qwen2.5-0.5b",
            "Qwen/Qwen2.5-0.5B-Instruct",
            _SMALL_QWEN(width=896, layers=24, heads=14, head_dim=64, hidden=4_864),
        ),
        _shape(
            "qwen2.5-1.5b",
            "Qwen/Qwen2.5-1.5B-Instruct",
            _SMALL_QWEN(width=1_536, layers=28, heads=12, head_dim=128, hidden=8_960),
        ),
        _shape(
            "qwen2.5-7b",
            "Qwen/Qwen2.5-7B-Instruct",
            _QWEN(vocab=152_064, width=3_584, layers=28, heads=28, kv_heads=4, head_dim=128, hidden=18_944),
        ),
        _shape(
            "thinker-3b",
            "Qwen/Qwen2.5-Omni-3B",
            _QWEN(vocab=151_936, width=2_048, layers=36, heads=16, kv_heads=2, head_dim=128, hidden=11_008),
            layout=Tokens(),
        ),
        _shape(
            "thinker-7b",
            "Qwen/Qwen2.5-Omni-7B",
            _QWEN(vocab=152_064, width=3_584, layers=28, heads=28, kv_heads=4, head_dim=128, hidden=18_944),
            layout=Tokens(),
        ),
    ]
)


def find(name: str) -> Shape:
    """ConfigError for a name that is not among `SHAPES`."""
    if name not in SHAPES:
        raise ConfigError(f"--shape: expected one of {', '.join(SHAPES)}, got {name!r}")
    return SHAPES[name]
