"""Common Voice: read sentences of volunteers in many languages. Official splits, which share no speaker."""

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
COLUMNS: Final = ("client_id", "path", "sentence")


def languages(raw: Path) -> list[Path]:
    """Folders of one language each: `raw` itself, raw/LANG or raw/cv-corpus-*/LANG. Raises DataError where none is."""
    if not raw.is_dir():
        raise DataError("expected the folder of a download, got none", str(raw))
    for folders in ([raw], sorted(raw.glob("*/")), sorted(raw.glob("cv-corpus-*/*/"))):
        found = [folder for folder in folders if (folder / "train.tsv").is_file() or (folder / "clips").is_dir()]
        if found:
            return found
    raise DataError(
        f"expected cv-corpus-VERSION/LANGUAGE with train.tsv, dev.tsv, test.tsv and clips/, got none{unfinished(raw)}",
        str(raw),
    )


def clips(raw: Path) -> Iterator[Entry]:
    """train.tsv, dev.tsv, test.tsv: client_id, path (in clips/), sentence and more, parted by tabs, no quotes."""
    for folder in languages(raw):
        missing = [name for name in (*(f"{split}.tsv" for split in SPLITS), "clips") if not (folder / name).exists()]
        if missing:
            raise DataError(
                f"expected {len(SPLITS) + 1} parts, missing: {listing(missing)}{unfinished(raw)}", str(folder)
            )
        held: set[str] = set()
        for name, split in SPLITS.items():
            for item in table(folder / f"{name}.tsv", COLUMNS, tabs=True):
                yield _clip(item, folder, split, held)


def _clip(item: tuple[str, dict[str, str]] | Bad, folder: Path, split: str, held: set[str]) -> Entry:
    if isinstance(item, Bad):
        return item
    where, row = item
    name, person = row["path"], row["client_id"]
    if not name or "/" in name or "\\" in name or not person:
        return Bad(where, f"expected a client_id and the name of a clip, got {name[:80]!r}")
    if split == "dev":
        held.add(person)
    elif person in held:
        return Bad(where, "expected a speaker of train, got one of dev or test")
    name = name if name.lower().endswith((".mp3", ".wav", ".flac", ".ogg")) else f"{name}.mp3"
    language = (row.get("locale") or folder.name).split("-")[0].lower()
    return Clip(
        audio=folder / "clips" / name,
        key=f"{folder.name}/{name.rsplit('.', 1)[0]}",
        split=split,
        kind="speech",
        text=row["sentence"],
        speaker=f"cv_{person[:32]}",
        language=language,
    )


def download_common_voice(folder: Path, only: Sequence[str] = ()) -> None:
    """Raises DataError that says how: the publisher hands archives out by a form only."""
    raise by_hand(
        "common_voice",
        folder,
        f"accept the terms at {RECIPE.homepage}, download the archive of a language and unpack it with"
        " `soundflow data unpack ARCHIVE --out DIR`.",
    )


def prepare_common_voice(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


RECIPE: Final = Recipe(
    name="common_voice",
    title="Mozilla Common Voice",
    licence="CC0 1.0",
    open=True,
    gives="read sentences with words, 100 and more languages",
    size="up to 90 GB a language",
    citation="R. Ardila et al., Common Voice: A Massively-Multilingual Speech Corpus, LREC 2020",
    homepage="https://commonvoice.mozilla.org/datasets",
    layout="https://github.com/common-voice/cv-dataset (README and helper documents: columns of the .tsv files)",
    download=download_common_voice,
    prepare=prepare_common_voice,
)
