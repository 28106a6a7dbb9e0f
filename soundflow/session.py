"""One open microphone: turns, barge-in, cool-down, notes. No sockets, no clock, no torch: values in, events and
commands out.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from soundflow.clock import samples, seconds
from soundflow.decide.likeness import like, unit
from soundflow.events import (
    Action,
    DecisionEvent,
    ErrorEvent,
    Event,
    NoteEvent,
    ReplyCancelled,
    ReplyDelta,
    ReplyDone,
    ReplyStarted,
    SoundEvent,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from soundflow.perceive.labels import ALERTING, SPEECH, display_name
from soundflow.types import (
    ActionCall,
    Decision,
    FloatArray,
    Kind,
    Note,
    Perception,
    ReplyRequest,
    Sound,
    Tool,
    Vad,
    Words,
)

MAX_NOTES = 32
MAX_HEARD = 8
CALLS: Final = frozenset({"help", "fire", "emergency", "hello", "hey"})
"""Single words that are answered, if the model wants to."""
SURE_P, SURE_WINDOWS = 0.8, 3  # of voice activity: what an echo leaves of our own voice seldom reaches that
RENAMED_S = 5.0  # a crying baby is laughter at first, and crying two seconds later


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """`cooldown_s`: a sound that was announced is not announced again sooner. `turn_s`: how long closed speech waits
    to be answered. `barge_in`: speech cancels a reply that is being made or played."""

    instruction: str = ""
    tools: tuple[Tool, ...] = ()
    cooldown_s: float = 60.0
    turn_s: float = 0.9
    barge_in: bool = True


@dataclass(slots=True)
class SessionState:
    """All that a session remembers; bounded."""

    generation: int = 0
    replies: int = 0
    open_reply: str = ""
    acting: bool = False
    reply_text: str = ""
    playing_until: int = 0
    announced: dict[str, int] = field(default_factory=dict)
    sounded: deque[tuple[int, FloatArray]] = field(default_factory=lambda: deque(maxlen=MAX_NOTES))
    heard: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=MAX_HEARD))
    fresh: deque[tuple[int, Note]] = field(default_factory=lambda: deque(maxlen=MAX_NOTES))
    notes: deque[Note] = field(default_factory=lambda: deque(maxlen=MAX_NOTES))
    doubtful: bool = False  # speech began while our voice played, and may be its echo
    speech_start: int = 0
    stable_words: int = 0


@dataclass(slots=True)
class Outcome:
    """What one chunk leads to."""

    events: list[Event] = field(default_factory=list)
    decision: Decision | None = None
    start: ReplyRequest | None = None
    cancelled: str = ""


class Session:
    """Turn state machine of one stream. A reply carries the generation it was asked in; barge-in raises it."""

    def __init__(self, config: SessionConfig) -> None:
        self.config = config
        self.state = SessionState()
        self.counters = {
            "barge_ins": 0,
            "cooldown_suppressed": 0,
            "busy_suppressed": 0,
            "late_dropped": 0,
            "lone_words": 0,
        }

    def turn_closed(self, words: Words) -> bool:
        """Whether this chunk ends a stretch of speech that may be answered."""
        return words.final is not None and bool(words.final.text)

    def on_chunk(self, perception: Perception, decision: Decision, forgotten: int, sounds: Sequence[str]) -> Outcome:
        """Take one chunk.

        Args:
            forgotten: newest chunk that has left the LALM's cache, -1 for none.
            sounds: plain names of what sounds now, strongest first; only read where `decision` is not silent.
        """
        out, s, t = Outcome(), self.state, seconds(perception.end_sample)
        self._barge_in(perception.vad, perception.end_sample, t, out)
        out.events += self._perceived(perception, t)
        self._forget(forgotten, t, out)
        final = perception.words.final
        if final and final.text:
            s.heard.append((perception.end_sample, final.text))
        decision = self._restrain(perception, decision, sounds)
        out.decision = decision
        out.events.append(decision_event(decision, t))
        if decision.kind is not Kind.SILENT:
            out.start = self._request(perception, decision, sounds)
        return out

    def _barge_in(self, vad: Vad, end: int, t: float, out: Outcome) -> None:
        """Speech cancels a reply. While our own voice plays it has to be clear (0.1 s), in this chunk or the next."""
        s = self.state
        busy = (bool(s.open_reply) and not s.acting) or s.playing_until > end
        began = vad.started is not None or (s.doubtful and vad.speaking)
        s.doubtful = False
        if not (self.config.barge_in and began and busy):
            return
        playing = vad.started is None or s.playing_until > vad.started
        if playing and sum(p >= SURE_P for p in vad.probs) < SURE_WINDOWS:
            s.doubtful = True
            return
        s.generation += 1
        self.counters["barge_ins"] += 1
        out.cancelled = s.open_reply or f"r{s.replies}"
        out.events.append(ReplyCancelled(t=t, id=out.cancelled, text=s.reply_text))
        s.open_reply, s.playing_until = "", 0

    def _perceived(self, p: Perception, t: float) -> list[Event]:
        events: list[Event] = []
        s = self.state
        if p.vad.stopped is not None and (p.vad.started is None or p.vad.stopped < p.vad.started):
            events.append(SpeechStopped(t=t, end=seconds(p.vad.stopped)))
        if p.vad.started is not None:
            s.speech_start = p.vad.started
            events.append(SpeechStarted(t=t, start=seconds(p.vad.started)))
        if p.vad.stopped is not None and p.vad.started is not None and p.vad.stopped >= p.vad.started:
            events.append(SpeechStopped(t=t, end=seconds(p.vad.stopped)))
        for sound in p.sounds:
            events.append(sound_event(sound, t))
            if sound.offset is None and sound.label not in SPEECH:
                s.fresh.append((p.chunk, Note(sound.onset, display_name(sound.label))))
        s.stable_words += len(p.words.new)
        events += transcript_events(p.words, t, s.speech_start, s.stable_words)
        if p.words.final is not None:
            s.stable_words = 0
        return events

    def _forget(self, forgotten: int, t: float, out: Outcome) -> None:
        s = self.state
        while s.fresh and s.fresh[0][0] <= forgotten:
            note = s.fresh.popleft()[1]
            if not s.notes or s.notes[-1].text != note.text:
                s.notes.append(note)
                out.events.append(NoteEvent(t=t, text=f"{seconds(note.sample):.1f} s: {note.text}"))

    def _restrain(self, p: Perception, decision: Decision, sounds: Sequence[str]) -> Decision:
        """Silence instead of a second reply at once, or of the same announcement within the cool-down."""
        s = self.state
        if decision.kind is Kind.SILENT:
            return decision
        if s.open_reply:
            self.counters["busy_suppressed"] += 1
            return replace(decision, kind=Kind.SILENT)
        if self._question(p.end_sample, decision.kind):
            return decision
        if not sounds and self._heard(p.end_sample):
            self.counters["lone_words"] += 1
            return replace(decision, kind=Kind.SILENT)
        topic = announced_as(sounds)
        last = s.announced.get(topic)
        told = (last is not None and p.end_sample - last < samples(self.config.cooldown_s)) or self._goes_on(p)
        if told or self._renamed(topic, p.end_sample):
            if not told:
                self._remember(topic, p.end_sample)
            self.counters["cooldown_suppressed"] += 1
            return replace(decision, kind=Kind.SILENT)
        self._remember(topic, p.end_sample)
        s.sounded.append((p.end_sample, unit(p.sound)))
        return decision

    def _remember(self, topic: str, now: int) -> None:
        announced = self.state.announced
        if len(announced) >= MAX_NOTES and topic not in announced:
            announced.pop(min(announced, key=lambda k: announced[k]))
        announced[topic] = now

    def _goes_on(self, p: Perception) -> bool:
        """Whether this is, by its sound, what was announced within the cool-down, whatever it is called now."""
        since = p.end_sample - samples(self.config.cooldown_s)
        return not self.config.instruction and bool(like(self.state.sounded, p.sound, since))

    def _renamed(self, topic: str, now: int) -> bool:
        """Whether what was just announced may be the same sound: it or `topic` is no alerting group, but a guess."""
        said, at = max(self.state.announced.items(), key=lambda item: item[1], default=("", -samples(RENAMED_S)))
        guessed = not {said, topic} <= set(ALERTING)
        return not self.config.instruction and guessed and now - at < samples(RENAMED_S)

    def _heard(self, now: int) -> str:
        """Speech that has just closed."""
        window = samples(self.config.turn_s)
        return " ".join(text for at, text in self.state.heard if now - at <= window)

    def _question(self, now: int, kind: Kind) -> str:
        """Closed speech that waits for an answer. One word that is no call asks nothing, but may want a device."""
        heard = self._heard(now)
        words = re.findall(r"[\w']+", heard.lower())
        lone = kind is Kind.SPEAK and len(words) < 2 and not CALLS & set(words)
        return "" if lone else heard

    def _request(self, p: Perception, decision: Decision, sounds: Sequence[str]) -> ReplyRequest:
        s = self.state
        s.replies += 1
        s.open_reply, s.reply_text, s.acting = f"r{s.replies}", "", decision.kind is Kind.ACT
        heard = self._question(p.end_sample, decision.kind)
        s.heard.clear()
        known = [*s.notes, *(note for _, note in s.fresh)] if heard else []
        return ReplyRequest(
            id=s.open_reply,
            generation=s.generation,
            kind=decision.kind,
            chunk=decision.chunk,
            sample=p.end_sample,
            heard=heard,
            sounds=() if heard else tuple(sounds),
            notes=tuple(known),
            instruction=self.config.instruction,
            tools=self.config.tools if decision.kind is Kind.ACT else (),
        )

    def current(self, request: ReplyRequest) -> bool:
        """Whether output of this request may still go out; late output is counted."""
        if request.generation == self.state.generation and request.id == self.state.open_reply:
            return True
        self.counters["late_dropped"] += 1
        return False

    def on_started(self, request: ReplyRequest, sample: int) -> list[Event]:
        """A reply in words has begun; an act says nothing before its `action`."""
        spoken = request.kind is Kind.SPEAK and self.current(request)
        return [ReplyStarted(t=seconds(sample), id=request.id)] if spoken else []

    def on_text(self, request: ReplyRequest, delta: str, sample: int) -> list[Event]:
        if not delta or not self.current(request):
            return []
        self.state.reply_text += delta
        return [ReplyDelta(t=seconds(sample), id=request.id, text=delta)]

    def on_done(self, request: ReplyRequest, text: str, call: ActionCall | None, sample: int) -> list[Event]:
        """A finished reply or call. `sample` is the audio heard by then."""
        if not self.current(request):
            return []
        s, t = self.state, seconds(sample)
        s.open_reply = ""
        if call is not None:
            return [Action(t=t, name=call.name, arguments=dict(call.arguments), confirm=call.confirm)]
        s.reply_text = text
        return [ReplyDone(t=t, id=request.id, text=text)]

    def on_failed(self, request: ReplyRequest, code: str, message: str, sample: int) -> list[Event]:
        """A reply that could not be made ends as an error and a cancelled reply; the session goes on."""
        if not self.current(request):
            return []
        self.state.open_reply, t = "", seconds(sample)
        events: list[Event] = [ErrorEvent(t=t, code=code, message=message)]
        if request.kind is Kind.SPEAK:
            events.append(ReplyCancelled(t=t, id=request.id, text=self.state.reply_text, reason="failed"))
        return events

    def on_voice(self, until: int) -> None:
        """The system's own voice plays until this sample."""
        self.state.playing_until = max(self.state.playing_until, until)

    def snapshot(self) -> dict[str, Any]:
        s = self.state
        return {
            name: (tuple(v) if isinstance(v := getattr(s, name), deque) else dict(v) if isinstance(v, dict) else v)
            for name in s.__slots__
        }

    def restore(self, saved: dict[str, Any]) -> None:
        for name, value in saved.items():
            own = getattr(self.state, name)
            if isinstance(own, deque):
                own.clear()
                own.extend(value)
            else:
                setattr(self.state, name, dict(value) if isinstance(value, dict) else value)


