"""One sample played out: the user's audio and the system's voice on one clock, with what is said over a reply put in
once the system is heard."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from benchmarks.compose import Item, Part, at_level, cut, render, television
from benchmarks.corpus import Clips
from benchmarks.duplex.ledger import Ledger, Piece
from benchmarks.duplex.plan import NO_VOICE_S, SAY_S
from benchmarks.duplex.stage import Talker
from benchmarks.systems import Ask
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples
from soundflow.events import Event
from soundflow.types import FloatArray

Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Script:
    """`audio` [n] of the user and the room; `user`: where the user speaks, samples. `say`: what the system is given to
    say; `over` [m] is heard `after` samples into it, with `over_user` of it being speech of somebody."""

    audio: FloatArray
    user: Spans
    say: str = ""
    over: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    over_user: Spans = field(default_factory=list)
    after: int = 25_600


def script(item: Item, clips: Clips, chunk: int) -> Script:
    """The sample of an item of the composed set. DataError: a recording that is not there, silent or too short."""
    audio = render(item, clips, chunk).audio
    user = laid(item.parts, clips, item.seed)[1]
    over, spans = laid([Part(**p) for p in item.facts.get("over", ())], clips, item.seed)
    after = samples(float(item.facts.get("after_s", 0.0)))
    return Script(audio, user, str(item.facts.get("say", "")), over, spans, after)


def laid(parts: Sequence[Part], clips: Clips, seed: int) -> tuple[FloatArray, Spans]:
    """The parts one behind the other, [n], and where each lies."""
    pieces: list[FloatArray] = []
    spans: Spans = []
    at = 0
    for part in parts:
        piece = cut(part, clips)
        if part.through:
            piece = at_level(television(piece, seed, part.path, part.through), part.db or -24.0)
        gap = samples(part.gap_s)
        pieces += [np.zeros(gap, np.float32), piece]
        spans.append((at + gap, at + gap + len(piece)))
        at += gap + len(piece)
    return (np.concatenate(pieces) if pieces else np.zeros(0, np.float32)), spans


@dataclass(slots=True)
class Played:
    """What a sample led to; `mic` [n] is what the system heard, `over` where the overlap lay."""

    mic: FloatArray
    user: Spans
    over: tuple[int, int] | None
    events: list[Event]
    step_ms: list[float]
    ledger: Ledger


def play(talker: Talker, s: Script, ask: Ask, tick: Callable[[float], None], keep: bool = False) -> Played:
    """Push the sample chunk by chunk; headphones: the voice does not come back (`benchmarks.echo` is about that)."""
    ledger = Ledger(keep)
    seat = talker.sit(ask, ledger)
    mic, chunk = s.audio.copy(), talker.chunk
    events: list[Event] = []
    step_ms: list[float] = []
    asked, over = not s.say, None
    for start in range(0, len(mic), chunk):
        ledger.now = start + chunk
        if not asked and start >= samples(SAY_S):
            asked = seat.say(s.say)
        if over is None and len(s.over) and start >= samples(SAY_S):
            over = _begun(ledger, start, s.after)
            if over is not None:
                piece = s.over[: max(0, len(mic) - over)]
                mic[over : over + len(piece)] += piece
        began = time.perf_counter()
        events += seat.push(np.clip(mic[start : start + chunk], -1.0, 1.0))
        step_ms.append(round((time.perf_counter() - began) * 1000, 3))
        tick(min(chunk, len(mic) - start) / SAMPLE_RATE_HZ)
    ledger.now = len(mic) + chunk
    events += seat.close()
    user = [*s.user, *((a + over, b + over) for a, b in s.over_user)] if over is not None else s.user
    where = (over, over + len(s.over)) if over is not None else None
    return Played(mic, list(user), where, events, step_ms, ledger)


def _begun(ledger: Ledger, start: int, after: int) -> int | None:
    """Where the overlap begins: `after` behind the first voice (or the words being given, where the system spoke by
    then); where there is none, as if a voice had begun 1 s after the words were given. None: not known yet."""
    heard = [p.start for p in ledger.pieces if p.end > samples(SAY_S)]
    if heard:
        at = max(min(heard), samples(SAY_S)) + after
    elif start >= samples(SAY_S + NO_VOICE_S - 0.4) + after:
        at = samples(SAY_S + NO_VOICE_S) + after
    else:
        return None
    return max(at, start)


def within(piece: Piece, limit: int) -> Piece:
    """The piece as far as sample `limit`, where the sample ends; of its words as many as fit its share of time."""
    if piece.whole <= limit:
        return piece
    words = piece.text.split()
    kept = -(-len(words) * (limit - piece.start) // (piece.whole - piece.start))
    return replace(piece, end=min(piece.end, limit), whole=limit, text=" ".join(words[:kept]))


def row_of(item: Item, system: str, played: Played, chunk: int, wall_s: float) -> dict[str, Any]:
    """All that scoring needs of one sample."""
    letters = {"silent": "s", "speak": "S", "act": "A"}
    decided = "".join(letters[e.to_dict()["decision"]] for e in played.events if e.type == "decision")
    kinds = ("reply.done", "reply.cancelled", "error")
    told: list[Mapping[str, Any]] = [e.to_dict() for e in played.events if e.type in kinds]
    heard = [e.to_dict() for e in played.events if e.type == "transcript"]
    return {
        "id": item.id,
        "system": system,
        "item": item.to_dict(),
        "chunk": chunk,
        "samples": len(played.mic),
        "user": [list(s) for s in played.user],
        "over": list(played.over) if played.over else None,
        "voice": [asdict(within(p, len(played.mic))) for p in played.ledger.pieces if p.start < len(played.mic)],
        "decisions": decided,
        "told": [dict(t) for t in told],
        "heard": " ".join(str(h["text"]) for h in heard if h["final"]),
        "step_ms": played.step_ms,
        "wall_s": round(wall_s, 3),
    }
