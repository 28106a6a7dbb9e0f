"""Spoken device requests with their exact calls, the tool sets that hold the functions, and the refusals."""

from __future__ import annotations

from typing import Any

import numpy as np

ROOMS = ("kitchen", "bedroom", "living room", "bathroom", "hallway", "office", "garage", "nursery")
DOORS = ("front door", "back door", "garage door", "cellar door")
COLOURS = ("red", "blue", "green", "warm white", "yellow", "purple")
_TENS = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety"}
_ONES = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)

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
            "name": "order_drink",
            "description": "Order a coffee drink.",
            "parameters": {
                "type": "object",
                "properties": {
                    k: {"type": "string"}
                    for k in ("coffeeDrink", "numberOfShots", "roast", "size", "milkAmount", "sugarAmount")
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
_LIGHT = {
    "on": ("turn on the {r} light", "switch on the {r} light", "switch the {r} lights on", "lights on in the {r}"),
    "off": ("turn off the {r} light", "switch off the {r} light", "switch the {r} lights off", "lights off in the {r}"),
}
_DIM = ("dim the {r} light to {n} percent", "set the {r} light to {n} percent", "make the {r} light {n} percent")
_COLOUR = ("make the {r} light {c}", "set the {r} light to {c}", "turn the {r} light {c}")
_TIMER = ("set a timer for {t}", "start a timer for {t}", "set a {t1} timer", "wake me in {t}", "count down {t}")
_CANCEL = ("cancel the timer", "stop the timer", "turn the timer off", "delete my timer")
_LOCK = {
    "locked": ("lock the {d}", "please lock the {d}", "make sure the {d} is locked"),
    "unlocked": ("unlock the {d}", "open the lock of the {d}", "please unlock the {d}"),
}
_THERMO = ("set the thermostat to {n} degrees", "set the heating to {n} degrees", "make it {n} degrees in here")
_POLITE = ("{}", "{}", "{}", "please {}", "can you {}", "could you {}", "{} please", "{} now")


def number(n: int) -> str:
    """`n` in words, 0 to 99."""
    if n < 20:
        return _ONES[n]
    tens, ones = n // 10 * 10, n % 10
    return _TENS[tens] + (f" {_ONES[ones]}" if ones else "")


def _pick(rng: np.random.Generator, values: tuple[Any, ...]) -> Any:
    return values[int(rng.integers(len(values)))]


def request(rng: np.random.Generator) -> tuple[str, dict[str, Any]]:
    """A spoken request of tool set "home" and its call {name, arguments}, exact in name and every slot."""
    what = _pick(rng, ("light", "light", "dim", "colour", "timer", "timer", "cancel", "lock", "thermostat"))
    room = _pick(rng, ROOMS)
    if what == "light":
        state = _pick(rng, ("on", "off"))
        text, call = _pick(rng, _LIGHT[state]).format(r=room), ("set_light", {"room": room, "state": state})
    elif what == "dim":
        level = int(_pick(rng, (10, 20, 30, 40, 50, 60, 70, 80, 90)))
        text = _pick(rng, _DIM).format(r=room, n=number(level))
        call = ("set_light", {"room": room, "brightness": level})
    elif what == "colour":
        colour = _pick(rng, COLOURS)
        text, call = _pick(rng, _COLOUR).format(r=room, c=colour), ("set_light", {"room": room, "color": colour})
    elif what == "timer":
        n, unit = int(_pick(rng, (1, 2, 3, 4, 5, 7, 8, 10, 12, 15, 20, 25, 30, 45))), _pick(rng, ("second", "minute"))
        spoken = f"{number(n)} {unit}"
        text = _pick(rng, _TIMER).format(t=spoken + ("s" if n != 1 else ""), t1=spoken)
        call = ("set_timer", {"seconds": n * (60 if unit == "minute" else 1)})
    elif what == "cancel":
        text, call = _pick(rng, _CANCEL), ("cancel_timer", {})
    elif what == "lock":
        door, state = _pick(rng, DOORS), _pick(rng, ("locked", "locked", "unlocked"))
        text, call = _pick(rng, _LOCK[state]).format(d=door), ("set_lock", {"door": door, "state": state})
    else:
        degrees = int(rng.integers(16, 26))
        text, call = _pick(rng, _THERMO).format(n=number(degrees)), ("set_thermostat", {"degrees": degrees})
    form = "{}" if text.startswith(("please", "lights")) else _pick(rng, _POLITE)
    text = form.format(text)
    end = "?" if text.startswith(("can ", "could ")) else "."
    return text[0].upper() + text[1:] + end, {"name": call[0], "arguments": call[1]}


def coffee_call(label: str) -> dict[str, Any]:
    """The call of a coffee order out of its corpus label "INTENT:orderDrink slot=value;slot=value"."""
    slots = dict(pair.split("=", 1) for pair in label.split(" ", 1)[1].split(";"))
    return {"name": "order_drink", "arguments": slots}
