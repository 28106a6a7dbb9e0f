"""`soundflow train CONFIG`, `resume DIR`, `export DIR`, `features DATA OUT` and what belongs to them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from soundflow.decide.policy import Calibration
from soundflow.errors import ConfigError, DataError
from soundflow.perceive.named import NamedSounds
from soundflow.respond.tools import load_tools
from soundflow.tiers import checkpoint, nano, weights
from soundflow.tiers.kit import kit
from soundflow.types import Tool
from training import own_cli, tags_cli

if TYPE_CHECKING:
    from soundflow.tiers.kit import Kit
    from training.evaluate import Scored
    from training.stages import RunConfig

ALERT_WEIGHT = BRANCH_WEIGHT = 1.0  # chosen on the dial recordings: training/RUNS.md
WANTED_WEIGHT, WANTED_NEUTRAL, WANTED_PRIOR = (
    3.0,
    0.02,
    2.3,
)  # chosen on "tell me when you hear X" of train and cal clips: RUNS.md


class TrainGroup(TyperGroup):
    """`soundflow train recipe.yaml` is `soundflow train run recipe.yaml`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and Path(args[0]).suffix in (".yaml", ".yml"):
            args = ["run", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=TrainGroup,
    help="Train an adapter on shards of `soundflow data build`: `soundflow train RECIPE.yaml`, or one of the commands.",
    no_args_is_help=True,
)
DEMO = Path(__file__).resolve().parents[1] / "demo"
TOOL_FILES = {"home": DEMO / "tools.json", "coffee": DEMO / "coffee_tools.json"}


def tool_sets() -> dict[str, tuple[Tool, ...]]:
    """The tool sets that samples name, out of the repository's demo folder. ConfigError where there is none."""
    for path in TOOL_FILES.values():
        if not path.is_file():
            raise ConfigError(f"{path}: expected a tool file of the demo; train from a checkout (pip install -e .)")
    return {name: load_tools(path) for name, path in TOOL_FILES.items()}


@app.command()
def features(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    out: Annotated[Path, typer.Argument(help="Cache folder.")],
    workers: int = 2,
    branch: Annotated[Path | None, typer.Option(help="Alert branch to hear with, too.")] = None,
    words: Annotated[
        bool, typer.Option(help="Run the recogniser in the streams: truer words, two to three times as long.")
    ] = False,
    model: Annotated[
        Path | None, typer.Option(help="Folder of the model whose encoders hear; nano without it.")
    ] = None,
) -> None:
    """Cache what the frozen encoders hear in every sample."""
    from training.features import cache_all

    if model and branch:
        raise ConfigError(f"--branch: the alert branch is of nano's sound encoder, --model is {model}")
    for done, total in cache_all(data, out, kit(model) if model else nano.parts(branch), workers, words):
        typer.echo(f"{done}/{total} shards")


@app.command()
def run(
    config: Annotated[Path, typer.Argument(help="YAML of the run; `soundflow train CONFIG` is short for this.")],
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the batches.")] = 1,
    changes: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE over the recipe's common keys.")] = None,
) -> None:
    """Train all stages of a recipe."""
    from training import stages

    changes = changes or []
    settings = stages.load(config, changes)
    if (Path(settings.out) / "last.pt").exists() and "RANK" not in os.environ:
        raise ConfigError(
            f"{settings.out}: a folder without a run was expected (out in {config}); go on with"
            f" `soundflow train resume {settings.out}`, or remove it"
        )
    again = [part for change in changes for part in ("--set", change)]
    _start(settings, ["train", "run", str(config), *again], workers, resume=False)


@app.command()
def resume(
    run_dir: Annotated[Path, typer.Argument(help="Folder of a run.")],
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the batches; as many as before.")] = 1,
) -> None:
    """Go on with a run that was stopped, to the same losses."""
    from training import stages

    settings = replace(stages.load(run_dir / "config.json"), out=str(run_dir))
    _start(settings, ["train", "resume", str(run_dir)], workers, resume=True)


