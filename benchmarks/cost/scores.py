"""Rows of `bench cost` -> figures. All of it comes out of the rows: medians, quartiles, shares of the roofline."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.cost.curves import CHUNK_MS
from benchmarks.cost.limits import NUMBERS, floor_ms
from benchmarks.cost.timed import Work
from benchmarks.instances import Row
from soundflow.errors import DataError

Figures = dict[str, Any]
Key = tuple[str, str, str, int]


def quartiles(values: Sequence[float]) -> list[float]:
    """Median, lower and upper quartile (linear interpolation, as numpy's), four digits."""
    found = np.quantile(np.asarray(values, float), [0.5, 0.25, 0.75])
    return [float(f"{v:.4g}") for v in found]


def score(rows: Sequence[Row]) -> Figures:
    """Figures of every curve.

    A round's value of a point is the median of its repeats (`times`); medians and quartiles are over rounds. What is
    compared is divided within a round, and the quotients are summarised: what slows a whole round cancels out.

    Raises:
        DataError: rows of another benchmark.
    """
    for row in rows:
        if missing := [k for k in ("curve", "part", "numbers", "x", "round") if k not in row]:
            raise DataError(f"expected a row of `bench cost`, got one without {', '.join(missing)}", str(row["id"]))
    rounds = _by_round(rows)
    failed = [{"id": r["id"], "error": r["error"]} for r in rows if r.get("error")]
    found: Figures = {"rounds": len(rounds), "failed": failed, "machine": machine(rounds)}
    found["disturbed"] = _disturbed(rows)
    for curve in ("context", "sessions", "chunk", "history"):
        points = [_point(rounds, key) for key in _keys(rounds, curve)]
        found[curve] = [p for p in points if p]
    found["batching"] = _batching(rounds)
    found["capacity"] = _most_sessions(found["sessions"])
    found["naive"] = _naive(rounds)
    found["growth"] = _growth(found["naive"])
    return found


def machine(rounds: Sequence[dict[Key, Row]]) -> Figures:
    """Read bandwidth (GB/s) and rates (GOP/s) by threads: best of a round, then median and quartiles over rounds."""
    reads: dict[str, list[float]] = {}
    rates: dict[str, dict[str, list[float]]] = {}
    for rows in rounds:
        for threads in sorted({k[3] for k in rows if k[0] == "machine"}):
            name = str(threads)
            if found := _read(rows, threads):
                reads.setdefault(name, []).append(found)
            for numbers in NUMBERS:
                if rate := _rate(rows, numbers, threads):
                    rates.setdefault(numbers, {}).setdefault(name, []).append(rate)
    return {
        "read_gb_s": {n: quartiles(v) for n, v in reads.items()},
        "gop_s": {kind: {n: quartiles(v) for n, v in found.items()} for kind, found in rates.items()},
    }


def _by_round(rows: Sequence[Row]) -> list[dict[Key, Row]]:
    made: dict[int, dict[Key, Row]] = {}
    for row in rows:
        here = made.setdefault(int(row["round"]), {})
        if not row.get("error"):
            here[row["curve"], row["part"], row["numbers"], int(row["x"])] = row
    return [made[k] for k in sorted(made)]


def _keys(rounds: Sequence[dict[Key, Row]], curve: str) -> list[Key]:
    return sorted({k for rows in rounds for k in rows if k[0] == curve})


def times(row: Row) -> list[float]:
    """ms of each repeat: processor time where one thread works, so that what neighbours take of the core is not in it
    (it is wall time where nobody does); wall time of two threads, or where the processor's clock stands.
    """
    alone = row["threads"] == 1 and (row["curve"] != "machine" or row["x"] == 1)
    found: list[float] = row["cpu_ms"] if alone and min(row["cpu_ms"], default=0.0) > 0 else row["ms"]
    return found


def _ms(row: Row) -> float:
    return float(np.median(times(row)))


def _read(rows: dict[Key, Row], threads: int) -> float | None:
    found = [r["bytes"] / min(times(r)) / 1e6 for k, r in rows.items() if k[1].startswith("read") and k[3] == threads]
    return max(found, default=None)


def _rate(rows: dict[Key, Row], numbers: str, threads: int) -> float | None:
    row = rows.get(("machine", "product", numbers, threads))
    return row["ops"] / min(times(row)) / 1e6 if row else None


def _limit(rows: dict[Key, Row], row: Row) -> tuple[float, str] | None:
    """The roofline's time of a point by the limits of its own round, ms, and which limit it is."""
    kind = row["numbers"] if row["numbers"] in NUMBERS else "int8"
    read, rate = _read(rows, row["threads"]), _rate(rows, kind, row["threads"])
    if read is None or rate is None:
        return None
    work = Work(row["ops"], row["bytes"])
    at_memory = floor_ms(Work(0, work.bytes), read, rate)
    floor = floor_ms(work, read, rate)
    return floor, "memory" if floor == at_memory else "products"


def _point(rounds: Sequence[dict[Key, Row]], key: Key) -> Figures | None:
    there = [(rows, rows[key]) for rows in rounds if key in rows]
    if not there:
        return None
    row = there[0][1]
    body: Figures = {"part": key[1], "numbers": key[2], "x": key[3], "ms": quartiles([_ms(r) for _, r in there])}
    body |= {"ops": row["ops"], "bytes": row["bytes"]}
    body["wall_ms"] = quartiles([float(np.median(r["ms"])) for _, r in there])
    limits = [(_limit(rows, r), _ms(r)) for rows, r in there]
    known = [(limit[0], limit[1], ms) for limit, ms in limits if limit]
    if known and row["bytes"]:
        body["limit_ms"] = quartiles([floor for floor, _, _ in known])
        body["share"] = quartiles([floor / ms for floor, _, ms in known])
        body["bound"] = max({name for _, name, _ in known}, key=[name for _, name, _ in known].count)
    return body


def _disturbed(rows: Sequence[Row]) -> list[float]:
    """Wall over processor time of all steps of one thread: 1 where nobody else wanted the core."""
    found = [a / b for r in rows if not r.get("error") and r["threads"] == 1 and r["curve"] != "machine"
             for a, b in zip(r["ms"], r["cpu_ms"], strict=True) if b > 0]  # fmt: skip
    return quartiles(found) if found else []


def _batching(rounds: Sequence[dict[Key, Row]]) -> list[Figures]:
    """x passes of one session over one pass of x, decoder alone: x t(1) / t(x), within rounds."""
    made = []
    for key in _keys(rounds, "sessions"):
        single = (*key[:3], 1)
        gains = [key[3] * _ms(r[single]) / _ms(r[key]) for r in rounds if key in r and single in r]
        if key[1] == "lm" and gains:
            made.append({"numbers": key[2], "x": key[3], "gain": quartiles(gains)})
    return made


def _most_sessions(points: Sequence[Figures]) -> list[Figures]:
    """Sessions of silent rooms whose voice activity, sound and decision fit into one chunk of one thread, one step
    behind the other: linear between the points measured; None where even the most fit. An upper bound: no words, no
    replies, no server.
    """
    made = []
    for numbers in kinds_of(points, "lm"):
        kinds = {"lm": numbers, "sound": "int8" if numbers == "int8" else "fp32", "voice activity": "as shipped"}
        sums: dict[int, float] = {}
        for part, kind in kinds.items():
            for p in points:
                if p["part"] == part and p["numbers"] == kind:
                    sums[p["x"]] = sums.get(p["x"], 0.0) + p["ms"][0]
        if not any(p["part"] == "sound" for p in points):
            continue
        curve = sorted(sums.items())
        steps = [{"x": x, "ms": round(ms, 1)} for x, ms in curve]
        made.append({"numbers": numbers, "steps": steps, "sessions": crossing(curve, CHUNK_MS)})
    return made


def kinds_of(points: Sequence[Figures], part: str = "") -> list[str]:
    """The kinds of numbers that the points (of `part`) have, in the order of `NUMBERS`."""
    return [n for n in NUMBERS if any(p["numbers"] == n and (not part or p["part"] == part) for p in points)]


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


def _naive(rounds: Sequence[dict[Key, Row]]) -> list[Figures]:
    """Ours and the naive way at each age, decoder and sound encoder together, and their quotient within rounds; also of
    the decoders alone, as if the naive way had kept what its encoder made.
    """
    made = []
    for key in _keys(rounds, "history"):
        if key[1] != "ours lm":
            continue
        sides: dict[str, list[float]] = {"ours": [], "naive": []}
        alone, kind = [], "int8" if key[2] == "int8" else "fp32"
        for rows in rounds:
            ours, naive = (_side(rows, side, key[2], kind, key[3]) for side in sides)
            if ours is not None and naive is not None:
                sides["ours"].append(ours)
                sides["naive"].append(naive)
                alone.append(_ms(rows["history", "naive lm", key[2], key[3]]) / _ms(rows[key]))
        if alone:
            body = {"numbers": key[2], "x": key[3], "seconds": key[3] * CHUNK_MS / 1000}
            ratio = [b / a for a, b in zip(sides["ours"], sides["naive"], strict=True)]
            body |= {"ratio": quartiles(ratio), "decoder_ratio": quartiles(alone)}
            made.append(body | {side: quartiles(v) for side, v in sides.items()})
    return made


def _side(rows: dict[Key, Row], side: str, numbers: str, sound: str, x: int) -> float | None:
    lm = rows.get(("history", f"{side} lm", numbers, x))
    if lm is None:
        return None
    heard = rows.get(("history", f"{side} sound", sound, x))
    return _ms(lm) + (_ms(heard) if heard else 0.0)


def _growth(points: Sequence[Figures]) -> list[Figures]:
    """Exponent of cost against history: slope of log(ms) over log(chunks), least squares; 0 is flat, 1 linear."""
    made = []
    for numbers in kinds_of(points):
        mine = [p for p in points if p["numbers"] == numbers]
        if len(mine) > 1:
            x = np.log([p["x"] for p in mine])
            body = {s: round(float(np.polyfit(x, np.log([p[s][0] for p in mine]), 1)[0]), 3) for s in ("ours", "naive")}
            made.append({"numbers": numbers, **body})
    return made
