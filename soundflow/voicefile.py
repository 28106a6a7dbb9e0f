"""`--voice OUT.wav`: what was heard and what was answered, on one time axis, written while it happens."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import AudioFormatError, ConfigError
from soundflow.types import FloatArray

DUCK = 0.5  # -6 dB
_RAMP = SAMPLE_RATE_HZ // 20
_JOIN = SAMPLE_RATE_HZ // 10
_BLOCK = SAMPLE_RATE_HZ


class VoiceFile:
    """Mono 16 kHz WAV: the input, 6 dB down under the voice, plus the voice.

    The newest `hold_s` of input and the voice that is still to be heard (at most `ahead_s`, the rest is dropped and
    counted) wait in memory, so that voice cut by a barge-in never reaches the file.
    """

    def __init__(self, path: Path, hold_s: float = 2.0, ahead_s: float = 120.0, limit_s: float = 36 * 3600.0) -> None:
        try:
            self._file = soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, subtype="PCM_16", format="WAV")
        except (OSError, soundfile.LibsndfileError) as error:
            raise ConfigError(f"--voice {path}: cannot be written: {error}") from error
        self._hold = int(hold_s * SAMPLE_RATE_HZ)
        self._ahead = int(ahead_s * SAMPLE_RATE_HZ)
        self._limit = int(limit_s * SAMPLE_RATE_HZ)
        self._input: FloatArray = np.zeros(0, np.float32)
        self._voice: FloatArray = np.zeros(0, np.float32)  # from sample `_written` on
        self._mask: FloatArray = np.zeros(0, np.float32)  # 1 where the voice speaks
        self._ramp_tail: FloatArray = np.zeros(_RAMP, np.float32)
        self._written = 0
        self._utterance: _Utterance | None = None
        self.dropped_samples = 0

    def __enter__(self) -> VoiceFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def heard(self, pcm: FloatArray) -> None:
        """Append input [n], mono 16 kHz."""
        self._input = np.concatenate([self._input, pcm])
        if len(self._input) >= self._hold + _BLOCK:
            self._write(len(self._input) - self._hold)

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None:
        """Place `audio` [n] at `sample` of the stream, or right behind the voice before it where they would overlap."""
        last = self._utterance
        if last is None or last.rate_hz != rate_hz or sample > last.end + _JOIN:
            self._finish_utterance()
            after = last.end if last else 0
            last = self._utterance = _Utterance(rate_hz, max(sample, after, self._written))
        self._place(last, last.push(audio))

    def on_voice_cancelled(self, sample: int) -> None:
        """Forget all voice from `sample` on; what is left fades out over its last 10 ms."""
        self._utterance = None
        keep = max(0, sample - self._written)
        if keep >= len(self._voice):
            return
        self._voice, self._mask = self._voice[:keep].copy(), self._mask[:keep]
        fade = min(keep, SAMPLE_RATE_HZ // 100)
        if fade:
            self._voice[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)

    def close(self) -> None:
        """Write what is left, the rest of the voice behind the end of the input included. Safe to call twice."""
        if self._file.closed:
            return
        try:
            self._finish_utterance()
            self._write(max(len(self._input), len(self._voice)))
        finally:
            self._file.close()

    def _finish_utterance(self) -> None:
        last, self._utterance = self._utterance, None
        if last and last.end >= self._written:
            self._place(last, last.flush())

    def _place(self, utterance: _Utterance, audio: FloatArray) -> None:
        start = max(0, utterance.end - self._written)
        room = self._ahead - start
        if len(audio) > room:
            self.dropped_samples += len(audio) - max(0, room)
            audio = audio[: max(0, room)]
        stop = start + len(audio)
        if stop > len(self._voice):
            grow = np.zeros(stop - len(self._voice), np.float32)
            self._voice, self._mask = np.concatenate([self._voice, grow]), np.concatenate([self._mask, grow])
        self._voice[start:stop] += audio
        self._mask[start:stop] = 1.0
        utterance.end = self._written + stop

    def _write(self, count: int) -> None:
        if count <= 0:
            return
        heard, self._input = _take(self._input, count)
        voice, self._voice = _take(self._voice, count)
        mask, self._mask = _take(self._mask, count)
        padded = np.concatenate([self._ramp_tail, mask])
        total = np.concatenate([[0.0], np.cumsum(padded, dtype=np.float64)])
        share = (total[_RAMP + 1 :] - total[1:-_RAMP]) / _RAMP
        self._ramp_tail = padded[-_RAMP:]
        mix = heard * (1.0 - (1.0 - DUCK) * share) + voice
        fits = max(0, min(count, self._limit - self._written))
        try:
            self._file.write(np.clip(mix[:fits], -1.0, 1.0).astype(np.float32))
        except (OSError, soundfile.LibsndfileError) as error:
            raise AudioFormatError(f"--voice {self._file.name}: cannot be written any further: {error}") from error
        self._written += count
        self.dropped_samples += count - fits


class _Utterance:
    """Voice that plays without a break; `end` is the sample of the stream at which its next sample goes."""

    def __init__(self, rate_hz: int, start: int) -> None:
        from soundflow.perceive.resample import StreamResampler

        self.rate_hz = rate_hz
        self.end = start
        self._resampler = StreamResampler(rate_hz)

    def push(self, audio: FloatArray) -> FloatArray:
        return self._resampler.push(audio)

    def flush(self) -> FloatArray:
        return self._resampler.flush()


def _take(buffer: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """The first `count` samples, zero-padded, and the rest."""
    head = buffer[:count]
    if len(head) < count:
        head = np.concatenate([head, np.zeros(count - len(head), np.float32)])
    return head, buffer[count:].copy()
