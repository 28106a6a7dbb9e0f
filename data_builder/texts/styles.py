"""Styles of answering: how each is asked for, what it makes of an answer, and how to tell that it was kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from data_builder.sources import Rng, pick
from data_builder.texts.numbers import number
from data_builder.texts.puzzles import OPPOSITES, letters
from data_builder.texts.rounds import lower_first


@dataclass(frozen=True, slots=True)
class Base:
    """What is to be said: as a sentence, as the one to three words that matter, and as a number where it is one."""

    full: str
    core: str
    value: int | None = None

    @property
    def word(self) -> bool:
        """The core is one plain word."""
        return self.core.isalpha() and len(self.core) > 1


@dataclass(frozen=True, slots=True)
class Style:
    """A style with its own slot filled in. `fits`: which answers it can be put on."""

    name: str
    instruction: str
    put: Callable[[Base], str]
    kept: Callable[[str], bool]
    fits: Callable[[Base], bool] = lambda base: True


LEADS: Final = (
    "{b}.", "Please {c}.", "From now on, {c}.", "In this conversation, {c}.", "Whatever I ask, {c}.", "Always {c}.",
    "I want you to {c}.", "For everything you say: {c}.", "As a rule, {c}.", "Until I say otherwise, {c}.",
)  # fmt: skip
ENDINGS: Final = (
    "over and out", "thank you for asking", "have a nice day", "my friend", "as far as I know", "at your service",
    "and that is a fact", "take care", "so they say", "glad to help", "stay curious", "and now back to you",
)  # fmt: skip
STARTS: Final = (
    "Well", "Certainly", "Good question", "My dear friend", "Dear listener", "Attention please", "Listen",
    "Yes captain",
    "With pleasure", "Here is the answer", "As you wish", "Ladies and gentlemen",
)  # fmt: skip
DEAR: Final = (
    "Anna",
    "Tom",
    "Lisa",
    "Peter",
    "Emma",
    "Jack",
    "Grandma",
    "Captain",
    "Doctor",
    "Neighbour",
    "Friend",
    "Boss",
)
KEYS: Final = ("answer", "result", "reply", "output", "value", "info")
_PIRATE: Final = (
    "Arr, matey! {full}",
    "Ahoy! {full} Arr!",
    "Arr, {low} Aye!",
    "Aye aye, arr! {full}",
    "Shiver me timbers! Arr, {low}",
)
_ROBOT: Final = (
    "Beep boop. {full}",
    "Beep. {full} Boop.",
    "Beep beep. {full}",
    "Beep boop beep. {full}",
    "Beep. Answer found. {full}",
)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_GERMAN: Final = _listed(
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn "
    "siebzehn achtzehn neunzehn zwanzig"
)
_FRENCH: Final = _listed(
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
    "dix-huit dix-neuf vingt"
)
_SPANISH: Final = _listed(
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte"
)
NUMERALS: Final = {"German": _GERMAN, "French": _FRENCH, "Spanish": _SPANISH}


def upper_first(text: str) -> str:
    return text[0].upper() + text[1:]


def bare(text: str) -> str:
    """`text` without its last full stop."""
    return text[:-1] if text.endswith(".") else text


def _asked(rng: Rng, *bodies: str) -> str:
    body = str(pick(rng, bodies))
    return str(pick(rng, LEADS)).format(b=upper_first(body), c=body)


def _one_word(rng: Rng) -> Style:
    text = _asked(rng, "answer in one word", "use a single word for each answer", "reply with one word only")
    return Style("one word", text, lambda b: upper_first(b.core) + ".",
                 lambda a: len(a.split()) == 1, lambda b: b.word)  # fmt: skip


def _number(rng: Rng) -> Style:
    text = _asked(rng, "answer with a number only", "give just the number", "say only the number and nothing else")
    known = {upper_first(number(n)) + "." for n in range(100)}
    return Style("number", text, lambda b: upper_first(number(b.value or 0)) + ".",
                 lambda a: a in known, lambda b: b.value is not None and b.value < 100)  # fmt: skip


def _five_words(rng: Rng) -> Style:
    text = _asked(rng, "use at most five words", "answer in five words or fewer", "keep every answer to five words")
    forms = ("It is {}.", "{}.", "I say {}.", "That is {}.", "Here you go, {}.")
    form = str(pick(rng, forms))
    return Style("five words", text, lambda b: upper_first(form.format(b.core)) if len(b.full.split()) > 5 else b.full,
                 lambda a: 1 <= len(a.split()) <= 5, lambda b: b.word)  # fmt: skip


def _capitals(rng: Rng) -> Style:
    text = _asked(rng, "write your answers in capital letters", "use capital letters only", "answer in all capitals")
    return Style("capitals", text, lambda b: b.full.upper(), lambda a: a == a.upper() and a != a.lower())


def _small(rng: Rng) -> Style:
    text = _asked(rng, "write everything in small letters", "use small letters only", "answer without capital letters")
    return Style("small letters", text, lambda b: b.full.lower(), lambda a: a == a.lower())


def _pirate(rng: Rng) -> Style:
    text = _asked(rng, "answer like a pirate", "talk like a pirate", "speak as a pirate would")
    form = str(pick(rng, _PIRATE))
    return Style(
        "pirate", text, lambda b: form.format(full=b.full, low=lower_first(b.full)), lambda a: "arr" in a.lower()
    )


def _robot(rng: Rng) -> Style:
    text = _asked(
        rng, "answer like a robot that beeps", "talk like an old robot, with beeps", "beep like a robot when you answer"
    )
    form = str(pick(rng, _ROBOT))
    return Style("robot", text, lambda b: form.format(full=b.full), lambda a: a.startswith("Beep"))


def _ending(rng: Rng) -> Style:
    end = str(pick(rng, ENDINGS))
    text = _asked(rng, f'end with "{end}"', f'finish each answer with "{end}"', f'close with the words "{end}"')
    return Style(
        "ending", text, lambda b: f"{b.full} {upper_first(end)}.", lambda a: a.endswith(f"{upper_first(end)}.")
    )


def _start(rng: Rng) -> Style:
    start = str(pick(rng, STARTS))
    text = _asked(rng, f'start with "{start}"', f'begin each answer with "{start}"', f'say "{start}" before you answer')
    return Style("start", text, lambda b: f"{start}, {lower_first(b.full)}", lambda a: a.startswith(f"{start}, "))


def _dear(rng: Rng) -> Style:
    name = str(pick(rng, DEAR))
    text = _asked(
        rng, f'start with "Dear {name}"', f'begin like a letter to "Dear {name}"', f'address me as "Dear {name}" first'
    )
    return Style(
        "dear", text, lambda b: f"Dear {name}, {lower_first(b.full)}", lambda a: a.startswith(f"Dear {name}, ")
    )


def _key_value(rng: Rng) -> Style:
    key = str(pick(rng, KEYS))
    text = _asked(
        rng, f'answer as a line "{key}: value"', f'use the form "{key}: value"', f'write only "{key}: " and the value'
    )
    return Style("key value", text, lambda b: f"{key}: {b.core}",
                 lambda a: re.fullmatch(rf"{key}: [^:.]+", a) is not None, lambda b: bool(b.core))  # fmt: skip


def _json(rng: Rng) -> Style:
    key = str(pick(rng, KEYS))
    text = _asked(
        rng,
        f'answer as JSON with the key "{key}"',
        f'use JSON with one key, "{key}"',
        f'reply with a JSON object, key "{key}"',
    )
    return Style("json", text, lambda b: f'{{"{key}": "{b.core}"}}',
                 lambda a: re.fullmatch(rf'\{{"{key}": "[^"]+"\}}', a) is not None, lambda b: bool(b.core))  # fmt: skip


def _twice(rng: Rng) -> Style:
    text = _asked(rng, "say each answer twice", "repeat every answer once", "give every answer two times")
    return Style("twice", text, lambda b: f"{b.full} {b.full}",
                 lambda a: a[: len(a) // 2] == a[len(a) // 2 + 1 :], lambda b: len(b.full.split()) <= 15)  # fmt: skip


def _spelled(rng: Rng) -> Style:
    text = _asked(
        rng, "spell your answer, letter by letter", "give each answer as its letters", "spell out what you answer"
    )
    return Style("spelled", text, lambda b: f"{letters(b.core)}.",
                 lambda a: re.fullmatch(r"[A-Z](, [A-Z])*\.", a) is not None,
                 lambda b: b.word and len(b.core) <= 10)  # fmt: skip


def _foreign(rng: Rng) -> Style:
    language = str(pick(rng, sorted(NUMERALS)))
    names = NUMERALS[language]
    text = _asked(rng, f"give numbers in {language} and nothing else", f"answer only with the number in {language}",
                  f"count in {language}, I want just the number")  # fmt: skip
    return Style("foreign numbers", text, lambda b: upper_first(names[b.value or 0]) + ".",
                 lambda a: a[:-1].lower() in names, lambda b: b.value is not None and b.value <= 20)  # fmt: skip


def _question(rng: Rng) -> Style:
    text = _asked(rng, "answer with a question", "put each answer as a question", "turn your answers into questions")
    form = str(
        pick(rng, ("Could it be {}?", "Is it perhaps {}?", "How about {}?", "May I say {}?", "Would {} be right?"))
    )
    return Style("question", text, lambda b: form.format(b.core), lambda a: a.endswith("?"),
                 lambda b: bool(b.core))  # fmt: skip


def _dash(rng: Rng) -> Style:
    text = _asked(
        rng,
        "write each answer as a list item with a dash",
        "start with a dash, like a list",
        "put a dash before your answer",
    )
    return Style("dash", text, lambda b: f"- {bare(b.full)}", lambda a: a.startswith("- ") and not a.endswith("."))


def _butler(rng: Rng) -> Style:
    whom = str(pick(rng, ("sir", "madam")))
    text = _asked(
        rng,
        f'answer like a butler and call me "{whom}"',
        f'be my butler and say "{whom}"',
        f'address me as "{whom}", like a butler',
    )
    forms = (
        "Very good, {w}. {f}",
        "Certainly, {w}. {f}",
        "If I may, {w}: {f}",
        "At once, {w}. {f}",
        "Of course, {w}. {f}",
    )
    form = str(pick(rng, forms))
    return Style(
        "butler", text, lambda b: form.format(w=whom, f=b.full), lambda a: re.search(rf"\b{whom}\b", a) is not None
    )


STYLES: Final[tuple[Callable[[Rng], Style], ...]] = (
    _one_word, _number, _five_words, _capitals, _small, _pirate, _robot, _ending, _start, _dear,
    _key_value, _json, _twice,
    _spelled, _foreign, _question, _dash, _butler,
)  # fmt: skip


def style(rng: Rng) -> Style:
    """One of the styles, with its slot drawn."""
    made: Style = pick(rng, STYLES)(rng)
    return made


DIGITS: Final = _listed("zero one two three four five six seven eight nine")


@dataclass(frozen=True, slots=True)
class Drill:
    """A standing task on single words: `words` that it takes, and what is answered to each."""

    name: str
    instruction: str
    words: tuple[str, ...]
    answer: Callable[[str], str]


def drill(rng: Rng) -> Drill:
    """A task on single words or digits, which need no voice: recordings of them serve."""
    opposite = {**dict(OPPOSITES), **{b: a for a, b in OPPOSITES}, "off": "on"}
    plain = ("house", "cat", "bed", "happy", "learn", "left")
    step = int(rng.integers(1, 10))
    say = {
        "add": f"add {number(step)} to each number I say", "next": "name the number after each number I say",
        "double": "double each number I say", "opposite": "give the opposite of each word I say",
        "spell": "spell each word I say", "twice": "repeat each word I say twice",
        "length": "say how many letters each word has", "first": "name the first letter of each word I say",
    }  # fmt: skip
    answers: dict[str, Callable[[str], str]] = {
        "add": lambda w: number(DIGITS.index(w) + step), "next": lambda w: number(DIGITS.index(w) + 1),
        "double": lambda w: number(2 * DIGITS.index(w)), "opposite": lambda w: opposite[w], "spell": letters,
        "twice": lambda w: f"{w}, {w}", "length": lambda w: number(len(w)), "first": lambda w: w[0],
    }  # fmt: skip
    name = str(pick(rng, sorted(say)))
    words = DIGITS if name in ("add", "next", "double") else ("left", "off", "happy") if name == "opposite" else plain
    lead = str(pick(rng, LEADS)).format(b=upper_first(say[name]), c=say[name])
    return Drill(name, lead, words, lambda w: upper_first(answers[name](w)) + ".")
