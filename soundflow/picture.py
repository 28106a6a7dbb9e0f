"""The timeline picture: spectrum, sounds, words, decisions and answers of one stream on one time axis."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soundflow.errors import ConfigError
from soundflow.timeline import HIGH_HZ, LOW_HZ, Recorder, Span, mel
from soundflow.typeset import Card, Typesetter, lay_out, rows_high

# Okabe and Ito's colours: told apart by colour-blind readers.
INK, SOFT, FAINT, PAPER = "#1d2733", "#66727f", "#e3e7eb", "#ffffff"
SPEAK, ACT, SOUND, WORDS, CUT = "#0072b2", "#d55e00", "#00876c", "#a3527f", "#8d99a6"
MARKS = {"speak": (SPEAK, "^"), "act": (ACT, "D"), "cut": (CUT, "s")}
DPI = 150
_RIGHT, _GAP, _TOP, _BOTTOM = 0.4, 0.33, 1.12, 0.5
_ROW, _SPECTRUM, _DECISIONS = 0.25, 1.75, 1.15
MAX_ROWS = 8


@dataclass(frozen=True, slots=True)
class Caption:
    """Head of the picture."""

    title: str
    tier: str
    note: str = ""


def save(recorder: Recorder, path: Path, caption: Caption) -> None:
    """Draw what `recorder` holds into a PNG (or what the suffix of `path` says). ConfigError when it cannot."""
    recorder.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that no font has is drawn as a box
        figure = draw(recorder, caption)
        try:
            figure.savefig(path, dpi=DPI, facecolor=PAPER)
        except (OSError, ValueError) as error:
            raise ConfigError(f"--timeline {path}: cannot be written: {error}") from error


def draw(recorder: Recorder, caption: Caption) -> Any:
    """A matplotlib Figure; its size follows the length of the stream and what there is to read."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    length = max(recorder.seconds, 0.5)
    type_ = Typesetter(DPI)
    rows = sound_rows(recorder)
    left = max(0.85, 0.3 + max((type_.width(name, 8.5) for name in rows), default=0.0))
    axis_in = float(np.clip(7.5 + 0.16 * length, 9.0, 21.0))
    scale = axis_in / length

    story = recorder.story
    word_cards, words_hidden = lay_out(story.words.items, type_, scale, axis_in, max_width=3.4, max_height=1.7)
    answer_cards, answers_hidden = lay_out(story.answers.items, type_, scale, axis_in, max_width=3.4, max_height=2.2)
    heights = {
        "spectrum": _SPECTRUM,
        "sounds": _ROW * max(1, len(rows)),
        "words": rows_high(word_cards, 0.3) + 0.14,
        "decisions": _DECISIONS,
        "answers": rows_high(answer_cards, 0.3) + 0.14,
    }
    width = left + axis_in + _RIGHT
    height = _TOP + sum(heights.values()) + 4 * _GAP + _BOTTOM
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    axes: dict[str, Any] = {}
    y = height - _TOP
    for name, tall in heights.items():
        y -= tall
        axes[name] = figure.add_axes((left / width, y / height, axis_in / width, tall / height))
        _plain(axes[name], length)
        axes[name].set_ylim(tall, 0)
        y -= _GAP
    ticks = time_ticks(length, axis_in)
    for axis in axes.values():
        axis.set_xticks(ticks)
        axis.tick_params(axis="x", length=0, labelbottom=False)

    _head(figure, recorder, caption, (left / width, 1 - _RIGHT / width, height), type_)
    _spectrum(axes["spectrum"], recorder, length)
    _sounds(axes["sounds"], recorder, rows, scale, type_)
    _cards(axes["words"], word_cards, scale, WORDS, story.speech.items)
    if not word_cards:
        _nothing(axes["words"], "no words" if story.speech.items else "no speech")
    _decisions(axes["decisions"], recorder, length)
    _cards(axes["answers"], answer_cards, scale, None, story.voice.items)
    if not answer_cards:
        _nothing(axes["answers"], "none")
    hidden = {"words": words_hidden + story.words.dropped, "answers": answers_hidden + story.answers.dropped}
    for name, axis in axes.items():
        said = name.upper() + (f"   {hidden[name]} more are not shown" if hidden.get(name) else "")
        above = axis.get_position().y1 + 0.06 / height
        figure.text(left / width, above, said, fontsize=7.2, fontweight="bold", color=SOFT)
    bottom = axes["answers"]
    bottom.tick_params(axis="x", labelbottom=True, labelsize=8.5, labelcolor=SOFT, pad=5)
    bottom.set_xticklabels([time_text(t, length) for t in ticks])
    if len(story.decisions.items) <= 60:
        for decision in story.decisions.items:
            for name in ("spectrum", "sounds", "words", "answers"):
                colour = MARKS[decision.mark][0]
                axes[name].axvline(decision.start, color=colour, lw=0.9, ls=(0, (2, 2)), alpha=0.55, zorder=0.8)
    return figure


