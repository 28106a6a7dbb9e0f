"""Acts under many tool schemas: an act sample keeps its audio, but other words, another tool and another call are
put on it.

The LALM hears words as text, and one home's tools would teach it one schema by heart. Domains here are made up;
coffee, the domain of the real orders, is not among them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soundflow.respond.tools import make_tools
from soundflow.types import Tool
from training.misheard import FORMS, misheard, numbers

OPENERS = ("", "", "Please ", "Could you ", "Can you ", "I would like you to ", "Hey, ", "Would you ")
ORDERS = (
    "Can I get ",
    "I would like ",
    "Could I have ",
    "Give me ",
    "I'll have ",
    "Please get me ",
    "May I have ",
    "Make me ",
)
CLOSERS = ("", "", "", " please", " now", " thanks")

Slot = tuple[str, tuple[str, ...], str]  # name, values, phrase with {} for the value


@dataclass(frozen=True, slots=True)
class Domain:
    """One function. `head` begins the request; slots follow in any order; the first `required` ones always do.

    An `order` puts bare values before its noun, as in "a large thin crust pizza".
    """

    name: str
    description: str
    head: str
    slots: tuple[Slot, ...]
    required: int = 1
    order: bool = False


_SAID = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

DOMAINS = (
    Domain("order_pizza", "Order a pizza.", "pizza", (
        ("topping", ("cheese", "mushroom", "ham", "pepperoni", "olive", "tuna"), "{} {noun}"),
        ("size", ("small", "medium", "large", "family size"), "{}"),
        ("crust", ("thin crust", "thick crust", "stuffed crust"), "{}"),
        ("sauce", ("extra sauce", "a little sauce", "no sauce", "garlic sauce"), "with {}"),
        ("cheeseAmount", ("extra cheese", "light cheese", "no cheese"), "with {}"),
    ), 1, True),
    Domain("order_smoothie", "Order a smoothie.", "smoothie", (
        ("fruit", ("mango", "banana", "strawberry", "blueberry", "peach", "green apple"), "{} {noun}"),
        ("size", ("small", "regular", "large", "sixteen ounce", "ten ounce"), "{}"),
        ("iceAmount", ("no ice", "a little bit of ice", "lots of ice", "some ice"), "with {}"),
        ("sweetener", ("honey", "a little bit of honey", "no sugar", "some syrup", "a bit of sugar"), "with {}"),
        ("base", ("oat milk", "yogurt", "coconut water", "soy milk"), "with {}"),
        ("protein", ("single scoop", "double scoop", "triple scoop"), "{}"),
    ), 1, True),
    Domain("order_tea", "Order a pot of tea.", "tea", (
        ("tea", ("green", "black", "mint", "ginger", "earl grey", "chamomile"), "{} {noun}"),
        ("cup", ("small", "medium", "large", "eight ounce", "twelve ounce"), "{}"),
        ("strength", ("weak", "strong", "extra strong"), "{}"),
        ("milk", ("no milk", "a splash of milk", "almond milk", "lots of milk", "a little cream"), "with {}"),
        ("sugar", ("one sugar", "two sugars", "no sugar", "some honey", "brown sugar"), "with {}"),
    ), 1, True),
    Domain("order_sandwich", "Order a sandwich.", "sandwich", (
        ("filling", ("chicken", "egg", "cheese", "turkey", "falafel"), "{} {noun}"),
        ("bread", ("white bread", "rye bread", "whole wheat", "a bagel"), "on {}"),
        ("size", ("half", "regular", "foot long"), "{}"),
        ("extras", ("lettuce", "pickles", "extra mayo", "a bit of mustard"), "with {}"),
    ), 1, True),
    Domain("order_ice_cream", "Order ice cream.", "ice cream", (
        ("flavor", ("vanilla", "chocolate", "lemon", "hazelnut", "coconut"), "{} {noun}"),
        ("scoops", ("single scoop", "double scoop", "triple scoop"), "{}"),
        ("container", ("cone", "cup", "waffle"), "in a {}"),
        ("topping", ("sprinkles", "whipped cream", "a lot of sauce", "nuts"), "with {}"),
    ), 1, True),
    Domain("play_music", "Play music in a room.", "play some", (
        ("genre", ("jazz", "classical", "rock", "folk", "dance", "piano"), "{} music"),
        ("room", ("kitchen", "bedroom", "living room", "garden", "office"), "in the {}"),
        ("volume", ("low", "medium", "high"), "at {} volume"),
    ), 1),
    Domain("set_fan", "Set the speed of a fan.", "set the fan", (
        ("speed", ("off", "low", "medium", "high"), "to {}"),
        ("room", ("bedroom", "office", "attic", "kitchen"), "in the {}"),
    ), 1),
    Domain("set_blinds", "Move the blinds.", "move the blinds", (
        ("position", ("up", "down", "half way"), "{}"),
        ("room", ("bedroom", "living room", "office", "nursery"), "in the {}"),
    ), 2),
    Domain("start_washer", "Start a washing machine.", "start the washer", (
        ("program", ("cotton", "wool", "quick", "delicate"), "on the {} program"),
        ("heat", ("cold", "warm", "hot"), "with {} water"),
        ("spin", ("no spin", "slow spin", "fast spin"), "and {}"),
    ), 1),
    Domain("water_garden", "Water a part of the garden.", "water the", (
        ("zone", ("roses", "lawn", "vegetables", "balcony"), "{}"),
        ("minutes", _SAID, "for {} minutes"),
    ), 2),
    Domain("add_item", "Put an item on a list.", "add", (
        ("item", ("milk", "bread", "eggs", "batteries", "soap", "apples"), "{}"),
        ("list", ("shopping", "holiday", "party"), "to the {} list"),
    ), 2),
    Domain("book_taxi", "Book a taxi.", "book a taxi", (
        ("place", ("airport", "station", "hospital", "museum", "office"), "to the {}"),
        ("seats", _SAID, "for {} people"),
        ("when", ("now", "tonight", "tomorrow"), "{}"),
    ), 1),
    Domain("feed_pet", "Feed a pet.", "feed the", (
        ("animal", ("dog", "cat", "rabbit", "fish"), "{}"),
        ("portions", _SAID, "with {} portions"),
    ), 1),
    Domain("set_vacuum", "Command the robot vacuum.", "", (
        ("command", ("start", "stop", "dock", "pause"), "{} the vacuum"),
        ("room", ("kitchen", "hallway", "bedroom", "living room"), "in the {}"),
    ), 1),
)  # fmt: skip


def retell(
    sample: Mapping[str, Any], transcripts: Mapping[str, str], rng: random.Random, wrong: float = 0.4
) -> tuple[dict[str, Any], dict[str, str]]:
    """The sample under one of the other wordings that it carries (`retold`), and the words that are heard then.

    A share `wrong` of them is heard badly (training/misheard.py). The sample must have `retold`.
    """
    other = rng.choice(sample["retold"])
    text = misheard(other["text"], rng) if rng.random() < wrong else numbers(other["text"], rng.choice(FORMS))
    responses = [{**r, "call": other["call"]} if r.get("call") else r for r in sample["responses"]]
    return {**sample, "responses": responses}, {**transcripts, other["speech"]: text}


def draw(rng: random.Random) -> tuple[tuple[Tool, ...], str, dict[str, Any]]:
    """-> tools (one to three functions), what is said, and its call {name, arguments}."""
    domain = rng.choice(DOMAINS)
    kept = list(domain.slots[: domain.required]) + [s for s in domain.slots[domain.required :] if rng.random() < 0.6]
    arguments = {name: rng.choice(values) for name, values, _ in kept}
    text = _order(domain, kept, arguments, rng) if domain.order else _command(domain, kept, arguments, rng)
    others = rng.sample([d for d in DOMAINS if d is not domain], rng.choice((0, 0, 1, 2)))
    listed = [domain, *others]
    rng.shuffle(listed)
    numbers = {name for name, values, _ in domain.slots if values is _SAID}
    call = {k: _SAID.index(v) + 1 if k in numbers else v for k, v in arguments.items()}
    tools = make_tools([schema(d) for d in listed], "tool variety")
    return tools, text[0].upper() + text[1:] + ".", {"name": domain.name, "arguments": call}


def _order(domain: Domain, kept: list[Slot], arguments: Mapping[str, str], rng: random.Random) -> str:
    before = [arguments[n] for n, _, phrase in kept if phrase == "{}"]
    rng.shuffle(before)
    main = next(phrase.format(arguments[n], noun=domain.head) for n, _, phrase in kept if "{noun}" in phrase)
    behind = [phrase.format(arguments[n]) for n, _, phrase in kept if phrase != "{}" and "{noun}" not in phrase]
    rng.shuffle(behind)
    tail = " and ".join(behind).replace("and with", rng.choice(("and", "with", "and with")))
    return f"{rng.choice(ORDERS)}a {' '.join([*before, main])} {tail}".strip() + rng.choice(CLOSERS)


def _command(domain: Domain, kept: list[Slot], arguments: Mapping[str, str], rng: random.Random) -> str:
    parts = [phrase.format(arguments[n]) for n, _, phrase in kept]
    return f"{rng.choice(OPENERS)}{domain.head} {' '.join(parts)}".replace("  ", " ").strip() + rng.choice(CLOSERS)


def schema(domain: Domain) -> dict[str, Any]:
    """The OpenAI flat function schema of a domain."""
    fields: dict[str, Any] = {
        name: {"type": "integer", "minimum": 1, "maximum": 60}
        if values is _SAID
        else {"type": "string", "enum": list(values)}
        for name, values, _ in domain.slots
    }
    required = [name for name, _, _ in domain.slots[: domain.required]]
    parameters = {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    return {"type": "function", "name": domain.name, "description": domain.description, "parameters": parameters}
