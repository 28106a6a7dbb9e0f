"""LibriSpeech: 1,000 hours of read English with words. Splits by speaker as published: dev-* and test-* are dev."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.get import get, remote
from data_builder.corpora.manifest import words
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, find_root
from data_builder.corpora.write import prepare
from soundflow.errors import DataError

PARTS: Final = {
    "dev-clean": "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3",
    "dev-other": "12661c48e8c3fe1de2c1caa4c3e135193bfb1811584f11f569dd12645aa84365",
    "test-clean": "39fde525e59672dc6d1551919b1478f724438a95aa55f874b576be21967e6c23",
    "test-other": "d09c181bba5cf717b3dee7d4d592af11a3ee3a09e08ae025c5506f6ebe961c29",
    "train-clean-100": "d4ddd1d5a6ab303066f14971d768ee43278a5f2a0aa43dc716b0e64ecbbbf6e2",
    "train-clean-360": "146a56496217e96c14334a160df97fffedd6e0a04e66b9c5af0d40be3c792ecf",
    "train-other-500": "ddb22f27f96ec163645d53215559df6aa36515f26e01dd70798188350adcb6d2",
}
"""Part -> sha256 of its archive, as torchaudio's dataset states it."""


def clips(raw: Path) -> Iterator[Entry]:
    """LibriSpeech/PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac with the words in SPEAKER-CHAPTER.trans.txt."""
    root = find_root(raw, ("LibriSpeech",), (), RECIPE.name)
    root = root / "LibriSpeech" if (root / "LibriSpeech").is_dir() else root
    parts = [part for part in PARTS if (root / part).is_dir()]
    if not parts:
        raise DataError(f"expected at least one of the folders {', '.join(PARTS)}, got none", str(root))
    for part in parts:
        split = "train" if part.startswith("train") else "dev"
        for chapter in sorted((root / part).glob("*/*")):
            if chapter.is_dir():
                yield from _chapter(chapter, split, part)


def _chapter(chapter: Path, split: str, part: str) -> Iterator[Entry]:
    speaker = chapter.parent.name
    manifest = chapter / f"{speaker}-{chapter.name}.trans.txt"
    if not manifest.is_file():
        raise DataError("expected the words of a chapter, got no file: the download is unfinished", str(manifest))
    for item in words(manifest, 2):
        if isinstance(item, Bad):
            yield item
            continue
        where, (name, text) = item
        if not name.startswith(f"{speaker}-{chapter.name}-"):
            yield Bad(where, f"expected an utterance of {speaker}-{chapter.name}, got {name[:80]!r}")
            continue
        key, who = f"{part}/{name}", f"librispeech_{speaker}"
        yield Clip(chapter / f"{name}.flac", key, split, "speech", text=text, speaker=who, language="en")


def download_librispeech(folder: Path, only: Sequence[str] = ()) -> None:
    get(RECIPE, folder, only)


def prepare_librispeech(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


RECIPE: Final = Recipe(
    name="librispeech",
    title="LibriSpeech ASR corpus",
    licence="CC BY 4.0",
    open=True,
    gives="read English with words, 2,484 speakers",
    size="60 GB (train-clean-100: 6.3 GB)",
    citation="V. Panayotov et al., LibriSpeech: an ASR corpus based on public domain audio books, ICASSP 2015",
    homepage="https://www.openslr.org/12",
    layout="https://www.openslr.org/12 (README.TXT of the archives)",
    download=download_librispeech,
    prepare=prepare_librispeech,
    files=remote(
        "https://www.openslr.org/resources/12/",
        [f"{part}.tar.gz" for part in PARTS],
        [f"sha256:{digest}" for digest in PARTS.values()],
    ),
)
