"""Pictures as PNG bytes: a decision timeline, recall against false alarms, step times, classes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.compose import Rendered
from benchmarks.instances import Row as Instance
from benchmarks.proactive import window
from soundflow import SAMPLE_RATE_HZ

INK, SOFT, FAINT = "#1d2733", "#66727f", "#e3e7eb"
OURS, RULES, GOOD = "#0072b2", "#d55e00", "#00876c"  # Okabe and Ito's colours
COLOURS = {"nano": OURS, "rules": RULES}
Figures = dict[str, Any]


def figure_of(
    width: float, height: float, rows: int = 1, ratios: Sequence[float] = (1.0,), columns: int = 1
) -> tuple[Any, list[Any]]:
    """A figure of so many inches and its axes in the house's style, row by row; rows share their x axis."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, height_ratios=ratios, sharex=rows > 1).ravel()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(SOFT)
        axis.tick_params(colors=SOFT, labelsize=8)
        axis.grid(color=FAINT, linewidth=0.7)
        axis.set_axisbelow(True)
    return figure, list(axes)


def png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def timeline(row: Instance, rendered: Rendered, threshold: float | None, title: str) -> bytes:
    """Spectrum, p(respond) a chunk with the decisions, and what was said, on one time axis."""
    figure, (spectrum, odds) = figure_of(9.0, 3.9, 2, (1.0, 1.1))
    audio, step = rendered.audio, row["chunk"] / SAMPLE_RATE_HZ
    spectrum.specgram(audio + 1e-7, NFFT=512, Fs=SAMPLE_RATE_HZ, noverlap=256, cmap="Greys", vmin=-130, vmax=-35)
    spectrum.set_ylabel("Hz", fontsize=8, color=SOFT)
    spectrum.set_yticks([0, 4000, 8000])
    spectrum.grid(visible=False)
    spectrum.set_title(title, fontsize=10, color=INK, loc="left")
    p = [s + a for s, a in zip(row["p_speak"], row["p_act"], strict=True)]
    odds.step([k * step for k in range(len(p) + 1)], [*p, p[-1]], where="post", color=OURS, linewidth=1.4)
    for k, letter in enumerate(row["decisions"]):
        if letter != "s":
            odds.plot((k + 1) * step, p[k], marker="^", color=RULES, markersize=9)
    if threshold is not None:
        odds.axhline(threshold, color=SOFT, linewidth=0.9, linestyle=":")
        odds.text(0.05, threshold, " threshold", fontsize=7, color=SOFT, va="bottom")
    if row["item"]["respond"] == "yes":
        first, last = window(row)
        odds.axvspan(first * step, (last + 1) * step, color=GOOD, alpha=0.12, label="an answer counts here")
    for axis in (spectrum, odds):
        axis.axvline(rendered.onset / SAMPLE_RATE_HZ, color=GOOD, linewidth=1)
        axis.axvline(rendered.offset / SAMPLE_RATE_HZ, color=GOOD, linewidth=1, linestyle="--")
        axis.set_xlim(0, len(audio) / SAMPLE_RATE_HZ)
    odds.set_ylim(-0.03, 1.12)
    odds.set_ylabel("p(respond)", fontsize=8, color=SOFT)
    lines = [f'{r["t"]:.1f} s: "{r["text"][:110]}"' for r in row["replies"][:2]] or ["nothing was said"]
    odds.set_xlabel("\n".join(["seconds", *lines]), fontsize=8, color=INK, parse_math=False)
    return png(figure)


def recall_against_alarms(figures: Figures, hours: float) -> bytes:
    """The curve of each system that has one, false alarms an hour on a log axis, and the default dial as a dot."""
    figure, (axis,) = figure_of(6.4, 4.2)
    floor = 0.5 / max(hours, 1e-3)
    for system, body in figures.items():
        points = [(p["false_alarms_hour"], p["recall"]) for p in body.get("curve", ()) if p["recall"] is not None]
        if not points:
            continue
        colour = COLOURS.get(system, SOFT)
        x = [max(a, floor) for a, _ in points]
        axis.plot(x, [r for _, r in points], color=colour, linewidth=1.8, label=system)
        if body.get("recall") is not None:
            at = max(body["false_alarms_hour"][0], floor)
            axis.plot(at, body["recall"], "o", color=colour, markersize=8, label=f"{system}, default dial")
    axis.axvline(6, color=SOFT, linewidth=0.9, linestyle=":")
    axis.text(6, 0.02, " 6 an hour", fontsize=8, color=SOFT)
    axis.set_xscale("log")
    axis.set_ylim(0, 1.03)
    axis.set_xlabel(f"false alarms an hour in {hours:.2f} h of quiet (left edge: none)", fontsize=9, color=INK)
    axis.set_ylabel("respond-recall on single events", fontsize=9, color=INK)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(frameon=False, fontsize=8, loc="lower right")
    return png(figure)


