"""The architecture of a BEATs checkpoint, read from its own `cfg`, by the names that it has there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from soundflow.errors import ConfigError

MEL_BINS: Final = 128

_TRAINING_ONLY: Final = frozenset(
    {
        *("dropout", "attention_dropout", "activation_dropout", "dropout_input", "predictor_dropout"),
        *("encoder_layerdrop", "layer_wise_gradient_decay_ratio", "mask_ratio", "codebook_vocab_size"),
        *("decoder_embed_dim", "decoder_pos_trainable", "decoder_attention_heads", "decoder_mlp_ratio"),
        *("decoder_layers", "use_flash_attn"),
    }
)
"""Keys of `cfg` that change nothing in what a trained encoder computes."""

_FRONTEND: Final[Mapping[str, float]] = {
    "sample_frequency": 16_000,
    "num_mel_bins": MEL_BINS,
    "frame_length": 25,
    "frame_shift": 10,
}
"""Keys that some forks write, and the only value that is computed here."""

ACTIVATIONS: Final = ("gelu", "gelu_accurate", "gelu_fast", "relu", "tanh")


@dataclass(frozen=True, slots=True)
class BeatsConfig:
    """Fields and what is assumed of a missing one as published (Chen et al. 2022, arXiv 2212.09058).

    embed_dim: of a patch; encoder_embed_dim: of a token (D). deep_norm: residuals times (2 layers)^(1/4) (Wang et al.
    2022, arXiv 2203.00555). conv_pos: kernel of the convolution that marks positions, in patches. multi_label is not
    in a `cfg`: classes of the head are independent (sigmoid), or exclude each other (softmax).
    """

    input_patch_size: int = 16
    embed_dim: int = 512
    conv_bias: bool = False
    encoder_layers: int = 12
    encoder_embed_dim: int = 768
    encoder_ffn_embed_dim: int = 3072
    encoder_attention_heads: int = 12
    activation_fn: str = "gelu"
    layer_norm_first: bool = False
    deep_norm: bool = False
    conv_pos: int = 128
    conv_pos_groups: int = 16
    relative_position_embedding: bool = False
    num_buckets: int = 320
    max_distance: int = 1280
    gru_rel_pos: bool = False
    finetuned_model: bool = False
    predictor_class: int = 527
    fbank_mean: float = 15.41663
    fbank_std: float = 6.55582
    multi_label: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _typed(field.name, field.type, getattr(self, field.name)))
        heads, width = self.encoder_attention_heads, self.encoder_embed_dim
        rules = {
            "input_patch_size": (MEL_BINS % self.input_patch_size == 0, f"a divisor of {MEL_BINS}"),
            "encoder_attention_heads": (width % heads == 0, f"a divisor of encoder_embed_dim {width}"),
            "conv_pos_groups": (width % self.conv_pos_groups == 0, f"a divisor of encoder_embed_dim {width}"),
            "activation_fn": (self.activation_fn in ACTIVATIONS, f"one of {', '.join(ACTIVATIONS)}"),
            "layer_norm_first": (not (self.layer_norm_first and self.deep_norm), "false where deep_norm is true"),
            "num_buckets": (self.num_buckets % 4 == 0, "a multiple of 4"),
            "max_distance": (self.max_distance > self.num_buckets // 4, "more than a quarter of num_buckets"),
            "fbank_std": (self.fbank_std > 0, "a positive number"),
        }
        for key, (kept, rule) in rules.items():
            if not kept:
                raise ConfigError(f"BEATs cfg: {key}: {rule} was expected, got {getattr(self, key)!r}")

    @staticmethod
    def read(cfg: object, where: str) -> BeatsConfig:
        """Out of the `cfg` of a checkpoint.

        Raises:
            ConfigError: a key that is not known to be harmless, or a value out of its range; it names `where` and key.
        """
        if not isinstance(cfg, Mapping):
            raise ConfigError(f"{where}: cfg: a mapping was expected, got {type(cfg).__name__}")
        known = {field.name for field in fields(BeatsConfig)}
        for key, value in cfg.items():
            if key in _FRONTEND and value != _FRONTEND[key]:
                raise ConfigError(f"{where}: cfg: {key} {_FRONTEND[key]} was expected, got {value!r}")
            if key not in known and key not in _TRAINING_ONLY and key not in _FRONTEND:
                raise ConfigError(
                    f"{where}: cfg: {key!r} ({value!r}) is not known and may change what the model computes"
                )
        try:
            return BeatsConfig(**{key: value for key, value in cfg.items() if key in known})
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error

    @staticmethod
    def base(classes: int = 0) -> BeatsConfig:
        """The published BEATs_iter3+ (90 million weights); with a head where there are classes."""
        return BeatsConfig(
            deep_norm=True,
            relative_position_embedding=True,
            max_distance=800,
            gru_rel_pos=True,
            finetuned_model=classes > 0,
            predictor_class=classes or 527,
        )

    @staticmethod
    def tiny(classes: int = 0) -> BeatsConfig:
        """Two layers of width 32, of the same class as `base`: for tests and small random tiers."""
        return BeatsConfig(
            embed_dim=24,
            encoder_layers=2,
            encoder_embed_dim=32,
            encoder_ffn_embed_dim=64,
            encoder_attention_heads=4,
            deep_norm=True,
            conv_pos=16,
            conv_pos_groups=4,
            relative_position_embedding=True,
            num_buckets=32,
            max_distance=64,
            gru_rel_pos=True,
            finetuned_model=classes > 0,
            predictor_class=classes or 527,
        )

    def values(self) -> dict[str, Any]:
        """As JSON can hold it; `read` makes the same of it."""
        return asdict(self)

    @property
    def bands(self) -> int:
        """Patches (tokens) of one time step."""
        return MEL_BINS // self.input_patch_size

    @property
    def residual_scale(self) -> float:
        return math.pow(2 * self.encoder_layers, 0.25) if self.deep_norm else 1.0


def _typed(name: str, kind: object, value: object) -> object:
    """`value` as its field holds it; ConfigError where it is not of that type. Sizes are at least 1."""
    if kind == "bool" and isinstance(value, bool | int) and value in (0, 1):
        return bool(value)
    if kind == "str" and isinstance(value, str):
        return value
    if not isinstance(value, bool):
        if kind == "int" and isinstance(value, int) and value >= 1:
            return value
        if kind == "float" and isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    size = " of at least 1" if kind == "int" else ""
    raise ConfigError(f"BEATs cfg: {name}: {kind}{size} was expected, got {value!r}")
