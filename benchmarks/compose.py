"""Items: what one stream is made of, and its audio. A plan (JSON) and a seed give the same samples everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from benchmarks.corpus import Clips
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples
from soundflow.errors import DataError
from soundflow.types import FloatArray

CHUNK_S = 0.4
EVIDENCE_S = 1.2  # a sustained sound has told what it is by then (DESIGN.md section 6)
FADE = 160  # 10 ms
ROOM_TILT_DB = -4.0  # of room tone, an octave


@dataclass(frozen=True, slots=True)
class Part:
    """One recording in the stream, `gap_s` after the one before: its audible part from `from_s` on, at most `most_s`.

    `db`: RMS in dBFS; None keeps the level of the recording. `through`: "" or "television" (`television`).
    """

    path: str
    gap_s: float = 0.0
    from_s: float = 0.0
    most_s: float = 5.0
    db: float | None = -24.0
    through: str = ""


@dataclass(frozen=True, slots=True)
class Bed:
    """What lies under a whole stream: "room" (coloured noise), "zero" (digital silence) or "file" (`path`, looped)."""

    kind: str = "room"
    db: float = -60.0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One stream of a benchmark. `respond`: "yes", "no" or "context"; `source`: what a bootstrap draws as one."""

    id: str
    group: str
    label: str
    respond: str
    source: str
    seed: int
    parts: tuple[Part, ...] = ()
    bed: Bed = Bed()
    tail_s: float = 3.2
    seconds: float = 0.0  # 0: as long as the parts and the tail need
    instruction: str = ""
    tools: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_dict(body: Mapping[str, Any]) -> Item:
        """Inverse of `to_dict`. Raises TypeError for an unknown or missing key."""
        raw = {**body, "parts": tuple(Part(**p) for p in body["parts"]), "bed": Bed(**body["bed"])}
        return Item(**raw)


@dataclass(frozen=True, slots=True)
class Rendered:
    """`audio` [n], a whole number of chunks; the first part lies from `onset` to `offset` (samples; 0, 0 without)."""

    audio: FloatArray
    onset: int
    offset: int

    @property
    def evidence_end(self) -> int:
        """min(offset, onset + 1.2 s)."""
        return min(self.offset, self.onset + samples(EVIDENCE_S))


