"""What was said, as hints for the slots of a call: values of an enum that were spoken, and numbers in the slot's unit.

Contextual biasing, as recognisers do with names: under the grammar, tokens that lead to such a value get a bonus in
log-odds. The language model still chooses which slots are filled, and among several values that were said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from soundflow.respond.spoken_numbers import Spoken, spoken_numbers
from soundflow.types import FloatArray, Tool

BONUS: Final = 4.0
_NAME: Final = re.compile(r'^\{"name":"([^"]*)","arguments":')
_STRING: Final = re.compile(r'"([^"]+)":"([^"]*)$')
_NUMBER: Final = re.compile(r'"([^"]+)":(-?\d*)$')
_UNIT_NAMES: Final = (("second", 1), ("minute", 60), ("hour", 3600))
MOST_CHOICES: Final = 4096


class Hints:
    """Bonus for the next token of an act.

    Args:
        heard: what was said.
        tools: that may be called.
        decode: token id -> its text.
    """

    def __init__(self, heard: str, tools: Sequence[Tool], decode: Callable[[int], str], bonus: float = BONUS) -> None:
        self._said = f" {' '.join(re.findall(r'[a-z0-9]+', heard.lower()))} "
        self._numbers = spoken_numbers(heard)
        self._tools: Mapping[str, Mapping[str, Any]] = {t.name: t.parameters for t in tools}
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
            if any(w.startswith(said) or said.startswith(w) for w in wanted):
                raised[token] += self._bonus
        return raised

    def _wanted(self, text: str) -> tuple[list[str], str]:
        """The texts that the open value may have, with what ends it, and what of it is there."""
        tool = _NAME.match(text)
        properties = self._tools.get(tool.group(1), {}).get("properties", {}) if tool else {}
        if (found := _STRING.search(text)) and "enum" in properties.get(found.group(1), {}):
            values = [str(v) for v in properties[found.group(1)]["enum"]]
            return [f'{v}"' for v in values if self._was_said(v, values)], found.group(2)
        if (found := _NUMBER.search(text)) and properties.get(found.group(1), {}).get("type") in ("integer", "number"):
            numbers = [_in_unit(n, found.group(1)) for n in self._numbers]
            return [f"{n:g}{end}" for n in numbers if n is not None for end in (",", "}")], found.group(2)
        return [], ""

    def _was_said(self, value: str, values: Sequence[str]) -> bool:
        """Whether the value was spoken, and not as a part of a longer one ("cream" in "a bit of cream")."""
        plain = " ".join(re.findall(r"[a-z0-9]+", value.lower()))
        if not plain or f" {plain} " not in self._said:
            return False
        longer = [v for v in values if v != value and f" {plain} " in f" {v.lower()} "]
        return not any(f" {v.lower()} " in self._said for v in longer)


def _in_unit(spoken: Spoken, name: str) -> float | None:
    """The number in the unit that a slot's name holds ("seconds", "durationMinutes"); None where it is no whole one."""
    if not spoken.unit:
        return spoken.value
    unit = next((size for word, size in _UNIT_NAMES if word in name.lower()), 0)
    value = spoken.value * spoken.unit / unit if unit else spoken.value
    return value if value == int(value) else None
