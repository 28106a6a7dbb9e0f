"""Blocks made by several processes of this machine or of a Ray cluster, a bounded number of them under way."""

from __future__ import annotations

import multiprocessing as mp
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, TypeVar

from soundflow.errors import ConfigError, DataError

AHEAD: Final = 2  # jobs under way for each worker
DEATHS: Final = 2  # of a worker over one job, until the job is given up
T = TypeVar("T")
Job = Callable[[int], T]
Numbers = Callable[[], int | None]
"""The next number, or None where none is wanted for now: it is asked again when another result has come."""


def here(job: Job[T], numbers: Numbers) -> Iterator[tuple[int, T | DataError]]:
    """Each number in this process, one after the other, until there is None."""
    while (number := numbers()) is not None:
        yield number, job(number)


def processes(
    job: Job[T], start: Callable[..., None], args: tuple[Any, ...], numbers: Numbers, workers: int
) -> Iterator[tuple[int, T | DataError]]:
    """(number, result) as they come, out of `workers` processes that have each called `start(*args)`.

    A number whose worker dies twice over it gives a DataError instead of a result.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    again: list[int] = []
    deaths: dict[int, int] = {}
    while True:
        pool = ProcessPoolExecutor(workers, mp.get_context("spawn"), start, args)
        under_way: dict[Future[T], int] = {}
        broken = False
        try:
            while True:
                while len(under_way) < AHEAD * workers:
                    number = again.pop() if again else numbers()
                    if number is None:
                        break
                    under_way[pool.submit(job, number)] = number
                if not under_way:
                    return
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    yield under_way[future], future.result()
                    del under_way[future]
        except BrokenProcessPool:
            broken = True
        finally:
            pool.shutdown(wait=not broken, cancel_futures=True)
        # Which job killed its worker is not known: all under way have a death counted, and are tried once more.
        for number in under_way.values():
            deaths[number] = deaths.get(number, 0) + 1
            if deaths[number] >= DEATHS:
                yield number, DataError(f"expected a block, got {DEATHS} dead workers over it", f"block {number}")
            else:
                again.append(number)


def cluster(
    job: Callable[[Any, int], T], plan: Any, numbers: Numbers, address: str
) -> Iterator[tuple[int, T | DataError]]:
    """(number, result) as they come, out of a Ray cluster: `address` "local" starts one here.

    `job(plan, number)` opens its kit once a worker process. Folders of the plan must be seen by every node.
    Raises ConfigError where Ray is not installed or not reached.
    """
    try:
        import ray
    except ImportError as error:
        raise ConfigError("--ray needs the package ray: pip install 'soundflow[ray]'") from error
    try:
        ray.init(None if address == "local" else address, log_to_driver=False, include_dashboard=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(f"--ray: expected a cluster at {address!r}, got {error}") from error
    try:
        remote = ray.remote(num_cpus=1, max_retries=DEATHS)(job)
        shared = ray.put(plan)
        room = max(1, int(ray.cluster_resources().get("CPU", 1))) * AHEAD
        under_way: dict[Any, int] = {}
        while True:
            while len(under_way) < room and (number := numbers()) is not None:
                under_way[remote.remote(shared, number)] = number
            if not under_way:
                return
            done, _ = ray.wait(list(under_way), num_returns=1)
            for reference in done:
                number = under_way.pop(reference)
                try:
                    yield number, ray.get(reference)
                except ray.exceptions.RayError as error:
                    yield number, DataError(f"expected a block, got {type(error).__name__}", f"block {number}")
    finally:
        ray.shutdown()
