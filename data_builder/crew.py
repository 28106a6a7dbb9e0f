"""Measuring many clips in processes: a file that kills or hangs its process costs that file, not the pass."""

from __future__ import annotations

import multiprocessing as mp
import os
import resource
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data_builder.clip_facts import Facts, Limits, measure
from soundflow.errors import DataError

BATCH: Final = 16  # files a task
AHEAD: Final = 2  # tasks a process that are under way or wait
CLIP_S: Final = 120  # the longest that one file may take
MEMORY_BYTES: Final = 8 << 30  # address space of a process


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a file: its facts, or why it is bad. `lasting`: it will be so until the file changes."""

    path: str
    outcome: Facts | str
    lasting: bool = True


def examine(root: Path, limits: Limits, path: str) -> Found:
    """Measure one file; whatever is wrong with it becomes the reason."""
    try:
        return Found(path, measure(root / path, limits))
    except DataError as err:
        return Found(path, str(err))
    except OSError as err:
        return Found(path, f"expected a file that can be opened: {err.strerror}", lasting=False)


def examine_all(root: Path, limits: Limits, paths: list[str], workers: int) -> Iterator[Found]:
    """Measure files in `workers` processes, results in the order in which they come.

    Files whose process died are tried once more, each alone; one that dies again is given up with that as its reason.
    Raises DataError where processes do not start at all.
    """
    batches = deque(paths[i : i + BATCH] for i in range(0, len(paths), BATCH))
    suspects: deque[str] = deque()
    while batches:
        with _pool(min(workers, len(batches))) as pool:
            yield from _drain(pool, root, limits, batches, workers, suspects)
    while suspects:
        with _pool(1) as pool:
            yield from _one_by_one(pool, root, limits, suspects)


def _drain(
    pool: ProcessPoolExecutor,
    root: Path,
    limits: Limits,
    batches: deque[list[str]],
    workers: int,
    suspects: deque[str],
) -> Iterator[Found]:
    """Results of `batches` until all are done or a process died; what was under way then goes to `suspects`."""
    flying: dict[Future[list[Found]], list[str]] = {}
    broken = False
    while flying or (batches and not broken):
        while batches and not broken and len(flying) < AHEAD * workers:
            batch = batches.popleft()
            try:
                flying[pool.submit(_batch, root, limits, batch)] = batch
            except BrokenProcessPool:
                suspects.extend(batch)
                broken = True
        for future in wait(flying, return_when=FIRST_COMPLETED).done:
            batch = flying.pop(future)
            try:
                found = future.result()
            except BrokenProcessPool:
                suspects.extend(batch)
                broken = True
            else:
                yield from found


def _one_by_one(pool: ProcessPoolExecutor, root: Path, limits: Limits, suspects: deque[str]) -> Iterator[Found]:
    """Results of `suspects` until all are done or one has ended the process."""
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool as err:
        raise DataError("catalog: expected worker processes to start, got one that died before its first file") from err
    while suspects:
        path = suspects.popleft()
        try:
            found = pool.submit(_batch, root, limits, [path]).result()
        except BrokenProcessPool:
            yield Found(
                path, f"expected audio, got what crashes the decoder or takes it over {CLIP_S} s", lasting=False
            )
            return
        yield from found


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=mp.get_context("spawn"), initializer=_start)


def _start() -> None:
    """A worker leaves interrupts to its parent, dies with it, and cannot take all memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES if hard < 0 else min(MEMORY_BYTES, hard), hard))
    follow_parent()


def follow_parent() -> None:
    """End this process when its parent ends, however that ends: a pool's workers wait for work for ever."""
    threading.Thread(target=_await_parent, daemon=True).start()


def _await_parent() -> None:
    if parent := mp.parent_process():
        parent.join()
    os._exit(1)


def _batch(root: Path, limits: Limits, paths: list[str]) -> list[Found]:
    found = []
    for path in paths:
        signal.alarm(CLIP_S)  # its default action ends the process, even inside the decoder
        try:
            found.append(examine(root, limits, path))
        finally:
            signal.alarm(0)
    return found
