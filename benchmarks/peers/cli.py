"""Commands `peers` (run them beside ours), `peers-table` (out of finished runs) and `peers-list` (licences)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import Adapter, Audio, Out, ScoreOnly, Seed, Workers, options, show

Runs = Annotated[list[Path], typer.Argument(exists=True, file_okay=False, help="Folders of finished runs.")]


def peers(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    per_class: Annotated[int, typer.Option(min=0, help="Events of a class; 0 leaves this part out.")] = 1,
    minutes: Annotated[float, typer.Option(min=0, help="Minutes of quiet; 0 leaves this part out.")] = 6.0,
    clips: Annotated[int, typer.Option(min=0, help="Recordings of speech; 0 leaves this part out.")] = 20,
    offline: Annotated[int, typer.Option(min=0, help="Events for the offline LALM; 0 leaves it out.")] = 12,
    server: Annotated[
        list[str] | None, typer.Option(help="URL of a server that takes part, too; may come several times.")
    ] = None,
    score_only: ScoreOnly = False,
) -> None:
    """Ours beside every peer that is installed: events, quiet, words, the offline LALM; one table with ratios."""
    from benchmarks.peers.runs import run_peers
    from benchmarks.systems import check

    for name in server or ():
        check(name, "--server")
    o = options(out, audio, adapter, per_class, seed, workers, score_only=score_only)
    show(run_peers(o, per_class, minutes, clips, offline, tuple(server or ())), out)


def peers_table(runs: Runs, out: Out) -> None:
    """Ours against each peer, out of finished runs (proactive, quiet, asr) in which both took part."""
    from benchmarks.peers.runs import written

    show(written(out, runs, {}), out)


def peers_list() -> None:
    """The peers: what they are, versions, licences, and how each is installed."""
    from rich.console import Console

    from benchmarks.peers.table import licences

    Console().print(licences().rich())
