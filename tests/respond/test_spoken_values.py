"""Which enumerated values were said: the longest stretch of words, once, with room for what was misheard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from soundflow.respond.spoken_numbers import spelled
from soundflow.respond.spoken_values import plain_words, spoken_values, tool_phrases
from soundflow.respond.tools import load_tools

SLOTS = json.loads((Path(__file__).parents[2] / "demo/coffee_tools.json").read_text("utf-8"))[0]["parameters"][
    "properties"
]
LOCK = {"door": {"enum": ["front door", "back door"]}, "state": {"enum": ["locked", "unlocked"]}}


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ("A coffee, please.", {"coffeeDrink": ["coffee"]}),
        ("A house coffee.", {"coffeeDrink": ["house coffee"]}),
        ("A medium roast mocha.", {"coffeeDrink": ["mocha"], "roast": ["medium roast"]}),
        ("A medium mocha, medium roast.", {"coffeeDrink": ["mocha"], "size": ["medium"], "roast": ["medium roast"]}),
        ("A 16-ounce latte", {"coffeeDrink": ["latte"], "size": ["sixteen ounce"]}),
        ("A latte with a bit oh milk", {"coffeeDrink": ["latte"], "milkAmount": ["a bit of milk"]}),
        ("An ice coffee and milk", {"coffeeDrink": ["iced coffee"], "milkAmount": ["milk"]}),
        ("Latte or mocha?", {"coffeeDrink": ["latte", "mocha"]}),
        ("Turn on the light.", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_each_stretch_of_words_counts_once(heard: str, expected: dict[str, list[str]]) -> None:
    assert spoken_values(heard, SLOTS) == expected


@pytest.mark.parametrize(("heard", "state"), [("is the back door locked", "locked"), ("unlock it", "unlocked")])
def test_what_was_said_beats_what_is_like_it(heard: str, state: str) -> None:
    assert spoken_values(heard, LOCK)["state"] == [state]


def test_two_slots_may_share_a_value() -> None:
    slots = {"first": {"enum": ["on", "off"]}, "second": {"enum": ["on"]}, "level": {"type": "integer"}}
    assert spoken_values("both on", slots) == {"first": ["on"], "second": ["on"]}


def test_numbers_are_spelled() -> None:
    assert [" ".join(spelled(n)) for n in (0, 13, 20, 21, 100, 250)] == [
        *("zero", "thirteen", "twenty", "twenty one", "hundred", "250")
    ]
    assert plain_words("It's 21\N{DEGREE SIGN}, 8 oz, 50%") == [
        "its",
        "twenty",
        "one",
        "degrees",
        "eight",
        "ounce",
        "fifty",
        "percent",
    ]


def test_phrases_of_tools_are_their_values_and_names() -> None:
    phrases = tool_phrases(load_tools(Path(__file__).parents[2] / "demo/tools.json"))
    assert {"living room", "warm white", "light", "timer", "lock", "thermostat", "degrees"} <= set(phrases)
    assert len(phrases) == len(set(phrases))
    assert tool_phrases(()) == ()
