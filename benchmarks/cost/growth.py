"""How cost grows: with what was heard (ours and encoding it again), and with the age of a session. Within rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.cost.rounds import Figures, Round, beside, keys, kinds_of, limit, ms, quartiles


@dataclass(frozen=True, slots=True)
class _Sum:
    """Of the parts of a step, ms: as timed, and at the least by the roofline."""

    ms: float
    limit_ms: float


def naive(rounds: Sequence[Round], chunk_ms: int) -> list[Figures]:
    """Ours and the naive way at each age, decoder and encoders together, and their quotient within rounds; also of the
    decoders alone, as if the naive way had kept what its encoders made.
    """
    made = []
    for key in keys(rounds, "history"):
        if key[1] != "ours lm":
            continue
        sides: dict[str, list[_Sum]] = {"ours": [], "naive": []}
        alone = []
        for rows in rounds:
            ours, again = (_sum(rows, "history", f"{side} ", "lm", key[2], key[3]) for side in sides)
            if ours is not None and again is not None:
                sides["ours"].append(ours)
                sides["naive"].append(again)
                alone.append(ms(rows["history", "naive lm", key[2], key[3]]) / ms(rows[key]))
        if alone:
            body = {"numbers": key[2], "x": key[3], "seconds": key[3] * chunk_ms / 1000}
            ratio = [b.ms / a.ms for a, b in zip(sides["ours"], sides["naive"], strict=True)]
            body |= {"ratio": quartiles(ratio), "decoder_ratio": quartiles(alone)}
            body |= {side: quartiles([s.ms for s in v]) for side, v in sides.items()}
            made.append(body | {f"{side}_limit": quartiles([s.limit_ms for s in v]) for side, v in sides.items()})
    return made


def exponents(points: Sequence[Figures]) -> list[Figures]:
    """Exponent of cost against history: slope of log(ms) over log(chunks), least squares; 0 is flat, 1 linear."""
    made = []
    for numbers in kinds_of(points):
        mine = [p for p in points if p["numbers"] == numbers]
        if len(mine) > 1:
            x = np.log([p["x"] for p in mine])
            body = {s: round(float(np.polyfit(x, np.log([p[s][0] for p in mine]), 1)[0]), 3) for s in ("ours", "naive")}
            made.append({"numbers": numbers, **body})
    return made


def ages(rounds: Sequence[Round], chunk_ms: int) -> list[Figures]:
    """A whole step (hearing and deciding) after x chunks, and its quotient to that at the first age, within rounds; of
    a model whose encoders were not timed, the decision alone.
    """
    made = []
    there = [key for key in keys(rounds, "age") if key[1] == "deciding"]
    hears = any(key[1] == "hearing" for key in keys(rounds, "age"))
    for key in there:
        first = min(k[3] for k in there if k[2] == key[2])
        found, grown = [], []
        for rows in rounds:
            here, then = (_whole(rows, key[2], x, hears) for x in (key[3], first))
            if here is not None and then is not None:
                found.append(here)
                grown.append(here.ms / then.ms)
        if found:
            body = {"numbers": key[2], "x": key[3], "seconds": key[3] * chunk_ms / 1000}
            body |= {"ms": quartiles([s.ms for s in found]), "limit_ms": quartiles([s.limit_ms for s in found])}
            made.append(body | {"to_first": quartiles(grown)})
    return made


def _whole(rows: Round, numbers: str, x: int, hears: bool) -> _Sum | None:
    """None where one of both was not timed in this round."""
    kinds = {k[2] for k in rows if k[:2] == ("age", "hearing")}
    if hears and (not kinds or ("age", "hearing", beside(kinds, numbers), x) not in rows):
        return None
    return _sum(rows, "age", "", "deciding", numbers, x, ("hearing",))


def _sum(
    rows: Round, curve: str, prefix: str, decoder: str, numbers: str, x: int, others: Sequence[str] = ()
) -> _Sum | None:
    """The decoder's part in `numbers` and what was timed of the `others` beside it, by default all parts with the
    prefix. None without the decoder's.
    """
    row = rows.get((curve, prefix + decoder, numbers, x))
    if row is None:
        return None
    found, named = [row], {k[1] for k in rows if k[0] == curve and k[1].startswith(prefix)}
    for part in sorted(named & {prefix + other for other in others} if others else named - {prefix + decoder}):
        kinds = {k[2] for k in rows if k[:2] == (curve, part)}
        if more := rows.get((curve, part, beside(kinds, numbers), x)):
            found.append(more)
    floors = [limit(rows, r) for r in found]
    return _Sum(sum(ms(r) for r in found), sum(floor[0] for floor in floors if floor))
