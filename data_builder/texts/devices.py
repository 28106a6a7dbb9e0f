"""Tool sets and their functions, refusals, and the calls of coffee orders. What people say is in home_requests.py."""

from __future__ import annotations

from typing import Any

from data_builder.texts.home_requests import COLOURS, DOORS, ROOMS


def _enum(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


def _amounts(*things: str) -> list[str]:
    return [
        f"{much}{thing}"
        for thing in things
        for much in ("", "a bit of ", "a little bit of ", "some ", "lots of ", "a lot of ")
    ]


TOOL_SETS: dict[str, tuple[dict[str, Any], ...]] = {
    "home": (
        {
            "name": "set_light",
            "description": "Switch a light on or off, dim it or colour it.",
            "parameters": {
                "type": "object",
                "properties": {
                    "room": {"type": "string", "enum": list(ROOMS)},
                    "state": {"type": "string", "enum": ["on", "off"]},
                    "brightness": {"type": "integer", "minimum": 0, "maximum": 100},
                    "color": {"type": "string", "enum": list(COLOURS)},
                },
                "required": ["room"],
                "additionalProperties": False,
            },
        },
        {
            "name": "set_timer",
            "description": "Start a timer.",
            "parameters": {
                "type": "object",
                "properties": {"seconds": {"type": "integer", "minimum": 1}},
                "required": ["seconds"],
                "additionalProperties": False,
            },
        },
        {
            "name": "cancel_timer",
            "description": "Stop the running timer.",
            "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
        },
        {
            "name": "set_lock",
            "description": "Lock or unlock a door.",
            "parameters": {
                "type": "object",
                "properties": {
                    "door": {"type": "string", "enum": list(DOORS)},
                    "state": {"type": "string", "enum": ["locked", "unlocked"]},
                },
                "required": ["door", "state"],
                "additionalProperties": False,
            },
            "confirm": True,
        },
        {
            "name": "set_thermostat",
            "description": "Set the wanted temperature in degrees Celsius.",
            "parameters": {
                "type": "object",
                "properties": {"degrees": {"type": "integer", "minimum": 10, "maximum": 28}},
                "required": ["degrees"],
                "additionalProperties": False,
            },
        },
    ),
    "coffee": (
        {
            "name": "order_coffee",
            "description": "Make a coffee drink on the coffee machine.",
            "parameters": {
                "type": "object",
                "properties": {
                    "coffeeDrink": _enum(
                        "mocha",
                        "iced mocha",
                        "cappuccino",
                        "house coffee",
                        "coffee",
                        "americano",
                        "drip coffee",
                        "iced coffee",
                        "latte",
                        "espresso",
                    ),
                    "size": _enum(
                        "twelve ounce", "small", "sixteen ounce", "large", "twenty ounce", "eight ounce", "medium"
                    ),
                    "numberOfShots": _enum("single shot", "double shot", "triple shot"),
                    "roast": _enum("light roast", "medium roast", "dark roast"),
                    "milkAmount": _enum(
                        *_amounts("almond milk", "cream", "soy milk", "milk", "whole milk", "skim milk")
                    ),
                    "sugarAmount": _enum(*_amounts("brown sugar", "sugar", "sweetener")),
                },
                "required": ["coffeeDrink"],
                "additionalProperties": False,
            },
        },
    ),
}
NO_TOOL: tuple[str, ...] = (
    "I have no tool for that.",
    "Sorry, I have no tool for that.",
    "Sorry, I cannot do that here.",
    "I am sorry, nothing here lets me do that.",
    "I cannot control that, sorry.",
    "Sorry, I have no such device.",
)


def coffee_call(label: str) -> dict[str, Any]:
    """The call of a coffee order out of its corpus label "INTENT:orderDrink slot=value;slot=value"."""
    slots = dict(pair.split("=", 1) for pair in label.split(" ", 1)[1].split(";"))
    return {"name": "order_coffee", "arguments": slots}
