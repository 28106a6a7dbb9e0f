"""Which values of enumerated slots were said, with a little room for words that were misheard.

All slots of a tool are looked at together, the most letters heard first: the "medium" of "medium roast" is no size.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

from soundflow.respond.spoken_numbers import spelled
from soundflow.types import Tool

CLOSE: Final = 0.82
"""Ratcliff-Obershelp similarity from which a stretch of words counts as a value ("ice coffee", "iced coffee")."""
SURE: Final = 0.75
"""Similarity that is no evidence of a value at all: where two compete, what is over it counts."""
SHORTEST: Final = 3
_NAMED: Final = re.compile(r"[A-Z]?[a-z]+")
_SHORT: Final = {"oz": "ounce", "ounces": "ounce"}
Found = tuple[int, int, float, str]


def plain_words(text: str) -> list[str]:
    """Lower-case words without punctuation; numbers in words ("16" -> "sixteen"), "oz" as "ounce"."""
    lowered = text.lower().replace("'", "").replace("per cent", "percent").replace("%", " percent")
    found = re.findall(r"[a-z]+|\d+", lowered.replace("°", " degrees "))
    return [w for raw in found for w in (spelled(int(raw)) if raw.isdigit() else [_SHORT.get(raw, raw)])]


def spot(said: Sequence[str], phrases: Iterable[str]) -> list[Found]:
    """(first word, last word + 1, similarity, phrase) of each place where a phrase is heard."""
    found = []
    places: dict[int, list[tuple[str, set[str]]]] = {}
    for phrase in phrases:
        words = plain_words(phrase)
        wanted, width = "".join(words), len(words)
        if width and width not in places:
            stretches = ["".join(said[k : k + width]) for k in range(len(said) - width + 1)]
            places[width] = [(s, _pairs(s)) for s in stretches]
        pairs = _pairs(wanted)
        for k, (heard, heard_pairs) in enumerate(places.get(width, ())):
            if heard != wanted and pairs.isdisjoint(heard_pairs):  # no two letters in a row: never CLOSE
                continue
            if (same := _same(wanted, heard)) >= CLOSE:
                found.append((k, k + width, same, phrase))
    return found


def _pairs(text: str) -> set[str]:
    return {text[k : k + 2] for k in range(len(text) - 1)}


def tool_phrases(tools: Iterable[Tool]) -> tuple[str, ...]:
    """What people are likely to say to tools: the values of enums, and the words that functions and slots are named by.

    In the order of the tools, each once.
    """
    found: dict[str, None] = {}
    for tool in tools:
        slots: Mapping[str, Any] = tool.parameters.get("properties", {})
        for name in (tool.name, *slots):
            found |= dict.fromkeys(w.lower() for w in _NAMED.findall(name) if len(w) >= SHORTEST)
        for body in slots.values():
            found |= dict.fromkeys(p for v in body.get("enum", ()) if (p := " ".join(_spoken_words(str(v)))))
    return tuple(found)


def _spoken_words(value: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", value.lower())


def spoken_values(heard: str, properties: Mapping[str, Any]) -> dict[str, list[str]]:
    """Slot -> the values of its enum that were said, in the order they were said; slots without any are left out.

    Args:
        heard: what was said.
        properties: of a tool's JSON schema.

    A stretch of words counts once, for the value that has most letters of it; slots that share a value share the words.
    """
    said = plain_words(heard)
    enums = {name: [str(v) for v in body["enum"]] for name, body in properties.items() if "enum" in body}
    seen = [(*found, slot) for slot, values in enums.items() for found in spot(said, values)]
    kept: list[tuple[int, int, float, str, str]] = []
    for first, last, same, value, slot in sorted(seen, key=lambda s: (-(s[2] - SURE) * len(s[3]), s[0])):
        if all(last <= f or first >= t or (value == v and slot != s) for f, t, _, v, s in kept):
            kept.append((first, last, same, value, slot))
    spoken: dict[str, list[str]] = {}
    for _, _, _, value, slot in sorted(kept, key=lambda k: k[0]):
        spoken.setdefault(slot, []).append(value)
    return spoken


def _same(a: str, b: str) -> float:
    """Ratcliff-Obershelp similarity; 0 where the lengths alone rule CLOSE out."""
    if a == b:
        return 1.0
    if 2 * min(len(a), len(b)) < CLOSE * (len(a) + len(b)):
        return 0.0
    return SequenceMatcher(None, a, b, autojunk=False).ratio()
