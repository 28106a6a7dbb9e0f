"""Recordings of a taught sound as the sound encoder hears them: read, checked, put into other rooms and noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import AudioFormatError, DataError
from soundflow.perceive.own import features
from soundflow.perceive.resample import StreamResampler
from soundflow.perceive.sound import GAIN
from soundflow.perceive.source import FileSource, to_mono
from soundflow.perceive.yamnet import WINDOW_SAMPLES, YamNet
from soundflow.types import FloatArray
from training.own_fit import Others, Windows

SUFFIXES: Final = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff"})
HOP: Final = 3200  # 0.2 s, as in the stream
FRAME: Final = 400
LONGEST: Final = 4 * SAMPLE_RATE_HZ  # of one clip: its loudest stretch
SHORTEST: Final = SAMPLE_RATE_HZ // 10
LEAD, TAIL = SAMPLE_RATE_HZ, 9600
TAKES: Final = 3
AUDIBLE_DB, SILENT_DB = 35.0, -70.0  # under the clip's loudest frame; dBFS
HELD_DB: Final = 12.0  # under its loudest window, a window still holds the sound
MAX_CLIP_S, MAX_OTHER_S = 600.0, 3600.0
MAX_CLIPS, OTHER_WINDOWS = 500, 600
BATCH: Final = 4


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording: its audible part, at most LONGEST samples at 16 kHz."""

    path: Path
    audio: FloatArray


def listed(folder: Path) -> list[Path]:
    """The audio files of a folder and of those in it, in order. DataError where there is none."""
    if not folder.is_dir():
        raise DataError("a folder of recordings was expected, got no folder", str(folder))
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    if not found:
        raise DataError(f"recordings ({', '.join(sorted(SUFFIXES))}) were expected, got none", str(folder))
    return found


def read(path: Path, most_s: float = MAX_CLIP_S) -> FloatArray:
    """[n] mono at 16 kHz. DataError names a file that is damaged, silent of samples or longer than `most_s`."""
    try:
        source = FileSource(path, most_s)
        resampler = StreamResampler(source.rate_hz)
        pieces = [resampler.push(to_mono(block)) for block in source.blocks()]
    except AudioFormatError as error:
        raise DataError(str(error)) from error
    return np.concatenate([*pieces, resampler.flush()])


def clip(path: Path) -> Clip:
    """The audible part of one recording. DataError names a file with less than 0.1 s of sound."""
    audio = read(path)
    count = len(audio) // FRAME
    loud = np.sqrt(np.mean(np.square(audio[: count * FRAME].reshape(count, FRAME)), axis=1)) if count else np.zeros(1)
    top = 20 * float(np.log10(max(float(loud.max()), 1e-9)))
    if top < SILENT_DB:
        raise DataError(f"a recording of the sound was expected, got silence (loudest frame {top:.0f} dBFS)", str(path))
    on = np.flatnonzero(loud >= loud.max() * 10 ** (-AUDIBLE_DB / 20))
    part = audio[on[0] * FRAME : (on[-1] + 1) * FRAME]
    if len(part) < SHORTEST:
        got = len(part) / SAMPLE_RATE_HZ
        raise DataError(f"at least {SHORTEST / SAMPLE_RATE_HZ} s of sound were expected, got {got:.2f} s", str(path))
    return Clip(path, loudest(part, LONGEST))


def loudest(audio: FloatArray, count: int) -> FloatArray:
    """The stretch of `count` samples with the most energy; all of a shorter one."""
    if len(audio) <= count:
        return audio
    energy = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    start = int(np.argmax(energy[count:] - energy[:-count]))
    return audio[start : start + count]


