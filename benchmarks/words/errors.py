"""Word and character errors after Whisper's normaliser, and error rates with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jiwer
import numpy as np
from numpy.typing import NDArray

from benchmarks.words.growth import by_character
from soundflow.scoring import Interval

Counts = NDArray[np.float64]


@lru_cache(maxsize=8)
def _normaliser(kind: str) -> Any:
    if kind == "en":
        from whisper_normalizer.english import EnglishTextNormalizer

        return EnglishTextNormalizer()
    from whisper_normalizer.basic import BasicTextNormalizer

    return BasicTextNormalizer(split_letters=kind == "letters", preserve_marks=True)


def normalised(text: str, language: str = "en") -> str:
    """Text after Whisper's normaliser (Radford et al. 2022): the English one, else the basic one; a language without
    spaces is split into letters, as there.
    """
    kind = "letters" if by_character(language) else "en" if language.lower().partition("-")[0] == "en" else "basic"
    return str(_normaliser(kind)(text)).strip()


def word_errors(reference: str, hypothesis: str, language: str = "en") -> tuple[int, int]:
    """(S + D + I, words of the reference), both after `normalised` (Levenshtein 1966; through jiwer)."""
    wanted, got = normalised(reference, language), normalised(hypothesis, language)
    if not wanted:
        return len(got.split()), 0
    out = jiwer.process_words(wanted, got)
    return out.substitutions + out.deletions + out.insertions, len(wanted.split())


def character_errors(reference: str, hypothesis: str, language: str = "en") -> tuple[int, int]:
    """As `word_errors` in characters, spaces between words among them (but for languages without spaces)."""
    wanted, got = normalised(reference, language), normalised(hypothesis, language)
    if by_character(language):
        wanted, got = wanted.replace(" ", ""), got.replace(" ", "")
    if not wanted:
        return len(got), 0
    out = jiwer.process_characters(wanted, got)
    return out.substitutions + out.deletions + out.insertions, len(wanted)


def draws_of(count: int, seed: int, draws: int = 2_000) -> NDArray[np.int64]:
    """[draws, count] indices with replacement; equal for equal `count` and `seed`, so that two systems are drawn in
    pairs.
    """
    return np.random.default_rng(seed).integers(0, count, (draws, count))


def rate(errors: Counts, drawn: NDArray[np.int64]) -> Interval:
    """Errors over reference units of all clips, [n, 2] (errors, units), and its 95 % percentile bootstrap over clips
    (Efron 1979). nan where there are no units.
    """
    found = errors[drawn].sum(axis=1)
    if not errors[:, 1].sum():
        return Interval(float("nan"), float("nan"), float("nan"))
    return _around(
        float(errors[:, 0].sum() / errors[:, 1].sum()), found[:, 0] / np.maximum(found[:, 1], 1), len(errors)
    )


def ratio(errors: Counts, others: Counts, drawn: NDArray[np.int64]) -> Interval:
    """Errors of one system over those of another on the same clips in the same order, drawn in pairs (Koehn 2004)."""
    ours, theirs = errors[drawn][:, :, 0].sum(axis=1), others[drawn][:, :, 0].sum(axis=1)
    value = float(errors[:, 0].sum() / max(others[:, 0].sum(), 1))
    return _around(value, ours / np.maximum(theirs, 1), len(errors))


def mean(values: Sequence[float], drawn: NDArray[np.int64]) -> Interval:
    """Mean over clips and its 95 % percentile bootstrap."""
    array = np.asarray(values, dtype=np.float64)
    return _around(float(array.mean()), array[drawn].mean(axis=1), len(array))


def _around(value: float, draws: Counts, count: int) -> Interval:
    """The interval of `draws`; nan for one clip, which can only be drawn as itself."""
    low, high = np.percentile(draws, [2.5, 97.5]) if count > 1 else (np.nan, np.nan)
    return Interval(value, float(low), float(high))
