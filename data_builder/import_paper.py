"""A folder in the layout of the paper's corpus becomes shards of our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from data_builder import paper_layout
from data_builder.clips import FloatArray
from data_builder.corpora.folder import SPLITS
from data_builder.paper_layout import MAX_JSON
from data_builder.schema import SCHEMA
from data_builder.shards import sha256, write_json, write_shard
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError

STREAMS_A_SHARD: Final = 2000
Stream = tuple[dict[str, Any], FloatArray]


def from_paper(source: Path, out: Path, split: str = "train", licence: str = "not stated") -> dict[str, Any]:
    """Read every .json and .jsonl of `source` into shards in `out`; returns what was written to index.json.

    A stream that is wrong is left out, and named with its reason in quarantine.json. Raises DataError where no stream
    is right, ConfigError for a folder that holds something, or an unknown split.
    """
    if split not in SPLITS:
        raise ConfigError(f"--split: expected {', '.join(SPLITS)}; got {split!r}")
    if out.is_dir() and any(out.iterdir()):
        raise ConfigError(f"--out: expected an empty folder, got {out}, which holds something")
    files = sorted(p for p in source.rglob("*") if p.suffix in (".json", ".jsonl") and p.is_file())
    if not files:
        raise DataError("expected .json or .jsonl files of the paper's layout, got none", str(source))
    out.mkdir(parents=True, exist_ok=True)
    bad: dict[str, str] = {}
    streams = _streams(files, split, licence, bad)
    shards: list[dict[str, Any]] = []
    while (first := next(streams, None)) is not None:
        path = out / f"shard-{len(shards):06d}.tar"
        counts = {"streams": 0, "seconds": 0.0}
        write_shard(path, _counted(first, streams, counts))
        shards.append({"name": path.name, **counts, "bytes": path.stat().st_size, "sha256": sha256(path)})
    write_json(out / "quarantine.json", bad)
    if not shards:
        reason = next(iter(bad.values()), "the files are empty")
        raise DataError(f"expected at least one stream that can be read, got none: {reason}", str(source))
    seconds = sum(s["seconds"] for s in shards)
    index = {
        "schema": SCHEMA,
        "split": split,
        "seed": 0,
        "noncommercial": True,
        "shares": {},
        "streams": sum(s["streams"] for s in shards),
        "seconds": seconds,
        "hours": round(seconds / 3600, 4),
        "shards": shards,
    }
    write_json(out / "index.json", index)
    return index


def _bodies(files: list[Path]) -> Iterator[tuple[str, Path, bytes]]:
    """(where, folder of its audio, JSON) of each stream; at most MAX_JSON bytes and one more of each are read."""
    for path in files:
        with path.open("rb") as file:
            if path.suffix == ".json":
                yield str(path), path.parent, file.read(MAX_JSON + 1)
                continue
            for number, line in enumerate(iter(lambda file=file: file.readline(MAX_JSON + 1), b""), 1):  # type: ignore[misc]
                if line.strip():
                    yield f"{path}:{number}", path.parent, line


def _streams(files: list[Path], split: str, licence: str, bad: dict[str, str]) -> Iterator[Stream]:
    seen: set[str] = set()
    for where, folder, body in _bodies(files):
        try:
            if len(body) > MAX_JSON:
                raise DataError(f"expected at most {MAX_JSON} bytes of JSON, got more", where)
            _, meta, pcm = paper_layout.parse(body, folder, where, split, licence)
            if meta["id"] in seen:
                raise DataError(f"expected the id {meta['id']!r} once, got it again", where)
        except DataError as error:
            bad[where] = str(error)
            continue
        seen.add(meta["id"])
        yield meta, pcm.astype(np.float32) / np.float32(32767.0)


def _counted(first: Stream, rest: Iterator[Stream], counts: dict[str, Any]) -> Iterator[Stream]:
    stream: Stream | None = first
    while stream is not None:
        counts["streams"] += 1
        counts["seconds"] += stream[0]["samples"] / SAMPLE_RATE_HZ
        yield stream
        stream = next(rest, None) if counts["streams"] < STREAMS_A_SHARD else None
