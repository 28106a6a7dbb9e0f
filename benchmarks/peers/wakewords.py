"""openWakeWord 0.5.1 (Scripka; code Apache-2.0, **models CC BY-NC-SA 4.0: non-commercial**): a reply to a wake word.

Its ONNX files run under ONNX Runtime without importing the package, whose imports ask for scikit-learn and
tflite-runtime. The stream as its README describes it: 80 ms of 16-bit samples -> 8 mel frames (x / 10 + 2) -> one 96-d
embedding of the newest 76 frames (Lin et al. 2020, arXiv 2002.01322) -> each word's classifier over the newest
embeddings. As there, a stream begins with the embeddings of 4 s of noise. There the first five scores count as 0; here
a word's do until all that it looks at is of the stream (2 to 3.4 s): "alexa" was found in that mixture in one
recording in ten.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.peers import catalog
from benchmarks.peers.listener import PeerListener, decided, said
from benchmarks.systems import CHUNK_MS, Ask, Listener, Setup
from soundflow.clock import chunk_samples
from soundflow.errors import ConfigError
from soundflow.events import Event
from soundflow.types import AudioChunk, FloatArray

NAME = "openwakeword"
THRESHOLD: Final = 0.5
"""As its README has it."""
HOLD_CHUNKS: Final = 5
STEP: Final = 1280
BEHIND: Final = 480
MELS: Final = 76
FIRST: Final = 9
"""Passes of 8 frames until the newest 76 are all of the stream."""
OTHER_FILES: Final = frozenset({"embedding_model", "melspectrogram", "silero_vad"})


def build(name: str, setup: Setup) -> WakeWords:
    return WakeWords(catalog.folder(NAME, "openwakeword") / "resources" / "models")


class WakeWords:
    """The models of one folder; every .onnx there that is not a shared part is a wake word."""

    name = NAME

    def __init__(self, folder: Path, chunk_ms: int = CHUNK_MS) -> None:
        self.chunk = chunk_samples(chunk_ms)
        self.mels = _open(folder / "melspectrogram.onnx")
        self.embedding = _open(folder / "embedding_model.onnx")
        words = sorted(p for p in folder.glob("*.onnx") if p.stem not in OTHER_FILES)
        if not words:
            raise ConfigError(
                f"system {NAME}: wake words (*.onnx) were expected in {folder}; later versions carry none:"
                f" pip install {catalog.BY_NAME[NAME].install}"
            )
        self.words = {p.stem.rpartition("_v")[0] or p.stem: _open(p) for p in words}
        self.looks = {name: int(s.get_inputs()[0].shape[1]) for name, s in self.words.items()}  # embeddings
        noise = np.random.default_rng(0).integers(-1000, 1000, 4 * 16_000).astype(np.float32)
        frames = self.mel_frames(noise)
        windows = np.stack([frames[i : i + MELS] for i in range(0, len(frames) - MELS + 1, 8)])
        self.first: FloatArray = self.embed(windows)

    def mel_frames(self, samples: FloatArray) -> FloatArray:
        """[n] 16-bit values -> [F, 32]."""
        out: FloatArray = self.mels.run(None, {"input": samples[None]})[0].reshape(-1, 32)
        return (out / 10 + 2).astype(np.float32)

    def embed(self, windows: FloatArray) -> FloatArray:
        """[B, 76, 32] -> [B, 96]."""
        out: FloatArray = self.embedding.run(None, {"input_1": windows[..., None].astype(np.float32)})[0]
        return out.reshape(len(windows), 96)

    def open(self, ask: Ask) -> Listener:
        return _Stream(self)


class _Stream(PeerListener):
    def __init__(self, parts: WakeWords) -> None:
        super().__init__(NAME, parts.chunk)
        self._parts, self._until, self._passes = parts, 0, 0
        self._tail = np.zeros(0, np.float32)
        self._rest = np.zeros(0, np.float32)
        self._frames = np.ones((MELS, 32), np.float32)
        self._features = parts.first[-120:]

    def hear(self, chunk: AudioChunk) -> list[Event]:
        self._rest = np.concatenate([self._rest, np.round(chunk.samples * 32767.0).astype(np.float32)])
        best, word = 0.0, ""
        while len(self._rest) >= STEP:
            piece, self._rest = self._rest[:STEP], self._rest[STEP:]
            scores = self._scores(piece)
            self._passes += 1
            known = [(p, name) for name, p in scores.items() if self._passes >= FIRST + self._parts.looks[name]]
            best, word = max([(best, word), *known])
        fires = best >= THRESHOLD and chunk.index >= self._until
        self.topics.append(word.replace("_", " ") if best >= THRESHOLD else "")
        events: list[Event] = [decided(chunk, best, fires)]
        if fires:
            self._until = chunk.index + 1 + HOLD_CHUNKS
            events += said(chunk, "Yes?")
        return events

    def _scores(self, piece: FloatArray) -> dict[str, float]:
        """Word -> p behind 80 ms more."""
        heard = np.concatenate([self._tail, piece])
        self._tail = heard[-BEHIND:]
        self._frames = np.concatenate([self._frames, self._parts.mel_frames(heard)])[-MELS:]
        self._features = np.concatenate([self._features, self._parts.embed(self._frames[None])])[-120:]
        return {name: _run(session, self._features) for name, session in self._parts.words.items()}


def _run(session: Any, features: FloatArray) -> float:
    """p of one model; of one with several classes the best that says something (its output's name lists them)."""
    given = session.get_inputs()[0]
    out = session.run(None, {given.name: features[None, -given.shape[1] :].astype(np.float32)})[0][0]
    name = session.get_outputs()[0].name
    listed = [int(k) for k in ast.literal_eval(name)] if name.startswith("{") else range(len(out))
    return float(max(out[k] for k in listed))


def _open(path: Path) -> Any:
    import onnxruntime

    if not path.is_file():
        raise ConfigError(f"system {NAME}: {path} was expected; pip install {catalog.BY_NAME[NAME].install}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
