"""ESC-50: 2,000 clips of 5 s in 50 classes. Fold 5 is dev, always: it is reserved for tests.

The ten classes of ESC-10 are openly licensed, the rest is not. Speaker is the recording on Freesound.
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

MANIFEST: Final = "meta/esc50.csv"
COLUMNS: Final = ("filename", "fold", "target", "category", "esc10", "src_file", "take")
RESERVED: Final = "5"
OURS: Final = {
    "clapping": "applause_clap",
    "clock_alarm": "alarm",
    "crickets": "insect",
    "door_wood_creaks": "door",
    "door_wood_knock": "knock",
    "engine": "car_engine",
    "glass_breaking": "glass_break",
    "hand_saw": "saw_drill_tools",
    "hen": "chicken",
    "insects": "insect",
    "laughing": "laugh",
    "mouse_click": "click",
    "pouring_water": "water",
    "sheep": "sheep_goat",
    "vacuum_cleaner": "vacuum_fan",
    "water_drops": "water",
}
"""Classes that are called otherwise here; the others keep their names."""


def clips(raw: Path) -> Iterator[Entry]:
    """meta/esc50.csv and audio/FOLD-SOURCE-TAKE-TARGET.wav, at the root or below ESC-50-master/."""
    root = find_root(raw, ("ESC-50-master", "ESC-50"), (MANIFEST, "audio"), RECIPE.name)
    for item in table(root / MANIFEST, COLUMNS):
        if isinstance(item, Bad):
            yield item
            continue
        where, row = item
        name, fold, category = row["filename"], row["fold"], row["category"]
        if fold not in "12345" or len(fold) != 1 or not name.startswith(f"{fold}-") or "/" in name or not category:
            yield Bad(where, f"expected a file named by its fold, got fold {fold[:10]!r} and {name[:60]!r}")
            continue
        label = OURS.get(category, category)
        free = row["esc10"] == "True"
        yield Clip(
            audio=root / "audio" / name,
            key=name.rsplit(".", 1)[0],
            split="dev" if fold == RESERVED else "train",
            kind="event",
            label=label,
            speaker=f"freesound:{row['src_file']}",
            respond=respond_to(label),
            licence="CC BY 3.0 (ESC-10)" if free else "CC BY-NC 3.0 (ESC-50)",
            source=f"https://freesound.org/s/{row['src_file']}/",
            open=free,
        )


def download_esc50(folder: Path, only: Sequence[str] = ()) -> None:
    get(RECIPE, folder, only)


def prepare_esc50(raw: Path, out: Path, options: Options | None = None) -> Prepared:
    return prepare(RECIPE, clips, raw, out, options or Options())


RECIPE: Final = Recipe(
    name="esc50",
    title="ESC-50",
    licence="CC BY-NC 3.0 (ESC-10 within: CC BY 3.0)",
    open=False,
    mixed=True,
    gives="environmental sounds of 50 classes, 2.8 hours",
    size="600 MB",
    citation="K. Piczak, ESC: Dataset for Environmental Sound Classification, ACM MM 2015",
    homepage="https://github.com/karolpiczak/ESC-50",
    layout="https://github.com/karolpiczak/ESC-50 (README: repository content)",
    download=download_esc50,
    prepare=prepare_esc50,
    files=(RemoteFile("https://github.com/karolpiczak/ESC-50/archive/master.zip", name="ESC-50-master.zip"),),
)
