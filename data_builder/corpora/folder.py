"""Recipe for a folder of clips with an `index.csv`.

Columns, in this order: path (relative to the folder), dataset, split (train|dev), kind (speech|event|music|ambience),
label, text, speaker, language, seconds, license, source, open (yes|no: openly licensed), respond (yes|no|context or
empty).
"""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from soundflow.errors import DataError

COLUMNS = (
    "path", "dataset", "split", "kind", "label", "text", "speaker", "language", "seconds", "license", "source", "open",
    "respond",
)  # fmt: skip
KINDS = ("speech", "event", "music", "ambience")
SPLITS = ("train", "cal", "dev")
CAL_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One clip of the corpus. `split` is already train, cal or dev."""

    path: str
    dataset: str
    split: str
    kind: str
    label: str
    text: str
    speaker: str
    language: str
    seconds: float
    licence: str
    source: str
    open: bool
    respond: str


def split_of(split: str, path: str, speaker: str) -> str:
    """`cal` is carved out of train by a hash of the speaker, or of the recording where no speaker is known."""
    if split != "train":
        return split
    digest = hashlib.sha256((speaker or path).encode()).digest()
    return "cal" if int.from_bytes(digest[:8], "big") % 100 < CAL_PERCENT else "train"


def _row(raw: dict[str, str], where: str, root: Path, check_files: bool) -> Row:
    def need(ok: bool, column: str, expected: str) -> None:
        if not ok:
            raise DataError(f"column {column!r}: expected {expected}, got {raw[column]!r}", where)

    path = PurePosixPath(raw["path"])
    need(bool(raw["path"]) and not path.is_absolute() and ".." not in path.parts, "path", "a path inside the folder")
    need(raw["split"] in ("train", "dev"), "split", "train or dev")
    need(raw["kind"] in KINDS, "kind", " or ".join(KINDS))
    need(raw["open"] in ("yes", "no"), "open", "yes or no")
    need(raw["respond"] in ("", "yes", "no", "context"), "respond", "yes, no, context or nothing")
    need(raw["kind"] == "speech" or bool(raw["label"]), "label", f"a label for kind {raw['kind']}")
    need(bool(raw["license"]), "license", "a licence")
    try:
        length = float(raw["seconds"])
    except ValueError:
        length = math.nan
    need(math.isfinite(length) and length > 0, "seconds", "a positive number")
    if check_files and not (root / raw["path"]).is_file():
        raise DataError(f"column 'path': expected a file, got none at {root / raw['path']}", where)
    return Row(
        path=raw["path"],
        dataset=raw["dataset"],
        split=split_of(raw["split"], raw["path"], raw["speaker"]),
        kind=raw["kind"],
        label=raw["label"],
        text=raw["text"],
        speaker=raw["speaker"],
        language=raw["language"],
        seconds=length,
        licence=raw["license"],
        source=raw["source"],
        open=raw["open"] == "yes",
        respond=raw["respond"],
    )


def read_index(root: Path, check_files: bool = True) -> list[Row]:
    """All rows of `root`/index.csv. Raises DataError that names file, line and column."""
    path = root / "index.csv"
    if not path.is_file():
        raise DataError(f"expected an index at {path}, got none")
    rows: list[Row] = []
    seen: set[str] = set()
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = tuple(next(reader, ()))
        if header != COLUMNS:
            raise DataError(f"expected columns {','.join(COLUMNS)}, got {','.join(header)}", str(path))
        for values in reader:
            where = f"{path}:{reader.line_num}"
            if len(values) != len(COLUMNS):
                raise DataError(f"expected {len(COLUMNS)} values, got {len(values)}", where)
            row = _row(dict(zip(COLUMNS, values, strict=True)), where, root, check_files)
            if row.path in seen:
                raise DataError(f"column 'path': expected a path once, got {row.path!r} again", where)
            seen.add(row.path)
            rows.append(row)
    return rows


def select(rows: list[Row], split: str, noncommercial: bool = False) -> list[Row]:
    """Rows that streams of `split` may use: openly licensed ones; dev streams are for evaluation and may use all."""
    if split not in SPLITS:
        raise DataError(f"expected split {', '.join(SPLITS)}; got {split!r}")
    return [r for r in rows if r.split == split and (r.open or noncommercial or split == "dev")]
