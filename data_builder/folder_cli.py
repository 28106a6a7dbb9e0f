"""Commands of `soundflow data` that look at a finished build or change it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from data_builder.corpora.cli import fail
from soundflow.errors import ConfigError, SoundflowError

app = typer.Typer()
Folder = Annotated[Path, typer.Argument(help="folder of a build")]


@app.command()
def tasks(name: Annotated[str, typer.Argument(help="card of one of them; all where left out")] = "") -> None:
    """The 28 sub-tasks: what each is, its share of a default build, and an example; or the card of one."""
    from rich.console import Console
    from rich.table import Table

    from data_builder.subtasks import ABILITIES, CONTROLS, SUBTASKS

    if name:
        task = {**SUBTASKS, **CONTROLS}.get(name)
        if task is None:
            raise fail(ConfigError(f"expected a sub-task of {', '.join((*SUBTASKS, *CONTROLS))}; got {name!r}"))
        for key in ("title", "ability", "sources", "timeline", "label", "negatives", "silent", "example"):
            typer.echo(f"{key:10} {getattr(task, key)}")
        return
    table = Table("sub-task", "what", "share", "silent", "example", title="28 sub-tasks of 7 abilities")
    for ability, title in ABILITIES.items():
        table.add_section()
        table.add_row(f"[bold]{title}[/bold]")
        for task in SUBTASKS.values():
            if task.ability == ability:
                share = f"{1 / len(SUBTASKS):.1%}"
                example = task.example.replace("[", r"\[")
                table.add_row(task.name, task.title, share, f"{task.silent:.0%}", example)
    Console().print(table)


@app.command()
def check(
    folders: Annotated[list[Path], typer.Argument(help="folders of builds; several are held against each other")],
    audio: Annotated[list[Path], typer.Option(help="folder of clips, to check splits and licences; all of them")] = [],  # noqa: B006
) -> None:
    """Verify every invariant; exit code 1 where one is broken."""
    from data_builder.validate import check as run_check

    try:
        found = run_check(folders, audio)
    except SoundflowError as err:
        raise fail(err) from err
    for finding in found.findings[:50]:
        typer.echo(finding, err=True)
    typer.echo(
        f"{found.streams} dialogues of {len(found.subtasks)} sub-tasks, {found.seconds / 3600:.2f} h, "
        f"{found.silent_share:.1%} without a response, {found.real_share:.1%} of the speech is real, "
        f"{len(found.findings)} findings"
    )
    if found.findings:
        raise typer.Exit(1)


@app.command()
def show(
    folder: Folder,
    sample_id: Annotated[str, typer.Argument(help="id; the first sample where left out")] = "",
    out: Annotated[Path, typer.Option(help="PNG to write")] = Path("sample.png"),
    wav: Annotated[Path | None, typer.Option(help="WAV to write; beside the PNG where left out")] = None,
) -> None:
    """Draw one sample (spectrogram, timeline, words, decisions), and write it as a WAV."""
    import soundfile as sf

    from data_builder.shards import find
    from data_builder.show import draw

    try:
        meta, audio = find(folder, sample_id)
        out.parent.mkdir(parents=True, exist_ok=True)
        draw(meta, audio, out)
        sf.write(wav or out.with_suffix(".wav"), audio, 16_000)
    except SoundflowError as err:
        raise fail(err) from err
    typer.echo(json.dumps(meta, indent=1, ensure_ascii=False))


@app.command()
def stats(folder: Folder, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Count dialogues, hours, responses, speakers, languages and licences."""
    from data_builder.stats import of_folders, table

    try:
        found = of_folders(folder)
    except SoundflowError as err:
        raise fail(err) from err
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
        return
    for line in table(found):
        typer.echo(line)


@app.command()
def remove(
    folder: Folder,
    ids: Annotated[list[str], typer.Argument(help="path of a recording, speaker, or id of a dialogue")],
) -> None:
    """Take recordings, speakers or dialogues out of a build; the same `data build` then makes up the hours."""
    from data_builder.cards import describe
    from data_builder.remove import remove as run_remove

    try:
        for name, count in run_remove(folder, ids).items():
            typer.echo(f"{name}: {count} dialogues removed")
        describe(folder)
    except SoundflowError as err:
        raise fail(err) from err


@app.command(name="import")
def import_(
    source: Annotated[Path, typer.Argument(help="folder of .json or .jsonl in the layout of the paper's corpus")],
    out: Annotated[Path, typer.Option(help="empty folder for the shards")],
    split: Annotated[str, typer.Option(help="train, cal or dev")] = "train",
    licence: Annotated[str, typer.Option(help="of the recordings")] = "not stated",
) -> None:
    """Read dialogues in the paper's layout into shards."""
    from data_builder.import_paper import from_paper

    try:
        index = from_paper(source, out, split, licence)
    except SoundflowError as err:
        raise fail(err) from err
    typer.echo(f"{index['streams']} dialogues, {index['hours']:.2f} h, in {len(index['shards'])} shards")


@app.command()
def export(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="folder to write")],
    to: Annotated[
        str, typer.Option(help="paper (turns of the paper's corpus), hf (datasets) or lhotse (cuts)")
    ] = "paper",
) -> None:
    """Write a build in another layout."""
    from data_builder import export as job

    jobs = {"paper": job.to_paper, "hf": job.to_parquet, "lhotse": job.to_lhotse}
    try:
        if to not in jobs:
            raise ConfigError(f"--to: expected {', '.join(jobs)}; got {to!r}")
        jobs[to](folder, out)
    except SoundflowError as err:
        raise fail(err) from err
    typer.echo(f"{folder} as {to} in {out}")
