"""Spoken commands with intents: Fluent Speech Commands and Picovoice's coffee orders.

The label is "INTENT:name slot=value;slot=value", as `data_builder.texts.devices` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from data_builder.corpora.get import by_hand
from data_builder.corpora.licences import share
from data_builder.corpora.manifest import load_json, table
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, find_root
from data_builder.corpora.write import prepare
from soundflow.errors import DataError

PREFIX: Final = "INTENT:"
TABLES: Final = {"valid_data.csv": "dev", "test_data.csv": "dev", "train_data.csv": "train"}
COLUMNS: Final = ("path", "speakerId", "transcription", "action", "object", "location")
ORDERS: Final = "data/label/label.json"


def intent(name: str, slots: Mapping[str, str]) -> str:
    """ "INTENT:activate location=kitchen;object=lights": slots in order of their names, empty ones left out."""
    told = ";".join(f"{key}={' '.join(value.split())}" for key, value in sorted(slots.items()) if value.strip())
    return f"{PREFIX}{name} {told}".strip()


def fluent(raw: Path) -> Iterator[Entry]:
    """data/{train,valid,test}_data.csv (number, path, speakerId, transcription, action, object, location) and
    wavs/speakers/SPEAKER/*.wav. Official splits, which share no speaker."""
    needed = (*(f"data/{name}" for name in TABLES), "wavs/speakers")
    root = find_root(raw, ("fluent_speech_commands_dataset",), needed, FLUENT_RECIPE.name)
    held: set[str] = set()
    for name, split in TABLES.items():
        for item in table(root / "data" / name, COLUMNS):
            if isinstance(item, Bad):
                yield item
                continue
            where, row = item
            path, person = PurePosixPath(row["path"]), row["speakerId"]
            if not person or not row["action"] or path.parts[:2] != ("wavs", "speakers") or ".." in path.parts:
                yield Bad(where, f"expected a command in wavs/speakers, got {row['path'][:80]!r}")
                continue
            if split == "train" and person in held:
                yield Bad(where, f"expected a speaker of train, got {person}, who is in valid or test")
                continue
            if split == "dev":
                held.add(person)
            slots = {key: row[key] for key in ("object", "location") if row[key] != "none"}
            yield Clip(
                audio=root / path,
                key=f"{person}/{path.stem}",
                split=split,
                kind="speech",
                label=intent(row["action"].replace(" ", "_"), slots),
                text=row["transcription"],
                speaker=f"fluent_{person}",
                language="en",
            )


def picovoice(raw: Path) -> Iterator[Entry]:
    """data/label/label.json: {file: {intent, slots}} and data/speech/clean/FILE. Nobody says who speaks: one in ten
    files is dev, whose voices may be in train too. No verbatim words are published."""
    root = find_root(raw, ("speech-to-intent-benchmark",), (ORDERS, "data/speech/clean"), PICOVOICE_RECIPE.name)
    labels = load_json(root / ORDERS)
    if not isinstance(labels, dict):
        raise DataError(f"expected an object of files, got {type(labels).__name__}", str(root / ORDERS))
    for name, order in sorted(labels.items()):
        where = f"{root / ORDERS}, {name[:80]!r}"
        slots = order.get("slots") if isinstance(order, dict) else None
        if not isinstance(slots, dict) or not isinstance(order.get("intent"), str) or "/" in name:
            yield Bad(where, "expected an intent with slots")
            continue
        label = intent(order["intent"], {str(k): str(v) for k, v in slots.items()})
        path = root / "data" / "speech" / "clean" / name
        yield Clip(path, path.stem, share(name), "speech", label, language="en")


def download_fluent(folder: Path, only: Sequence[str] = ()) -> None:
    """Raises DataError that says how: the publisher asks each person to accept an academic licence."""
    raise by_hand("fluent_speech_commands", folder, f"accept the licence at {FLUENT_RECIPE.homepage} and unpack it.")


def download_picovoice(folder: Path, only: Sequence[str] = ()) -> None:
    """Raises DataError that says how: a git checkout."""
    raise by_hand("picovoice_s2i", folder, f"run `git clone {PICOVOICE_RECIPE.homepage}`.")


def prepare_fluent(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(FLUENT_RECIPE, fluent, raw, out, options or Options())


def prepare_picovoice(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(PICOVOICE_RECIPE, picovoice, raw, out, options or Options())


FLUENT_RECIPE: Final = Recipe(
    name="fluent_speech_commands",
    title="Fluent Speech Commands",
    licence="Fluent Speech Commands Public License (academic, non-commercial)",
    open=False,
    gives="home commands with words and intents, 97 speakers",
    size="1.5 GB",
    citation="L. Lugosch et al., Speech Model Pre-training for End-to-End SLU, Interspeech 2019",
    homepage="https://fluent.ai/fluent-speech-commands-a-dataset-for-spoken-language-understanding-research/",
    layout="https://arxiv.org/abs/1904.03670 and torchaudio.datasets.FluentSpeechCommands (columns, folders)",
    download=download_fluent,
    prepare=prepare_fluent,
)
PICOVOICE_RECIPE: Final = Recipe(
    name="picovoice_s2i",
    title="Picovoice speech-to-intent benchmark (coffee orders)",
    licence="Apache-2.0 (repo)",
    open=True,
    gives="coffee orders with intents and slots, about 50 speakers",
    size="120 MB",
    citation="Picovoice, speech-to-intent-benchmark, GitHub",
    homepage="https://github.com/Picovoice/speech-to-intent-benchmark",
    layout="https://github.com/Picovoice/speech-to-intent-benchmark (data/label/label.json, data/speech/clean)",
    download=download_picovoice,
    prepare=prepare_picovoice,
)
