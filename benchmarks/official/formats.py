"""Proactive-Sound-Bench's files: manifest, reference answers, predictions. Strict readers; the layout is theirs.

Layout as published (masaz14/Proactive-Sound-Effect-Benchmark @0873b2b), one JSON object a line:

    manifest     {"id", "path": "./ROOT/MACRO/MESO/RESPOND|IGNORE/ID.wav", "description", "decision"}
    answers      the RESPOND rows again, with "standard_answers": [str, ...]
    predictions  {"id", "_raw_reply": "<Decision>RESPOND|IGNORE</Decision><Reply>...</Reply>"}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from benchmarks import files
from soundflow.errors import DataError

RESPOND: Final = "RESPOND"
IGNORE: Final = "IGNORE"
NO_REPLY: Final = "No Reply"  # what the official prompt asks for where silence is right
ERROR: Final = "Error:"  # how a reply begins that is none; the official scorer leaves such a row out
MOST_BYTES: Final = 256 << 20
MOST_ROWS: Final = 200_000
_DECISION: Final = re.compile(r"<\s*decision\s*>(.*?)<\s*/\s*decision\s*>", re.IGNORECASE | re.DOTALL)
_REPLY: Final = re.compile(r"<\s*reply\s*>(.*?)<\s*/\s*reply\s*>", re.IGNORECASE | re.DOTALL)
_WORD: Final = re.compile(r"\b(RESPOND|IGNORE)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip of a test set. `path` is relative to the folder of the audio; `macro`, `meso`: its two categories."""

    id: str
    path: str
    description: str
    decision: str
    macro: str
    meso: str
    answers: tuple[str, ...] = ()

    @property
    def respond(self) -> bool:
        return self.decision == RESPOND


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a system said of one clip. `decision`: RESPOND, IGNORE, or "" where its reply holds no such tag."""

    id: str
    raw: str
    decision: str
    reply: str


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """("FILE:LINE", object) of each line that is not blank.

    Raises:
        DataError: no such file, more than 256 MiB or 200,000 rows, or a line that is no JSON object; with its place.
    """
    if not path.is_file():
        raise DataError("expected a file of JSON lines, got no such file", str(path))
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"expected at most {MOST_BYTES} bytes, got {path.stat().st_size}", str(path))
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}:{number}"
            if number > MOST_ROWS:
                raise DataError(f"expected at most {MOST_ROWS} rows, got more", where)
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                raise DataError(f"expected a JSON object, got {line[:80]!r}: {error}", where) from error
            if not isinstance(row, dict):
                raise DataError(f"expected a JSON object, got {type(row).__name__}", where)
            yield where, row


def text(row: Mapping[str, Any], key: str, where: str, *, empty: bool = False) -> str:
    """A text field. DataError where it is missing, not text, or blank without `empty`."""
    value = row.get(key)
    if not isinstance(value, str) or (not empty and not value.strip()):
        raise DataError(f"expected {key!r} as {'text' if empty else 'text that is not empty'}, got {value!r}", where)
    return value


def relative(path: str, where: str) -> str:
    """`path` without "./". DataError for one that is absolute or leaves its folder."""
    parts = PurePosixPath(path).parts
    if path.startswith("/") or "\\" in path or "\0" in path or ".." in parts or not parts:
        raise DataError(f"expected a path inside the audio folder, got {path!r}", where)
    return str(PurePosixPath(*parts))


def read_manifest(path: Path, answers: Path | None = None) -> list[Sample]:
    """The samples in the order of the file; the categories are the two folders above RESPOND or IGNORE.

    The row's `decision` is the truth; the folder's name is not read for it.

    Raises:
        DataError: a row without one of the four fields, a decision that is neither word, a path of another shape, an id
            twice, no rows; in `answers` an id that the manifest has not, or not as RESPOND. File and line are named.
    """
    found: dict[str, Sample] = {}
    lines: dict[str, str] = {}
    for where, row in json_lines(path):
        name, file = text(row, "id", where), relative(text(row, "path", where), where)
        parts, decision = file.split("/"), row.get("decision")
        if decision not in (RESPOND, IGNORE):
            raise DataError(f"expected a decision of RESPOND or IGNORE, got {decision!r}", where)
        if len(parts) < 5 or parts[-2] not in (RESPOND, IGNORE):
            raise DataError(f"expected a path ./ROOT/MACRO/MESO/RESPOND|IGNORE/ID.wav, got {file!r}", where)
        if name in found:
            raise DataError(f"expected each id once, got {name!r} again (first at {lines[name]})", where)
        about = text(row, "description", where, empty=True)
        found[name], lines[name] = Sample(name, file, about, decision, parts[-4], parts[-3]), where
    if not found:
        raise DataError("expected rows, got none", str(path))
    known = read_answers(answers, found) if answers else {}
    return [
        Sample(s.id, s.path, s.description, s.decision, s.macro, s.meso, known.get(s.id, ())) for s in found.values()
    ]


def read_answers(path: Path, samples: Mapping[str, Sample]) -> dict[str, tuple[str, ...]]:
    """id -> reference answers, out of the second file. DataError as `read_manifest`."""
    found: dict[str, tuple[str, ...]] = {}
    for where, row in json_lines(path):
        name, given = text(row, "id", where), row.get("standard_answers")
        if not isinstance(given, list) or not given or not all(isinstance(a, str) and a.strip() for a in given):
            raise DataError(f"expected standard_answers as a list of texts, got {given!r}", where)
        if name in found:
            raise DataError(f"expected each id once, got {name!r} again", where)
        if name not in samples or not samples[name].respond:
            raise DataError(f"expected an id that the manifest has as RESPOND, got {name!r}", where)
        found[name] = tuple(given)
    return found


def parse_reply(raw: str) -> tuple[str, str]:
    """(decision, reply) of a raw reply: what stands in the first closed <Decision> and <Reply>, in any case.

    As the official scorer reads it: the first whole word RESPOND or IGNORE inside the tag counts; without a closed tag
    or such a word the decision is "".
    """
    inner, reply = _DECISION.search(raw), _REPLY.search(raw)
    word = _WORD.search(inner.group(1)) if inner else None
    return (word.group(1).upper() if word else ""), (reply.group(1).strip() if reply else "")


def raw_reply(respond: bool, reply: str) -> str:
    """What a system said in the official form; "<" and ">" in its words become spaces."""
    said = re.sub(r"[<>]", " ", reply).strip() if respond else NO_REPLY
    return f"<Decision>{RESPOND if respond else IGNORE}</Decision>\n<Reply>{said}</Reply>"


def read_predictions(path: Path, samples: Sequence[Sample]) -> dict[str, Prediction]:
    """id -> prediction of any system. Ids that are missing here are for the scorer to count as wrong.

    A reply without a readable decision is kept, with decision "", and so is one that begins with "Error:".
    `_raw_reply`, else `reply` is read.

    Raises:
        DataError: a line that is no JSON object, without an id or a reply as text, an id twice, or one that is not of
            the test set; file and line are named.
    """
    known = {s.id for s in samples}
    found: dict[str, Prediction] = {}
    lines: dict[str, str] = {}
    for where, row in json_lines(path):
        raw = row.get("_raw_reply") or row.get("reply", row.get("_raw_reply"))
        name = row.get("id")
        name = str(name) if isinstance(name, int) and not isinstance(name, bool) else text(row, "id", where)
        if not isinstance(raw, str):
            raise DataError(f"expected _raw_reply (or reply) as text, got {raw!r}", where)
        if name in found:
            raise DataError(f"expected each id once, got {name!r} again (first at {lines[name]})", where)
        if name not in known:
            raise DataError(f"expected an id of the manifest, got {name!r}", where)
        told = ("", "") if raw.strip().startswith(ERROR) else parse_reply(raw)
        found[name], lines[name] = Prediction(name, raw, *told), where
    return found


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """One JSON object a line, whole or not at all. Returns the sha256 of the file."""
    data = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows).encode()
    files.write(path, data)
    return hashlib.sha256(data).hexdigest()


def file_sha(path: Path) -> str:
    """sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
