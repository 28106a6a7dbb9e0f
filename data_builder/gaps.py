"""Gaps in a background: digital silence, room tone, or the babble of several talkers, where nothing else happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from data_builder.clips import FloatArray, fade
from data_builder.mix import db, noise, to_db
from soundflow.clock import samples
from soundflow.errors import DataError

Rng = np.random.Generator
Babble = Callable[[Rng, int], FloatArray]
KINDS: Final = ("silence", "room_tone", "babble")
SHORTEST: Final = samples(0.3)
LONGEST: Final = samples(2.0)
APART: Final = samples(0.2)
EDGE: Final = samples(0.02)
MOST: Final = 3
TALKERS: Final = (3, 8)
QUIET_DB: Final = -90.0


def fill(
    rng: Rng,
    bed: FloatArray,
    busy: list[tuple[int, int]],
    babble: Babble | None = None,
    *,
    most: int = MOST,
    loudest_db: float = -25.0,
) -> list[dict[str, Any]]:
    """Put 1 to `most` gaps into `bed` [N], in place, outside the [onset, offset) intervals of `busy`.

    `babble(rng, n)` gives [n] samples of several talkers at any level (see `talkers`); None: no gap is of that kind.
    Silence is exact zeros from onset to offset. Room tone takes the place of the bed and babble lies over it, both
    faded within the gap and not louder than `loudest_db` dBFS. Returns {kind, onset, offset} in order of time, none
    where there is no room. Raises DataError for a bed that is not [N] float32 or an interval that ends too early.
    """
    if bed.ndim != 1 or bed.dtype != np.float32:
        raise DataError(f"expected a bed [N] of float32, got {bed.shape} of {bed.dtype}")
    free = _free(len(bed), busy)
    kinds = KINDS if babble is not None else KINDS[:2]
    level = db(bed)  # of all of it: a stretch may be quiet by chance
    made: list[dict[str, Any]] = []
    for _ in range(int(rng.integers(1, most + 1))):
        free = [(a, b) for a, b in free if b - a >= SHORTEST]
        if not free:
            break
        sizes = np.array([b - a for a, b in free], dtype=np.float64)
        start, end = free.pop(int(rng.choice(len(free), p=sizes / sizes.sum())))
        length = int(rng.integers(SHORTEST, min(LONGEST, end - start) + 1))
        onset = int(rng.integers(start, end - length + 1))
        offset = onset + length
        free += [(start, onset - APART), (offset + APART, end)]
        kind = kinds[int(rng.integers(len(kinds)))]
        part = bed[onset:offset]
        if kind == "silence":
            part[:] = 0
        elif kind == "room_tone":
            _replace(part, _tone(rng, length, level, loudest_db))
        elif babble is not None:
            part += fade(_spoken(rng, babble, length, level, loudest_db), EDGE)
        made.append({"kind": kind, "onset": onset, "offset": offset})
    return sorted(made, key=lambda g: int(g["onset"]))


def mute(audio: FloatArray, gaps: Sequence[dict[str, Any]]) -> FloatArray:
    """`audio` with its gaps of digital silence set to zero again, in place: a channel leaves its noise in them."""
    for gap in gaps:
        if gap["kind"] == "silence":
            audio[int(gap["onset"]) : int(gap["offset"])] = 0
    return audio


def talkers(rng: Rng, clips: Sequence[FloatArray], n: int) -> FloatArray:
    """[n] of babble, -26 dBFS: 3 to 8 voices out of `clips` at nearly one level, each begun anywhere, short ones over
    and over. Raises DataError where no clip has sound in it.
    """
    heard = [c for c in clips if len(c) >= SHORTEST and np.isfinite(c).all() and db(c) > QUIET_DB]
    if not heard:
        raise DataError(f"expected clips of at least {SHORTEST} samples with sound for babble, got {len(clips)} others")
    out = np.zeros(n, dtype=np.float32)
    for _ in range(int(rng.integers(TALKERS[0], TALKERS[1] + 1))):
        clip = heard[int(rng.integers(len(heard)))]
        voice = fade(np.array(clip, dtype=np.float32), EDGE)
        voice = np.resize(np.roll(voice, -int(rng.integers(len(voice)))), n)
        out += to_db(voice, -26.0 + float(rng.uniform(-4, 4)))[0]
    return to_db(out, -26.0)[0]


def _free(n: int, busy: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What `busy` leaves of [0, n), in order of time."""
    wrong = next((b for b in busy if b[1] < b[0]), None)
    if wrong is not None:
        raise DataError(f"expected busy intervals (onset, offset), got {wrong}")
    free, at = [], 0
    for onset, offset in sorted(busy):
        if onset > at:
            free.append((at, min(onset, n)))
        at = max(at, offset)
    return [*free, (at, n)]


def _tone(rng: Rng, n: int, level: float, loudest: float) -> FloatArray:
    """[n] of room tone, below the bed that it takes the place of."""
    wanted = float(rng.uniform(-75, -50))
    if level > QUIET_DB:
        wanted = min(wanted, level - 3)
    return to_db(noise(rng, n, float(rng.uniform(-6, -2))), min(wanted, loudest))[0]


def _spoken(rng: Rng, babble: Babble, n: int, level: float, loudest: float) -> FloatArray:
    """[n] of babble at about the level of the bed, of -55 dBFS at least."""
    audio = np.asarray(babble(rng, n), dtype=np.float32)
    if audio.shape != (n,) or not np.isfinite(audio).all():
        raise DataError(f"expected babble of {n} finite samples, got {audio.shape}")
    return to_db(audio, min(max(level, -55.0) + float(rng.uniform(-3, 6)), loudest))[0].copy()


def _replace(part: FloatArray, by: FloatArray) -> None:
    """Cross-fade from `part` [n] to `by` [n] and back, at constant power, in place."""
    gain = np.ones(len(part), dtype=np.float32)
    ramp = min(EDGE, len(part) // 2)
    gain[:ramp] = np.sin(np.linspace(0, np.pi / 2, ramp, dtype=np.float32))
    gain[len(gain) - ramp :] = gain[:ramp][::-1]
    part *= np.sqrt(np.maximum(0, 1 - gain * gain))
    part += by * gain
