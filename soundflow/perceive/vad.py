"""Voice activity: Silero (ONNX) over 512-sample windows, and the edges of speech found by hysteresis.

Windows do not divide a chunk (6,400 = 12.5 windows): the rest is carried. Look-ahead 0, but an edge is only known after
`start_windows` or `stop_ms`, and is then reported back-dated to where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import AudioFormatError, ConfigError, WeightsError
from soundflow.onnx import Network
from soundflow.types import AudioChunk, FloatArray, Vad

WINDOW_SAMPLES = 512
CONTEXT_SAMPLES = 64
_HIDDEN = (2, 1, 128)


@dataclass(frozen=True, slots=True)
class VadConfig:
    """Speech starts at `start_windows` windows running of p >= `start_p`, stops after `stop_ms` of p < `stop_p`."""

    start_p: float = 0.5
    stop_p: float = 0.35
    start_windows: int = 2
    stop_ms: int = 480

    def __post_init__(self) -> None:
        if not 0.0 < self.stop_p <= self.start_p < 1.0:
            raise ConfigError(f"vad: expected 0 < stop_p <= start_p < 1, got {self.stop_p} and {self.start_p}")
        if self.start_windows < 1 or self.stop_ms < 1:
            raise ConfigError(f"vad: expected start_windows and stop_ms >= 1, got {self.start_windows}, {self.stop_ms}")

    @property
    def stop_windows(self) -> int:
        """`stop_ms` in whole windows, rounded up."""
        return -(-self.stop_ms * SAMPLE_RATE_HZ // (1000 * WINDOW_SAMPLES))


@dataclass(slots=True)
class VadState:
    """Of one stream: network state, carried samples, and the hysteresis.

    `position` is the sample up to which audio was taken; `run` counts the windows that ask to change `speaking`.
    """

    position: int = 0
    hidden: FloatArray = field(default_factory=lambda: np.zeros(_HIDDEN, np.float32))
    context: FloatArray = field(default_factory=lambda: np.zeros(CONTEXT_SAMPLES, np.float32))
    rest: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    speaking: bool = False
    run: int = 0

    def reset(self) -> None:
        """Make this state equal to a fresh one."""
        self.restore(VadState().snapshot())

    def snapshot(self) -> dict[str, Any]:
        """A copy that later steps do not change."""
        return {
            "position": self.position,
            "hidden": self.hidden.copy(),
            "context": self.context.copy(),
            "rest": self.rest.copy(),
            "speaking": self.speaking,
            "run": self.run,
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to `snapshot`."""
        self.position = int(snapshot["position"])
        self.hidden = np.array(snapshot["hidden"], np.float32)
        self.context = np.array(snapshot["context"], np.float32)
        self.rest = np.array(snapshot["rest"], np.float32)
        self.speaking = bool(snapshot["speaking"])
        self.run = int(snapshot["run"])


class VoiceActivity:
    """Silero over a stream. Holds no stream state, so that one instance serves any number of streams and threads."""

    def __init__(self, path: Path, config: VadConfig | None = None) -> None:
        self.config = config or VadConfig()
        self._network = _network(path)
        self._rate: NDArray[np.int64] = np.array(SAMPLE_RATE_HZ, np.int64)

    def init_state(self, start_sample: int = 0) -> VadState:
        """State of a stream whose first chunk starts at `start_sample`."""
        return VadState(position=start_sample)

    def step(self, chunk: AudioChunk, state: VadState) -> Vad:
        """Voice activity of one chunk; `speaking` is as it stands at its end.

        `started` and `stopped` may lie before this chunk, never after its end. Both are set where a pause ended in the
        chunk in which it was found (stopped < started). In a chunk longer than `stop_ms` the first start and the last
        stop are kept.

        Raises:
            AudioFormatError: the chunk does not follow the one before.
        """
        return self.step_rows([chunk], [state])[0]

    def step_rows(self, chunks: Sequence[AudioChunk], states: Sequence[VadState]) -> list[Vad]:
        """`step` for a chunk of many streams, window by window in one batch; states in the order of the chunks."""
        rows = [_Windows(chunk, state) for chunk, state in zip(chunks, states, strict=True)]
        for k in range(max((row.count for row in rows), default=0)):
            self._window([row for row in rows if row.count > k], k)
        return [row.end(self.config) for row in rows]

    def _window(self, rows: Sequence[_Windows], k: int) -> None:
        """Window k of all rows; moves `hidden` and `context` on."""
        samples = [row.audio[k * WINDOW_SAMPLES : (k + 1) * WINDOW_SAMPLES] for row in rows]
        inputs = {
            "input": np.stack([np.concatenate([r.state.context, x]) for r, x in zip(rows, samples, strict=True)]),
            "state": np.concatenate([row.state.hidden for row in rows], axis=1),
            "sr": self._rate,
        }
        probs, hidden = self._network.run(None, inputs)
        for j, (row, x) in enumerate(zip(rows, samples, strict=True)):
            row.state.hidden, row.state.context = hidden[:, j : j + 1].copy(), x[-CONTEXT_SAMPLES:].copy()
            row.probs.append(float(probs[j, 0]))


class _Windows:
    """The whole windows that end in one chunk of a stream."""

    def __init__(self, chunk: AudioChunk, state: VadState) -> None:
        if chunk.start_sample != state.position:
            raise AudioFormatError(f"vad: expected a chunk from sample {state.position}, got {chunk.start_sample}")
        self.state, self.probs = state, list[float]()
        self.audio = np.concatenate([state.rest, chunk.samples.astype(np.float32, copy=False)])
        self.count = len(self.audio) // WINDOW_SAMPLES
        self._start, self._end = state.position - len(state.rest), chunk.end_sample

    def end(self, config: VadConfig) -> Vad:
        """Find the edges, and keep what is left for the next chunk."""
        state = self.state
        started: int | None = None
        stopped: int | None = None
        for i, p in enumerate(self.probs):
            if edge(p, state, config):
                begun = config.start_windows if state.speaking else config.stop_windows
                at = self._start + (i + 1 - begun) * WINDOW_SAMPLES
                if state.speaking:
                    started = at if started is None else started
                else:
                    stopped = at
        state.rest = self.audio[self.count * WINDOW_SAMPLES :].copy()
        state.position = self._end
        return Vad(tuple(self.probs), state.speaking, started, stopped)


def edge(p: float, state: VadState, config: VadConfig) -> bool:
    """Move the hysteresis on by one window. True where `state.speaking` changed."""
    against = p < config.stop_p if state.speaking else p >= config.start_p
    state.run = state.run + 1 if against else 0
    if state.run < (config.stop_windows if state.speaking else config.start_windows):
        return False
    state.speaking, state.run = not state.speaking, 0
    return True


def _network(path: Path) -> Network:
    found = Network(path, "Silero's voice activity", arena="kept")
    if found.inputs != ("input", "state", "sr"):
        raise WeightsError(f"{path}: expected Silero with inputs input, state, sr, got {', '.join(found.inputs)}")
    return found
