"""instances.jsonl: one row an item and system, with all that scoring needs; append-only, so that a run resumes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from benchmarks import files
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError

NAME = "instances.jsonl"
Row = dict[str, Any]


def key(row: Mapping[str, Any]) -> tuple[str, str]:
    """What a row is about: (item id, system)."""
    return str(row["id"]), str(row["system"])


def read(folder: Path) -> list[Row]:
    """Rows of `folder`/instances.jsonl, none where it is missing. A last line that was cut off is dropped.

    Raises:
        DataError: a line that is not a row, or an item and system twice; file and line are named.
    """
    path = folder / NAME
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    rows: list[Row] = []
    seen: set[tuple[str, str]] = set()
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        try:
            row = json.loads(line)
            name = key(row)
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines) and not line.endswith("\n"):
                break
            raise DataError(f"expected a JSON row with id and system: {error}", where) from error
        if name in seen:
            raise DataError(f"expected each item and system once, got {name} again", where)
        seen.add(name)
        rows.append(row)
    return rows


def turns_closed(row: Row) -> set[int]:
    """Chunks of a row in which somebody had just finished speaking."""
    finals = (x["t"] for x in row.get("transcripts", ()) if x.get("final"))
    return {round(t * SAMPLE_RATE_HZ / row["chunk"]) - 1 for t in finals}


def open_for_append(folder: Path) -> TextIO:
    """The file, ready for the next row: a cut-off last line is taken away first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    if path.is_file():
        raw = path.read_bytes()
        whole = raw.rfind(b"\n") + 1
        if whole != len(raw):
            with path.open("r+b") as file:
                file.truncate(whole)
    return path.open("a", encoding="utf-8")


def write(row: Row, file: TextIO) -> None:
    """Append one row and hand it to the system."""
    file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
    file.flush()


def check_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Write `folder`/config.json; DataError where rows there were made under another configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.json"
    text = json.dumps(config, indent=1, sort_keys=True, default=str) + "\n"
    if path.is_file() and (folder / NAME).is_file() and path.read_text(encoding="utf-8") != text:
        raise DataError(
            f"expected the configuration that its instances were made with (config.json); got another one: {text}"
            "use another --out, or delete this one",
            str(folder),
        )
    files.write(path, text)


def digest(folder: Path) -> str:
    """sha256 of the rows in order of their keys, for a report; wall-clock fields left out."""
    rows = sorted(read(folder), key=key)
    kept = [{k: v for k, v in row.items() if k not in ("wall_s", "step_ms", "cpu_s")} for row in rows]
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
