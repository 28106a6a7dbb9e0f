"""The words channel: speech segments of the stream become words that are printed once and never taken back.

A segment opens where the VAD starts and closes where it stops. While it is open the whole of it is recognised again and
again behind the words already printed. The recogniser runs beside the step: what is submitted at chunk k is used at
chunk k + 1, whether an executor runs it or not.
"""

from __future__ import annotations

from concurrent.futures import Executor, Future
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive import agreement
from soundflow.perceive.agreement import VAD_WINDOW_SAMPLES
from soundflow.perceive.biasing import Bias
from soundflow.perceive.expected import ANYTHING, Expected
from soundflow.perceive.moonshine import Hypothesis, HypWord
from soundflow.perceive.recognition import Job, Recogniser, token_ids
from soundflow.types import AudioChunk, FloatArray, Segment, Vad, Word, Words


@dataclass(frozen=True, slots=True)
class WordsConfig:
    """Schedule and gates of the channel; samples at 16 kHz.

    decode_every counts chunks; up to `eager_samples` of audio every chunk is decoded. `tail_samples` of the closing
    silence are given to the recogniser. What was said up to `context_samples` before a segment, and ended at most
    `context_gap_samples` before it, is heard again in front of it with its words forced. `speech_floor` is the least
    mean of the AudioSet Speech-group probability over a segment for any text: wipers or a crowd reach more than that in
    single chunks, and voice activity all the time. `waited_confidence`: the least of a word that is waited for, said
    alone.
    """

    pre_roll_samples: int = 5_120
    tail_samples: int = 4_800
    context_samples: int = 80_000
    context_gap_samples: int = 24_000
    cap_samples: int = 240_000
    cut_share: float = 0.4
    decode_every: int = 2
    eager_samples: int = 0
    hold_back: int = 1
    voiced_p: float = 0.5
    least_voiced_samples: int = 3_200
    speech_floor: float = 0.25
    words_per_second: float = 6.0
    least_confidence: float = -1.05
    waited_confidence: float = -3.0

    def __post_init__(self) -> None:
        for name in ("pre_roll_samples", "tail_samples", "eager_samples", "hold_back", "context_samples"):
            if getattr(self, name) < 0:
                raise ConfigError(f"words: {name} expected at least 0, got {getattr(self, name)}")
        if not 2 * SAMPLE_RATE_HZ <= self.cap_samples <= 24 * SAMPLE_RATE_HZ - self.context_samples:
            raise ConfigError(
                f"words: cap_samples expected at least 2 s, with context_samples at most 24 s, got {self.cap_samples}"
            )
        if self.decode_every < 1 or not 0.0 < self.cut_share < 1.0:
            raise ConfigError(
                f"words: expected decode_every >= 1, 0 < cut_share < 1: {self.decode_every}, {self.cut_share}"
            )


@dataclass(slots=True)
class OpenSegment:
    """A stretch of speech, from sample `start` on; `probs` are its VAD windows, the first from `window_start`.

    `hypothesis` is the last one, printed words first; `seen` holds, for each of its words, where the audio ended in
    which it was first heard.
    """

    start: int
    window_start: int
    audio: FloatArray
    lead: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    probs: list[float] = field(default_factory=list)
    printed: tuple[HypWord, ...] = ()
    words: tuple[Word, ...] = ()
    hypothesis: tuple[HypWord, ...] = ()
    seen: tuple[int, ...] = ()
    score: float = 0.0  # sum of the chunks' speech scores
    scored: int = 0
    waited: int = 0

    @property
    def end(self) -> int:
        return self.start + len(self.audio)

    @property
    def partial(self) -> str:
        return " ".join([*(w.text for w in self.words), *(w.text for w in self.hypothesis[len(self.words) :])])


@dataclass(slots=True)
class Pending:
    """A job on its way. `segment` is the closed one for `close` and `cut`, None for the open one."""

    job: Job
    segment: OpenSegment | None
    end: int
    future: Future[tuple[int, Hypothesis]] | None = None


