"""AISHELL-1: 178 hours of read Mandarin, 400 speakers. Official splits by speaker; dev and test are dev."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.get import get, remote, unpacked
from data_builder.corpora.manifest import words
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, find_root, listing
from data_builder.corpora.write import prepare
from soundflow.errors import DataError

TRANSCRIPT: Final = "transcript/aishell_transcript_v0.8.txt"
SPLITS: Final = {"dev": "dev", "test": "dev", "train": "train"}


def clips(raw: Path) -> Iterator[Entry]:
    """data_aishell/wav/{train,dev,test}/SNNNN/BAC009SNNNNWNNNN.wav; the words of all in one file, parted by blanks.

    The published words lack a few utterances; these are left out with that reason.
    """
    root = find_root(raw, ("data_aishell",), (TRANSCRIPT, "wav"), RECIPE.name)
    packed = sorted(path.name for path in (root / "wav").glob("S*.tar.gz"))
    folders = [root / "wav" / part for part in SPLITS]
    missing = [f"wav/{folder.name}" for folder in folders if not folder.is_dir()]
    if missing:
        hint = f"; {len(packed)} archives of speakers lie packed in wav/: run the download again" if packed else ""
        raise DataError(f"expected 3 splits, missing: {listing(missing)}{hint}", str(root))
    spoken: dict[str, str] = {}
    for item in words(root / TRANSCRIPT, 2):
        if isinstance(item, Bad):
            yield item
        else:
            spoken[item[1][0]] = "".join(item[1][1].split())
    found = 0
    for folder in folders:
        for path in sorted(folder.glob("S*/*.wav")):
            if path.stem not in spoken:
                yield Bad(str(path), "expected its words in the transcript, got none")
                continue
            found += 1
            speaker = f"aishell_{path.parent.name}"
            key = f"{folder.name}/{path.parent.name}/{path.stem}"
            split = SPLITS[folder.name]
            yield Clip(path, key, split, "speech", text=spoken[path.stem], speaker=speaker, language="zh")
    if found < len(spoken):
        raise DataError(
            f"expected the {len(spoken)} utterances of the transcript, {len(spoken) - found} are missing"
            f" ({len(packed)} archives of speakers lie packed in wav/)",
            str(root),
        )


def download_aishell(folder: Path, only: Sequence[str] = ()) -> None:
    get(RECIPE, folder, only)
    wav = folder / "data_aishell" / "wav"
    for archive in sorted(wav.glob("S*.tar.gz")):  # each holds train/SNNNN/, dev/SNNNN/ or test/SNNNN/
        unpacked(archive, wav)


def prepare_aishell(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


RECIPE: Final = Recipe(
    name="aishell",
    title="AISHELL-1",
    licence="Apache-2.0",
    open=True,
    gives="read Mandarin with words, 400 speakers",
    size="15 GB",
    citation="H. Bu et al., AISHELL-1: An Open-Source Mandarin Speech Corpus, O-COCOSDA 2017",
    homepage="https://www.openslr.org/33",
    layout="https://www.openslr.org/33 (readme of data_aishell.tgz)",
    download=download_aishell,
    prepare=prepare_aishell,
    files=remote(
        "https://www.openslr.org/resources/33/", ["data_aishell.tgz"], ["md5:2f494334227864a8a8fec932999db9d8"]
    ),
)
