"""`soundflow bench stream retention | review | needle | sentences`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import Adapter, Audio, Out, ScoreOnly, Seed, Systems, Workers, numbers_of, options, show
from soundflow.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="What a long stream keeps: retention, history review, needles.")

Voices = Annotated[
    Path | None, typer.Option("--spoken", help="`sentences` by other voices (soundflow data say); default: flite.")
]


@app.command()
def retention(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = "nano,rules,always-silent",
    rounds: Annotated[str, typer.Option(help="Events a stream, comma-separated.")] = "1,3,5,10,20",
    streams: Annotated[int, typer.Option(min=1, help="Draws of as many events as the longest stream holds.")] = 12,
    gaps: Annotated[str, typer.Option(help="short, long (no cool-down reaches across; minutes) or both.")] = "both",
    what: Annotated[str, typer.Option(help="events, questions or both.")] = "both",
    spoken: Voices = None,
    score_only: ScoreOnly = False,
) -> None:
    """The same sounds and questions at 1 to 20 rounds in one stream: what is kept of each alone."""
    from benchmarks.stream import events, run

    chosen = {"both": events.GAPS, "short": (events.SHORT,), "long": (events.LONG,)}.get(gaps)
    of = {"both": run.BOTH, "events": ("events",), "questions": ("questions",)}.get(what)
    if chosen is None or of is None:
        raise ConfigError(f"expected --gaps short, long or both, --what events, questions or both; got {gaps}, {what}")
    o = options(out, audio, adapter, seed=seed, workers=workers, systems=systems, score_only=score_only)
    show(run.run_retention(o, numbers_of(rounds, "--rounds", int), streams, chosen, of, spoken), out)


@app.command()
def review(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = "nano,nano-no-memory,always-silent",
    streams: Annotated[int, typer.Option(min=1, help="Conversations.")] = 24,
    lags: Annotated[str, typer.Option(help="Rounds between, comma-separated, 1 to 10.")] = "1,3,5,10",
    spoken: Voices = None,
    score_only: ScoreOnly = False,
) -> None:
    """What was told, and what was heard, so many rounds ago; against no memory and chance."""
    from benchmarks.stream import run

    o = options(out, audio, adapter, seed=seed, workers=workers, systems=systems, score_only=score_only)
    show(run.run_review(o, streams, numbers_of(lags, "--lags", int), spoken), out)


@app.command()
def needle(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = "nano,nano-no-memory,always-silent",
    minutes: Annotated[float, typer.Option(min=0.5, help="Length of a stream; 60 is the hour.")] = 10.0,
    streams: Annotated[int, typer.Option(min=1, help="Streams.")] = 2,
    depths: Annotated[str, typer.Option(help="Where needles are, share of the stream.")] = "0.05,0.25,0.5,0.75,0.95",
    spoken: Voices = None,
    score_only: ScoreOnly = False,
) -> None:
    """One sound somewhere in a long stream: what was heard before it, was it there, and what never was."""
    from benchmarks.stream import run

    where = numbers_of(depths, "--depths", float)
    o = options(out, audio, adapter, seed=seed, workers=workers, systems=systems, score_only=score_only)
    show(run.run_needle(o, minutes, streams, where, spoken), out)


@app.command()
def sentences() -> None:
    """Everything that is said in these streams, one a line: `soundflow data say` gives it other voices."""
    from benchmarks.stream.words import sentences as every

    for text in every():
        typer.echo(text)
