"""Rows of `bench cost` -> figures. All of it comes out of the rows: medians, quartiles, shares of the roofline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.cost import growth
from benchmarks.cost.curves import CHUNK_MS
from benchmarks.cost.limits import NUMBERS
from benchmarks.cost.rounds import (
    Figures,
    Key,
    Round,
    beside,
    by_round,
    keys,
    kinds_of,
    limit,
    ms,
    quartiles,
    rate_gop_s,
    read_gb_s,
)
from benchmarks.instances import Row
from soundflow.errors import DataError


def score(rows: Sequence[Row], about: Mapping[str, Any] | None = None) -> Figures:
    """Figures of every curve.

    about: the facts of model and device (`subject.Subject.facts`, `device.Device.facts`) under "subject" and "device",
    and `curves.Size` under "size".

    A round's value of a point is the median of its repeats (`times`); medians and quartiles are over rounds, those of
    the ages over all repeats. What is compared is divided within a round, and the quotients are summarised: what slows
    a whole round cancels out.

    Raises:
        DataError: rows of another benchmark.
    """
    for row in rows:
        if missing := [k for k in ("curve", "part", "numbers", "x", "round") if k not in row]:
            raise DataError(f"expected a row of `bench cost`, got one without {', '.join(missing)}", str(row["id"]))
    told = {key: dict((about or {}).get(key) or {}) for key in ("subject", "device", "size")}
    chunk_ms = int(told["subject"].get("chunk_ms", CHUNK_MS))
    rounds = by_round(rows)
    failed = [{"id": r["id"], "error": r["error"]} for r in rows if r.get("error")]
    found: Figures = {"rounds": len(rounds), "failed": failed, "machine": machine(rounds), "about": told}
    found["disturbed"] = _disturbed(rows)
    for curve in ("context", "sessions", "chunk", "history", "age"):
        points = [_point(rounds, key) for key in keys(rounds, curve)]
        found[curve] = [p for p in points if p]
    found["age"] = [p | growth.aged(rounds, ("age", p["part"], p["numbers"], p["x"])) for p in found["age"]]
    found["batching"] = _batching(rounds)
    found["capacity"] = _most_sessions(found["sessions"], chunk_ms)
    found["again"] = growth.again(rounds)
    found["naive"] = growth.naive(rounds, chunk_ms)
    found["growth"] = growth.exponents(found["naive"])
    found["ages"] = growth.ages(rounds, chunk_ms)
    return found


def machine(rounds: Sequence[Round]) -> Figures:
    """Read bandwidth (GB/s) and rates (GOP/s) by threads: best of a round, then median and quartiles over rounds."""
    reads: dict[str, list[float]] = {}
    rates: dict[str, dict[str, list[float]]] = {}
    for rows in rounds:
        for threads in sorted({k[3] for k in rows if k[0] == "machine"}):
            name = str(threads)
            if found := read_gb_s(rows, threads):
                reads.setdefault(name, []).append(found)
            for numbers in NUMBERS:
                if rate := rate_gop_s(rows, numbers, threads):
                    rates.setdefault(numbers, {}).setdefault(name, []).append(rate)
    return {
        "read_gb_s": {n: quartiles(v) for n, v in reads.items()},
        "gop_s": {kind: {n: quartiles(v) for n, v in found.items()} for kind, found in rates.items()},
    }


def _point(rounds: Sequence[Round], key: Key) -> Figures | None:
    there = [(rows, rows[key]) for rows in rounds if key in rows]
    if not there:
        return None
    row = there[0][1]
    body: Figures = {"part": key[1], "numbers": key[2], "x": key[3], "ms": quartiles([ms(r) for _, r in there])}
    body |= {"ops": row["ops"], "bytes": row["bytes"]}
    body["wall_ms"] = quartiles([float(np.median(r["ms"])) for _, r in there])
    limits = [(limit(rows, r), ms(r)) for rows, r in there]
    known = [(limit[0], limit[1], ms) for limit, ms in limits if limit]
    if known and row["bytes"]:
        body["limit_ms"] = quartiles([floor for floor, _, _ in known])
        body["share"] = quartiles([floor / ms for floor, _, ms in known])
        body["bound"] = max({name for _, name, _ in known}, key=[name for _, name, _ in known].count)
    return body


def _disturbed(rows: Sequence[Row]) -> list[float]:
    """Wall over processor time of all steps of one thread: 1 where nobody else wanted the core."""
    alone = [r for r in rows if not r.get("error") and r["threads"] == 1 and r.get("clock") != "wall"]
    found = [a / b for r in alone if r["curve"] != "machine"
             for a, b in zip(r["ms"], r["cpu_ms"], strict=True) if b > 0]  # fmt: skip
    return quartiles(found) if found else []


def _batching(rounds: Sequence[Round]) -> list[Figures]:
    """x passes of one session over one pass of x, decoder alone, within rounds: by the passes one after the other where
    they were timed, else x t(1) / t(x).
    """
    made = []
    for key in keys(rounds, "sessions"):
        if key[1] != "lm":
            continue
        apart, single = (*key[:1], "lm one by one", *key[2:]), (*key[:3], 1)
        gains = [
            (ms(r[apart]) if apart in r else key[3] * ms(r[single])) / ms(r[key])
            for r in rounds if key in r and (apart in r or single in r)
        ]  # fmt: skip
        if gains:
            made.append({"numbers": key[2], "x": key[3], "gain": quartiles(gains)})
    return made


def _most_sessions(points: Sequence[Figures], chunk_ms: int) -> list[Figures]:
    """Sessions of silent rooms whose encoders (of nano: voice activity and sound) and decision fit into one chunk, one
    step behind the other: linear between the points measured; None where even the most fit. An upper bound: no words,
    no replies, no server.
    """
    made = []
    parts = [part for part in dict.fromkeys(p["part"] for p in points) if not part.startswith("lm")]
    for numbers in kinds_of(points, "lm") if parts else ():
        kinds = {part: beside({p["numbers"] for p in points if p["part"] == part}, numbers) for part in parts}
        kinds["lm"] = numbers
        sums: dict[int, float] = {}
        for p in points:
            if kinds.get(p["part"]) == p["numbers"]:
                sums[p["x"]] = sums.get(p["x"], 0.0) + p["ms"][0]
        curve = sorted(sums.items())
        steps = [{"x": x, "ms": round(ms, 1)} for x, ms in curve]
        made.append({"numbers": numbers, "steps": steps, "sessions": crossing(curve, chunk_ms)})
    return made


def crossing(curve: Sequence[tuple[int, float]], level: float) -> float | None:
    """Where a rising curve of (x, y) passes `level`, linear between points; None where it stays below, 0 where it
    begins above.
    """
    if curve and curve[0][1] > level:
        return 0.0
    for (x, y), (right, above) in pairwise(curve):
        if y <= level < above:
            return round(x + (right - x) * (level - y) / (above - y), 1)
    return None
