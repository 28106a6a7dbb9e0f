"""What was said, as hints for the slots of a call: values of an enum that were spoken, and numbers in the slot's unit.

Contextual biasing, as recognisers do with names: under the grammar, tokens that lead to such a value, or to the first
empty slot for which one was said (slots come in the schema's order, a later one would close the earlier ones), get a
bonus in log-odds. The language model chooses the function, the slots that nothing was said for, and among several
values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from soundflow.respond.spoken_numbers import Spoken, spoken_numbers
from soundflow.respond.spoken_values import spoken_values
from soundflow.types import FloatArray, Tool

BONUS: Final = 14.0
_NAME: Final = re.compile(r'^\{"name":"([^"]*)","arguments":\{')
_STRING: Final = re.compile(r'"([^"]+)":"([^"]*)$')
_NUMBER: Final = re.compile(r'"([^"]+)":(-?\d*)$')
_CLOSED: Final = re.compile(r'"[^"]+":"[^"]*"$')
_SLOT: Final = re.compile(r'[,{]("?[^"]*)$')
_FILLED: Final = re.compile(r'"([^"]+)":')
_UNIT_NAMES: Final = (("second", 1), ("minute", 60), ("hour", 3600))
_MORE: Final = ',"'  # after a value's closing quote: the quote alone could also be the end of the call
MOST_CHOICES: Final = 4096


class Hints:
    """Bonus for the next token of an act.

    Args:
        heard: what was said.
        tools: that may be called.
        decode: token id -> its text.
    """

    def __init__(self, heard: str, tools: Sequence[Tool], decode: Callable[[int], str], bonus: float = BONUS) -> None:
        self._numbers = spoken_numbers(heard)
        slots: Mapping[str, Mapping[str, Any]] = {t.name: t.parameters.get("properties", {}) for t in tools}
        self._slots = slots
        self._heard = heard
        self._values: dict[str, dict[str, list[str]]] = {}  # of the tools that were begun
        self._decode, self._bonus = decode, bonus

    def raise_(self, text: str, logits: FloatArray) -> FloatArray:
        """Logits [V] with the bonus; -inf (what the grammar forbids) stays. `text` is the act so far."""
        wanted, partial = self._wanted(text)
        if not wanted:
            return logits
        allowed = np.flatnonzero(np.isfinite(logits))
        if len(allowed) > MOST_CHOICES:
            return logits
        raised = logits.copy()
        for token in allowed:
            said = partial + self._decode(int(token))
            if any(said.startswith(w) or (w.startswith(said) and said + _MORE != w) for w in wanted):
                raised[token] += self._bonus
        return raised

    def _wanted(self, text: str) -> tuple[list[str], str]:
        """The texts that may come next, and what of them is there already."""
        tool = _NAME.match(text)
        names = list(self._slots.get(tool.group(1), ())) if tool else []
        if not tool or not names:
            return [], ""
        spoken = self._spoken(tool.group(1))
        filled = _FILLED.findall(text[tool.end() :])
        last = max((names.index(n) for n in filled if n in names), default=-1)
        left = [n for n in names[last + 1 :] if spoken.get(n)][:1]
        if found := _STRING.search(text):
            slot, partial = found.groups()
            values = [v for v in spoken.get(slot, ()) if v.startswith(partial)]
            if not values and left:
                values = [partial]
            return [value + ('"' + _MORE if left else '"') for value in values], partial
        if found := _NUMBER.search(text):
            ends = (",",) if left else (",", "}")
            return [value + end for value in spoken.get(found.group(1), ()) for end in ends], found.group(2)
        if _CLOSED.search(text):
            return [f',"{n}":' for n in left], ""
        if found := _SLOT.search(text):
            return [f'"{n}":' for n in left], found.group(1)
        return [], ""

    def _spoken(self, tool: str) -> dict[str, list[str]]:
        """Slot of a tool -> the values that were said for it, as JSON has them without quotes."""
        if tool not in self._values:
            found = spoken_values(self._heard, self._slots[tool])
            for name, schema in self._slots[tool].items():
                if "enum" not in schema and schema.get("type") in ("integer", "number"):
                    numbers = [_in_unit(n, name) for n in self._numbers]
                    found[name] = [f"{n:g}" for n in numbers if n is not None]
            self._values[tool] = found
        return self._values[tool]


def _in_unit(spoken: Spoken, name: str) -> float | None:
    """The number in the unit that a slot's name holds ("seconds", "durationMinutes"); None where it does not fit."""
    unit = next((size for word, size in _UNIT_NAMES if word in name.lower()), 0)
    if not spoken.unit:
        return None if unit == 1 else spoken.value
    value = spoken.value * spoken.unit / unit if unit else spoken.value
    return value if value == int(value) else None
