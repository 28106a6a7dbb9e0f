"""A picture of one sample: spectrogram, sounds, speech by role, a decision for each chunk, and the responses."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.timeline import Span
from soundflow.typeset import Card, Typesetter, lay_out, rows_high

INK, SOFT, FAINT, PAPER = "#1d2733", "#66727f", "#e3e7eb", "#ffffff"
# Okabe and Ito's colours, told apart by colour-blind readers, and a violet for acts.
SPEAK, ACT, ANSWERED, LEFT, CUT = "#d55e00", "#6a3d9a", "#009e73", "#8d99a6", "#1d2733"
ROLES: Final = {"user": "#0072b2", "bystander": "#b8568f", "television": "#a6761d", "backchannel": "#56b4e9"}
CJK: Final = ("Noto Sans CJK SC", "Noto Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback")
DPI = 110
_SIDE, _RIGHT, _TOP, _GAP, _BOTTOM = 0.8, 0.3, 0.36, 0.34, 0.5
_SPECTRUM, _STRIP = 1.9, 0.42
_LINE, _BAR, _MOST = 0.19, 0.06, 5.0


def draw(meta: dict[str, Any], audio: NDArray[np.int16], out: Path) -> None:
    """Write `out` (PNG) of a sample (JSON form) and its audio [N]. Its size follows the length and what there is.

    A card's bar shows where its sound or utterance lies; a black tick in it, where the evidence for it is complete.
    """
    import matplotlib as mpl
    from matplotlib.font_manager import fontManager

    known = {font.name for font in fontManager.ttflist}
    families = ["DejaVu Sans", *(name for name in CJK if name in known)]
    with warnings.catch_warnings(), mpl.rc_context({"font.family": families}):
        warnings.simplefilter("ignore")  # a glyph that no font has is drawn as a box
        _figure(meta, audio).savefig(out, dpi=DPI, facecolor=PAPER)


def _figure(meta: dict[str, Any], audio: NDArray[np.int16]) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    length = max(meta["samples"], 1) / SR
    axis_in = float(np.clip(8.0 + 0.2 * length, 9.0, 19.0))
    scale = axis_in / length
    type_ = Typesetter(DPI)
    panels = {"sounds": _sounds(meta), "speech": _speech(meta), "responses": _responses(meta)}
    cards, hidden = {}, {}
    for name, spans in panels.items():
        wide = 2.5 if len(spans) > 10 else 4.2 if name == "responses" else 3.0
        cards[name], hidden[name] = lay_out(spans, type_, scale, axis_in, max_width=wide, max_height=_MOST)
    head = [line for text in _head(meta) for line in type_.wrap(text, 9.5, axis_in)]
    heights = {
        "spectrum": _SPECTRUM,
        **{name: rows_high(cards[name], 0.22) + 0.05 for name in ("sounds", "speech")},
        "decisions": _STRIP,
        "responses": rows_high(cards["responses"], 0.22) + 0.05,
    }
    top = _TOP + 0.2 + _LINE * len(head) + 0.42
    width = _SIDE + axis_in + _RIGHT
    height = top + sum(heights.values()) + _GAP * (len(heights) - 1) + _BOTTOM
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    y = height - top
    axes: dict[str, Any] = {}
    for name, tall in heights.items():
        y -= tall
        axes[name] = figure.add_axes((_SIDE / width, y / height, axis_in / width, tall / height))
        _plain(axes[name], meta, length, tall)
        more = f"   ({hidden[name]} more are not shown)" if hidden.get(name) else ""
        above = (y + tall + 0.06) / height
        figure.text(_SIDE / width, above, name.upper() + more, fontsize=7.5, fontweight="bold", color=SOFT)
        y -= _GAP
    _title(figure, meta, head, (width, height))
    _spectrum(axes["spectrum"], audio, length)
    for name, found in cards.items():
        _cards(axes[name], found, scale)
    _evidence(axes, cards, meta)
    _decisions(axes["decisions"], meta)
    for name in ("spectrum", "sounds", "speech", "responses"):
        for r in meta["responses"]:
            left, size = r["due_chunk"] * meta["chunk"] / SR, meta["chunk"] / SR
            axes[name].axvspan(left, left + size, color=_colour(r), alpha=0.16, lw=0, zorder=1.5)
    step = next(s for s in (0.4, 1, 2, 5, 10, 20) if s * scale >= 0.55 or s == 20)
    ticks = np.arange(0, length + 1e-6, step)
    axes["responses"].set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes["responses"].tick_params(axis="x", labelbottom=True, labelsize=8.5, labelcolor=SOFT, pad=4)
    axes["responses"].set_xlabel(
        f"seconds; the strip has a cell for each chunk of {1000 * meta['chunk'] / SR:.0f} ms", fontsize=8.5, color=SOFT
    )
    return figure


def _colour(response: dict[str, Any]) -> str:
    return ACT if response["kind"] == "act" else SPEAK


def _head(meta: dict[str, Any]) -> list[str]:
    """Lines under the title: what was asked, the scenario, the mix."""
    told = f"Instruction: {meta['instruction'] or 'none'}"
    lines = [told + (f"  ·  Tools: {meta['tools']}" if meta["tools"] else "")]
    scenario, mix = meta.get("scenario") or {}, meta.get("mix") or {}
    facts: list[str] = []
    if isinstance(hour := scenario.get("hour"), int | float):
        facts.append(f"{int(hour) % 24:02d}:{int(hour % 1 * 60):02d}")
    facts += [str(scenario[k]) for k in ("place", "activity") if scenario.get(k)]
    if scenario.get("people"):
        facts.append("with " + ", ".join(map(str, scenario["people"])))
    if scenario.get("story"):
        facts.append(str(scenario["story"]))
    lines.append("Scenario: " + ("  ·  ".join(facts) or "none"))
    said = [f"bed {Path(str(mix.get('bed', 'none'))).name}"]
    if isinstance(level := mix.get("bed_db"), int | float):
        said[0] += f" at {level:.0f} dB"
    if "rt60_s" in mix:
        said.append(f"room with RT60 {mix['rt60_s']:.2f} s")
    if isinstance(back := mix.get("backdrop"), dict):
        span = f"{back.get('onset', 0) / SR:.1f} to {back.get('offset', 0) / SR:.1f} s"
        said.append(f"behind it {back.get('label') or Path(str(back.get('source'))).name} {span}")
    if isinstance(channel := mix.get("channel"), dict):
        said.append("channel " + ", ".join(f"{k} {v}" for k, v in channel.items() if isinstance(v, str | int | float)))
    for gap in mix.get("gaps") or []:
        said.append(f"gap ({gap.get('kind')}) {gap.get('onset', 0) / SR:.1f} to {gap.get('offset', 0) / SR:.1f} s")
    lines.append("Mix: " + "  ·  ".join(said))
    return lines


def _sounds(meta: dict[str, Any]) -> list[Span]:
    answered = {r["trigger"] for r in meta["responses"]}
    reasons = {a["id"]: a["reason"] for a in meta["avoid"]}
    spans = []
    for e in meta["events"]:
        why = f" ({reasons[e['id']]})" if e["id"] in reasons else ""
        mark = ANSWERED if e["id"] in answered else LEFT
        spans.append(Span(e["onset"] / SR, e["offset"] / SR, f"{e['id']}  {e['label']}{why}", mark=mark))
    return spans


def _speech(meta: dict[str, Any]) -> list[Span]:
    reasons = {a["id"]: a["reason"] for a in meta["avoid"]}
    spans = []
    for s in meta["speech"]:
        facts = [s["speaker"]] if s["speaker"] else []
        facts += [x for x in (s.get("language", "en"), s.get("emotion", "neutral")) if x not in ("en", "neutral")]
        words = s["text"] or (f"heard as: {s['heard']}" if s.get("heard") else "(words not known)")
        why = f" [{reasons[s['id']]}]" if s["id"] in reasons else ""
        who = f"{s['id']}  {', '.join(facts)}: " if facts else f"{s['id']}  "
        role = s.get("role", "user") if s.get("role", "user") in ROLES else "bystander"
        spans.append(Span(s["onset"] / SR, s["offset"] / SR, f"{who}{words}{why}", mark=ROLES[role]))
    return spans


def _responses(meta: dict[str, Any]) -> list[Span]:
    spans = []
    for r in meta["responses"]:
        words = r["text"]
        if r["call"]:
            given = ", ".join(f"{k}={v!r}" for k, v in r["call"]["arguments"].items())
            words = f"{r['call']['name']}({given})"
        why = f"to {r['trigger']}, {r['clock']}"
        if r.get("refers_to"):
            why += f", refers to {', '.join(r['refers_to'])}"
        if r.get("cancelled_at") is not None:
            why += f", cut short at {r['cancelled_at'] / SR:.2f} s"
        left = r["due_chunk"] * meta["chunk"] / SR
        spans.append(Span(left, left + meta["chunk"] / SR, f"{r['kind']} ({why}): {words}", mark=_colour(r)))
    return spans


def _plain(axis: Any, meta: dict[str, Any], length: float, tall: float) -> None:
    axis.set(xlim=(0, length), ylim=(tall, 0), yticks=[], facecolor=PAPER, axisbelow=True)
    axis.vlines(np.arange(0, length + 1e-6, meta["chunk"] / SR), 0, tall, color=FAINT, lw=0.6, zorder=0.5)
    axis.tick_params(axis="x", length=0, labelbottom=False)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set(color=FAINT, lw=0.8)


def _title(figure: Any, meta: dict[str, Any], head: list[str], size: tuple[float, float]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    width, height = size
    left = _SIDE / width
    named = f"{meta['subtask']}" + (f"  ({meta['ability']})" if meta.get("ability") else "")
    flag = "   nothing is to be answered" if meta["negative"] else ""
    figure.text(left, 1 - 0.24 / height, named + flag, fontsize=13, fontweight="bold", color=INK, va="center")
    facts = f"{meta['id']}   {meta['samples'] / SR:.1f} s"
    figure.text(1 - _RIGHT / width, 1 - 0.24 / height, facts, fontsize=9, color=SOFT, va="center", ha="right")
    for k, line in enumerate(head):
        y = 1 - (_TOP + 0.16 + _LINE * k) / height
        figure.text(left, y, line, fontsize=9.5, color=INK, va="center", parse_math=False)
    handles: list[Any] = [Patch(color=ANSWERED, label="sound, answered"), Patch(color=LEFT, label="sound, left alone")]
    present = {s.get("role", "user") for s in meta["speech"]}
    handles += [Patch(color=c, label=f"speech, {role}") for role, c in ROLES.items() if role in present]
    handles += [Patch(color=SPEAK, label="speak"), Patch(color=ACT, label="act"), Patch(color=FAINT, label="silent")]
    handles.append(Line2D([], [], color=INK, marker="|", ms=9, mew=1.8, ls="none", label="evidence complete"))
    if any(r.get("cancelled_at") is not None for r in meta["responses"]):
        handles.append(Line2D([], [], color=CUT, marker="x", ms=7, mew=2, ls="none", label="cut short by the user"))
    figure.legend(
        handles=handles, loc="center left", bbox_to_anchor=(left, 1 - (_TOP + 0.2 + _LINE * len(head) + 0.06) / height),
        ncols=len(handles), frameon=False, fontsize=8.5, labelcolor=SOFT, handlelength=1.1, columnspacing=1.4,
        borderpad=0, borderaxespad=0,
    )  # fmt: skip


def _spectrum(axis: Any, audio: NDArray[np.int16], length: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    size, hop = 512, 160
    x = np.pad(audio.astype(np.float32) / 32768, (size // 2, size))
    frames = np.lib.stride_tricks.sliding_window_view(x, size)[::hop][: len(audio) // hop + 1]
    power = np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32))).astype(np.float32) ** 2
    decibels = 10 * np.log10(power + 1e-9)
    top = max(float(np.percentile(decibels, 99.8)), -20.0)
    shades = LinearSegmentedColormap.from_list(
        "ink", ["#f7f9fb", "#d5e1ea", "#8fb3c9", "#41799c", "#1c4468", "#0b1d33"]
    )
    shape: dict[str, Any] = {"extent": (0, len(frames) * hop / SR, 0, SR / 2000), "vmin": top - 75, "vmax": top}
    axis.imshow(decibels.T, origin="lower", aspect="auto", cmap=shades, interpolation="bilinear", zorder=1, **shape)
    axis.set(xlim=(0, length), ylim=(0, SR / 2000))
    axis.set_yticks([0, 2, 4, 6, 8], ["0", "2", "4", "6", "8 kHz"])
    axis.tick_params(axis="y", length=0, labelsize=7.5, labelcolor=SOFT)


def _cards(axis: Any, cards: list[Card], scale: float) -> None:
    """Texts under a bar that shows their span."""
    from matplotlib.patches import Rectangle

    if not cards:
        axis.text(0.004, 0.5, "none", transform=axis.transAxes, va="center", fontsize=8.5, color=SOFT)
    for card in cards:
        ink = card.span.mark
        x, y = card.left / scale, card.top
        axis.add_patch(Rectangle((x, y), card.width / scale, card.height, fc=PAPER, ec="none", zorder=2))
        axis.add_patch(Rectangle((x, y), card.width / scale, card.height, fc=ink, ec="none", alpha=0.11, zorder=2.1))
        wide = max(card.span.end - card.span.start, 0.04 / scale)
        axis.add_patch(Rectangle((card.span.start, y), wide, _BAR, fc=ink, ec="none", zorder=2.4))
        place = {"fontsize": card.size, "color": INK, "va": "top", "linespacing": 1.25, "zorder": 3}
        axis.text(x + 0.07 / scale, y + 0.085, "\n".join(card.lines), parse_math=False, **place)


def _evidence(axes: dict[str, Any], cards: dict[str, list[Card]], meta: dict[str, Any]) -> None:
    """A black tick where the evidence of a sound or a response is complete: in the bar of its trigger."""
    for name, items in (("sounds", meta["events"]), ("speech", meta["speech"])):
        for item in items:
            ends = {r["evidence_end"] for r in meta["responses"] if r["trigger"] == item["id"]}
            ends = {end for end in ends if end <= item["offset"]}  # that of a timer lies far from what set it
            ends |= {item["evidence_end"]} if "evidence_end" in item and not ends else set()
            for card in (c for c in cards[name] if c.span.text.split(" ")[0] == item["id"]):
                for end in ends:
                    span = [card.top - 0.06, card.top + _BAR]
                    axes[name].plot([end / SR] * 2, span, color=INK, lw=2, zorder=4, clip_on=False)


def _decisions(axis: Any, meta: dict[str, Any]) -> None:
    """A cell a chunk, and from the end of each response's evidence an arrow to the chunk in which it is due."""
    chunk = meta["chunk"] / SR
    number = meta["samples"] // meta["chunk"]
    due = {r["due_chunk"]: r for r in meta["responses"]}
    faces = [_colour(due[k]) if k in due else FAINT for k in range(number)]
    spans = [(k * chunk, chunk) for k in range(number)]
    axis.broken_barh(spans, (0.16, _STRIP - 0.16), facecolors=faces, edgecolor=PAPER, lw=1.0, zorder=3)
    for r in meta["responses"]:
        end = r["evidence_end"] / SR
        middle = (r["due_chunk"] + 0.5) * chunk
        axis.plot([end, end, middle], [0.0, 0.1, 0.1], color=_colour(r), lw=1.1, zorder=4, clip_on=False)
        axis.plot([middle], [0.1], marker="v", ms=5, color=_colour(r), zorder=5, clip_on=False)
        axis.plot([end] * 2, [-0.06, 0.06], color=INK, lw=2, zorder=5, clip_on=False)
        if r.get("cancelled_at") is not None:
            axis.plot([r["cancelled_at"] / SR], [0.29], marker="x", ms=7, mew=2, color=CUT, zorder=6, clip_on=False)
