"""`soundflow bench serve ...`: a server of our own under load. Each writes OUT/NAME.json and prints a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.options import listed, numbers_of
from benchmarks.serve import abuse as good_and_bad
from benchmarks.serve import capacity as load
from benchmarks.serve import charts, failover, soak, turns
from benchmarks.serve.attacks import ATTACKS

app = typer.Typer(no_args_is_help=True, add_completion=False, help="A server under load, over its own wire.")

Out = Annotated[Path, typer.Option(help="Folder of the results.")]
Seed = Annotated[int, typer.Option(help="Draws moments, offsets and messages.")]
COUNTS = "1,2,4,6,8,10,12,14,16,18,20,24,28,32,40,48,64"


def _write(out: Path, name: str, body: Any) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(body, indent=1) + "\n")
    typer.echo(str(out / f"{name}.json"))


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    cells = [[str(c) for c in row] for row in [head, *rows]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    for row in cells:
        typer.echo("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


@app.command()
def capacity(
    out: Out,
    cases: Annotated[str, typer.Option(help="Comma-separated.")] = "batched,one by one",
    streams: Annotated[str, typer.Option(help="Levels, comma-separated, rising.")] = COUNTS,
    seconds: Annotated[float, typer.Option(min=4.0, help="Of each level, behind its settling.")] = 20.0,
) -> None:
    """Live streams one server holds with p99 of the decision under a chunk, from one to saturation."""
    counts = numbers_of(streams, "--streams", int)
    found = {case: load.climb(case, counts, seconds) for case in listed(cases)}
    bandwidth = load.read_bandwidth_gb_s()
    _write(out, "capacity", {"read_gb_s": bandwidth, "cases": {k: [asdict(x) for x in v] for k, v in found.items()}})
    rows = [
        (x.case, x.streams, f"{x.p50_ms:.0f}", f"{x.p99_ms:.0f}", f"{x.decided:.3f}", f"{x.cores:.2f}",
         f"{x.passes_per_s:.1f}", f"{x.rss_mb:.0f}", "yes" if x.holds else "no")
        for levels in found.values() for x in levels
    ]  # fmt: skip
    _table(("case", "streams", "p50 ms", "p99 ms", "decided", "cores", "passes/s", "RSS MB", "holds"), rows)
    typer.echo(f"one thread reads {bandwidth:.1f} GB/s here")
    for case, levels in found.items():
        best = max((x for x in levels if x.holds), key=lambda x: x.streams, default=levels[0])
        read = best.passes_per_s * load.weight_bytes(case) / 1e9
        typer.echo(
            f"{case}: {load.most(levels)} streams hold, {load.most(levels) / max(best.cores, 0.01):.1f} a core in use; "
            f"the LALM's weights are read at {read:.2f} GB/s, {read / bandwidth:.0%} of that"
        )
    charts.capacity(found, out / "capacity.png")


@app.command(name="turns")
def run_turns(
    out: Out,
    count: Annotated[int, typer.Option(min=1, help="Sessions, one after the other.")] = 20,
    engine: Annotated[str, typer.Option(help="local or ray.")] = "local",
) -> None:
    """Latency over loopback of one live stream: decision, first token, first sound, stop after barge-in."""
    found = turns.run(count, engine)
    _write(out, f"turns-{engine}", asdict(found))
    for name, values in asdict(found).items():
        typer.echo(f"{name}: {turns.summary(values)}")


@app.command(name="failover")
def run_failover(out: Out, trials: Annotated[int, typer.Option(min=1)] = 20, seed: Seed = 0) -> None:
    """Two Ray actors, eight live sessions, one actor killed with SIGKILL at a random moment."""
    found = failover.run(trials, seed, typer.echo)
    _write(out, "failover", [asdict(x) for x in found])
    head = ("killed at s", "lost", "twice", "gap s", "broken", "replies", "respawn s")
    _table(head, [(f"{x.killed_at_s:.1f}", x.lost, x.twice, f"{x.gap_s:.2f}", x.broken, x.replies, f"{x.respawn_s:.1f}")
                  for x in found])  # fmt: skip
    gaps, again = [x.gap_s for x in found], [x.respawn_s for x in found]
    typer.echo(
        f"{len(found)} kills: {sum(x.lost for x in found)} chunks lost, {sum(x.twice for x in found)} decided twice, "
        f"{sum(x.broken for x in found)} of {sum(x.replies for x in found)} replies broken, gap median "
        f"{np.median(gaps):.2f} s, worst {max(gaps):.2f} s, a new actor behind {np.median(again):.1f} s"
    )


@app.command(name="soak")
def run_soak(
    out: Out,
    minutes: Annotated[float, typer.Option(min=3.0)] = 60.0,
    streams: Annotated[int, typer.Option(min=1)] = 3,
    engine: Annotated[str, typer.Option(help="local or ray.")] = "local",
    warm: Annotated[float, typer.Option(help="Minutes of warm-up that the slope leaves out.")] = 10.0,
    seed: Seed = 0,
) -> None:
    """Sessions that join and leave: RSS slope, and what is left behind."""
    settings = {"ENGINE": engine, **({"WORKERS": "2"} if engine == "ray" else {})}
    found = soak.run(minutes, streams, seed, settings)
    _write(out, f"soak-{engine}", asdict(found))
    for line in soak.lines(found, 60 * warm):
        typer.echo(line)


@app.command()
def abuse(
    out: Out,
    names: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(ATTACKS),
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    seed: Seed = 0,
) -> None:
    """Slow readers, half-open sockets, floods, oversized and broken messages beside four good streams."""
    found = good_and_bad.run(seed, listed(names), rounds)
    _write(out, "abuse", [asdict(x) for x in found])
    head = ("attack", "p99 before", "p99 during", "ratio", "ratios", "grown MB", "lost", "alive", "ended")
    rows = []
    for name in dict.fromkeys(x.name for x in found):
        of = [x for x in found if x.name == name]
        before, during, ratio = (
            np.median([getattr(x, k) for x in of]) for k in ("before_p99_ms", "during_p99_ms", "ratio")
        )
        grown, lost = max(x.grown_mb for x in of), sum(x.lost for x in of)
        ratios = " ".join(f"{x.ratio:.2f}" for x in of)
        well = all(x.alive for x in of), all(x.finished for x in of)
        rows.append((name, f"{before:.0f}", f"{during:.0f}", f"{ratio:.2f}", ratios, f"{grown:+.1f}", lost, *well))
    _table(head, rows)
