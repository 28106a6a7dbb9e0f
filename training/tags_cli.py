"""`soundflow train calibrate-tags FEATURES TAGS_JSON`: how surely a sound is heard, and from where on that counts.
`soundflow train names FEATURES --held OTHERS --out FILE`: heads that name sounds.
`soundflow train whole-names FEATURES --audio DIR --heads FILE --out FILE`: and which of them a whole sound is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from soundflow.errors import ConfigError
from soundflow.tiers import nano
from soundflow.tiers.kit import kit
from training.named_classes import PENALTY

if TYPE_CHECKING:
    from training import tag_thresholds

app = typer.Typer(no_args_is_help=True, help="Probabilities of sounds.")


@app.command("calibrate-tags")
def calibrate_tags(
    features: Annotated[Path, typer.Argument(help="Cached features of train streams.")],
    out: Annotated[Path, typer.Argument(help="tags.json to write (beside an adapter, or in a model folder).")],
    model: Annotated[
        Path | None, typer.Option(help="Folder of the model whose encoders heard them; nano without it.")
    ] = None,
    dev: Annotated[
        list[Path] | None,
        typer.Option(
            help="Cached features of other streams, to fit from which probability on a sound counts and speech is"
            " believed, too; may be given again. Without it nano's thresholds stay."
        ),
    ] = None,
) -> None:
    """Fit the probabilities of sound events on the events of cached train streams."""
    from soundflow.perceive.sound import labels as nano_labels
    from training import calibrate, tag_thresholds
    from training.features import event_scores, load_all
    from training.heard_by import check, reads_words
    from training.tag_groups import columns

    for folder in (features, *(dev or ())):
        check(folder, model)
    own = kit(model) if model else None
    labels = own.labels if own else nano_labels(nano.parts().sound)
    if not labels:
        raise ConfigError(f"{model}: a model that names sounds was expected")
    scores, groups = event_scores(features, tuple(columns(labels)))
    made = calibrate.fit_tags(scores, labels, groups)
    said = f"{len(groups)} events: p = sigmoid({made.a[0]:.3f} logit(score) + {made.b[0]:.3f})"
    if dev:
        items = [item for folder in dev for item in load_all(folder, {})]
        found = tag_thresholds.fit(items, labels, made, own is None or reads_words(own))
        made = replace(made, thresholds=found.thresholds)
        said += "\n" + _say(found)
    made.save(out)
    typer.echo(said)


@app.command()
def names(
    features: Annotated[list[Path], typer.Argument(help="Folders of cached features of train streams.")],
    held: Annotated[
        list[Path],
        typer.Option(help="Cached features of other streams, to fit how sure is sure enough; again for more."),
    ],
    out: Annotated[Path, typer.Option(help="named.safetensors to write, beside an adapter.")],
    tags: Annotated[Path, typer.Option(help="tags.json that the adapter has.")] = nano.ADAPTER / "tags.json",
    penalty: Annotated[float, typer.Option(min=0, help="Of the squared weights.")] = PENALTY,
) -> None:
    """Fit heads that name sounds (nano's sound encoder) on the events of cached streams."""
    from soundflow.perceive.sound import labels
    from soundflow.perceive.tags import TagCalibration
    from training import named_sounds
    from training.features import load_all
    from training.heard_by import check

    for folder in (*features, *held):
        check(folder, None)
    items, others = ([item for folder in folders for item in load_all(folder, {})] for folders in (features, held))
    config = named_sounds.NamingConfig(penalty)
    found = named_sounds.fit(items, others, labels(nano.parts().sound), TagCalibration.load(tags), config)
    found.heads.save(out)
    typer.echo(
        f"{found.classes} classes of {found.events} events; on the held streams F1 of the events {found.before:.3f}"
        f" -> {found.after:.3f} (one shift of all heads was chosen on them)"
    )


@app.command("whole-names")
def whole_names(
    features: Annotated[list[Path], typer.Argument(help="Folders of cached features of train streams.")],
    audio: Annotated[list[Path], typer.Option(help="Folder of recordings with an index.csv; again for more.")],
    heads: Annotated[Path, typer.Option(help="Folder of the named.safetensors whose classes it chooses from.")],
    out: Annotated[Path, typer.Option(help="named.safetensors to write: those heads, and what was fitted.")],
    seed: int = 0,
) -> None:
    """Fit which class a whole sound is (nano's sound encoder), on recordings by themselves and on cached streams."""
    from training import whole_names as fitting
    from training.features import load_all
    from training.heard_by import check
    from training.own_clips import Ear

    if (found := nano.heads(heads)) is None:
        raise ConfigError(f"{heads}: a named.safetensors was expected")
    for folder in features:
        check(folder, None)
    ear, classes = Ear(nano.parts().sound), set(found.classes)
    examples = [x for folder in features for x in fitting.events(load_all(folder, {}), classes)]
    streamed = len(examples)
    for folder in audio:
        examples += fitting.recordings(folder, ear, classes, typer.echo, seed)
    among = fitting.fit(examples)
    replace(found, among=among).save(out)
    typer.echo(f"{len(among.classes)} classes; {streamed} events of streams, {len(examples) - streamed} takes")


def _say(found: tag_thresholds.Fit) -> str:
    fitted, (spoken, other) = found.thresholds, found.speech
    floor = f"speech from {fitted.speech_floor} on"
    if found.accuracy is None:
        floor += f" (as of nano: {spoken} segments with speech, {other} without)"
    else:
        floor += f" (balanced accuracy {found.accuracy:.3f} over {spoken} segments with speech, {other} without)"
    return (
        f"sounds from {fitted.on} to {fitted.off}: F1 {found.after:.3f} of {found.events} events, with nano's"
        f" thresholds {found.before:.3f}; {floor}; figures are of the streams of the fit"
    )
