"""The engines that this machine has, and the voices that they offer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from data_builder.speech.neural import Kokoro, Piper
from data_builder.speech.programs import installed
from data_builder.speech.protocol import Engine
from soundflow.errors import ConfigError


def engines(piper: Path | None = None, kokoro: Path | None = None) -> dict[str, Engine]:
    """Engine by name: the programs on the PATH, and the neural ones whose folder is given.

    Args:
        piper: folder of NAME.onnx with NAME.onnx.json.
        kokoro: folder of the model and voices, see `Kokoro`.

    Raises:
        ConfigError: there is none, or a folder does not hold what it should.
    """
    found: dict[str, Engine] = dict(installed())
    if piper is not None:
        found["piper"] = Piper(piper)
    if kokoro is not None:
        found["kokoro"] = Kokoro(kokoro)
    if not found:
        raise ConfigError("expected a speech engine (espeak-ng, flite, ... on the PATH, or a Piper folder); got none")
    return found


def offered(have: Mapping[str, Engine]) -> set[str]:
    """Every voice of these engines as "engine:name": what `voices.speakers` divides."""
    return {f"{engine}:{name}" for engine, body in have.items() for name in body.names()}
