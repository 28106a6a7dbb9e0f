"""The statistics of a corpus as one page of pictures."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

from data_builder.stats import Histogram, Stats
from soundflow import SAMPLE_RATE_HZ as SR

INK, SOFT, FAINT = "#1d2733", "#66727f", "#e3e7eb"
# Okabe and Ito's colours, told apart by colour-blind readers, and a violet.
PALETTE: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7b5ea7", "#8d99a6")
SPEAK, ACT, SILENT = "#d55e00", "#6a3d9a", "#c9d1d9"
REAL, MADE = "#0072b2", "#e69f00"
MOST = 18  # rows of a panel; the rest is summed in one more


def draw(stats: Stats, out: Path, title: str = "") -> Path:
    """Write `out` (PNG): hours, gaps, delays, decisions, speakers, licences, events, places."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    colours = {name: PALETTE[k % len(PALETTE)] for k, name in enumerate(sorted(stats.abilities))}
    events = _shorten({k: float(sum(v)) for k, v in stats.events.items()})
    tall = max(4.6, 0.235 * len(stats.subtasks) + 1.2)
    low = max(3.2, 0.235 * max(len(events), len(_shorten(_plain(stats.places))), len(_licences(stats))) + 1.1)
    figure = Figure(figsize=(16.5, tall + 3.4 + low + 1.1), layout=ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.1))
    FigureCanvasAgg(figure)
    pages: Any = figure.subfigures(3, 1, height_ratios=(tall, 3.4, low))
    top, middle, bottom = pages
    tasks, decisions = top.subplots(1, 2, width_ratios=(1.25, 1), sharey=True)
    lengths, gaps, delays, voices = middle.subplots(1, 4)
    licences, labels, places = bottom.subplots(1, 3)

    total = stats.total
    silent = total.silent / max(1, total.dialogues)
    figure.suptitle(
        f"{title or 'Corpus'}: {total.hours:.1f} h, {total.dialogues:,} dialogues, {len(stats.subtasks)} sub-tasks, "
        f"{silent:.0%} of the dialogues without a response",
        fontsize=15, fontweight="bold", color=INK, x=0.012, ha="left",
    )  # fmt: skip
    names = sorted(stats.subtasks, key=lambda n: (stats.subtasks[n].ability, n))
    _tasks(tasks, stats, names, colours)
    _decisions(decisions, stats, names)
    _histogram(lengths, stats.lengths, "length of a dialogue", "dialogues")
    _histogram(gaps, stats.gaps, "gap before an item (below 0: overlap)", "gaps")
    _histogram(
        delays,
        stats.delays,
        "due chunk after the evidence",
        "responses",
        "seconds from evidence complete to start of the chunk",
    )
    _speakers(voices, stats)
    _bars(licences, _licences(stats), "licences: hours of recordings and voices in the items", "hours", PALETTE[0])
    _events(labels, stats, list(events))
    _bars(places, _shorten(_plain(stats.places)), "places of the scenarios", "dialogues", PALETTE[2])
    part = out.with_name(out.name + ".part")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that no font has is drawn as a box
        figure.savefig(part, dpi=90, facecolor="white", format="png", metadata={"Software": None})
    os.replace(part, out)
    return out


def _axis(axis: Any, title: str, x: str, y: str = "") -> None:
    axis.set_title(title, fontsize=10.5, fontweight="bold", color=INK, loc="left")
    axis.set_xlabel(x, fontsize=9, color=SOFT)
    axis.set_ylabel(y, fontsize=9, color=SOFT)
    axis.tick_params(labelsize=8.5, length=0, labelcolor=INK)
    axis.set_axisbelow(True)
    axis.grid(axis="x" if not y else "y", color=FAINT, lw=0.8)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color(FAINT)


def _plain(counter: Counter[str]) -> dict[str, float]:
    return {k: float(v) for k, v in counter.items()}


def _licences(stats: Stats) -> dict[str, float]:
    return _shorten({k: v / SR / 3600 for k, v in stats.licences.items() if v})


def _shorten(values: dict[str, float]) -> dict[str, float]:
    """The largest `MOST`, largest first, and the sum of the others."""
    order = sorted(values, key=lambda k: (-values[k], k))
    kept = {k: values[k] for k in order[:MOST]}
    if rest := order[MOST:]:
        kept[f"{len(rest)} more"] = sum(values[k] for k in rest)
    return kept


def _cut(name: str, most: int = 34) -> str:
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def _tasks(axis: Any, stats: Stats, names: list[str], colours: dict[str, str]) -> None:
    from matplotlib.patches import Patch

    tallies = [stats.subtasks[n] for n in names]
    at = np.arange(len(names))
    axis.barh(at, [t.hours for t in tallies], height=0.72, color=[colours[t.ability] for t in tallies])
    for k, t in enumerate(tallies):
        axis.text(t.hours, k, f" {t.hours:.2f} h, {t.dialogues:,}", va="center", fontsize=8.5, color=INK)
    axis.set_yticks(at, [_cut(n) for n in names], parse_math=False)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(0, 1.25 * max([t.hours for t in tallies], default=1.0) or 1.0)
    _axis(axis, "hours and dialogues of each sub-task, by ability", "hours")
    # The longest bars leave no room inside; the abilities with their hours stand under the panel.
    handles = [Patch(color=c, label=f"{_cut(n)}: {stats.abilities[n].hours:.2f} h") for n, c in colours.items()]
    axis.legend(
        handles=handles, fontsize=8.5, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.09 if names else 0),
        ncols=3, labelcolor=INK, borderaxespad=0.6, handlelength=1.2,
    )  # fmt: skip