def room_tone(count: int, rng: np.random.Generator, tilt_db: float = ROOM_TILT_DB) -> FloatArray:
    """[count] of noise whose spectrum falls by `tilt_db` an octave above 40 Hz, RMS 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ), 40.0) / 40.0)
    shaped = np.fft.irfft(spectrum * 10 ** (tilt_db * octaves / 20), count)
    return at_level(shaped.astype(np.float32), 0.0)


def at_level(audio: FloatArray, db: float) -> FloatArray:
    """`audio` scaled to an RMS of `db` dBFS."""
    rms = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))
    scaled: FloatArray = (audio * (10 ** (db / 20) / max(rms, 1e-9))).astype(np.float32)
    return scaled


def looped(audio: FloatArray, count: int) -> FloatArray:
    """[count] of `audio` over and over, 50 ms of cross-fade at each seam."""
    ramp = min(SAMPLE_RATE_HZ // 20, len(audio) // 4)
    if len(audio) >= count or not ramp:
        return np.resize(audio, count).astype(np.float32)
    up = np.linspace(0.0, 1.0, ramp, dtype=np.float32)
    ring = audio[:-ramp].copy()
    ring[:ramp] = audio[:ramp] * up + audio[-ramp:] * up[::-1]
    return np.resize(ring, count).astype(np.float32)


def cut(part: Part, clips: Clips) -> FloatArray:
    """The samples of one part, faded at both ends; where it would run over the end it begins earlier.

    DataError for a recording of less than 10 ms.
    """
    audio = clips.audible(part.path)
    most = samples(part.most_s)
    start = min(samples(part.from_s), max(0, len(audio) - most))
    piece = audio[start : start + most].copy()
    if len(piece) < FADE:
        raise DataError(f"expected at least {FADE} samples of sound, got {len(piece)}", part.path)
    ramp = np.linspace(0.0, 1.0, min(FADE, len(piece) // 2), dtype=np.float32)
    piece[: len(ramp)] *= ramp
    piece[-len(ramp) :] *= ramp[::-1]
    return piece if part.db is None else at_level(piece, part.db)


def render(item: Item, clips: Clips, chunk: int) -> Rendered:
    """The stream of `item`, its length a multiple of `chunk` samples; scaled as a whole where it would clip.

    Raises:
        DataError: a recording that is not there, is silent, or is too short.
    """
    placed: list[tuple[int, FloatArray]] = []
    at = 0
    for part in item.parts:
        piece = cut(part, clips)
        if part.through:
            piece = at_level(television(piece, item.seed, part.path, part.through), part.db or -24.0)
        at += samples(part.gap_s)
        placed.append((at, piece))
        at += len(piece)
    count = samples(item.seconds) if item.seconds else at + samples(item.tail_s)
    count = -(-count // chunk) * chunk
    rng = np.random.default_rng(np.random.SeedSequence([item.seed, 1]))
    audio = _bed(item.bed, count, clips, rng)
    for start, piece in placed:
        room = max(0, count - start)
        audio[start : start + len(piece)] += piece[:room]
    peak = float(np.abs(audio).max(initial=0.0))
    if peak > 0.98:
        audio *= 0.98 / peak
    first = placed[0] if placed else (0, np.zeros(0, np.float32))
    return Rendered(audio, first[0], min(count, first[0] + len(first[1])))


def _bed(bed: Bed, count: int, clips: Clips, rng: np.random.Generator) -> FloatArray:
    if bed.kind == "zero":
        return np.zeros(count, np.float32)
    if bed.kind == "room":
        return at_level(room_tone(count, rng), bed.db)
    if bed.kind != "file":
        raise DataError(f"expected a bed of kind room, zero or file, got {bed.kind!r}", bed.path)
    audio = clips.audible(bed.path)
    return at_level(looped(np.roll(audio, -int(rng.integers(len(audio)))), count), bed.db)


def television(audio: FloatArray, seed: int, where: str, through: str = "television") -> FloatArray:
    """[n] of `audio` as a television set plays it in a living room: peaks pressed, 180 Hz to 6 kHz, a room of 0.45 s.

    The band falls by 12 dB an octave on either side (a second-order Butterworth curve), as of a small closed speaker.
    `seed` is the room: parts of one stream come from one set.

    Raises:
        DataError: `through` is no television, named by `where`.
    """
    if through != "television":
        raise DataError(f"expected through of '' or 'television', got {through!r}", where)
    loud = float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) * 3.0
    pressed = np.tanh(audio / max(loud, 1e-9))
    size = len(audio) + SAMPLE_RATE_HZ
    hz = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ), 1.0)
    band = 1 / np.sqrt((1 + (180.0 / hz) ** 4) * (1 + (hz / 6000.0) ** 4))
    room = np.fft.rfft(room_response(np.random.default_rng(seed), 0.45, 5.0), size)
    played = np.fft.irfft(np.fft.rfft(pressed, size) * band * room, size)[: len(audio)]
    return played.astype(np.float32)


def room_response(rng: np.random.Generator, rt60_s: float = 0.3, delay_ms: float = 20.0) -> FloatArray:
    """A simulated room of unit energy: delay, direct path, exponentially decaying noise (Schroeder 1965)."""
    length = int(rt60_s * SAMPLE_RATE_HZ)
    tail = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    tail[0] = 3.0
    whole = np.concatenate([np.zeros(round(delay_ms * SAMPLE_RATE_HZ / 1000)), tail / np.linalg.norm(tail)])
    return whole.astype(np.float32)
