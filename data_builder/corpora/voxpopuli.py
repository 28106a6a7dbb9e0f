"""VoxPopuli: speeches of the European Parliament with words, 16 languages. Official splits; dev and test are dev."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.get import by_hand
from data_builder.corpora.manifest import table
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, listing, unfinished
from data_builder.corpora.write import prepare
from soundflow.errors import DataError

SPLITS: Final = {"dev": "dev", "test": "dev", "train": "train"}
COLUMNS: Final = ("id", "raw_text", "normalized_text", "speaker_id", "split")
NOBODY: Final = frozenset({"", "None", "N/A", "na"})


def clips(raw: Path) -> Iterator[Entry]:
    """transcribed_data/LANG/asr_SPLIT.tsv and transcribed_data/LANG/YEAR/ID.ogg; ID begins with its year.

    A speaker of dev or test never comes to train.
    """
    for folder in languages(raw):
        held: set[str] = set()
        for name, split in SPLITS.items():
            for item in table(folder / f"asr_{name}.tsv", COLUMNS, tabs=True):
                yield _clip(item, folder, split, held)


def languages(raw: Path) -> list[Path]:
    """Folders of one language each. Raises DataError that names what is missing."""
    if not raw.is_dir():
        raise DataError("expected the folder of a download, got none", str(raw))
    for pattern in ("transcribed_data/*/", "*/", "."):
        folders = [raw] if pattern == "." else sorted(raw.glob(pattern))
        found = [folder for folder in folders if next(folder.glob("asr_*.tsv"), None)]
        if found:
            break
    else:
        raise DataError(f"expected transcribed_data/LANG/asr_train.tsv, got none{unfinished(raw)}", str(raw))
    missing = [f"{f.name}/asr_{name}.tsv" for f in found for name in SPLITS if not (f / f"asr_{name}.tsv").is_file()]
    if missing:
        raise DataError(f"expected {len(found) * len(SPLITS)} manifests, missing: {listing(missing)}", str(raw))
    return found


def _clip(item: tuple[str, dict[str, str]] | Bad, folder: Path, split: str, held: set[str]) -> Entry:
    if isinstance(item, Bad):
        return item
    where, row = item
    name, person = row["id"].strip(), row["speaker_id"].strip()
    if not name[:4].isdigit() or "/" in name or "\\" in name:
        return Bad(where, f"expected an id that begins with its year, got {name[:80]!r}")
    person = "" if person in NOBODY else person
    if split == "dev":
        held.add(person)
    elif person and person in held:
        return Bad(where, f"expected a speaker of train, got {person}, who is in dev or test")
    return Clip(
        audio=folder / name[:4] / f"{name}.ogg",
        key=f"{folder.name}/{name}",
        split=split,
        kind="speech",
        text=row["raw_text"].strip() or row["normalized_text"],
        speaker=f"voxpopuli_{person}" if person else f"voxpopuli_{name.rsplit('-', 1)[0]}",
        language=folder.name.split("_")[0],
    )


def download_voxpopuli(folder: Path, only: Sequence[str] = ()) -> None:
    """Raises DataError that says how: the official scripts cut sessions of 8 GB a year into utterances."""
    raise by_hand(
        "voxpopuli",
        folder,
        f"clone {RECIPE.homepage}, run `python -m voxpopuli.download_audios --root {folder} --subset asr` and"
        f" `python -m voxpopuli.get_asr_data --root {folder} --lang LANG`.",
    )


def prepare_voxpopuli(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


RECIPE: Final = Recipe(
    name="voxpopuli",
    title="VoxPopuli (transcribed part)",
    licence="CC0 1.0",
    open=True,
    gives="parliamentary speech with words, 16 languages",
    size="raw sessions 200 GB and more; 1,800 hours transcribed",
    citation="C. Wang et al., VoxPopuli: A Large-Scale Multilingual Speech Corpus, ACL 2021",
    homepage="https://github.com/facebookresearch/voxpopuli",
    layout="https://github.com/facebookresearch/voxpopuli (get_asr_data.py: folders and columns that it writes)",
    download=download_voxpopuli,
    prepare=prepare_voxpopuli,
)
