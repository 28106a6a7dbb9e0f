"""One stream between perception and events, in two halves around the LALM, so that a caller may run the LALM for one
stream or for hundreds: `begin` perceives a chunk, `finish` takes its logits to events.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from soundflow.clock import samples, seconds
from soundflow.decide.context import Context, sound_names
from soundflow.decide.lalm import Lalm
from soundflow.decide.policy import LIKELIER, UNDERSTOOD, Calibration, DecisionPolicy
from soundflow.errors import ConfigError
from soundflow.events import Event
from soundflow.perceive.expected import ANYTHING, Expected
from soundflow.perceive.labels import display_name
from soundflow.perceive.own import OwnSound
from soundflow.perceive.perceiver import Perceiver
from soundflow.replies import Replies
from soundflow.report import sound_event
from soundflow.respond.grammar import ActGrammar
from soundflow.respond.playback import Playback
from soundflow.respond.recall import recall
from soundflow.respond.reply import REPLY_ROOM
from soundflow.respond.spoken_values import tool_phrases
from soundflow.respond.told import told
from soundflow.respond.tools import tools_prompt
from soundflow.session import Session, SessionConfig
from soundflow.types import (
    AudioChunk,
    Decision,
    FloatArray,
    Kind,
    Perception,
    ReplyRequest,
    Telling,
    Tool,
    Vad,
    Whole,
    Words,
)
from soundflow.watch import Told, Verdict, Watch

USUAL = "a word " * 20  # a request that must fit beside the tools


@dataclass(frozen=True)
class Model:
    """The parts of a tier, weights only; any number of streams share one.

    Raises:
        ConfigError: the language model knows too few positions for a full cache and a reply behind it.
    """

    tier: str
    chunk_samples: int
    perceiver: Perceiver
    lalm: Lalm
    context: Context
    calibration: Calibration

    def __post_init__(self) -> None:
        most, given = self.lalm.llama.config.limit - REPLY_ROOM, self.lalm.capacity
        if given > most:
            raise ConfigError(
                f"cache_tokens: at most {most} was expected, as the language model knows {most + REPLY_ROOM} positions"
                f" and a reply may need {REPLY_ROOM} of them; got {given}"
            )


@dataclass(frozen=True, slots=True)
class Step:
    """A perceived chunk on its way to a decision. `inputs` [P,D] is what the LALM reads of it; `closed`: it ends a
    stretch of speech; `ours`: one that is likelier to be for us than others. `asked`: somebody wants an answer to these
    words now, whatever the model would decide."""

    perception: Perception
    inputs: Tensor
    closed: bool
    asked: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Manner:
    """How a stream behaves; may change between two chunks.

    manual: nothing is decided but what is asked for. muted: names (plain or AudioSet's) of sounds that are neither
    reported nor told of."""

    instruction: str = ""
    tools: tuple[Tool, ...] = ()
    proactivity: float = 0.5
    manual: bool = False
    muted: frozenset[str] = frozenset()


class Row:
    """State of one stream, without its samples. Not thread-safe."""

    def __init__(
        self,
        model: Model,
        manner: Manner,
        config: SessionConfig,
        playback: Playback,
        realtime: bool,
        driven: bool = False,
        start_sample: int = 0,
    ) -> None:
        """`realtime` and `driven`: who makes replies, as in `Replies`. `start_sample`: of the first chunk."""
        self.model, self.playback = model, playback
        self.now = start_sample
        self.perception = model.perceiver.init_state(start_sample=start_sample)
        self.expected = ANYTHING
        self.lalm = model.lalm.init_state(1)
        self.session = Session(config)
        self.watch = Watch(manner.instruction, model.perceiver.labels, model.calibration, model.perceiver.headed)
        self._last: Perception | None = None
        self.manner: Manner
        self.policy: DecisionPolicy
        self._set(manner)
        self.hold = self.policy.init_state()
        grammar = self._grammar(None)
        self.replies = Replies(model.lalm, model.context, self.lalm, self.session, playback, grammar, realtime, driven)

    def change(self, manner: Manner) -> None:
        """Go on in another manner. Where the prompt changes, what the model holds of the last seconds is forgotten and
        notes of it stay. ConfigError or CapacityError: nothing has changed."""
        old = self.manner
        prefix = self.model.context.prefix(manner.instruction, [t.name for t in manner.tools])
        self.model.context.act_header(USUAL, tools_prompt(manner.tools))
        DecisionPolicy(self.model.calibration, manner.proactivity)
        grammar, same = self.replies.grammar, manner.tools == old.tools
        grammar = grammar if same else self._grammar(grammar, manner.tools)
        if prefix == self.model.context.prefix(old.instruction, [t.name for t in old.tools]):
            self.manner = manner
            self.policy = self._policy(manner)
        else:
            self._set(manner)
            self.lalm.forgotten[0] = self.now // self.model.chunk_samples - 1
        self.session.reconfigure(manner.instruction, manner.tools)
        self.replies.grammar = grammar
        self._asked()

    def _set(self, manner: Manner) -> None:
        model = self.model
        model.context.act_header(USUAL, tools_prompt(manner.tools))
        self.manner = manner
        self.policy = self._policy(manner)
        self.watch.instruct(manner.instruction)
        self._asked()
        model.lalm.start(0, model.context.prefix(manner.instruction, [t.name for t in manner.tools]), self.lalm)

    def _policy(self, manner: Manner) -> DecisionPolicy:
        # An instruction may ask for sound after sound, so there nothing is held back.
        wary = 0 if manner.instruction else samples(self.session.config.cooldown_s) // self.model.chunk_samples
        return DecisionPolicy(self.model.calibration, manner.proactivity, wary_chunks=wary)

    def _grammar(self, like: ActGrammar | None, tools: tuple[Tool, ...] | None = None) -> ActGrammar | None:
        tools = self.manner.tools if tools is None else tools
        if not tools:
            return None
        context = self.model.context
        return like.with_tools(tools) if like else ActGrammar(context.tokenizer, tools, context.end_id)

    def begin(self, chunk: AudioChunk, words: Words | None = None, perception: Perception | None = None) -> Step:
        """Perceive the next chunk, or take `perception` of it where that was done. `words`: see `Perceiver.step`."""
        self.playback.drop(chunk.start_sample - samples(1.0))
        perception = perception or self.model.perceiver.step(chunk, self.perception, words)
        self.now, self._last = chunk.end_sample, perception
        if self.manner.muted:
            kept = tuple(s for s in perception.sounds if not self._muted(s.label))
            whole, noted = (x and (None if self._muted(x.label) else x) for x in (perception.whole, perception.noted))
            perception = replace(perception, sounds=kept, whole=whole, noted=noted)
        return self._step(perception)

    def commit(self) -> Step | None:
        """Close the open stretch of speech now -> the step of its last words; None where nobody spoke."""
        words = self.model.perceiver.flush(self.perception)
        if words.final is None or self._last is None:
            return None
        vad = replace(self._last.vad, started=None, stopped=None)
        return self._step(replace(self._last, words=words, sounds=(), vad=vad))

    def ask(self, text: str) -> Step | None:
        """Ask for an answer to typed `text`, or to what was said last -> its step; None where nothing was said."""
        if self._last is None:
            tags, sound, speech = (np.zeros(n, np.float32) for n in self.model.lalm.projector.sizes)
            self._last = Perception(0, self.now, tags, sound, speech, Vad((), False), Words())
        if text and self.watch.heard_said(text, self.now, typed=True):
            self._asked()
        heard = text or self.session.unanswered()
        if not heard or self.session.state.open_reply:
            return None
        typed = self.model.context.typed(text) if text else []
        quiet = replace(self._last, words=Words(), sounds=(), vad=Vad((), False), end_sample=self.now)
        return Step(quiet, self._inputs(quiet, False, typed), True, heard)

    def finish(self, step: Step, logits: FloatArray) -> tuple[list[Event], Decision]:
        """Decide on what `begin` (or `commit`, `ask`) gave. `logits` [K]."""
        if step.asked:
            return self._answer(step, logits)
        perception, chunk = step.perception, step.perception.chunk
        self.watch.hear(perception)
        if self.watch.expire(perception.end_sample):
            self._asked()
        if not step.closed:
            logits[Kind.SPEAK] += self.watch.bias()
        can_act = bool(self.manner.tools) and self.model.lalm.can_act
        likelier = UNDERSTOOD if step.ours else LIKELIER * self.session.broken_into(perception.words)
        decided = self.policy.decide(chunk, logits.tolist(), self.hold, can_act, step.closed, likelier)
        decided, whole = self._look_again(perception, decided, step.closed)
        telling, decided = self._told(perception, decided)
        names = self._names(decided, whole)
        verdict = Verdict()
        if decided.kind is not Kind.SILENT and not telling:
            verdict = self._judged(perception, names, decided.kind)
            names = (verdict.name,) if verdict.name else names
        kept = isinstance(telling, Told) and telling.due
        if (self.manner.manual and not kept) or verdict.hold or self._unwanted(names, step.closed, telling):
            telling, decided = None, replace(decided, kind=Kind.SILENT)
        out = self.session.on_chunk(perception, decided, self.lalm.forgotten[0], self._kept(names), telling)
        if out.cancelled:
            self.replies.stop(self.now)
        events, decision = out.events, out.decision or decided
        if out.start is not None:
            if isinstance(telling, Told):
                self.watch.given(telling, self.now)
                self._asked()
            elif not out.start.heard and not telling:
                self.policy.announced(chunk, self.hold)
                self.watch.told(verdict, self.now)
                self._asked()
                out.start.say, out.start.count = verdict.say, verdict.count
            events += self.replies.start(self._recalled(out.start), self.now)
        elif out.resume and not self.manner.manual:
            events += self.say(out.resume)
        else:
            events += self.replies.advance(self.now)
        return events + self.replies.poll(self.now), decision

    def skim(self, chunk: AudioChunk) -> None:
        """A chunk long before those that are replayed: its speech may still go on."""
        self.model.perceiver.skim(chunk, self.perception)
        self.now = chunk.end_sample

    def replay(self, step: Step) -> None:
        """A step that was decided on before, elsewhere: its logits are not read, nothing is told again."""
        self.watch.hear(step.perception)
        words = step.perception.words
        self.session.state.stable_words = 0 if words.final else self.session.state.stable_words + len(words.new)

    def ask_for(self, memory: dict[str, Any]) -> None:
        """What was asked for before (`Watch.memory`)."""
        self.watch.recall(memory)
        self._asked()

    def hear_only(self, step: Step) -> list[Event]:
        """`finish` for a stream that decides nothing."""
        return self.session.perceived(step.perception)

    def cancel(self, reason: str = "cancelled") -> list[Event]:
        """Cancel the reply that is made or played; nothing where there is none."""
        events = self.session.cancel(self.now, reason)
        if events:
            self.replies.stop(self.now)
        return events

    def say(self, text: str) -> list[Event]:
        """Say these words as a reply; nothing where a reply is open."""
        request = self.session.request_said(text, self._last.chunk if self._last else 0, self.now)
        return self.replies.start(request, self.now) if request else []

    def ended(self) -> list[Event]:
        """Offsets of the sounds that still go on."""
        ended = self.model.perceiver.ended(self.now, self.perception)
        return [sound_event(s, seconds(self.now)) for s in ended if not self._muted(s.label)]

    def _answer(self, step: Step, logits: FloatArray) -> tuple[list[Event], Decision]:
        """The more probable of speaking and acting."""
        p = self.model.calibration.probabilities(logits.tolist())
        kind = Kind.ACT if self.manner.tools and p[Kind.ACT] > p[Kind.SPEAK] else Kind.SPEAK
        decision = Decision(step.perception.chunk, kind, p)
        request = self.session.request_asked(step.perception, decision, step.asked)
        return self.replies.start(self._recalled(request), self.now), decision

    def _recalled(self, request: ReplyRequest) -> ReplyRequest:
        """The request, with its answer where it asks for a time, or for what was heard or told."""
        if request.kind is not Kind.SPEAK or not request.heard:
            return request
        request.say = request.say or self.watch.answered(request.heard, request.asked_at)
        if not request.say:
            labels = (*self.model.perceiver.labels, *self.model.perceiver.own.names)
            notes = self.session.remembered(request.asked_at)
            request.say = recall(request.heard, notes, request.sample, labels)
            request.say = request.say or told(request.heard, notes, request.sample)
        return request

    def _step(self, perception: Perception) -> Step:
        closed, final, ours = self.session.turn_closed(perception.words), perception.words.final, False
        if final is not None and closed:
            if self.watch.heard_said(final.text, perception.end_sample):
                self._asked()
            ours = self.watch.likely_ours(final.text)
        return Step(perception, self._inputs(perception, closed), closed, ours=ours)

    def _inputs(self, perception: Perception, closed: bool, typed: Sequence[int] = ()) -> Tensor:
        """Pending tokens, the audio embedding, then the words printed in this chunk, or a typed request's [P,D]."""
        lalm, words = self.model.lalm, perception.words
        # a chunk must fit half of the cache behind the longest prefix: of a flood of words the newest are kept
        ids = [*self.model.context.words(words.new, closed), *typed][-(lalm.text_limit - 2) :]
        audio = lalm.audio_embedding(perception, self.watch.tags)
        return lalm.chunk_inputs(audio, self.lalm, 0, self.replies.take_pending(), ids)

    def _look_again(self, perception: Perception, decided: Decision, closed: bool) -> tuple[Decision, Whole | None]:
        """What the end of a sound says, where nobody asked and nothing was told since it began; the sound, if told."""
        whole = perception.whole
        if whole is None or closed or not self.watch.unasked or self.session.announced.since(whole.onset):
            return decided, None
        since = whole.onset // self.model.chunk_samples
        again = self.policy.look_again(decided, self.watch.doubted(whole), since, self.hold)
        return again, whole if again.kind is not decided.kind else None

    def _names(self, decided: Decision, whole: Whole | None) -> tuple[str, ...]:
        """What a decision is about, plain names, strongest first; nothing of silence."""
        if whole:
            return (display_name(whole.label),)
        return sound_names(self.watch.sure, self.model.perceiver.labels) if decided.kind is not Kind.SILENT else ()

    def _told(self, perception: Perception, decided: Decision) -> tuple[Telling | None, Decision]:
        """What is to be told of now in known words, with that decision; else None and `decided`: what somebody asked
        for whose time has come, or the most probable taught sound."""
        due = self.watch.due(perception, times_only=self.manner.manual)
        if due and self.policy.speak < math.inf and self.session.may_say(perception, decided, due.answers):
            return due, self.policy.tell(perception.chunk, 1.0, self.hold)
        for p, sound in sorted(zip(perception.own, self.model.perceiver.own.sounds, strict=True), key=lambda x: -x[0]):
            if p >= self.policy.own and self.session.may_tell(sound, perception, decided):
                return sound, self.policy.tell(perception.chunk, p, self.hold)
        return None, decided

    def _judged(self, perception: Perception, names: tuple[str, ...], kind: Kind) -> Verdict:
        """What is waited for makes of a decision to respond, which may be an answer."""
        final = perception.words.final
        if final is not None and final.text:
            return Verdict(hold=kind is Kind.SPEAK and self.watch.other_word(final.text))
        verdict = self.watch.judge(names, self.session.answers(perception))
        if verdict.name:
            self.session.unheard()
        return verdict

    def _asked(self) -> None:
        """The session is told of what is asked for now, and the recogniser of what is likely to be said."""
        standing = self.watch.standing
        self.session.asked(bool(self.manner.instruction) or bool(standing.tags.any()), standing.each)
        expected = Expected(tool_phrases(self.manner.tools), standing.words, requests=True)
        if expected != self.expected:
            self.expected = expected
            self.model.perceiver.expect(self.perception, expected)

    def _muted(self, label: str) -> bool:
        return label in self.manner.muted or display_name(label) in self.manner.muted

    def _kept(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(n for n in names if not self._muted(n))

    def _unwanted(self, names: tuple[str, ...], closed: bool, told: Telling | None) -> bool:
        """Whether all that would be told of is muted."""
        if told:
            return isinstance(told, OwnSound) and told.name in self.manner.muted
        return bool(names) and not closed and not self._kept(names)

    def snapshot(self) -> dict[str, Any]:
        """State between two chunks, for another row of the same model and manner."""
        return {
            "perception": self.perception.snapshot(),
            "lalm": self.lalm.snapshot(0),
            "session": self.session.snapshot(),
            "watch": self.watch.snapshot(),
            "hold": self.hold.snapshot(),
            "now": self.now,
            **self.replies.snapshot(),
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Go back to `saved`, which may hold more than this."""
        self.perception.restore(saved["perception"])
        self.lalm.restore(0, saved["lalm"])
        self.watch.restore(saved["watch"])
        self._asked()
        self.session.restore(saved["session"])
        self.hold.restore(saved["hold"])
        self.now = self.playback.playhead = saved["now"]
        self.replies.restore(saved)
