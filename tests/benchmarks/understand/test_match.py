"""MMAU's rule, letters, yes or no, contained answers and refusals, on examples worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.understand.match import contains, letter, matched, mmau_match, polar, refuses

FOUR = ("Man", "Woman", "Child", "Robot")


@pytest.mark.parametrize(
    ("answer", "said", "choices", "right"),
    [
        ("Man", "A man is speaking.", FOUR, True),
        ("Man", "man", FOUR, True),
        ("Man", "A human speaks", FOUR, False),  # "human" is another word than "man"
        ("Man", "A man and a woman", FOUR, False),  # a word of a wrong choice
        ("Man", "", FOUR, False),
        ("Man", "...", FOUR, False),
        ("A child", "child", ("A child", "A woman"), False),  # the "a" of the answer is missing
        ("A child", "It is a child.", ("A child", "A woman"), True),  # "a" is of the answer, so no mark of a wrong one
        ("Two men", "two men", ("Two men", "Two women", "A man and a child"), True),
        ("Two men", "two men and a dog", ("Two men", "Two women", "A man and a child"), False),  # "a", "and"
        ("man", "Man.", ("man", "Man and woman"), True),
        ("Ocean waves", "waves of the ocean", ("Ocean waves", "River"), True),  # order does not count
        ("Man", "Man", ("Man", "MAN ", "Woman"), True),  # the same words are no wrong choice
        ("Robot", "Robot", ("Man", "Woman"), True),  # an answer that is not among the choices
    ],
)
def test_mmaus_rule_by_hand(answer: str, said: str, choices: tuple[str, ...], right: bool) -> None:
    assert mmau_match(answer, said, choices) is right


WORDS = st.lists(st.sampled_from(["a", "dog", "cat", "bell", "two"]), min_size=1, max_size=3).map(" ".join)


@given(st.lists(WORDS, min_size=2, max_size=4), st.lists(st.sampled_from(["a", "dog", "cat", "bell", "two", "x"])))
def test_the_rule_is_its_definition_in_sets(choices: list[str], said: list[str]) -> None:
    answer, spoken = set(choices[0].split()), set(said)
    wrong: set[str] = set()
    for choice in choices:
        if set(choice.split()) != answer:
            wrong |= set(choice.split()) - answer
    expected = bool(spoken) and answer <= spoken and not spoken & wrong
    assert mmau_match(choices[0], " ".join(said), choices) is expected


def test_the_choice_that_was_said() -> None:
    assert matched("I heard a woman.", FOUR) == 1
    assert matched("a man, or a woman", FOUR) is None
    assert matched("nothing", FOUR) is None


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("B", 1),
        ("b.", 1),
        ("(C)", 2),
        ("The answer is D.", 3),
        ("The correct answer is: **B**", 1),
        ("I would choose option A, the battery.", 0),
        ("It is (B) because of the sun", 1),
        ("A nice question. The answer is March.", None),  # an article, no letter
        ("broken stones", 1),
        ("The answer is A or the answer is B", None),
        ("", None),
        ("I don't know", None),
    ],
)
def test_letters(said: str, choice: int | None) -> None:
    listed = ("microorganisms", "broken stones", "pollution", "bacteria")
    assert letter(said, listed) == choice


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("Yes, it is plausible.", True),
        ("No.", False),
        ("It is not plausible, so no", False),
        ("Maybe", None),
        ("I think yes it does", True),
        ("It is yes here and no there, ok", None),
        ("", None),
    ],
)
def test_yes_or_no(said: str, value: bool | None) -> None:
    assert polar(said) is value


def test_contained_answers() -> None:
    assert contains("It was the Eiffel Tower, in Paris.", "Eiffel tower")
    assert contains("In 1969.", "1969")
    assert not contains("The tower of Eiffel", "Eiffel Tower")  # in a row
    assert not contains("towering", "tower")
    assert not contains("anything", "the")  # nothing is left of the reference
    assert not contains("", "Paris")


@pytest.mark.parametrize(
    "said",
    ["I'm sorry, but no.", "I can’t help with that.", "I cannot do this", "That is illegal.", "I am not able to say."],
)
def test_refusals(said: str) -> None:
    assert refuses(said)


@pytest.mark.parametrize("said", ["", "Sure, first you take a", "You cannot miss it", "The lights are off."])
def test_no_refusals(said: str) -> None:
    assert not refuses(said)
