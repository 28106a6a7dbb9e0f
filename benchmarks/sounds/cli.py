"""`soundflow bench events`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import Adapter, Audio, Out, PerClass, ScoreOnly, Seed, Systems, Workers, options, show


def events(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    per_class: PerClass = 0,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = "nano,yamnet,always-silent,always-respond",
    minutes: Annotated[
        float, typer.Option(min=1, max=600, help="Minutes of streams composed of dev recordings.")
    ] = 45.0,
    snr: Annotated[float, typer.Option(min=-20, max=60, help="dB of the sounds over their background.")] = 20.0,
    train_minutes: Annotated[
        float, typer.Option(min=1, max=600, help="Of train, to fit the threshold of yamnet.")
    ] = 20.0,
    desed: Annotated[
        Path | None, typer.Option(help="A tsv of filename, onset, offset, event_label in place of them.")
    ] = None,
    desed_audio: Annotated[Path | None, typer.Option(help="The folder of its audio.")] = None,
    files: Annotated[int, typer.Option(min=0, help="At most so many files of the tsv; 0 = all.")] = 0,
    score_only: ScoreOnly = False,
) -> None:
    """Sound events: F1 by events and segments, PSDS, delay, counting, false alarms; against YAMNet and a threshold."""
    from benchmarks.sounds.bench import run_events

    o = options(out, audio, adapter, per_class, seed, workers, systems, score_only)
    show(run_events(o, minutes, snr, train_minutes, desed, desed_audio, files), out)
