"""Spreading work: every number once, bounded, dead workers given up, numbers that are asked for later."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from data_builder import spread
from soundflow.errors import ConfigError, DataError


def numbers(most: int) -> Callable[[], int | None]:
    left = iter(range(most))
    return lambda: next(left, None)


def nothing(*args: object) -> None:
    """A worker needs no preparation."""


def square(number: int) -> int:
    return number * number


def suicide(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def once(number: int) -> int:
    """Dies over number 1 the first time only."""
    mark = Path(os.environ["SPREAD_MARK"])
    if number == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_here_and_in_processes_alike() -> None:
    assert dict(spread.here(square, numbers(5))) == {k: k * k for k in range(5)}
    assert dict(spread.processes(square, nothing, (), numbers(5), 2)) == {k: k * k for k in range(5)}


def test_more_is_asked_for_when_results_are_less_than_was_thought() -> None:
    done: list[int] = []
    asked = 0

    def wanted() -> int | None:
        nonlocal asked
        if asked - len(done) >= 2 or len(done) >= 7:
            return None
        asked += 1
        return asked - 1

    for number, _ in spread.processes(square, nothing, (), wanted, 2):
        done.append(number)
    assert len(done) >= 7
    assert sorted(done) == list(range(len(done)))


def test_a_job_that_kills_its_worker_is_given_up_and_the_others_done() -> None:
    found = dict(spread.processes(suicide, nothing, (), numbers(4), 1))
    assert isinstance(found[2], DataError)
    assert "dead workers" in str(found[2])
    assert [found[k] for k in (0, 1, 3) if not isinstance(found[k], DataError)]


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPREAD_MARK", str(tmp_path / "died"))
    assert dict(spread.processes(once, nothing, (), numbers(3), 1)) == {0: 0, 1: 1, 2: 2}


def plus(given: int, number: int) -> int:
    return given + number


def test_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="the extra [ray] is not installed")
    assert dict(spread.cluster(plus, 10, numbers(4), "local")) == {k: 10 + k for k in range(4)}


def test_without_ray_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ConfigError, match=r"soundflow\[ray\]"):
        list(spread.cluster(plus, 10, numbers(1), "local"))
