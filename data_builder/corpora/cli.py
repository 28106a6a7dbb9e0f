"""`soundflow data corpora`, `download`, `prepare` and `unpack`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from data_builder.corpora.recipe import Options
from data_builder.corpora.registry import RECIPES, recipe
from data_builder.corpora.unpack import unpack as unpack_archive
from soundflow.errors import SoundflowError

app = typer.Typer(help="Recipes of public corpora.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="a corpus of `soundflow data corpora`")]


def fail(err: SoundflowError) -> typer.Exit:
    typer.echo(f"{err.code}: {err}", err=True)
    return typer.Exit(2)


@app.command()
def corpora(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """List the corpora for which there is a recipe: licence, whether it is open, what it gives, size.

    Only open clips go into weights that are given away; "partly": some of its clips are open.
    """
    if as_json:
        keys = ("name", "title", "licence", "open", "mixed", "gives", "size", "citation", "homepage", "layout")
        typer.echo(json.dumps([{key: getattr(r, key) for key in keys} for r in RECIPES.values()], indent=1))
        return
    width = max(map(len, RECIPES))
    for name, entry in RECIPES.items():
        state = "open" if entry.open else "partly" if entry.mixed else "closed"
        typer.echo(f"{name:{width}}  {state:6}  {entry.gives}")
        typer.echo(f"{'':{width}}          {entry.licence}; {entry.size}; {entry.homepage}")


@app.command()
def download(
    name: Name,
    out: Annotated[Path, typer.Option(help="folder of the published files; a broken download there is gone on with")],
    only: Annotated[list[str], typer.Option(help="only files whose name holds this; may be given again")] = [],  # noqa: B006
) -> None:
    """Fetch a corpus and unpack it, or say how it is to be had."""
    try:
        recipe(name).download(out, tuple(only))
    except SoundflowError as err:
        raise fail(err) from err
    typer.echo(f"{name} is in {out}; next: soundflow data prepare {name} --raw {out} --out DIR")


@app.command()
def prepare(
    name: Name,
    raw: Annotated[Path, typer.Option(help="folder of the published files")],
    out: Annotated[Path, typer.Option(help="folder of 16 kHz clips and index.csv, for `data build --audio`")],
    limit: Annotated[int, typer.Option(min=0, help="at most so many clips a split, spread evenly; 0: all")] = 0,
    partial: Annotated[bool, typer.Option(help="go on where files are missing")] = False,
    workers: Annotated[int, typer.Option(min=1)] = 1,
) -> None:
    """Make clips and an index out of a corpus' published layout; what cannot be used goes into quarantine.jsonl."""
    try:
        done = recipe(name).prepare(raw, out, Options(limit=limit, partial=partial, workers=workers))
    except SoundflowError as err:
        raise fail(err) from err
    counts = ", ".join(f"{count} {split}" for split, count in done.entries.items())
    typer.echo(f"{counts}, {done.hours:.2f} hours in {out}; {done.quarantined} left out, see quarantine.jsonl")


@app.command()
def unpack(
    archive: Annotated[Path, typer.Argument(help=".tar, .tar.gz, .tar.bz2, .tar.xz or .zip")],
    out: Annotated[Path, typer.Option(help="folder; nothing is written outside it")],
) -> None:
    """Unpack an archive that nobody has looked at; members that are refused are told. Exit code 1 where it is cut."""
    try:
        done = unpack_archive(archive, out)
    except SoundflowError as err:
        raise fail(err) from err
    for member in done.rejected[:50]:
        typer.echo(f"{member.name or archive.name}: {member.reason}", err=True)
    typer.echo(f"{len(done.files)} files in {out}, {len(done.rejected)} refused")
    if not done.complete:
        raise typer.Exit(1)
