"""Cached samples -> token sequences: streams of like instruction and tools are joined, so that a model hears
long ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from soundflow.types import Tool
from training.features import Features
from training.sequence import SequenceBuilder, TokenSequence
from training.tool_variety import draw, retell

Item = tuple[Mapping[str, Any], Features]
ATTACHED_TOOLS = "home"


def tool_set(sample: Mapping[str, Any], rng: random.Random, attach: float) -> str:
    """The sample's tools; streams to which tools make no difference sometimes get the home set."""
    own = str(sample.get("tools") or "")
    indifferent = not sample.get("instruction") and not any(s["addressed"] for s in sample["speech"])
    return ATTACHED_TOOLS if not own and indifferent and rng.random() < attach else own


def varied(item: Item, rng: random.Random) -> tuple[Item, Sequence[Tool]] | None:
    """The item with another request, tool and call on its audio; None where it holds no single spoken act."""
    sample, features = item
    calls = [r for r in sample["responses"] if r.get("call")]
    if len(calls) != 1 or len(sample["responses"]) != 1:
        return None
    tools, text, call = draw(rng)
    spoken = calls[0]["trigger"]
    changed = {**sample, "responses": [{**calls[0], "call": call}]}
    return (changed, replace(features, transcripts={**features.transcripts, spoken: text})), tools


def asking(item: Item, rng: random.Random) -> Item:
    """The item under one of the other instructions that its sample carries; the item itself where there is none."""
    sample, features = item
    if not (variants := sample.get("variants")):
        return item
    return {**sample, "subtask": "watch_sound", "tools": "", **rng.choice(variants)}, features


def retold(item: Item, rng: random.Random) -> Item:
    """The item in other words, where its sample carries some (`retold`)."""
    sample, features = item
    if not sample.get("retold"):
        return item
    changed, transcripts = retell(sample, features.transcripts, rng)
    return changed, replace(features, transcripts=transcripts)


def orders_something(sample: Mapping[str, Any]) -> bool:
    """Whether a spoken request may hold beyond the sample's end, so that nothing can be joined to it."""
    standing = sample.get("ability") == "instruction" or sample["subtask"] == "count_events"
    return standing and any(s.get("role", "user") == "user" for s in sample["speech"])


def epoch(
    items: Sequence[Item],
    builder: SequenceBuilder,
    rng: random.Random,
    longest: int = 170,
    attach: float = 0.3,
    vary: float = 0.3,
    ask: float = 0.3,
    reword: float = 0.7,
) -> list[TokenSequence]:
    """One pass over all samples in a drawn order, joined up to about `longest` chunks and words a stream.

    Args:
        attach: share of indifferent streams that get tools. vary: share of spoken acts told anew with other tools.
        ask: share of the streams with `variants` that are played under one of them. reword: share of the streams with
            other wordings (`retold`) that get one.
    """
    groups: dict[tuple[str, str], list[Item]] = {}
    made: list[TokenSequence] = []
    for drawn in rng.sample(list(items), len(items)):
        item = asking(drawn, rng) if rng.random() < ask else drawn
        if rng.random() < reword:
            item = retold(item, rng)
        sample = item[0]
        if (other := varied(item, rng)) and rng.random() < vary:
            made.append(builder.build([other[0]], other[1], rng))
            continue
        groups.setdefault((str(sample.get("instruction", "")), tool_set(sample, rng, attach)), []).append(item)
    for (_, name), members in groups.items():
        held: list[Item] = []
        tools = builder.tool_sets[name] if name else ()
        size, limit = 0, rng.uniform(0.3, 1.0) * longest
        for item in members:
            held.append(item)
            size += item[1].chunks + sum(len(str(s.get("text", "")).split()) for s in item[0]["speech"])
            if size >= limit or orders_something(item[0]):
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
    names = [str(sample.get("tools") or "") for sample, _ in items]
    tools = [builder.tool_sets[name] if name else () for name in names]
    return [builder.build([item], own, rng, train=False) for item, own in zip(items, tools, strict=True)]
