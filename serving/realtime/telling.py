"""The additive events of this server, opt-in: decisions, sounds and levels (docs/serving.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.handle import Heard
from soundflow.events import DecisionEvent, SoundEvent

if TYPE_CHECKING:
    from serving.realtime.session import RealtimeSession


def decision(session: RealtimeSession, event: DecisionEvent) -> None:
    """response.listen, response.speak, or overlap.decision while a response is open."""
    if "decisions" not in session.settings.includes:
        return
    quiet = event.decision == "silent"
    kind = "overlap.decision" if session.responder.active else "response.listen" if quiet else "response.speak"
    session.emit(
        kind,
        decision=event.decision,
        probabilities=[{"value": value, "probability": p} for value, p in event.p.items()],
        chunk_index=event.chunk,
        audio_ms=round(event.t * 1000),
    )


def sound(session: RealtimeSession, event: SoundEvent) -> None:
    """conversation.item.sound_detection, at the onset and once more at the end."""
    if "sounds" in session.settings.includes:
        session.emit(
            "conversation.item.sound_detection",
            label=event.label,
            probability=event.p,
            onset_ms=round(event.onset * 1000),
            offset_ms=None if event.offset is None else round(event.offset * 1000),
        )


def heard(session: RealtimeSession, event: Heard) -> None:
    """input_audio_buffer.heard: the level of one chunk and its most probable sounds."""
    if "levels" in session.settings.includes:
        session.emit(
            "input_audio_buffer.heard",
            level_db=round(event.level_db, 2),
            tags=[{"label": label, "probability": p} for label, p in event.tags],
            chunk_index=event.chunk,
            audio_ms=round(event.t * 1000),
        )
