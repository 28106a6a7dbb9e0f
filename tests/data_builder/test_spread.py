"""Spreading work: every number once, bounded, dead workers given up, numbers that are asked for later."""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

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


def two_of_them(number: int) -> int:
    """Dies over 1 and 4; the others take long enough to be under way meanwhile."""
    if number in (1, 4):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.1)
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


def test_the_innocent_are_not_given_up() -> None:
    found = list(spread.processes(two_of_them, nothing, (), numbers(9), 2))
    assert sorted(k for k, _ in found) == list(range(9)), "every number once"
    assert {k for k, result in found if isinstance(result, DataError)} == {1, 4}
    assert all(result == k for k, result in found if k not in (1, 4))


def first_dies(number: int) -> int:
    return suicide(2) if number == 0 else number


def test_a_number_asked_for_while_workers_die_is_not_lost() -> None:
    asked: list[int] = []

    def wanted() -> int | None:
        if len(asked) == 1:  # until the pool knows
            while not mp.active_children():
                time.sleep(0.01)
            while mp.active_children():
                time.sleep(0.01)
            time.sleep(0.2)
        asked.append(len(asked))
        return asked[-1] if len(asked) < 4 else None

    found = dict(spread.processes(first_dies, nothing, (), wanted, 1))
    assert isinstance(found[0], DataError)
    assert [found[k] for k in (1, 2)] == [1, 2]


def never(*args: object) -> None:
    os._exit(3)


def test_workers_that_do_not_start_are_told() -> None:
    with pytest.raises(DataError, match="expected worker processes to start"):
        list(spread.processes(square, never, (), numbers(3), 2))


def refuse(number: int) -> int:
    raise DataError(f"expected another number, got {number}")


def test_what_a_job_raises_ends_it() -> None:
    with pytest.raises(DataError, match=r"another number, got \d"):
        list(spread.processes(refuse, nothing, (), numbers(3), 1))


class RayError(Exception):
    """As of the package ray."""


class RayTaskError(RayError):
    """What a job raised."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause


def fake_ray() -> SimpleNamespace:
    """One that runs a job when its result is asked for; number 1 loses its worker."""

    def get(work: tuple[Callable[[int, int], int], int, int]) -> int:
        job, given, number = work
        if number == 1 and job is plus:
            raise RayError("worker")
        try:
            return job(given, number)
        except DataError as error:
            raise RayTaskError(error) from error

    return SimpleNamespace(
        init=lambda *args, **options: None,
        shutdown=lambda: None,
        remote=lambda **options: lambda job: SimpleNamespace(remote=lambda given, number: (job, given, number)),
        put=lambda value: value,
        cluster_resources=lambda: {"CPU": 2.0},
        wait=lambda work, num_returns: (work[:num_returns], work[num_returns:]),
        get=get,
        exceptions=SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError),
    )


def refuse_of(given: int, number: int) -> int:
    return refuse(number)


def test_a_cluster_gives_up_lost_workers_and_raises_what_a_job_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", fake_ray())
    found = dict(spread.cluster(plus, 10, numbers(6), "local"))
    assert isinstance(found.pop(1), DataError)
    assert found == {k: 10 + k for k in (0, 2, 3, 4, 5)}
    with pytest.raises(DataError, match=r"another number, got \d"):
        list(spread.cluster(refuse_of, 10, numbers(6), "local"))


def plus(given: int, number: int) -> int:
    return given + number


def test_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="the extra [ray] is not installed")
    assert dict(spread.cluster(plus, 10, numbers(4), "local")) == {k: 10 + k for k in range(4)}


def test_without_ray_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ConfigError, match=r"soundflow\[ray\]"):
        list(spread.cluster(plus, 10, numbers(1), "local"))
