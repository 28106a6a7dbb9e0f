"""A question put to our model: hear the audio, fork the cache, read the question, then score options or write.

Everything is the model's own path: `Row.ask` gives the chunk that typed words become, `Context.reply_header` the turn
in front of a reply, `Session.request_asked` the notes in it. Nothing of the stream's own state is changed by an ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from soundflow import SAMPLE_RATE_HZ
from soundflow.decide.context import MAX_HEARD_CHARS
from soundflow.decide.kv_cache import CacheState
from soundflow.events import Event, Transcript
from soundflow.loop import Model, Stream
from soundflow.row import Row as StreamRow
from soundflow.types import Decision, FloatArray, Kind, Note, Perception

TAIL_S: Final = 1.6  # of quiet behind the audio, so that a stretch of speech ends
MOST_TOKENS: Final = 48  # of a written answer
LONGEST_OPTION: Final = 128  # tokens


@dataclass(frozen=True, slots=True)
class Heard:
    """A stream that has heard its audio. `tags` [521]: the highest p of each over all chunks; `said`: transcripts;
    `unanswered`: what was said and nobody answered; `notes`: what an answer is told of earlier sounds and words."""

    row: StreamRow
    tags: FloatArray
    said: str
    unanswered: str
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """The cache behind a question, and [V] logits of the answer's first token. `cut`: the question did not fit."""

    cache: CacheState
    logits: torch.Tensor
    tokens: int
    cut: bool


@dataclass(frozen=True, slots=True)
class Option:
    """Sum of log p over the tokens of one option, how many tokens, how many characters."""

    logp: float
    tokens: int
    chars: int


class _Tags:
    """Observer of a stream: the highest probability of each tag."""

    def __init__(self, count: int) -> None:
        self.most = np.zeros(count, np.float32)

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None:
        np.maximum(self.most, perception.tags, out=self.most)

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None:
        """Nothing is played here."""

    def on_voice_cancelled(self, sample: int) -> None:
        """Nothing is played here."""


def listen(model: Model, audio: FloatArray, instruction: str = "") -> Heard:
    """Hear [n] samples and `TAIL_S` of quiet, chunk by chunk, at proactivity 0: nothing is answered by itself.

    Raises:
        CapacityError: the instruction is longer than a prefix may be.
    """
    watch = _Tags(len(model.perceiver.labels))
    stream = Stream(model, instruction=instruction, proactivity=0.0, observer=watch)
    events: list[Event] = []
    whole = padded(audio, model.chunk_samples, TAIL_S)
    for start in range(0, len(whole), model.chunk_samples):
        events += stream.push(whole[start : start + model.chunk_samples])
    said = " ".join(e.text for e in events if isinstance(e, Transcript) and e.final)
    row = stream.row
    unanswered = row.session.unanswered()
    saved, step = row.session.snapshot(), row.ask("?")
    assert step is not None, "nothing is open at proactivity 0"
    decision = Decision(step.perception.chunk, Kind.SPEAK, (0.0, 1.0, 0.0))
    notes = row.session.request_asked(step.perception, decision, "?").notes
    row.session.restore(saved)
    return Heard(row, watch.most, said, unanswered, notes)


def padded(audio: FloatArray, chunk: int, tail_s: float) -> FloatArray:
    """[n] with `tail_s` of digital silence behind it, up to a whole number of chunks."""
    whole = np.zeros(-(-(len(audio) + round(tail_s * SAMPLE_RATE_HZ)) // chunk) * chunk, np.float32)
    whole[: len(audio)] = audio
    return whole


@torch.inference_mode()
def ask(model: Model, heard: Heard, text: str, typed: bool = True) -> Asked:
    """Read a question behind the audio: as words that somebody typed, or, not `typed`, as what was just said.

    The same tokens as of `Row.ask` and a reply: the chunk of the question, <speak>, "Heard: question", the notes.
    Where `text` is empty (nothing was understood) the header has the notes alone.
    """
    row, lalm, context = heard.row, model.lalm, model.context
    step = row.ask(text if typed else "") if text else None
    header = context.reply_header(text, (), heard.notes, 0)
    parts = [lalm.decision_in[int(Kind.SPEAK)][None], lalm.embed(header)]
    if step is not None:
        parts.insert(0, step.inputs)
    inputs = torch.cat(parts)
    cache = lalm.fork(0, row.lalm, len(inputs) + LONGEST_OPTION)
    logits = lalm.feed(inputs, cache)
    return Asked(cache, logits, len(inputs), len(context.plain(text)) > MAX_HEARD_CHARS)


@torch.inference_mode()
def likelihoods(model: Model, asked: Asked, options: Sequence[str]) -> list[Option]:
    """For each option o of tokens o_1..o_n: sum over i of log p(o_i | audio, question, o_1..o_i-1).

    As in Brown et al. 2020 (section 2.4) and lm-evaluation-harness (Gao et al. 2021): no end token, nothing sampled,
    each option from the same cache. Options are cut at `LONGEST_OPTION` tokens.
    """
    found = []
    for option in options:
        ids = model.context.encode(model.context.plain(option))[:LONGEST_OPTION]
        logits = asked.logits[None]
        if len(ids) > 1:
            cache = asked.cache.fork(0, len(ids) - 1)
            hidden = model.lalm.llama(model.lalm.embed(ids[:-1])[None], torch.tensor([len(ids) - 1]), cache)
            logits = torch.cat([logits, model.lalm.llama.head(hidden[0]).float().cpu()])
        logp = logits.log_softmax(-1)[torch.arange(len(ids)), torch.tensor(ids)]
        found.append(Option(round(float(logp.sum()), 4), len(ids), len(option)))
    return found


def write(model: Model, asked: Asked, most: int = MOST_TOKENS) -> str:
    """The answer, greedily, at most `most` tokens; the asked cache is not changed."""
    cache, logits = asked.cache.fork(0, most), asked.logits
    ids: list[int] = []
    while len(ids) < most and (token := int(logits.argmax())) not in model.context.end_ids:
        ids.append(token)
        logits = model.lalm.feed(model.lalm.embed([token]), cache)
    return model.context.decode(ids).strip()
