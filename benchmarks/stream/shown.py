"""Figures of streams -> tables and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.charts import COLOURS, GOOD, INK, OURS, RULES, SOFT, figure_of, png
from benchmarks.stream import needle, review
from benchmarks.stream.recall import SPOKEN, TYPED
from benchmarks.tables import Table, interval, num

Figures = dict[str, Any]
NOT_OURS: Final = (GOOD, INK, "#cc79a7", "#56b4e9")
STYLES: Final = ("o-", "s--", "^:")
WAYS: Final = {SPOKEN: "spoken", TYPED: "typed"}


def _cell(values: Sequence[Any] | None, digits: int = 3) -> str:
    """As `interval`; "-" where there is no value, and a value alone where there is no interval."""
    if not values or values[0] is None:
        return "-"
    return num(values[0], digits) if values[1] is None else interval(values, digits)


def kept_tables(figures: Figures) -> list[Table]:
    """What is kept of the event and of the question alone, by N and by position."""
    tables = []
    if "events" in figures:
        rows, places = [], []
        for system, setups in figures["events"].items():
            for name, f in setups.items():
                alarms = f"{f['between']['alarms']} in {f['between']['hours']:.2f} h"
                recalls = [_cell(f[k]) for k in ("balanced_accuracy", "respond_recall", "silent_recall")]
                waits = " / ".join(num(f["delay_s"][k], 2) for k in ("audio", "with_compute"))
                counts = [str(f["streams"]), str(f["events"])]
                rows.append(
                    [system, name, *counts, *recalls, _cell(f.get("retention")), waits, alarms, str(f["failed"])]
                )
                for place in f.get("by_position", ()):
                    cells = [_cell(place["balanced_accuracy"]), _cell(place.get("retention"))]
                    places.append([system, name, place["positions"], *cells])
        columns = ["system", "sounds a stream", "streams", "sounds", "balanced accuracy", "respond-recall"]
        columns += ["silent-recall", "kept of alone", "delay s: audio / with compute", "answers between", "failed"]
        note = "Kept: balanced accuracy over that of the same recordings alone. 95 % bootstrap over streams, in pairs."
        heads = ["system", "sounds a stream", "position", "balanced accuracy", "kept of alone"]
        tables += [Table("Sounds in one stream", columns, rows, note), Table("Sounds by position", heads, places)]
    if "questions" in figures:
        rows, places = [], []
        for system, setups in figures["questions"].items():
            for name, f in setups.items():
                waits = " / ".join(num(f["delay_s"][k], 2) for k in ("audio", "with_compute"))
                cells = [_cell(f["answered"]), _cell(f["right"]), _cell(f.get("retention"))]
                counts = [str(f["streams"]), str(f["questions"]), num(f["heard"], 2)]
                rows.append([system, name, *counts, *cells, waits, str(f["failed"])])
                for place in f.get("by_position", ()):
                    kept = [_cell(place["right"]), _cell(place["retention"])]
                    places.append([system, name, place["positions"], *kept])
        columns = ["system", "questions a stream", "streams", "questions", "recognised", "answered in time", "right"]
        columns += ["kept of alone", "delay s: audio / with compute", "failed"]
        note = (
            "Right: in time and with the content of the answer. Kept: right over right of the same questions alone. "
            "Recognised: words within a word error rate of 0.2 (0 for a system without words)."
        )
        heads = ["system", "questions a stream", "position", "right", "kept of alone"]
        tables += [Table("Questions in one stream", columns, rows, note), Table("Questions by position", heads, places)]
    return tables


def review_tables(figures: Figures) -> list[Table]:
    """Share right by kind, and by lag."""
    rows, notes = [], []
    bodies = figures["systems"].values()
    lags = [lag for body in bodies for way in WAYS for kinds in body.get(way, {}).values() for lag in kinds]
    lags = sorted({lag for lag in lags if lag != "all"}, key=float)
    for system, body in figures["systems"].items():
        for way in (w for w in WAYS if w in body):
            for kind, by in body[way].items():
                f = by["all"]
                at = [_cell(by[lag]["right"], 2) if lag in by else "-" for lag in lags]
                less, level = _cell(f.get("minus_no_memory"), 2), num(figures["chance"][kind], 2)
                cells = [str(f["probes"]), _cell(f["right"], 2), *at, less, level]
                heard = [_cell(f["answered"], 2), num(f["recognised"], 2) if way == SPOKEN else "-"]
                rows.append([system, WAYS[way], review.KINDS[kind], *cells, *heard])
        notes.append([system, num(body.get("noticed"), 2), str(body["failed"])])
    columns = ["system", "asked", "what", "n", "right", *(f"lag {lag}" for lag in lags), "minus no memory"]
    columns += ["chance", "answered", "recognised"]
    note = (
        "Lag: rounds since. Each question in a fork of the conversation. Chance: the answer of another one. 95 % "
        "bootstrap over conversations (Wilson's interval where all agree)."
    )
    seen = Table("Perception", ["system", "sound noticed", "failed"], notes, "Share of the sounds that were tagged.")
    return [Table("History review", columns, rows, note), seen]


def needle_tables(figures: Figures) -> list[Table]:
    """Content, yes and no, false memory, by depth."""
    rows, depths, notes = [], [], []
    for system, body in figures["systems"].items():
        for way in (w for w in WAYS if w in body):
            f = body[way]
            for kind, label in needle.KINDS.items():
                g = f[kind]
                level = num(figures["chance"]["before"]) if kind == "before" else ""
                cells = [
                    _cell(g["right"]),
                    _cell(g["answered"], 2),
                    num(g["recognised"], 2) if way == SPOKEN else "-",
                ]
                sides = [_cell(g.get(side)) for side in ("alerting", "other")]
                cells += [*sides, _cell(g.get("minus_no_memory"))]
                rows.append([system, way, label, str(g["probes"]), *cells, level])
            notes.append(
                [
                    *(system, way, num(f["balanced"]), _cell(f["false_memory"]), num(body.get("unasked_hour"), 1)),
                    *(str(body["streams"]), str(body["failed"])),
                ]
            )
    columns = ["system", "asked", "question", "n", "right", "answered", "recognised", "alerting", "other"]
    columns += ["minus no memory", "chance"]
    note = f"Streams of {figures['minutes']:g} minutes; each question in a fork at the end."
    heads = ["system", "asked", "yes-no balanced", "false memory", "unasked answers/h", "streams", "failed"]
    said = "Balanced: 0.5 for whoever always says the same. False memory: says that it heard what never was."
    for system, body in figures["systems"].items():
        for kind in ("before", "present"):
            by = {way: body[way][kind]["by_depth"] if way in body else {} for way in WAYS}
            for depth in by[SPOKEN]:
                cells = [_cell(by[way].get(depth)) for way in WAYS]
                noticed = num(body.get("noticed", {}).get(depth), 2)
                depths.append([system, needle.KINDS[kind], f"{float(depth):.0%}", *cells, noticed])
    columns2 = ["system", "question", "needle at", "right, spoken", "right, typed", "needle noticed"]
    return [
        Table("Needles in a long stream", columns, rows, note),
        Table("False memory", heads, notes, said),
        Table("By depth", columns2, depths, "Noticed: perception tagged the needle as it sounded."),
    ]


def curve(series: Mapping[str, Sequence[tuple[str, Any]]], x_label: str, y_label: str, line: float | None) -> bytes:
    """Lines with error bars over named places, PNG: series name -> (place, [value, low, high] or None).

    `line`: a dotted level. Names that begin with a system have its colour; a system's later lines are dashed.
    """
    figure, (axis,) = figure_of(6.8, 3.9)
    places = list(dict.fromkeys(place for points in series.values() for place, _ in points))
    systems = list(dict.fromkeys(name.split(",")[0] for name in series))
    free = iter(NOT_OURS * len(systems))
    colours = {s: COLOURS.get(s) or {"nano": OURS, "rules": RULES}.get(s) or next(free) for s in systems}
    drawn: dict[str, int] = {}
    for name, points in series.items():
        system = name.split(",")[0]
        k = drawn[system] = drawn.get(system, -1) + 1
        known = [(place, v) for place, v in points if v and v[0] is not None]
        if not known:
            continue
        shift = 0.05 * (list(series).index(name) - len(series) / 2)
        x = np.array([places.index(place) + shift for place, _ in known])
        values = np.array([[a if a is not None else v[0] for a in v] for _, v in known], dtype=float)
        spread = np.abs(values[:, 1:].T - values[:, 0])
        style = STYLES[min(k, len(STYLES) - 1)]
        axis.errorbar(x, values[:, 0], spread, fmt=style, color=colours[system], capsize=2, markersize=5, label=name)
    if line is not None:
        axis.axhline(line, color=SOFT, linewidth=0.9, linestyle=":")
    axis.set_xticks(range(len(places)), places)
    axis.set_ylim(bottom=-0.03)
    axis.set_xlabel(x_label, fontsize=9, color=INK)
    axis.set_ylabel(y_label, fontsize=9, color=INK)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return png(figure)


def kept_series(figures: Figures) -> dict[str, list[tuple[str, Any]]]:
    """ "system, what, gaps" -> (N, kept of alone)."""
    found: dict[str, list[tuple[int, Any]]] = {}
    for what in ("events", "questions"):
        for system, setups in figures.get(what, {}).items():
            for name, f in setups.items():
                n, gaps = name.split(" ", 1)
                if f.get("retention", [None])[0] is not None:
                    found.setdefault(f"{system}, {_what(what, gaps)}", []).append((int(n), f["retention"]))
    return {name: [("1", [1.0, 1.0, 1.0]), *((str(n), v) for n, v in sorted(p))] for name, p in found.items()}


def place_series(figures: Figures) -> dict[str, list[tuple[str, Any]]]:
    """ "system, what, gaps" -> (position, kept of alone) in the longest streams."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for what in ("events", "questions"):
        for system, setups in figures.get(what, {}).items():
            longest: dict[str, int] = {}
            for name in setups:
                n, gaps = name.split(" ", 1)
                longest[gaps] = max(longest.get(gaps, 0), int(n))
            for gaps, n in longest.items():
                body = setups[f"{n} {gaps}"].get("by_position", [])
                points = [(p["positions"], p.get("retention")) for p in body]
                if points:
                    found[f"{system}, {_what(what, gaps)}"] = points
    return found


def _what(what: str, gaps: str) -> str:
    return "questions" if what == "questions" else f"sounds, {gaps}"


def lag_series(figures: Figures) -> dict[str, list[tuple[str, Any]]]:
    """ "system, asked, fact or sound" -> (lag, share right)."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for system, body in figures["systems"].items():
        way = TYPED if TYPED in body else SPOKEN
        for kind in ("fact", "before"):
            lags = body.get(way, {}).get(kind, {})
            found[f"{system}, {way}, {kind}"] = [(lag, f["right"]) for lag, f in lags.items() if lag != "all"]
    return {k: v for k, v in found.items() if v}


def depth_series(figures: Figures) -> dict[str, list[tuple[str, Any]]]:
    """ "system, asked, kind" -> (depth, share right)."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for system, body in figures["systems"].items():
        way = TYPED if TYPED in body else SPOKEN
        for kind in ("before", "present"):
            by = body.get(way, {}).get(kind, {}).get("by_depth", {})
            found[f"{system}, {way}, {kind}"] = [(f"{float(d):.0%}", v) for d, v in by.items()]
    return {k: v for k, v in found.items() if v}
