"""The speech encoders of the larger tiers by `model_type`: from a folder, with random weights, and as a table."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from soundflow.errors import ConfigError
from soundflow.jsonfile import read_object
from soundflow.perceive.encoder import EncoderSpec, StreamEncoder
from soundflow.perceive.encoders import mimi, moonshine, moonshine_streaming, nemotron, voxtral_realtime, whisper
from soundflow.perceive.encoders.checkpoint import WHAT, fill, require_front_end

_Wrap = Callable[[Any, int, float | None, float | None], StreamEncoder]


@dataclass(frozen=True)
class Family:
    """One kind of encoder. small: a config for tests. keys: prefixes of its keys in files, `renamed` where they begin
    otherwise. front_end: fields of its feature extractor. published: checkpoint whose size the class has by default."""

    config_of: Callable[[dict[str, Any]], Any]
    module_of: Callable[[Any], Any]
    wrap: _Wrap
    small: Mapping[str, Any]
    keys: tuple[str, ...]
    front_end: Mapping[str, object]
    published: str
    renamed: tuple[tuple[str, str], ...] = ()


def _family(room: Any, published: str, renamed: tuple[tuple[str, str], ...] = ()) -> Family:
    return Family(room.config_of, room.module_of, room.wrap, room.SMALL, room.KEYS, room.FRONT_END, published, renamed)


_MIMI: Final = _family(mimi, "kyutai/mimi", mimi.RENAMED)
_MOONSHINE: Final = _family(moonshine_streaming, "UsefulSensors/moonshine-streaming-tiny")
_VOXTRAL: Final = _family(voxtral_realtime, "mistralai/Voxtral-Mini-4B-Realtime-2602")
_NEMOTRON: Final = _family(nemotron, "nvidia/nemotron-speech-streaming-en-0.6b")
FAMILIES: Final[Mapping[str, Family]] = {
    "whisper": _family(whisper, "openai/whisper-tiny"),
    "moonshine": _family(moonshine, "UsefulSensors/moonshine-tiny"),
    "moonshine_streaming": _MOONSHINE,
    "moonshine_streaming_encoder": _MOONSHINE,
    "voxtral_realtime": _VOXTRAL,
    "voxtral_realtime_encoder": _VOXTRAL,
    "nemotron_asr_streaming": _NEMOTRON,
    "nemotron_asr_streaming_encoder": _NEMOTRON,
    "nemotron3_5_asr": _NEMOTRON,
    "mimi": _MIMI,
    "mimi_encoder": _MIMI,
    "kyutai_speech_to_text": _MIMI,
}


def load(
    folder: Path,
    chunk_samples: int,
    left_ms: float | None = None,
    look_ahead_ms: float | None = None,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
) -> StreamEncoder:
    """The encoder of a Hugging Face folder (config.json and safetensors; `soundflow models pull` brings one).

    Args:
        chunk_samples: of a step, at 16 kHz.
        left_ms: left context of a windowed encoder; of a streaming one, a shorter window of its attention.
        look_ahead_ms: for encoders that leave a choice.
        dtype: of weights and frames; front ends compute in float32.

    Raises:
        ConfigError: config.json is missing or wrong, its model_type unknown, or a setting does not fit the encoder.
        WeightsError: the weights are not those of the config.
    """
    family, module = _of(folder, dtype)
    encoder = _wrapped(family, module.to(device), chunk_samples, left_ms, look_ahead_ms)
    mels = {"feature_size": module.config.num_mel_bins} if hasattr(module.config, "num_mel_bins") else {}
    require_front_end(Path(folder), {**family.front_end, **mels})
    fill(module, Path(folder), family.keys, family.renamed)
    return encoder


def outline(
    folder: Path, chunk_samples: int, left_ms: float | None = None, look_ahead_ms: float | None = None
) -> EncoderSpec:
    """The `spec` of what `load` makes of a folder; no weights are read. ConfigError as of `load`."""
    with _without_weights():
        family, module = _of(folder, torch.float32)
        return _wrapped(family, module, chunk_samples, left_ms, look_ahead_ms).spec


def random(
    model_type: str,
    chunk_samples: int,
    seed: int = 0,
    left_ms: float | None = None,
    look_ahead_ms: float | None = None,
    dtype: torch.dtype = torch.float32,
    device: str | torch.device = "cpu",
    **config: Any,
) -> StreamEncoder:
    """A small encoder with random weights, the same for the same seed. `config` overrides fields of the small config.

    Raises:
        ConfigError: an unknown model_type, or a setting that does not fit the encoder.
    """
    family = _known(model_type, "random")
    module = random_module(model_type, seed, dtype, **config)
    return _wrapped(family, module.to(device), chunk_samples, left_ms, look_ahead_ms)


def random_module(model_type: str, seed: int = 0, dtype: torch.dtype = torch.float32, **config: Any) -> Any:
    """The transformers encoder that `random` wraps. Biases and norms are drawn, too: at the 0 and 1 that transformers
    begins with, they do nothing."""
    family = _known(model_type, "random")
    module = _built(family, family.config_of({**family.small, **config}), seed, torch.float32)
    draw = torch.Generator().manual_seed(seed)
    for weight in module.parameters():
        if weight.ndim == 1:
            weight.add_(0.1 * torch.randn(weight.shape, generator=draw))
    return module.to(dtype)


def table(chunk_samples: int = 6_400) -> list[tuple[str, EncoderSpec, int]]:
    """(checkpoint, spec, bytes of a stream's state in float32) of each family at its published size, nothing loaded."""
    rows = []
    for family in {id(family): family for family in FAMILIES.values()}.values():
        with _without_weights():
            module = family.module_of(family.config_of({}))
        encoder = family.wrap(module, chunk_samples, None, None)
        rows.append((family.published, encoder.spec, encoder.init_state(1).row_bytes))
    return rows


def markdown(rows: list[tuple[str, EncoderSpec, int]]) -> str:
    """`table` for the docs; times in ms at 16 kHz."""
    lines = [
        "| encoder | checkpoint of this size | kind | frames/s | after a frame begins, ms | width | left context, ms "
        "| state a stream, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for checkpoint, spec, held in rows:
        left = "unbounded" if spec.left_samples is None else f"{spec.left_samples / 16:.0f}"
        late = f"{spec.field_samples / 16:.0f} + {spec.look_ahead_samples / 16:.0f}"
        lines.append(
            f"| {spec.name} | {checkpoint} | {spec.kind} | {spec.frame_rate_hz:.4g} | {late} | {spec.width} | {left} "
            f"| {held / 1e6:.3g} |"
        )
    return "\n".join(lines)


@contextmanager
def _without_weights() -> Iterator[None]:
    """torch's meta device. transformers imports torchaudio with its classes, which makes tensors as it is imported: on
    the meta device they would be of no use to anybody for as long as the process lives."""
    with suppress(ImportError, OSError):
        importlib.import_module("torchaudio.compliance.kaldi")
    with torch.device("meta"):
        yield


def _of(folder: Path, dtype: torch.dtype) -> tuple[Family, Any]:
    """What the folder's config.json says, with random weights."""
    path = Path(folder) / "config.json"
    raw = read_object(path, WHAT, ConfigError)
    family = _known(raw.pop("model_type", None), str(path))
    try:
        return family, _built(family, family.config_of(raw), 0, dtype)
    except Exception as error:  # of many kinds: transformers checks its configs itself
        raise ConfigError(f"{path}: {error}") from error


def _known(model_type: Any, where: str) -> Family:
    if model_type not in FAMILIES:
        raise ConfigError(f"{where}: model_type expected one of {', '.join(sorted(FAMILIES))}, got {model_type!r}")
    return FAMILIES[model_type]


def _built(family: Family, config: Any, seed: int, dtype: torch.dtype) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return family.module_of(config).to(dtype).eval().requires_grad_(False)


def _wrapped(
    family: Family, module: Any, chunk_samples: int, left_ms: float | None, look_ahead_ms: float | None
) -> StreamEncoder:
    if left_ms is not None and not 0 <= left_ms < float("inf"):
        raise ConfigError(f"left_ms: expected 0 or more, got {left_ms}")
    return family.wrap(module, chunk_samples, left_ms, look_ahead_ms)
