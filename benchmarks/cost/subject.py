"""What `bench cost` measures: nano as it ships, a model folder of any tier, or a published size with random weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.cost import parts
from benchmarks.cost.device import HOST, Device
from benchmarks.cost.parts import NANO_WIDTHS, Variant
from benchmarks.cost.shapes import Shape
from benchmarks.runs import identity
from soundflow.decide.backbones.backbone import Backbone, Dtype
from soundflow.errors import ConfigError
from soundflow.int8 import available
from soundflow.tiers import checkpoint, hub, nano
from soundflow.tiers.base_config import BaseConfig
from soundflow.tiers.kit import Kit, kit
from soundflow.tiers.omni.layout import Tokens
from soundflow.tiers.omni.settings import Settings
from soundflow.types import Word

WEIGHTS = (".safetensors", ".pt", ".pth", ".onnx", ".ort", ".tflite")
WORD = Word("kitchen", 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Subject:
    """One model.

    name: its tier, or that of a shape. tokens: of a chunk. words: how many of them are said in a chunk. held: tokens of
    a session's cache. layout: of omni. kit: of its encoders; a shape has none.
    """

    name: str
    weights: Any
    held: int
    tokens: int = 1
    words: int = 0
    chunk_ms: int = 400
    layout: Tokens | None = None
    kit: Kit | None = None
    shape: Shape | None = None

    @property
    def tier(self) -> str:
        """nano, base or omni; "" of a shape."""
        return self.kit.tier if self.kit else ""

    def facts(self) -> dict[str, Any]:
        """Plain values, for config.json and for the words of a report."""
        named = ("name", "tier", "weights", "held", "tokens", "words", "chunk_ms")
        return {name: getattr(self, name) for name in named}

    def decoders(self, numbers: Sequence[str], on: Device = HOST) -> list[Variant]:
        """The decoder in each kind of numbers; int8 is left out where this processor cannot multiply it.

        Raises:
            WeightsError: a part is missing, or not what it should be.
        """
        made = []
        for name in numbers:
            if name == "int8" and not available():
                continue
            kind = {"fp32": torch.float32, "bf16": torch.bfloat16}.get(name, checkpoint.host_dtype())
            made.append(self._decoder(name, kind, on))
        return made

    def _decoder(self, name: str, kind: torch.dtype, on: Device) -> Variant:
        if self.kit is None:
            assert self.shape is not None
            llama, widths = parts.random(self.shape.config, kind, on=on), NANO_WIDTHS
        else:
            saved = checkpoint.load(self.kit.adapter) if self.kit.adapter else None
            named: dict[torch.dtype, Dtype] = {torch.float32: "float32", torch.bfloat16: "bfloat16"}
            place = Backbone(str(self.kit.lm), named[kind], device=str(on.place))
            llama = place.load(saved.deltas if saved else None)
            widths = len(self.kit.labels), self.kit.sound_width, self.kit.speech_width
        if name == "int8":
            llama.to_int8()
        return Variant(name, llama, self.tokens, self.layout, widths)


def of(
    adapter: Path | None = None, model: Path | None = None, shape: Shape | None = None, words: int | None = None
) -> Subject:
    """The one of the three that is given; none: nano as it ships.

    Args:
        words: said in a chunk; None is one of a base that recognises words, else none.

    Raises:
        ConfigError: two of them, a wrong key of a folder's config.json, or words of a model that reads none.
        WeightsError: a part is missing.
    """
    given = {"--adapter": adapter, "--model": model, "--shape": shape}
    if len(named := [flag for flag, value in given.items() if value is not None]) > 1:
        raise ConfigError(f"{' and '.join(named)}: one of them was expected")
    if shape is not None:
        tokens = shape.layout.block + 1 if shape.layout else 1
        if words:
            raise ConfigError(f"--words: none were expected of a shape, which has no tokenizer; got {words}")
        return Subject(shape.name, "random", shape.held, tokens, layout=shape.layout, shape=shape)
    if model is not None and not (model / "config.json").is_file():
        raise ConfigError(f"--model {model}: a folder with the config.json of a model was expected")
    found = kit(model)
    if adapter is not None:
        found = replace(found, adapter=adapter, branch=checkpoint.branch(adapter), chunk_ms=_chunk_ms(adapter))
    made = Subject(found.tier, None, nano.CACHE_TOKENS, chunk_ms=found.chunk_ms, kit=found)
    if found.tier == "nano":
        return _with_words(replace(made, weights=identity(found.adapter)), words or 0)
    assert model is not None
    made = replace(made, weights=_fingerprint(model, found.lm))
    if found.tier == "omni":
        settings = Settings.read(model)
        layout = settings.tokens
        made = replace(made, held=settings.context_tokens, tokens=layout.block + 1, layout=layout)
        return _with_words(made, words or 0)
    config = BaseConfig.read(model)
    heard = int(config.words is not None) if words is None else words
    return _with_words(replace(made, held=config.cache_tokens), heard)


def _with_words(subject: Subject, words: int) -> Subject:
    """A chunk of it with so many words."""
    if not words:
        return subject
    assert subject.kit is not None
    more = len(subject.kit.context().words([WORD] * words, False))
    if not more:
        raise ConfigError(f"--words: none were expected of {subject.name}, which hears them; got {words}")
    return replace(subject, tokens=subject.tokens + more, words=words)


def _chunk_ms(adapter: Path) -> int:
    return checkpoint.load(adapter).chunk_ms


def _fingerprint(model: Path, lm: Path) -> str:
    """Of its config.json and of the weights of all parts, which are told apart by names, sizes and their beginnings."""
    total = hashlib.sha256((model / "config.json").read_bytes())
    places = [model, lm]
    if json.loads((model / "config.json").read_text(encoding="utf-8")).get("tier") == "base":
        places += [hub.find(place, model) for place in BaseConfig.read(model).places.values()]
    for place in dict.fromkeys(p.resolve() for p in places):
        files = [place] if place.is_file() else [p for p in place.rglob("*") if p.suffix in WEIGHTS]
        for file in sorted(files):
            with file.open("rb") as stream:
                total.update(f"{file.name} {file.stat().st_size}".encode() + stream.read(65_536))
    return total.hexdigest()[:16]
