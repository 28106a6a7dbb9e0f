"""Every event that leaves the system, and its JSON form. The contract is docs/events.md: additive changes only.

`t` is seconds of audio at the end of the chunk that caused the event.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base: `type` is the wire name, `t` seconds of audio."""

    type: ClassVar[str] = ""
    t: float

    def to_dict(self) -> dict[str, Any]:
        body = {k: v for k, v in asdict(self).items() if v is not None}
        return {"type": self.type, **body}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEvent(Event):
    type: ClassVar[str] = "decision"
    decision: str
    p: dict[str, float]
    chunk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundEvent(Event):
    """Sent at the onset (no `offset`) and again, with `offset`, when the sound has ended."""

    type: ClassVar[str] = "sound"
    label: str
    p: float
    onset: float
    offset: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundWhole(Event):
    """Once a sound that stood out has ended, or has lasted 4.8 s: what all of it together is most likely to be."""

    type: ClassVar[str] = "sound.whole"
    label: str
    p: float
    onset: float
    offset: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted(Event):
    type: ClassVar[str] = "speech.started"
    start: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStopped(Event):
    type: ClassVar[str] = "speech.stopped"
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript(Event):
    """`final` false: the growing hypothesis, `stable` of its words will not change. A final is one segment, said
    once.
    """

    type: ClassVar[str] = "transcript"
    text: str
    final: bool
    start: float
    end: float
    stable: int = 0
    words: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyStarted(Event):
    type: ClassVar[str] = "reply.started"
    id: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDelta(Event):
    type: ClassVar[str] = "reply.delta"
    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDone(Event):
    type: ClassVar[str] = "reply.done"
    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyCancelled(Event):
    type: ClassVar[str] = "reply.cancelled"
    id: str
    text: str
    reason: str = "barge_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Event):
    type: ClassVar[str] = "action"
    name: str
    arguments: dict[str, Any]
    confirm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteEvent(Event):
    type: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEvent(Event):
    type: ClassVar[str] = "error"
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Event):
    type: ClassVar[str] = "summary"
    seconds: float
    chunks: int
    rtf: float
    step_ms: dict[str, float]
    deadline_misses: int
    peak_rss_mb: float


def _leaves(cls: type[Event]) -> list[type[Event]]:
    subs = cls.__subclasses__()
    return [cls] if not subs else [leaf for s in subs for leaf in _leaves(s)]


def event_types() -> dict[str, type[Event]]:
    """Wire name -> class, found by reflection."""
    return {c.type: c for c in _leaves(Event)}


def from_dict(body: dict[str, Any]) -> Event:
    """Inverse of `Event.to_dict`. Raises KeyError for an unknown `type`, TypeError for missing or unknown fields."""
    fields = dict(body)
    return event_types()[fields.pop("type")](**fields)
