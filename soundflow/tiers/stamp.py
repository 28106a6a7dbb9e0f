"""What was verified when, and whether a file is the one that was pinned."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soundflow.errors import WeightsError
from soundflow.tiers import convert
from soundflow.tiers.catalog import File, Part

OK, MISSING, DAMAGED, UNCHECKED = "ok", "missing", "damaged", "unchecked"
_VERSION = 1
_NEVER = -1


@dataclass(frozen=True, slots=True)
class FileStatus:
    """`state` is ok, missing, damaged or unchecked (there, but not hashed since it changed). `size` in bytes."""

    part: str
    name: str
    state: str
    size: int
    detail: str = ""


class Stamp:
    """Size, modification time and sha256 of each file of a tier when it was last verified.

    A stamp that cannot be read or written only costs hashing again.
    """

    def __init__(self, tier_folder: Path) -> None:
        self.path = tier_folder / ".stamp.json"
        self.files: dict[str, dict[str, Any]] = {}
        try:
            body = json.loads(self.path.read_text())
            if body["version"] == _VERSION:
                self.files = {key: dict(row) for key, row in body["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self.files = {}

    def sha256(self, path: Path) -> str:
        """The hash found when the file was verified; "" when it has changed since, or never was."""
        found = path.stat()
        row = self.files.get(_key(path), {})
        same = row.get("size") == found.st_size and row.get("mtime_ns") == found.st_mtime_ns
        return str(row.get("sha256", "")) if same else ""

    def recorded(self, path: Path) -> str:
        """The hash once recorded, whether or not the file has changed since."""
        return str(self.files.get(_key(path), {}).get("sha256", ""))

    def add(self, path: Path, sha256: str) -> None:
        found = path.stat()
        self.files[_key(path)] = {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "sha256": sha256}

    def doubt(self, path: Path) -> None:
        """The file proved wrong: hash it again next time even though its size and time say nothing."""
        if row := self.files.get(_key(path)):
            row["mtime_ns"] = _NEVER

    def save(self) -> None:
        half = self.path.with_name(f".stamp.{os.getpid()}.part")
        try:
            half.write_text(json.dumps({"version": _VERSION, "files": self.files}, indent=1, sort_keys=True))
            os.replace(half, self.path)
        except OSError:
            return  # a read-only or full home: the files themselves are good


def check(p: Part, tier_folder: Path, trust_stamp: bool) -> list[FileStatus]:
    """State of each file of a part, by hash; with `trust_stamp` only of files that changed. Good ones are stamped."""
    stamp = Stamp(tier_folder)
    pins = {f.name: f for f in p.files}
    rows, changed = [], False
    for name in p.names:
        path = tier_folder / p.name / name
        pin = pins.get(name)
        if not path.is_file():
            rows.append(FileStatus(p.name, name, MISSING, pin.size if pin else 0, "not installed"))
            continue
        size = path.stat().st_size
        known = stamp.sha256(path)
        if trust_stamp and known and known == (pin.sha256 if pin else known):
            rows.append(FileStatus(p.name, name, OK, size))
            continue
        got = sha256(path)
        wrong = not_pinned(pin, size, got) if pin else _not_built(p, path, got, stamp.recorded(path))
        rows.append(FileStatus(p.name, name, DAMAGED if wrong else OK, size, wrong))
        if wrong:
            stamp.doubt(path)
        else:
            stamp.add(path, got)
        changed = changed or bool(wrong) or not known
    if changed:
        stamp.save()
    return rows


def glance(p: Part, tier_folder: Path) -> list[FileStatus]:
    """State of each file of a part by size and stamp, without hashing."""
    stamp = Stamp(tier_folder)
    sizes = {f.name: f.size for f in p.files}
    rows = []
    for name in p.names:
        path = tier_folder / p.name / name
        if not path.is_file():
            rows.append(FileStatus(p.name, name, MISSING, sizes.get(name, 0), "not installed"))
            continue
        size = path.stat().st_size
        wrong = size != sizes.get(name, size)
        state = DAMAGED if wrong else OK if stamp.sha256(path) else UNCHECKED
        rows.append(FileStatus(p.name, name, state, size, f"expected {sizes[name]} bytes" if wrong else ""))
    return rows


def not_pinned(pin: File, size: int, got: str) -> str:
    """Why a file of `size` bytes with hash `got` is not the pinned one; "" when it is."""
    if size != pin.size:
        return f"expected {pin.size} bytes, got {size if size < pin.size else 'more'}"
    return "" if got == pin.sha256 else f"expected sha256 {pin.sha256}, got {got}"


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _not_built(p: Part, path: Path, got: str, recorded: str) -> str:
    """The same for a file made at pull time: its tensors are pinned, or else its hash was recorded when it was made."""
    assert p.built is not None
    if path.name == p.built.weights:
        try:
            tensors = convert.tensors_sha256(path)
        except WeightsError as error:
            return str(error)
        return "" if tensors == p.built.tensors_sha256 else f"its tensors are not those of {p.built.source}"
    if recorded:
        return "" if got == recorded else f"expected sha256 {recorded}, got {got}"
    if path.suffix == ".json":
        try:
            json.loads(path.read_bytes())
        except ValueError as error:
            return f"expected JSON: {error}"
    return ""


def _key(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
