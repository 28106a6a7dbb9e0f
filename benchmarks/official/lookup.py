"""Looks a clip's fingerprint up among many: bit errors of its blocks at every place, then over the whole overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.official.prints import HOP, PHASES, Flags, Print, Words, code
from soundflow import SAMPLE_RATE_HZ
from soundflow.types import FloatArray

BLOCK: Final = 12  # words, 1.3 s of audio
LEAST_BITS: Final = 40  # fewer say nothing
LEAST_Z: Final = 8.0  # 908 unrelated recordings reach 6.9 at most (docs/benchmarks.md)
MOST_ERRORS: Final = 0.35
NO_ERRORS: Final = 0.05  # so few that 40 bits are enough
CANDIDATES: Final = 3


@dataclass(frozen=True, slots=True)
class Match:
    """A test clip and the recording that it shares audio with.

    `bits` were compared and the share `errors` of them differ; `z`: by how many standard deviations that is fewer than
    the half which unrelated audio has, (bits / 2 - wrong) / (sqrt(bits) / 2). `shared_s`: audio heard on both sides,
    which begins at `at_s` of the clip and `in_s` of the recording.
    """

    recording: str
    z: float
    errors: float
    bits: int
    shared_s: float
    at_s: float
    in_s: float

    @property
    def same(self) -> bool:
        """z >= 8 with at most 35 % of the bits wrong, or at most 5 % of 40 bits and more."""
        clear = self.z >= LEAST_Z and self.errors <= MOST_ERRORS
        return clear or (self.bits >= LEAST_BITS and self.errors <= NO_ERRORS)


class Prints:
    """Fingerprints of recordings, one behind the other with room between them for a block that hangs over an edge."""

    def __init__(self, names: Sequence[str], words: Sequence[Words], heard: Sequence[Flags]) -> None:
        self.names = list(names)
        gap = BLOCK - 1
        self._starts = np.zeros(len(names), np.int64)
        total = gap + sum(len(w) + gap for w in words)
        self._words, self._heard = np.zeros(total, np.uint32), np.zeros(total, np.uint32)
        at = gap
        for k, (w, h) in enumerate(zip(words, heard, strict=True)):
            self._starts[k] = at
            self._words[at : at + len(w)] = w
            self._heard[at : at + len(w)] = np.where(h, np.uint32(0xFFFFFFFF), np.uint32(0))
            at += len(w) + gap
        self._counts = np.array([len(w) for w in words], np.int64)

    def best(self, audio: FloatArray) -> Match | None:
        """The recording that [n] samples at 16 kHz agree with most; None where there is nothing to compare."""
        found: Match | None = None
        for phase in range(PHASES):
            start = phase * HOP // PHASES
            clip = code(audio, start)
            for at in _blocks(clip):
                for place in self._likely(clip, at):
                    match = self._over(clip, place - at, start)
                    if match and (found is None or match.z > found.z):
                        found = match
        return found

    def _likely(self, clip: Print, at: int) -> list[int]:
        """Places of the store where the block of `clip` at word `at` agrees best, at most three."""
        sure = np.where(clip.heard, clip.sure, np.uint32(0))[at : at + BLOCK]
        words, size = clip.words[at : at + BLOCK], len(self._words) - BLOCK + 1
        if int(np.bitwise_count(sure).sum()) < LEAST_BITS or size <= 0:
            return []
        wrong, bits = np.zeros(size, np.uint16), np.zeros(size, np.uint16)
        for k, (word, mask) in enumerate(zip(words, sure, strict=True)):
            if not mask:
                continue
            on = self._heard[k : k + size] & mask
            bits += np.bitwise_count(on)
            wrong += np.bitwise_count((self._words[k : k + size] ^ word) & on)
        found = _z(wrong, bits)
        top = np.argpartition(found, -CANDIDATES)[-CANDIDATES:] if size > CANDIDATES else np.arange(size)
        return [int(p) for p in top if bits[p] >= LEAST_BITS]

    def _over(self, clip: Print, offset: int, start: int) -> Match | None:
        """The whole overlap of the clip, its word 0 at `offset` of the store, with the recording that lies there."""
        ends = self._starts + self._counts
        near = np.flatnonzero((ends > offset) & (self._starts < offset + len(clip.words)))
        found: Match | None = None
        for r in near:
            first, last = max(offset, int(self._starts[r])), min(offset + len(clip.words), int(ends[r]))
            here = slice(first - offset, last - offset)
            on = self._heard[first:last] & clip.sure[here] & np.where(clip.heard[here], np.uint32(0xFFFFFFFF), 0)
            bits = int(np.bitwise_count(on).sum())
            if bits < LEAST_BITS:
                continue
            wrong = int(np.bitwise_count((self._words[first:last] ^ clip.words[here]) & on).sum())
            z = float(_z(np.array([wrong]), np.array([bits]))[0])
            shared = int((on != 0).sum()) * HOP / SAMPLE_RATE_HZ
            at_s = ((first - offset) * HOP + start) / SAMPLE_RATE_HZ
            in_s = (first - int(self._starts[r])) * HOP / SAMPLE_RATE_HZ
            places = round(at_s, 2), round(in_s, 2)
            match = Match(self.names[r], round(z, 2), round(wrong / bits, 4), bits, round(shared, 1), *places)
            if found is None or match.z > found.z:
                found = match
        return found


def _z(wrong: NDArray[np.integer], bits: NDArray[np.integer]) -> NDArray[np.float32]:
    n = bits.astype(np.float32)
    return np.where(n > 0, (n - 2.0 * wrong) / np.sqrt(np.maximum(n, 1.0)), -np.inf).astype(np.float32)


def _blocks(clip: Print) -> list[int]:
    """First words of the blocks to look up: one behind the other, the last one at the end."""
    count = len(clip.words)
    if count <= BLOCK:
        return [0] if count else []
    return sorted({*range(0, count - BLOCK, BLOCK), count - BLOCK})


def bits_of(audio: FloatArray) -> int:
    """How many bits of a clip count at all; below 40 it cannot be compared with anything."""
    clip = code(audio)
    return int(np.bitwise_count(np.where(clip.heard, clip.sure, np.uint32(0))).sum())
