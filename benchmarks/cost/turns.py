"""How soon a reply is heard: a sound that alarms, at real-time pace, a voice that speaks; first token and first audio.

The reply is made as `soundflow listen` makes it: a thread of its own, whose text comes out token by token and whose
voice comes out when the last sentence of the text is made (a server gives it out sentence by sentence: `bench serve
turns`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from benchmarks.compose import Bed, Item, Part
from benchmarks.corpus import Row
from benchmarks.plan import capped, item_seed
from benchmarks.systems import Listener
from soundflow import SAMPLE_RATE_HZ
from soundflow.events import DecisionEvent, Event, ReplyDelta, ReplyDone
from soundflow.types import FloatArray

GROUP: Final = "spoken"
EVENTS: Final = ("crying_baby", "glass_break", "doorbell", "siren")
LEAD_S, SOUND_S, TAIL_S = 1.2, 4.0, 8.0
POLL_S: Final = 0.004


class Speaking(Listener, Protocol):
    """A listener whose replies are made beside it and spoken."""

    def poll(self) -> list[Event]:
        """Events of replies since the last call."""

    def voiced(self) -> bool:
        """Whether a piece of the voice has come out."""


def plan(rows: Sequence[Row], count: int, seed: int) -> list[Item]:
    """`count` streams of one alarming dev sound each, the labels in turn; fewer where there are fewer recordings."""
    by = {label: [r for r in rows if r.split == "dev" and r.label == label and r.respond == "yes"] for label in EVENTS}
    order = {label: capped(found, 0, seed, label) for label, found in by.items() if found}
    longest = max((len(found) for found in order.values()), default=0)
    drawn = [found[k] for k in range(longest) for found in order.values() if k < len(found)]
    made = []
    for row in drawn[:count]:
        name = f"latency/{GROUP}/{row.path}"
        parts = (Part(row.path, LEAD_S, 0.0, SOUND_S, -22.0),)
        where = (name, GROUP, row.label, "yes", row.path, item_seed(seed, name))
        made.append(Item(*where, parts, Bed("room", -58.0), TAIL_S))
    return made


@dataclass(slots=True)
class Turn:
    """Seconds of one turn, None for what never came. late: from the end of the chunk that was heard to the decision to
    speak; token, audio: from that decision to the first text and to the first piece of voice; both end in `heard_s`:
    from the end of the chunk to the first piece of voice, as a person waits.
    """

    late_s: float | None = None
    token_s: float | None = None
    audio_s: float | None = None
    said: str = ""
    chunk: int = -1

    @property
    def heard_s(self) -> float | None:
        return None if self.late_s is None or self.audio_s is None else self.late_s + self.audio_s


class _Watch:
    """Dates what comes out."""

    def __init__(self) -> None:
        self.turn = Turn()
        self._decided = 0.0

    @property
    def over(self) -> bool:
        return self.turn.audio_s is not None

    def see(self, events: Sequence[Event], due: float, now: float, voiced: bool) -> None:
        """`due`: when the last sample of the newest chunk was heard."""
        turn = self.turn
        for event in events:
            if isinstance(event, DecisionEvent) and event.decision == "speak" and turn.late_s is None:
                turn.late_s, turn.chunk, self._decided = now - due, event.chunk, now
            elif isinstance(event, ReplyDelta | ReplyDone) and event.text and turn.late_s is not None:
                turn.token_s = now - self._decided if turn.token_s is None else turn.token_s
            if isinstance(event, ReplyDone):
                turn.said = turn.said or event.text
        if voiced and turn.late_s is not None and turn.audio_s is None:
            turn.audio_s = now - self._decided


def take(
    listener: Speaking,
    audio: FloatArray,
    chunk: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Turn:
    """Push each chunk when a microphone would have delivered it, poll between, until the voice is out or the audio
    ends. Only the first decision to speak is dated.
    """
    watch, origin, due = _Watch(), clock(), 0.0
    for index in range(len(audio) // chunk):
        due = origin + (index + 1) * chunk / SAMPLE_RATE_HZ
        while not watch.over and (left := due - clock()) > 0:
            sleep(min(left, POLL_S))
            events = listener.poll()
            watch.see(events, due, clock(), listener.voiced())
        if watch.over:
            break
        events = listener.push(audio[index * chunk : (index + 1) * chunk])
        watch.see(events, due, clock(), listener.voiced())
    events = listener.close()
    watch.see(events, due, clock(), listener.voiced())
    return watch.turn


def facts(turn: Turn) -> dict[str, Any]:
    """For a row; ms, None for what never came."""
    times = {"decision_ms": turn.late_s, "token_ms": turn.token_s, "audio_ms": turn.audio_s, "heard_ms": turn.heard_s}
    found: dict[str, Any] = {k: None if v is None else round(1000 * v, 1) for k, v in times.items()}
    return found | {"said": turn.said, "decided_at": turn.chunk}
