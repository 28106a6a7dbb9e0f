"""Windows of the alert branch, drawn out of composed streams: answered sounds, benign sounds, and all the rest."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile as sf
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from soundflow.errors import DataError
from soundflow.perceive.yamnet import WINDOW_SAMPLES
from soundflow.types import FloatArray
from training.features import read_shard

ALERTS: Final = 0.45
"""Share of windows in which something is to be answered."""
BENIGN: Final = 0.30
MUSIC: Final = 0.30  # of the benign ones
HEARD: Final = 4800  # samples of a sound, at least, in a window that counts as holding it
BEHIND: Final = 8000  # a window may end this long after the sound

Event = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Batch:
    """`audio` [B, 15600], `alert` [B] of 0 and 1, `label` [B]: number of the class that sounds, -1 where none does."""

    audio: Tensor
    alert: Tensor
    label: Tensor


class Windows:
    """Draws batches from the streams of `folders` (shards of `soundflow data build`), held as int16.

    A window is answered if it holds 0.3 s of a sound that the corpus answers (all of a shorter one). One that holds a
    part of a sound whose answer depends on context is never drawn as unanswered.

    Raises:
        DataError: no shards, or none of one of the two sides.
    """

    def __init__(self, folders: Sequence[Path], seed: int, second_sound: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.second_sound = second_sound
        self.streams: list[tuple[NDArray[np.int16], list[dict[str, Any]]]] = []
        for folder in folders:
            for shard in sorted(folder.glob("*.tar")):
                for sample, flac in read_shard(shard):
                    audio, _ = sf.read(io.BytesIO(flac), dtype="int16")
                    self.streams.append((audio, sample["events"]))
        self.answered: dict[str, list[Event]] = {}
        self.benign: dict[str, list[Event]] = {}
        for number, (_, events) in enumerate(self.streams):
            for event in events:
                side = {"yes": self.answered, "no": self.benign}.get(event["respond"])
                if side is not None:
                    side.setdefault(event["label"], []).append((number, event))
        if not self.answered or not self.benign:
            raise DataError(f"{[str(f) for f in folders]}: shards with answered and with benign sounds were expected")
        self.labels = sorted({*self.answered, *self.benign})

    def batch(self, size: int) -> Batch:
        """A share of windows gets a second, unanswered one 3 to 25 dB under it; levels vary by -12 to +6 dB."""
        drawn = [self._draw() for _ in range(size)]
        audio = np.stack([d[0] for d in drawn])
        quiet = [i for i, d in enumerate(drawn) if not d[1]]
        for i in range(size):
            if quiet and self.rng.random() < self.second_sound:
                other = audio[quiet[int(self.rng.integers(len(quiet)))]]
                gain = _rms(audio[i]) / _rms(other) * 10 ** (-self.rng.uniform(3, 25) / 20)
                audio[i] = audio[i] + other * np.float32(gain)
            audio[i] *= np.float32(10 ** (self.rng.uniform(-12, 6) / 20))
        alert = torch.tensor([float(d[1]) for d in drawn])
        return Batch(torch.from_numpy(audio), alert, torch.tensor([d[2] for d in drawn]))

    def _draw(self) -> tuple[FloatArray, bool, int]:
        while True:
            share = self.rng.random()
            if share < ALERTS:
                number, event = self._of(self.answered, self._label(self.answered))
                onset, offset = int(event["onset"]), int(event["offset"])
                need = min(HEARD, offset - onset)
                last = min(offset + BEHIND, len(self.streams[number][0]))
                if last >= onset + need:
                    end = int(self.rng.integers(onset + need, last + 1))
                    return self._cut(number, end), True, self.labels.index(event["label"])
                continue
            if share < ALERTS + BENIGN:
                music = "music" in self.benign and self.rng.random() < MUSIC
                number, event = self._of(self.benign, "music" if music else self._label(self.benign))
                onset, offset = int(event["onset"]), int(event["offset"])
                end = int(self.rng.integers(onset + min(HEARD // 2, offset - onset), offset + BEHIND + 1))
                label = self.labels.index(event["label"])
            else:
                number, label = int(self.rng.integers(len(self.streams))), -1
                end = int(self.rng.integers(HEARD, len(self.streams[number][0]) + 1))
            end = min(end, len(self.streams[number][0]))
            if not self._holds_other(number, end):
                return self._cut(number, end), False, label

    def _label(self, side: dict[str, list[Event]]) -> str:
        names = sorted(side)
        return names[int(self.rng.integers(len(names)))]

    def _of(self, side: dict[str, list[Event]], label: str) -> Event:
        return side[label][int(self.rng.integers(len(side[label])))]

    def _holds_other(self, number: int, end: int) -> bool:
        """Whether a part of a sound that is, or may have to be, answered lies in the window."""
        events = self.streams[number][1]
        return any(e["respond"] != "no" and e["onset"] < end and e["offset"] > end - WINDOW_SAMPLES for e in events)

    def _cut(self, number: int, end: int) -> FloatArray:
        audio = self.streams[number][0][max(0, end - WINDOW_SAMPLES) : end].astype(np.float32) / 32768.0
        return np.pad(audio, (WINDOW_SAMPLES - len(audio), 0))


def disturbed(mel: Tensor, rng: np.random.Generator) -> Tensor:
    """Log-mel [B, 96, 64] as other rooms and microphones would give it, in place.

    A smooth random equaliser, a shift of up to 4 mel bands, and masks over bands and frames (Park et al. 2019,
    SpecAugment, arXiv 1904.08779).
    """
    count, frames, bands = mel.shape
    curve = torch.from_numpy(rng.normal(0.0, 0.5, (count, 1, 6)).astype(np.float32))
    mel += F.interpolate(curve, bands, mode="linear", align_corners=True)
    for one in mel:
        shift = int(rng.integers(-4, 5)) if rng.random() < 0.5 else 0
        if shift:
            one[:] = torch.roll(one, shift, 1)
            edge = one[:, shift : shift + 1] if shift > 0 else one[:, shift - 1 : shift]
            one[:, slice(0, shift) if shift > 0 else slice(shift, bands)] = edge.clone()
        if rng.random() < 0.4:
            width = int(rng.integers(2, 12))
            start = int(rng.integers(0, bands - width))
            one[:, start : start + width] = one.mean()
        if rng.random() < 0.3:
            width = int(rng.integers(4, 20))
            start = int(rng.integers(0, frames - width))
            one[start : start + width] = one.min()
    return mel


def _rms(x: FloatArray) -> float:
    return math.sqrt(float(np.mean(np.square(x, dtype=np.float64)))) + 1e-6
