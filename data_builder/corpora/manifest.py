"""Reading of published manifests line by line: a wrong line is told with its place and does not end the reading."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from data_builder.corpora.recipe import Bad
from soundflow.errors import DataError

LONGEST_LINE: Final = 4 << 20
PIECE: Final = 1 << 20
LONGEST_ITEM: Final = 64 << 20
_BETWEEN: Final = re.compile(r"[ \t\r\n,]*")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line, without its end. Bytes that are no UTF-8 become U+FFFD; lines are bounded."""
    with path.open(encoding="utf-8-sig", errors="replace", newline=None) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                raise DataError(f"expected lines of at most {LONGEST_LINE} characters", f"{path}:{number}")
            yield number, line.rstrip("\n")


def table(path: Path, columns: Sequence[str], tabs: bool = False) -> Iterator[tuple[str, dict[str, str]] | Bad]:
    """(place, row) of each line of a CSV with a header that names at least `columns`; with `tabs` a TSV without quotes.

    Raises DataError where the file or one of `columns` is missing. A CSV cell may not span lines.
    """
    if not path.is_file():
        raise DataError("expected a manifest, got no file", str(path))
    header: list[str] = []
    for number, line in _lines(path):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            cells = line.split("\t") if tabs else next(csv.reader([line], strict=True))
        except csv.Error as err:
            yield Bad(where, f"expected a line of comma-separated values: {err}")
            continue
        if not header:
            header = [cell.strip() for cell in cells]
            lacking = [name for name in columns if name not in header]
            if lacking:
                raise DataError(f"expected columns {', '.join(columns)}; there is no {', '.join(lacking)}", where)
            continue
        if len(cells) != len(header):
            yield Bad(where, f"expected {len(header)} values, got {len(cells)}")
            continue
        yield where, dict(zip(header, cells, strict=True))
    if not header:
        raise DataError(f"expected a header with {', '.join(columns)}, got an empty file", str(path))


def words(path: Path, parts: int) -> Iterator[tuple[str, list[str]] | Bad]:
    """(place, values) of each line of `parts` values parted by blanks; the last one keeps its own blanks."""
    if not path.is_file():
        raise DataError("expected a manifest, got no file", str(path))
    for number, line in _lines(path):
        if not line.strip():
            continue
        values = line.strip().split(None, parts - 1)
        if len(values) == parts:
            yield f"{path}:{number}", values
        else:
            yield Bad(f"{path}:{number}", f"expected {parts} values, got {len(values)}")


def load_json(path: Path, most_bytes: int = 256 << 20) -> Any:
    """The value of a JSON file of at most `most_bytes`. Raises DataError with line and column where it is none."""
    if not path.is_file():
        raise DataError("expected a JSON file, got no file", str(path))
    if path.stat().st_size > most_bytes:
        raise DataError(f"expected at most {most_bytes} bytes, got {path.stat().st_size}", str(path))
    try:
        return json.loads(path.read_text(encoding="utf-8-sig", errors="replace"))
    except json.JSONDecodeError as err:
        raise DataError(f"expected JSON: {err.msg}", f"{path}:{err.lineno}:{err.colno}") from err
    except (ValueError, RecursionError) as err:
        raise DataError(f"expected JSON of ordinary numbers and depth: {str(err)[:120]}", str(path)) from None


def json_lines(path: Path) -> Iterator[tuple[str, Any] | Bad]:
    """(place, value) of each line of a JSONL file."""
    if not path.is_file():
        raise DataError("expected a manifest, got no file", str(path))
    for number, line in _lines(path):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as err:
            yield Bad(f"{path}:{number}", f"expected JSON: {str(err)[:120]}")
            continue
        yield f"{path}:{number}", value


def json_items(path: Path, key: str = "") -> Iterator[tuple[str, Any]]:
    """(place, value) of each item of a JSON array, read piece by piece: the file may be larger than memory.

    The array is the file itself, or the first one that follows `"key":`. Raises DataError where the text breaks off.
    """
    if not path.is_file():
        raise DataError("expected a JSON file, got no file", str(path))
    decoder, number = json.JSONDecoder(), 0
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        text, at = _array(file, path, key), 0
        while True:
            at = _BETWEEN.match(text, at).end()
            if text.startswith("]", at):
                return
            try:
                value, end = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                value, end = None, len(text)
            if end < len(text):  # at the very end a number may go on in the next piece
                yield f"{path}, item {number}", value
                number, at = number + 1, end
                continue
            piece = file.read(PIECE)
            if not piece or len(text) - at > LONGEST_ITEM:
                raise DataError(f"item {number}: expected the array to go on, the text is cut or broken", str(path))
            text, at = text[at:] + piece, 0


def _array(file: IO[str], path: Path, key: str) -> str:
    """What follows the "[" of the array."""
    begin = re.compile(rf'"{re.escape(key)}"\s*:\s*\[' if key else r"\A\s*\[")
    what, text = f"a JSON array{f' under {key!r}' if key else ''}", ""
    while not (found := begin.search(text)):
        piece = file.read(PIECE)
        if not piece or len(text) > LONGEST_ITEM:
            raise DataError(f"expected {what}, got none", str(path))
        text += piece
    return text[found.end() :]
