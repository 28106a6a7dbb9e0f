"""The capacity curve as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.serve.capacity import CHUNK_S, Level

COLOURS = ("#0072b2", "#d55e00", "#00876c", "#7a5195", "#ef9b20")


def capacity(found: Mapping[str, Sequence[Level]], path: Path) -> None:
    """p99 (and p50, thin) of the decision against the number of live streams; the line is one chunk."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7.5, 4.2), layout="constrained")
    for colour, (case, levels) in zip(COLOURS, found.items(), strict=False):
        streams = [x.streams for x in levels]
        axis.plot(streams, [x.p99_ms for x in levels], "o-", color=colour, label=f"{case}, p99")
        axis.plot(streams, [x.p50_ms for x in levels], "--", color=colour, linewidth=1, label=f"{case}, p50")
    axis.axhline(1000 * CHUNK_S, color="#888888", linewidth=1)
    axis.annotate("one chunk", (1, 1000 * CHUNK_S), xytext=(2, 3), textcoords="offset points", color="#555555")
    axis.set(xlabel="live streams", ylabel="end of a chunk to its decision, ms", ylim=(0, 3000 * CHUNK_S))
    axis.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