@dataclass(slots=True)
class WordsState:
    """Of one stream. `recent` [n] are the samples up to `position`; `taken` is where earlier segments end.

    `context` are the last finished words, said from `context_start` to `context_end`. `bias`: what is likely to be
    said. `catching_up`: what is heard was heard before. 1: no open segment is recognised before that is over; 2: nor a
    closed one, whose words were told.
    """

    recent: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    position: int | None = None
    vad_position: int = 0
    taken: int = 0
    context: tuple[HypWord, ...] = ()
    context_start: int = 0
    context_end: int = 0
    segment: OpenSegment | None = None
    pending: Pending | None = None
    bias: Bias | None = None
    catching_up: int = 0

    def snapshot(self) -> dict[str, Any]:
        """A copy that later steps do not change; a running job is kept as its inputs."""
        pending = replace(self.pending, future=None) if self.pending else None
        return deepcopy({f.name: getattr(self, f.name) for f in fields(self)} | {"pending": pending})

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to `snapshot`. A job that was on its way is run again, with the same result, when it is due."""
        for name, value in deepcopy(snapshot).items():
            setattr(self, name, value)


class WordsChannel:
    """Runs the recogniser over speech segments. Holds no stream state; one instance serves any number of streams."""

    def __init__(self, recogniser: Recogniser, config: WordsConfig, executor: Executor | None = None) -> None:
        self.config = config
        self._recogniser = recogniser
        self._executor = executor

    def init_state(self, expected: Expected = ANYTHING) -> WordsState:
        """The state before the first chunk of a stream in which that is likely to be said."""
        return WordsState(bias=self._recogniser.bias(expected))

    def expect(self, state: WordsState, expected: Expected) -> None:
        """From the next recognition on, this is likely, and nothing else."""
        state.bias = self._recogniser.bias(expected)

    def step(self, chunk: AudioChunk, vad: Vad, state: WordsState, speech_score: float = 1.0) -> Words:
        """Hear one chunk.

        Args:
            chunk: the next chunk of the stream.
            vad: its voice activity.
            state: updated in place.
            speech_score: probability of AudioSet's Speech group in this chunk; a segment keeps its mean.

        Returns:
            `new` words, all said once, in order, also the last ones of a segment, which come with its `final`;
            `partial` of the segment that is open now; `final` at most one, beginning with all its printed words.

        Raises:
            AudioFormatError: the chunk does not follow the one before.
        """
        if state.position is None:
            state.vad_position = state.taken = state.position = chunk.start_sample
        if chunk.start_sample != state.position:
            raise AudioFormatError(f"words: expected a chunk from sample {state.position}, got {chunk.start_sample}")
        new, final = self._collect(state, chunk.end_sample)
        before, segment = state.vad_position, state.segment
        state.position = chunk.end_sample
        state.vad_position += len(vad.probs) * VAD_WINDOW_SAMPLES
        state.recent = np.concatenate([state.recent, chunk.samples.astype(np.float32, copy=False)])
        if segment is not None:
            segment.audio = np.concatenate([segment.audio, chunk.samples.astype(np.float32, copy=False)])
            segment.probs += vad.probs
            self._advance(segment, speech_score)
        # a chunk longer than the VAD's pause may hold several edges: what lies between the outer ones is one segment
        again = vad.started is not None and vad.stopped is not None and vad.stopped <= vad.started
        if segment is not None and vad.stopped is not None and (again or not vad.speaking):
            self._close(state, segment, vad.stopped)
            opens = again
        else:
            opens = segment is None and (vad.started is not None or vad.speaking)
        if opens:
            started = chunk.start_sample if vad.started is None else vad.started
            segment = state.segment = self._opened(state, started, before, vad.probs)
            self._advance(segment, speech_score)
            if not vad.speaking and vad.stopped is not None and not again:
                self._close(state, segment, vad.stopped)
        keep = self.config.pre_roll_samples + 2 * SAMPLE_RATE_HZ + self.config.context_samples
        state.recent = state.recent[-keep:].copy()
        if state.segment is not None and state.pending is None and not state.catching_up:
            self._decode_if_due(state, state.segment)
        return Words(new, state.segment.partial if state.segment else "", final)

    def flush(self, state: WordsState) -> Words:
        """End the stream: nothing waits any more. A segment that was closing and one still open become one final."""
        end = state.position or 0
        new, final = self._collect(state, end)
        if state.segment is not None:
            self._close(state, state.segment, end)
            more, last = self._collect(state, end)
            new += more
            if final and last:
                final = Segment(f"{final.text} {last.text}", final.start, last.end, final.words + last.words)
            final = final or last
        return Words(new, "", final)

    def _opened(self, state: WordsState, started: int, before: int, probs: tuple[float, ...]) -> OpenSegment:
        """A segment from `started` less the pre-roll, never into an earlier one. `probs` begin at sample `before`."""
        position = state.position or 0
        first = max(started - self.config.pre_roll_samples, state.taken, position - len(state.recent))
        audio = state.recent[len(state.recent) - (position - first) :].copy()
        skip = max(0, (first - before) // VAD_WINDOW_SAMPLES)
        lead = max(0, (before - started) // VAD_WINDOW_SAMPLES)  # voiced windows of an earlier chunk
        window_start = before + skip * VAD_WINDOW_SAMPLES - lead * VAD_WINDOW_SAMPLES
        segment = OpenSegment(first, window_start, audio, probs=[self.config.voiced_p] * lead + list(probs[skip:]))
        segment.lead = state.recent[: len(state.recent) - len(audio)][-self.config.context_samples - 1 :].copy()
        return segment

    def _advance(self, segment: OpenSegment, speech_score: float) -> None:
        segment.score += speech_score
        segment.scored += 1
        segment.waited += 1

    def _voiced(self, segment: OpenSegment) -> int:
        return VAD_WINDOW_SAMPLES * sum(p >= self.config.voiced_p for p in segment.probs)

    def _may_speak(self, segment: OpenSegment) -> bool:
        """Whether there is enough voice for any text; once words are printed there is."""
        enough = self._voiced(segment) >= self.config.least_voiced_samples
        heard = segment.score >= self.config.speech_floor * max(1, segment.scored)
        return bool(segment.words) or (enough and heard)

    def _decode_if_due(self, state: WordsState, segment: OpenSegment) -> None:
        if len(segment.audio) >= self.config.cap_samples:
            self._cut(state, segment)
        elif self._may_speak(segment) and (
            segment.waited >= self.config.decode_every or len(segment.audio) <= self.config.eager_samples
        ):
            segment.waited = 0
            self._submit(state, "open", segment.audio, segment, None)

    def _close(self, state: WordsState, segment: OpenSegment, stopped: int) -> None:
        """End `segment` at `stopped`; its final decode is on its way unless it must stay without text."""
        size = max(0, min(segment.end, stopped + self.config.tail_samples) - segment.start)
        state.segment, state.taken = None, min(segment.end, max(stopped, segment.start))
        if state.catching_up < 2 and (segment.words or (size and self._may_speak(segment))):
            self._submit(state, "close", segment.audio[:size], segment, state.taken)

    def _cut(self, state: WordsState, segment: OpenSegment) -> None:
        """Close the part of an over-long segment that lies before its quietest late place; the rest stays open."""
        window = agreement.cut_window(segment.probs, self.config.cut_share)
        at = segment.window_start + window * VAD_WINDOW_SAMPLES + VAD_WINDOW_SAMPLES // 2
        size = min(max(at - segment.start, 1), len(segment.audio) - 1)
        rest = OpenSegment(
            segment.start + size,
            segment.window_start + (window + 1) * VAD_WINDOW_SAMPLES,
            segment.audio[size:].copy(),
            probs=segment.probs[window + 1 :],
            score=segment.score,
            scored=segment.scored,
        )
        head = replace(segment, audio=segment.audio[:size], probs=segment.probs[: window + 1])
        state.segment, state.taken = rest, rest.start
        if self._may_speak(segment):
            self._submit(state, "cut", head.audio, head, rest.start)

    def _submit(
        self,
        state: WordsState,
        kind: Literal["open", "close", "cut"],
        audio: FloatArray,
        of: OpenSegment,
        end: int | None,
    ) -> None:
        context, lead = self._context(state, of)
        draft = token_ids(of.hypothesis[len(of.printed) :])
        job = Job(kind, np.concatenate([lead, audio]), context, of.printed, draft, state.bias)
        state.pending = Pending(job, None if kind == "open" else of, end or of.end)
        if self._executor is not None:
            state.pending.future = self._executor.submit(job.run, self._recogniser)

    def _context(self, state: WordsState, of: OpenSegment) -> tuple[tuple[HypWord, ...], FloatArray]:
        """Words said shortly before a segment and the audio from their start to its start; nothing where too far."""
        length = of.start - state.context_start
        near = of.start - state.context_end <= self.config.context_gap_samples
        if state.context and near and 0 < length <= min(len(of.lead), self.config.context_samples):
            return state.context, of.lead[-length:]
        return (), of.lead[:0]

    def _collect(self, state: WordsState, now: int) -> tuple[tuple[Word, ...], Segment | None]:
        """Wait for the job on its way, if any, and use its result; `now` is the sample clock."""
        pending, state.pending = state.pending, None
        if pending is None:
            return (), None
        kept, hypothesis = pending.future.result() if pending.future else pending.job.run(self._recogniser)
        if pending.segment is None:
            if state.segment is None:
                return (), None
            if self._absurd(state.segment, hypothesis, pending.job.bias):
                return (), None
            return self._agree(state.segment, hypothesis, pending.end, now), None
        if pending.job.kind == "cut" and state.segment is not None and kept < len(pending.job.printed):
            self._carry(pending.segment, state.segment, kept)
        if self._absurd(pending.segment, hypothesis, pending.job.bias):
            if not hypothesis.looped:  # a loop says nothing against what was heard before it
                pending.segment.hypothesis = pending.segment.printed
            state.context = ()
        else:
            self._adopt(pending.segment, hypothesis, pending.end)
            state.context = (*pending.job.context, *pending.segment.hypothesis)
            state.context_start = state.context_start if pending.job.context else pending.segment.start
            state.context_end = pending.end
        return self._finished(pending.segment, pending.end, now)

    def _absurd(self, segment: OpenSegment, hypothesis: Hypothesis, bias: Bias | None) -> bool:
        voiced = [p for p in segment.probs if p >= self.config.voiced_p]
        waited = bias is not None and " ".join(agreement.key(w.text) for w in hypothesis.words) in bias.words
        least = self.config.waited_confidence if waited else self.config.least_confidence
        return agreement.is_absurd(hypothesis, voiced, self.config.words_per_second, least)

    def _adopt(self, segment: OpenSegment, heard: Hypothesis, end: int) -> None:
        """Make `heard`, of the audio up to `end`, the hypothesis of `segment`."""
        words = (*segment.printed, *heard.words[len(segment.printed) :])
        same = agreement.stable_count(segment.hypothesis, words, len(segment.printed), 0)
        segment.hypothesis, segment.seen = words, (*segment.seen[:same], *(end for _ in words[same:]))

    def _agree(self, segment: OpenSegment, heard: Hypothesis, end: int, now: int) -> tuple[Word, ...]:
        """Print the words of `segment` on which its last two hypotheses agree."""
        before, done = segment.hypothesis, len(segment.printed)
        self._adopt(segment, heard, end)
        count = agreement.stable_count(before, segment.hypothesis, done, self.config.hold_back)
        new = self._timed(segment, end, now)[: count - done]
        segment.printed = segment.hypothesis[:count]
        segment.words += new
        return new

    def _finished(self, segment: OpenSegment, end: int, now: int) -> tuple[tuple[Word, ...], Segment | None]:
        """The rest of the words of a closed segment, and the segment itself if it has any."""
        new = self._timed(segment, end, now)
        words = segment.words + new
        if not words:
            return (), None
        text = " ".join(word.text for word in words)
        return new, Segment(text, words[0].start, max(end, words[-1].end), words)

    def _carry(self, head: OpenSegment, rest: OpenSegment, kept: int) -> None:
        """Give the printed words behind the cut to the segment that goes on; they are not said again."""
        rest.printed = rest.hypothesis = head.printed[kept:]
        rest.words = head.words[kept:]
        rest.seen = head.seen[kept : len(head.printed)]
        head.printed = head.hypothesis = head.printed[:kept]
        head.words, head.seen = head.words[:kept], head.seen[:kept]

    def _timed(self, segment: OpenSegment, end: int, now: int) -> tuple[Word, ...]:
        """The words of the hypothesis that are not printed yet, with estimated times before `end`."""
        done = len(segment.printed)
        after = segment.words[-1].end if segment.words else segment.start
        skip = max(0, (after - segment.window_start) // VAD_WINDOW_SAMPLES)
        stop = max(skip, (end - segment.window_start) // VAD_WINDOW_SAMPLES)
        start = segment.window_start + skip * VAD_WINDOW_SAMPLES
        probs = np.asarray(segment.probs[skip:stop], np.float32)
        spans = agreement.word_spans(segment.hypothesis[done:], segment.seen[done:], probs, max(start, after))
        return tuple(
            Word(word.text, *span, printed=now) for word, span in zip(segment.hypothesis[done:], spans, strict=True)
        )
