"""The config.json of an omni folder.

config.json        what `Settings` holds
tower.safetensors  the audio tower
lm/                the language model, a Hugging Face folder of Qwen2 (config.json, model.safetensors)
tokenizer.json     of the language model
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from soundflow.clock import chunk_samples
from soundflow.errors import ConfigError
from soundflow.jsonfile import read_object
from soundflow.perceive.omni.encoder import MEMORY_CHUNKS, TOKEN_SAMPLES
from soundflow.perceive.omni.tower import TowerConfig
from soundflow.tiers.base_config import licences_of
from soundflow.tiers.omni.context import SYSTEM
from soundflow.tiers.omni.layout import Tokens

FORMAT: Final = 1
PAPER: Final = Tokens()
CONFIG, TOWER, LM, TOKENIZER = "config.json", "tower.safetensors", "lm", "tokenizer.json"
PARTS: Final = ("tower", "lm")
"""That have a licence of their own."""
CHUNK_MS: Final = 400
CONTEXT_TOKENS: Final = 1_024
"""The paper's longest trained stream, 60 chunks of 13 tokens, with its prefix and some replies."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`vocab`: of the language model. `context_tokens`: of a stream's cache. `left_chunks`, `memory_chunks`: as of
    `soundflow.perceive.omni.encoder`. `system`: text of the prefix. `licences`: of the parts, "tower" and "lm"; for the
    card.
    """

    tower: TowerConfig
    vocab: int
    tokens: Tokens = PAPER
    chunk_ms: int = CHUNK_MS
    context_tokens: int = CONTEXT_TOKENS
    left_chunks: int = 0
    memory_chunks: int = MEMORY_CHUNKS
    system: str = SYSTEM
    licences: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        size = chunk_samples(self.chunk_ms)
        if size != self.tokens.audio * TOKEN_SAMPLES:
            raise ConfigError(
                f"chunk_ms: {self.tokens.audio} audio tokens of 40 ms were expected, got {self.chunk_ms} ms"
            )

    @staticmethod
    def read(folder: Path) -> Settings:
        """Strict: a key that is unknown or wrong raises ConfigError, a file that is not there WeightsError."""
        path = folder / CONFIG
        raw = read_object(path, "the config.json of an omni folder", other=ConfigError)
        for key, expected in (("format", FORMAT), ("tier", "omni")):
            if raw.get(key) != expected:
                raise ConfigError(f"{path}: {key} {expected!r} was expected, got {raw.get(key)!r}; was it converted?")
        whole = ("vocab", "chunk_ms", "context_tokens", "left_chunks", "memory_chunks")
        kinds: dict[str, type] = {"tower": dict, "tokens": dict, "licences": dict, "system": str}
        kinds |= dict.fromkeys(whole, int)
        given = {"licences": {}} | {key: value for key, value in raw.items() if key not in ("format", "tier")}
        if unknown := sorted(set(given) - set(kinds)):
            raise ConfigError(f"{path}: unknown key {unknown[0]!r}")
        for key, kind in kinds.items():
            value = given.get(key)
            if not isinstance(value, kind) or isinstance(value, bool) or (isinstance(value, int) and value < 0):
                raise ConfigError(f"{path}: {key}: {kind.__name__} was expected, got {value!r}")
        given["licences"] = licences_of(given["licences"], PARTS, str(path))
        given["tower"] = TowerConfig.read(given["tower"], f"{path}: tower")
        given["tokens"] = Tokens.read(given["tokens"], given["vocab"], f"{path}: tokens")
        try:
            return Settings(**given)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error

    def save(self, folder: Path) -> None:
        plain = {key: getattr(self, key) for key in self.__slots__}
        body = {"format": FORMAT, "tier": "omni"} | plain
        body |= {"tower": self.tower.to_json(), "tokens": self.tokens.to_json(), "licences": dict(self.licences)}
        (folder / CONFIG).write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
