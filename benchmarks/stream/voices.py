"""Sentences as audio: said by the programs at hand, or taken from a folder of `soundflow data say`."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.act_items import VOICES, said
from soundflow.errors import ConfigError

FIRST_CHOICE: Final = "flite"  # the recogniser understands it better than espeak-ng's voices


@dataclass(frozen=True, slots=True)
class Spoken:
    """Audio of one sentence: an absolute path, and the voice."""

    path: str
    voice: str


def voiced(texts: Iterable[str], folder: Path, given: Path | None = None) -> dict[str, Spoken]:
    """Each text as audio: out of `given`, a folder of `soundflow data say`, else said into `folder` by one voice.

    All of a run is said by as few voices as can be, so that a question differs only by what came before it. Of several
    voices of a sentence in `given` the one that says most of them is taken.

    Raises:
        ConfigError: no engine on the PATH; a sentence that `given` does not hold.
    """
    wanted = list(dict.fromkeys(texts))
    if given is not None:
        return _given(wanted, given)
    have = sorted((v for v in VOICES if shutil.which(v[0])), key=lambda v: v[0] != FIRST_CHOICE)
    if not have:
        raise ConfigError("expected flite or espeak-ng on the PATH; got none (apt install flite espeak-ng)")
    engine, voice = have[0]
    found = {}
    for text in wanted:
        found[text] = Spoken(str(said(engine, voice, text, folder).resolve()), f"{engine}:{voice}")
    return found


def _given(wanted: Iterable[str], folder: Path) -> dict[str, Spoken]:
    index, by_text = folder / "index.csv", dict[str, dict[str, Spoken]]()
    try:
        with index.open(newline="", encoding="utf-8") as file:
            for raw in csv.DictReader(file):
                one = Spoken(str((folder / raw["path"]).resolve()), raw["voice"])
                by_text.setdefault(raw["text"], {})[raw["voice"]] = one
    except (OSError, KeyError) as error:
        raise ConfigError(
            f"{index}: expected path, text and voice of `soundflow data say`, got {error!r}: say the sentences of "
            "`soundflow bench stream sentences`"
        ) from error
    missing = [text for text in wanted if text not in by_text]
    if missing:
        raise ConfigError(f"{index}: expected all sentences of `bench stream sentences`, {len(missing)} are missing, "
                          f"the first is {missing[0]!r}")  # fmt: skip
    counts = _counts(by_text)
    return {text: max(by_text[text].items(), key=lambda v: (counts[v[0]], v[0]))[1] for text in wanted}


def _counts(by_text: Mapping[str, Mapping[str, Spoken]]) -> dict[str, int]:
    """Voice -> how many sentences it says."""
    found: dict[str, int] = {}
    for voices in by_text.values():
        for voice in voices:
            found[voice] = found.get(voice, 0) + 1
    return found
