"""Takes a recording, a speaker or a dialogue out of a finished build, and keeps it out of what is built after."""

from __future__ import annotations

from pathlib import Path

from data_builder.assemble import Shelf, holds, recount
from data_builder.plan import read_removed
from data_builder.shards import copy_members, read_metas, write_json
from data_builder.stats import build_index
from soundflow.errors import DataError


def remove(folder: Path, ids: list[str]) -> dict[str, int]:
    """Rewrite the shards of a build without the dialogues that hold any of `ids`; returns id -> dialogues removed.

    An id is a recording's path, a speaker or a dialogue. `removed.json` remembers it: a later `build` in this folder
    does not use it, and makes up the hours. Raises DataError for an id that nothing holds, before anything is written.
    """
    wanted = {i for i in ids if i}
    if not wanted:
        raise DataError("expected ids of recordings, speakers or dialogues to remove, got none")
    index = build_index(folder)
    shelf = Shelf.open(folder)
    counts = dict.fromkeys(sorted(wanted), 0)
    touched: set[str] = set()
    for row in shelf.shards:
        for meta in read_metas(folder / row["name"]):
            hit = [i for i in counts if holds(meta, {i})]
            for i in hit:
                counts[i] += 1
            if hit:
                touched.add(row["name"])
    before = read_removed(folder)
    if unknown := [i for i, n in counts.items() if not n and i not in before]:
        raise DataError(f"expected ids that a dialogue holds, got {', '.join(unknown)}", str(folder))
    # First the memory, then shard by shard: killed anywhere, a second call or a build brings the rest in order.
    write_json(folder / "removed.json", sorted({*before, *wanted}))
    for row in shelf.shards:
        path = folder / row["name"]
        if row["name"] in touched:
            copy_members([path], path, lambda meta: not holds(meta, wanted))
            recount(path, row)
            shelf.record()
    index["shards"] = list(shelf.listing())
    index["streams"] = sum(r["streams"] for r in shelf.shards)
    index["seconds"] = shelf.seconds
    index["hours"] = round(shelf.seconds / 3600, 4)
    write_json(folder / "index.json", index)
    return counts
