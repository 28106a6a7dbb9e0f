"""What was said leads the slots of a call, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from soundflow.respond.hints import Hints
from soundflow.respond.spoken_numbers import Spoken, spoken_numbers
from soundflow.respond.tools import make_tools

TOOLS = make_tools(
    [
        {
            "name": "set_light",
            "description": "",
            "parameters": {
                "type": "object",
                "properties": {
                    "room": {"type": "string", "enum": ["kitchen", "living room", "bedroom"]},
                    "milk": {"type": "string", "enum": ["cream", "a bit of cream"]},
                    "brightness": {"type": "integer"},
                    "seconds": {"type": "integer"},
                },
            },
        }
    ],
    "t",
)
VOCABULARY = (
    "kit",
    "living",
    "bed",
    " room",
    "12",
    "1",
    "0",
    ",",
    "}",
    '"',
    "cream",
    "a bit",
    '"br',
    '"room',
    '"}',
    '","',
)
START = '{"name":"set_light","arguments":{'


def raised(heard: str, text: str) -> set[str]:
    hints = Hints(heard, TOOLS, lambda i: VOCABULARY[i])
    found = hints.raise_(START + text, np.zeros(len(VOCABULARY), np.float32))
    return {VOCABULARY[i] for i in np.flatnonzero(found > 0)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Set a timer for twenty-one minutes.", [Spoken(21, 60)]),
        ("an hour and a half", [Spoken(1.5, 3600)]),
        ("half an hour", [Spoken(0.5, 3600)]),
        ("a quarter of an hour please", [Spoken(0.25, 3600)]),
        ("one hour and ten minutes", [Spoken(70, 60)]),
        ("a minute", [Spoken(1, 60)]),
        ("the kitchen at fifty per cent and 21 degrees", [Spoken(50), Spoken(21)]),
        ("one hundred and five", [Spoken(105)]),
        ("a ten minute timer", [Spoken(10, 60)]),
        ("a light in an office", []),
    ],
)
def test_numbers(text: str, expected: list[Spoken]) -> None:
    assert spoken_numbers(text) == expected


def test_a_value_that_was_said_is_led_to_from_its_first_token_to_its_end() -> None:
    assert raised("Light in the living room please", '"room":"') == {"living"}
    assert raised("Light in the living room please", '"room":"living') == {" room"}
    assert raised("Light in the living room please", '"room":"living room') >= {'"', '"}'}
    assert raised("Light in the attic", '"room":"') == set()


def test_of_a_value_inside_another_the_longer_one_counts() -> None:
    assert raised("with a bit of cream", '"milk":"') == {"a bit"}
    assert raised("with cream", '"milk":"') == {"cream"}


def test_numbers_come_in_the_unit_of_the_slot() -> None:
    assert raised("ten minutes", '"seconds":') == set()
    assert raised("two minutes", '"seconds":') == {"12", "1"}
    assert raised("two minutes", '"seconds":12') == {"0"}
    assert raised("two minutes", '"seconds":120') == {",", "}"}
    assert raised("ten percent", '"brightness":1') == {"0"}


def test_a_slot_is_opened_where_something_was_said_for_it() -> None:
    said = "Kitchen light at twelve percent"
    assert raised(said, "") == {'"', '"room'}, "the first alone: a later one would close it"
    assert raised(said, '"room":"kitchen') == {'","'}, "a quote alone could be the end of the call"
    assert raised(said, '"room":"kitchen"') == {","}
    assert raised(said, '"room":"kitchen",') == {'"', '"br'}
    assert raised(said, '"room":"kitchen","brightness":12') == {",", "}"}
    assert raised("Kitchen light", '"room":"kitchen"') == set(), "the rest is the model's"


def test_a_slot_that_got_another_value_does_not_end_the_call_while_one_that_was_said_is_empty() -> None:
    assert raised("Kitchen light at twelve percent", '"room":"bedroom') == {'","'}
    assert raised("Kitchen light", '"room":"bedroom') == set()


def test_other_places_and_what_is_forbidden_are_left_alone() -> None:
    assert Hints("living room", TOOLS, VOCABULARY.__getitem__).raise_('{"na', np.zeros(3, np.float32)).max() == 0
    hints = Hints("living room", TOOLS, lambda i: VOCABULARY[i])
    forbidden = np.full(len(VOCABULARY), -np.inf, np.float32)
    assert np.isneginf(hints.raise_(START + '"room":"', forbidden)).all()
