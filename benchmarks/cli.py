"""How well and how fast: false alarms, recall, words, acts, latency, echo, against baselines.

`soundflow bench quick --out DIR` takes under ten minutes; docs/benchmarks.md says what each figure is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks import decisions, report, runs
from benchmarks import pool as pooling
from benchmarks.cost import cli as cost
from benchmarks.duplex import cli as duplex
from benchmarks.official import cli as official
from benchmarks.options import (
    ALL,
    Adapter,
    Audio,
    Dial,
    Heard,
    Out,
    PerClass,
    ScoreOnly,
    Seed,
    Systems,
    Workers,
    listed,
    numbers_of,
    options,
    show,
)
from benchmarks.peers import cli as peers
from benchmarks.serve.cli import app as serve
from benchmarks.sounds import cli as sounds
from benchmarks.stream.cli import app as stream
from benchmarks.understand import cli as understanding
from benchmarks.words import cli as words
from soundflow.errors import ConfigError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Benchmarks of the streaming model and its baselines."
)

app.add_typer(serve, name="serve")
app.add_typer(stream, name="stream")
for command in (official.official, official.official_streams, official.mini, official.mini_index, official.provoice):
    app.command()(command)
app.command()(official.contamination)
for command in (peers.peers, peers.peers_table, peers.peers_list, duplex.duplex, duplex.duplex_lines):
    app.command()(command)
app.command()(cost.latency)
app.command()(cost.cost)
app.command()(cost.capacity)
app.command()(words.asr)
app.command()(words.translate)
app.command()(sounds.events)
app.command()(understanding.understand)
app.command()(understanding.voicebench)


@app.command()
def proactive(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    per_class: PerClass = 12,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = ALL,
    snr: Annotated[str, typer.Option(help="dB of the sound over its background, comma-separated.")] = "20",
    proactivity: Dial = 0.5,
    score_only: ScoreOnly = False,
) -> None:
    """Single real sounds: when to respond, when not; against rules and trivial baselines."""
    levels = numbers_of(snr, "--snr", float)
    o = options(out, audio, adapter, per_class, seed, workers, systems, score_only, proactivity)
    show(runs.run_proactive(o, levels), out)


@app.command()
def quiet(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = ALL,
    minutes: Annotated[float, typer.Option(min=1, help="Minutes of composed audio.")] = 60.0,
    proactive: Annotated[Path | None, typer.Option(help="Folder of a proactive run, for the curve.")] = None,
    proactivity: Dial = 0.5,
    score_only: ScoreOnly = False,
) -> None:
    """False alarms an hour, and words invented where nobody speaks."""
    o = options(out, audio, adapter, 12, seed, workers, systems, score_only, proactivity)
    show(runs.run_quiet(o, minutes, proactive), out)


@app.command()
def pool(
    folders: Annotated[list[Path], typer.Argument(exists=True, file_okay=False, help="Runs of different seeds.")],
    out: Out,
) -> None:
    """Runs of one benchmark with different seeds as one, for hazards, calibration, or its own --score-only."""
    typer.echo(f"{pooling.pool(folders, out)} rows of {len(folders)} runs in {out}")


@app.command()
def hazards(
    out: Out,
    proactive: Heard,
    quiet: Heard,
    budget: Annotated[float, typer.Option(min=0.0, help="False alarms an hour.")] = 2.0,
) -> None:
    """Recall of alarms, sirens, glass, shots and explosions against false alarms an hour, out of two runs."""
    show(decisions.run_hazards(options(out), proactive, quiet, budget), out)


@app.command()
def calibration(
    out: Out,
    proactive: Heard,
    quiet: Heard,
    tasks: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of a run of `bench tasks`.")
    ] = None,
    system: Annotated[str, typer.Option(help="Whose probabilities.")] = "nano",
) -> None:
    """Whether the published probabilities mean what they say, and the dial's curve, out of two or three runs."""
    show(decisions.run_calibration(options(out), proactive, quiet, tasks, system), out)


@app.command()
def dial(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    per_class: PerClass = 12,
    seed: Seed = 0,
    workers: Workers = 2,
    minutes: Annotated[float, typer.Option(min=1, help="Minutes of composed quiet audio.")] = 60.0,
    write: Annotated[
        bool, typer.Option("--write", help="Put what was fitted into --adapter's calibration.json.")
    ] = False,
    score_only: ScoreOnly = False,
) -> None:
    """Fit the default threshold, and the second look, on a quarter of dev that is in no other figure."""
    from benchmarks import dial as fitting

    if write and adapter is None:
        raise ConfigError("--write: expected --adapter DIR, the calibration to change")
    found = fitting.run_dial(options(out, audio, adapter, per_class, seed, workers, score_only=score_only), minutes)
    if write and adapter is not None:
        fitting.write(adapter, found)
    typer.echo("  ".join(f"{k} {v}" for k, v in found.items()))


