"""UrbanSound8K: 8,732 city sounds of at most 4 s in 10 classes. Fold 10 is dev, always: it is reserved for tests.

Speaker is the recording on Freesound; one that has a slice in fold 10 gives nothing to train.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.get import get
from data_builder.corpora.labels import respond_to
from data_builder.corpora.manifest import table
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, RemoteFile, find_root
from data_builder.corpora.write import prepare

MANIFEST: Final = "metadata/UrbanSound8K.csv"
COLUMNS: Final = ("slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class")
RESERVED: Final = "10"
OURS: Final = {"dog_bark": "dog", "gun_shot": "gunshot"}


def clips(raw: Path) -> Iterator[Entry]:
    """metadata/UrbanSound8K.csv and audio/foldN/FSID-CLASS-OCCURRENCE-SLICE.wav."""
    root = find_root(raw, ("UrbanSound8K",), (MANIFEST, "audio/fold*"), RECIPE.name)
    held = {
        item[1]["fsID"]
        for item in table(root / MANIFEST, COLUMNS)
        if not isinstance(item, Bad) and item[1]["fold"] == RESERVED
    }
    for item in table(root / MANIFEST, COLUMNS):
        if isinstance(item, Bad):
            yield item
            continue
        where, row = item
        name, fold, recording = row["slice_file_name"], row["fold"], row["fsID"]
        if fold not in map(str, range(1, 11)) or not name.startswith(f"{recording}-") or "/" in name:
            yield Bad(
                where, f"expected a slice of {recording[:20]!r} in folds 1 to 10, got {name[:60]!r}, {fold[:10]!r}"
            )
            continue
        if fold != RESERVED and recording in held:
            yield Bad(where, f"expected a recording of train, got {recording}, which is in fold {RESERVED}")
            continue
        label = OURS.get(row["class"], row["class"])
        yield Clip(
            audio=root / "audio" / f"fold{fold}" / name,
            key=f"fold{fold}/{name.rsplit('.', 1)[0]}",
            split="dev" if fold == RESERVED else "train",
            kind="event",
            label=label,
            speaker=f"freesound:{recording}",
            respond=respond_to(label),
            source=f"https://freesound.org/s/{recording}/",
        )


def download_urbansound8k(folder: Path, only: Sequence[str] = ()) -> None:
    get(RECIPE, folder, only)


def prepare_urbansound8k(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


RECIPE: Final = Recipe(
    name="urbansound8k",
    title="UrbanSound8K",
    licence="CC BY-NC 3.0 (UrbanSound8K)",
    open=False,
    gives="city sounds of 10 classes, 8.8 hours",
    size="6 GB",
    citation="J. Salamon et al., A Dataset and Taxonomy for Urban Sound Research, ACM MM 2014",
    homepage="https://urbansounddataset.weebly.com/urbansound8k.html",
    layout="https://zenodo.org/records/1203745 (UrbanSound8K_README.txt; md5 as soundata states it)",
    download=download_urbansound8k,
    prepare=prepare_urbansound8k,
    files=(
        RemoteFile(
            "https://zenodo.org/records/1203745/files/UrbanSound8K.tar.gz?download=1",
            size=6_023_741_708,
            checksum="md5:9aa69802bbf37fb986f71ec1483a196e",
        ),
    ),
)
