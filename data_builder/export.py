"""Optional exports of a build: Parquet for Hugging Face `datasets`, cuts for Lhotse. Neither library is a dependency.

Without either, the shards are WebDataset, for the library of that name. `datasets` opens them too, but guesses one set
of columns from the first streams, which the arguments of calls and the facts of a mix do not have: hence Parquet.
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from data_builder.paper_layout import lay_out, safe_name
from data_builder.shards import members, parse_meta, read_shard, shard_paths
from data_builder.stats import build_index
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import ConfigError

BATCH: Final = 64
"""Streams that are held in memory at once."""


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as err:
        raise ConfigError(f"expected the package {name!r} for this export: pip install {name} ({err})") from err


def _samples(path: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """(meta, FLAC bytes) of each sample of a shard."""
    for stem, parts in members(path, ("flac", "json")):
        yield parse_meta(parts["json"], f"{path}: {stem}"), parts["flac"]


def _features(hf: Any) -> Any:
    """The columns; lists of {...} are repeated in each stream, `json` is everything that is known of it."""
    text, whole, real, flag = (hf.Value(kind) for kind in ("string", "int64", "float64", "bool"))
    span = {"id": text, "onset": whole, "offset": whole, "source": text, "licence": text, "gain_db": real}
    event = {**span, "label": text, "kind": text, "evidence_end": whole, "respond": text}
    speech = {**span, "text": text, "speaker": text, "addressed": flag, "language": text, "role": text, "emotion": text}
    response = {"kind": text, "due_chunk": whole, "evidence_end": whole, "delay_ms": whole, "clock": text}
    response |= {"trigger": text, "text": text, "call": text}
    columns = {"id": text, "audio": hf.Audio(sampling_rate=SR), "seconds": real, "split": text, "subtask": text}
    columns |= {"ability": text, "negative": flag, "instruction": text, "tools": text}
    return hf.Features({**columns, "events": [event], "speech": [speech], "responses": [response], "json": text})


def _row(meta: dict[str, Any], flac: bytes, features: Any) -> dict[str, Any]:
    def chosen(name: str, keys: Iterable[str]) -> list[dict[str, Any]]:
        return [{k: _plain(item.get(k)) for k in keys} for item in meta[name]]

    row = {k: meta[k] for k in ("id", "split", "subtask", "ability", "negative", "instruction", "tools")}
    row |= {"audio": {"bytes": flac, "path": f"{meta['id']}.flac"}, "seconds": meta["samples"] / SR}
    for name in ("events", "speech", "responses"):
        inner = features[name]
        fields = inner[0] if isinstance(inner, list) else inner.feature
        row[name] = chosen(name, fields)
    return row | {"json": _json(meta)}


def _plain(value: Any) -> Any:
    return _json(value) if isinstance(value, dict) else value


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def to_parquet(folder: Path, out: Path) -> list[Path]:
    """Write `out`/data/SPLIT-00000-of-NNNNN.parquet, one file a shard; `datasets.load_dataset(str(out))` reads them.

    Audio stays the FLAC of the shards. Raises ConfigError where `datasets` is not installed, DataError for a bad build.
    """
    hf, arrow, parquet = _library("datasets"), _library("pyarrow"), _library("pyarrow.parquet")
    split = build_index(folder)["split"]
    features = _features(hf)
    schema = features.arrow_schema
    paths = shard_paths(folder)
    (out / "data").mkdir(parents=True, exist_ok=True)
    written = []
    for k, shard in enumerate(paths):
        path = out / "data" / f"{split}-{k:05d}-of-{len(paths):05d}.parquet"
        part = path.with_name(path.name + ".part")
        with parquet.ParquetWriter(part, schema) as writer:
            for rows in _batches(_row(meta, flac, features) for meta, flac in _samples(shard)):
                writer.write_table(arrow.Table.from_pylist(rows, schema=schema), row_group_size=BATCH)
        os.replace(part, path)
        written.append(path)
    return written


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def to_lhotse(folder: Path, out: Path) -> tuple[Path, Path]:
    """Write `out`/recordings.jsonl.gz, `out`/cuts.jsonl.gz and `out`/audio/ID.flac; returns the two manifests.

    A cut is a stream; its supervisions are the utterances, and its custom fields hold sub-task, instruction, tools,
    events, responses and what is to be left alone. Paths are relative to `out`:
    `CutSet.from_file(cuts).with_recording_path_prefix(out)`. Raises ConfigError where `lhotse` is not installed.
    """
    lhotse = _library("lhotse")
    audio = importlib.import_module("lhotse.audio")
    (out / "audio").mkdir(parents=True, exist_ok=True)
    names = (out / "recordings.jsonl.gz", out / "cuts.jsonl.gz")
    parts = [name.with_name(name.name + ".part") for name in names]
    with _Lines(parts[0]) as recordings, _Lines(parts[1]) as cuts:
        for shard in shard_paths(folder):
            for meta, flac in _samples(shard):
                path = f"audio/{safe_name(meta['id'])}.flac"
                (out / path).write_bytes(flac)
                source = audio.AudioSource(type="file", channels=[0], source=path)
                length = meta["samples"]
                recording = lhotse.Recording(meta["id"], [source], SR, length, length / SR)
                recordings.write(_json(recording.to_dict()) + "\n")
                cuts.write(_json(_cut(lhotse, meta, recording).to_dict()) + "\n")
    for part, name in zip(parts, names, strict=True):
        os.replace(part, name)
    return names


def _cut(lhotse: Any, meta: dict[str, Any], recording: Any) -> Any:
    said = [
        lhotse.SupervisionSegment(
            id=f"{meta['id']}-{s['id']}",
            recording_id=meta["id"],
            start=s["onset"] / SR,
            duration=(s["offset"] - s["onset"]) / SR,
            channel=0,
            text=s["text"],
            language=s.get("language", "en"),
            speaker=s["speaker"] or None,
            custom={k: s[k] for k in ("role", "addressed", "emotion", "source", "licence") if k in s},
        )
        for s in meta["speech"]
    ]
    keys = ("split", "subtask", "ability", "negative", "instruction", "tools", "chunk", "events", "responses", "avoid")
    custom = {k: meta[k] for k in keys if k in meta}
    cut = lhotse.MonoCut(
        id=meta["id"], start=0, duration=recording.duration, channel=0, supervisions=said, recording=recording
    )
    cut.custom = custom
    return cut


class _Lines:
    """A gzip file of lines whose bytes depend on the lines alone: no name and no time in its header."""

    def __init__(self, path: Path) -> None:
        self._raw = path.open("wb")
        self._file = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0)

    def write(self, text: str) -> None:
        self._file.write(text.encode())

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._raw.close()


def to_paper(folder: Path, out: Path) -> int:
    """Write every stream in the layout of the paper's corpus, and all of them as `out`/streams.jsonl; their number."""
    out.mkdir(parents=True, exist_ok=True)
    part, count = out / "streams.jsonl.part", 0
    with part.open("w", encoding="utf-8") as file:
        for shard in shard_paths(folder):
            for meta, pcm, _ in read_shard(shard):
                file.write(json.dumps(lay_out(meta, pcm, out), ensure_ascii=False) + "\n")
                count += 1
    os.replace(part, out / "streams.jsonl")
    return count
