"""Takes a recording, a speaker or a dialogue out of a finished build, and keeps it out of what is built after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from data_builder.plan import read_removed
from data_builder.shards import copy_members, read_metas, sha256, write_json
from data_builder.stats import build_index
from soundflow.errors import DataError


def holds(meta: dict[str, Any], wanted: set[str]) -> bool:
    """Whether a dialogue is one of `wanted`, or uses a recording or speaker of that id."""
    names = {meta["id"]} | {s["source"] for s in meta["sources"]} | {s["speaker"] for s in meta["sources"]}
    return bool(names & wanted)


def remove(folder: Path, ids: list[str]) -> dict[str, int]:
    """Rewrite the shards of a build without the dialogues that hold any of `ids`; returns id -> dialogues removed.

    An id is a recording's path, a speaker or a dialogue. `removed.json` remembers it: a later `build` in this folder
    does not use it, and makes up the hours. Raises DataError for an id that nothing holds, before anything is written.
    """
    wanted = {i for i in ids if i}
    if not wanted:
        raise DataError("expected ids of recordings, speakers or dialogues to remove, got none")
    index = build_index(folder)
    counts = dict.fromkeys(sorted(wanted), 0)
    touched: dict[str, int] = {}
    for row in index["shards"]:
        for meta in read_metas(folder / row["name"]):
            hit = [i for i in counts if holds(meta, {i})]
            for i in hit:
                counts[i] += 1
            if hit:
                touched[row["name"]] = touched.get(row["name"], 0) + 1
    unknown = [i for i, n in counts.items() if not n and i not in read_removed(folder)]
    if unknown:
        raise DataError(f"expected ids that a dialogue holds, got {', '.join(unknown)}", str(folder))
    write_json(folder / "removed.json", sorted({*read_removed(folder), *wanted}))
    shelf_file = folder / "shards.json"
    shelf = {r["name"]: r for r in json.loads(shelf_file.read_text())}
    for row in index["shards"]:
        if row["name"] not in touched:
            continue
        path, samples, streams = folder / row["name"], 0, 0

        def keep(meta: dict[str, Any]) -> bool:
            nonlocal samples, streams
            if holds(meta, wanted):
                return False
            samples += int(meta["samples"])
            streams += 1
            return True

        copy_members([path], path, keep)
        new = {"streams": streams, "seconds": samples / 16_000, "bytes": path.stat().st_size, "sha256": sha256(path)}
        row.update(new)
        shelf[row["name"]] |= {**new, "full": True}  # its blocks still hold what was removed: it is not made anew
        _drop_blocks(folder, shelf[row["name"]])
    write_json(shelf_file, list(shelf.values()))
    index["streams"] = sum(r["streams"] for r in index["shards"])
    index["seconds"] = sum(r["seconds"] for r in index["shards"])
    index["hours"] = round(index["seconds"] / 3600, 4)
    write_json(folder / "index.json", index)
    return counts


def _drop_blocks(folder: Path, row: dict[str, Any]) -> None:
    for number in range(row["first"], row["last"] + 1):
        (folder / "blocks" / f"block-{number:06d}.tar").unlink(missing_ok=True)
