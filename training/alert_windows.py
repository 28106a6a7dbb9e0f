"""Windows of the alert branch, drawn out of composed streams: answered, benign and other sounds, and all the rest."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
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
from training.named_classes import UNSURE, class_of

ALERTS: Final = 0.38
"""Share of windows in which something is to be answered."""
BENIGN: Final = 0.27
CONTEXT: Final = 0.15
"""Share of windows with a sound that a person would look at: whether to answer it is not told, what it is is."""
MUSIC: Final = 0.20  # of the benign ones
HEARD: Final = 4800  # samples of a sound, at least, in a window that counts as holding it
BEHIND: Final = 8000  # a window may end this long after the sound

Event = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Batch:
    """`audio` [B, 15600]; `alert` [B] and `named` [B, K] of 0 and 1, -1 where nothing is known of it."""

    audio: Tensor
    alert: Tensor
    named: Tensor


class Windows:
    """Draws batches from the streams of `folders` (shards of `soundflow data build`), held as int16.

    A window is answered if it holds 0.3 s of a sound that the corpus answers (all of a shorter one). Of one that holds
    a part of a sound whose answer depends on context nothing is known. It is named after the sounds of `classes`
    that it holds in the same way.

    Raises:
        DataError: no shards, or none of one of the two sides.
    """

    def __init__(self, folders: Sequence[Path], seed: int, second_sound: float, classes: Sequence[str] = ()) -> None:
        self.rng = np.random.default_rng(seed)
        self.second_sound = second_sound
        self.place = {name: k for k, name in enumerate(classes)}
        self.streams: list[tuple[NDArray[np.int16], list[dict[str, Any]]]] = []
        for folder in folders:
            for shard in sorted(folder.glob("*.tar")):
                for sample, flac in read_shard(shard):
                    audio, _ = sf.read(io.BytesIO(flac), dtype="int16")
                    self.streams.append((audio, sample["events"]))
        self.sides: dict[str, dict[str, list[Event]]] = {"yes": {}, "no": {}, "context": {}}
        for number, (_, events) in enumerate(self.streams):
            for event in events:
                if (side := self.sides.get(event["respond"])) is not None:
                    side.setdefault(event["label"], []).append((number, event))
        if not self.sides["yes"] or not self.sides["no"]:
            raise DataError(f"{[str(f) for f in folders]}: shards with answered and with benign sounds were expected")
        self._drawn = {respond: _often(side) for respond, side in self.sides.items()}

    def batch(self, size: int) -> Batch:
        """A share of windows gets a second, unanswered one 3 to 25 dB under it; levels vary by -12 to +6 dB."""
        drawn = [self._draw() for _ in range(size)]
        audio = np.stack([d[0] for d in drawn])
        alert, named = np.array([d[1] for d in drawn], np.float32), np.stack([d[2] for d in drawn])
        quiet = np.flatnonzero(alert == 0)
        under = named.copy()
        for i in range(size):
            if len(quiet) and self.rng.random() < self.second_sound:
                j = quiet[int(self.rng.integers(len(quiet)))]
                gain = _rms(audio[i]) / _rms(audio[j]) * 10 ** (-self.rng.uniform(3, 25) / 20)
                audio[i] = audio[i] + audio[j] * np.float32(gain)
                named[i, (under[j] != 0) & (under[i] < 1)] = -1
            audio[i] *= np.float32(10 ** (self.rng.uniform(-12, 6) / 20))
        return Batch(torch.from_numpy(audio), torch.from_numpy(alert), torch.from_numpy(named))

    def _draw(self) -> tuple[FloatArray, int, FloatArray]:
        while True:
            share = self.rng.random()
            if share < ALERTS:
                number, end = self._on("yes", HEARD)
            elif share < ALERTS + BENIGN:
                number, end = self._on("no", HEARD // 2)
            elif share < ALERTS + BENIGN + CONTEXT and self.sides["context"]:
                number, end = self._on("context", HEARD // 2)
            else:
                number = int(self.rng.integers(len(self.streams)))
                end = int(self.rng.integers(HEARD, len(self.streams[number][0]) + 1))
            alert = self._alert(number, end)
            if (alert == 1) if share < ALERTS else (alert == 0) if share < ALERTS + BENIGN else True:
                return self._cut(number, end), alert, self._named(number, end)

    def _on(self, respond: str, least: int) -> tuple[int, int]:
        """Stream and end of a window that holds `least` samples of a sound of a side (all of a shorter one)."""
        side, (names, chance) = self.sides[respond], self._drawn[respond]
        events = side[names[int(self.rng.choice(len(names), p=chance))]]
        if respond == "no" and "music" in side and self.rng.random() < MUSIC:
            events = side["music"]
        number, event = events[int(self.rng.integers(len(events)))]
        onset, offset = int(event["onset"]), int(event["offset"])
        last = min(offset + BEHIND, len(self.streams[number][0]))
        first = min(onset + min(least, offset - onset), last)
        return number, int(self.rng.integers(first, last + 1))

    def _alert(self, number: int, end: int) -> int:
        """1 where the window holds a sound that is answered, -1 where it holds a part of one that is or may be."""
        found = [(event["respond"], enough) for event, enough in self._held(number, end) if event["respond"] != "no"]
        return 1 if ("yes", True) in found else -1 if found else 0

    def _named(self, number: int, end: int) -> FloatArray:
        """[K] of 0 and 1, -1 for a class of which too little is heard, or which a sound may be as well."""
        named = np.zeros(len(self.place), np.float32)
        held = []
        for event, enough in self._held(number, end):
            named[[self.place[x] for x in UNSURE.get(event["label"], ()) if x in self.place]] = -1
            if (name := class_of(event["label"])) in self.place:
                named[self.place[name]] = -1
                held += [self.place[name]] if enough else []
        named[held] = 1
        return named

    def _held(self, number: int, end: int) -> Iterator[tuple[dict[str, Any], bool]]:
        """The sounds of which a part lies in the window, and whether it is enough to count as holding them."""
        for event in self.streams[number][1]:
            onset, offset = event["onset"], event["offset"]
            heard = min(offset, end) - max(onset, end - WINDOW_SAMPLES)
            if heard > 0:
                yield event, heard >= min(HEARD, offset - onset)

    def _cut(self, number: int, end: int) -> FloatArray:
        audio = self.streams[number][0][max(0, end - WINDOW_SAMPLES) : end].astype(np.float32) / 32768.0
        return np.pad(audio, (WINDOW_SAMPLES - len(audio), 0))


def _often(side: dict[str, list[Event]]) -> tuple[list[str], FloatArray]:
    """How often each label of a side is drawn: by the root of how many recordings it has."""
    names = sorted(side)
    root = np.array([math.sqrt(len({event["source"] for _, event in side[name]})) for name in names])
    return names, root / root.sum()


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
