"""What a decoder of the Llama family is, and how a Hugging Face `config.json` says it.

A family differs from Llama in a few places only (FAMILIES): biases, a norm of each head, layers without positions, the
activation, what the embeddings are multiplied by. A field that changes what is computed and that we do not have is
refused, never left out; that all tensors of a file are read is `load`'s to check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from soundflow.decide.backbones.fields import Fields
from soundflow.decide.backbones.rope import Rope
from soundflow.errors import WeightsError
from soundflow.jsonfile import read_object

MOST_POSITIONS: Final = 32_768
"""As long as a cache may be: bounds the tables of angles of a model that was trained for a million."""


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Sizes and options of `soundflow.decide.backbones.decoder.Decoder`.

    still: layers whose queries and keys are not turned (NoPE, Kazemnejad et al. 2023, arXiv 2305.19466). head_norms: an
    RMSNorm of each head's query and key before they are turned. gate: of the feed-forward part. window: positions that
    a token sees back in some layers; no cache is longer, so that it never cuts. tied: the head is the embedding matrix;
    None leaves it to whether there is a head in the file. scaled, centred: embeddings are multiplied by the root of the
    width, norms stored as their difference to 1 (Gemma); both are done once, as weights are read.
    """

    vocab: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    rope_theta: float
    max_positions: int
    eps: float
    rope: Rope = field(default_factory=Rope)
    qkv_bias: bool = False
    out_bias: bool = False
    mlp_bias: bool = False
    head_norms: bool = False
    still: tuple[int, ...] = ()
    gate: str = "silu"
    window: int | None = None
    tied: bool | None = None
    scaled: bool = False
    centred: bool = False

    @property
    def limit(self) -> int:
        """Positions of the longest cache."""
        return min(self.max_positions, MOST_POSITIONS, self.window or MOST_POSITIONS)

    @staticmethod
    def read(folder: Path) -> DecoderConfig:
        """From a folder's `config.json`; of a model of several parts, its language model. WeightsError names a field
        that we do not have.
        """
        path = folder / "config.json"
        return DecoderConfig.of(read_object(path, "a readable config.json"), str(path))

    @staticmethod
    def of(raw: Mapping[str, Any], where: str) -> DecoderConfig:
        """From the object of a `config.json`. `where`: file, for errors."""
        fields, inner = Fields(raw, where), False
        while (part := INNER.get(str(fields.raw.get("model_type")))) is not None:
            fields, inner = Fields(fields.part(part), f"{fields.where}: {part}"), True
        kind = fields.raw.get("model_type")
        family = FAMILIES.get(str(kind))
        if family is None:
            raise fields.wrong("model_type", f"one of {', '.join(sorted([*FAMILIES, *INNER]))}", kind)
        fields.only(NEUTRAL)
        heads, width, layers = (fields.whole(n) for n in ("num_attention_heads", "hidden_size", "num_hidden_layers"))
        kv_heads = fields.whole("num_key_value_heads", heads)
        if heads % kv_heads:
            raise fields.wrong("num_key_value_heads", f"a divisor of num_attention_heads {heads}", kv_heads)
        head_dim = fields.whole("head_dim", family.head_dim or width // heads)
        if head_dim % 2:
            raise fields.wrong("head_dim", "an even number", head_dim)
        trained = fields.whole("max_position_embeddings")
        name = "rope_parameters" if fields.raw.get("rope_parameters") is not None else "rope_scaling"
        rope = fields.part(name)
        bias = fields.flag("attention_bias") if family.bias is None else False
        return DecoderConfig(
            vocab=fields.whole("vocab_size"),
            width=width,
            layers=layers,
            heads=heads,
            kv_heads=kv_heads,
            head_dim=head_dim,
            hidden=fields.whole("intermediate_size"),
            rope_theta=Fields(rope, where).number("rope_theta", fields.number("rope_theta", family.theta)),
            max_positions=trained,
            eps=fields.number("rms_norm_eps", 1e-6),
            rope=Rope.read(rope, f"{fields.where}: {name}", trained, family.plain_rope),
            qkv_bias=bias or bool(family.bias),
            out_bias=bias,
            mlp_bias=fields.flag("mlp_bias"),
            head_norms=family.head_norms,
            still=_still(fields, layers) if family.still else (),
            gate=_gate(fields, family),
            window=_window(fields, family, layers),
            tied=None if inner else fields.flag("tie_word_embeddings", family.tied),
            scaled=family.gemma,
            centred=family.gemma,
        )


@dataclass(frozen=True, slots=True)
class Family:
    """What a model type has besides Llama's parts, and its defaults where `config.json` is silent.

    bias: of query, key and value; None reads `attention_bias`, which then is the output's, too. slides: whether
    `sliding_window` holds by itself, or only with `use_sliding_window`. plain_rope: kinds of RoPE that are plain here.
    """

    theta: float = 10_000.0
    tied: bool = False
    bias: bool | None = None
    head_norms: bool = False
    head_dim: int | None = None
    still: bool = False
    slides: bool = False
    gemma: bool = False
    plain_rope: frozenset[str] = frozenset()


FAMILIES: Final[Mapping[str, Family]] = {
    "llama": Family(),
    "mistral": Family(bias=False, slides=True),
    "qwen2": Family(bias=True),
    "qwen3": Family(head_norms=True, head_dim=128),
    "smollm3": Family(theta=2e6, tied=True, still=True),
    "gemma": Family(tied=True, head_dim=256, gemma=True),
    "qwen2_5_omni_text": Family(theta=1e6, bias=True, plain_rope=frozenset({"default", "mrope"})),
}
INNER: Final[Mapping[str, str]] = {"qwen2_5_omni": "thinker_config", "qwen2_5_omni_thinker": "text_config"}
"""Models of several parts, and the field that leads to their language model."""
NEUTRAL: Final[Mapping[str, object]] = {
    "rope_interleaved": False,
    "partial_rotary_factor": 1.0,
    "attn_logit_softcapping": None,
    "final_logit_softcapping": None,
    "use_bidirectional_attention": False,
    "embedding_multiplier": 1.0,
    "residual_multiplier": 1.0,
    "attention_multiplier": None,
    "logits_scaling": 1.0,
    "num_experts": None,
    "num_local_experts": None,
    "quantization_config": None,
}
"""Fields of neighbouring families that change the computation, and the values at which they do not."""
GATES: Final[Mapping[str, str]] = {"silu": "silu", "swish": "silu", "gelu_pytorch_tanh": "gelu_tanh"}


def _gate(fields: Fields, family: Family) -> str:
    given = fields.raw.get("hidden_activation" if fields.raw.get("hidden_activation") else "hidden_act")
    if family.gemma and given in (None, "gelu"):  # the first Gemmas said gelu and meant its approximation
        return "gelu_tanh"
    found = GATES.get(str(given or "silu"))
    if found is None:
        raise fields.wrong("hidden_act", f"one of {', '.join(GATES)}", given)
    return found


def _still(fields: Fields, layers: int) -> tuple[int, ...]:
    """`no_rope_layers` holds 1 for a layer that turns; without it each `no_rope_layer_interval`th does not."""
    given = fields.raw.get("no_rope_layers")
    if given is None:
        each = fields.whole("no_rope_layer_interval", 4)
        return tuple(range(each - 1, layers, each))
    if not isinstance(given, list) or len(given) < layers or any(x not in (0, 1) for x in given):
        raise fields.wrong("no_rope_layers", f"a list of {layers} times 0 or 1", given)
    return tuple(i for i in range(layers) if not given[i])


def _window(fields: Fields, family: Family, layers: int) -> int | None:
    types = fields.raw.get("layer_types")
    if types is not None:
        known = {"full_attention", "sliding_attention"}
        if not isinstance(types, list) or len(types) != layers or not known.issuperset(types):
            raise fields.wrong("layer_types", f"a list of {layers} of {', '.join(sorted(known))}", types)
        return fields.whole("sliding_window") if "sliding_attention" in types else None
    slides = family.slides or fields.flag("use_sliding_window")
    return fields.whole("sliding_window") if slides and fields.raw.get("sliding_window") is not None else None


def check_capacity(config: DecoderConfig, capacity: int) -> None:
    """WeightsError where a cache of `capacity` tokens is longer than the model's positions."""
    if capacity > config.limit:
        cause = f" (its sliding_window is {config.window})" if config.window and config.limit == config.window else ""
        raise WeightsError(f"a cache of at most {config.limit} positions was expected, got {capacity}{cause}")
