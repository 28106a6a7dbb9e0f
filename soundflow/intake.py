"""What `soundflow listen` was asked for, and the audio that it names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import AudioFormatError, ConfigError
from soundflow.types import FloatArray

PICTURES = (".png", ".pdf", ".svg", ".jpg")


class Pace(StrEnum):
    realtime = "realtime"
    fast = "fast"


class Decisions(StrEnum):
    all = "all"
    changes = "changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for; None where the default depends on the source."""

    source: str
    json: bool = False
    instruction: str = ""
    tools: Path | None = None
    adapter: Path | None = None
    proactivity: float = 0.5
    voice: Path | None = None
    timeline: Path | None = None
    pace: Pace | None = None
    chunk_ms: int | None = None
    decisions: Decisions = Decisions.all
    rate: int | None = None
    channels: int | None = None
    format: str | None = None
    tier: str = "nano"
    model: Path | None = None

    @property
    def is_file(self) -> bool:
        return self.source not in {"-", "mic"}

    @property
    def model_name(self) -> str:
        """For people to read."""
        return self.tier if self.model is None else self.model.resolve().name

    @property
    def realtime(self) -> bool:
        return self.pace is Pace.realtime if self.pace else not self.is_file

    def check(self) -> None:
        """Raise ConfigError for what would fail later."""
        if self.tier != "nano":
            raise ConfigError(f"--tier: expected nano, got {self.tier!r}; another tier is a folder: --model DIR")
        if self.model is not None and self.adapter is not None:
            raise ConfigError(f"--adapter: expected without --model, whose folder has its own, got {self.adapter}")
        if not 0.0 <= self.proactivity <= 1.0:
            raise ConfigError(f"--proactivity: expected 0 to 1, got {self.proactivity}")
        given = {"--rate": self.rate, "--channels": self.channels, "--format": self.format}
        for name, value in given.items():
            if value is not None and (self.is_file or (name == "--format" and self.source == "mic")):
                raise ConfigError(
                    f"{name}: expected only with raw audio on standard input, got {value} for {self.source}"
                )
        outputs = [(n, p) for n, p in (("--voice", self.voice), ("--timeline", self.timeline)) if p is not None]
        for name, path in outputs:
            if not path.absolute().parent.is_dir() or path.is_dir():
                raise ConfigError(f"{name}: expected a file in an existing folder, got {path}")
            if self.is_file and path.resolve() == Path(self.source).resolve():
                raise ConfigError(f"{name}: expected another file than the source, got {path}")
        if self.voice is not None and self.voice.suffix.lower() != ".wav":
            raise ConfigError(f"--voice: expected a file ending in .wav, got {self.voice}")
        if self.timeline is not None and self.timeline.suffix.lower() not in PICTURES:
            raise ConfigError(f"--timeline: expected a file ending in {', '.join(PICTURES)}, got {self.timeline}")


def open_source(options: Options) -> Any:
    """The audio source; a wrong header is an AudioFormatError here."""
    from soundflow.perceive import source

    rate = SAMPLE_RATE_HZ if options.rate is None else options.rate
    channels = 1 if options.channels is None else options.channels
    if options.source == "mic":
        return source.mic_source(rate_hz=rate, channels=channels)
    if options.source == "-":
        stdin = getattr(sys.stdin, "buffer", None)
        if stdin is None or stdin.isatty():
            raise AudioFormatError("-: expected raw audio on standard input, got a terminal or nothing")
        return source.raw_source(stdin, rate, channels, "s16le" if options.format is None else options.format)
    if Path(options.source).suffix.lower() == ".raw":
        advice = "`soundflow listen - --pace fast --rate HZ --format s16le < FILE`"
        raise AudioFormatError(f"{options.source}: raw audio has no header that says its rate: use {advice}")
    return source.file_source(options.source)


def pieces(source: Any, size: int) -> Iterator[FloatArray]:
    """The source as mono 16 kHz, [n] with n <= `size`."""
    from soundflow.perceive.resample import StreamResampler
    from soundflow.perceive.source import to_mono

    resampler = StreamResampler(source.rate_hz)

    def whole() -> Iterator[FloatArray]:
        for block in source.blocks():
            yield resampler.push(to_mono(block))
        yield resampler.flush()

    for pcm in whole():
        for start in range(0, len(pcm), size):
            yield pcm[start : start + size]
