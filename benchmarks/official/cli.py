"""Commands: published test sets of proactive sound, the mini set, contamination. Registered in benchmarks/cli.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import ALL, Adapter, Out, ScoreOnly, Seed, Systems, Workers, options, show
from soundflow.errors import ConfigError

Manifest = Annotated[Path, typer.Option(help="JSON lines of Proactive-Sound-Bench; streams.jsonl for --tier multi.")]
Clips = Annotated[Path | None, typer.Option("--audio", help="Folder that the manifest's paths are relative to.")]
Train = Annotated[
    Path | None, typer.Option(help="Folder with index.csv: its train rows fit the rules; default $SOUNDFLOW_AUDIO.")
]
Answers = Annotated[Path | None, typer.Option(help="The second file, with standard_answers; checked and kept.")]


def official(
    out: Out,
    manifest: Manifest,
    audio: Clips = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Score this predictions file of any system; hear nothing.")
    ] = None,
    beside: Annotated[
        Path | None, typer.Option(help="With --predictions: folder of a run on the same clips, shown beside.")
    ] = None,
    tier: Annotated[
        str, typer.Option(help="single: each clip a stream; multi: streams of `official-streams`.")
    ] = "single",
    answers: Answers = None,
    train_audio: Train = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = ALL,
    score_only: ScoreOnly = False,
) -> None:
    """Proactive-Sound-Bench in its own files: RESPOND or IGNORE for each clip, against rules and trivial systems."""
    from benchmarks.official import run

    o = options(out, train_audio, adapter, 0, seed, workers, systems, score_only)
    if predictions is not None:
        show(run.run_predictions(o, manifest, predictions, answers, beside), out)
        return
    if audio is None and not score_only:
        raise ConfigError("official: expected --audio DIR, where the clips lie, or --predictions FILE to score")
    show(run.run_official(o, manifest, audio or manifest.parent, tier, answers), out)


def official_streams(
    out: Annotated[Path, typer.Option(help="Folder of streams.jsonl and streams/*.wav.")],
    manifest: Manifest,
    audio: Annotated[Path, typer.Option(help="Folder that the manifest's paths are relative to.")],
    seed: Seed = 0,
    clips: Annotated[int, typer.Option(min=1, help="Clips of one category in a stream.")] = 5,
) -> None:
    """Compose the multi tier: clips of one category joined into streams by a published seed, as a data set."""
    from benchmarks.official import multi
    from benchmarks.official.formats import read_manifest

    counts = multi.compose(read_manifest(manifest), audio, out, seed, clips)
    typer.echo("  ".join(f"{v} {k}" for k, v in counts.items()) + f"  {out / multi.NAME}")


def provoice(
    out: Out,
    data: Annotated[Path, typer.Option(help="data.json of ProVoice-Bench.")],
    audio: Annotated[Path | None, typer.Option(help="Folder that its audio_filepath is relative to.")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Score a folder of UUID_response.json of any system; hear nothing.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Only the first so many samples; 0 = all.")] = 0,
    train_audio: Train = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = ALL,
    score_only: ScoreOnly = False,
) -> None:
    """ProVoice-Bench: when to intervene in overheard talk and sounds; accuracy, recall, false positive rate."""
    from benchmarks.official import run

    o = options(out, train_audio, adapter, 0, seed, workers, systems, score_only)
    show(run.run_provoice(o, data, audio, predictions, limit), out)


def mini(
    out: Out,
    audio: Annotated[Path | None, typer.Option(help="Folder with index.csv; default $SOUNDFLOW_AUDIO.")] = None,
    build_only: Annotated[bool, typer.Option("--build-only", help="Write the set into --out; hear nothing.")] = False,
    index: Annotated[Path | None, typer.Option(help="Another index in the place of mini.csv.")] = None,
    per_side: Annotated[int, typer.Option(min=0, help="At most so many clips of each side; 0 = all.")] = 0,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = ALL,
    score_only: ScoreOnly = False,
) -> None:
    """The openly licensed mini set of real recordings, in the official layout: build it, and hear it."""
    from benchmarks.corpus import audio_folder
    from benchmarks.official import mini as made
    from benchmarks.official import run

    if build_only:
        entries = run.thinned(made.read_mini(index or made.INDEX), per_side)
        for line in made.build(entries, audio_folder(audio), out):
            typer.echo(line, err=True)
        typer.echo(f"{len(entries)} clips  {out / 'manifest.jsonl'}")
        return
    o = options(out, audio, adapter, 0, seed, workers, systems, score_only)
    show(run.run_mini(o, index or made.INDEX, per_side), out)


def mini_index(
    out: Annotated[Path, typer.Option(help="File to write: mini.csv.")],
    audio: Annotated[Path | None, typer.Option(help="Folder with index.csv; default $SOUNDFLOW_AUDIO.")] = None,
    prints: Annotated[Path | None, typer.Option(help="Fingerprints of training; default: those that ship.")] = None,
) -> None:
    """Choose the recordings of the mini set anew; those that training has as well are left out and named."""
    from benchmarks.corpus import Clips, audio_folder, read_index
    from benchmarks.official import contamination
    from benchmarks.official import mini as made

    folder = audio_folder(audio)
    rows, clips = read_index(folder), Clips(folder, 2)
    store, _ = contamination.load(prints or contamination.SHIPPED)
    left: set[str] = set()
    while True:
        chosen = made.choose(rows, left)
        known = {r.path: m for r in chosen if (m := store.best(clips.read(r.path))) is not None and m.same}
        for path, match in known.items():
            typer.echo(f"left out: {path} is in training as {match.recording} (z {match.z})", err=True)
        if not known:
            break
        left |= set(known)
    out.write_text(made.index_text([made.entry(r, clips) for r in chosen]), encoding="utf-8")
    typer.echo(f"{len(chosen)} recordings  {out}")


def contamination(
    out: Annotated[
        Path, typer.Option(help="Folder of matches.jsonl, figures.json and the report; with --write a file.")
    ],
    test: Annotated[Path | None, typer.Option(help="Folder of the test set's audio files.")] = None,
    audio: Annotated[Path | None, typer.Option(help="Folder with index.csv: its open train rows are compared.")] = None,
    prints: Annotated[Path | None, typer.Option(help="Fingerprints of training; default: those that ship.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the fingerprints of --audio into the file --out.")
    ] = False,
    adapter: Adapter = None,
) -> None:
    """Whether clips of a test set are in what was trained on, by audio fingerprints."""
    from benchmarks.official import check

    if write:
        if audio is None:
            raise ConfigError("--write: expected --audio DIR, the folder with index.csv")
        typer.echo("  ".join(f"{k} {v}" for k, v in check.write_prints(audio, out, adapter).items()))
        return
    if test is None:
        raise ConfigError("contamination: expected --test DIR, the audio files of a test set")
    show(check.run_contamination(options(out, audio, adapter), test, prints), out)
