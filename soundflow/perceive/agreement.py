"""Rules on hypotheses: which words are stable, where a cut falls among printed words, what is absurd, when words were.

LocalAgreement-2 (Liu et al. 2020, as used by Machacek et al. 2023, "Turning Whisper into Real-Time Transcription
System"): a word is stable once two consecutive hypotheses agree on it and on all words before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from soundflow import SAMPLE_RATE_HZ
from soundflow.perceive.moonshine import Hypothesis, HypWord
from soundflow.types import FloatArray

VAD_WINDOW_SAMPLES = 512


def key(word: str) -> str:
    """What two spellings of a word must share to agree: letters and digits, without case."""
    return "".join(c for c in word.casefold() if c.isalnum())


def stable_count(previous: Sequence[HypWord], current: Sequence[HypWord], printed: int, hold_back: int) -> int:
    """How many words of `current` are stable: at least `printed`, never one of its last `hold_back` words."""
    count = printed
    limit = min(len(previous), len(current) - hold_back)
    while count < limit and key(previous[count].text) == key(current[count].text):
        count += 1
    return count


def words_before_cut(printed: Sequence[HypWord], head: Sequence[HypWord]) -> int:
    """How many of the `printed` words belong to the audio before a cut that was freely heard as `head`.

    The prefix of `printed` with the smallest edit distance to `head`; the longest of equals.
    """
    row = list(range(len(printed) + 1))
    for i, heard in enumerate(head, start=1):
        above, row = row, [i]
        for j, said in enumerate(printed, start=1):
            differs = key(said.text) != key(heard.text)
            row.append(min(above[j - 1] + differs, above[j] + 1, row[j - 1] + 1))
    best = min(row)
    return max(j for j, cost in enumerate(row) if cost == best)


def cut_window(probs: Sequence[float], share: float) -> int:
    """Index of the window to cut in: in the last `share`, the lowest mean with its neighbours, the latest of equals."""
    p = np.asarray(probs, np.float64)
    padded = np.pad(p, 1, mode="edge")
    smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    first = min(len(p) - 1, int(len(p) * (1 - share)))
    return len(p) - 1 - int(np.argmin(smooth[first:][::-1]))


def is_absurd(hypothesis: Hypothesis, voiced_samples: int, words_per_second: float, least_logprob: float) -> bool:
    """True for what a recogniser invents: a loop, more words than the voiced time can hold, or a bad guess."""
    most = 2 + words_per_second * voiced_samples / SAMPLE_RATE_HZ
    return hypothesis.looped or len(hypothesis.words) > most or hypothesis.logprob < least_logprob


def word_spans(words: Sequence[HypWord], seen: Sequence[int], probs: FloatArray, start: int) -> list[tuple[int, int]]:
    """Estimate (start, end) samples of each word, in order and without overlap.

    Words are laid over the voiced time by their length in letters, and none ends after it was first seen.

    Args:
        seen: end of the audio in which each word was first heard.
        probs: [W] voice probabilities of 512-sample windows, the first from sample `start`; the words lie in them.
    """
    if not words:
        return []
    weight = np.maximum(np.asarray(probs, np.float64), 0.02) if len(probs) else np.ones(1)
    weight = np.where(weight >= 0.5, 1.0, 0.05 * weight)
    heard = np.concatenate([[0.0], np.cumsum(weight)])
    edges = start + VAD_WINDOW_SAMPLES * np.arange(len(heard))
    letters = np.concatenate([[0.0], np.cumsum([len(key(word.text)) + 1.5 for word in words])])
    bounds = np.interp(letters / letters[-1] * heard[-1], heard, edges)
    latest = np.minimum.accumulate(np.asarray(seen)[::-1])[::-1]
    bounds[1:] = np.minimum(bounds[1:], np.maximum(latest, start))
    cuts = [int(b) for b in np.maximum.accumulate(bounds)]
    return list(pairwise(cuts))