@app.command()
def watch(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    per_class: PerClass = 12,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = "nano,rules,always-silent,always-respond",
    score_only: ScoreOnly = False,
) -> None:
    """ "Tell me when you hear X", for classes in training and out of it."""
    o = options(out, audio, adapter, per_class, seed, workers, systems, score_only)
    show(runs.run_watch(o), out)


@app.command()
def acts(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    per_class: PerClass = 0,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = "nano,rules",
    score_only: ScoreOnly = False,
    spoken: Annotated[Path | None, typer.Option(help="The same sentences by other voices (data say).")] = None,
) -> None:
    """Device calls: coffee orders by real voices; lights, timers, locks and heating by synthetic ones."""
    o = options(out, audio, adapter, per_class, seed, workers, systems, score_only)
    show(runs.run_acts(o, spoken), out)


@app.command()
def sentences() -> None:
    """The requests of `acts`, one a line: `soundflow data say` gives them other voices."""
    from benchmarks.act_items import SENTENCES

    for text, _ in SENTENCES:
        typer.echo(text)


@app.command()
def echo(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    alerts: Annotated[int, typer.Option(min=1, help="Alerting sounds; 12 loops each.")] = 8,
    score_only: ScoreOnly = False,
) -> None:
    """The system's own voice, played back through a simulated room: false barge-ins and answers to itself."""
    o = options(out, audio, adapter, seed=seed, workers=workers, score_only=score_only)
    show(runs.run_echo(o, alerts), out)


@app.command()
def tasks(
    out: Out,
    data: Annotated[
        Path | None, typer.Argument(help="Shards of `data build --split dev`; not needed with --score-only.")
    ] = None,
    adapter: Adapter = None,
    split: Annotated[str, typer.Option(help="Split that every dialogue must be of.")] = "dev",
    per_task: Annotated[int, typer.Option(min=0, help="At most so many dialogues of a sub-task; 0 = all.")] = 0,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = "nano,nano-no-memory,always-silent",
    score_only: ScoreOnly = False,
) -> None:
    """All 28 sub-tasks on held-out dialogues: in time, right, and nothing else; by sub-task and ability."""
    from benchmarks import tasks as dialogues

    o = options(out, None, adapter, seed=seed, workers=workers, systems=systems, score_only=score_only)
    show(dialogues.run_tasks(o, data, split, per_task), out)


@app.command()
def own(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    per_class: PerClass = 2,
    seed: Seed = 0,
    workers: Workers = 2,
    minutes: Annotated[float, typer.Option(min=1, help="Minutes of quiet audio.")] = 20.0,
    sounds: Annotated[str, typer.Option(help="Labels to teach, comma-separated; empty: six.")] = "",
    score_only: ScoreOnly = False,
) -> None:
    """Teach sounds out of 20 recordings each: recall, false tellings, and what stays as it was."""
    from benchmarks import own as teaching

    chosen = listed(sounds) or teaching.SOUNDS
    o = options(out, audio, adapter, seed=seed, workers=workers, score_only=score_only)
    teaching.run_own(o, teaching.Wanted(chosen, per_class, minutes))


@app.command()
def quick(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
) -> None:
    """Everything in small, under ten minutes on two cores: one table, one page."""
    from benchmarks.quick import run_quick, summary

    results = run_quick(options(out, audio, adapter, seed=seed, workers=workers))
    report.show([report.Section("Summary", [summary(results)])])
    typer.echo(f"{out / 'report.html'}")


@app.command(name="all")
def run_suite(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    budget: Annotated[str, typer.Option(help="Time for all of it: 45m, 1.5h.")] = "60m",
    only: Annotated[str, typer.Option(help="Parts, comma-separated; empty: all.")] = "",
) -> None:
    """The whole suite within a budget: each part as large as fits, one page; the same command resumes it."""
    from benchmarks.corpus import audio_folder
    from benchmarks.suite.budget import minutes
    from benchmarks.suite.parts import PARTS, named
    from benchmarks.suite.run import run_all

    wanted = named(only) if only else PARTS
    o = options(out, audio_folder(audio), adapter, seed=seed, workers=workers)
    run_all(wanted, o, minutes(budget))
    typer.echo((out / "report.md").read_text(encoding="utf-8").split("## ")[1])
    typer.echo(f"{out / 'report.html'}")
