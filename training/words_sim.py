"""The words channel on training streams: known text, real voice-activity edges, drawn print delays.

Running the recogniser over every composed stream costs most of a CPU build. Its output is known up to timing: the
text of a clip (recognised once per clip), printed when it is stable, closed one chunk after the voice-activity stop.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from soundflow.clock import samples
from soundflow.types import Word
from training.features import Features


@dataclass(frozen=True, slots=True)
class SpeechItem:
    """One utterance on the stream's clock."""

    onset: int
    offset: int
    text: str


def spread(item: SpeechItem) -> list[Word]:
    """Words of an utterance, their times in proportion to their letters."""
    texts = item.text.split()
    total = sum(len(t) + 1 for t in texts)
    words, at = [], 0
    for text in texts:
        start = item.onset + (item.offset - item.onset) * at // total
        at += len(text) + 1
        end = item.onset + (item.offset - item.onset) * at // total
        words.append(Word(text, start, end, end))
    return words


def simulate_words(
    items: Sequence[SpeechItem], features: Features, rng: random.Random
) -> tuple[dict[int, list[Word]], dict[int, str]]:
    """-> words by the chunk that prints them, and the text of each segment by the chunk that closes it."""
    size, last = features.chunk_samples, features.chunks - 1
    printed: dict[int, list[Word]] = {}
    finals: dict[int, str] = {}
    words = sorted((w for item in items for w in spread(item)), key=lambda w: w.start)
    for index, (start, _) in enumerate(features.segments):
        following = features.segments[index + 1][0] if index + 1 < len(features.segments) else 10**12
        # one chunk behind the found stop, for the final decode; never where the stream ends first
        closes = features.stop_chunks[index] + 1 if features.stop_chunks[index] >= 0 else 10**9
        inside = [w for w in words if start - samples(0.5) <= (w.start + w.end) // 2 < following - samples(0.2)]
        words = [w for w in words if w not in inside]
        earliest = 0
        for word in inside:
            delay = samples(rng.uniform(0.7, 1.7))
            chunk = min(max((word.end + delay) // size, earliest), closes)
            earliest = chunk
            if chunk <= last:
                printed.setdefault(chunk, []).append(word)
        if inside and closes <= last:
            finals[closes] = " ".join(w.text for w in inside)
    return printed, finals
