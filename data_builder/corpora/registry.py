"""All corpora by name."""

from __future__ import annotations

from typing import Final

from data_builder.corpora import (
    aishell,
    audioset,
    commands,
    common_voice,
    covost2,
    dialogues,
    dns_noise,
    emotion,
    esc50,
    fma,
    fsd50k,
    gigaspeech,
    librispeech,
    musan,
    package_sounds,
    urbansound8k,
    voxpopuli,
    wham,
)
from data_builder.corpora.recipe import Recipe
from soundflow.errors import DataError

RECIPES: Final[dict[str, Recipe]] = {
    recipe.name: recipe
    for recipe in (
        librispeech.RECIPE,
        common_voice.RECIPE,
        gigaspeech.RECIPE,
        voxpopuli.RECIPE,
        aishell.RECIPE,
        covost2.RECIPE,
        audioset.RECIPE,
        fsd50k.RECIPE,
        esc50.RECIPE,
        urbansound8k.RECIPE,
        fma.RECIPE,
        musan.RECIPE,
        wham.RECIPE,
        dns_noise.RECIPE,
        emotion.RAVDESS_RECIPE,
        emotion.CREMA_D_RECIPE,
        dialogues.MOSS,
        dialogues.ULTRACHAT,
        commands.FLUENT_RECIPE,
        commands.PICOVOICE_RECIPE,
        package_sounds.RECIPE,
    )
}


def recipe(name: str) -> Recipe:
    """The recipe of that name (case and "-" do not matter). Raises DataError that lists the names."""
    found = RECIPES.get(name.lower().replace("-", "_"))
    if found is None:
        raise DataError(f"expected a corpus ({', '.join(RECIPES)}), got {name!r}")
    return found