class Ear:
    """The frozen sound encoder over windows."""

    def __init__(self, path: Path) -> None:
        self._net = YamNet(path)

    def embed(self, windows: FloatArray) -> FloatArray:
        """[n, 15600] -> [n, 1024] >= 0. The stream's level tracker leaves windows of these levels as they are."""
        found = []
        with torch.inference_mode():
            for start in range(0, len(windows), BATCH):
                part = torch.from_numpy(windows[start : start + BATCH] * np.float32(GAIN))
                found.append(self._net(part)[1].numpy())
        return np.concatenate(found)

    def tags(self, embeddings: FloatArray) -> FloatArray:
        """[n, 1024] -> AudioSet probabilities [n, 521]."""
        with torch.inference_mode():
            return np.asarray(torch.sigmoid(self._net.head(torch.from_numpy(embeddings))).numpy())


@dataclass(frozen=True, slots=True)
class Heard:
    """`own`: windows of the sound; `embeddings` of the same; `beds` [m, 1024]: features of what lay under it."""

    own: Windows
    embeddings: FloatArray
    beds: FloatArray


def hear(clips: Sequence[Clip], others: Sequence[FloatArray], ear: Ear, rng: np.random.Generator) -> Iterator[Heard]:
    """Each clip in TAKES takes: the first as it is, the others filtered, in a room, over noise or a piece of `others`.

    Yields one `Heard` a clip, for progress; `joined` puts them together.
    """
    for number, one in enumerate(clips):
        windows, beds, take, held = [], [], [], []
        for k in range(TAKES):
            audio, clean = rendered(one.audio, rng, others, plain=k == 0)
            ends = range(WINDOW_SAMPLES + int(rng.integers(1, HOP + 1)), len(audio) + 1, HOP)
            windows += [audio[e - WINDOW_SAMPLES : e] for e in ends]
            energy = np.array([np.mean(np.square(clean[e - WINDOW_SAMPLES : e])) for e in ends])
            held += list(energy >= energy.max() * 10 ** (-HELD_DB / 10))
            take += [number * TAKES + k] * len(energy)
            beds.append(audio[:WINDOW_SAMPLES])
        embeddings = ear.embed(np.stack(windows))
        recording = np.full(len(windows), number)
        own = Windows(features(embeddings), recording, np.array(take), np.array(held))
        yield Heard(own, embeddings, features(ear.embed(np.stack(beds))))


def joined(heard: Sequence[Heard]) -> Heard:
    """All of them as one."""
    x, recording, take, held = (
        np.concatenate([getattr(h.own, n) for h in heard]) for n in ("x", "recording", "take", "held")
    )
    embeddings, beds = (np.concatenate([getattr(h, n) for h in heard]) for n in ("embeddings", "beds"))
    return Heard(Windows(x, recording, take, held), embeddings, beds)


def rendered(
    audio: FloatArray, rng: np.random.Generator, others: Sequence[FloatArray], plain: bool
) -> tuple[FloatArray, FloatArray]:
    """[LEAD + n + TAIL] of the sound over a bed, and the sound alone. A `plain` take is 40 dB over faint noise."""
    snr = 40.0 if plain else float(rng.uniform(6.0, 25.0))
    if not plain:
        audio = filtered(audio, rng)
        audio = in_room(audio, rng) if rng.random() < 0.6 else audio
    level = 10 ** (float(rng.uniform(-34.0, -18.0)) / 20)
    clean = np.pad(audio * np.float32(level / _rms(audio)), (LEAD, TAIL))
    bed = noise(len(clean), rng)
    if others and not plain and rng.random() < 0.5:
        other = others[int(rng.integers(len(others)))]
        start = int(rng.integers(max(1, len(other) - len(clean) + 1)))
        bed = np.resize(other[start : start + len(clean)], len(clean))
    mixed = clean + bed * np.float32(level * 10 ** (-snr / 20) / _rms(bed))
    scale = np.float32(min(1.0, 0.98 / max(float(np.abs(mixed).max()), 1e-6)))
    return (mixed * scale).astype(np.float32), (clean * scale).astype(np.float32)


