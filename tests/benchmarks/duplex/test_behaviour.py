"""What was done about speech over a reply, on examples worked by hand."""

from __future__ import annotations

import pytest

from benchmarks.duplex.behaviour import Behaviour, Said, classify, cut_at, floor, unsaid

OVER = (2.6, 4.0)
FIRST = Said(1.0, 5.0, 0.8, 5.0, "Here is the plan for this afternoon.")
SECOND = Said(5.1, 9.0, 0.8, 9.0, "The plumber looks at the boiler in the cellar.")
CUT = [Said(1.0, 2.8, 0.8, 5.0, FIRST.text), Said(5.1, 5.1, 0.8, 9.0, SECOND.text)]


def new(text: str, start: float = 5.0) -> Said:
    return Said(start, start + 2, start - 0.1, start + 2, text)


def test_a_reply_that_goes_on_resumes() -> None:
    assert classify([FIRST, SECOND], OVER) is Behaviour.RESUME
    assert cut_at([FIRST, SECOND], OVER) is None


def test_new_words_behind_a_cut_respond() -> None:
    assert cut_at(CUT, OVER) == pytest.approx(2.8)
    assert classify([*CUT, new("Spring comes before summer.")], OVER) is Behaviour.RESPOND
    assert classify([FIRST, SECOND, new("Spring it is.", 7.9)], OVER) is Behaviour.RESPOND
    late = classify([*CUT, new("Spring comes before summer.", 8.1)], OVER)
    assert late is Behaviour.UNKNOWN, "more than 4 s behind the end"


def test_taking_the_cut_words_up_again_resumes() -> None:
    assert classify([*CUT, new("As I said, the plumber looks at the boiler.")], OVER) is Behaviour.RESUME


def test_who_only_repeats_itself_goes_on_as_before() -> None:
    assert classify([FIRST, new(FIRST.text, 5.5)], OVER) is Behaviour.RESUME
    assert classify([CUT[0], new(FIRST.text)], OVER) is Behaviour.RESUME
    assert classify([FIRST, new("Spring comes first.", 5.5)], OVER) is Behaviour.RESPOND


def test_asking_back_is_uncertain() -> None:
    for text in ("Sorry?", "I did not catch that.", "Could you repeat the question?"):
        assert classify([*CUT, new(text)], OVER) is Behaviour.UNCERTAIN


def test_the_rest_is_unknown() -> None:
    assert classify(CUT, OVER) is Behaviour.UNKNOWN
    assert classify([], OVER) is Behaviour.UNKNOWN
    early = [Said(0.0, 1.0, 0.0, 1.0, "Hello there.")]
    assert classify([*early, new("Spring.")], OVER) is Behaviour.UNKNOWN, "it was not speaking at the onset"


def test_floor_and_what_was_left() -> None:
    assert floor([FIRST], 2.6)
    assert not floor([FIRST], 5.5)
    assert floor([FIRST, SECOND], 5.05), "between two sentences of one reply"
    assert not floor([SECOND], 2.6), "nothing was heard yet"
    assert unsaid(Said(0.0, 1.0, 0.0, 2.0, "a b c d")) == "c d"
    assert unsaid(Said(0.0, 0.0, 0.0, 2.0, "a b")) == "a b"
    assert unsaid(FIRST) == ""
