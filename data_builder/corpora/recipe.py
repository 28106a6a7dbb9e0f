"""The shape of a corpus recipe: what it is called, under which licence, where it comes from, and what it yields.

A recipe has two halves. `download(folder)` fetches and unpacks the published files. `prepare(raw, out, options)` finds
the published layout under `raw` and writes 16 kHz mono clips with `index.csv`, or `dialogues.jsonl` for text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from soundflow.errors import DataError

SHOWN: Final = 10
"""At most so many missing files are named in an error."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A published file. `size` in bytes, 0 where it is not published; `checksum`: "md5:...", "sha1:..." or "sha256:..."

    `name`: what it is called here; the last part of the address where empty.
    """

    url: str
    size: int = 0
    checksum: str = ""
    name: str = ""

    @property
    def filename(self) -> str:
        return self.name or self.url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip to be: a file, or the stretch `start` to `end` (seconds) of it, and its row of the index.

    `key`: path of the clip in the output without its suffix, below the name of the corpus. `speaker`: who speaks; for a
    sound, the recording or uploader that it came from, so that a split made by speaker never parts one recording.
    `licence` and `open` override the recipe's where clips differ.
    """

    audio: Path
    key: str
    split: str
    kind: str
    label: str = ""
    text: str = ""
    speaker: str = ""
    language: str = ""
    respond: str = ""
    start: float = 0.0
    end: float = 0.0
    licence: str = ""
    source: str = ""
    open: bool | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody writes; `role` is user or assistant."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A text dialogue: turns in order, the user first, the two in alternation."""

    id: str
    split: str
    language: str
    turns: tuple[Turn, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Bad:
    """Something in the raw corpus that cannot be used: where it is (path, or path and line), and why."""

    where: str
    reason: str


Entry = Clip | Dialogue | Bad
Entries = Callable[[Path], Iterator[Entry]]
"""Reads a raw folder; called twice by `prepare`, so it must give the same entries in the same order each time."""


@dataclass(frozen=True, slots=True)
class Options:
    """`limit`: at most so many entries a split, spread over all (0: all). `partial`: go on where files are missing.

    `longest_s`: a sound is cut there, longer speech is quarantined. `workers`: processes that convert.
    """

    limit: int = 0
    partial: bool = False
    longest_s: float = 60.0
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a preparation wrote: clips and dialogues of each split, their hours, and how much went into quarantine."""

    folder: Path
    entries: dict[str, int] = field(default_factory=dict)
    hours: float = 0.0
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """A corpus. `open`: clips may go into weights that are given away (no non-commercial and no unclear licence).

    `gives`: what one gets, in a few words. `size`: of the download, in words. `layout`: where the facts about names
    and manifests come from. `partial`: files are expected to be missing (videos that are gone). `mixed`: some of
    its clips are open though it is not as a whole.
    """

    name: str
    title: str
    licence: str
    open: bool
    gives: str
    size: str
    citation: str
    homepage: str
    layout: str
    download: Callable[[Path, Sequence[str]], None]
    prepare: Callable[[Path, Path, Options], Prepared]
    files: tuple[RemoteFile, ...] = ()
    partial: bool = False
    mixed: bool = False


def listing(names: list[str]) -> str:
    """ "a, b and 7 more": at most `SHOWN` names."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def unfinished(folder: Path) -> str:
    """What a broken download left in `folder`, as the end of an error message; "" where nothing is unfinished."""
    parts = sorted(p.name for p in folder.glob("*.part")) if folder.is_dir() else []
    return f"; a download lies half-finished there ({listing(parts)}): run the download again" if parts else ""


def find_root(raw: Path, names: tuple[str, ...], needed: tuple[str, ...], recipe: str) -> Path:
    """The folder that holds all of `needed` (paths, may be globs): `raw` itself or one of `names` in it.

    Raises DataError that lists what is missing from the folder that holds most of it.
    """
    if not raw.is_dir():
        raise DataError(f"expected the folder of a download (soundflow data download {recipe}), got none", str(raw))
    best, lacking = raw, list(needed)
    for folder in (raw, *(raw / name for name in names)):
        missing = [path for path in needed if next(folder.glob(path), None) is None]
        if not missing:
            return folder
        if len(missing) < len(lacking) or (folder != raw and best == raw and folder.is_dir()):
            best, lacking = folder, missing
    raise DataError(
        f"expected the layout of {recipe}, {len(lacking)} of {len(needed)} parts are missing: {listing(lacking)}"
        f"{unfinished(raw)}",
        str(best),
    )
