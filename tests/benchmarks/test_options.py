"""Lists on the command line: what is wrong is named with its flag."""

from __future__ import annotations

import pytest

from benchmarks.options import listed, numbers_of
from soundflow.errors import ConfigError


def test_each_name_counts_once() -> None:
    assert listed(" nano, rules,,nano ") == ("nano", "rules")


def test_nothing_is_an_error_only_where_a_flag_is_told() -> None:
    assert listed(" ,") == ()
    with pytest.raises(ConfigError, match=r"--curves: expected at least one name, got ' ,'"):
        listed(" ,", "--curves")


def test_numbers_keep_their_order_and_kind() -> None:
    assert numbers_of("20, 10,-5", "--snr", float) == (20.0, 10.0, -5.0)
    assert [type(x) for x in numbers_of("1,8", "--streams", int)] == [int, int]


@pytest.mark.parametrize("text", ["", "a", "1,,b", "1.5"])
def test_what_is_no_whole_number_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--streams: expected whole numbers .* got '"):
        numbers_of(text, "--streams", int)
