"""Our own weights as an offline LALM is used: everything is computed anew from the whole history at every chunk.

That is what the released code of the paper does (arXiv 2606.05121, Audio-Interaction @3095139: the encoder runs over
the whole history, O(n^2); the history is emptied after every reply; 60 chunks of 400 ms is the longest it was trained
on). Perception and LALM are ours, without their streaming state; the policy, evidence, cool-down and replies are the
session's and stay. Where the history fits, the decisions are those of the streaming system up to rounding: one pass
over many tokens adds up in another order than many passes over few.
"""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from benchmarks.systems import Ask, Nano, Watch
from soundflow.errors import StreamClosedError
from soundflow.events import Event
from soundflow.loop import Model
from soundflow.perceive.chunker import Chunker
from soundflow.respond.playback import Playback
from soundflow.row import Manner, Row
from soundflow.session import SessionConfig
from soundflow.types import AudioChunk, FloatArray, Kind, Perception, Words

NAME = "offline-lalm"
MAX_CHUNKS: Final = 60
"""24 s, as in the paper; the oldest chunk leaves."""


def build(name: str, setup: Any) -> OfflineLalm:
    return OfflineLalm(setup.adapter, setup.proactivity)


class OfflineLalm(Nano):
    """The nano tier with `OfflineListener` streams."""

    def __init__(self, adapter: Path | None = None, proactivity: float = 0.5) -> None:
        super().__init__(adapter, proactivity, NAME)

    def open(self, ask: Ask, **options: Any) -> OfflineListener:  # type: ignore[override]
        return OfflineListener(self.model, ask, **{"proactivity": self.proactivity, **options})


class OfflineListener:
    """One stream that remembers audio only. `sizes`: chunks that were computed at each step."""

    def __init__(self, model: Model, ask: Ask, proactivity: float = 0.5, most: int = MAX_CHUNKS) -> None:
        self._model, self._watch = model, Watch(model.perceiver.labels, model.chunk_samples)
        self.topics, self.step_ms, self.likes = self._watch.topics, self._watch.step_ms, self._watch.likes.found
        self.voiced = self._watch.voiced
        self.sizes: list[int] = []
        manner = Manner(ask.instruction, ask.tools, proactivity)
        settings = SessionConfig(instruction=ask.instruction, tools=ask.tools)
        self._row = Row(model, manner, settings, Playback(None, self._watch), realtime=False)
        self._prefix = model.context.prefix(ask.instruction, [t.name for t in ask.tools])
        self._history: deque[AudioChunk] = deque(maxlen=most)
        self._before: list[Perception] = []  # of the last step, with that chunk
        self._asked: deque[FloatArray] = deque(maxlen=most)  # the tags that were asked for at each chunk
        self._chunker, self._closed = Chunker(model.chunk_samples), False

    def push(self, pcm: FloatArray) -> list[Event]:
        if self._closed:
            raise StreamClosedError("audio was pushed into a closed stream")
        return [e for chunk in self._chunker.push(pcm) for e in self._step(chunk)]

    def close(self) -> list[Event]:
        """The padded rest, the last words as one more silent chunk, the rest of the reply."""
        last = self._chunker.flush()
        events = self._step(last) if last else []
        words = self._model.perceiver.flush(self._row.perception)
        if words.final is not None:
            size = self._model.chunk_samples
            silence = AudioChunk(self._row.now // size, self._row.now, np.zeros(size, np.float32))
            events += self._step(silence, words)
        self._closed = True
        return events + self._row.ended() + self._row.replies.close(self._row.now)

    def _step(self, chunk: AudioChunk, words: Words | None = None) -> list[Event]:
        began = time.perf_counter()
        row, model = self._row, self._model
        self._history.append(chunk)
        before = self._perceive() if words is None else self._before[len(self._before) + 1 - len(self._history) :]
        row.replies.take_pending()  # what was said is no part of a history of audio
        step = row.begin(chunk, words)
        self._asked.append(row.watch.tags)
        model.lalm.start(0, self._prefix, row.lalm)
        pieces = [self._embedded(p, asked) for p, asked in zip(before, self._asked, strict=False)]
        logits = self._read([*pieces, step.inputs], chunk.index)
        self._before = [*before, step.perception]
        self.sizes.append(len(self._history))
        events, decision = row.finish(step, logits)
        if decision.kind is not Kind.SILENT:
            self._history.clear()
            self._asked.clear()
            self._before = []
        self._watch.on_step(step.perception, decision, (time.perf_counter() - began) * 1000)
        return events

    def _perceive(self) -> list[Perception]:
        """All chunks of the history but the newest, from nothing; the row's perception then stands before that one."""
        row, perceiver = self._row, self._model.perceiver
        row.perception = perceiver.init_state(row.expected, self._history[0].start_sample)
        return [perceiver.step(chunk, row.perception) for chunk in list(self._history)[:-1]]

    def _embedded(self, p: Perception, asked: FloatArray) -> Tensor:
        """[P, D] as `soundflow.row` writes a chunk without anything said: the audio, then its words."""
        lalm, final = self._model.lalm, p.words.final
        ids = self._model.context.words(p.words.new, final is not None and bool(final.text))[-(lalm.text_limit - 2) :]
        audio = lalm.audio_embedding(p, asked)
        return torch.cat([audio, lalm.embed(ids)]) if ids else audio

    def _read(self, pieces: list[Tensor], index: int) -> FloatArray:
        """[K] decision logits behind all pieces: one pass where they fit the cache, else as many as chunks."""
        lalm, state = self._model.lalm, self._row.lalm
        room = state.cache.capacity - int(state.cache.lengths[0])
        if sum(map(len, pieces)) <= room:
            pieces = [torch.cat(pieces)]
        first = index - len(pieces) + 1
        rows = [lalm.step([first + k], [piece], state) for k, piece in enumerate(pieces)]
        logits: FloatArray = rows[-1][0]
        return logits
