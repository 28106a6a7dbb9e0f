"""Words as a recogniser gets them wrong: what is near in sound, what falls out, what is written in another way.

The corpus carries what the recogniser hears in clean speech. In a room, from afar, it hears worse; the request stays
what it was. The pairs are our own, found by saying the words next to each other.
"""

from __future__ import annotations

import random
from typing import Final

_NEAR: Final = """
light: right, night, lied, like
lights: rights, nights, likes
lock: look, log, block
unlock: and lock, on lock, unlocked, a knock
locked: looked, logged, blocked
turn: don't, term, burn
switch: which, fleech, such
off: of, up, often
on: and, in, a
timer: time, dimer, time a, time her
set: said, sat, sent
start: starred, stars, stop at
dim: team, them, him
kitchen: chicken, kitten
hallway: whole way, hall way, highway
bathroom: bath room, bedroom's
nursery: nurse re, nursing
garage: garbage, carriage, guard
cellar: seller, color, sailor
office: of his, offers
percent: per cent, present, person
degrees: the grease, decrease, disagrees
minutes: minute, minis
minute: minutes, min it
heating: eating, heeding
thermostat: thermos that, thermo stat
door: dog, doll, four
front: from, friend
back: bag, pack
please: bleeds, pleas
make: may, bake
living: leaving, giving
fifteen: fifty
fourteen: forty
would: what, wood
"""
NEAR: Final[dict[str, tuple[str, ...]]] = {
    word: tuple(heard.split(", ")) for word, heard in (line.split(": ") for line in _NEAR.strip().splitlines())
}
FORMS: Final = ("hyphens", "digits", "plain", "plain")
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ONES: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS: Final = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"
)  # fmt: skip


def misheard(text: str, rng: random.Random, share: float = 0.12) -> str:
    """`text` with about `share` of its words heard wrongly, and its numbers written in one of the usual ways.

    At most a third of the words change, so that a request can still be understood.
    """
    words = text.split()
    left = len(words) // 3
    made: list[str] = []
    for word in words:
        core = word.strip(".,?!").lower()
        if left and rng.random() < share:
            left -= 1
            if core in NEAR and core not in ("fifteen", "fourteen"):
                tail = word[len(word.rstrip(".,?!")) :]
                made.append(rng.choice(NEAR[core]) + tail)
                continue
            if core in ("the", "a", "please", "for", "in", "me", "now"):
                continue
        made.append(word)
    heard = numbers(" ".join(made) or text, rng.choice(FORMS))
    return heard[0].upper() + heard[1:]


def numbers(text: str, form: str) -> str:
    """Number words below a hundred as they are ("plain"), with "hyphens" (twenty-one), or as "digits" (21)."""
    if form == "plain":
        return text
    words, made, at = text.split(), list[str](), 0
    while at < len(words):
        core, tail = _split(words[at])
        after, after_tail = _split(words[at + 1]) if at + 1 < len(words) else ("", "")
        low = core.lower()
        if low in _TENS:
            two = not tail and after.lower() in _ONES
            value = 10 * (_TENS.index(low) + 2) + (_ONES.index(after.lower()) + 1 if two else 0)
            hyphened = f"{core}-{after.lower()}" if two else core
            made.append((str(value) if form == "digits" else hyphened) + (after_tail if two else tail))
            at += 1 + two
            continue
        if form == "digits" and low in _TEENS:
            made.append(f"{10 + _TEENS.index(low)}{tail}")
        else:
            made.append(words[at])
        at += 1
    return " ".join(made)


def _split(word: str) -> tuple[str, str]:
    core = word.rstrip(".,?!")
    return core, word[len(core) :]
