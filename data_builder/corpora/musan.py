"""MUSAN: music, speech without words, and noise, 109 hours. No official split: one in ten artists or files is dev.

Tracks are long; the first minute of each is used (`Options.longest_s`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.get import get, remote
from data_builder.corpora.labels import snake
from data_builder.corpora.licences import share
from data_builder.corpora.manifest import words
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, find_root
from data_builder.corpora.write import prepare

KINDS: Final = {"music": "music", "noise": "ambience", "speech": "speech"}


def clips(raw: Path) -> Iterator[Entry]:
    """musan/{music,noise,speech}/SOURCE/KIND-SOURCE-NNNN.wav; music/*/ANNOTATIONS: name, genres, vocals, artist."""
    root = find_root(raw, ("musan",), tuple(f"{part}/*/*.wav" for part in KINDS), RECIPE.name)
    for part, kind in KINDS.items():
        for source in sorted(folder for folder in (root / part).iterdir() if folder.is_dir()):
            about: dict[str, tuple[str, str]] = {}
            if part == "music" and (source / "ANNOTATIONS").is_file():
                for item in words(source / "ANNOTATIONS", 4):
                    if isinstance(item, Bad):
                        yield item
                    else:
                        name, genres, _, artist = item[1]
                        about[name] = (genres.split(",")[0], artist)
            present = {path.stem: path for path in sorted(source.glob("*.wav"))}
            for name in sorted({*present, *about}):
                genre, artist = about.get(name, ("", ""))
                person = f"musan_{source.name}_{artist or name}"
                yield Clip(
                    audio=source / f"{name}.wav",
                    key=f"{part}/{source.name}/{name}",
                    split=share(person),
                    kind=kind,
                    label=_label(part, source.name, genre),
                    speaker=person,
                    respond="" if kind == "speech" else "no",
                    source=f"{RECIPE.homepage} ({part}/{source.name}/LICENSE)",
                )


def _label(part: str, source: str, genre: str) -> str:
    if part == "noise":
        return f"noise/{snake(source)}"
    return "" if part == "speech" else f"music_{snake(genre)}" if snake(genre) else "music"


def download_musan(folder: Path, only: Sequence[str] = ()) -> None:
    get(RECIPE, folder, only)


def prepare_musan(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


RECIPE: Final = Recipe(
    name="musan",
    title="MUSAN: A Music, Speech, and Noise Corpus",
    licence="CC BY 4.0 (each file: US public domain or Creative Commons, see LICENSE beside it)",
    open=True,
    gives="music, speech without words, noise",
    size="11 GB",
    citation="D. Snyder et al., MUSAN: A Music, Speech, and Noise Corpus, arXiv:1510.08484",
    homepage="https://www.openslr.org/17",
    layout="https://www.openslr.org/17 (README and ANNOTATIONS of musan.tar.gz)",
    download=download_musan,
    prepare=prepare_musan,
    files=remote("https://www.openslr.org/resources/17/", ["musan.tar.gz"], ["md5:0c472d4fc0c5141eca47ad1ffeb2a7df"]),
)
