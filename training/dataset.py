"""Cached samples -> token sequences: streams of like instruction and tools are joined, so that a model hears
long ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training.features import Features
from training.sequence import SequenceBuilder, TokenSequence

Item = tuple[Mapping[str, Any], Features]
ATTACHED_TOOLS = "home"


def tool_set(sample: Mapping[str, Any], rng: random.Random, attach: float) -> str:
    """The sample's tools; streams to which tools make no difference sometimes get the home set."""
    own = str(sample.get("tools") or "")
    indifferent = not sample.get("instruction") and sample["subtask"] in ("proactive", "silence")
    return ATTACHED_TOOLS if not own and indifferent and rng.random() < attach else own


def epoch(
    items: Sequence[Item], builder: SequenceBuilder, rng: random.Random, longest: int = 170, attach: float = 0.3
) -> list[TokenSequence]:
    """One pass over all samples in a drawn order, joined up to about `longest` chunks and words a stream."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in rng.sample(list(items), len(items)):
        sample = item[0]
        groups.setdefault((str(sample.get("instruction", "")), tool_set(sample, rng, attach)), []).append(item)
    made: list[TokenSequence] = []
    for (_, tools), members in groups.items():
        held: list[Item] = []
        size, limit = 0, rng.uniform(0.3, 1.0) * longest
        for item in members:
            held.append(item)
            size += item[1].chunks + sum(len(str(s.get("text", "")).split()) for s in item[0]["speech"])
            if size >= limit:
                made.append(builder.build(held, tools, rng))
                held, size, limit = [], 0, rng.uniform(0.3, 1.0) * longest
        if held:
            made.append(builder.build(held, tools, rng))
    rng.shuffle(made)
    return made


def batches(sequences: Sequence[TokenSequence], tokens: int, rng: random.Random) -> Iterator[list[TokenSequence]]:
    """Batches of like length, at most `tokens` padded positions each (one sequence at least)."""
    ordered = sorted(sequences, key=lambda s: len(s) + rng.uniform(-8, 8))
    made: list[list[TokenSequence]] = []
    held: list[TokenSequence] = []
    for seq in ordered:
        longest = max(len(seq), *(len(s) for s in held)) if held else len(seq)
        if held and longest * (len(held) + 1) > tokens:
            made.append(held)
            held = []
        held.append(seq)
    if held:
        made.append(held)
    rng.shuffle(made)
    yield from made


def scoring_sequences(items: Sequence[Item], builder: SequenceBuilder) -> list[TokenSequence]:
    """Each sample alone, without written-back responses: every chunk as a model that was silent so far sees it."""
    rng = random.Random(0)
    return [builder.build([item], str(item[0].get("tools") or ""), rng, train=False) for item in items]
