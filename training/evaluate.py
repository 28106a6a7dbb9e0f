"""Decision logits of held-out streams, each chunk as a model that was silent so far sees it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import torch

from soundflow.types import Kind
from training.adapters import TrainableLalm
from training.dataset import Item, scoring_sequences
from training.sequence import SequenceBuilder, TokenSequence, speech_items
from training.words_sim import simulate_words
from training.workers import Workers

LATE_CHUNKS = 4
BATCH_TOKENS = 2400


@dataclass(frozen=True, slots=True)
class Scored:
    """Decision logits [T,K] of one sample, and the chunks in which a response is wanted.

    `closed`: chunks in which the words channel closes an utterance.
    """

    item: Item
    logits: np.ndarray
    due: tuple[tuple[int, int, Kind], ...]  # (first chunk that may, due chunk, kind)
    closed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Streams laid out once for any number of scorings. `batches`: rows of like length; `at`: a row's decisions."""

    items: tuple[Item, ...]
    sequences: tuple[TokenSequence, ...]
    due: tuple[tuple[tuple[int, int, Kind], ...], ...]
    closed: tuple[frozenset[int], ...]
    batches: tuple[tuple[int, ...], ...]
    at: tuple[tuple[int, ...], ...]


def chosen(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` held-out streams, as many of every sub-task and side as there are; the same ones every time."""
    groups: dict[tuple[str, bool], list[Item]] = {}
    for i in random.Random(0).sample(range(len(items)), len(items)):
        sample = items[i][0]
        groups.setdefault((str(sample["subtask"]), bool(sample["responses"])), []).append(items[i])
    turns = zip_longest(*(groups[key] for key in sorted(groups)))
    return [item for turn in turns for item in turn if item is not None][:count]


def prepare(items: Sequence[Item], builder: SequenceBuilder) -> HeldOut:
    """Lay out and sort by length."""
    sequences = scoring_sequences(items, builder)
    timed = [due_chunks(item, builder) for item in items]
    made: list[tuple[int, ...]] = []
    held: list[int] = []
    for i in sorted(range(len(items)), key=lambda i: len(sequences[i])):
        if held and len(sequences[i]) * (len(held) + 1) > BATCH_TOKENS:
            made.append(tuple(held))
            held = []
        held.append(i)
    if held:
        made.append(tuple(held))
    at = tuple(tuple(p for p, d in enumerate(s.decision) if d >= 0) for s in sequences)
    due, closed = tuple(t[0] for t in timed), tuple(t[1] for t in timed)
    return HeldOut(tuple(items), tuple(sequences), due, closed, tuple(made), at)


def score(model: TrainableLalm, items: Sequence[Item], builder: SequenceBuilder) -> list[Scored]:
    """Decision logits of every chunk of every sample."""
    return score_held_out(model, prepare(items, builder))


@torch.inference_mode()
def score_held_out(model: TrainableLalm, held: HeldOut, workers: Workers | None = None) -> list[Scored]:
    """As `score`; several workers share the batches and all get every result."""
    model.eval()
    longest = max(len(at) for at in held.at)
    logits = torch.zeros(len(held.items), longest, len(Kind))
    rows = workers.rows(len(held.batches)) if workers else range(len(held.batches))
    for number in rows:
        batch = held.batches[number]
        hidden = model.hidden([held.sequences[i] for i in batch])
        for r, i in enumerate(batch):
            logits[i, : len(held.at[i])] = model.decision_logits(hidden[r, list(held.at[i])]).cpu()
    model.train()
    found = (workers.summed(logits) if workers else logits).numpy()
    return [Scored(item, found[i, : len(held.at[i])], held.due[i], held.closed[i]) for i, item in enumerate(held.items)]


def due_chunks(item: Item, builder: SequenceBuilder) -> tuple[tuple[tuple[int, int, Kind], ...], frozenset[int]]:
    """((first chunk that may respond, due chunk, kind) of each response, chunks that close an utterance)."""
    sample, features = item
    rng = random.Random(0)
    _, finals = simulate_words(speech_items(sample, features), features, rng)
    tools = builder.tool_sets.get(str(sample.get("tools") or ""), ())
    wanted = builder.targets(sample, features, finals, tools, rng, train=False)
    return tuple((t.first, t.due, t.kind) for t in wanted), frozenset(finals)
