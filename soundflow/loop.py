"""The whole path of one stream: PCM in, events out.

chunk -> perceive -> decide -> session -> events (+ a reply beside it): the steps are in soundflow/row.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from soundflow.errors import AudioFormatError, StreamClosedError
from soundflow.events import Event
from soundflow.perceive.chunker import Chunker
from soundflow.respond.echo import EchoCanceller
from soundflow.respond.playback import Playback, VoiceObserver
from soundflow.respond.voice import Voice
from soundflow.row import Manner, Model, Row
from soundflow.session import SessionConfig
from soundflow.types import AudioChunk, Decision, FloatArray, Perception, Tool, Words

__all__ = ["Model", "Observer", "Stream"]


class Observer(VoiceObserver, Protocol):
    """Sees what events leave out: for pictures, meters and voice files."""

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None: ...


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
        settings = replace(config or SessionConfig(), instruction=instruction, tools=tools)
        self._playback = Playback(voice, observer)
        self.row = Row(model, Manner(instruction, tools, proactivity), settings, self._playback, realtime)
        self._chunker = Chunker(model.chunk_samples)
        self._closed = False

    @property
    def counters(self) -> dict[str, int]:
        """How often something was cancelled, suppressed or dropped."""
        return self.row.session.counters

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
        return self.row.replies.poll(self.row.now)

    def close(self) -> list[Event]:
        """Hear the padded rest, close the open segment, finish the reply, and end the stream."""
        if self._closed:
            raise StreamClosedError("the stream is already closed")
        last = self._chunker.flush()
        events = self._step(last) if last else []
        events += self._flush_words()
        events += self.row.ended()
        events += self.row.replies.close(self.row.now)
        self._closed = True
        return events

    def _flush_words(self) -> list[Event]:
        """The last words, decided on as one more (silent) chunk where they close a segment."""
        words = self._model.perceiver.flush(self.row.perception)
        if words.final is None:
            return []
        size = self._model.chunk_samples
        silence = AudioChunk(self.row.now // size, self.row.now, np.zeros(size, np.float32))
        return self._step(silence, words)

    def _step(self, chunk: AudioChunk, words: Words | None = None) -> list[Event]:
        began = self._timer() if self._timer else 0.0
        step = self.row.begin(self._without_echo(chunk), words)
        logits = self._model.lalm.step([chunk.index], [step.inputs], self.row.lalm)[0]
        events, decision = self.row.finish(step, logits)
        step_ms = (self._timer() - began) * 1000 if self._timer else 0.0
        if self._observer:
            self._observer.on_step(step.perception, decision, step_ms)
        return events

    def reference(self, start: int, count: int) -> FloatArray:
        """[count] samples of the system's own voice as it plays from sample `start`; zeros where it is quiet."""
        return self._playback.reference(start, count)

    def _without_echo(self, chunk: AudioChunk) -> AudioChunk:
        if self._echo is None:
            return chunk
        reference = self.reference(chunk.start_sample, len(chunk.samples))
        return replace(chunk, samples=self._echo.process(chunk.samples, reference))

    def snapshot(self) -> dict[str, Any]:
        """State between two pushes, for another stream of the same model and options.

        A reply in the making is in it; with `realtime`, where a thread of its own makes it, it is not.
        """
        return {"chunker": self._chunker.snapshot(), **self.row.snapshot()}

    def restore(self, saved: dict[str, Any]) -> None:
        """Go back to `saved`."""
        self.row.restore(saved)
        self._chunker.restore(saved["chunker"])
