"""Rooms: the response from a talker's place to the microphone of a shoebox room.

Early reflections are mirror images of the source in the six walls (J. B. Allen and D. A. Berkley, "Image method for
efficiently simulating small-room acoustics", J. Acoust. Soc. Am. 65(4), 1979). The rest is noise that decays like the
diffuse field of the same room, at the level that statistical room acoustics gives it (a density of energy of c / 4 pi V
each second). Walls absorb by Eyring's formula; low, middle and high frequencies decay at rates of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from data_builder.clips import FloatArray
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.clock import samples
from soundflow.errors import ConfigError, DataError

Span = tuple[float, float]
Array = NDArray[np.float64]
SPEED: Final = 343.0  # of sound, m/s
RT60_S: Final = (0.03, 4.0)
LONGEST: Final = samples(0.8)
DIRECT: Final = samples(0.0025)  # what counts as direct sound
EDGES_HZ: Final = (500.0, 4000.0)
SHARES: Final = np.array([0.0625, 0.4375, 0.5])  # of the three bands in the energy of white noise
PLACES: Final = 32  # draws of a source's position
FITS: Final = 3


@dataclass(frozen=True, slots=True)
class Room:
    """A shoebox of `size` m with a microphone at `microphone` m; `rt60` s is that of the whole band.

    `walls`: how much each wall (x = 0, x = end, y, ...) absorbs, 1 on average over the surface. `bands`: decay of the
    low, middle and high band as a multiple of `rt60`.
    """

    rt60: float
    size: tuple[float, ...]
    microphone: tuple[float, ...]
    walls: tuple[float, ...]
    bands: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, rt60_range: Span = (0.15, 0.8)) -> Room:
        """A room of an RT60 (s) within the range, of a size in which walls of everyday material give it.

        Raises ConfigError for a range that is empty or outside RT60_S.
        """
        low, high = rt60_range
        if not RT60_S[0] <= low <= high <= RT60_S[1]:
            raise ConfigError(f"expected rt60_range within {RT60_S} s, low to high, got {rt60_range}")
        rt60 = float(rng.uniform(low, high))
        # Sabine: RT60 = 0.161 V / (S x absorption), and V / S = side / 6 in a cube.
        side = float(np.clip(37 * rt60 * rng.uniform(0.12, 0.45), 1.5, 15.0))
        size = side * rng.uniform((0.9, 0.75, 0.6), (1.6, 1.15, 0.9))
        size[2] = np.clip(size[2], 1.2, 5.0)
        walls = rng.uniform(0.4, 1.6, 6)
        areas = _areas(size)
        walls *= areas.sum() / (walls @ areas)
        bands = np.array([rng.uniform(1.0, 1.2), 1.0, rng.uniform(0.8, 0.97)])
        bands *= float(np.sum(SHARES / bands))
        edge = _edge(size)
        microphone = rng.uniform(edge, size - edge)
        return cls(rt60, *(tuple(float(v) for v in x) for x in (size, microphone, walls, bands)))

    def facts(self) -> dict[str, Any]:
        """What the JSON of a sample says of the room."""
        return {
            "rt60_s": round(self.rt60, 3),
            "size_m": [round(v, 2) for v in self.size],
            "microphone_m": [round(v, 2) for v in self.microphone],
        }

    def response(self, rng: np.random.Generator, distance_m: Span = (0.3, 4.0)) -> FloatArray:
        """[M] float32 from a drawn place, M at most 0.8 s: direct sound at sample 0, unit energy.

        `distance_m`: range of the distance to the microphone, as far as the room allows. Raises ConfigError where the
        range is empty.
        """
        if not 0 < distance_m[0] <= distance_m[1]:
            raise ConfigError(f"expected distance_m above 0, low to high, got {distance_m}")
        source = self._place(rng, distance_m)
        away = max(0.05, float(np.linalg.norm(source - np.array(self.microphone))))
        n = samples(0.03 + 0.75 * self.rt60)
        clock = np.arange(n) / SR
        begin, end = (float(np.clip(k * self.rt60, *b)) for k, b in ((0.03, (0.002, 0.02)), (0.08, (0.005, 0.05))))
        angle = np.clip((clock - begin) / (end - begin), 0.0, 1.0) * (np.pi / 2)
        far, loss = self._images(source, away + SPEED * end)
        at = np.round((far - away) * (SR / SPEED)).astype(np.int64)
        keep = at < n
        far, loss, at = far[keep], loss[keep], at[keep]
        noise = rng.standard_normal(n) * np.sin(angle) * away * np.sqrt(4 * np.pi * SPEED / (np.prod(self.size) * SR))
        width = next_fast_len(n + 512, real=True)
        spectrum = np.zeros(width // 2 + 1, dtype=np.complex128)
        for mask, longer in zip(_masks(width), self.bands, strict=True):
            rt60 = self.rt60 * longer
            early = np.bincount(at, np.exp(-0.5 * self._absorbed(rt60) * loss) * (away / far), n) * np.cos(angle)
            late = noise * np.exp(-3 * np.log(10) / rt60 * (clock + away / SPEED))
            spectrum += mask * rfft(early + late, width)
        rest = self._fit(irfft(spectrum, width)[:n], clock)
        rest[0] += 1.0
        out = rest[:LONGEST]
        ramp = min(samples(0.05), len(out) // 8)
        out[-ramp:] *= np.cos(np.linspace(0, np.pi / 2, ramp))
        return np.asarray(out / np.sqrt(np.sum(out * out)), dtype=np.float32)

    def _place(self, rng: np.random.Generator, distance_m: Span) -> Array:
        """[3] m, away from the walls and in the room: of many draws, the one that fits best."""
        size, microphone = np.array(self.size), np.array(self.microphone)
        edge = _edge(size)
        away = np.exp(rng.uniform(np.log(distance_m[0]), np.log(distance_m[1]), (PLACES, 1)))
        to = rng.standard_normal((PLACES, 3))
        wanted = microphone + to * (away / np.linalg.norm(to, axis=1, keepdims=True))
        inside = np.clip(wanted, edge, size - edge)
        missed = np.linalg.norm(wanted - inside, axis=1)
        return np.asarray(inside[int(np.argmin(missed))])  # the first that needs no moving, if there is one

    def _absorbed(self, rt60: float) -> float:
        """What a reflection costs on average, as the natural logarithm of energy (Eyring)."""
        area = float(_areas(np.array(self.size)).sum())
        return 24 * float(np.log(10)) * float(np.prod(self.size)) / (SPEED * area * rt60)

    def _images(self, source: Array, horizon: float) -> tuple[Array, Array]:
        """Distances [I] m to the mirror images nearer than `horizon`, the source left out, and their reflections [I].

        A reflection counts as much as its wall absorbs.
        """
        squares, losses = [], []
        for axis in range(3):
            length, one, other = self.size[axis], self.walls[2 * axis], self.walls[2 * axis + 1]
            most = int(horizon / (2 * length)) + 1
            n = np.arange(-most, most + 1)
            direct = source[axis] + 2 * n * length - self.microphone[axis]
            mirrored = -source[axis] + 2 * n * length - self.microphone[axis]
            squares.append(np.concatenate([direct, mirrored]) ** 2)
            losses.append(np.concatenate([np.abs(n) * (one + other), np.abs(n - 1) * one + np.abs(n) * other]))
        far = np.sqrt(squares[0][:, None, None] + squares[1][:, None] + squares[2])
        loss = losses[0][:, None, None] + losses[1][:, None] + losses[2]
        keep = (far < horizon) & (loss > 0)
        return far[keep], loss[keep]

    def _fit(self, rest: Array, clock: Array) -> Array:
        """The reverberation with its decay, as measured, brought to `rt60`.

        A box with uneven walls and few reflections is not quite as diffuse as the formulas have it.
        """
        for _ in range(FITS):
            now = float(np.clip(decay_s(rest), self.rt60 / 2, self.rt60 * 2))
            if abs(now / self.rt60 - 1) < 0.03:
                break
            rest = rest * 10 ** (3 * clock * (1 / now - 1 / self.rt60))
        return rest


def decay_s(response: FloatArray | Array) -> float:
    """RT60 in s of a response [M] by backward integration (M. R. Schroeder, "New method of measuring reverberation
    time", 1965): the fall of its reverberation from -5 to -25 dB, taken three times.

    The direct sound is left out. A response that was cut short of 30 dB measures too low. Raises DataError where there
    is no such fall.
    """
    energy = np.cumsum(np.square(response[DIRECT:], dtype=np.float64)[::-1])[::-1]
    if not len(energy) or energy[0] <= 0:
        raise DataError(f"expected a response with reverberation after {DIRECT} samples, got {len(response)} samples")
    level = 10 * np.log10(energy / energy[0] + 1e-12)
    first, last = (int(k) for k in np.searchsorted(-level, (5.0, 25.0)))
    if last - first < 8:
        raise DataError(f"expected a decay from -5 to -25 dB, got one of {last - first} samples")
    clock = np.arange(first, last) / SR
    clock -= clock.mean()
    return -60 * float(clock @ clock) / float(clock @ level[first:last])


def drr_db(response: FloatArray) -> float:
    """Direct-to-reverberant ratio in dB of a response [M]: its first 2.5 ms against the rest."""
    energy = np.square(response, dtype=np.float64)
    return 10 * float(np.log10((energy[:DIRECT].sum() + 1e-12) / (energy[DIRECT:].sum() + 1e-12)))


def _areas(size: Array) -> Array:
    """[6] m2 of the walls, two an axis."""
    return np.repeat(np.prod(size) / size, 2)


def _edge(size: Array) -> Array:
    """[3] m that a talker or microphone keeps from the walls."""
    return np.minimum(0.3, 0.2 * size)


def _masks(width: int) -> tuple[Array, ...]:
    """Spectra [width // 2 + 1] of the three bands; they add up to 1 above 30 Hz."""
    freq = np.arange(width // 2 + 1) * (SR / width)
    audible = freq**2 / (freq**2 + 30.0**2)
    low = audible / (1 + (freq / EDGES_HZ[0]) ** 4)
    high = audible * (1 - 1 / (1 + (freq / EDGES_HZ[1]) ** 4))
    return low, audible - low - high, high
