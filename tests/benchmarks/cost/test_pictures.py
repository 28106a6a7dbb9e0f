"""What is written in the pictures of cost can be read: ticks enough, nothing over anything, every line named."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from benchmarks.cost import pictures, scores
from tests.benchmarks.cost.test_scores import aged, history, machine, row


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures behind the PNGs."""
    found: list[Any] = []
    original = pictures.png

    def keep(figure: Any) -> bytes:
        found.append(figure)
        return original(figure)

    monkeypatch.setattr(pictures, "png", keep)
    return found


def everything(kinds: tuple[str, ...] = ("int8", "bf16", "fp32")) -> dict[str, Any]:
    """Figures of all curves, in sizes that are seen: a decoder of half a billion weights."""
    rows = [*machine(0), *history(0), *aged(0, 12.0)]
    for k, kind in enumerate(kinds):
        slow = 2.0**k
        rows.append(row("machine", "product", kind, 1, [10.0 * slow], 0, ops=1e9))
        for x in (64, 256, 1024):
            rows.append(row("context", "lm", kind, x, [30.0 * slow + x / 100], 0, ops=2e8, bytes=1e8 * slow))
        for x in (1, 4, 16, 64):
            body = {"ops": 2e8 * x, "bytes": 1e8 * slow}
            rows.append(row("sessions", "lm", kind, x, [15.0 * slow + 3 * x], 0, **body))
            rows.append(row("sessions", "lm one by one", kind, x, [15.0 * slow * x], 0, **body))
            if kind != "fp32":
                rows.append(row("sessions", "lm again", kind, x, [107.0 * x], 0, ops=2e10 * x, bytes=1e8 * x))
            rows.append(row("sessions", "sound", kind, x, [9.0 * x], 0, **body))
            rows.append(row("sessions", "voice activity", "as shipped", x, [1.0 + x], 0, bytes=1e6))
    return scores.score(list({r["id"]: r for r in rows}.values()))


def texts(figure: Any) -> list[tuple[str, Any]]:
    """All that is written, and where."""
    figure.canvas.draw()
    found = []
    for axis in figure.axes:
        written = [axis.xaxis.label, axis.yaxis.label, *axis.texts, *axis.get_legend().get_texts()]
        written += [*axis.get_xticklabels(), *axis.get_yticklabels()]
        found += [(t.get_text(), t.get_window_extent()) for t in written if t.get_visible() and t.get_text()]
    return found


def test_nothing_is_written_over_anything_or_off_the_picture(drawn: list[Any]) -> None:
    names = [p.name for p in pictures.of(everything())]
    assert names == ["cost_context", "cost_sessions", "cost_history", "cost_age", "roofline"]
    for name, figure in zip(names, drawn, strict=True):
        there = texts(figure)
        for (one, a), (other, b) in combinations(there, 2):
            assert not a.overlaps(b), f"{name}: {one!r} and {other!r}"
        width, height = figure.canvas.get_width_height()
        for text, box in there:
            assert box.x0 >= 0, f"{name}: {text}"
            assert box.y0 >= 0, f"{name}: {text}"
            assert box.x1 <= width, f"{name}: {text}"
            assert box.y1 <= height, f"{name}: {text}"


def test_no_curve_goes_through_what_is_written_beside_it(drawn: list[Any]) -> None:
    pictures.of(everything())
    marks = [(t, axis) for figure in drawn for axis in figure.axes for t in axis.texts]
    assert {t.get_text() for t, _ in marks} == {"one\nchunk"}
    for figure in drawn:
        figure.canvas.draw()
    for text, axis in marks:
        assert text.get_window_extent().x0 > axis.get_window_extent().x1


def test_limits_are_in_the_legend_and_the_naive_way_for_sessions_is_drawn(drawn: list[Any]) -> None:
    f = everything()
    (caption,) = (p.caption for p in pictures.of(f) if p.name == "cost_sessions")
    assert "Triangles: 24 s of each encoded again. Dashed: the roofline of this machine." in caption
    for figure in drawn[:4]:
        for axis in figure.axes:
            handles, named = axis.get_legend().legend_handles, [t.get_text() for t in axis.get_legend().get_texts()]
            assert named.count("roofline of this machine") == 1
            assert handles[named.index("roofline of this machine")].get_linestyle() == "--"
    left = [t.get_text() for t in drawn[1].axes[0].get_legend().get_texts()]
    assert [name for name in left if name.endswith(" 24 s again")] == ["int8, 24 s again", "bf16, 24 s again"]
    again = [c for c in drawn[1].axes[0].containers if c.get_label() == "int8, 24 s again"]
    assert list(again[0].lines[0].get_ydata()) == [107.0, 428.0, 1712.0, 6848.0]
    drawn.clear()
    pictures.of(scores.score(history(0)))
    assert not any("roofline" in t.get_text() for t in drawn[0].axes[0].get_legend().get_texts()), "none was measured"


def test_axes_have_labels_enough(drawn: list[Any]) -> None:
    pictures.of(everything(("int8",)))
    for figure in drawn:
        for axis in figure.axes:
            low, high = axis.get_ylim()
            shown = [float(t.get_text()) for t in axis.get_yticklabels() if low <= t.get_position()[1] <= high]
            assert 4 <= len(shown) <= 10, shown


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (26.0, 800.0, [50, 100, 200, 500]),
        (2.0, 15_000.0, [10, 100, 1000, 10_000]),
        (3.0, 450.0, [3, 10, 30, 100, 300]),
        (40.0, 160.0, [50, 70, 100, 150]),
        (0.021, 0.9, [0.05, 0.1, 0.2, 0.5]),
        (100.0, 118.0, [100, 105, 110, 115]),
    ],
)
def test_ticks_of_a_log_axis_are_round_and_enough(low: float, high: float, ticks: list[float]) -> None:
    assert pictures.log_ticks(low, high) == pytest.approx(ticks)
