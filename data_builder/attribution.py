"""attribution.csv: every recording that is heard in a corpus, with its licence and how much of it there is."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from data_builder.stats import metas
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

COLUMNS: Final = ("source", "dataset", "speaker", "licence", "split", "streams", "seconds")


@dataclass(slots=True)
class Use:
    """How often and how long a recording is heard."""

    streams: int = 0
    samples: int = 0


def uses(samples: Iterable[dict[str, Any]]) -> dict[tuple[str, str, str, str, str], Use]:
    """(source, dataset, speaker, licence, split) -> use. Raises DataError for a row of `sources` without a key.

    Time is that of the events and utterances cut from the recording. A bed counts as long as the stream, anything else
    that `mix` places from an onset to an offset as long as that, and a voice of the babble as long as the babble.
    """
    found: dict[tuple[str, str, str, str, str], Use] = {}
    for meta in samples:
        for key, length in _of_sample(meta).items():
            use = found.setdefault(key, Use())
            use.streams += 1
            use.samples += length
    return found


def _of_sample(meta: dict[str, Any]) -> dict[tuple[str, str, str, str, str], int]:
    heard: dict[str, int] = {}
    mix = meta.get("mix") or {}
    items = [*meta["events"], *meta["speech"]]
    for item in items:
        heard[item["source"]] = heard.get(item["source"], 0) + item["offset"] - item["onset"]
    for source, length in _placed(mix):
        heard[source] = heard.get(source, 0) + length
    rows = list(meta["sources"])
    listed = {row.get("source") for row in rows}
    rows += [{"source": i["source"], "licence": i["licence"]} for i in items if i["source"] not in listed]
    babble = _babble(mix)
    lengths: dict[tuple[str, str, str, str, str], int] = {}
    for row in rows:
        if not row.get("source") or not row.get("licence"):
            raise DataError(f"key 'sources': expected source and licence of each, got {row}", str(meta["id"]))
        key = (row["source"], row.get("dataset", ""), row.get("speaker", ""), row["licence"], meta["split"])
        behind = babble if babble and row["source"] != mix.get("bed") else meta["samples"]
        lengths[key] = heard.get(row["source"], behind)
    return lengths


def _placed(mix: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """(source, samples) of what the mix lays under the items and says where."""
    for value in mix.values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict) and {"source", "onset", "offset"} <= set(part):
                yield part["source"], part["offset"] - part["onset"]


def _babble(mix: dict[str, Any]) -> int:
    """Samples of the gaps that are filled with voices."""
    gaps = mix.get("gaps") or []
    return sum(g["offset"] - g["onset"] for g in gaps if g.get("kind") == "babble")


def write(out: Path, *folders: Path) -> int:
    """Write `out` (CSV, whole or not at all) for one build or several; returns the number of rows."""
    found = uses(meta for folder in folders for meta in metas(folder))
    part = out.with_name(out.name + ".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for key, use in sorted(found.items()):
            writer.writerow([*key, use.streams, f"{use.samples / SR:.3f}"])
    os.replace(part, out)
    return len(found)
