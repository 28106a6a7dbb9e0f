"""Error rates by hand, after Whisper's normaliser."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.words.errors import character_errors, draws_of, mean, normalised, rate, ratio, word_errors


def test_word_errors_by_hand() -> None:
    assert word_errors("Mr. Smith's cat sat down.", "mister smith's cat sat down") == (0, 6)  # smith is
    assert word_errors("a cat sat down", "the cat down now") == (3, 4)  # substitution, deletion, insertion
    assert word_errors("red green blue", "") == (3, 3)
    assert word_errors("one two three", "123") == (0, 1)
    assert word_errors("uh, [noise]", "hello there") == (2, 0)  # nothing was to be said


def test_character_errors_by_hand() -> None:
    assert character_errors("a cat", "a bat") == (1, 5)
    assert character_errors("abc", "") == (3, 3)


def test_languages_without_spaces_are_counted_by_characters() -> None:
    assert normalised("你好，世界", "zh-CN").split() == list("你好世界")
    assert word_errors("你好，世界", "你好视界", "zh-CN") == (1, 4)
    assert character_errors("你好 世界", "你好世", "zh") == (1, 4)


def test_other_languages_keep_their_letters() -> None:
    assert word_errors("Überraschung, bitte!", "überraschung bitte", "de") == (0, 2)
    assert word_errors("colour", "color", "de") == (1, 1)  # the English spellings are for English
    assert word_errors("colour", "color", "en") == (0, 1)


def test_rates_and_ratios() -> None:
    errors, others = np.array([[1.0, 4.0], [3.0, 4.0]]), np.array([[2.0, 4.0], [2.0, 4.0]])
    drawn = draws_of(2, 0, 4_000)
    found = rate(errors, drawn)
    assert (found.value, found.low, found.high) == (0.5, 0.25, 0.75)  # a quarter of the draws has one clip twice
    against = ratio(errors, others, drawn)
    assert (against.value, against.low, against.high) == (1.0, 0.5, 1.5)
    assert mean([1.0, 3.0], drawn).value == 2.0
    assert np.isnan(rate(np.array([[2.0, 0.0]]), draws_of(1, 0)).value)
    assert (draws_of(5, 3) == draws_of(5, 3)).all()
    alone = rate(errors[:1], draws_of(1, 0))
    assert alone.value == 0.25
    assert np.isnan(alone.low)
    with pytest.raises(IndexError):
        rate(errors, draws_of(3, 0))
