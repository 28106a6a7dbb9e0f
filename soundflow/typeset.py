"""Texts on a time axis that never lie on one another: measure, wrap, stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from soundflow.timeline import Span

SIZE = 8.5
LINE = SIZE * 1.25 * 1.2 / 72
_PAD = 0.07
_HEAD = 0.085
_SPACE = 0.05
_LONGEST = 5
_KNOWN = 10_000


@dataclass(slots=True)
class Card:
    """One text. `left`, `top`, `width` and `height` in inches from the top left corner of its panel."""

    span: Span
    lines: list[str]
    left: float
    top: float
    width: float
    height: float
    size: float = SIZE


class Typesetter:
    """Widths of text as they will be drawn."""

    def __init__(self, dpi: int) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.font_manager import FontProperties

        canvas: Any = FigureCanvasAgg(Figure(dpi=dpi))
        self._renderer = canvas.get_renderer()
        self._font = FontProperties
        self._dpi = dpi
        self._known: dict[tuple[str, float], float] = {}

    def width(self, text: str, size: float) -> float:
        """Inches."""
        if (text, size) in self._known:
            return self._known[text, size]
        if len(self._known) >= _KNOWN:
            self._known.clear()
        wide, _, _ = self._renderer.get_text_width_height_descent(text, self._font(size=size), ismath=False)
        self._known[text, size] = float(wide) / self._dpi
        return self._known[text, size]

    def wrap(self, text: str, size: float, width: float) -> list[str]:
        """Lines no wider than `width` inches; at most five, the last one then ends with an ellipsis."""
        lines: list[str] = []
        line = ""
        for word in self._pieces(text, size, width):
            longer = f"{line} {word}" if line else word
            if line and self.width(longer, size) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
        if len(lines) <= _LONGEST:
            return lines
        last = lines[_LONGEST - 1]
        while last and self.width(last + "…", size) > width:
            last = last[:-1]
        return [*lines[: _LONGEST - 1], last.rstrip() + "…"]

    def _pieces(self, text: str, size: float, width: float) -> list[str]:
        """Words; one that is wider than a line is cut."""
        pieces: list[str] = []
        for word in text.split():
            rest = word
            while self.width(rest, size) > width and len(rest) > 1:
                cut = max(1, int(len(rest) * width / self.width(rest, size)) - 1)
                pieces.append(rest[:cut])
                rest = rest[cut:]
            pieces.append(rest)
        return pieces


def lay_out(
    spans: Sequence[Span], type_: Typesetter, scale: float, axis_in: float, *, max_width: float, max_height: float
) -> tuple[list[Card], int]:
    """Place a card for each span, `scale` inches a second, on an axis of `axis_in` inches.

    A card starts where its span starts and moves left only at the end of the axis. Cards that meet are stacked;
    one that would pass `max_height` inches is left out and counted.
    """
    cards: list[Card] = []
    hidden = 0
    for span in sorted(spans, key=lambda s: s.start):
        long = (span.end - span.start) * scale
        lines = type_.wrap(span.text, SIZE, min(max(long - 2 * _PAD, min(max_width, axis_in / 3)), axis_in - 2 * _PAD))
        width = max(max(type_.width(line, SIZE) for line in lines) + 2 * _PAD, min(long, axis_in))
        left = max(0.0, min(span.start * scale, axis_in - width))
        card = Card(span, lines, left, 0.0, width, _HEAD + len(lines) * LINE + 0.03)
        near = [c for c in cards[-200:] if c.left < left + width + _SPACE and left < c.left + c.width + _SPACE]
        tops = sorted([0.0, *(c.top + c.height + _SPACE for c in near)])
        free = (
            t
            for t in tops
            if all(t >= c.top + c.height + _SPACE - 1e-9 or t + card.height + _SPACE <= c.top for c in near)
        )
        card.top = next(free)
        if card.top + card.height > max_height:
            hidden += 1
        else:
            cards.append(card)
    return cards, hidden


def rows_high(cards: Sequence[Card], least: float) -> float:
    """Inches that `cards` need."""
    return max([least, *(c.top + c.height for c in cards)])