def step_times(values: Sequence[float], chunk_ms: float) -> bytes:
    """Histogram of step times with its percentiles and the deadline."""
    figure, (axis,) = figure_of(6.4, 3.2)
    top = max([*values, chunk_ms * 1.05])
    axis.hist(values, bins=np.linspace(0, top, 60), color=OURS)
    marks = zip(("p50", "p95", "p99"), np.percentile(values, [50, 95, 99]), strict=True)
    for k, (name, at) in enumerate(marks):
        axis.axvline(at, color=INK, linewidth=0.9)
        axis.text(at, axis.get_ylim()[1] * (0.96 - 0.1 * k), f" {name} {at:.0f} ms", fontsize=8, color=INK)
    axis.axvline(chunk_ms, color=RULES, linewidth=1.4)
    axis.text(chunk_ms, axis.get_ylim()[1] * 0.5, " chunk", fontsize=8, color=RULES)
    axis.set_xlabel("step time, ms", fontsize=9, color=INK)
    axis.set_ylabel("chunks", fontsize=9, color=INK)
    return png(figure)


def reliability(found: Sequence[Figures], title: str) -> bytes:
    """Share right against mean p of each bin, and how many points are in it (log axis)."""
    figure, (curve, counts) = figure_of(4.8, 5.0, 2, (3.0, 1.0))
    p, right, many = ([b[k] for b in found] for k in ("p", "right", "count"))
    curve.plot([0, 1], [0, 1], color=SOFT, linewidth=0.9, linestyle=":")
    curve.plot(p, right, "o-", color=OURS)
    for x, y, n in zip(p, right, many, strict=True):
        curve.annotate(str(n), (x, y), fontsize=7, color=SOFT, xytext=(4, -9), textcoords="offset points")
    curve.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    curve.set_title(title, fontsize=10, color=INK, loc="left")
    curve.set_ylabel("a response was right", fontsize=9, color=INK)
    counts.bar([b["from"] for b in found], many, width=0.09, align="edge", color=OURS)
    counts.set_yscale("log")
    counts.set_ylim(bottom=0.7)
    counts.set_ylabel("count", fontsize=8, color=SOFT)
    counts.set_xlabel("published p(speak) + p(act)", fontsize=9, color=INK)
    return png(figure)


def dial_curve(curves: Figures) -> bytes:
    """Recalls (left axis) and false alarms an hour (right axis) over the dial, for each SNR."""
    figure, (axis,) = figure_of(6.4, 3.8)
    alarms = axis.twinx()
    alarms.spines["top"].set_visible(False)
    for side in (axis, alarms):
        side.spines[["left", "bottom", "right"]].set_color(SOFT)
    for k, (snr, curve) in enumerate(curves.items()):
        x, faint = [p["dial"] for p in curve], 1.0 if k == 0 else 0.45
        for key, colour, name in (("respond_recall", OURS, "respond-recall"), ("silent_recall", GOOD, "silent-recall")):
            y = [p[key] if p[key] is not None else np.nan for p in curve]
            axis.plot(x, y, color=colour, alpha=faint, label=f"{name}, {snr} dB")
        if k == 0:
            alarms.plot(x, [p["false_alarms_hour"] for p in curve], color=RULES, linestyle="--")
    alarms.set_yscale("symlog", linthresh=1.0)
    alarms.set_ylim(bottom=0)
    alarms.set_ylabel("false alarms an hour (dashed)", fontsize=9, color=RULES)
    alarms.tick_params(colors=SOFT, labelsize=8)
    axis.axvline(0.5, color=SOFT, linewidth=0.9, linestyle=":")
    axis.set_ylim(0, 1.03)
    axis.set_xlabel("proactivity dial", fontsize=9, color=INK)
    axis.set_ylabel("recall", fontsize=9, color=INK)
    axis.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return png(figure)


def plain(label: str) -> str:
    """ "event/crying_baby" -> "crying baby"; the group is kept where the name does not tell it."""
    group, _, name = label.partition("/")
    words = name.removeprefix("music_").replace("_", " ")
    return words if group in ("event", words) else f"{group}: {words}"


def classes(figures: Figures, systems: Sequence[str] = ("nano", "rules")) -> bytes:
    """Share of right behaviour by class: answered where it should be, silent where not."""
    listed = [s for s in systems if s in figures]
    labels = list(dict.fromkeys(label for s in listed for label in figures[s]["by_class"]))
    figure, (axis,) = figure_of(7.2, 1.1 + 0.27 * len(labels))
    tall = 0.8 / max(1, len(listed))
    for k, system in enumerate(listed):
        for y, label in enumerate(labels):
            entry = figures[system]["by_class"].get(label)
            if entry:
                right = entry["answered"] if entry["respond"] == "yes" else 1 - entry["answered"]
                axis.barh(y + (k - (len(listed) - 1) / 2) * tall, right, tall * 0.9, color=COLOURS.get(system, SOFT))
    entries = [next(figures[s]["by_class"][x] for s in listed if x in figures[s]["by_class"]) for x in labels]
    wanted = {"yes": "answer", "no": "silent"}
    axis.set_yticks(
        range(len(labels)),
        [f"{plain(x)} ({wanted[e['respond']]}, n={e['items']})" for x, e in zip(labels, entries, strict=True)],
    )
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.set_xlim(0, 1)
    handles = [axis.barh(-9, 0, color=COLOURS.get(s, SOFT), label=s) for s in listed]
    if handles:
        axis.legend(
            frameon=False,
            fontsize=8,
            loc="upper center",
            bbox_to_anchor=(0.4, 1.0 + 0.9 / max(4, len(labels))),
            ncols=2,
        )
    axis.set_xlabel("share of right behaviour", fontsize=9, color=INK)
    return png(figure)
