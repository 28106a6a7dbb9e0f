"""Phrases that are likely to be said: what they raise, and how they become tokens."""

from __future__ import annotations

from copy import deepcopy

import numpy as np

from soundflow.perceive.biasing import GOES_ON, LONGEST, MOST_PHRASES, OPENS, Bias, pair_merged

ZERO = np.zeros(10, np.float32)


def test_a_phrase_is_raised_where_it_opens_and_where_it_goes_on() -> None:
    bias = Bias([(1, 2, 3), (1, 4)])
    assert bias.raised((), ZERO).tolist() == [0, OPENS, *[0] * 8]
    assert bias.raised((9, 1), ZERO).tolist() == [0, OPENS, GOES_ON, 0, GOES_ON, *[0] * 5]
    assert bias.raised((1, 2), ZERO)[3] == GOES_ON
    assert bias.raised((2,), ZERO).tolist() == bias.raised((), ZERO).tolist(), "the middle of a phrase opens none"
    assert not ZERO.any(), "the logits given are as they were"


def test_a_token_that_opens_and_goes_on_gets_the_larger_bonus_once() -> None:
    assert Bias([(1, 1)]).raised((1,), ZERO)[1] == GOES_ON


def test_what_cannot_be_stays_impossible() -> None:
    logits = np.full(10, -np.inf, np.float32)
    assert np.isneginf(Bias([(1, 2)]).raised((), logits)).all()


def test_phrases_are_bounded_and_none_change_nothing() -> None:
    many = Bias((k, 1) for k in range(MOST_PHRASES + 5))
    raised = many.raised((), np.zeros(MOST_PHRASES + 5, np.float32))
    assert (raised > 0).sum() == MOST_PHRASES
    long = Bias([tuple(range(LONGEST + 3))])
    behind = tuple(range(LONGEST))
    assert long.raised(behind, np.zeros(40, np.float32))[LONGEST] == 0
    assert Bias([]).raised((1,), ZERO) is ZERO


def test_a_copy_is_the_same_one() -> None:
    bias = Bias([(1, 2)])
    assert deepcopy({"bias": bias})["bias"] is bias


def test_pairs_merge_by_the_lowest_id() -> None:
    tokens = ["\u2581", "a", "b", "c", "\u2581a", "bc", "ab", "\u2581ab"]
    ids = {t.encode(): k for k, t in enumerate(tokens)}
    assert pair_merged("abc", ids) == [ids["\u2581a".encode()], ids[b"bc"]]
    assert pair_merged("a  ab", ids) == [ids["\u2581a".encode()], ids["\u2581ab".encode()]]
    assert pair_merged("xyz", ids) == []