def sound_rows(recorder: Recorder) -> list[str]:
    """The labels worth a row: reported sounds by their best probability, then tags that rose high, then none."""
    best: dict[str, float] = {}
    for span in recorder.story.sounds.items:
        best[span.text] = max(best.get(span.text, 0.0), span.p)
    rows = sorted(best, key=lambda label: -best[label])[:MAX_ROWS]
    if recorder.labels and len(recorder.tags.values):
        peaks = recorder.tags.values.max(axis=0)
        for index in np.argsort(-peaks)[:MAX_ROWS]:
            if len(rows) < MAX_ROWS and peaks[index] >= 0.3 and recorder.labels[index] not in rows:
                rows.append(recorder.labels[index])
    first = {label: _first(recorder, label) for label in rows}
    return sorted(rows, key=lambda label: first[label])


def _first(recorder: Recorder, label: str) -> float:
    starts = [span.start for span in recorder.story.sounds.items if span.text == label]
    if starts:
        return min(starts)
    heat = recorder.tags.values[:, recorder.labels.index(label)]
    return float(np.argmax(heat >= 0.5 * heat.max())) * recorder.tags.seconds_each


def time_ticks(length: float, axis_in: float) -> list[float]:
    """Round times about every 1.1 inches."""
    least = length / axis_in * 1.1
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    step = next((s for s in steps if s >= least), least)
    return [i * step for i in range(int(length / step + 1e-6) + 1)]


