"""Sound encoder: AudioSet tag scores and embeddings of the newest audio, from YAMNet (TFLite, int8).

Window schedule: `windows` windows of 15,600 samples (0.975 s) a chunk, hop = chunk / windows, the last one ends where
the chunk ends. Look-ahead 0. Before the stream starts there are zeros.
"""

from __future__ import annotations

import os
import threading
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundflow.errors import AudioFormatError, ConfigError, WeightsError
from soundflow.types import FloatArray

WINDOW_SAMPLES = 15_600
TAGS = 521
EMBEDDING = 1024
_STDERR_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class SoundFrames:
    """The windows that ended in one chunk: `scores` [S, 521] in [0, 1] (int8 steps) and `embeddings` [S, 1024] >= 0."""

    scores: FloatArray
    embeddings: FloatArray


@dataclass(slots=True)
class SoundState:
    """`tail` [15600 - hop] holds the newest samples of the stream, zeros before it began."""

    tail: FloatArray

    def reset(self) -> None:
        """Make this state equal to a fresh one."""
        self.tail = np.zeros_like(self.tail)

    def snapshot(self) -> dict[str, Any]:
        """A copy that later steps do not change."""
        return {"tail": self.tail.copy()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to `snapshot`. ConfigError where it comes from another window schedule."""
        tail = np.asarray(snapshot["tail"], dtype=np.float32)
        if tail.shape != self.tail.shape:
            raise ConfigError(f"sound state: expected a tail of {self.tail.shape}, got {tail.shape}")
        self.tail = tail.copy()


class SoundEncoder:
    """YAMNet over a stream. One instance serves any number of streams and threads: it holds no stream state.

    Args:
        path: the TFLite file.
        chunk_samples: N, a multiple of `windows`; hop = N / windows may not pass 15,600.
        windows: S, windows a chunk.
    """

    def __init__(self, path: Path, chunk_samples: int, windows: int = 2) -> None:
        if windows < 1 or chunk_samples < 1 or chunk_samples % windows or chunk_samples // windows > WINDOW_SAMPLES:
            raise ConfigError(
                f"sound encoder: expected chunk_samples to be a multiple of windows with a hop of at most"
                f" {WINDOW_SAMPLES}, got chunk_samples={chunk_samples}, windows={windows}"
            )
        self.chunk_samples = chunk_samples
        self.windows = windows
        self.hop = chunk_samples // windows
        self._lock = threading.Lock()
        self._interpreter = _interpreter(path)
        self._input, self._output, self._embedding, self._scale, self._zero = _tensors(self._interpreter, path)

    def init_state(self) -> SoundState:
        """State of a stream that has not begun."""
        return SoundState(np.zeros(WINDOW_SAMPLES - self.hop, np.float32))

    def step(self, samples: FloatArray, state: SoundState) -> SoundFrames:
        """Encode the windows that end in this chunk.

        Args:
            samples: [N] float32 in [-1, 1], mono 16 kHz, N = `chunk_samples`.
            state: updated in place.
        """
        if samples.shape != (self.chunk_samples,):
            raise AudioFormatError(f"sound encoder: expected a chunk of [{self.chunk_samples}], got {samples.shape}")
        audio = np.concatenate([state.tail, samples.astype(np.float32, copy=False)])
        pairs = [self.window(audio[s * self.hop : s * self.hop + WINDOW_SAMPLES]) for s in range(self.windows)]
        state.tail = audio[len(samples) :].copy()
        return SoundFrames(np.stack([p[0] for p in pairs]), np.stack([p[1] for p in pairs]))

    def window(self, samples: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Scores [521] and embedding [1024] of one window [15600]."""
        with self._lock:
            self._interpreter.set_tensor(self._input, np.ascontiguousarray(samples, dtype=np.float32))
            self._interpreter.invoke()
            scores: FloatArray = self._interpreter.get_tensor(self._output)[0].astype(np.float32)
            steps: NDArray[Any] = self._interpreter.get_tensor(self._embedding).reshape(EMBEDDING)
        return scores, (steps.astype(np.float32) - np.float32(self._zero)) * np.float32(self._scale)


def labels(path: Path) -> tuple[str, ...]:
    """The 521 AudioSet display names, in the order of the scores, out of the zip at the end of the TFLite file."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".txt")]
            text = archive.read(names[0]).decode("utf-8") if names else ""
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise WeightsError(f"{path}: expected a TFLite file with its label list zipped inside: {error}") from error
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    if len(found) != TAGS or len(set(found)) != TAGS:
        raise WeightsError(f"{path}: expected {TAGS} distinct labels, got {len(found)} ({len(set(found))} distinct)")
    return found


def _interpreter(path: Path) -> Any:
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; run `soundflow models pull nano`")
    from ai_edge_litert.interpreter import Interpreter

    try:
        with warnings.catch_warnings(), _native_stderr_muted():
            # It warns that keeping all tensors is for debugging. The embedding is one of them: 2 MB more, no time.
            warnings.simplefilter("ignore")
            interpreter = Interpreter(str(path), num_threads=1, experimental_preserve_all_tensors=True)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise WeightsError(f"{path}: expected a TFLite model: {error}") from error
    return interpreter


def _tensors(interpreter: Any, path: Path) -> tuple[int, int, int, float, int]:
    """Indices of input, scores and embedding, and the embedding's scale and zero point."""
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    means = [
        tensor
        for tensor in interpreter.get_tensor_details()
        if tuple(tensor["shape"]) == (1, 1, 1, EMBEDDING) and "mean" in tensor["name"]
    ]
    shapes = [tuple(t["shape"]) for t in (*inputs, *outputs)]
    if shapes != [(WINDOW_SAMPLES,), (1, TAGS)] or len(means) != 1:
        raise WeightsError(
            f"{path}: expected YAMNet ([{WINDOW_SAMPLES}] -> [1, {TAGS}], one pooled [1, 1, 1, {EMBEDDING}]),"
            f" got {shapes} and {len(means)} pooled tensors"
        )
    scale, zero = means[0]["quantization"]
    return inputs[0]["index"], outputs[0]["index"], means[0]["index"], float(scale) or 1.0, int(zero)


@contextmanager
def _native_stderr_muted() -> Iterator[None]:
    """Hide the line that the XNNPACK delegate prints from C++ (it has no switch); Python errors still come out."""
    with _STDERR_LOCK:
        try:
            saved = os.dup(2)
        except OSError:  # no stderr at all, for example under a service manager
            yield
            return
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(null)
