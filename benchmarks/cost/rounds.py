"""Rows of `bench cost` by rounds: the value of a point in a round, and the limits of the machine in the same one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from benchmarks.cost.limits import NUMBERS, floor_ms
from benchmarks.cost.timed import Work
from benchmarks.instances import Row

Figures = dict[str, Any]
Key = tuple[str, str, str, int]
"""curve, part, numbers, x."""
Round = dict[Key, Row]


def quartiles(values: Sequence[float]) -> list[float]:
    """Median, lower and upper quartile (linear interpolation, as numpy's), four digits."""
    found = np.quantile(np.asarray(values, float), [0.5, 0.25, 0.75])
    return [float(f"{v:.4g}") for v in found]


def by_round(rows: Sequence[Row]) -> list[Round]:
    """Each round's rows; those that failed are left out."""
    made: dict[int, Round] = {}
    for row in rows:
        here = made.setdefault(int(row["round"]), {})
        if not row.get("error"):
            here[row["curve"], row["part"], row["numbers"], int(row["x"])] = row
    return [made[k] for k in sorted(made)]


def keys(rounds: Sequence[Round], curve: str) -> list[Key]:
    """Of all points of a curve, in order."""
    return sorted({k for rows in rounds for k in rows if k[0] == curve})


def times(row: Row) -> list[float]:
    """ms of each repeat: processor time where one thread works, so that what neighbours take of the core is not in it
    (it is wall time where nobody does); wall time of two threads, of a GPU, or where the processor's clock stands.
    """
    alone = row["threads"] == 1 and (row["curve"] != "machine" or row["x"] == 1) and row.get("clock") != "wall"
    found: list[float] = row["cpu_ms"] if alone and min(row["cpu_ms"], default=0.0) > 0 else row["ms"]
    return found


def ms(row: Row) -> float:
    """The median of a row's repeats."""
    return float(np.median(times(row)))


def read_gb_s(rows: Round, threads: int) -> float | None:
    """Best of a round."""
    found = [r["bytes"] / min(times(r)) / 1e6 for k, r in rows.items() if k[1].startswith("read") and k[3] == threads]
    return max(found, default=None)


def rate_gop_s(rows: Round, numbers: str, threads: int) -> float | None:
    """Best of a round."""
    row = rows.get(("machine", "product", numbers, threads))
    return row["ops"] / min(times(row)) / 1e6 if row else None


def limit(rows: Round, row: Row) -> tuple[float, str] | None:
    """The roofline's time of a point by the limits of its own round, ms, and which limit it is."""
    kind = row["numbers"] if row["numbers"] in NUMBERS else "int8"
    read, rate = read_gb_s(rows, row["threads"]), rate_gop_s(rows, kind, row["threads"])
    if read is None or rate is None:
        return None
    work = Work(row["ops"], row["bytes"])
    at_memory = floor_ms(Work(0, work.bytes), read, rate)
    floor = floor_ms(work, read, rate)
    return floor, "memory" if floor == at_memory else "products"


def beside(there: Collection[str], numbers: str) -> str:
    """Of the kinds of numbers that an encoder was timed in, the one that stands beside a decoder in `numbers`."""
    order = (numbers, "fp32", "as shipped", "bf16")
    return next(kind for kind in (*order, *sorted(there)) if kind in there)


def kinds_of(points: Sequence[Figures], part: str = "") -> list[str]:
    """The kinds of numbers that the points (of `part`) have, in the order of `NUMBERS`."""
    return [n for n in NUMBERS if any(p["numbers"] == n and (not part or p["part"] == part) for p in points)]
