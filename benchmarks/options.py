"""Command line options that the benchmarks share, and what they make of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from benchmarks import report, runs
from benchmarks.runs import Options
from benchmarks.systems import NAMES
from soundflow.errors import ConfigError

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
    return Options(out, audio, adapter, per_class, seed, workers, listed(systems), score_only, proactivity)


def listed(text: str, flag: str = "") -> tuple[str, ...]:
    """What stands between the commas, each once. With a flag: ConfigError, which names it, where there is nothing."""
    found = tuple(dict.fromkeys(s.strip() for s in text.split(",") if s.strip()))
    if flag and not found:
        raise ConfigError(f"{flag}: expected at least one name, got {text!r}")
    return found


Number = TypeVar("Number", int, float)


def numbers_of(text: str, flag: str, kind: type[Number]) -> tuple[Number, ...]:
    """The numbers between the commas. ConfigError, which names the flag, for anything else and for none."""
    try:
        found = tuple(kind(x) for x in listed(text))
    except ValueError:
        found = ()
    if not found:
        raise ConfigError(f"{flag}: expected {'whole ' if kind is int else ''}numbers such as 1,5,20, got {text!r}")
    return found


def show(result: runs.Result, out: Path) -> None:
    """The tables on the terminal, and where the page is."""
    report.show([result.section])
    typer.echo(f"{out / 'report.html'}")