def _decisions(axis: Any, stats: Stats, names: list[str]) -> None:
    """Share of the chunks in which something is said or done; all others are silent."""
    tallies = [stats.subtasks[n] for n in names]
    at = np.arange(len(names))
    speak = np.array([100 * t.speak / max(1, t.chunks) for t in tallies])
    act = np.array([100 * t.act / max(1, t.chunks) for t in tallies])
    axis.barh(at, speak, height=0.72, color=SPEAK, label="speak")
    axis.barh(at, act, left=speak, height=0.72, color=ACT, label="act")
    for k, t in enumerate(tallies):
        share = t.silent / max(1, t.dialogues)
        axis.text(speak[k] + act[k], k, f" {share:.0%} silent", va="center", fontsize=8.5, color=SOFT)
    t = stats.total
    ratio = f"{(t.chunks - t.due) / max(1, t.due):.1f} : 1"
    axis.set_xlim(0, 1.22 * max([*(speak + act), 0.1]))
    axis.tick_params(axis="y", labelleft=False)
    _axis(axis, f"decisions: chunks with a response (silent to others in all {ratio})", "% of the chunks of 400 ms")
    note = "“silent”: dialogues without any response"
    axis.legend(
        fontsize=8.5, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.09), ncols=2, labelcolor=INK, title=note,
        title_fontproperties={"size": 8.5}, alignment="left", borderaxespad=0.6,
    )  # fmt: skip


def _histogram(axis: Any, found: Histogram, title: str, what: str, x: str = "seconds") -> None:
    edges = found.low + found.step * np.arange(found.bins + 1)
    axis.stairs(found.counts, edges, fill=True, color=PALETTE[0], alpha=0.85)
    used = np.flatnonzero(found.counts)
    if len(used):
        spare = max(2, (used[-1] - used[0]) // 20)
        axis.set_xlim(edges[max(0, used[0] - spare)], edges[min(found.bins, used[-1] + 1 + spare)])
        axis.axvline(found.quantile(0.5), color=SPEAK, lw=1.6)
    outside = f", {found.below + found.above} outside" if found.below + found.above else ""
    words = f"n {found.number:,}\nmean {found.mean:.2f} {found.unit}\nmedian {found.quantile(0.5):.2f} {found.unit}"
    axis.text(
        0.98, 0.97, words + outside.replace(", ", "\n"), transform=axis.transAxes, ha="right", va="top", fontsize=8.5,
        color=INK, bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 2},
    )  # fmt: skip
    _axis(axis, title, x, what)


def _speakers(axis: Any, stats: Stats) -> None:
    from matplotlib.patches import Patch

    who = sorted(stats.speakers.values(), key=lambda s: -s.samples)
    seconds = np.array([s.samples / SR for s in who])
    colours = [MADE if s.made else REAL for s in who]
    if len(who) > 400:  # bars thinner than a pixel
        pick = np.unique(np.linspace(0, len(who) - 1, 400).astype(int))
        axis.bar(pick, seconds[pick], width=len(who) / 400, color=[colours[k] for k in pick])
    elif who:
        axis.bar(np.arange(len(who)), seconds, width=1.0 if len(who) > 60 else 0.8, color=colours)
    if len(seconds) and seconds.max() > 30 * max(1e-3, float(np.median(seconds))):
        axis.set_yscale("log")
    made = sum(s.made for s in who)
    share = stats.real_share
    handles = [
        Patch(color=REAL, label=f"{len(who) - made} real ({share:.0%} of the speech)"),
        Patch(color=MADE, label=f"{made} synthetic"),
    ]
    axis.legend(handles=handles, fontsize=8.5, frameon=False, loc="upper right", labelcolor=INK)
    _axis(axis, "speakers, the one who says most first", "speaker", "seconds")


def _bars(axis: Any, values: dict[str, float], title: str, unit: str, colour: str) -> None:
    at = np.arange(len(values))
    axis.barh(at, list(values.values()), height=0.72, color=colour)
    for k, value in enumerate(values.values()):
        text = f" {value:,.0f}" if unit == "dialogues" else f" {value:.2f}"
        axis.text(value, k, text, va="center", fontsize=8.5, color=INK)
    axis.set_yticks(at, [_cut(n) for n in values], parse_math=False)
    axis.set_ylim(max(len(values), 4) - 0.4, -0.6)
    axis.set_xlim(0, 1.18 * max(values.values(), default=1.0) or 1.0)
    _axis(axis, title, unit)


def _events(axis: Any, stats: Stats, names: list[str]) -> None:
    pairs = [stats.events.get(n) for n in names]
    rest = [stats.events[n] for n in stats.events if n not in names]
    shown = [p if p is not None else [sum(r[0] for r in rest), sum(r[1] for r in rest)] for p in pairs]
    answered, left = np.array([s[0] for s in shown], float), np.array([s[1] for s in shown], float)
    at = np.arange(len(names))
    axis.barh(at, answered, height=0.72, color=PALETTE[2], label="answered")
    axis.barh(at, left, left=answered, height=0.72, color=PALETTE[7], label="left alone")
    for k in at:
        axis.text(answered[k] + left[k], k, f" {answered[k]:,.0f} / {left[k]:,.0f}", va="center", fontsize=8.5)
    axis.set_yticks(at, [_cut(n) for n in names], parse_math=False)
    axis.set_ylim(max(len(names), 4) - 0.4, -0.6)
    axis.set_xlim(0, 1.25 * max([*(answered + left), 1.0]))
    axis.legend(fontsize=8.5, frameon=False, loc="lower right", labelcolor=INK)
    _axis(axis, "sounds by label: answered / left alone", "sounds")
