"""What is known of the files of a folder, as JSON lines that survive a kill, another writer and damage."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from data_builder.clip_facts import Facts
from soundflow.errors import ConfigError

VERSION: Final = 1  # of the measurements: raise it when `clip_facts` finds other numbers in the same file
_FIELDS: Final = {field.name for field in fields(Facts)}


class Cache:
    """One file for each folder of clips: `clips-<hash of the folder's path>.jsonl`.

    A line is written at once and carries its checksum, so a torn or damaged one only costs measuring again. Where
    there were such lines, or outdated ones, the file is written anew at the end, whole or not at all.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
        self.path = folder / f"clips-{name}.jsonl"
        self._known: dict[str, dict[str, Any]] = {}
        self._stale = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as err:
            raise ConfigError(f"catalog: expected a cache folder that can be written, got {folder}: {err}") from err
        with self.path.open("rb") as lines:
            last = b"\n"
            for last in lines:
                self._take(last)
        if not last.endswith(b"\n"):
            os.write(self._file, b"\n")

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
        if self._stale:
            part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
            with part.open("wb") as out:
                for body in self._known.values():
                    out.write(_line(body))
            os.replace(part, self.path)

    def get(self, path: str, stamp: str) -> Facts | str | None:
        """The facts of a file or why it is bad; None where it is unknown or has changed since."""
        body = self._known.get(path)
        if body is None or body["stamp"] != stamp:
            return None
        return Facts(**body["facts"]) if "facts" in body else str(body["reason"])

    def add(self, path: str, stamp: str, outcome: Facts | str) -> None:
        """Keep what was found of a file."""
        body: dict[str, Any] = {"version": VERSION, "path": path, "stamp": stamp}
        body |= {"reason": outcome} if isinstance(outcome, str) else {"facts": asdict(outcome)}
        self._stale += path in self._known
        self._known[path] = body
        os.write(self._file, _line(body))

    def _take(self, line: bytes) -> None:
        try:
            read = json.loads(line)
            body = read.pop("body")
            whole = "reason" in body or body["facts"].keys() == _FIELDS
            if whole and read["crc"] == zlib.crc32(_dump(body)) and body["version"] == VERSION:
                self._stale += body["path"] in self._known
                self._known[body["path"]] = body
                return
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        self._stale += 1


def _dump(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _line(body: dict[str, Any]) -> bytes:
    return b'{"body":' + (dump := _dump(body)) + b',"crc":%d}\n' % zlib.crc32(dump)
