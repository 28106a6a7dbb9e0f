"""IFEval's instructions by hand: one reply that keeps it and one that does not."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.understand.ifeval import CHECKS, follows, judged

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("keywords:existence", {"keywords": ["sun", "moon"]}, "The Sun and the moon", "The sun"),
    ("keywords:frequency", {"keyword": "dog", "frequency": 2, "relation": "at least"}, "Dog, dog", "dog"),
    ("keywords:frequency", {"keyword": "dog", "frequency": 2, "relation": "less than"}, "dog", "dog dog"),
    ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "concatenate", "a cat"),
    ("keywords:letter_frequency", {"letter": "q", "let_frequency": 1, "let_relation": "at least"}, "Quick", "slow"),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "one two three", "one two"),
    ("length_constraints:number_words", {"num_words": 3, "relation": "less than"}, "one two", "one two three"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb", "a"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb\n***\n", "a\n***\n\n***\nb"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "now"},
        "One.\n\nNow it is.",
        "Now.\n\nOne.",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] at [place]", "[name]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye. P.S. Come soon", "Bye."),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a\n* b\n* c"),
    ("detectable_format:constrained_response", {}, "My answer is maybe.", "Maybe."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "a *bold* word", "a word"),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "Part", "num_sections": 2},
        "Part 1 a\nPart 2 b",
        "Part 1 a",
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "a: 1"),
    ("detectable_format:title", {}, "<<Of dogs>>\nThey bark", "Of dogs"),
    ("combination:two_responses", {}, "one\n******\ntwo", "one ****** one"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it"}, "say it: it", "It"),
    ("startend:end_checker", {"end_phrase": "That is all."}, "So. That is all.", "That is all. So."),
    ("startend:quotation", {}, '"Quoted."', "Not."),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        "A BIG dog",
        "a big DOG",
    ),
    ("change_case:english_capital", {}, "LOUD.", "Loud."),
    ("change_case:english_lowercase", {}, "quiet.", "Quiet."),
    ("punctuation:no_comma", {}, "one and two", "one, two"),
]


@pytest.mark.parametrize(("name", "kwargs", "kept", "broken"), CASES)
def test_an_instruction_is_kept_or_not(name: str, kwargs: dict[str, Any], kept: str, broken: str) -> None:
    assert follows(kept, name, kwargs) is True
    assert follows(broken, name, kwargs) is False
    assert follows("", name, kwargs) is False, "an empty reply keeps nothing"


def test_each_check_is_tested() -> None:
    assert {name for name, *_ in CASES} == set(CHECKS)


def test_what_has_no_check_or_no_arguments_is_not_judged() -> None:
    assert follows("x", "language:response_language", {"language": "de"}) is None
    assert follows("x", "keywords:existence", {"keywords": None}) is None
    assert judged("a b", ["punctuation:no_comma", "length_constraints:number_sentences"], [{}, {}]) == [True, None]
