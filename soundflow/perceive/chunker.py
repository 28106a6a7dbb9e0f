"""Any slicing of 16 kHz mono samples -> chunks of one size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from soundflow.errors import AudioFormatError, ConfigError, StreamClosedError
from soundflow.types import AudioChunk, FloatArray


class Chunker:
    """Holds less than one chunk. Chunks count from 0 and follow each other without a gap.

    Args:
        size: samples a chunk.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ConfigError(f"chunker: expected a chunk size of at least 1 sample, got {size}")
        self.size = size
        self._buffer = np.zeros(size, np.float32)
        self._filled = 0
        self._next = 0
        self._closed = False

    @property
    def position(self) -> int:
        """Samples taken so far."""
        return self._next * self.size + self._filled

    def push(self, samples: FloatArray) -> list[AudioChunk]:
        """Take [n] samples and give the chunks that they complete. What passes [-1, 1] is clipped.

        Raises:
            AudioFormatError: not one dimension of numbers, or NaN or infinity, with its sample. Nothing is taken then.
            StreamClosedError: after `flush`.
        """
        if self._closed:
            raise StreamClosedError(f"chunker: the stream was closed at sample {self.position}")
        if samples.ndim != 1 or samples.dtype.kind != "f":
            raise AudioFormatError(f"chunker: expected float samples [n], got {samples.dtype} {samples.shape}")
        finite = np.isfinite(samples)
        if not finite.all():
            at = int(np.argmin(finite))
            raise AudioFormatError(f"chunker: expected finite samples, got {samples[at]} at {self.position + at}")
        samples = np.clip(samples, -1.0, 1.0).astype(np.float32, copy=False)
        chunks: list[AudioChunk] = []
        taken = 0
        while taken < len(samples):
            count = min(self.size - self._filled, len(samples) - taken)
            self._buffer[self._filled : self._filled + count] = samples[taken : taken + count]
            self._filled += count
            taken += count
            if self._filled == self.size:
                chunks.append(self._emit())
        return chunks

    def clear(self) -> None:
        """Forget the samples that make no chunk yet."""
        self._filled = 0

    def start_at(self, index: int) -> None:
        """The next chunk is the one of this index; what was held is forgotten."""
        self._next, self._filled = index, 0

    def flush(self) -> AudioChunk | None:
        """Close the stream; the last chunk, zero-padded, or None where the audio ended on an edge."""
        if self._closed:
            raise StreamClosedError(f"chunker: the stream was closed at sample {self.position}")
        chunk = self._emit() if self._filled else None
        self._closed = True
        return chunk

    def snapshot(self) -> dict[str, Any]:
        """A copy that later pushes do not change."""
        return {"next": self._next, "rest": self._buffer[: self._filled].copy(), "closed": self._closed}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to `snapshot`, of a chunker of the same size."""
        rest = np.asarray(snapshot["rest"], np.float32)
        if rest.ndim != 1 or len(rest) >= self.size:
            raise ConfigError(f"chunker: expected a rest of less than {self.size} samples, got {rest.shape}")
        self._next, self._closed = int(snapshot["next"]), bool(snapshot["closed"])
        self._buffer[:] = 0.0
        self._buffer[: len(rest)] = rest
        self._filled = len(rest)

    def _emit(self) -> AudioChunk:
        chunk = AudioChunk(self._next, self._next * self.size, self._buffer)
        self._buffer = np.zeros(self.size, np.float32)
        self._filled = 0
        self._next += 1
        return chunk
