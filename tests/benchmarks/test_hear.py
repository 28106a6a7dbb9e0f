"""What goes wrong with one item is a row, whatever it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from benchmarks.compose import Item
from benchmarks.hear import attempt, each, timed
from benchmarks.instances import Row
from soundflow.errors import DataError

ITEM = Item("clip/1", "event", "dog", "yes", "dog.wav", 0)


@dataclass
class Named:
    name: str


def raising(error: BaseException) -> Callable[[], Row]:
    def make() -> Row:
        raise error

    return make


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DataError("no such clip", "dog.wav"), "bad_data: dog.wav: no such clip"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (MemoryError("9 GB"), "MemoryError: 9 GB"),
    ],
)
def test_any_error_is_a_row_that_names_it(error: Exception, said: str) -> None:
    row = attempt(ITEM, "nano", raising(error))
    assert (row["id"], row["system"], row["item"]["label"]) == ("clip/1", "nano", "dog")
    assert row["error"] == said


def test_who_stops_the_run_stops_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        attempt(ITEM, "nano", raising(KeyboardInterrupt()))


def test_one_system_that_fails_leaves_the_others() -> None:
    def make(system: Named) -> Row:
        if system.name == "b":
            raise ValueError("b")
        return timed(ITEM, system.name, lambda: {"decisions": "ss"})

    rows = each(ITEM, ("a", "b", "c"), [Named(n) for n in "abcd"], make)
    assert [(r["system"], "error" in r, r.get("decisions")) for r in rows] == [
        ("a", False, "ss"), ("b", True, None), ("c", False, "ss"),
    ]  # fmt: skip
    assert rows[0]["wall_s"] >= 0
