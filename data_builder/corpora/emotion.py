"""RAVDESS and CREMA-D: actors who say fixed sentences in several emotions. The label is "EMOTION:angry" and the like.

RAVDESS actors 21 to 24 are dev, always: they are reserved for tests. Of CREMA-D the last ten actors are dev.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Final

from data_builder.corpora.get import by_hand, get
from data_builder.corpora.manifest import table
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, RemoteFile, find_root
from data_builder.corpora.write import prepare

PREFIX: Final = "EMOTION:"
RAVDESS: Final = ("neutral", "calm", "happy", "sad", "angry", "afraid", "disgust", "surprised")
SAID: Final = ("Kids are talking by the door.", "Dogs are sitting by the door.")
ACTORS, RESERVED = range(1, 25), range(21, 25)
CREMA: Final = {"ANG": "angry", "DIS": "disgust", "FEA": "afraid", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
SENTENCES: Final = {
    "DFA": "Don't forget a jacket.",
    "IEO": "It's eleven o'clock.",
    "IOM": "I'm on my way to the meeting.",
    "ITH": "I think I have a doctor's appointment.",
    "ITS": "I think I've seen this before.",
    "IWL": "I would like a new alarm clock.",
    "IWW": "I wonder what this is about.",
    "MTI": "Maybe tomorrow it will be cold.",
    "TAI": "The airplane is almost full.",
    "TIE": "That is exactly what happened.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
NAME: Final = re.compile(r"(10\d\d)_([A-Z]{3})_([A-Z]{3})_(?:LO|MD|HI|XX|X)")
FIRST_DEV: Final = 1082


def ravdess(raw: Path) -> Iterator[Entry]:
    """Actor_NN/03-01-EMOTION-INTENSITY-SENTENCE-TAKE-NN.wav: 60 of each of 24 actors, all of which are expected."""
    root = find_root(raw, ("Audio_Speech_Actors_01-24",), ("Actor_*",), RAVDESS_RECIPE.name)
    for actor in ACTORS:
        for feeling, strength, sentence, take in product(range(1, 9), (1, 2), (1, 2), (1, 2)):
            if feeling == 1 and strength == 2:
                continue  # neutral has one intensity
            name = f"03-01-{feeling:02d}-{strength:02d}-{sentence:02d}-{take:02d}-{actor:02d}"
            yield Clip(
                audio=root / f"Actor_{actor:02d}" / f"{name}.wav",
                key=f"Actor_{actor:02d}/{name}",
                split="dev" if actor in RESERVED else "train",
                kind="speech",
                label=f"{PREFIX}{RAVDESS[feeling - 1]}",
                text=SAID[sentence - 1],
                speaker=f"ravdess_{actor:02d}",
                language="en",
            )


def crema_d(raw: Path) -> Iterator[Entry]:
    """AudioWAV/ACTOR_SENTENCE_EMOTION_LEVEL.wav; SentenceFilenames.csv, where it lies there, names them all."""
    root = find_root(raw, ("CREMA-D", "CREMA-D-master"), ("AudioWAV",), CREMA_D_RECIPE.name)
    names = {path.stem for path in (root / "AudioWAV").glob("*.wav")}
    if (root / "SentenceFilenames.csv").is_file():
        for item in table(root / "SentenceFilenames.csv", ("Filename",)):
            if isinstance(item, Bad):
                yield item
            else:
                names.add(item[1]["Filename"])
    for name in sorted(names):
        path, found = root / "AudioWAV" / f"{name}.wav", NAME.fullmatch(name)
        if not found or found[2] not in SENTENCES or found[3] not in CREMA:
            yield Bad(str(path), "expected ACTOR_SENTENCE_EMOTION_LEVEL")
        elif path.is_file() and path.stat().st_size < 300 and path.read_bytes().startswith(b"version https://git-lfs"):
            yield Bad(str(path), "expected audio, got a pointer of git-lfs: run `git lfs pull`")
        else:
            yield Clip(
                audio=path,
                key=f"{found[1]}/{name}",
                split="dev" if int(found[1]) >= FIRST_DEV else "train",
                kind="speech",
                label=f"{PREFIX}{CREMA[found[3]]}",
                text=SENTENCES[found[2]],
                speaker=f"crema_d_{found[1]}",
                language="en",
            )


def download_ravdess(folder: Path, only: Sequence[str] = ()) -> None:
    get(RAVDESS_RECIPE, folder, only)


def download_crema_d(folder: Path, only: Sequence[str] = ()) -> None:
    """Raises DataError that says how: the audio lies in git-lfs."""
    raise by_hand("crema_d", folder, f"run `git clone {CREMA_D_RECIPE.homepage}` with git-lfs installed.")


def prepare_ravdess(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RAVDESS_RECIPE, ravdess, raw, out, options or Options())


def prepare_crema_d(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(CREMA_D_RECIPE, crema_d, raw, out, options or Options())


RAVDESS_RECIPE: Final = Recipe(
    name="ravdess",
    title="RAVDESS (speech, audio only)",
    licence="CC BY-NC-SA 4.0",
    open=False,
    gives="two sentences in eight emotions, 24 actors",
    size="208 MB",
    citation="S. Livingstone and F. Russo, RAVDESS, PLoS ONE 13(5), 2018",
    homepage="https://zenodo.org/records/1188976",
    layout="https://zenodo.org/records/1188976 (description: file naming convention)",
    download=download_ravdess,
    prepare=prepare_ravdess,
    files=(
        RemoteFile(
            "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
            checksum="md5:bc696df654c87fed845eb13823edef8a",
        ),
    ),
)
CREMA_D_RECIPE: Final = Recipe(
    name="crema_d",
    title="CREMA-D",
    licence="ODbL 1.0 / DbCL 1.0",
    open=True,
    gives="twelve sentences in six emotions, 91 actors",
    size="600 MB (AudioWAV)",
    citation="H. Cao et al., CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset, IEEE TAC 5(4), 2014",
    homepage="https://github.com/CheyneyComputerScience/CREMA-D",
    layout="https://github.com/CheyneyComputerScience/CREMA-D (README: file naming)",
    download=download_crema_d,
    prepare=prepare_crema_d,
)
