"""`soundflow bench duplex` and the lines for other voices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import Adapter, Audio, Dial, Out, ScoreOnly, Seed, Systems, Workers, listed, options, show

Each = Annotated[int, typer.Option(min=1, help="Samples a scenario; pauses have twice as many.")]
Scenarios = Annotated[
    str, typer.Option(help="Some of pause, listening, turn, interruption, backchannel, others, background.")
]
SpokenBy = Annotated[Path | None, typer.Option(help="The lines by other voices: folder of `soundflow data say`.")]
Published = Annotated[
    Path | None, typer.Option(help="Folder of Full-Duplex-Bench v1 or v1.5, in place of the composed set.")
]
Human = Annotated[Path | None, typer.Option(help="icc_gt_distribution.json of Full-Duplex-Bench, for its JSD.")]
Keep = Annotated[bool, typer.Option("--keep", help="Write output.wav and output.json for the official scorers.")]
Alerts = Annotated[int, typer.Option(min=0, help="Sounds of the echo loops, twelve loops each; 0: none.")]

DEFAULT = "nano,vad-700,always-silent,always-respond"
ALL = "pause,listening,turn,interruption,backchannel,others,background"


def duplex(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = DEFAULT,
    each: Each = 20,
    scenarios: Scenarios = ALL,
    spoken: SpokenBy = None,
    folder: Published = None,
    reference: Human = None,
    keep: Keep = False,
    alerts: Alerts = 2,
    proactivity: Dial = 0.5,
    score_only: ScoreOnly = False,
) -> None:
    """Who has the floor: pauses, turns, interruptions, overlaps and echo, on what is really spoken."""
    from benchmarks.duplex.run import run_duplex

    o = options(
        out,
        audio,
        adapter,
        seed=seed,
        workers=workers,
        systems=systems,
        score_only=score_only,
        proactivity=proactivity,
    )
    names = listed(scenarios)
    show(run_duplex(o, each, names, spoken, folder, reference, keep, alerts), out)


def duplex_lines() -> None:
    """The lines that users of the composed set say, one a line, for `soundflow data say`."""
    from benchmarks.duplex.texts import lines

    for line in dict.fromkeys(lines()):
        typer.echo(line)
