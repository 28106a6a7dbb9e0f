"""Blocks made by several processes of this machine or of a Ray cluster, a bounded number of them under way."""

from __future__ import annotations

import multiprocessing as mp
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, TypeVar

from soundflow.errors import ConfigError, DataError

AHEAD: Final = 2  # jobs under way for each worker
DEATHS: Final = 2  # of a worker over one job, the second one alone, until the job is given up
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

    Which job ended a worker is not known: all that were under way then are tried once more, one at a time. A number
    whose worker dies again gives a DataError instead of a result. Raises what a job raises, and DataError where
    workers do not start at all.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    suspects: list[int] = []
    while True:
        pool = _pool(workers, start, args)
        try:
            yield from _together(pool, job, numbers, workers, suspects)
        finally:
            pool.shutdown(wait=not suspects, cancel_futures=True)
        if not suspects:
            return
        left = deque(sorted(suspects))
        suspects.clear()
        while left:
            pool, died = _pool(1, start, args), True
            try:
                died = yield from _alone(pool, job, left)
            finally:
                pool.shutdown(wait=not died, cancel_futures=True)


def _pool(workers: int, start: Callable[..., None], args: tuple[Any, ...]) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp.get_context("spawn"), start, args)


def _together(
    pool: ProcessPoolExecutor, job: Job[T], numbers: Numbers, workers: int, suspects: list[int]
) -> Iterator[tuple[int, T]]:
    """Results until no number is wanted, or until a worker died: what has no result then goes to `suspects`."""
    under_way: dict[Future[T], int] = {}
    while True:
        while not suspects and len(under_way) < AHEAD * workers and (number := numbers()) is not None:
            try:
                under_way[pool.submit(job, number)] = number
            except BrokenProcessPool:
                suspects.append(number)
        if not under_way:
            return
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            number = under_way.pop(future)
            try:
                result = future.result()
            except BrokenProcessPool:
                suspects.append(number)
            else:
                yield number, result


def _alone(
    pool: ProcessPoolExecutor, job: Job[T], left: deque[int]
) -> Generator[tuple[int, T | DataError], None, bool]:
    """Results of `left`, one at a time, until all are done or the worker died; returns whether it did."""
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool as error:
        raise DataError("expected worker processes to start, got one that died before its first block") from error
    while left:
        number = left.popleft()
        try:
            result = pool.submit(job, number).result()
        except BrokenProcessPool:
            yield number, DataError(f"expected a block, got {DEATHS} dead workers over it", f"block {number}")
            return True
        yield number, result
    return False


def cluster(
    job: Callable[[Any, int], T], plan: Any, numbers: Numbers, address: str
) -> Iterator[tuple[int, T | DataError]]:
    """(number, result) as they come, out of a Ray cluster: `address` "local" starts one here.

    `job(plan, number)` opens its kit once a worker process. Folders of the plan must be seen by every node.
    A number whose workers die gives a DataError. Raises what a job raises, and ConfigError where Ray is not installed
    or not reached.
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
                result: T | DataError
                try:
                    result = ray.get(reference)
                except ray.exceptions.RayTaskError as error:
                    raise error.cause from error
                except ray.exceptions.RayError as error:
                    result = DataError(f"expected a block, got {type(error).__name__}", f"block {number}")
                yield number, result
    finally:
        ray.shutdown()
