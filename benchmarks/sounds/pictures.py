"""A stream's truth against what was told, and the PSD-ROC of each scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.charts import INK, figure_of, png
from benchmarks.sounds.psds import SCENARIOS
from benchmarks.sounds.score import Stream

TRUTH = "#00876c"
COLOURS = ("#0072b2", "#d55e00", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe and Ito's


def timeline(streams: Mapping[str, Stream], title: str) -> bytes:
    """One stream: a row a class, the truth as a band, what each system told of it as bars in the row. PNG."""
    first = next(iter(streams.values()))
    shown = [n for n in first.truth if first.truth[n] or any(s.told[n] for s in streams.values())]
    figure, axes = figure_of(10.0, 1.4 + 0.32 * max(len(shown), 3))
    axis, tall = axes[0], 0.8 / max(1, len(streams))
    for y, name in enumerate(shown):
        for span in first.truth[name]:
            axis.barh(y, span.offset - span.onset, 0.9, span.onset, color=TRUTH, alpha=0.22)
        for k, (system, s) in enumerate(streams.items()):
            for span in s.told[name]:
                at = y + (k - (len(streams) - 1) / 2) * tall
                axis.barh(at, span.offset - span.onset, tall * 0.8, span.onset, color=_colour(list(streams), system))
    axis.set_yticks(range(len(shown)), [n.replace("_", " ") for n in shown])
    axis.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    axis.set_xlim(0, first.seconds)
    axis.set_xlabel("seconds", fontsize=9, color=INK)
    axis.set_title(title, fontsize=10, color=INK, loc="left", pad=22)
    handles = [axis.barh(-9, 0, color=TRUTH, alpha=0.22, label="truth")]
    handles += [axis.barh(-9, 0, color=_colour(list(streams), s), label=f"{s} told") for s in streams]
    axis.legend(
        handles=handles, frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(handles)
    )
    return png(figure)


def roc(figures: Mapping[str, Any]) -> bytes:
    """True-positive rate over classes against effective false positives an hour, one picture a scenario. PNG."""
    figure, axes = figure_of(10.0, 4.0, columns=len(SCENARIOS))
    for axis, (kind, scenario) in zip(axes, SCENARIOS.items(), strict=True):
        for system, body in figures.items():
            found = body.get("psds", {}).get(kind)
            if found:
                x = [*(p[0] for p in found["curve"]), scenario.max_efpr]
                y = [p[1] for p in found["curve"]]
                label = f"{system}: PSDS {found['psds']:.3f}"
                colour = _colour(list(figures), system)
                axis.step(x, [*y, y[-1]], where="post", color=colour, linewidth=1.8, label=label)
        tolerance = f"dtc {scenario.dtc:g}, gtc {scenario.gtc:g}"
        cross = "" if scenario.cttc is None else f", cttc {scenario.cttc:g}, alpha_ct {scenario.alpha_ct:g}"
        axis.set_title(f"{kind} ({tolerance}{cross})", fontsize=10, color=INK, loc="left")
        axis.set(xlim=(0, scenario.max_efpr), ylim=(0, 1.03))
        axis.set_xlabel("effective false positives an hour", fontsize=9, color=INK)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(frameon=False, fontsize=8, loc="upper left")
    axes[0].set_ylabel("mean - deviation of the classes' recall", fontsize=9, color=INK)
    return png(figure)


def _colour(among: Sequence[str], system: str) -> str:
    return COLOURS[among.index(system) % len(COLOURS)]
