"""A device is set by voice and asked about later: requests with their calls, questions, and the answers that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from data_builder.texts.home_requests import COLOURS, DOORS, ROOMS
from data_builder.texts.numbers import number


@dataclass(frozen=True, slots=True)
class Act:
    """`call(slots)` is made by `requests`; `questions` ask for it; `answers` are right after it."""

    name: str
    requests: tuple[str, ...]
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    by_somebody: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the system answers, what a person would, and the slots of both."""

    answer: str
    by_somebody: str
    slots: dict[str, str]


ACTS: Final = (
    Act(
        "light",
        ("Turn {s} the {r} light.", "Switch the {r} light {s}.", "Please switch {s} the {r} lights."),
        ("Is the {r} light on?", "Did I leave the {r} light on?", "What about the light in the {r}?"),
        ("{yes_on}, the {r} light is {s}.", "The {r} light is {s}.", "I switched the {r} light {s} before."),
        ("I think it is {s}, I just came from there.", "It is {s}, do not worry."),
    ),
    Act(
        "dim",
        ("Dim the {r} light to {n} percent.", "Set the {r} light to {n} percent."),
        ("How bright is the {r} light?", "What is the {r} light set to?", "How far did we dim the {r} light?"),
        ("The {r} light is at {n} percent.", "It is set to {n} percent.", "You set it to {n} percent."),
        ("About half, I guess.", "It looks bright enough to me."),
    ),
    Act(
        "colour",
        ("Make the {r} light {c}.", "Set the {r} light to {c}."),
        (
            "Which colour is the {r} light?",
            "What colour did I choose for the {r}?",
            "What colour is the {r} light now?",
        ),
        ("The {r} light is {c}.", "It is {c} now.", "You chose {c}."),
        ("Some odd colour, I do not like it.", "Go and look for yourself."),
    ),
    Act(
        "lock",
        ("{L} the {d}.", "Please {l} the {d}."),
        ("Is the {d} locked?", "Did I lock the {d}?", "What about the {d}, is it locked?"),
        ("{yes_locked}, the {d} is {k}.", "The {d} is {k}.", "I {k} the {d} before."),
        ("I checked it an hour ago.", "Yes, I turned the key myself."),
    ),
    Act(
        "thermostat",
        ("Set the thermostat to {n} degrees.", "Set the heating to {n} degrees.", "Make it {n} degrees in here."),
        ("What is the thermostat set to?", "How warm is it going to be?", "What temperature did I set?"),
        ("It is set to {n} degrees.", "The thermostat is at {n} degrees.", "You asked for {n} degrees."),
        ("Warm enough for me.", "I have no idea, it feels cold."),
    ),
    Act(
        "timer",
        ("Set a timer for {t}.", "Start a timer for {t}."),
        ("How long was the timer?", "What did I set the timer to?", "For how long is the timer running?"),
        ("The timer is set for {t}.", "You set it for {t}.", "It runs for {t}."),
        ("Ask your brother, he set it.", "Long enough, I think."),
    ),
)


def _pick(rng: np.random.Generator, values: tuple[Any, ...]) -> Any:
    return values[int(rng.integers(len(values)))]


def state_question(rng: np.random.Generator, act: Act) -> tuple[str, dict[str, Any], Answer]:
    """(request, call {name, arguments}, answer to the question that comes later) with drawn slots."""
    room, door, state = _pick(rng, ROOMS), _pick(rng, DOORS), _pick(rng, ("on", "off"))
    locked, colour = bool(rng.random() < 0.6), _pick(rng, COLOURS)
    slots = {"r": room, "d": door, "s": state, "c": colour}
    slots |= {"L": "Lock" if locked else "Unlock", "l": "lock" if locked else "unlock"}
    slots |= {"k": "locked" if locked else "unlocked", "yes_locked": "Yes" if locked else "No"}
    slots["yes_on"] = "Yes" if state == "on" else "No"
    level, degrees, minutes = int(rng.integers(1, 10)) * 10, int(rng.integers(16, 26)), int(rng.integers(2, 46))
    slots["n"] = number(degrees if act.name == "thermostat" else level)
    slots["t"] = f"{number(minutes)} minutes"
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "light": ("set_light", {"room": room, "state": state}),
        "dim": ("set_light", {"room": room, "brightness": level}),
        "colour": ("set_light", {"room": room, "color": colour}),
        "lock": ("set_lock", {"door": door, "state": "locked" if locked else "unlocked"}),
        "thermostat": ("set_thermostat", {"degrees": degrees}),
        "timer": ("set_timer", {"seconds": 60 * minutes}),
    }
    name, arguments = calls[act.name]
    told = Answer(_pick(rng, act.answers).format(**slots), _pick(rng, act.by_somebody).format(**slots), slots)
    return str(_pick(rng, act.requests)).format(**slots), {"name": name, "arguments": arguments}, told