def _start(settings: RunConfig, again: list[str], workers: int, resume: bool) -> None:
    """Train here, or in as many processes of torchrun."""
    if workers > 1 and "RANK" not in os.environ:
        from training.workers import launch

        if status := launch(workers, [*again, "--workers", str(workers)]):
            raise typer.Exit(status)
        return
    from training.features import load_all, read_transcripts
    from training.heard_by import check
    from training.run import Run

    model = Path(settings.model) if settings.model else None
    for folder in (*settings.folders, *settings.cal):
        check(Path(folder), model)
    if model:
        own = kit(model)
        job = Run(settings, own.lm, own.labels, tool_sets(), typer.echo, own)
    else:
        job = Run(settings, weights.part("lm"), nano_labels(), tool_sets(), typer.echo)
    if resume:
        job.resume()
    heard = read_transcripts(Path(settings.transcripts)) if settings.transcripts else {}
    data = {folder: load_all(Path(folder), heard) for folder in settings.folders}
    cal = [item for folder in settings.cal for item in load_all(Path(folder), heard)]
    job.say(f"{sum(map(len, data.values()))} train streams, {len(cal)} held-out streams")
    job.train(data, cal)


@app.command()
def export(
    run_dir: Annotated[Path, typer.Argument(help="Folder of a run (with best/).")],
    out: Annotated[Path | None, typer.Option(help="Folder to write; RUN_DIR/export by default.")] = None,
    branch: Annotated[Path | None, typer.Option(help="Alert branch to put beside the adapter.")] = None,
) -> None:
    """Write the best adapter as a folder for --adapter, with recipe, figures and a model card."""
    from training.export import export as write

    target = out or run_dir / "export"
    for name in write(run_dir, target, branch):
        typer.echo(target / name)


@app.command()
def calibrate(
    run_dir: Annotated[Path, typer.Argument(help="Folder of a run (with best/).")],
    cal: Annotated[list[Path], typer.Argument(help="Folders of cached features of the cal split.")],
    transcripts: Path | None = None,
    alert_weight: Annotated[float, typer.Option(min=0, help="Weight of the tags' evidence.")] = ALERT_WEIGHT,
    branch_weight: Annotated[
        float, typer.Option(min=0, help="Weight of the alert branch, if best/ has one.")
    ] = BRANCH_WEIGHT,
    wanted_weight: Annotated[float, typer.Option(min=0, help="Weight of tags that are waited for.")] = WANTED_WEIGHT,
) -> None:
    """Fit temperature, biases and thresholds on held-out streams, and write calibration.json beside the best
    adapter.
    """
    from training import calibrate as fitting
    from training.heard_by import reads_words
    from training.named_sounds import surely

    best = run_dir / "best"
    own = _kit(best)
    if own and not reads_words(own):
        raise ConfigError(
            f"{best}: an adapter of a model that reads words was expected: the thresholds of answers and acts are those"
            " of chunks in which a turn is closed, and nothing closes one here"
        )
    scored = _scored(best, cal, transcripts)
    if checkpoint.branch(best) is None:
        branch_weight = 0.0
    elif branch_weight and not any(s.item[1].alert.any() for s in scored):
        raise DataError(f"{cal[0]}: features heard with the branch were expected (soundflow train features --branch)")
    labels = own.labels if own else nano_labels()
    weights = {"alert_weight": alert_weight, "branch_weight": branch_weight, "wanted_weight": wanted_weight}
    headed: frozenset[str] = frozenset()
    if (heads := NamedSounds.load(best)) is not None:
        weights |= {"wanted_neutral": WANTED_NEUTRAL, "wanted_prior": WANTED_PRIOR}
        headed = heads.labels
    scored = fitting.with_evidence(scored, labels, Calibration(**weights), surely(best, labels), headed)
    found = fitting.fit(scored)
    replace(found.calibration, **weights).save(best / "calibration.json")
    fitting.reliability(*fitting.crossed(scored), run_dir / "reliability.png", "cal streams, fitted crosswise")
    typer.echo(
        f"ECE {found.ece_before:.4f} -> {found.ece_after:.4f} (crosswise; {found.ece_likely:.4f} of p(response) where"
        f" it is at least {fitting.LIKELY}); on the streams of the fit: balanced accuracy"
        f" {found.balanced_accuracy:.3f} on sounds, {found.false_alarms_hour:.1f} false alarms/h in dense sounds;"
        f" {found.calibration}"
    )


