"""The points of each curve: context, sessions, chunk length, and the length of what was heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.cost import work
from benchmarks.cost.device import HOST, Device
from benchmarks.cost.ears import Noise
from benchmarks.cost.parts import Variant, filled, rewind, sound_work
from benchmarks.cost.timed import Point, Work
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_samples
from soundflow.decide.lalm import LalmState
from soundflow.perceive.perceiver import Parts

CHUNK_MS: Final = 400
HELD: Final = 256
"""Tokens in the cache of the nano tier (`soundflow.tiers.nano.CACHE_TOKENS`)."""
AGAIN: Final = 60
"""Chunks: the longest history that the paper was trained on (arXiv 2606.05121, its released code)."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many points. contexts, sessions: x of the curves; chunks in ms; histories, ages: in chunks heard. again: of
    each of the sessions, chunks that the naive way encodes again.
    """

    contexts: Sequence[int] = (64, 128, 256, 512, 1024, 2048)
    sessions: Sequence[int] = (1, 2, 4, 8, 16, 32, 64)
    chunks: Sequence[int] = (200, 300, 400, 500, 600, 700, 800)
    histories: Sequence[int] = (25, 50, 100, 200, 400)
    ages: Sequence[int] = (10, 100, 1000)
    again: int = AGAIN


LARGE: Final = Size()
SMALL: Final = Size((64, 256, 1024), (1, 4, 16, 64), (200, 400, 800), (25, 100, 200), (10, 100))


def contexts(decoder: Variant, sizes: Sequence[int]) -> list[Point]:
    """One decision on the tokens of one new chunk behind x tokens; those that the model has positions for."""
    known = [x for x in sizes if x + decoder.chunk <= decoder.config.limit]
    if not known:
        return []
    capacity = max(known) + decoder.chunk
    state = filled(decoder.lalm(capacity), max(known))
    return [_lm_point("context", decoder, x, [state], x, capacity, repeats=8) for x in known]


def sessions(decoder: Variant, counts: Sequence[int], held: int = HELD) -> list[Point]:
    """One pass for a new chunk of each of x sessions, whose caches are as good as full with `held` tokens
    (`Lalm.step_rows`), and the same one session after the other.
    """
    held = min(held, decoder.config.limit - decoder.chunk)
    capacity = held + decoder.chunk
    lalm = decoder.lalm(capacity)
    states = [filled(lalm, held, k) for k in range(max(counts))]
    made = []
    for x in counts:
        made.append(_lm_point("sessions", decoder, x, states[:x], held, capacity, repeats=3))
        made.append(_lm_point("sessions", decoder, x, states[:x], held, capacity, repeats=1, apart=True))
    return made


def _lm_point(
    curve: str,
    decoder: Variant,
    x: int,
    states: Sequence[LalmState],
    held: int,
    capacity: int,
    repeats: int,
    apart: bool = False,
) -> Point:
    """`apart`: a pass for each session, one after the other."""
    lalm = decoder.lalm(capacity)
    inputs = [decoder.tokens(decoder.chunk, k) for k in range(len(states))]
    rows = [(0, tokens, state) for tokens, state in zip(inputs, states, strict=True)]

    def prepare() -> None:
        for state in states:
            rewind(state, held)

    def together() -> None:
        lalm.step_rows(rows)

    def one_by_one() -> None:
        for row in rows:
            lalm.step_rows([row])

    part, run, passes, each = ("lm one by one", one_by_one, x, 1) if apart else ("lm", together, 1, len(states))
    read = work.WEIGHT_BYTES[decoder.numbers]
    least = work.step(decoder.config, [(held, decoder.chunk)] * each, read, decoder.cache_bytes)
    least = Work(least.ops * passes, least.bytes * passes)
    warm = not apart or x < 16  # the others come to themselves within a point
    return Point(curve, part, decoder.numbers, x, least, run, prepare, repeats=repeats, warm=warm)


class Encoders:
    """Sound, speech and voice activity of the tier for chunks of one length.

    numbers: of the sound encoder, int8 or fp32; the other two are as they ship (ONNX Runtime).
    """

    def __init__(self, parts: Parts, chunk_ms: int, numbers: str, on: Device = HOST) -> None:
        from soundflow.perceive.sound import SoundEncoder
        from soundflow.perceive.vad import VoiceActivity

        self.size, self.numbers, self._parts = chunk_samples(chunk_ms), numbers, parts
        self.chunk_ms = chunk_ms
        self.sound = SoundEncoder(parts.sound, self.size, branch=parts.branch)
        if numbers == "int8":
            self.sound.to_int8()
        if on.gpu:
            self.sound.to_device(on.place)
        self.vad = VoiceActivity(parts.vad)

    def sounds(self, curve: str, x: int, rows: int, windows_work: Work) -> Point:
        """The newest two windows of `rows` streams in one batch."""
        streams = [Noise(self.size, k) for k in range(rows)]
        states = [self.sound.init_state() for _ in streams]

        def run() -> None:
            self.sound.step_rows([s.next().samples for s in streams], states)

        return Point(curve, "sound", self.numbers, x, windows_work, run, repeats=5 if rows < 16 else 2)

    def voices(self, curve: str, x: int, rows: int) -> Point:
        """Voice activity of `rows` streams in one batch."""
        streams = [Noise(self.size, k) for k in range(rows)]
        states = [self.vad.init_state() for _ in streams]

        def run() -> None:
            self.vad.step_rows([s.next() for s in streams], states)

        least = Work(0.0, float(self._parts.vad.stat().st_size))
        return Point(curve, "voice activity", "as shipped", x, least, run, repeats=5 if rows < 16 else 2)

    def speech(self, curve: str, x: int, moonshine: Any) -> Point:
        """The frames of one chunk while somebody speaks, 50 frames of left context before them."""
        from soundflow.perceive.speech import SpeechEncoder

        encoder, stream = SpeechEncoder(moonshine, self.size), Noise(self.size)
        state = encoder.init_state()

        def run() -> None:
            encoder.step(stream.next().samples, True, state)

        def prepare() -> None:
            while state.heard < 3 * SAMPLE_RATE_HZ:  # the left context is full
                run()

        least = Work(0.0, float((self._parts.asr / "encoder_model.ort").stat().st_size))
        return Point(curve, "speech", "as shipped", x, least, run, prepare, repeats=5)


def chunks(decoders: Sequence[Variant], parts: Parts, lengths: Sequence[int], on: Device = HOST) -> list[Point]:
    """Each part at each chunk length: one token of the decoder behind 256, two windows of sound, speech, activity."""
    from soundflow.perceive.moonshine import Moonshine

    moonshine, made = Moonshine(parts.asr), []
    for decoder in decoders:
        for x in lengths:
            lalm = decoder.lalm(HELD + 8)
            made.append(_lm_point("chunk", decoder, x, [filled(lalm, HELD)], HELD, HELD + 8, repeats=4))
    for x in lengths:
        for numbers in ("int8", "fp32") if any(d.numbers == "int8" for d in decoders) else ("fp32",):
            encoders = Encoders(parts, x, numbers, on)
            made.append(encoders.sounds("chunk", x, 1, sound_work(parts.sound, 2, numbers)))
        made += [encoders.voices("chunk", x, 1), encoders.speech("chunk", x, moonshine)]
    return made


def rooms(parts: Parts, counts: Sequence[int], eight_bit: bool, on: Device = HOST) -> list[Point]:
    """The batched encoders of x sessions: sound and voice activity. Speech is encoded where somebody speaks."""
    made = []
    one = {n: sound_work(parts.sound, 2, n) for n in ("int8", "fp32")}
    for numbers in ("int8", "fp32") if eight_bit else ("fp32",):
        encoders = Encoders(parts, CHUNK_MS, numbers, on)
        for x in counts:
            made.append(encoders.sounds("sessions", x, x, Work(one[numbers].ops * x, one[numbers].bytes)))
    return made + [encoders.voices("sessions", x, x) for x in counts]
