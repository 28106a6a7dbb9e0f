"""WHAM! noise: coffee shops, restaurants, bars and offices around San Francisco, two channels. Official splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.get import get
from data_builder.corpora.recipe import Clip, Entry, Options, Prepared, Recipe, RemoteFile, find_root
from data_builder.corpora.write import prepare
from soundflow.errors import DataError

PARTS: Final = {"tr": "train", "cv": "dev", "tt": "dev"}
COUNTS: Final = {"tr": 20_000, "cv": 5_000, "tt": 3_000}
LABEL: Final = "places/cafe_or_bar"


def clips(raw: Path) -> Iterator[Entry]:
    """wham_noise/{tr,cv,tt}/NAME.wav and wham_noise/metadata/noise_meta_{tr,cv,tt}.csv, one line a file.

    NAME is that of the two-speaker mixture for which the noise was cut. The metadata tell how many there should be.
    """
    root = find_root(raw, ("wham_noise",), tuple(PARTS), RECIPE.name)
    lacking = []
    for part in PARTS:
        manifest = root / "metadata" / f"noise_meta_{part}.csv"
        have = sum(1 for _ in (root / part).glob("*.wav"))
        lines = 0
        if manifest.is_file():
            with manifest.open(encoding="utf-8", errors="replace") as file:
                lines = sum(1 for line in file if line.strip()) - 1
        if have == 0 or have < lines:
            lacking.append(f"{part}: {have} of {lines if lines > 0 else COUNTS[part]}")
    if lacking:
        raise DataError(f"expected the files of all splits, got {'; '.join(lacking)}", str(root))
    for part, split in PARTS.items():
        for path in sorted((root / part).glob("*.wav")):
            yield Clip(path, f"{part}/{path.stem}", split, "ambience", LABEL, respond="no")


def download_wham(folder: Path, only: Sequence[str] = ()) -> None:
    get(RECIPE, folder, only)


def prepare_wham(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


RECIPE: Final = Recipe(
    name="wham",
    title="WHAM! noise",
    licence="CC BY-NC 4.0",
    open=False,
    gives="noise of cafes, bars and restaurants, 80 hours",
    size="18 GB",
    citation="G. Wichern et al., WHAM!: Extending Speech Separation to Noisy Environments, Interspeech 2019",
    homepage="http://wham.whisper.ai/",
    layout="http://wham.whisper.ai/ (README of wham_noise.zip; bucket as asteroid's and ESPnet's recipes name it)",
    download=download_wham,
    prepare=prepare_wham,
    files=(RemoteFile("https://my-bucket-a8b4b49c25c811ee9a7e8bba05fa24c7.s3.amazonaws.com/wham_noise.zip"),),
)