def time_text(t: float, length: float) -> str:
    """A time of a stream of `length` seconds, as short as it can be read."""
    if length < 120:
        return f"{t:g} s"
    hours, minutes, rest = int(t // 3600), int(t // 60 % 60), int(t % 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if length >= 3600 else f"{minutes}:{rest:02d}"


def _plain(axis: Any, length: float) -> None:
    axis.set(xlim=(0, length), yticks=[], facecolor=PAPER, axisbelow=True)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set(color=FAINT, lw=0.8)
    axis.grid(axis="x", color=FAINT, lw=0.7)


def _nothing(axis: Any, text: str) -> None:
    axis.text(0.005, 0.5, text, transform=axis.transAxes, va="center", fontsize=8.5, color=SOFT)


def _head(
    figure: Any, recorder: Recorder, caption: Caption, place: tuple[float, float, float], type_: Typesetter
) -> None:
    from matplotlib.lines import Line2D

    left, right, height = place
    title = _shorten(caption.title, type_, (right - left) * figure.get_figwidth())
    figure.text(left, 1 - 0.3 / height, title, fontsize=14, fontweight="bold", color=INK, va="center", parse_math=False)
    facts = [f"SoundFlow {caption.tier}", time_text(round(recorder.seconds, 1), recorder.seconds), caption.note]
    said = "   ·   ".join(fact for fact in facts if fact)
    figure.text(left, 1 - 0.58 / height, said, fontsize=9.5, color=SOFT, va="center", parse_math=False)
    handles = [
        Line2D([], [], color=SPEAK, marker="^", ms=6, lw=1.6, label="speak"),
        Line2D([], [], color=ACT, marker="D", ms=5, lw=1.6, label="act"),
        Line2D([], [], color=SOUND, lw=5, label="sound"),
        Line2D([], [], color=WORDS, lw=2.4, label="speech"),
    ]
    if recorder.story.voice.items:
        handles.append(Line2D([], [], color="#56b4e9", lw=2.4, label="voice"))
    if any(span.mark == "cut" for span in recorder.story.answers.items):
        handles.append(Line2D([], [], color=CUT, lw=2.4, label="cut by barge-in"))
    where: dict[str, Any] = {"loc": "center right", "bbox_to_anchor": (right, 1 - 0.6 / height), "ncols": len(handles)}
    style: dict[str, Any] = {"frameon": False, "fontsize": 8.5, "labelcolor": SOFT, "handlelength": 1.4, "borderpad": 0}
    figure.legend(handles=handles, borderaxespad=0, **where, **style)


def _shorten(title: str, type_: Typesetter, width: float) -> str:
    """`title` with its middle taken out where it is wider than `width` inches in the head's size."""
    short = title[:200]
    while type_.width(short, 14) * 1.15 > width and len(short) > 10:
        half = (len(short) - 2) // 2
        short = short[:half].rstrip("…") + "…" + short[-half:].lstrip("…")
    return short


def _spectrum(axis: Any, recorder: Recorder, length: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    stops = ["#f7f9fb", "#d5e1ea", "#8fb3c9", "#41799c", "#1c4468", "#0b1d33"]
    shades = LinearSegmentedColormap.from_list("ink", stops)
    values = recorder.spectrum.decibels()
    if len(values):
        top = max(float(np.percentile(values, 99.7)), -10.0)  # so that room tone is not blown up to full ink
        floor = min(max(float(np.percentile(values, 8)), top - 70), top - 40)
        box = (0, len(values) * recorder.spectrum.columns.seconds_each, mel(LOW_HZ), mel(HIGH_HZ))
        limits = {"vmin": floor, "vmax": top}
        axis.imshow(
            values.T, aspect="auto", origin="lower", extent=box, cmap=shades, interpolation="bilinear", **limits
        )
    ticks = (125, 500, 1000, 2000, 4000, 8000)
    axis.set(ylim=(mel(LOW_HZ), mel(HIGH_HZ)), xlim=(0, length))
    axis.set_yticks([mel(hz) for hz in ticks], [f"{hz / 1000:g} kHz" if hz >= 1000 else f"{hz} Hz" for hz in ticks])
    axis.tick_params(axis="y", length=0, labelsize=7.5, labelcolor=SOFT)
    axis.grid(False)


def _sounds(axis: Any, recorder: Recorder, rows: list[str], scale: float, type_: Typesetter) -> None:
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import FancyBboxPatch

    axis.set_ylim(max(1, len(rows)), 0)
    length = axis.get_xlim()[1]
    if not rows:
        _nothing(axis, "none")
        return
    shades = LinearSegmentedColormap.from_list("heat", ["#00876c00", "#00876c55"])
    heat = recorder.tags.values
    for index, label in enumerate(rows):
        if label in recorder.labels and len(heat):
            strip = heat[:, recorder.labels.index(label)][None]
            box = (0, len(heat) * recorder.tags.seconds_each, index + 0.86, index + 0.14)
            axis.imshow(
                strip, aspect="auto", extent=box, cmap=shades, vmin=0.05, vmax=0.9, interpolation="nearest", zorder=1
            )
        spans = sorted((s for s in recorder.story.sounds.items if s.text == label), key=lambda s: s.start)
        for position, span in enumerate(spans):
            wide = max(span.end - span.start, 0.04 / scale)
            shape: dict[str, Any] = {
                "boxstyle": "square,pad=0",
                "lw": 0,
                "fc": SOUND,
                "alpha": 0.3 + 0.65 * span.p,
                "zorder": 2,
            }
            axis.add_patch(FancyBboxPatch((span.start, index + 0.26), wide, 0.48, **shape))
            edge = min([length, *(s.start for s in spans[position + 1 : position + 2])])
            _chance(axis, span, index, (edge, wide, scale), type_)
    axis.set_xlim(0, length)
    axis.set_yticks(np.arange(len(rows)) + 0.5, rows, parse_math=False)
    axis.tick_params(axis="y", length=0, labelsize=8.5, labelcolor=INK)


def _chance(axis: Any, span: Span, row: int, room: tuple[float, float, float], type_: Typesetter) -> None:
    """The probability in its bar or behind it, wherever it fits."""
    edge, wide, scale = room
    text = f"{span.p:.2f}"
    need = (type_.width(text, 7.5) + 0.08) / scale
    where: dict[str, Any] = {"va": "center", "fontsize": 7.5, "zorder": 3}
    if wide > need:
        axis.text(span.start + 0.05 / scale, row + 0.51, text, color=PAPER if span.p > 0.45 else INK, **where)
    elif span.start + wide + need < edge:
        axis.text(span.start + wide + 0.04 / scale, row + 0.51, text, color=SOUND, **where)


def _decisions(axis: Any, recorder: Recorder, length: float) -> None:
    values = recorder.chances.values
    axis.set_ylim(-0.16, 1.08)
    axis.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axis.tick_params(axis="y", length=0, labelsize=7.5, labelcolor=SOFT)
    axis.grid(axis="y", color=FAINT, lw=0.7)
    axis.spines["bottom"].set_visible(False)
    each = recorder.chances.seconds_each
    edges = np.arange(len(values) + 1) * each
    for column, colour, name in ((0, SPEAK, "p(speak)"), (1, ACT, "p(act)")):
        if len(values):
            axis.stairs(values[:, column], edges, color=colour, lw=1.4, zorder=3, label=name)
            axis.stairs(values[:, column], edges, color=colour, alpha=0.13, fill=True, zorder=2)
    axis.axhspan(-0.16, -0.06, color=FAINT, zorder=1, lw=0)
    decisions = recorder.story.decisions.items
    crowded = len(decisions) > 4 * axis.get_window_extent().width / axis.figure.dpi
    style: dict[str, Any] = {"ls": "none", "mec": PAPER, "zorder": 5, "clip_on": False}
    for mark in ("act", "speak"):
        colour, marker = MARKS[mark]
        found = [d for d in decisions if d.mark == mark]
        spots = [d.start - each / 2 for d in found]
        chances = [d.p for d in found]
        axis.plot(
            spots,
            chances,
            marker=marker,
            ms=4.5 if crowded else 8.5,
            mew=0.4 if crowded else 0.9,
            color=colour,
            **style,
        )
        axis.broken_barh([(d.start - each, each) for d in found], (-0.16, 0.1), color=colour, lw=0, zorder=4)
    axis.set_xlim(0, length)


def _cards(axis: Any, cards: list[Card], scale: float, colour: str | None, lines: list[Span]) -> None:
    """Texts under a bar that shows their span; `lines` are drawn along the top edge (speech heard, voice spoken)."""
    from matplotlib.patches import Rectangle

    for line in lines:
        shade = colour or "#56b4e9"
        axis.add_patch(Rectangle((line.start, 0.0), max(line.end - line.start, 0.01), 0.035, fc=shade, lw=0, alpha=0.5))
    for card in cards:
        ink = colour or MARKS[card.span.mark or "speak"][0]
        x, y = card.left / scale, card.top + 0.1
        axis.add_patch(Rectangle((x, y), card.width / scale, card.height, fc=PAPER, ec="none", zorder=2))
        axis.add_patch(Rectangle((x, y), card.width / scale, card.height, fc=ink, ec="none", alpha=0.09, zorder=2.1))
        wide = max(card.span.end - card.span.start, 0.05 / scale)
        start = min(card.span.start, axis.get_xlim()[1] - 0.05 / scale)
        axis.add_patch(Rectangle((start, y), wide, 0.045, fc=ink, ec="none", zorder=2.4))
        style: dict[str, Any] = {"fontsize": card.size, "color": INK, "zorder": 3, "va": "top", "linespacing": 1.25}
        if card.span.mark == "cut":
            style |= {"color": SOFT, "style": "italic"}
        axis.text(x + 0.07 / scale, y + 0.085, "\n".join(card.lines), parse_math=False, **style)
