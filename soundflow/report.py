"""What was perceived and decided in one chunk, as events. `t`: seconds of audio heard by then."""

from __future__ import annotations

from soundflow.clock import seconds
from soundflow.events import (
    DecisionEvent,
    Event,
    NoteEvent,
    SoundEvent,
    SoundWhole,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from soundflow.types import Decision, Kind, Note, Sound, Vad, Whole, Words


def decision_event(decision: Decision, t: float) -> DecisionEvent:
    p = {kind.label: round(value, 4) for kind, value in zip(Kind, decision.p, strict=True)}
    return DecisionEvent(t=t, decision=decision.kind.label, p=p, chunk=decision.chunk)


def sound_event(sound: Sound, t: float) -> SoundEvent:
    offset = None if sound.offset is None else seconds(sound.offset)
    return SoundEvent(t=t, label=sound.label, p=round(sound.p, 4), onset=seconds(sound.onset), offset=offset)


def whole_event(sound: Whole, t: float) -> SoundWhole:
    ends = seconds(sound.onset), seconds(sound.offset)
    return SoundWhole(t=t, label=sound.label, p=round(sound.p, 4), onset=ends[0], offset=ends[1])


def note_event(note: Note, t: float) -> NoteEvent:
    return NoteEvent(t=t, text=f"{seconds(note.sample):.1f} s: {note.text}")


def speech_events(vad: Vad, t: float) -> list[Event]:
    """Where speech started and stopped in the chunk, in the order in which it happened."""
    found: list[tuple[int, int, Event]] = []
    if vad.started is not None:
        found.append((vad.started, 0, SpeechStarted(t=t, start=seconds(vad.started))))
    if vad.stopped is not None:
        found.append((vad.stopped, 1, SpeechStopped(t=t, end=seconds(vad.stopped))))
    return [event for _, _, event in sorted(found, key=lambda item: item[:2])]


def transcript_events(words: Words, t: float, start: int, stable: int) -> list[Event]:
    """A partial where the hypothesis grew, a final where the segment closed."""
    if words.final is not None:
        f = words.final
        if not f.text:
            return []
        listed = [{"text": w.text, "start": seconds(w.start), "end": seconds(w.end)} for w in f.words]
        span = {"start": seconds(f.start), "end": seconds(f.end)}
        return [Transcript(t=t, text=f.text, final=True, **span, stable=len(f.words), words=listed)]
    if not words.partial:
        return []
    return [Transcript(t=t, text=words.partial, final=False, start=seconds(start), end=t, stable=stable)]
