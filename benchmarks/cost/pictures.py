"""Curves of `bench cost` as PNG bytes: dots with quartiles are measured, dashed lines without dots are limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.charts import GOOD, INK, OURS, RULES, SOFT, figure_of, png
from benchmarks.cost.tables import again_s, chunk_ms, device
from benchmarks.report import Picture

Figures = dict[str, Any]
SIZE: Final = (6.8, 4.2)  # inches
LIMIT: Final = "limit"
COLOURS: Final = {"int8": OURS, "bf16": GOOD, "fp32": RULES}
ENCODERS: Final = ("#cc79a7", "#56b4e9", "#e69f00", "#4d4d4d")  # Okabe and Ito's others
STEPS: Final = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
"""Of a decade, that a log axis may show, the fewest first."""
TICKS: Final = 4


def of(f: Figures) -> list[Picture]:
    """Every picture that the figures have points for."""
    made, limit = [], f"the {_roofline(f)}"
    if f["context"]:
        words = f"One decision against tokens in the cache. Dashed: {limit} in the same run."
        made.append(Picture("cost_context", words, context(f)))
    if f["sessions"]:
        words = "A step against sessions in it. Squares: one after the other."
        words += f" Triangles: {again_s(f):g} s of each encoded again." if f["again"] else ""
        words += f" Dashed: {limit}."
        made.append(Picture("cost_sessions", words, sessions(f)))
    if f["chunk"]:
        words = "Parts of a step against the length of a chunk, ms for a second of audio; int8 where there is int8."
        made.append(Picture("cost_chunk", words, chunk_curve(f["chunk"])))
    if f["naive"]:
        words = f"One decision after so much audio: ours, and encoding all of it again. Dashed: {limit}."
        made.append(Picture("cost_history", words, history(f)))
    if f["ages"]:
        words = f"A step against the age of its session, caches full. Dashed: {limit}."
        made.append(Picture("cost_age", words, age(f)))
    if f["machine"]["read_gb_s"] and (f["context"] or f["sessions"]):
        what = device(f) or "one thread"
        words = f"Roofline (Williams et al. 2009) of {what}: passes of the decoder, by operations a byte"
        made.append(Picture("roofline", words, roofline(f)))
    return made


def context(f: Figures) -> bytes:
    """ms against tokens on log axes, for each kind of numbers, with its limit."""
    points = f["context"]
    figure, (axis,) = figure_of(*SIZE)
    for kind, colour, mine in _kinds(points, "lm"):
        _measured(axis, [p["x"] for p in mine], [p["ms"] for p in mine], colour, kind)
        _limit(axis, mine, colour)
    _finish(f, axis, "tokens in the cache", "ms", [p["x"] for p in points])
    return png(figure)


def sessions(f: Figures) -> bytes:
    """The decoder against sessions on log axes, in one pass, one after the other, and their histories encoded again;
    encoders beside it, where they were timed.
    """
    points = f["sessions"]
    others = [p for p in points if not p["part"].startswith("lm")]
    figure, axes = figure_of(SIZE[0] * (1.55 if others else 1.0), SIZE[1], columns=2 if others else 1)
    for kind, colour, mine in _kinds(points, "lm"):
        x = [p["x"] for p in mine]
        _measured(axes[0], x, [p["ms"] for p in mine], colour, kind)
        _limit(axes[0], mine, colour)
        apart = [p for k, _, found in _kinds(points, "lm one by one") if k == kind for p in found]
        if apart:
            _measured(axes[0], [p["x"] for p in apart], [p["ms"] for p in apart], colour, f"{kind}, one by one", "s:")
        elif x[0] == 1:
            axes[0].plot(x, [n * mine[0]["ms"][0] for n in x], ":", color=colour, linewidth=1.1)
        again = [p for k, _, found in _kinds(points, "lm again") if k == kind for p in found]
        if again:
            name = f"{kind}, {again_s(f):g} s again"
            _measured(axes[0], [p["x"] for p in again], [p["ms"] for p in again], colour, name, "^-.")
            _limit(axes[0], again, colour)
    for (part, kind), colour in zip(dict.fromkeys((p["part"], p["numbers"]) for p in others), ENCODERS, strict=False):
        mine = [p for p in others if (p["part"], p["numbers"]) == (part, kind)]
        _measured(axes[1], [p["x"] for p in mine], [p["ms"] for p in mine], colour, f"{part}, {kind}")
        _limit(axes[1], mine, colour)
    kinds = max(2, len({p["numbers"] for p in points if p["part"] == "lm"}))
    named = (("sessions that the decoder decides for", kinds), ("sessions in one batch of the encoder", 2))
    for axis, (what, columns) in zip(axes, named, strict=False):
        _one_chunk(axis, chunk_ms(f))
        _finish(f, axis, what, "ms", [p["x"] for p in points], columns)
    return png(figure)


def age(f: Figures) -> bytes:
    """The whole step of each kind of numbers with its limit, and what it consists of."""
    figure, (axis,) = figure_of(*SIZE)
    step, hears = chunk_ms(f) / 1000, any(p["part"] == "hearing" for p in f["age"])
    for kind, colour in COLOURS.items():
        mine = sorted((p for p in f["ages"] if p["numbers"] == kind), key=lambda p: p["x"])
        if mine:
            x = [p["seconds"] for p in mine]
            _measured(axis, x, [p["ms"] for p in mine], colour, f"{'whole step' if hears else 'decision'}, {kind}")
            _dashed(axis, x, [p["limit_ms"][0] for p in mine], colour)
    for kind, colour, mine in _kinds(f["age"], "deciding") if hears else ():
        _measured(axis, [p["x"] * step for p in mine], [p["ms"] for p in mine], colour, f"decision, {kind}", "s:")
    parts = dict.fromkeys((p["part"], p["numbers"]) for p in f["age"] if p["part"] not in ("deciding", "hearing"))
    for (part, kind), colour in zip(parts, ENCODERS, strict=False):
        mine = [p for p in f["age"] if (p["part"], p["numbers"]) == (part, kind)]
        _measured(axis, [p["x"] * step for p in mine], [p["ms"] for p in mine], colour, f"{part} encoder, {kind}", "^:")
    _one_chunk(axis, chunk_ms(f))
    _finish(f, axis, "seconds that the session is old", "ms for one step", [p["seconds"] for p in f["ages"]])
    return png(figure)


def chunk_curve(points: Sequence[Figures]) -> bytes:
    """ms a second of audio of each part, stacked, against the length of a chunk."""
    figure, (axis,) = figure_of(*SIZE)
    kinds = [n for n in COLOURS if any(p["part"] == "lm" and p["numbers"] == n for p in points)]
    sound = "int8" if kinds[:1] == ["int8"] else "fp32"
    wanted = [("lm", kinds[0], "decoder"), ("sound", sound, "sound encoder")] if kinds else []
    wanted += [("speech", "as shipped", "speech encoder"), ("voice activity", "as shipped", "voice activity")]
    lengths = sorted({p["x"] for p in points})
    below, floor = np.zeros(len(lengths)), np.zeros(len(lengths))
    for (part, numbers, name), colour in zip(wanted, (OURS, GOOD, RULES, SOFT), strict=False):
        by = {p["x"]: p for p in points if p["part"] == part and p["numbers"] == numbers}
        if set(by) != set(lengths):
            continue
        values = np.array([by[x]["ms"][0] / x * 1000 for x in lengths])
        axis.fill_between(
            lengths, below, below + values, color=colour, alpha=0.55, linewidth=0, label=f"{name}, {numbers}"
        )
        floor = floor + np.array([by[x].get("limit_ms", [0.0])[0] / x * 1000 for x in lengths])
        below = below + values
    axis.plot(lengths, floor, "--", color=INK, linewidth=1.2, label="limit of all of them")
    axis.set_ylim(0)
    axis.set_xlabel("chunk, ms (the adapter was trained for 400)", fontsize=9, color=INK)
    axis.set_ylabel("ms for a second of audio", fontsize=9, color=INK)
    _legend(axis)
    return png(figure)


def history(f: Figures) -> bytes:
    """Ours and the naive way against seconds heard, log axes."""
    figure, (axis,) = figure_of(*SIZE)
    for kind, colour in COLOURS.items():
        mine = sorted((p for p in f["naive"] if p["numbers"] == kind), key=lambda p: p["x"])
        if not mine:
            continue
        x = [p["seconds"] for p in mine]
        _measured(axis, x, [p["ours"] for p in mine], colour, f"ours, {kind}")
        _measured(axis, x, [p["naive"] for p in mine], colour, f"the whole again, {kind}", "s-")
        for side in ("ours_limit", "naive_limit"):
            _dashed(axis, x, [p[side][0] for p in mine], colour)
    _one_chunk(axis, chunk_ms(f))
    _finish(f, axis, "seconds heard before", "ms for one decision", [p["seconds"] for p in f["naive"]])
    return png(figure)


def roofline(f: Figures) -> bytes:
    """GOP/s against operations a byte: the roofs of one thread, and every pass of the decoder that was timed."""
    figure, (axis,) = figure_of(*SIZE)
    read = f["machine"]["read_gb_s"]["1"][0]
    points = [p for c in ("context", "sessions") for p in f[c] if p["part"] in ("lm", "lm again")]
    points += [p for p in f["history"] if p["part"] == "naive lm"]
    ops_byte = [p["ops"] / p["bytes"] for p in points]
    x = np.geomspace(min(ops_byte) / 2, max(ops_byte) * 2, 200)
    for kind, colour in COLOURS.items():
        rate = f["machine"]["gop_s"].get(kind, {}).get("1")
        mine = [p for p in points if p["numbers"] == kind]
        if not rate or not mine:
            continue
        axis.plot(x, np.minimum(rate[0], read * x), color=colour, linewidth=1.4, label=f"{kind}: roof")
        reached = [p["ops"] / p["ms"][0] / 1e6 for p in mine]
        axis.plot([p["ops"] / p["bytes"] for p in mine], reached, "o", color=colour, markersize=4)
    _finish(f, axis, "operations for a byte of weights and cache", "GOP/s", ())
    return png(figure)


def _kinds(points: Sequence[Figures], part: str) -> Iterator[tuple[str, str, list[Figures]]]:
    """Each kind of numbers in which `part` was timed, its colour, and its points by x."""
    for kind, colour in COLOURS.items():
        mine = sorted((p for p in points if p["part"] == part and p["numbers"] == kind), key=lambda p: p["x"])
        if mine:
            yield kind, colour, mine


def _roofline(f: Figures) -> str:
    return "roofline of " + (device(f) or "this machine")


def _limit(axis: Any, points: Sequence[Figures], colour: str) -> None:
    if points and all("limit_ms" in p for p in points):
        _dashed(axis, [p["x"] for p in points], [p["limit_ms"][0] for p in points], colour)


def _dashed(axis: Any, x: Sequence[float], y: Sequence[float], colour: str) -> None:
    if min(y) > 0:  # 0 where no limit was measured
        axis.plot(x, y, "--", color=colour, linewidth=1.1, gid=LIMIT)


def _one_chunk(axis: Any, level: float) -> None:
    """A line, named beside the axes, where no curve is."""
    axis.axhline(level, color=SOFT, linewidth=0.9)
    beside = axis.get_yaxis_transform()
    axis.text(1.01, level, "one\nchunk", transform=beside, fontsize=8, color=SOFT, va="center", linespacing=0.9)


def _measured(
    axis: Any, x: Sequence[float], values: Sequence[Sequence[float]], colour: str, name: str, style: str = "o-"
) -> None:
    mid, low, high = (np.array(v) for v in zip(*values, strict=True))
    axis.errorbar(
        x, mid, [np.maximum(mid - low, 0), np.maximum(high - mid, 0)], fmt=style, color=colour, linewidth=1.6,
        markersize=4, capsize=2, label=name,
    )  # fmt: skip


def _finish(f: Figures, axis: Any, x: str, y: str, ticks: Sequence[float], legend: int = 3) -> None:
    """Log axes with their labels and the legend. ticks: of x; none: as many as y gets."""
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.minorticks_off()
    shown = sorted(set(ticks)) or log_ticks(*axis.get_xlim())
    for place, found in ((axis.xaxis, shown), (axis.yaxis, log_ticks(*axis.get_ylim()))):
        place.set_ticks(found, [f"{t:g}" for t in found])
    axis.set_xlabel(x, fontsize=9, color=INK)
    axis.set_ylabel(y, fontsize=9, color=INK)
    handles, labels = axis.get_legend_handles_labels()
    if any(line.get_gid() == LIMIT for line in axis.lines):
        at = len(labels) if len(labels) % legend else len(labels) // legend  # under the first of full columns
        handles[at:at] = axis.plot([], [], "--", color=INK, linewidth=1.1)
        labels[at:at] = [_roofline(f)]
    _legend(axis, legend, handles, labels)


def log_ticks(low: float, high: float) -> list[float]:
    """Round values in [low, high]: of `STEPS` the first that gives `TICKS` of them, else of as even a distance as an
    axis that is not logarithmic has them.
    """
    from matplotlib.ticker import MaxNLocator

    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in STEPS:
        found = [float(f"{step}e{k}") for k in decades for step in steps]
        if len(inside := [t for t in found if low <= t <= high]) >= TICKS:
            return inside
    places = MaxNLocator(TICKS + 1, steps=[1, 2, 5, 10])
    return [float(t) for t in places.tick_values(low, high) if low <= t <= high]


def _legend(axis: Any, columns: int = 3, *named: Sequence[Any]) -> None:
    """named: handles and labels; none: those of the axis."""
    axis.legend(*named, frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns)
