"""Finished blocks become shards of a size: near-duplicates left out, whole or not at all, hashed.

A shard holds a fixed number of blocks, so that it can be written as soon as these are there and never changes after.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from data_builder.plan import read_removed
from data_builder.shards import copy_members, read_metas, sha256, write_json
from soundflow.errors import DataError

BYTES_A_SECOND: Final = 18_000  # of FLAC, measured over a mixed corpus
MEAN_SECONDS: Final = 11.0


def blocks_a_shard(shard_mb: int, block: int) -> int:
    """Blocks in a shard of about `shard_mb` megabytes."""
    return max(1, round(shard_mb * 1e6 / (block * MEAN_SECONDS * BYTES_A_SECOND)))


def block_path(out: Path, number: int) -> Path:
    return out / "blocks" / f"block-{number:06d}.tar"


def report_path(out: Path, number: int) -> Path:
    """What is known of a finished block: {streams, seconds, failed, rejected}; written after its tar."""
    return block_path(out, number).with_suffix(".json")


def read_report(out: Path, number: int) -> dict[str, Any] | None:
    """The report of a block that is there whole, else None."""
    try:
        body: dict[str, Any] = json.loads(report_path(out, number).read_text())
    except (OSError, ValueError):
        return None
    return body if block_path(out, number).is_file() else None


def content_key(meta: dict[str, Any]) -> str:
    """Equal for dialogues of the same recordings and words under the same instruction; "" where there are none.

    Gains, rooms and background do not count: such a pair teaches the same thing twice.
    """
    things = [*meta["events"], *meta["speech"]]
    if not things or any(t["source"].startswith("synth:") for t in things):
        return ""  # a synthetic sound is drawn anew each time
    said = [[r["kind"], r["text"], r["call"]] for r in meta["responses"]]
    body = [meta["subtask"], meta["instruction"], sorted([t["source"], t.get("text", "")] for t in things), said]
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


def holds(meta: dict[str, Any], ids: Collection[str]) -> bool:
    """Whether a dialogue is one of `ids`, or uses a recording or speaker of that id."""
    if meta["id"] in ids:
        return True
    return any(s["source"] in ids or s["speaker"] in ids for s in meta["sources"])


def recount(file: Path, row: dict[str, Any]) -> bool:
    """Bring a shard's row up to its file; False, and the row as it was, where the file is not whole."""
    streams = samples = 0
    try:
        for meta in read_metas(file):
            streams += 1
            samples += int(meta["samples"])
    except DataError:
        return False
    row |= {"streams": streams, "seconds": samples / 16_000, "bytes": file.stat().st_size, "sha256": sha256(file)}
    return True


@dataclass(slots=True)
class Shelf:
    """The shards of a build so far; `out`/shards.json remembers them."""

    out: Path
    shards: list[dict[str, Any]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    removed: frozenset[str] = frozenset()

    @classmethod
    def open(cls, out: Path) -> Shelf:
        """What is there and whole; a shard whose file is not of the recorded size is made anew with all after it.

        Where something was removed, such a shard may have been rewritten by a removal that was killed before it could
        record so: it is counted anew.
        """
        path = out / "shards.json"
        try:
            listed = json.loads(path.read_text()) if path.is_file() else []
        except ValueError as error:
            raise DataError(f"expected a list of shards: {error}", str(path)) from error
        shelf = cls(out, removed=frozenset(read_removed(out)))
        for row in listed:
            file = out / row["name"]
            if not file.is_file():
                break
            if file.stat().st_size != row["bytes"] and not (shelf.removed and recount(file, row)):
                break
            shelf.shards.append(row)
            shelf.seen.update(row["keys"])
        return shelf

    @property
    def next_block(self) -> int:
        """The first block that is in no full shard."""
        full = [s for s in self.shards if s["full"]]
        return int(full[-1]["last"]) + 1 if full else 0

    @property
    def seconds(self) -> float:
        """Of all shards."""
        return float(sum(s["seconds"] for s in self.shards))

    @property
    def full_seconds(self) -> float:
        """Of the full shards."""
        return float(sum(s["seconds"] for s in self.shards if s["full"]))

    def add(self, first: int, last: int, full: bool) -> dict[str, Any]:
        """Write the shard of blocks `first` to `last`; it replaces a last one that was not full."""
        if self.shards and not self.shards[-1]["full"]:
            old = self.shards.pop()
            self.seen -= set(old["keys"])
        path = self.out / f"shard-{len(self.shards):06d}.tar"
        row: dict[str, Any] = {"name": path.name, "first": first, "last": last, "full": full}
        row |= {"streams": 0, "seconds": 0.0, "duplicates": 0, "keys": []}
        samples = 0

        def keep(meta: dict[str, Any]) -> bool:
            nonlocal samples
            if self.removed and holds(meta, self.removed):
                return False
            key = content_key(meta)
            if key and key in self.seen:
                row["duplicates"] += 1
                return False
            if key:
                self.seen.add(key)
                row["keys"].append(key)
            row["streams"] += 1
            samples += int(meta["samples"])
            return True

        copy_members((block_path(self.out, n) for n in range(first, last + 1)), path, keep)
        row["seconds"] = samples / 16_000
        row["bytes"], row["sha256"] = path.stat().st_size, sha256(path)
        self.shards.append(row)
        self.record()
        return row

    def record(self) -> None:
        """Write shards.json."""
        write_json(self.out / "shards.json", self.shards)

    def drop_blocks(self) -> None:
        """Remove the blocks of full shards."""
        for row in self.shards:
            if row["full"]:
                for number in range(row["first"], row["last"] + 1):
                    block_path(self.out, number).unlink(missing_ok=True)

    def listing(self) -> Iterator[dict[str, Any]]:
        """The rows of index.json."""
        for row in self.shards:
            yield {k: row[k] for k in ("name", "streams", "seconds", "bytes", "sha256", "first", "last")}
