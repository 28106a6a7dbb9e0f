"""The whole path of one stream: PCM in, events out.

chunk -> perceive -> decide -> session -> events (+ a reply beside it)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import soxr
import torch
from torch import Tensor

from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples, seconds
from soundflow.decide.context import Context, sound_names
from soundflow.decide.evidence import Evidence
from soundflow.decide.lalm import Lalm
from soundflow.decide.policy import Calibration, DecisionPolicy
from soundflow.errors import AudioFormatError, SoundflowError, StreamClosedError
from soundflow.events import ErrorEvent, Event
from soundflow.perceive.asked import asked_tags
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.perceiver import Perceiver
from soundflow.respond.echo import EchoCanceller
from soundflow.respond.grammar import ActGrammar
from soundflow.respond.reply import HEADER_ROOM, MAX_ACT_TOKENS, Reply
from soundflow.respond.voice import Voice
from soundflow.session import Session, SessionConfig, sound_event
from soundflow.types import AudioChunk, Decision, FloatArray, Kind, Perception, ReplyRequest, Tool, Words

TOKENS_A_CHUNK = 12
TAG_MEMORY = 4
MAX_PENDING_EVENTS = 4096
MAX_PLAYBACK_S = 60


@dataclass(frozen=True)
class Model:
    """The parts of a tier, weights only; any number of streams share one."""

    tier: str
    chunk_samples: int
    perceiver: Perceiver
    lalm: Lalm
    context: Context
    calibration: Calibration


class Observer(Protocol):
    """Sees what events leave out: for pictures, meters and voice files."""

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None: ...
    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None: ...
    def on_voice_cancelled(self, sample: int) -> None: ...


@dataclass(slots=True)
class _Row:
    """What goes in front of the next chunk's audio (decision tokens, said text), and what was heard of late."""

    pending: list[Tensor] = field(default_factory=list)
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
        self._model, self._voice, self._observer, self._timer, self._echo = model, voice, observer, timer, echo
        self._session = Session(replace(config or SessionConfig(), instruction=instruction, tools=tools))
        # An instruction may ask for sound after sound, so there nothing is held back.
        wary = 0 if instruction else samples(self._session.config.cooldown_s) // model.chunk_samples
        self._policy = DecisionPolicy(model.calibration, proactivity, wary_chunks=wary)
        self._hold = self._policy.init_state()
        self._chunker = Chunker(model.chunk_samples)
        self._perception = model.perceiver.init_state()
        self._asked = asked_tags(instruction, model.perceiver.labels)
        fit = model.calibration
        self._evidence = Evidence(model.perceiver.labels, fit.alert_weight, fit.branch_weight, instruction, self._asked)
        self._lalm = model.lalm.init_state(1)
        model.lalm.start(0, model.context.prefix(instruction, [t.name for t in tools]), self._lalm)
        self._grammar = ActGrammar(model.context.tokenizer, tools, model.context.end_id) if tools else None
        self._row = _Row()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="reply") if realtime else None
        self._queue: deque[Callable[[], list[Event]]] = deque(maxlen=MAX_PENDING_EVENTS)
        self._making: Future[None] | None = None
        self._reply: tuple[ReplyRequest, Reply] | None = None
        self._playback: deque[tuple[int, FloatArray]] = deque(maxlen=64)
        self._playhead = self._now = 0
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
        events: list[Event] = []
        while self._queue:
            events += self._queue.popleft()()
        return events

    def close(self) -> list[Event]:
        """Hear the padded rest, close the open segment, finish the reply, and end the stream."""
        if self._closed:
            raise StreamClosedError("the stream is already closed")
        last = self._chunker.flush()
        events = self._step(last) if last else []
        events += self._flush_words()
        ended = self._model.perceiver.ended(self._now, self._perception)
        events += [sound_event(sound, seconds(self._now)) for sound in ended]
        while self._reply is not None:
            events += self._advance(self._reply, TOKENS_A_CHUNK)
        if self._making is not None:
            self._making.result()
        events += self.poll()
        self._closed = True
        if self._worker:
            self._worker.shutdown()
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
        logits = self._model.lalm.step([chunk.index], [self._inputs(perception)], self._lalm)[0]
        self._row.tags.append(perception.tags)
        self._row.alerts.append(perception.alert)
        closed = self._session.turn_closed(perception.words)
        if not closed:
            logits[Kind.SPEAK] += self._evidence.bias(self._row.tags, self._row.alerts)
        decided = self._policy.decide(chunk.index, logits.tolist(), self._hold, self._grammar is not None, closed)
        speaks = decided.kind is not Kind.SILENT
        names = sound_names(np.stack(self._row.tags), self._model.perceiver.labels) if speaks else ()
        out = self._session.on_chunk(perception, decided, self._lalm.forgotten[0], names)
        if out.cancelled:
            self._stop_reply()
        events, decision = out.events, out.decision or decided
        if out.start is not None:
            if not out.start.heard:
                self._policy.announced(chunk.index, self._hold)
            events += self._start(out.start)
        step_ms = (self._timer() - began) * 1000 if self._timer else 0.0
        if self._observer:
            self._observer.on_step(perception, decision, step_ms)
        if self._reply is not None and out.start is None:
            events += self._advance(self._reply, TOKENS_A_CHUNK)
        return events + self.poll()

    def _inputs(self, perception: Perception) -> Tensor:
        """Pending tokens, the audio embedding, then the words printed in this chunk [P,D]."""
        lalm, words = self._model.lalm, perception.words
        closed = self._session.turn_closed(words)
        # a chunk must fit the cache: of a flood of words the newest are kept
        ids = self._model.context.words(words.new, closed)[-lalm.text_limit :]
        parts = [*self._row.pending, lalm.audio_embedding(perception, self._asked), *([lalm.embed(ids)] if ids else [])]
        self._row.pending = []
        return torch.cat(parts)

    def _start(self, request: ReplyRequest) -> list[Event]:
        """Fork the cache and begin the reply; the decision token goes in front of the next chunk."""
        lalm, reply = self._model.lalm, self._fork(request)
        self._row.pending.append(lalm.decision_in[int(request.kind)][None])
        if self._worker is None:
            self._reply = (request, reply)
        else:
            self._making = self._worker.submit(self._make, request, reply)
        return self._session.on_started(request, self._now)

    def _fork(self, request: ReplyRequest) -> Reply:
        lalm = self._model.lalm
        cache = lalm.fork(0, self._lalm, HEADER_ROOM + MAX_ACT_TOKENS + lalm.capacity)
        return Reply(lalm, self._model.context, cache, request, self._grammar)

    def _advance(self, current: tuple[ReplyRequest, Reply], tokens: int) -> list[Event]:
        """A few tokens of the reply, in step with the audio."""
        request, reply = current
        try:
            delta = reply.step(tokens)
        except SoundflowError as error:
            self._reply = None
            return self._session.on_failed(request, error.code, str(error), self._now)
        events = self._session.on_text(request, delta if request.kind is Kind.SPEAK else "", self._now)
        if reply.done:
            self._reply = None
            events += self._finish(request, reply)
        return events

    def _make(self, request: ReplyRequest, reply: Reply) -> None:
        """The reply thread: it reads the model and its own fork, and hands closures to the stream's thread."""
        try:
            while not reply.done and request.generation == self._session.state.generation:
                delta = reply.step(1)
                if delta and request.kind is Kind.SPEAK:
                    self._queue.append(lambda d=delta: self._session.on_text(request, d, self._now))  # type: ignore[misc]
            audio = list(self._speech(reply.text)) if reply.done and request.kind is Kind.SPEAK else []
            self._queue.append(lambda: self._finish(request, reply, audio))
        except SoundflowError as error:
            code, message = error.code, str(error)
            self._queue.append(lambda: self._session.on_failed(request, code, message, self._now))

    def _finish(self, request: ReplyRequest, reply: Reply, audio: list[FloatArray] | None = None) -> list[Event]:
        if not reply.done:
            return []
        if request.kind is Kind.ACT and reply.call is None:
            return self._session.on_failed(request, "bad_act", "the call did not end within its bound", self._now)
        events = self._session.on_done(request, reply.text, reply.call, self._now)
        if events and request.kind is Kind.SPEAK:
            said = self._model.context.said(reply.text)[: self._model.lalm.text_limit]
            self._row.pending.append(self._model.lalm.embed(said))
            try:
                self._play(self._speech(reply.text) if audio is None else iter(audio))
            except SoundflowError as error:
                events.append(ErrorEvent(t=seconds(self._now), code=error.code, message=str(error)))
        return events

    def _speech(self, text: str) -> Iterator[FloatArray]:
        return self._voice.speak(text) if self._voice is not None and text.strip() else iter(())

    def _play(self, pieces: Iterator[FloatArray]) -> None:
        if self._voice is None:
            return
        self._playhead = max(self._playhead, self._now)
        for piece in pieces:
            if self._playhead - self._now > MAX_PLAYBACK_S * SAMPLE_RATE_HZ:
                break
            if self._observer:
                self._observer.on_voice(self._playhead, self._voice.rate_hz, piece)
            heard = soxr.resample(piece, self._voice.rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
            self._playback.append((self._playhead, heard))
            self._playhead += len(heard)
        self._session.on_voice(self._playhead)

    def _stop_reply(self) -> None:
        """Barge-in: stop decoding, forget what was not played yet."""
        self._reply = None
        self._playhead = self._now
        self._playback.clear()
        if self._observer:
            self._observer.on_voice_cancelled(self._now)

    def reference(self, start: int, count: int) -> FloatArray:
        """[count] samples of the system's own voice as it plays from sample `start`; zeros where it is quiet."""
        out = np.zeros(count, np.float32)
        for at, audio in self._playback:
            low, high = max(at, start), min(at + len(audio), start + count)
            if low < high:
                out[low - start : high - start] += audio[low - at : high - at]
        return out

    def _without_echo(self, chunk: AudioChunk) -> AudioChunk:
        while self._playback and self._playback[0][0] + len(self._playback[0][1]) < chunk.start_sample - SAMPLE_RATE_HZ:
            self._playback.popleft()
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
            "hold": (self._hold.until, self._hold.wary_until),
            "pending": list(self._row.pending),
            "tags": list(self._row.tags),
            "alerts": list(self._row.alerts),
            "chunker": self._chunker.snapshot(),
            "reply": self._reply[1].snapshot() if self._reply else None,
            "now": self._now,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        self._perception.restore(saved["perception"])
        self._lalm.restore(0, saved["lalm"])
        self._session.restore(saved["session"])
        self._hold.until, self._hold.wary_until = saved["hold"]
        self._row.pending = list(saved["pending"])
        self._row.tags = deque(saved["tags"], maxlen=TAG_MEMORY)
        self._row.alerts = deque(saved["alerts"], maxlen=TAG_MEMORY)
        self._chunker.restore(saved["chunker"])
        self._now = self._playhead = saved["now"]
        if saved["reply"] is not None:
            request = saved["reply"]["request"]
            self._reply = (request, self._fork(request))
            self._reply[1].restore(saved["reply"])
