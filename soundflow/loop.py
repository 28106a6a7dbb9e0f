"""The whole path of one stream: PCM in, events out.

chunk -> perceive -> decide -> session -> events (+ a reply beside it: soundflow/replies.py)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples, seconds
from soundflow.decide.context import Context, sound_names
from soundflow.decide.evidence import Evidence
from soundflow.decide.lalm import Lalm
from soundflow.decide.policy import Calibration, DecisionPolicy
from soundflow.errors import AudioFormatError, StreamClosedError
from soundflow.events import Event
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.own import OwnSound
from soundflow.perceive.perceiver import Perceiver
from soundflow.perceive.standing import Standing
from soundflow.replies import Replies
from soundflow.report import sound_event
from soundflow.respond.echo import EchoCanceller
from soundflow.respond.grammar import ActGrammar
from soundflow.respond.playback import Playback, VoiceObserver
from soundflow.respond.spoken_values import tool_phrases
from soundflow.respond.voice import Voice
from soundflow.session import Session, SessionConfig
from soundflow.types import AudioChunk, Decision, FloatArray, Kind, Perception, Tool, Words

TAG_MEMORY = 4


@dataclass(frozen=True)
class Model:
    """The parts of a tier, weights only; any number of streams share one."""

    tier: str
    chunk_samples: int
    perceiver: Perceiver
    lalm: Lalm
    context: Context
    calibration: Calibration


class Observer(VoiceObserver, Protocol):
    """Sees what events leave out: for pictures, meters and voice files."""

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None: ...


@dataclass(slots=True)
class _Row:
    """What was heard of late."""

    tags: deque[FloatArray] = field(default_factory=lambda: deque(maxlen=TAG_MEMORY))
    alerts: deque[float] = field(default_factory=lambda: deque(maxlen=TAG_MEMORY))


class Stream:
    """One open stream. Not thread-safe: push, poll and close from one thread.

    With `realtime` a reply is made on a thread of its own and its events come out of `push` or `poll` when they are
    ready; without it a reply advances by a fixed number of tokens a chunk, so that a run is deterministic.
    """

    def __init__(
        self,
        model: Model,
        *,
        instruction: str = "",
        tools: tuple[Tool, ...] = (),
        proactivity: float = 0.5,
        realtime: bool = False,
        voice: Voice | None = None,
        observer: Observer | None = None,
        timer: Callable[[], float] | None = None,
        echo: EchoCanceller | None = None,
        config: SessionConfig | None = None,
    ) -> None:
        self._model, self._observer, self._timer, self._echo = model, observer, timer, echo
        self._session = Session(replace(config or SessionConfig(), instruction=instruction, tools=tools))
        # An instruction may ask for sound after sound, so there nothing is held back.
        wary = 0 if instruction else samples(self._session.config.cooldown_s) // model.chunk_samples
        self._policy = DecisionPolicy(model.calibration, proactivity, wary_chunks=wary)
        self._hold = self._policy.init_state()
        self._chunker = Chunker(model.chunk_samples)
        self._perception = model.perceiver.init_state(tool_phrases(tools))
        self._instruction = instruction
        self._standing = Standing(instruction, model.perceiver.labels)
        self._evidence = self._weigh()
        self._lalm = model.lalm.init_state(1)
        model.lalm.start(0, model.context.prefix(instruction, [t.name for t in tools]), self._lalm)
        self._can_act = bool(tools)
        grammar = ActGrammar(model.context.tokenizer, tools, model.context.end_id) if tools else None
        self._playback = Playback(voice, observer)
        self._replies = Replies(model.lalm, model.context, self._lalm, self._session, self._playback, grammar, realtime)
        self._row = _Row()
        self._now = 0
        self._closed = False

    @property
    def counters(self) -> dict[str, int]:
        """How often something was cancelled, suppressed or dropped."""
        return self._session.counters

    def push(self, pcm: FloatArray) -> list[Event]:
        """Hear [n] mono 16 kHz samples, any n. AudioFormatError for another shape, NaN or infinity: nothing is
        taken.
        """
        if self._closed:
            raise StreamClosedError("audio was pushed into a closed stream")
        if pcm.ndim != 1 or not np.isfinite(pcm).all():
            raise AudioFormatError(f"finite mono samples [n] were expected, got shape {pcm.shape} or NaN/infinity")
        events: list[Event] = []
        for chunk in self._chunker.push(pcm.astype(np.float32, copy=False)):
            events += self._step(chunk)
        return events

    def poll(self) -> list[Event]:
        """Events of replies that were made meanwhile."""
        return self._replies.poll(self._now)

    def close(self) -> list[Event]:
        """Hear the padded rest, close the open segment, finish the reply, and end the stream."""
        if self._closed:
            raise StreamClosedError("the stream is already closed")
        last = self._chunker.flush()
        events = self._step(last) if last else []
        events += self._flush_words()
        ended = self._model.perceiver.ended(self._now, self._perception)
        events += [sound_event(sound, seconds(self._now)) for sound in ended]
        events += self._replies.close(self._now)
        self._closed = True
        return events

    def _flush_words(self) -> list[Event]:
        """The last words, decided on as one more (silent) chunk where they close a segment."""
        words = self._model.perceiver.flush(self._perception)
        if words.final is None:
            return []
        size = self._model.chunk_samples
        silence = AudioChunk(self._now // size, self._now, np.zeros(size, np.float32))
        return self._step(silence, words)

    def _step(self, chunk: AudioChunk, words: Words | None = None) -> list[Event]:
        began = self._timer() if self._timer else 0.0
        chunk = self._without_echo(chunk)
        perception = self._model.perceiver.step(chunk, self._perception, words)
        self._now = chunk.end_sample
        closed = self._session.turn_closed(perception.words)
        if perception.words.final is not None and closed and self._standing.hear(perception.words.final.text):
            self._evidence = self._weigh()
        logits = self._model.lalm.step([chunk.index], [self._inputs(perception)], self._lalm)[0]
        self._row.tags.append(perception.tags)
        self._row.alerts.append(perception.alert)
        if not closed:
            logits[Kind.SPEAK] += self._evidence.bias(self._row.tags, self._row.alerts)
        decided = self._policy.decide(chunk.index, logits.tolist(), self._hold, self._can_act, closed)
        own, decided = self._taught(perception, decided)
        speaks = decided.kind is not Kind.SILENT
        names = sound_names(np.stack(self._row.tags), self._model.perceiver.labels) if speaks else ()
        out = self._session.on_chunk(perception, decided, self._lalm.forgotten[0], names, own)
        if out.cancelled:
            self._replies.stop(self._now)
        events, decision = out.events, out.decision or decided
        if out.start is not None:
            if not out.start.heard and not own:
                self._policy.announced(chunk.index, self._hold)
            events += self._replies.start(out.start, self._now)
        step_ms = (self._timer() - began) * 1000 if self._timer else 0.0
        if self._observer:
            self._observer.on_step(perception, decision, step_ms)
        if out.start is None:
            events += self._replies.advance(self._now)
        return events + self.poll()

    def _taught(self, perception: Perception, decided: Decision) -> tuple[OwnSound | None, Decision]:
        """The most probable taught sound that is to be told of now, with that decision; else None and `decided`."""
        for p, sound in sorted(zip(perception.own, self._model.perceiver.own.sounds, strict=True), key=lambda x: -x[0]):
            if p >= self._policy.own and self._session.may_tell(sound, perception, decided):
                return sound, self._policy.tell(perception.chunk, p, self._hold)
        return None, decided

    def _weigh(self) -> Evidence:
        """The evidence for what is asked for now; the session is told of it."""
        fit, tags = self._model.calibration, self._standing.tags
        self._session.asked(bool(self._instruction) or bool(tags.any()), self._standing.each)
        labels = self._model.perceiver.labels
        return Evidence(labels, fit.alert_weight, fit.branch_weight, self._instruction, tags)

    def _inputs(self, perception: Perception) -> Tensor:
        """Pending tokens, the audio embedding, then the words printed in this chunk [P,D]."""
        lalm, words = self._model.lalm, perception.words
        closed = self._session.turn_closed(words)
        # a chunk must fit the cache: of a flood of words the newest are kept
        ids = self._model.context.words(words.new, closed)[-lalm.text_limit :]
        parts = [
            *self._replies.take_pending(),
            lalm.audio_embedding(perception, self._standing.tags),
            *([lalm.embed(ids)] if ids else []),
        ]
        return torch.cat(parts)

    def reference(self, start: int, count: int) -> FloatArray:
        """[count] samples of the system's own voice as it plays from sample `start`; zeros where it is quiet."""
        return self._playback.reference(start, count)

    def _without_echo(self, chunk: AudioChunk) -> AudioChunk:
        self._playback.drop(chunk.start_sample - SAMPLE_RATE_HZ)
        if self._echo is None:
            return chunk
        reference = self.reference(chunk.start_sample, len(chunk.samples))
        return replace(chunk, samples=self._echo.process(chunk.samples, reference))

    def snapshot(self) -> dict[str, Any]:
        """State between two pushes, for another stream of the same model and options.

        A reply in the making is in it; with `realtime`, where a thread of its own makes it, it is not.
        """
        return {
            "perception": self._perception.snapshot(),
            "lalm": self._lalm.snapshot(0),
            "session": self._session.snapshot(),
            "standing": self._standing.snapshot(),
            "hold": (self._hold.until, self._hold.wary_until),
            "tags": list(self._row.tags),
            "alerts": list(self._row.alerts),
            "chunker": self._chunker.snapshot(),
            "now": self._now,
            **self._replies.snapshot(),
        }

    def restore(self, saved: dict[str, Any]) -> None:
        self._perception.restore(saved["perception"])
        self._lalm.restore(0, saved["lalm"])
        self._standing.restore(saved["standing"])
        self._evidence = self._weigh()
        self._session.restore(saved["session"])
        self._hold.until, self._hold.wary_until = saved["hold"]
        self._row.tags = deque(saved["tags"], maxlen=TAG_MEMORY)
        self._row.alerts = deque(saved["alerts"], maxlen=TAG_MEMORY)
        self._chunker.restore(saved["chunker"])
        self._now = self._playback.playhead = saved["now"]
        self._replies.restore(saved)