_GROUPS: Final = {display_name(tag): group for group, tags in ALERTING.items() for tag in tags}


def announced_as(sounds: Sequence[str]) -> str:
    """The cool-down's key: what an announcement is about.

    The first alerting group among the sounds, so that a siren that is now an ambulance's and now a police car's is one;
    else the most salient sound.
    """
    groups = [group for name in sounds if (group := _GROUPS.get(name))]
    return groups[0] if groups else sounds[0] if sounds else ""


def decision_event(decision: Decision, t: float) -> DecisionEvent:
    p = {kind.label: round(value, 4) for kind, value in zip(Kind, decision.p, strict=True)}
    return DecisionEvent(t=t, decision=decision.kind.label, p=p, chunk=decision.chunk)


def sound_event(sound: Sound, t: float) -> SoundEvent:
    offset = None if sound.offset is None else seconds(sound.offset)
    return SoundEvent(t=t, label=sound.label, p=round(sound.p, 4), onset=seconds(sound.onset), offset=offset)


def transcript_events(words: Words, t: float, start: int, stable: int) -> list[Event]:
    """A partial where the hypothesis grew, a final where the segment closed."""
    if words.final is not None:
        f = words.final
        if not f.text:
            return []
        listed = [{"text": w.text, "start": seconds(w.start), "end": seconds(w.end)} for w in f.words]
        span = {"start": seconds(f.start), "end": seconds(f.end)}
        return [Transcript(t=t, text=f.text, final=True, **span, stable=len(f.words), words=listed)]
    if not words.new and not words.partial:
        return []
    return [Transcript(t=t, text=words.partial, final=False, start=seconds(start), end=t, stable=stable)]
