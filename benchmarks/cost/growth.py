"""How cost grows: with what was heard and with sessions (ours and encoding it again), and with the age of a session.

Within rounds; ages, which took turns within a round, turn by turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.cost.rounds import Figures, Key, Round, beside, keys, kinds_of, limit, ms, quartiles, times


@dataclass(frozen=True, slots=True)
class _Sum:
    """Of the parts of a step, ms: as timed, turn by turn as timed, and at the least by the roofline."""

    ms: float
    turns: Sequence[float]
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


def again(rounds: Sequence[Round]) -> list[Figures]:
    """One pass of ours for x sessions, the naive way for as many, and their quotient, in the rounds that timed both."""
    made = []
    for key in keys(rounds, "sessions"):
        ours = (key[0], "lm", *key[2:])
        both = [(ms(rows[ours]), ms(rows[key])) for rows in rounds if key in rows and ours in rows]
        if key[1] == "lm again" and both:
            body = {"numbers": key[2], "x": key[3], "ours": quartiles([a for a, _ in both])}
            body["naive"] = quartiles([b for _, b in both])
            limits = [floor[0] for rows in rounds if key in rows and (floor := limit(rows, rows[key]))]
            body |= {"limit_ms": quartiles(limits)} if limits else {}
            made.append(body | {"ratio": quartiles([b / a for a, b in both])})
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
    """A whole step (hearing and deciding) after x chunks, and its quotient to that at the first age, over all turns of
    all rounds; of a model whose encoders were not timed, the decision alone.
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
                grown += _quotients(here.turns, then.turns)
        if found:
            body = {"numbers": key[2], "x": key[3], "seconds": key[3] * chunk_ms / 1000}
            body |= {"ms": quartiles([t for s in found for t in s.turns])}
            body["limit_ms"] = quartiles([s.limit_ms for s in found])
            made.append(body | {"to_first": quartiles(grown)})
    return made


def aged(rounds: Sequence[Round], key: Key) -> Figures:
    """`ms` of one part at one age over all turns of all rounds, and its quotient to the same turns at the first age."""
    first = (*key[:3], min(k[3] for k in keys(rounds, "age") if k[:3] == key[:3]))
    here = [t for rows in rounds if key in rows for t in times(rows[key])]
    both = [r for r in rounds if key in r and first in r]
    grown = [q for rows in both for q in _quotients(times(rows[key]), times(rows[first]))]
    return {"ms": quartiles(here), **({"to_first": quartiles(grown)} if grown else {})}


def _quotients(here: Sequence[float], then: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(here, then, strict=False)]


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
    turns = [sum(turn) for turn in zip(*(times(r) for r in found), strict=False)]
    return _Sum(sum(ms(r) for r in found), turns, sum(floor[0] for floor in floors if floor))