@app.command()
def gate(
    adapter: Annotated[Path, typer.Argument(help="Folder of an adapter; best/ of a run.")],
    held: Annotated[list[Path], typer.Argument(help="Folders of cached features that training never saw.")],
    transcripts: Path | None = None,
    take_away: Annotated[
        list[str] | None, typer.Option("--without", help="sound, tags or words: not heard; may be given again.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="File for the figures.")] = None,
) -> None:
    """Decisions of the LALM alone on held-out streams: the figures that a run prints, by ability."""
    from training.gate import report

    found = report(_scored(adapter, held, transcripts, take_away or ()))
    typer.echo(found)
    if json_out:
        json_out.write_text(json.dumps(found.as_dict(), indent=1) + "\n")


def _kit(adapter: Path) -> Kit | None:
    """Of the model that an adapter is of; None for nano as it ships."""
    from training.kits import model_of

    model = model_of(adapter)
    return kit(model) if model else None


def _scored(
    adapter: Path, folders: Sequence[Path], transcripts: Path | None, take_away: Sequence[str] = ()
) -> list[Scored]:
    """Decision logits of an adapter on every stream of cached features, without the senses that are taken away."""
    import torch

    from soundflow.decide.context import Context
    from training import kits
    from training.adapters import AdapterConfig, TrainableLalm
    from training.evaluate import score
    from training.features import load_all, read_transcripts, without
    from training.heard_by import check

    own = _kit(adapter)
    untrained = own is not None and not (adapter / "adapter.json").is_file()  # or merged, as an exported omni is
    lora = AdapterConfig(**({} if untrained else json.loads((adapter / "adapter.json").read_text())["lora"]))
    if own:
        labels, context = own.labels, own.context()
        model = kits.trainable(own, lora, checkpoint.host_dtype())
    else:
        lm, labels = weights.part("lm"), nano_labels()
        context = Context.load(lm / "tokenizer.json")
        model = TrainableLalm(lm, labels, lora, checkpoint.host_dtype())
    for folder in folders:
        check(folder, own.folder if own else None)
    if not untrained:
        model.restore(adapter)
    torch.set_num_threads(2)
    builder = kits.builder(own, context, tool_sets(), labels)
    heard = read_transcripts(transcripts) if transcripts else {}
    items = [item for folder in folders for item in load_all(folder, heard)]
    return score(model, [(sample, without(features, take_away)) for sample, features in items], builder)


@app.command("average")
def average_command(first: Path, second: Path, out: Path, share: float = 0.5) -> None:
    """Average two adapters, of which the second started from the first."""
    from training.average import average

    average(first, second, out, share)


@app.command()
def alert(
    data: Annotated[list[Path], typer.Argument(help="Folders of shards.")],
    out: Annotated[Path, typer.Option(help="Branch to write (.safetensors).")],
    minutes: Annotated[float, typer.Option(min=0.01, help="How long; the learning rate is annealed by time.")] = 13.0,
    rate: Annotated[float, typer.Option(help="Highest learning rate; 0: the heads alone.")] = 2e-4,
    second_sound: Annotated[float, typer.Option(min=0, max=1, help="Share of windows with another under it.")] = 0.3,
    seed: int = 1,
    start: Annotated[Path | None, typer.Option(help="Branch to start from; without it the encoder.")] = None,
) -> None:
    """Train the sound encoder's alert branch, on one core."""
    from training.alert_branch import BranchConfig, train

    config = BranchConfig(minutes, rate, second_sound, seed=seed)
    train(nano.parts().sound, data, out, config, start, typer.echo)


@app.command("alert-average")
def alert_average(
    branches: Annotated[list[Path], typer.Argument(help="Branches that started from one another.")],
    out: Annotated[Path, typer.Option(help="Branch to write: alert.safetensors beside an adapter.")],
    share: Annotated[list[float] | None, typer.Option(help="Of each branch in turn; all alike without any.")] = None,
    names: Annotated[list[Path] | None, typer.Option(help="Branch whose head of names is taken.")] = None,
) -> None:
    """Average alert branches and write the mean in low rank."""
    from training.alert_branch import average

    average(nano.parts().sound, branches, out, shares=share or (), names=names or ())


def nano_labels() -> tuple[str, ...]:
    """AudioSet labels in the order of the sound encoder."""
    from soundflow.perceive.sound import labels

    return labels(nano.parts().sound)


app.registered_commands += tags_cli.app.registered_commands  # calibrate-tags, names
app.registered_commands += own_cli.app.registered_commands  # sound, sounds, forget-sound, sound-bank
