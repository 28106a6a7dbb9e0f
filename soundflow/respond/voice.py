"""Text -> speech, a sentence at a time: Piper, or espeak-ng where Piper is not there.

A caller that stops taking pieces (or closes the iterator) cancels the rest: nothing is made ahead of what is taken.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from soundflow.errors import ConfigError, SoundflowError, WeightsError
from soundflow.onnx import Network
from soundflow.respond.speech_text import sentences, speakable
from soundflow.types import FloatArray

PEAK = 0.7  # of full scale; every piece is levelled to it
ESPEAK_TIMEOUT_S = 10.0

log = logging.getLogger(__name__)


class Voice(Protocol):
    """A voice: `speak` yields mono pieces [N] float32 in [-1, 1] at `rate_hz`, one a sentence."""

    @property
    def name(self) -> str: ...

    @property
    def rate_hz(self) -> int: ...

    def speak(self, text: str) -> Iterator[FloatArray]: ...


class PiperVoice:
    """A Piper voice on the CPU.

    Args:
        onnx_path: the voice; its settings lie beside it in `<onnx_path>.json`.
        threads: CPU threads.

    Raises:
        ConfigError: the package piper-tts is not installed.
        WeightsError: the files are missing or not a Piper voice.
    """

    def __init__(self, onnx_path: Path, threads: int = 1) -> None:
        try:
            import piper
        except ImportError as error:
            raise ConfigError("Piper needs the package piper-tts: pip install 'soundflow[voice]'") from error
        settings = Path(f"{onnx_path}.json")
        for path in (onnx_path, settings):
            if not path.is_file():
                raise WeightsError(f"{path}: no such file; run `soundflow models pull nano`")
        network: Any = Network(onnx_path, "a Piper voice", threads)  # has what of a session the package calls
        try:
            config = piper.PiperConfig.from_dict(json.loads(settings.read_text("utf-8")))
        except Exception as error:
            # the package raises whatever its reading of the settings runs into
            raise WeightsError(f"{settings}: settings of a Piper voice were expected: {error}") from error
        self._voice: Any = piper.PiperVoice(session=network, config=config)
        self.name = f"piper:{onnx_path.stem}"
        self.rate_hz = int(config.sample_rate)

    def speak(self, text: str) -> Iterator[FloatArray]:
        """Pieces of speech; none for text without a word."""
        for sentence in sentences(speakable(text)):
            for chunk in self._voice.synthesize(sentence):
                yield _levelled(chunk.audio_float_array)


class EspeakVoice:
    """espeak-ng as a subprocess a sentence.

    Raises:
        ConfigError: espeak-ng is not on the PATH.
    """

    def __init__(self, voice: str = "en-us", words_per_minute: int = 165) -> None:
        program = shutil.which("espeak-ng")
        if program is None:
            raise ConfigError("espeak-ng is not on the PATH: install it (apt install espeak-ng)")
        self._command = [program, "-v", voice, "-s", str(words_per_minute), "--stdin", "--stdout"]
        self.name = f"espeak-ng:{voice}"
        self.rate_hz = 22_050

    def speak(self, text: str) -> Iterator[FloatArray]:
        """Pieces of speech; none for text without a word.

        Raises:
            SoundflowError: espeak-ng failed, hung, or answered with something else than 16-bit mono at `rate_hz`.
        """
        for sentence in sentences(speakable(text)):
            try:
                done = subprocess.run(
                    self._command, input=sentence.encode(), capture_output=True, timeout=ESPEAK_TIMEOUT_S, check=True
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise SoundflowError(f"espeak-ng: {error}") from error
            yield _levelled(_wav(done.stdout, self.rate_hz))


def choose_voice(folder: Path | None) -> Voice | None:
    """The Piper voice in `folder`, else espeak-ng, else None; what was missed is logged as a warning."""
    reasons = []
    try:
        if folder is None:
            raise ConfigError("no Piper voice was given")
        found = sorted(folder.glob("*.onnx"))
        if not found:
            raise WeightsError(f"{folder}: no Piper voice (*.onnx); run `soundflow models pull nano`")
        return PiperVoice(found[0])
    except (ConfigError, WeightsError) as error:
        reasons.append(str(error))
    try:
        voice = EspeakVoice()
    except ConfigError as error:
        log.warning("no voice: %s; %s", reasons[0], error)
        return None
    log.warning("speaking with espeak-ng: %s", reasons[0])
    return voice


def _levelled(samples: FloatArray) -> FloatArray:
    peak = float(np.abs(samples).max(initial=0.0))
    scaled: FloatArray = (samples * (PEAK / max(peak, 1e-4))).astype(np.float32)
    return scaled


def _wav(raw: bytes, rate_hz: int) -> FloatArray:
    """Samples [N] of espeak-ng's streamed WAV, whose header does not know the length."""
    fmt, data = raw.find(b"fmt "), raw.find(b"data")
    if not raw.startswith(b"RIFF") or fmt < 0 or data < fmt or len(raw) < fmt + 24:
        raise SoundflowError(f"espeak-ng: expected a WAV, got {len(raw)} bytes that begin with {raw[:16]!r}")
    form, channels = (
        int.from_bytes(raw[fmt + 8 : fmt + 10], "little"),
        int.from_bytes(raw[fmt + 10 : fmt + 12], "little"),
    )
    rate, bits = int.from_bytes(raw[fmt + 12 : fmt + 16], "little"), int.from_bytes(raw[fmt + 22 : fmt + 24], "little")
    if (form, channels, rate, bits) != (1, 1, rate_hz, 16):
        raise SoundflowError(
            f"espeak-ng: expected 16-bit mono PCM at {rate_hz} Hz, got {bits} bits x {channels} at {rate} Hz"
        )
    body = raw[data + 8 :]
    return np.frombuffer(body[: len(body) // 2 * 2], "<i2").astype(np.float32) / 32768.0
