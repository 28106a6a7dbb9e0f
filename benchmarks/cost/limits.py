"""What a processor or GPU can do at most, measured in the same run: bytes read a second, operations a second.

Read bandwidth after STREAM (McCalpin 1995): arrays several times the size of the last cache, the best of a few passes;
read-only kernels, since a decision step reads weights and writes next to nothing. Rates of matrix products by the very
kernels that the model uses. Roofline: Williams, Waterman and Patterson 2009.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import torch

from benchmarks.cost.device import HOST, Device
from benchmarks.cost.timed import Point, Work
from soundflow.int8 import Int8Linear, available

READ_MB: Final = 192
"""Of each thread's array."""
NUMBERS: Final = ("int8", "bf16", "fp32")
SIZES: Final = {"int8": (512, 2048), "bf16": (512, 2048), "fp32": (512, 1024)}
"""Rows of the input, width of the square matrix."""
GPU_READ_MB: Final = 2048
GPU_SIZES: Final = {"bf16": (8192, 8192), "fp32": (2048, 4096)}
"""Many times a GPU's own cache, and enough rows that all of it multiplies."""


def floor_ms(work: Work, read_gb_s: float, gop_s: float) -> float:
    """Shortest time by the roofline: max(bytes / bandwidth, operations / rate), ms.

    Williams et al. 2009 give it as a rate, min(peak, bandwidth x operations / byte); operations over it are this time.
    Nothing is said of caches: what stays in one may be read faster than that.
    """
    return 1e3 * max(work.bytes / (read_gb_s * 1e9), work.ops / (gop_s * 1e9))


def threads_here() -> tuple[int, ...]:
    """1, and 2 where two cores may be used."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return (1, 2) if cores > 1 else (1,)


def points(
    read_mb: int | None = None, sizes: dict[str, tuple[int, int]] | None = None, on: Device = HOST
) -> list[Point]:
    """Read bandwidth and rates on one and two threads, as points of the curve "machine" (x: threads); those of a GPU in
    their place, with an x of 1.
    """
    if on.gpu:
        return gpu(on.place, read_mb or GPU_READ_MB, sizes or GPU_SIZES)
    found, read_mb = [], read_mb or READ_MB
    for threads in threads_here():
        found += [_read(threads, read_mb, kernel) for kernel in ("sum", "dot")]
        for numbers, (rows, width) in (sizes or SIZES).items():
            if numbers != "int8" or available():
                found.append(_product(threads, numbers, rows, width))
    return found


def gpu(on: torch.device, megabytes: int, sizes: dict[str, tuple[int, int]]) -> list[Point]:
    """Of one device: what its own memory gives, and its products of [rows,width] x [width,width]."""
    count, held = megabytes * 1_000_000 // 4, list[torch.Tensor]()

    def prepare() -> None:
        if not held:
            held.append(torch.ones(count, device=on))

    kernels: dict[str, Callable[[], object]] = {
        "sum": lambda: torch.sum(held[0]),
        "dot": lambda: torch.dot(held[0], held[0]),
    }
    read = Work(0, 4.0 * count)
    found = [
        Point("machine", f"read {name}", "", 1, read, kernel, prepare, done=held.clear, repeats=6)
        for name, kernel in kernels.items()
    ]
    return found + [_product(1, numbers, *size, on=on) for numbers, size in sizes.items() if numbers != "int8"]


def _read(threads: int, megabytes: int, kernel: str) -> Point:
    """Each thread reads an array of its own; made for the measurement and let go after it."""
    count = megabytes * 1_000_000 // 4
    held: list[torch.Tensor] = []
    pool: list[ThreadPoolExecutor] = []

    def prepare() -> None:
        if not held:
            held.extend(torch.ones(count) for _ in range(threads))
            pool.append(ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)))

    def one(array: torch.Tensor) -> float:
        return float(array.sum() if kernel == "sum" else torch.dot(array, array))

    def run() -> None:
        list(pool[0].map(one, held))

    def done() -> None:
        held.clear()
        while pool:
            pool.pop().shutdown()

    return Point(
        "machine", f"read {kernel}", "", threads, Work(0, 4.0 * count * threads), run, prepare, done=done,
        repeats=6, threads=1,
    )  # fmt: skip


def _product(threads: int, numbers: str, rows: int, width: int, on: torch.device = HOST.place) -> Point:
    """[rows,width] x [width,width], 2 rows width^2 operations."""
    made: list[Callable[[], object]] = []

    def prepare() -> None:
        if made:
            return
        dtype = torch.bfloat16 if numbers == "bf16" else torch.float32
        x, weight = (torch.randn(n, width, dtype=dtype, device=on) for n in (rows, width))
        if numbers == "int8":
            layer = Int8Linear(weight)
            made.append(lambda: layer(x))
        else:
            made.append(lambda: torch.nn.functional.linear(x, weight))

    def run() -> None:
        with torch.inference_mode():
            made[0]()

    work = Work(2.0 * rows * width * width, 0.0)
    return Point(
        "machine", "product", numbers, threads, work, run, prepare, done=made.clear, repeats=16, threads=threads,
    )  # fmt: skip
