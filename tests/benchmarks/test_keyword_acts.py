"""Keyword calls: numbers, slots, what is no request, and words that were misheard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.act_items import SENTENCES
from benchmarks.acts import tool_file
from benchmarks.keyword_acts import call, duration, numbers, order
from soundflow.respond.spoken_values import plain_words
from soundflow.respond.tools import load_tools
from soundflow.types import Tool

HOME = load_tools(Path(tool_file("tools.json")))
COFFEE = load_tools(Path(tool_file("coffee_tools.json")))


def said(text: str, tools: tuple[Tool, ...] = HOME) -> tuple[str, dict[str, Any]] | None:
    found = call(text, tools)
    return (found.name, dict(found.arguments)) if found else None


def test_the_written_sentences_are_all_understood() -> None:
    for text, wanted in SENTENCES:
        assert said(text) == (wanted["name"], wanted["arguments"]), text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("twenty one degrees", [(21, 2)]),
        ("21 degrees", [(21, 2)]),
        ("one hundred percent", [(100, 2)]),
        ("100 percent", [(100, 1)]),
        ("twenty", [(20, 1)]),
        ("ten five", [(10, 1), (5, 2)]),
        ("no number", []),
    ],
)
def test_numbers(text: str, found: list[tuple[int, int]]) -> None:
    assert numbers(plain_words(text)) == found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("ten minutes", 600),
        ("one minute thirty seconds", 90),
        ("an hour", 3600),
        ("an hour and a half", 5400),
        ("half an hour", 1800),
        ("a quarter of an hour", 900),
        ("ninety nine seconds", 99),
        ("two hours and 5 minutes", 7500),
        ("some minutes", None),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert duration(plain_words(text)) == seconds


def test_light_slots() -> None:
    assert said("Dim the hallway light to 70%.") == ("set_light", {"room": "hallway", "brightness": 70})
    assert said("Make the living room light warm white.") == (
        "set_light",
        {"room": "living room", "color": "warm white"},
    )
    assert said("Turn of the kitchen lamp and lights out.") == ("set_light", {"room": "kitchen", "state": "off"})


def test_cancelling_is_no_new_timer() -> None:
    assert said("Please stop the timer.") == ("cancel_timer", {})
    assert said("Turn the timer off.") == ("cancel_timer", {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "How bright is the kitchen light?",
        "Did I lock the front door?",
        "She left the light on in the kitchen again.",
        "The thermostat was at twenty degrees yesterday.",
        "It is a nice day in the kitchen.",
        "Set the thermostat to ninety degrees.",
    ],
)
def test_what_is_no_request(text: str) -> None:
    assert said(text) is None


def test_orders_take_the_longest_phrases() -> None:
    assert said(
        "Can I have a medium roast, large ice coffee with lots of brown sugar and a bit of soy milk?", COFFEE
    ) == (
        "order_coffee",
        {
            "coffeeDrink": "iced coffee",
            "size": "large",
            "roast": "medium roast",
            "sugarAmount": "lots of brown sugar",
            "milkAmount": "a bit of soy milk",
        },
    )
    assert said("A 12 oz. espreso, double-shot.", COFFEE) == (
        "order_coffee",
        {"coffeeDrink": "espresso", "size": "twelve ounce", "numberOfShots": "double shot"},
    )
    assert said("With sugar, please.", COFFEE) is None, "no drink, no order"


def test_a_tool_with_free_slots_is_not_filled_by_phrases() -> None:
    free = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    assert order(["say", "hello"], Tool("say", "", free)) is None
    assert call("say hello", (Tool("say", "", free),)) is None
