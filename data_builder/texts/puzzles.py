"""Small questions whose answers are computed, each with a short form and, for numbers, a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from data_builder.sources import pick
from data_builder.texts.numbers import number

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Puzzle:
    """`answer` is a sentence, `core` its one to three words that matter, `value` their number or None.

    `topic` completes "before I asked about ...".
    """

    question: str
    answer: str
    core: str
    topic: str
    value: int | None = None


DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = tuple(
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
)
ORDINALS: Final = tuple(
    [
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
    ]
)
_PAIRS: Final = (
    "hot cold|big small|up down|early late|open closed|full empty|fast slow|hard soft|light dark|old young|rich poor|"
    "high low|long short|near far|happy sad|wet dry|clean dirty|loud quiet|strong weak|thick thin|wide narrow|"
    "left right|"
    "inside outside|before after|first last|day night|winter summer|north south|east west|heavy light|deep shallow|"
    "sweet sour|begin end|buy sell|win lose|push pull|remember forget|arrive leave|true false|always never"
)
OPPOSITES: Final = tuple((a, b) for a, b in (p.split() for p in _PAIRS.split("|")))
SPELLED: Final = tuple(
    [
        "house",
        "apple",
        "table",
        "green",
        "water",
        "bread",
        "chair",
        "plant",
        "river",
        "stone",
        "cloud",
        "horse",
        "lemon",
        "paper",
        "music",
        "school",
        "garden",
        "winter",
        "window",
        "kitchen",
        "summer",
        "orange",
        "bridge",
        "island",
        "monkey",
        "rabbit",
        "basket",
        "butter",
        "button",
        "candle",
    ]
)
_PLURALS: Final = (
    "mouse mice|foot feet|tooth teeth|child children|man men|woman women|goose geese|leaf leaves|knife knives|"
    "wolf wolves|box boxes|city cities|baby babies|tomato tomatoes|loaf loaves"
)
_PAST: Final = (
    "go went|eat ate|see saw|take took|give gave|buy bought|write wrote|sing sang|drink drank|swim swam|run ran|"
    "come came|find found|teach taught|think thought"
)
_SAYS: Final = "cow moo|sheep baa|dog woof|cat meow|duck quack|pig oink|horse neigh|owl hoot|lion roar|bee buzz"
_YOUNG: Final = (
    "cow calf|sheep lamb|dog puppy|cat kitten|horse foal|goat kid|duck duckling|lion cub|hen chick|goose gosling"
)
_COLOURS: Final = "red yellow orange|blue yellow green|red blue purple|red white pink|black white grey"
_SIZES: Final = tuple(["ant", "mouse", "cat", "dog", "sheep", "lion", "cow", "elephant", "whale"])
_MANY: Final = (
    ("minutes", "hour", 60, 1), ("hours", "day", 24, 4), ("days", "week", 7, 9), ("months", "year", 12, 7),
    ("legs", "dog", 4, 9), ("legs", "spider", 8, 9), ("legs", "ant", 6, 9), ("wheels", "car", 4, 9),
    ("wheels", "bicycle", 2, 9), ("sides", "triangle", 3, 9), ("eggs", "dozen", 12, 6), ("fingers", "hand", 5, 9),
)  # fmt: skip
_CAPITALS: Final = (
    "France Paris|Italy Rome|Germany Berlin|Spain Madrid|Japan Tokyo|Egypt Cairo|Greece Athens|Portugal Lisbon|"
    "Austria Vienna|Norway Oslo|Sweden Stockholm|Ireland Dublin|Denmark Copenhagen|Poland Warsaw|Cuba Havana|"
    "China Beijing|Canada Ottawa|England London|Scotland Edinburgh|Turkey Ankara"
)


def _two(rng: Rng, pairs: str) -> tuple[str, str]:
    first, second = str(pick(rng, pairs.split("|"))).split()
    return first, second


def _sum(rng: Rng) -> Puzzle:
    kind = str(pick(rng, ("plus", "minus", "times", "half", "double", "divided", "three")))
    a, b = int(rng.integers(2, 13)), int(rng.integers(2, 10))
    if kind == "three":
        c = int(rng.integers(1, 8))
        what, value = f"{number(a)} plus {number(b)} plus {number(c)}", a + b + c
    elif kind == "plus":
        a += int(rng.integers(0, 30))
        what, value = f"{number(a)} plus {number(b)}", a + b
    elif kind == "minus":
        a += b
        what, value = f"{number(a)} minus {number(b)}", a - b
    elif kind == "times":
        a = min(a, 10)
        what, value = f"{number(a)} times {number(b)}", a * b
    elif kind == "divided":
        what, value = f"{number(a * b)} divided by {number(b)}" if a * b < 100 else f"{number(a)} divided by one", a
    elif kind == "half":
        what, value = f"half of {number(2 * a)}", a
    else:
        what, value = f"twice {number(a)}", 2 * a
    ask = str(pick(rng, ("What is {}?", "How much is {}?", "Can you tell me what {} is?", "Work out {}.")))
    form = str(pick(rng, ("{W} is {v}.", "That is {v}.", "It is {v}.", "The answer is {v}.", "{W} makes {v}.")))
    answer = form.format(W=what[0].upper() + what[1:], v=number(value))
    return Puzzle(ask.format(what), answer, number(value), what, value)


def _many(rng: Rng) -> Puzzle:
    what, thing, each, most = _MANY[int(rng.integers(len(_MANY)))]
    n = int(rng.integers(1, most + 1))
    things = ("one " + thing) if n == 1 else f"{number(n)} {thing if thing == 'dozen' else thing + 's'}"
    verb = "are in" if thing in ("hour", "day", "week", "year", "dozen") else "does" if n == 1 else "do"
    ask = f"How many {what} {verb} {things}{' have' if verb != 'are in' else ''}?"
    value = n * each
    form = str(
        pick(rng, ("That is {v}.", "{v} {what}.", "There are {v} {what}.", "That makes {v} {what}.", "{v}, I think."))
    )
    answer = form.format(v=number(value), what=what)
    return Puzzle(ask, answer[0].upper() + answer[1:], number(value), things, value)


def _calendar(rng: Rng) -> Puzzle:
    names, what = (DAYS, "day") if rng.random() < 0.6 else (MONTHS, "month")
    k, kind = int(rng.integers(len(names))), str(pick(rng, ("after", "before", "two after", "place")))
    if kind == "place":
        answer = f"The {ORDINALS[k]} {what} is {names[k]}."
        span = "week, starting on Monday" if what == "day" else "year"
        return Puzzle(f"What is the {ORDINALS[k]} {what} of the {span}?", answer, names[k], f"the {ORDINALS[k]} {what}")
    step = {"after": 1, "before": -1, "two after": 2}[kind]
    found = names[(k + step) % len(names)]
    where = {"after": "comes after", "before": "comes before", "two after": f"is two {what}s after"}[kind]
    ask = str(pick(rng, ("Which {w} {where} {x}?", "What {w} {where} {x}?", "Tell me which {w} {where} {x}.")))
    answer = str(pick(rng, (f"{found} {where} {names[k]}.", f"That is {found}.", f"It is {found}.")))
    return Puzzle(ask.format(w=what, where=where, x=names[k]), answer, found, names[k])


def _opposite(rng: Rng) -> Puzzle:
    a, b = OPPOSITES[int(rng.integers(len(OPPOSITES)))]
    ask = str(
        pick(rng, ("What is the opposite of {}?", "Tell me the opposite of {}.", "Which word is the opposite of {}?"))
    )
    answer = str(pick(rng, (f"The opposite of {a} is {b}.", f"That is {b}.", f"{b.capitalize()} is the opposite.")))
    return Puzzle(ask.format(a), answer, b, f"the opposite of {a}")


def letters(word: str) -> str:
    """ "C, A, T" for "cat"."""
    return ", ".join(word.upper())


def _word(rng: Rng) -> Puzzle:
    word, kind = str(pick(rng, SPELLED)), str(pick(rng, ("spell", "spell", "first", "last", "count")))
    if kind == "spell":
        ask = str(
            pick(rng, ("How do you spell {}?", "Can you spell {} for me?", "Spell the word {}.", "Please spell {}."))
        )
        return Puzzle(ask.format(word), f"{word.capitalize()} is spelled {letters(word)}.", letters(word), word)
    if kind == "count":
        n = len(word)
        answer = f"The word {word} has {number(n)} letters."
        return Puzzle(f"How many letters are in the word {word}?", answer, number(n), f"the word {word}", n)
    letter = word[0 if kind == "first" else -1].upper()
    answer = f"The {kind} letter of {word} is {letter}."
    return Puzzle(f"What is the {kind} letter of {word}?", answer, letter, f"the word {word}")


def _grammar(rng: Rng) -> Puzzle:
    if rng.random() < 0.5:
        one, many = _two(rng, _PLURALS)
        return Puzzle(f"What is the plural of {one}?", f"The plural of {one} is {many}.", many, f"the plural of {one}")
    now, then = _two(rng, _PAST)
    return Puzzle(f"What is the past tense of {now}?", f"The past tense of {now} is {then}.", then, f"the word {now}")


def _animal(rng: Rng) -> Puzzle:
    article = {
        x: ("an " if x[0] in "aeiou" else "a ") + x for x in (*_SIZES, *(p.split()[0] for p in _SAYS.split("|")))
    }
    if rng.random() < 0.4:
        a, b = (int(x) for x in rng.choice(len(_SIZES), size=2, replace=False))
        size, found = ("bigger", max(a, b)) if rng.random() < 0.5 else ("smaller", min(a, b))
        name = _SIZES[found]
        ask = f"Which is {size}, {article[_SIZES[a]]} or {article[_SIZES[b]]}?"
        answer = f"{article[name].capitalize()} is {size}."
        return Puzzle(ask, answer, name, f"the {_SIZES[a]} and the {_SIZES[b]}")
    if rng.random() < 0.5:
        name, noise = _two(rng, _SAYS)
        return Puzzle(f"What sound does {article[name]} make?", f"It goes {noise}.", noise, f"the {name}")
    name, young = _two(rng, _YOUNG)
    answer = f"A young {name} is called a {young}."
    return Puzzle(f"What is a young {name} called?", answer, young, f"the young {name}")


def _world(rng: Rng) -> Puzzle:
    if rng.random() < 0.3:
        a, b, mixed = str(pick(rng, _COLOURS.split("|"))).split()
        answer = f"{a.capitalize()} and {b} make {mixed}."
        return Puzzle(f"What colour do {a} and {b} make?", answer, mixed, f"{a} and {b}")
    land, city = _two(rng, _CAPITALS)
    ask = str(pick(rng, ("What is the capital of {}?", "Which city is the capital of {}?", "Name the capital of {}.")))
    return Puzzle(ask.format(land), f"The capital of {land} is {city}.", city, land)


def _sequence(rng: Rng) -> Puzzle:
    start, step = int(rng.integers(1, 12)), int(rng.integers(1, 6)) * (1 if rng.random() < 0.7 else -1)
    start = start if step > 0 else start + 15
    row = [start + k * step for k in range(4)]
    if min(row) < 0:
        row, step = [2, 4, 6, 8], 2
    said = ", ".join(number(n) for n in row[:3])
    ask = str(pick(rng, ("What comes next, {}?", "Which number comes after {}?", "Go on with {}.")))
    return Puzzle(ask.format(said), f"Next comes {number(row[3])}.", number(row[3]), "the row of numbers", row[3])


_KINDS: Final[tuple[tuple[Callable[[Rng], Puzzle], float], ...]] = (
    (_sum, 0.24), (_many, 0.12), (_calendar, 0.15), (_opposite, 0.12), (_word, 0.12), (_grammar, 0.06),
    (_animal, 0.08), (_world, 0.08), (_sequence, 0.03),
)  # fmt: skip
_ALL: Final = tuple(kind for kind, _ in _KINDS)
_WEIGHTS: Final = np.array([weight for _, weight in _KINDS])


def puzzle(rng: Rng) -> Puzzle:
    """A question of a kind drawn by its weight, with its answer."""
    return _ALL[int(rng.choice(len(_ALL), p=_WEIGHTS / _WEIGHTS.sum()))](rng)


def puzzle_where(rng: Rng, fits: Callable[[Puzzle], bool]) -> Puzzle:
    """A puzzle that fits; a sum, which has a number and one word, where none does in 50 tries."""
    for _ in range(50):
        made = puzzle(rng)
        if fits(made):
            return made
    return Puzzle("What is two plus two?", "Two plus two is four.", "four", "two plus two", 4)
