"""`soundflow data`: build, check, show, stats, voices."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from data_builder.build import SHARD_STREAMS, Plan
from data_builder.build import build as run_build
from data_builder.shards import find, read_shard, shard_paths
from data_builder.show import draw
from data_builder.validate import check as run_check
from data_builder.validate import count as tally_up
from data_builder.voices import build_bank
from soundflow.errors import SoundflowError

app = typer.Typer(
    help="Training data: build shards of labelled streams, check them, look at them.", no_args_is_help=True
)
Folder = Annotated[Path, typer.Argument(help="folder of a build")]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "soundflow" / "data"


def _fail(err: SoundflowError) -> typer.Exit:
    typer.echo(f"{err.code}: {err}", err=True)
    return typer.Exit(2)


@app.command()
def build(
    audio: Annotated[Path, typer.Option(help="folder of clips with index.csv")],
    out: Annotated[Path, typer.Option(help="folder of the shards; an unfinished build there is resumed")],
    streams: Annotated[int, typer.Option(help="streams in all")],
    seed: Annotated[int, typer.Option()] = 0,
    split: Annotated[str, typer.Option(help="train, cal or dev")] = "train",
    workers: Annotated[int, typer.Option()] = 2,
    bank: Annotated[Path | None, typer.Option(help="utterance bank of `soundflow data voices`")] = None,
    subtask: Annotated[str, typer.Option(help="only this sub-task")] = "",
    music: Annotated[bool, typer.Option(help="render melodies with fluidsynth where it is installed")] = True,
    shard_streams: Annotated[int, typer.Option(help="streams a shard")] = SHARD_STREAMS,
    coffee: Annotated[bool, typer.Option(help="use real coffee orders; --no-coffee keeps them held out")] = True,
    allow_noncommercial: Annotated[bool, typer.Option(help="use rows that are not openly licensed, too")] = False,
    more: Annotated[list[Path], typer.Option(help="another folder of clips; may be given again")] = [],  # noqa: B006
    judged: Annotated[bool, typer.Option(help="keep only synthetic alarms that the nano tier's YAMNet hears")] = True,
) -> None:
    """Build shards; the same options give the same bytes."""
    from soundflow.tiers import nano

    plan = Plan(
        audio=str(audio),
        out=str(out),
        streams=streams,
        seed=seed,
        split=split,
        bank=str(bank or ""),
        subtask=subtask,
        music=str(_cache() / "music" / split) if music else "",
        shard_streams=shard_streams,
        noncommercial=allow_noncommercial,
        coffee=coffee,
        more=tuple(map(str, more)),
        judge=str(nano.parts().sound) if judged else "",
    )
    try:
        index = run_build(plan, workers, typer.echo)
    except SoundflowError as err:
        raise _fail(err) from err
    typer.echo(f"{index['streams']} streams in {len(index['shards'])} shards, {index['quarantined']} tries drawn anew")


@app.command()
def instruments(
    count: Annotated[int, typer.Option(help="pieces an instrument")] = 24,
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Fetch notes of real instruments (npm) and drums (Debian), make solo pieces of them; later builds use them."""
    from data_builder.corpora import debian as packages
    from data_builder.corpora import drums
    from data_builder.corpora.instruments import make

    try:
        kits = drums.read_kits(packages.fetch(drums.PACKAGE, _cache() / "debian"))
        for split in ("train", "cal"):
            names = make(_cache() / "instruments", _cache() / "music" / split, split, count, seed)
            names += drums.make(kits, _cache() / "music" / split, split, count // 2, seed)
            typer.echo(f"{len(names)} pieces for {split}")
    except SoundflowError as err:
        raise _fail(err) from err


@app.command()
def debian(
    out: Annotated[Path, typer.Argument(help="folder of the clips and their index.csv, for `data build --more`")],
    packages: Annotated[Path | None, typer.Option(help="folder of the .deb files (1.4 GB)")] = None,
) -> None:
    """Fetch more alarms, bells, shots, engines and winds out of Debian's free games and desktops."""
    from data_builder.corpora.debian import make

    try:
        count = make(packages or _cache() / "debian", out, lambda text: typer.echo(text, err=True))
    except SoundflowError as err:
        raise _fail(err) from err
    typer.echo(f"{count} clips in {out}")


@app.command()
def check(
    folder: Folder,
    audio: Annotated[list[Path], typer.Option(help="corpus, to check splits and licences; all of the build's")] = [],  # noqa: B006
) -> None:
    """Verify every invariant; exit code 1 where one is broken."""
    try:
        findings, tally = run_check(folder, audio)
    except SoundflowError as err:
        raise _fail(err) from err
    for finding in findings[:50]:
        typer.echo(finding, err=True)
    silent = tally.get("without a response", 0) / max(1, tally.get("streams", 0))
    typer.echo(f"{tally.get('streams', 0)} streams, {silent:.1%} without a response, {len(findings)} findings")
    if findings:
        raise typer.Exit(1)


@app.command()
def show(
    folder: Folder,
    sample_id: Annotated[str, typer.Argument(help="id; the first sample where left out")] = "",
    out: Annotated[Path, typer.Option(help="PNG to write")] = Path("sample.png"),
    wav: Annotated[Path | None, typer.Option(help="WAV to write as well")] = None,
) -> None:
    """Draw one sample."""
    import soundfile as sf

    try:
        meta, audio = find(folder, sample_id)
    except SoundflowError as err:
        raise _fail(err) from err
    draw(meta, audio, out)
    if wav is not None:
        sf.write(wav, audio, 16_000)
    typer.echo(json.dumps(meta, indent=1, ensure_ascii=False))


@app.command()
def stats(folder: Folder, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Count streams, responses, events and speech."""
    tally: Counter[str] = Counter()
    try:
        for path in shard_paths(folder):
            for meta, _, _ in read_shard(path):
                tally_up(tally, meta)
    except SoundflowError as err:
        raise _fail(err) from err
    if as_json:
        tasks = {k.removeprefix("subtask "): v for k, v in tally.items() if k.startswith("subtask ")}
        typer.echo(json.dumps({"subtasks": tasks, "counts": dict(sorted(tally.items()))}, indent=1))
        return
    typer.echo(f"{tally['chunks'] * 0.4 / 3600:.2f} hours")
    for name, number in sorted(tally.items()):
        typer.echo(f"{number:8d}  {name}")


@app.command()
def voices(
    out: Annotated[Path, typer.Option(help="folder of the bank")],
    count: Annotated[int, typer.Option(help="utterances, about")] = 500,
    seed: Annotated[int, typer.Option()] = 0,
    piper: Annotated[Path | None, typer.Option(help="folder of a Piper voice")] = None,
) -> None:
    """Speak the utterance bank with every engine that is installed."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        totals = build_bank(out, count, seed, piper, typer.echo)
    except SoundflowError as err:
        raise _fail(err) from err
    typer.echo(", ".join(f"{n} {split}" for split, n in totals.items()))


@app.command()
def transcribe(
    audio: Annotated[Path, typer.Option(help="folder of clips with index.csv")],
    out: Annotated[Path, typer.Option(help="JSON lines {path, text}; a half-done file is resumed")],
    bank: Annotated[Path | None, typer.Option(help="utterance bank of `soundflow data voices`")] = None,
    limit: Annotated[int, typer.Option(help="clips of each corpus")] = 600,
) -> None:
    """Write down what the recogniser hears in each speech clip, for the words of training streams."""
    from data_builder import transcribe as job
    from soundflow.perceive.moonshine import Moonshine
    from soundflow.tiers import weights

    model = Moonshine(weights.part("asr"))
    count = 0
    for dataset in job.DATASETS:
        count += sum(1 for _ in job.transcribe(audio, out, model, (dataset,), limit))
        typer.echo(f"{dataset}: {count} clips so far")
    if bank is not None:
        count += sum(1 for _ in job.transcribe_bank(bank, out, model))
    typer.echo(f"{count} new transcripts in {out}")
