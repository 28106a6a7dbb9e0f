"""Scales fit the budget, keep to the least sizes, and give up the least important parts first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.suite.budget import KEPT_BACK, Size, finishing, minutes, of, scales
from soundflow.errors import ConfigError

SIZES = {"a": Size(1.0, 20.0, 0.1), "b": Size(0.0, 40.0, 0.5), "c": Size(2.0, 10.0, 0.2)}


def test_minutes() -> None:
    assert minutes("90s") == 1.5
    assert minutes("60m") == 60
    assert minutes("1.5h") == 90
    for wrong in ("", "60", "-5m", "0m", "m", "1 d"):
        with pytest.raises(ConfigError, match="--budget"):
            minutes(wrong)


def test_everything_in_full_where_there_is_time() -> None:
    assert scales(SIZES, 1000.0) == {"a": 1.0, "b": 1.0, "c": 1.0}


def test_one_scale_but_for_what_it_would_make_too_small() -> None:
    found = scales(SIZES, 40.0)
    assert found["b"] == 0.5  # its least
    assert found["a"] == pytest.approx(found["c"])
    assert 1 + 20 * found["a"] + 20 + 2 + 10 * found["c"] == pytest.approx(36.0, abs=0.01)


def test_the_last_ones_go_first() -> None:
    assert scales(SIZES, 26.0) == {"a": pytest.approx(0.12), "b": 0.5, "c": 0.0}
    assert scales(SIZES, 1.0) == {"a": 0.0, "b": 0.0, "c": 0.0}
    assert scales({}, 60.0) == {}


def test_a_slow_machine_gets_less() -> None:
    assert scales(SIZES, 80.0, pace=2.0) == scales(SIZES, 40.0)


@given(st.floats(0.1, 500), st.floats(0.2, 8))
def test_never_above_the_budget(left: float, pace: float) -> None:
    found = scales(SIZES, left, pace)
    assert finishing([(SIZES[n], s) for n, s in found.items()], pace) <= left * (1 - KEPT_BACK) + 1e-3
    assert all(not s or SIZES[n].least <= s <= 1 for n, s in found.items())


def test_of() -> None:
    assert [of(40, s) for s in (1.0, 0.5, 0.001)] == [40, 20, 1]
