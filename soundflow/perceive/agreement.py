"""Rules on hypotheses: which words are stable, where a cut falls among printed words, what is absurd, when words were.

LocalAgreement-2 (Liu et al. 2020, as used by Machacek et al. 2023, "Turning Whisper into Real-Time Transcription
System"): a word is stable once two consecutive hypotheses agree on it and on all words before it.
"""

from __future__ import annotations

from collections import Counter
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


def repeats(words: Sequence[HypWord]) -> bool:
    """True where the same four words are said three times or more: a loop too long for the decoder's own check."""
    keys = [key(word.text) for word in words]
    runs = Counter(zip(keys, keys[1:], keys[2:], keys[3:], strict=False))
    return max(runs.values(), default=0) >= 3


def is_absurd(
    hypothesis: Hypothesis, voiced: Sequence[float], words_per_second: float, least_confidence: float
) -> bool:
    """True for what a recogniser invents: a loop, more or less text than the voiced time can hold, or a bad guess.

    Confidence is the mean log probability of the tokens less three times what the VAD lacks of certainty.

    Args:
        hypothesis: all that was heard.
        voiced: VAD probabilities of its voiced windows.
    """
    if repeats(hypothesis.words):
        return True
    if not hypothesis.words:
        return hypothesis.looped
    seconds = len(voiced) * VAD_WINDOW_SAMPLES / SAMPLE_RATE_HZ
    letters = sum(len(key(word.text)) for word in hypothesis.words)
    if hypothesis.looped or len(hypothesis.words) > 1 + words_per_second * seconds or letters < seconds:
        return True
    doubt = 1.0 - float(np.mean(voiced)) if len(voiced) else 1.0
    return float(np.mean(hypothesis.logprobs or (0.0,))) - 3.0 * doubt < least_confidence


def word_spans(words: Sequence[HypWord], seen: Sequence[int], probs: FloatArray, start: int) -> list[tuple[int, int]]:
    """Estimate (start, end) samples of each word, in order and without overlap.

    Words are laid over the voiced time by their length in letters, and none ends after it was first seen.

    Args:
        seen: end of the audio in which each word was first heard.
        probs: [W] voice probabilities of 512-sample windows, the first from sample `start`; the words lie in them.
    """
    if not words:
        return []
    weight = np.where(np.asarray(probs, np.float64) >= 0.5, 1.0, 1e-4) if len(probs) else np.ones(1)
    heard = np.concatenate([[0.0], np.cumsum(weight)])
    edges = start + VAD_WINDOW_SAMPLES * np.arange(len(heard))
    voiced = np.flatnonzero(weight == 1.0)
    if len(voiced):  # words begin and end with the voice
        heard, edges = heard[voiced[0] : voiced[-1] + 2], edges[voiced[0] : voiced[-1] + 2]
        heard = heard - heard[0]
    letters = np.concatenate([[0.0], np.cumsum([len(key(word.text)) + 1.5 for word in words])])
    bounds = np.interp(letters / letters[-1] * heard[-1], heard, edges)
    latest = np.minimum.accumulate(np.asarray(seen)[::-1])[::-1]
    bounds = np.minimum(bounds, np.maximum([latest[0], *latest], start))
    cuts = [int(b) for b in np.maximum.accumulate(bounds)]
    return list(pairwise(cuts))
