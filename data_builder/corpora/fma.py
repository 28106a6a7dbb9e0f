"""FMA: music of the Free Music Archive, 30 s a track. Licence by track; validation and test are dev.

Speaker is the artist; one who is in validation or test gives nothing to train.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from data_builder.corpora.get import get
from data_builder.corpora.labels import snake
from data_builder.corpora.licences import of_words
from data_builder.corpora.recipe import Bad, Clip, Entry, Options, Prepared, Recipe, RemoteFile, find_root, unfinished
from data_builder.corpora.write import prepare
from soundflow.errors import DataError

MANIFEST: Final = "fma_metadata/tracks.csv"
SUBSETS: Final = {
    "fma_small": ("small",),
    "fma_medium": ("small", "medium"),
    "fma_large": ("small", "medium", "large"),
    "fma_full": ("small", "medium", "large"),
}
WANTED: Final = (("set", "split"), ("set", "subset"), ("track", "genre_top"), ("track", "license"), ("artist", "id"))
SPLITS: Final = {"training": "train", "validation": "dev", "test": "dev"}


def clips(raw: Path) -> Iterator[Entry]:
    """fma_metadata/tracks.csv (three lines of header: group, column, track_id) and fma_SIZE/NNN/NNNNNN.mp3."""
    root = find_root(raw, ("fma",), (MANIFEST,), RECIPE.name)
    sizes = [name for name in SUBSETS if (root / name).is_dir()]
    if not sizes:
        raise DataError(f"expected one of {', '.join(SUBSETS)}, got none{unfinished(root)}", str(root))
    folder, subsets = root / sizes[-1], SUBSETS[sizes[-1]]
    held: set[str] = set()
    for late in (False, True):
        for item in tracks(root / MANIFEST):
            if isinstance(item, Bad):
                if not late:
                    yield item
                continue
            where, track, (split, subset, genre, licence, artist) = item
            if subset not in subsets or (split == "training") != late:
                continue
            if split not in SPLITS:
                yield Bad(where, f"expected a split ({', '.join(SPLITS)}), got {split[:40]!r}")
                continue
            if late and artist in held:
                yield Bad(where, "expected an artist of train, got one of validation or test")
                continue
            if not late:
                held.add(artist)
            name, is_open = of_words(licence)
            yield Clip(
                audio=folder / f"{track // 1000:03d}" / f"{track:06d}.mp3",
                key=f"{track // 1000:03d}/{track:06d}",
                split=SPLITS[split],
                kind="music",
                label=f"music_{snake(genre)}" if genre else "music",
                speaker=f"fma_artist:{artist}",
                respond="no",
                licence=name,
                source=f"https://freemusicarchive.org (track {track})",
                open=is_open,
            )


def tracks(path: Path) -> Iterator[tuple[str, int, tuple[str, ...]] | Bad]:
    """(place, track, values of `WANTED`) of each row; cells may span lines. Raises DataError for another header."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.reader(file)
        groups, columns = next(reader, []), next(reader, [])
        at = {pair: i for i, pair in enumerate(zip(groups, columns, strict=False))}
        lacking = [".".join(pair) for pair in WANTED if pair not in at]
        if lacking:
            raise DataError(f"expected columns {', '.join(lacking)} in two lines of header", str(path))
        while True:
            try:
                row = next(reader, None)
            except csv.Error as err:
                yield Bad(f"{path}:{reader.line_num}", f"expected comma-separated values: {err}")
                continue
            if row is None:
                return
            if not row or row[0] == "track_id":
                continue
            where = f"{path}:{reader.line_num}"
            if len(row) != len(columns) or not row[0].isdecimal() or len(row[0]) > 9:
                yield Bad(where, f"expected a track and {len(columns)} values, got {row[0][:20]!r} and {len(row)}")
                continue
            yield where, int(row[0]), tuple(row[at[pair]].strip() for pair in WANTED)


def download_fma(folder: Path, only: Sequence[str] = ()) -> None:
    """The metadata and the small set, unless `only` names another."""
    get(RECIPE, folder, only or ("fma_metadata", "fma_small"))


def prepare_fma(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


def _file(name: str, sha1: str) -> RemoteFile:
    return RemoteFile(f"https://os.unil.cloud.switch.ch/fma/{name}.zip", checksum=f"sha1:{sha1}")


RECIPE: Final = Recipe(
    name="fma",
    title="FMA: A Dataset For Music Analysis",
    licence="by track: Creative Commons, chosen by the artist (metadata CC BY 4.0)",
    open=False,
    mixed=True,
    gives="music of 16 to 161 genres, 30 s a track",
    size="7.2 GB (small) to 93 GB (large)",
    citation="M. Defferrard et al., FMA: A Dataset for Music Analysis, ISMIR 2017",
    homepage="https://github.com/mdeff/fma",
    layout="https://github.com/mdeff/fma (README and usage notebook; sha1 as the README states them)",
    download=download_fma,
    prepare=prepare_fma,
    files=(
        _file("fma_metadata", "f0df49ffe5f2a6008d7dc83c6915b31835dfe733"),
        _file("fma_small", "ade154f733639d52e35e32f5593efe5be76c6d70"),
        _file("fma_medium", "c67b69ea232021025fca9231fc1c7c1a063ab50b"),
        _file("fma_large", "497109f4dd721066b5ce5e5f250ec604dc78939e"),
    ),
)
