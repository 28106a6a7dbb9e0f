"""The system's own voice, taken out of the microphone: WebRTC's echo canceller, then a gate for what it leaves behind.

The gate learns, in 19 frequency bands, how power of the reference arrives at the microphone within 320 ms (a FIR of
powers, by NLMS: delay, room decay and loudspeaker colour need no setting). What is left and no louder than that
prediction is turned down; a person, louder than it in at least some bands, passes. Upward learning is slow, so that
somebody talking over the reply is not learnt as echo. Without the package `livekit` the gate works alone, which lowers
the echo but still lets most false speech starts through: `EchoCanceller.cancels` tells.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import AudioFormatError
from soundflow.types import FloatArray

FRAME = SAMPLE_RATE_HZ // 100  # 10 ms, the only frame that WebRTC takes
DELAY_SAMPLES = 2 * FRAME  # output = input this much later: one frame of framing, one of overlap-add
TAPS = 32  # frames of reference history: 320 ms of sound card delay and room
BANDS = 20

_START_GAIN = 10**-2.0  # a first guess of the echo path, -20 dB in power
_STEP = 0.3
_STEP_UP = 0.05  # of the prediction and frame at most: +10 dB takes about half a second
_MARGIN = 4.0  # residual up to 6 dB over the prediction is echo
_FLOOR = 0.1  # amplitude: -20 dB
_SILENT_POWER = 1e-9  # mean square of a band that counts as no reference

log = logging.getLogger(__name__)


class ResidualGate:
    """Turns down what the reference explains; sqrt-Hann frames of 20 ms every 10 ms."""

    def __init__(self) -> None:
        size = 2 * FRAME
        self._window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)
        edges = np.unique(np.concatenate([[0], np.round(np.geomspace(2, FRAME + 1, BANDS)).astype(int)]))
        self._starts = edges[:-1]
        self._band = np.repeat(np.arange(len(edges) - 1), np.diff(edges))  # bin -> band
        self._scale = 1.0 / (size * FRAME)
        self.reset()

    def reset(self) -> None:
        """Forget the room and the signal."""
        bands = len(self._starts)
        decay = 10 ** (-0.2 * np.arange(TAPS))
        self._path: NDArray[np.float64] = np.tile(_START_GAIN * decay / decay.sum(), (bands, 1))
        self._history: NDArray[np.float64] = np.zeros((bands, TAPS))
        self._past: NDArray[np.float32] = np.zeros((3, FRAME), np.float32)
        self._tail: NDArray[np.float32] = np.zeros(FRAME, np.float32)
        self._gain: NDArray[np.float64] = np.ones(bands)

    def step(self, mic: FloatArray, reference: FloatArray, cancelled: FloatArray) -> FloatArray:
        """One frame: each argument [160]; returns [160], one frame late."""
        now = np.stack([mic, reference, cancelled])
        spectra = np.fft.rfft(np.concatenate([self._past, now], axis=1) * self._window, axis=1)
        self._past = now
        power = np.add.reduceat(np.abs(spectra) ** 2, self._starts, axis=1) * self._scale
        self._history[:, 1:] = self._history[:, :-1]
        self._history[:, 0] = power[1]
        predicted = (self._path * self._history).sum(axis=1)
        self._learn(power[0], predicted)
        wanted = np.sqrt(np.clip(1.0 - _MARGIN * predicted / (power[2] + 1e-12), _FLOOR**2, 1.0))
        wanted[predicted < 1e-10] = 1.0
        self._gain = np.where(wanted > self._gain, 0.5 * self._gain + 0.5 * wanted, wanted)
        frame = np.fft.irfft(spectra[2] * self._gain[self._band]).astype(np.float32) * self._window
        out: FloatArray = self._tail + frame[:FRAME]
        self._tail = frame[FRAME:]
        return out

    def _learn(self, mic: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
        energy = (self._history**2).sum(axis=1)
        active = energy > _SILENT_POWER**2
        error = np.minimum(_STEP * (mic - predicted), _STEP_UP * predicted)
        step = np.where(active, error / (energy + 1e-20), 0.0)
        self._path = np.clip(self._path + step[:, None] * self._history, 1e-8, 10.0)


class EchoCanceller:
    """Streaming echo cancellation of one microphone, 16 kHz mono, any block length.

    The output is the input `DELAY_SAMPLES` later. `reference` is what the loudspeaker was given at that time, zeros
    where it was silent; the sound may arrive up to 320 ms late.

    Args:
        cancel: False leaves WebRTC out.
    """

    def __init__(self, cancel: bool = True) -> None:
        self.cancels = cancel and _apm() is not None
        if cancel and not self.cancels:
            log.warning("livekit is not installed: echo is only gated, not cancelled (pip install 'soundflow[voice]')")
        self._gate = ResidualGate()
        self.reset()

    @property
    def waiting(self) -> int:
        """Samples held inside."""
        return int(self._in.shape[1]) + len(self._out)

    def reset(self) -> None:
        """Start anew: the room is learnt again, kept samples are dropped."""
        self._apm = _apm() if self.cancels else None
        self._gate.reset()
        self._in: NDArray[np.float32] = np.zeros((2, 0), np.float32)
        self._out: FloatArray = np.zeros(FRAME, np.float32)

    def process(self, mic: FloatArray, reference: FloatArray) -> FloatArray:
        """Take the reference out of the microphone.

        Args:
            mic: [N] float32 in [-1, 1].
            reference: [N] float32 in [-1, 1], played at the same time.

        Returns:
            [N] float32, `DELAY_SAMPLES` late.

        Raises:
            AudioFormatError: not two one-dimensional blocks of the same length, or not finite.
        """
        if mic.ndim != 1 or mic.shape != reference.shape:
            raise AudioFormatError(
                f"EchoCanceller.process: expected two blocks [N], got {mic.shape} and {reference.shape}"
            )
        if not (np.isfinite(mic).all() and np.isfinite(reference).all()):
            raise AudioFormatError("EchoCanceller.process: expected finite samples, got NaN or infinity")
        waiting = np.concatenate([self._in, np.stack([mic, reference]).astype(np.float32)], axis=1)
        frames = waiting.shape[1] // FRAME
        done = [self._out]
        for k in range(frames):
            near, far = waiting[:, k * FRAME : (k + 1) * FRAME]
            done.append(self._gate.step(near, far, self._cancel(near, far)))
        self._in = waiting[:, frames * FRAME :]
        ready = np.concatenate(done)
        self._out = ready[len(mic) :]
        return ready[: len(mic)]

    def _cancel(self, near: FloatArray, far: FloatArray) -> FloatArray:
        if self._apm is None:
            return near
        self._apm.process_reverse_stream(_frame(far))
        frame = _frame(near)
        self._apm.process_stream(frame)
        return np.frombuffer(frame.data, np.int16).astype(np.float32) / 32768.0


def _apm() -> Any:
    """A fresh WebRTC audio processing module, or None without the package."""
    try:
        from livekit import rtc
    except ImportError:
        return None
    return rtc.AudioProcessingModule(echo_cancellation=True)


def _frame(samples: FloatArray) -> Any:
    from livekit import rtc

    pcm = np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)
    return rtc.AudioFrame(bytearray(pcm.tobytes()), SAMPLE_RATE_HZ, 1, FRAME)
