"""One open microphone: turns, barge-in, cool-down, notes. No sockets, no clock, no torch: values in, events and
commands out.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from soundflow import floor
from soundflow.clock import samples, seconds
from soundflow.decide.announced import Announced, announced_as
from soundflow.decide.context import said_note
from soundflow.decide.notes import MAX_NOTES, MAX_REMEMBERED, forget, known, sound_note, whole_note
from soundflow.events import Action, ErrorEvent, Event, ReplyCancelled, ReplyDelta, ReplyDone, ReplyStarted
from soundflow.perceive.own import OwnSound
from soundflow.report import decision_event, note_event, sound_event, speech_events, transcript_events, whole_event
from soundflow.types import ActionCall, Decision, Kind, Note, Perception, ReplyRequest, Telling, Tool, Vad, Words

MAX_HEARD = 8
CALLS: Final = frozenset({"help", "fire", "emergency", "hello", "hey"})
"""Single words that are answered, if the model wants to."""
SURE_P, SURE_WINDOWS = 0.8, 3  # of voice activity: what an echo leaves of our own voice seldom reaches that


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
    """All that a session remembers beside its announcements; bounded."""

    generation: int = 0
    replies: int = 0
    open_reply: str = ""
    acting: bool = False
    reply_text: str = ""
    playing_until: int = 0
    heard: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=MAX_HEARD))
    said: deque[Note] = field(default_factory=lambda: deque(maxlen=MAX_REMEMBERED))
    fresh: deque[tuple[int, Note]] = field(default_factory=lambda: deque(maxlen=MAX_NOTES))
    notes: deque[Note] = field(default_factory=lambda: deque(maxlen=MAX_NOTES))
    doubtful: bool = False  # speech began while our voice played, and may be its echo
    voiced: str = ""  # the reply whose voice was given last
    voice_from: int = 0  # sample at which that voice began
    cut: str = ""  # what speech has kept from being said
    cut_at: int = 0
    quiet: int = 0  # chunks since anybody spoke behind the cut
    resumed: int = 0  # how often what was cut last had been taken up
    speech_start: int = 0
    stable_words: int = 0


@dataclass(slots=True)
class Outcome:
    """What one chunk leads to."""

    events: list[Event] = field(default_factory=list)
    decision: Decision | None = None
    start: ReplyRequest | None = None
    cancelled: str = ""
    resume: str = ""  # words of a cut reply to go on with


class Session:
    """Turn state machine of one stream. A reply carries the generation it was asked in; barge-in raises it."""

    def __init__(self, config: SessionConfig) -> None:
        self.config = config
        self.state = SessionState()
        self._calls = CALLS | set(re.findall(r"[\w']+", config.instruction.lower()))
        self.announced = Announced(samples(config.cooldown_s), asked=bool(config.instruction))
        self.counters = {
            "barge_ins": 0,
            "cooldown_suppressed": 0,
            "busy_suppressed": 0,
            "late_dropped": 0,
            "lone_words": 0,
            "resumed": 0,
        }

    def asked(self, something: bool, each: bool) -> None:
        """Say whether sounds are asked for (by instruction or voice), and whether each of them is to be told."""
        self.announced.asked, self.announced.each = something, each

    def reconfigure(self, instruction: str, tools: tuple[Tool, ...]) -> None:
        """Go on under another instruction and with other tools."""
        self.config = replace(self.config, instruction=instruction, tools=tools)
        self._calls = CALLS | set(re.findall(r"[\w']+", instruction.lower()))

    def set_manners(self, barge_in: bool, cooldown_s: float) -> None:
        """Go on with another cool-down, and whether speech cancels a reply."""
        self.config = replace(self.config, barge_in=barge_in, cooldown_s=cooldown_s)
        self.announced.cooldown = samples(cooldown_s)

    def turn_closed(self, words: Words) -> bool:
        """Whether this chunk ends a stretch of speech that may be answered."""
        return words.final is not None and bool(words.final.text)

    def may_tell(self, own: OwnSound, perception: Perception, decision: Decision) -> bool:
        """Whether a taught sound is to be told of instead of `decision`: not while a reply is made, not within the
        cool-down, and not where an act or a closed turn is answered."""
        return self.announced.own_due(own, perception.end_sample) and self.may_say(perception, decision)

    def may_say(self, perception: Perception, decision: Decision, answers: bool = False) -> bool:
        """Whether something may be told instead of `decision`, which may answer a closed turn where it `answers` it,
        too."""
        if self.state.open_reply:
            return False
        free = answers or not (self.turn_closed(perception.words) or self._heard(perception.end_sample))
        return decision.kind is Kind.SILENT or (decision.kind is Kind.SPEAK and free)

    def answers(self, perception: Perception) -> bool:
        """Whether a decision in this chunk would answer what was said."""
        final = perception.words.final
        return bool(final and final.text) or bool(self._heard(perception.end_sample))

    def on_chunk(
        self,
        perception: Perception,
        decision: Decision,
        forgotten: int,
        sounds: Sequence[str],
        told: Telling | None = None,
    ) -> Outcome:
        """Take one chunk.

        Args:
            forgotten: newest chunk that has left the LALM's cache, -1 for none.
            sounds: plain names of what sounds now, strongest first; only read where `decision` is not silent.
            told: what `decision` tells of in known words; `may_tell` or `may_say` allowed it.
        """
        out, s, t = Outcome(), self.state, seconds(perception.end_sample)
        self._barge_in(perception.vad, perception.end_sample, t, out)
        out.events += self.perceived(perception)
        out.events += [note_event(note, t) for note in forget(s.fresh, s.notes, forgotten)]
        final = perception.words.final
        if final and final.text:
            s.heard.append((perception.end_sample, final.text))
            s.said.append(said_note(perception.end_sample, final.text))
        if isinstance(told, OwnSound):
            self.announced.own_told(told.name, perception.end_sample)
        elif not told:
            decision = self._restrain(perception, decision, sounds)
        out.decision = decision
        out.events.append(decision_event(decision, t))
        if decision.kind is not Kind.SILENT:
            out.start = self._request(perception, decision, sounds, told)
            s.cut, s.resumed = "", 0
        else:
            out.resume = self._taken_up(perception)
        return out

    def broken_into(self, words: Words) -> bool:
        """Whether these words end speech that has cut a reply: they are likelier to be for us than others."""
        return bool(self.state.cut) and not (words.final and self._echo(words.final.text))

    def _echo(self, heard: str) -> bool:
        return floor.echoes(heard, self.state.reply_text)

    def _taken_up(self, p: Perception) -> str:
        """What to go on with, now that the speech that had cut a reply is over and was not answered."""
        s = self.state
        if not s.cut:
            return ""
        if p.end_sample - s.cut_at > samples(floor.WAITS_S):
            s.cut = ""
        s.quiet = 0 if p.vad.speaking or p.vad.started is not None else s.quiet + 1
        over = s.quiet and (p.words.final is not None or s.quiet >= floor.QUIET_CHUNKS)
        if not s.cut or not over or s.open_reply:
            return ""
        rest, s.cut = s.cut, ""
        heard = p.words.final.text if p.words.final else ""
        if s.resumed >= floor.MOST_TIMES or floor.takes_floor(heard) or self._echo(heard):
            return ""
        s.resumed += 1
        self.counters["resumed"] += 1
        return rest

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
        self.counters["barge_ins"] += 1
        s.cut, s.cut_at, s.quiet = self._unsaid(end), end, 0
        out.cancelled = s.open_reply or f"r{s.replies}"
        out.events.append(self._cancelled(t, "barge_in"))

    def _unsaid(self, now: int) -> str:
        """What of the reply whose voice plays, and which is written, was not heard by sample `now`."""
        s = self.state
        if s.open_reply or s.voiced != f"r{s.replies}":
            return ""
        return floor.unsaid(s.reply_text, seconds(now - s.voice_from), seconds(s.playing_until - s.voice_from))

    def cancel(self, now: int, reason: str) -> list[Event]:
        """Cancel the reply that is made or plays at sample `now`; nothing where there is none."""
        if not self.state.open_reply and self.state.playing_until <= now:
            return []
        return [self._cancelled(seconds(now), reason)]

    def _cancelled(self, t: float, reason: str) -> ReplyCancelled:
        s = self.state
        s.generation += 1
        event = ReplyCancelled(t=t, id=s.open_reply or f"r{s.replies}", text=s.reply_text, reason=reason)
        s.open_reply, s.playing_until = "", 0
        return event

    def perceived(self, p: Perception) -> list[Event]:
        """What was heard in one chunk: speech, sounds, words."""
        t = seconds(p.end_sample)
        s, events = self.state, speech_events(p.vad, t)
        if p.vad.started is not None:
            s.speech_start = p.vad.started
        for sound in p.sounds:
            events.append(sound_event(sound, t))
            if (note := sound_note(sound)) is not None:
                s.fresh.append((p.chunk, note))
        events += [whole_event(p.whole, t)] if p.whole else []
        if p.noted is not None:
            s.fresh.append((p.chunk, whole_note(p.noted)))
        s.stable_words += len(p.words.new)
        events += transcript_events(p.words, t, s.speech_start, s.stable_words)
        if p.words.final is not None:
            s.stable_words = 0
        return events

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
        if self.announced.tell(announced_as(sounds), p):
            return decision
        self.counters["cooldown_suppressed"] += 1
        return replace(decision, kind=Kind.SILENT)

    def _heard(self, now: int) -> str:
        """Speech that has just closed."""
        window = samples(self.config.turn_s)
        return " ".join(text for at, text in self.state.heard if now - at <= window)

    def _question(self, now: int, kind: Kind) -> str:
        """Closed speech that waits for an answer. One word that is no call asks nothing, but may want a device, or be
        the one that the instruction waits for."""
        heard = self._heard(now)
        words = re.findall(r"[\w']+", heard.lower())
        lone = kind is Kind.SPEAK and len(words) < 2 and not self._calls & set(words)
        return "" if lone else heard

    def _request(
        self, p: Perception, decision: Decision, sounds: Sequence[str], told: Telling | None = None
    ) -> ReplyRequest:
        s = self.state
        s.replies += 1
        s.open_reply, s.reply_text, s.acting = f"r{s.replies}", "", decision.kind is Kind.ACT
        heard = "" if told else self._question(p.end_sample, decision.kind)
        first = self._first(p.end_sample)
        notes = known(s.notes, s.fresh, s.said, first) if heard else []
        if not told:
            s.heard.clear()
        return ReplyRequest(
            id=s.open_reply,
            generation=s.generation,
            kind=decision.kind,
            chunk=decision.chunk,
            sample=p.end_sample,
            heard=heard,
            sounds=() if heard else (told.name,) if told else tuple(sounds),
            notes=tuple(notes),
            asked_at=first,
            instruction=self.config.instruction,
            tools=self.config.tools if decision.kind is Kind.ACT else (),
            say=told.say if told else "",
        )

    def unheard(self) -> None:
        """What was just said is not answered any more: what is told of now is a sound."""
        self.state.heard.clear()

    def unanswered(self) -> str:
        """What was said since the last reply."""
        return " ".join(text for _, text in self.state.heard)

    def request_asked(self, p: Perception, decision: Decision, heard: str) -> ReplyRequest:
        """An answer to `heard` that somebody asked for. No reply is open."""
        request = self._request(p, decision, ())
        request.heard, request.sounds = heard, ()
        request.asked_at = p.end_sample
        request.notes = tuple(known(self.state.notes, self.state.fresh, self.state.said, p.end_sample))
        return request

    def request_said(self, text: str, chunk: int, now: int) -> ReplyRequest | None:
        """A reply of exactly these words; None while one is open."""
        s = self.state
        if s.open_reply:
            return None
        s.replies += 1
        s.open_reply, s.reply_text, s.acting = f"r{s.replies}", "", False
        return ReplyRequest(s.open_reply, s.generation, Kind.SPEAK, chunk, now, say=text)

    def _first(self, now: int) -> int:
        """The sample at which what is being answered began to be closed."""
        return min((at for at, _ in self.state.heard if now - at <= samples(self.config.turn_s)), default=now)

    def remembered(self, before: int) -> list[Note]:
        """All sounds, and what was said before a sample, oldest first."""
        s = self.state
        return known(s.notes, s.fresh, s.said, before, MAX_REMEMBERED)

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

    def on_voice(self, until: int, now: int) -> None:
        """The voice of the newest reply plays until this sample; its first piece was given at sample `now`."""
        s, reply = self.state, self.state.open_reply or f"r{self.state.replies}"
        if s.voiced != reply and until > s.playing_until:
            s.voiced, s.voice_from = reply, max(now, s.playing_until)
        s.playing_until = max(s.playing_until, until)

    def snapshot(self) -> dict[str, Any]:
        """A copy that later chunks do not change."""
        s = self.state
        own = {name: tuple(v) if isinstance(v := getattr(s, name), deque) else v for name in s.__slots__}
        return own | self.announced.snapshot()

    def restore(self, saved: dict[str, Any]) -> None:
        self.announced.restore(saved)
        for name in self.state.__slots__:
            own = getattr(self.state, name)
            if isinstance(own, deque):
                own.clear()
                own.extend(saved[name])
            else:
                setattr(self.state, name, saved[name])