def noise(count: int, rng: np.random.Generator) -> FloatArray:
    """[count] of noise whose spectrum falls by 0 to 7 dB an octave above 40 Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ), 40.0) / 40.0)
    return np.fft.irfft(spectrum * 10 ** (-float(rng.uniform(0, 7)) * octaves / 20), count).astype(np.float32)


def filtered(audio: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Through another microphone: a smooth equaliser with a spread of 4 dB at seven points from 0 to 8 kHz."""
    spectrum = np.fft.rfft(audio)
    gains = np.interp(np.linspace(0, 6, len(spectrum)), np.arange(7), rng.normal(0.0, 4.0, 7))
    return np.fft.irfft(spectrum * 10 ** (gains / 20), len(audio)).astype(np.float32)


def in_room(audio: FloatArray, rng: np.random.Generator) -> FloatArray:
    """In a room with 0.15 to 0.6 s of decaying noise behind the direct sound (Schroeder 1965), cut to its length."""
    length = int(rng.uniform(0.15, 0.6) * SAMPLE_RATE_HZ)
    tail = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    tail *= float(rng.uniform(0.2, 0.8)) / np.linalg.norm(tail)
    tail[0] = 1.0
    size = len(audio) + length
    wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(tail, size), size)
    return wet[: len(audio)].astype(np.float32)


def others_of(paths: Sequence[Path], ear: Ear, most: int = OTHER_WINDOWS) -> tuple[Others, list[FloatArray]]:
    """Evenly spread windows of recordings of what the sound is not, at most `most`; and stretches to lie under it.

    A recording of more than a minute counts as several (minutes), so that a part of it can be held out.
    """
    x, recording, beds = [], [], []
    for number, path in enumerate(paths):
        audio = read(path, MAX_OTHER_S)
        if len(audio) < WINDOW_SAMPLES:
            audio = np.pad(audio, (0, WINDOW_SAMPLES - len(audio)))
        share = most // len(paths) + (number < most % len(paths))
        count = min(share, 1 + (len(audio) - WINDOW_SAMPLES) // HOP)
        starts: NDArray[np.intp] = np.linspace(0, len(audio) - WINDOW_SAMPLES, count).astype(np.intp)
        if count:
            x.append(features(ear.embed(np.stack([audio[s : s + WINDOW_SAMPLES] for s in starts]))))
            recording += [f"{path}#{s // (60 * SAMPLE_RATE_HZ)}" for s in starts]
        if len(beds) < MAX_CLIPS and _rms(audio) > 1e-4:
            beds.append(audio[: 20 * SAMPLE_RATE_HZ].copy())
    return Others(np.concatenate(x), ("your other recordings",) * len(recording), tuple(recording)), beds


def made_up(ear: Ear, rng: np.random.Generator) -> Others:
    """Noise, hum, tones and silence by formula: what no bank has to hold."""
    times = np.arange(WINDOW_SAMPLES) / SAMPLE_RATE_HZ
    made = [np.zeros(WINDOW_SAMPLES, np.float32)]
    made += [noise(WINDOW_SAMPLES, rng) for _ in range(12)]
    for _ in range(12):
        tone = np.sin(2 * np.pi * float(rng.uniform(80, 4000)) * times)
        made.append((tone * (np.sin(2 * np.pi * float(rng.uniform(0, 6)) * times) > -0.5)).astype(np.float32))
    made += [np.sign(np.sin(2 * np.pi * hz * times)).astype(np.float32) * 0.1 for hz in (50.0, 60.0, 100.0, 120.0)]
    levelled = [m * np.float32(10 ** (float(rng.uniform(-50, -20)) / 20) / max(_rms(m), 1e-6)) for m in made]
    x = features(ear.embed(np.stack(levelled)))
    return Others(x, ("noise and tones",) * len(x), tuple(f"made up {k}" for k in range(len(x))))


def _rms(x: FloatArray) -> float:
    return max(float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))), 1e-9)
