"""Command line options that the benchmarks share, and what they make of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import report, runs
from benchmarks.runs import Options
from benchmarks.systems import NAMES

ALL = ",".join(NAMES)
Out = Annotated[Path, typer.Option(help="Folder of instances.jsonl, figures.json, report.md and report.html.")]
Audio = Annotated[Path | None, typer.Option(help="Folder with index.csv and the audio; default $SOUNDFLOW_AUDIO.")]
Adapter = Annotated[Path | None, typer.Option(help="Checkpoint to measure; default: the one that ships.")]
PerClass = Annotated[int, typer.Option(min=0, help="At most so many clips of a class; 0 = all.")]
Seed = Annotated[int, typer.Option(help="Draws clips, levels and beds.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes of one thread each; 0 = in this one.")]
Systems = Annotated[
    str, typer.Option("--systems", "--system", help="Comma-separated names, or URLs of servers; docs/benchmarks.md.")
]
Dial = Annotated[float, typer.Option(min=0.0, max=1.0, help="Our dial; at 0 it listens and never answers.")]
Heard = Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder of such a run; hears nothing.")]
ScoreOnly = Annotated[bool, typer.Option("--score-only", help="Score the instances.jsonl that is there; hear nothing.")]


def options(
    out: Path,
    audio: Path | None = None,
    adapter: Path | None = None,
    per_class: int = 12,
    seed: int = 0,
    workers: int = 2,
    systems: str = ALL,
    score_only: bool = False,
    proactivity: float = 0.5,
) -> Options:
    """The options of a run; every worker computes on one thread."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # inherited by the workers
    names = tuple(s.strip() for s in systems.split(",") if s.strip())
    return Options(out, audio, adapter, per_class, seed, workers, names, score_only, proactivity)


def show(result: runs.Result, out: Path) -> None:
    """The tables on the terminal, and where the page is."""
    report.show([result.section])
    typer.echo(f"{out / 'report.html'}")
