"""Commands: `bench latency`, `bench cost`, `bench capacity`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import Adapter, Audio, Out, ScoreOnly, Seed, listed, numbers_of, options, show
from soundflow.errors import ConfigError


def latency(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    minutes: Annotated[float, typer.Option(min=0, help="Minutes at real-time pace.")] = 1.0,
    hours: Annotated[float, typer.Option(min=0, help="Hours of audio at full speed, for drift.")] = 0.0,
    replies: Annotated[int, typer.Option(min=0, help="Spoken replies: first token and first audio.")] = 8,
    score_only: ScoreOnly = False,
) -> None:
    """Step times at real-time pace, first token and first audio, real-time factor, memory and drift, energy."""
    from benchmarks.cost import runs

    o = options(out, audio, adapter, seed=seed, score_only=score_only)
    show(runs.run_latency(o, minutes, hours, replies), out)


def cost(
    out: Out,
    adapter: Adapter = None,
    seed: Seed = 0,
    model: Annotated[
        Path | None, typer.Option(help="Folder of a whole model, nano, base or omni, in place of nano as it ships.")
    ] = None,
    shape: Annotated[
        str, typer.Option(help="Random weights of a published size, no encoders: nano, qwen2.5-0.5b, thinker-7b, ...")
    ] = "",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N.")] = "cpu",
    rounds: Annotated[int, typer.Option(min=1, help="Times that every point is measured.")] = 5,
    numbers: Annotated[
        str, typer.Option(help="Of int8, bf16, fp32, comma-separated; empty: all on a CPU, bf16 on a GPU.")
    ] = "",
    curves: Annotated[
        str, typer.Option(help="Of context, sessions, chunk (nano), history, age; empty: all that the model has.")
    ] = "",
    words: Annotated[
        int | None,
        typer.Option(min=0, help="Said in a chunk; default: one where a base recognises words, else 0."),
    ] = None,
    small: Annotated[bool, typer.Option("--small", help="Fewer points: some minutes.")] = False,
    score_only: ScoreOnly = False,
) -> None:
    """A step against context, sessions, chunk length, history and age, beside the limits of this machine or GPU in the
    same run: nano as it ships, any model folder, or random weights of a published size."""
    from benchmarks.cost import runs, shapes
    from benchmarks.cost.curves import LARGE, SMALL

    wanted = runs.Wanted(
        SMALL if small else LARGE,
        rounds,
        listed(numbers, "--numbers" if numbers else ""),
        curves=listed(curves, "--curves" if curves else ""),
        model=model,
        shape=shapes.find(shape) if shape else None,
        words=words,
        device=device,
    )
    show(runs.run_cost(options(out, None, adapter, seed=seed, score_only=score_only), wanted), out)


def capacity(
    out: Out,
    streams: Annotated[str, typer.Option(help="Levels, comma-separated, rising.")] = "1,8",
    seconds: Annotated[float, typer.Option(min=4.0, help="Of each level, behind its settling.")] = 8.0,
    score_only: ScoreOnly = False,
) -> None:
    """A few levels of `bench serve capacity`: live streams of one server with p99 of the decision under a chunk."""
    from benchmarks.cost import runs

    levels = numbers_of(streams, "--streams", int)
    if list(levels) != sorted(levels) or levels[0] < 1:
        raise ConfigError(f"--streams: expected rising numbers from 1 on, got {streams!r}")
    show(runs.run_capacity_small(options(out, score_only=score_only), list(levels), seconds), out)
