"""Spoken requests of tool set "home": what people say to lights, timers, locks and heating, with the exact call."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from data_builder.texts.numbers import number

ROOMS: Final = ("kitchen", "bedroom", "living room", "bathroom", "hallway", "office", "garage", "nursery")
DOORS: Final = ("front door", "back door", "garage door", "cellar door")
COLOURS: Final = ("red", "blue", "green", "warm white", "yellow", "purple")
LEVELS: Final = (*range(5, 100, 5), 100)

_ON = (
    "turn on the {r} light", "switch on the {r} light", "switch the {r} lights on", "lights on in the {r}",
    "turn the light in the {r} on", "turn on the lights in the {r}", "put on the {r} light", "put the {r} lights on",
    "let there be light in the {r}", "I want the light on in the {r}", "get the {r} light on", "light up the {r}",
    "we need some light in the {r}", "it is too dark in the {r}, switch on the light", "{r} light on",
)  # fmt: skip
_OFF = (
    "turn off the {r} light", "switch off the {r} light", "switch the {r} lights off", "lights off in the {r}",
    "turn the light in the {r} off", "turn off all the lights in the {r}", "put out the {r} light", "{r} light off",
    "kill the lights in the {r}", "I want it dark in the {r}, lights off", "shut off the light in the {r}",
    "nobody is in the {r}, turn the light off", "no more light in the {r}", "put the {r} lights out",
)  # fmt: skip
_DIM = (
    "dim the {r} light to {n} percent", "set the {r} light to {n} percent", "make the {r} light {n} percent",
    "bring the {r} light to {n} percent", "brightness of the {r} light to {n} percent", "{r} light to {n} percent",
    "I would like {n} percent light in the {r}", "put the {r} lights at {n} percent",
)  # fmt: skip
_ON_AT = (
    "turn on the {r} light at {n} percent", "switch on the {r} light with {n} percent",
    "turn the {r} lights on at {n} percent", "switch the light in the {r} on at {n} percent brightness",
    "lights on in the {r} at {n} percent",
)  # fmt: skip
_COLOUR = (
    "make the {r} light {c}", "set the {r} light to {c}", "turn the {r} light {c}", "change the {r} light to {c}",
    "I want {c} light in the {r}", "colour the {r} light {c}", "give the {r} {c} light",
)  # fmt: skip
_TIMER = (
    "set a timer for {t}", "start a timer for {t}", "set a {t1} timer", "wake me in {t}", "count down {t}",
    "give me {t} on the timer", "timer {t}", "start the timer, {t}", "set the timer to {t}", "I need a {t1} timer",
    "make a timer of {t}", "let a timer run for {t}", "set up a countdown of {t}", "time {t}",
    "tell me when {t} are over",
    "ring in {t}", "another timer for {t}", "put {t} on the clock",
)  # fmt: skip
_CANCEL = (
    "cancel the timer", "stop the timer", "turn the timer off", "delete my timer", "end the timer", "forget the timer",
    "I do not need the timer any more", "no timer any longer", "switch off the timer", "clear the timer",
)  # fmt: skip
_LOCK = (
    "lock the {d}", "make sure the {d} is locked", "see that the {d} gets locked", "close the lock of the {d}",
    "I want the {d} locked", "bolt the {d}", "keep the {d} locked", "lock up the {d}", "turn the key in the {d}",
)  # fmt: skip
_UNLOCK = (
    "unlock the {d}", "open the lock of the {d}", "I want the {d} unlocked", "take the lock off the {d}",
    "make sure the {d} is not locked", "leave the {d} unlocked", "let them in through the {d}, unlock it",
)  # fmt: skip
_THERMO = (
    "set the thermostat to {n} degrees", "set the heating to {n} degrees", "make it {n} degrees in here",
    "heat the rooms to {n} degrees", "turn the thermostat to {n}", "I want {n} degrees",
    "bring the house to {n} degrees",
    "put the temperature at {n} degrees", "change the temperature to {n} degrees", "let us have {n} degrees",
    "the heating should be at {n} degrees", "turn the heat to {n} degrees", "{n} degrees would be nice",
)  # fmt: skip
_MENTIONS = (
    "I turned off the {r} light before we left", "she left the light on in the {r} again", "the {d} was locked all day",
    "who turned on the {r} light", "my brother locked the {d} twice", "the {r} light has been broken for weeks",
    "they keep it at {n} degrees over there", "it was {n} degrees outside yesterday", "he set a timer and forgot it",
    "the timer went off while I was in the {r}", "I have to buy a new lamp for the {r}", "the key of the {d} is gone",
    "somebody knocked at the {d}", "did your father lock the {d}, Emma", "we painted the {r} {c}",
    "{n} minutes to go, Tom", "the soup needs {n} more minutes, mum", "I like the {c} light in their {r}",
    "did you see my phone in the {r}, Anna",
    "our {r} is always too cold", "we could not find the light switch in the {r}", "the {d} does not lock any more",
)  # fmt: skip
_POLITE = (
    "{}", "{}", "{}", "{}", "please {}", "can you {}", "could you {}", "would you {}", "{} please", "{} now",
    "hey, {}", "okay, {}", "{} for me", "would you please {}", "could you {} for me", "and {}",
)  # fmt: skip
_ASKING = ("can ", "could ", "would ")
_PLAIN_STARTS = (
    "i ",
    "we ",
    "it is",
    "nobody",
    "no ",
    "let ",
    "lights",
    "light ",
    "timer",
    "another",
    "the ",
    "tell ",
    "ring ",
)


_PHRASES = (
    ("half an hour", 1800), ("a quarter of an hour", 900), ("an hour", 3600), ("an hour and a half", 5400),
    ("a minute", 60), ("a minute and a half", 90),
)  # fmt: skip


def _pick(rng: np.random.Generator, values: tuple[Any, ...]) -> Any:
    return values[int(rng.integers(len(values)))]


def request(rng: np.random.Generator) -> tuple[str, dict[str, Any]]:
    """A spoken request and its call {name, arguments}, exact in name and every slot."""
    text, name, arguments = _DRAWS[int(rng.integers(len(_DRAWS)))](rng)
    plain = text.lower().startswith(_PLAIN_STARTS) or text[0].isupper() or " light o" in text[:18] or "," in text
    form = "{}" if plain or text.split()[0] in NUMBER_WORDS else str(_pick(rng, _POLITE))
    text = form.format(text)
    end = "?" if text.startswith(_ASKING) else "."
    return text[0].upper() + text[1:] + end, {"name": name, "arguments": arguments}


def mention(rng: np.random.Generator) -> str:
    """Talk in which devices are spoken of and nothing is asked for."""
    words = {
        "r": _pick(rng, ROOMS),
        "d": _pick(rng, DOORS),
        "c": _pick(rng, COLOURS),
        "n": number(int(rng.integers(5, 30))),
    }
    text = str(_pick(rng, _MENTIONS)).format(**words)
    end = "?" if text.startswith(("who ", "did ")) else "."
    return text[0].upper() + text[1:] + end


def _light(rng: np.random.Generator) -> tuple[str, str, dict[str, Any]]:
    room, on = str(_pick(rng, ROOMS)), bool(rng.random() < 0.5)
    text = str(_pick(rng, _ON if on else _OFF)).format(r=room)
    return text, "set_light", {"room": room, "state": "on" if on else "off"}


def _dim(rng: np.random.Generator) -> tuple[str, str, dict[str, Any]]:
    room, level, on = str(_pick(rng, ROOMS)), int(_pick(rng, LEVELS)), bool(rng.random() < 0.5)
    text = str(_pick(rng, _ON_AT if on else _DIM)).format(r=room, n=number(level))
    return text, "set_light", {"room": room} | ({"state": "on"} if on else {}) | {"brightness": level}


def _colour(rng: np.random.Generator) -> tuple[str, str, dict[str, Any]]:
    room, colour = str(_pick(rng, ROOMS)), str(_pick(rng, COLOURS))
    return str(_pick(rng, _COLOUR)).format(r=room, c=colour), "set_light", {"room": room, "color": colour}


def spoken_time(rng: np.random.Generator) -> tuple[str, str, int]:
    """(plural form, form in front of a noun, seconds): "ten minutes", "ten minute", 600."""
    draw = rng.random()
    if draw < 0.62:
        n = int(rng.integers(1, 61)) if rng.random() < 0.5 else int(_pick(rng, (1, 2, 3, 5, 10, 15, 20, 30, 45)))
        unit, size = "minute", 60
    elif draw < 0.8:
        n, unit, size = int(_pick(rng, (5, 10, 15, 20, 30, 40, 45, 50, 60, 90))), "second", 1
    elif draw < 0.92:
        n, unit, size = int(_pick(rng, (1, 1, 2, 3, 4, 5, 6, 8, 10, 12))), "hour", 3600
    else:
        words, seconds = _pick(rng, _PHRASES)
        return str(words), str(words).removeprefix("an ").removeprefix("a "), int(seconds)
    words = number(n)
    return f"{words} {unit}" + ("s" if n != 1 else ""), f"{words} {unit}", n * size


def _timer(rng: np.random.Generator) -> tuple[str, str, dict[str, Any]]:
    several, before, seconds = spoken_time(rng)
    forms = [f for f in _TIMER if "{t1}" not in f or not several.startswith(("a ", "an ", "half"))]
    text = forms[int(rng.integers(len(forms)))].format(t=several, t1=before)
    return text, "set_timer", {"seconds": seconds}


def _cancel(rng: np.random.Generator) -> tuple[str, str, dict[str, Any]]:
    return str(_pick(rng, _CANCEL)), "cancel_timer", {}


def _lock(rng: np.random.Generator) -> tuple[str, str, dict[str, Any]]:
    door, shut = str(_pick(rng, DOORS)), bool(rng.random() < 0.55)
    text = str(_pick(rng, _LOCK if shut else _UNLOCK)).format(d=door)
    return text, "set_lock", {"door": door, "state": "locked" if shut else "unlocked"}


def _thermostat(rng: np.random.Generator) -> tuple[str, str, dict[str, Any]]:
    degrees = int(rng.integers(14, 27))
    return str(_pick(rng, _THERMO)).format(n=number(degrees)), "set_thermostat", {"degrees": degrees}


NUMBER_WORDS: Final = frozenset(number(n).split()[0] for n in range(101))
_DRAWS: Final = (
    _light,
    _light,
    _light,
    _dim,
    _dim,
    _colour,
    _timer,
    _timer,
    _timer,
    _cancel,
    _lock,
    _lock,
    _thermostat,
    _thermostat,
)
