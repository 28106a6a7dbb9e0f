"""`soundflow train sound CLIPS --name ... --say ... --out ADAPTER`, `sounds ADAPTER`, `forget-sound ADAPTER NAME`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from soundflow.tiers import checkpoint, nano, weights

app = typer.Typer(no_args_is_help=True, help="Sounds of your own: docs/train-your-own.md.")


@app.command()
def sound(
    clips: Annotated[Path, typer.Argument(help="Folder of recordings of the sound, about 20.")],
    name: Annotated[str, typer.Option(help='What it is called, for example "kettle".')],
    say: Annotated[str, typer.Option(help='What to say when it is heard, for example "The kettle is boiling."')],
    out: Annotated[Path, typer.Option(help="Adapter to write; one that is there gets the sound added.")],
    other: Annotated[
        list[Path] | None,
        typer.Option("--not", help="Folder of recordings of what it is not, for example your home. May be repeated."),
    ] = None,
    adapter: Annotated[Path, typer.Option(help="What a new --out is a copy of; default: ours.")] = nano.ADAPTER,
    replace: Annotated[bool, typer.Option("--replace", help="Teach a sound of that name anew.")] = False,
    seed: Annotated[int, typer.Option(help="Draws rooms, filters and noise.")] = 0,
) -> None:
    """Teach the model a new sound out of about 20 recordings; what it could do before stays as it was."""
    import torch

    from training.own_sounds import POOR, Lesson, teach

    torch.set_num_threads(2)
    began = time.monotonic()
    lesson = Lesson(clips, name, say, out, tuple(other or ()), adapter, replace, seed)
    taught = teach(lesson, weights.part("sound") / "yamnet.tflite", typer.echo)
    shown, count = taught.sound.taught, taught.sound.taught["clips"]
    hits = round(taught.recall.value * count)
    typer.echo(
        f"\n{name}: {hits} of {count} clips are recognised by a head that had not heard them, recall {taught.recall};"
        f"\n{round(taught.false_windows * shown['other_windows'])} of {shown['other_windows']} seconds of other sounds"
        f" are taken for it{': ' + ', '.join(taught.mistaken) if taught.mistaken else ''}"
    )
    if taught.left_out:
        typer.echo(f"left out of the other sounds, as they sound like yours: {', '.join(taught.left_out)}")
    for path, tags in taught.missed:
        typer.echo(f"missed: {path.name}; it sounds like {', '.join(tags) or 'nothing that has a name'}")
    if taught.recall.value < POOR:
        typer.secho(
            "warning: this sound is hard to tell. Listen to the missed recordings, leave out what is something else,"
            " and add some made nearer to the microphone.",
            err=True,
            fg="yellow",
        )
    typer.echo(f"\n{out} written in {time.monotonic() - began:.0f} s. Try it:")
    typer.echo(f"  soundflow listen RECORDING --adapter {out}")


@app.command()
def sounds(adapter: Annotated[Path, typer.Argument(help="Folder of an adapter.")]) -> None:
    """The sounds that an adapter was taught."""
    from soundflow.perceive.own import OwnSounds

    checkpoint.load(adapter)
    for one in OwnSounds.load(adapter).sounds:
        recall = one.taught.get("held_out_recall", ["?"])[0]
        typer.echo(f"{one.name}: says {one.say!r}; {one.taught.get('clips', '?')} clips, held-out recall {recall}")


@app.command("forget-sound")
def forget_sound(
    adapter: Annotated[Path, typer.Argument(help="Folder of an adapter.")],
    name: Annotated[str, typer.Argument(help="Name of the sound.")],
) -> None:
    """Remove a taught sound; all else stays as it is."""
    from training.own_sounds import forget

    left = forget(adapter, name)
    typer.echo(f"{name} is forgotten; left: {', '.join(left.names) or 'no sound of your own'}")


@app.command("sound-bank")
def sound_bank(
    index: Annotated[Path, typer.Argument(help="index.csv of a folder of audio.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write; default: the bank that ships.")] = None,
    seed: int = 0,
) -> None:
    """Make the bank of other sounds anew, out of openly licensed train recordings."""
    from training.own_bank import FOLDER, make
    from training.own_clips import Ear

    count = make(index, out or FOLDER, Ear(weights.part("sound") / "yamnet.tflite"), typer.echo, seed)
    typer.echo(f"{count} windows")
