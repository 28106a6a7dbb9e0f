"""One interruption drawn: the user, and what each system said, on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.charts import COLOURS, FAINT, GOOD, INK, RULES, SOFT, figure_of, png
from benchmarks.duplex.marks import said
from benchmarks.instances import Row as Instance
from soundflow import SAMPLE_RATE_HZ
from soundflow.types import FloatArray

PER_S = 100
LETTERS_A_S, LETTERS = 10, 60  # of a sentence that are written


def timeline(rows: Sequence[Instance], mic: FloatArray, title: str) -> bytes:
    """Rows of one sample, a lane each under the user's audio [n] of the first."""
    figure, axes = figure_of(9.0, 1.5 + 0.75 * len(rows), 2, (1.0, 0.75 * len(rows)))
    user, lanes = axes
    step = SAMPLE_RATE_HZ // PER_S
    peaks = [float(abs(mic[k : k + step]).max()) for k in range(0, len(mic) - step, step)]
    times = [k / PER_S for k in range(len(peaks))]
    user.fill_between(times, [-p for p in peaks], peaks, color=SOFT, linewidth=0)
    user.set(yticks=[], ylabel="user")
    user.set_title(title, fontsize=10, color=INK, loc="left", parse_math=False)
    for lane, row in enumerate(rows):
        _lane(lanes, lane, row)
        if row["over"]:
            a, b = (x / SAMPLE_RATE_HZ for x in row["over"])
            lanes.fill_betweenx([lane - 0.45, lane + 0.45], a, b, color=FAINT, zorder=0)
            lanes.plot([a, a], [lane - 0.45, lane + 0.45], color=GOOD, linewidth=1.2)
            lanes.plot([b, b], [lane - 0.45, lane + 0.45], color=GOOD, linewidth=1.2, linestyle="--")
    lanes.set_yticks(range(len(rows)), [row["system"] for row in rows])
    lanes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, len(mic) / SAMPLE_RATE_HZ))
    lanes.set_xlabel("seconds; green: the user's interruption; cross: the reply was cut", fontsize=8, color=INK)
    return png(figure)


def _lane(axis: Any, lane: int, row: Instance) -> None:
    colour = COLOURS.get(row["system"], RULES)
    for piece in said(row):
        if piece.end > piece.start:
            axis.barh(lane, piece.end - piece.start, left=piece.start, height=0.5, color=colour, edgecolor="white")
            room = min(LETTERS, int((piece.end - piece.start) * LETTERS_A_S))
            words = piece.text if len(piece.text) <= room else piece.text[: max(1, room - 1)] + "…"
            axis.text(piece.start + 0.05, lane, words, fontsize=7, color="white", va="center", parse_math=False)
        if piece.end > piece.start and piece.end < piece.whole - 1e-6:
            axis.plot(piece.end, lane, marker="x", color=INK, markersize=8, markeredgewidth=2)
