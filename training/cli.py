"""`soundflow train run CONFIG`, `resume DIR`, `features DATA OUT`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from soundflow.respond.tools import load_tools
from soundflow.tiers import nano, weights
from soundflow.types import Tool

app = typer.Typer(help="Train an adapter on shards of `soundflow data build`.", no_args_is_help=True)
TOOL_FILES = {"home": Path("demo/tools.json"), "coffee": Path("demo/coffee_tools.json")}


def tool_sets() -> dict[str, tuple[Tool, ...]]:
    """The tool sets that samples name, out of the repository's demo folder."""
    return {name: load_tools(path) for name, path in TOOL_FILES.items()}


@app.command()
def features(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    out: Annotated[Path, typer.Argument(help="Cache folder.")],
    workers: int = 2,
) -> None:
    """Cache what the frozen encoders hear in every sample."""
    from training.features import cache_all

    for done, total in cache_all(data, out, nano.parts(), workers):
        typer.echo(f"{done}/{total} shards")


@app.command()
def run(config: Annotated[Path, typer.Argument(help="YAML of the run.")], resume: bool = False) -> None:
    """Train one run. With --resume go on from its last checkpoint."""
    from training.features import load_all, read_transcripts
    from training.run import Run, RunConfig

    settings = RunConfig.load(config)
    labels = nano_labels()
    job = Run(settings, weights.part("lm"), labels, tool_sets(), typer.echo)
    if resume:
        job.resume()
    heard = read_transcripts(Path(settings.transcripts)) if settings.transcripts else {}
    train = [item for folder in settings.train for item in load_all(Path(folder), heard)]
    cal = [item for folder in settings.cal for item in load_all(Path(folder), heard)]
    typer.echo(f"{len(train)} train streams, {len(cal)} held-out streams")
    job.train(train, cal)


def nano_labels() -> tuple[str, ...]:
    """AudioSet labels in the order of the sound encoder."""
    from soundflow.perceive.sound import labels

    return labels(nano.parts().sound)
