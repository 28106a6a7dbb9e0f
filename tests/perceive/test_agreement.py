"""Rules on hypotheses, by example and by property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundflow.perceive.agreement import cut_window, is_absurd, key, stable_count, word_spans, words_before_cut
from soundflow.perceive.moonshine import Hypothesis, HypWord

texts = st.lists(st.sampled_from(["one", "two", "three", "two,", "Two."]), max_size=8)


def said(*words: str) -> tuple[HypWord, ...]:
    return tuple(HypWord(word, (i,)) for i, word in enumerate(words))


@pytest.mark.parametrize(("one", "other"), [("Hello,", "hello"), ("It's", "its"), ("B.", "b"), ("ÜBER", "über")])
def test_case_and_punctuation_do_not_disagree(one: str, other: str) -> None:
    assert key(one) == key(other)


def test_words_are_stable_up_to_the_first_disagreement_and_without_the_last() -> None:
    assert stable_count(said("Turn", "on", "the"), said("turn", "on,", "the", "light"), 0, 1) == 3
    assert stable_count(said("turn", "of", "the"), said("turn", "on", "the", "light"), 0, 1) == 1
    assert stable_count(said("turn", "on"), said("turn", "on"), 0, 1) == 1
    assert stable_count((), said("turn", "on"), 0, 1) == 0


@given(texts, texts, st.integers(0, 8), st.integers(0, 2))
def test_the_stable_part_never_shrinks_and_never_passes_either_hypothesis(
    before: list[str], after: list[str], printed: int, hold_back: int
) -> None:
    printed = min(printed, len(before), len(after))
    count = stable_count(said(*before), said(*after), printed, hold_back)
    assert printed <= count <= max(printed, min(len(before), len(after) - hold_back))
    assert all(key(a) == key(b) for a, b in zip(before[printed:count], after[printed:count], strict=True))


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (("one", "two"), 2),
        (("one", "two", "three", "four"), 4),
        (("one", "two", "three", "four", "five"), 4),
        (("one", "to"), 2),
        ((), 0),
    ],
)
def test_a_cut_divides_the_printed_words_where_the_head_ends(head: tuple[str, ...], kept: int) -> None:
    assert words_before_cut(said("one", "two", "three", "four"), said(*head)) == kept


@given(st.lists(st.integers(0, 1000).map(str), unique=True, min_size=1, max_size=9), st.data())
def test_a_cut_through_different_words_is_found_exactly(words: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(words)))
    assert words_before_cut(said(*words), said(*words[:at])) == at


def test_the_cut_is_the_quietest_late_window() -> None:
    probs = [0.0] * 5 + [0.9] * 20
    assert cut_window(probs, 0.4) == 24
    probs[18:21] = [0.3, 0.1, 0.3]
    assert cut_window(probs, 0.4) == 19


def test_loops_floods_drawls_and_bad_guesses_are_absurd() -> None:
    second, sure = [0.95] * 31, (-0.2, -0.2)
    fine = Hypothesis(said("one", "two"), sure)
    assert not is_absurd(fine, second, 6.0, -1.0)
    assert is_absurd(Hypothesis(fine.words, sure, looped=True), second, 6.0, -1.0)
    assert is_absurd(Hypothesis(fine.words, (-1.5,)), second, 6.0, -1.0)
    assert is_absurd(fine, [0.6] * 31, 6.0, -1.0)
    assert is_absurd(Hypothesis(said(*"abcdefgh"), sure), second, 6.0, -1.0)
    assert is_absurd(Hypothesis(said("you"), sure), second * 4, 6.0, -1.0)
    assert not is_absurd(Hypothesis(), [], 6.0, -1.0)
    phrase = ["i", "am", "very", "happy", "to", "be", "able", "to", "speak", "with", "you", "today"]
    assert not is_absurd(Hypothesis(said(*phrase, *phrase), sure), second * 10, 6.0, -1.0)
    assert is_absurd(Hypothesis(said(*phrase, *phrase, *phrase), sure), second * 12, 6.0, -1.0)


@given(texts, st.lists(st.floats(0, 1), max_size=60), st.integers(0, 10**9), st.data())
def test_spans_are_ordered_and_end_where_first_seen(
    words: list[str], probs: list[float], start: int, data: st.DataObject
) -> None:
    seen = data.draw(
        st.lists(st.integers(start, start + 60 * 512), min_size=len(words), max_size=len(words)).map(sorted)
    )
    spans = word_spans(said(*words), seen, np.array(probs, np.float32), start)
    assert len(spans) == len(words)
    edges = [start, *(edge for span in spans for edge in span)]
    assert edges == sorted(edges)
    assert all(span[1] <= limit for span, limit in zip(spans, seen, strict=True))


def test_words_lie_in_the_voiced_part() -> None:
    probs = np.array([0.0] * 10 + [0.9] * 20 + [0.0] * 10, np.float32)
    spans = word_spans(said("three", "seven"), [10**6, 10**6], probs, 0)
    assert abs(spans[0][1] - 20 * 512) < 1024
    assert spans[0][0] < 10 * 512 + 512
    assert abs(spans[1][1] - 30 * 512) < 1024
