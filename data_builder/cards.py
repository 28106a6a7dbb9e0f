"""Writes what stands beside the shards of a finished build: attribution, statistics, picture, card, Croissant."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data_builder import attribution, card, charts, croissant
from data_builder.shards import write_json
from data_builder.stats import build_index, of_folders
from data_builder.subtasks import CONTROLS, SUBTASKS

COMMAND = "soundflow data build --audio DIR --out DIR --hours {hours:g} --seed {seed} --split {split}"


def describe(folder: Path) -> None:
    """Write attribution.csv, stats.json, statistics.png, README.md, labels.jsonl and croissant.json of `folder`.

    Everything follows from index.json and the shards. Raises DataError where the build is not finished.
    """
    index = build_index(folder)
    stats = of_folders(folder)
    attribution.write(folder / "attribution.csv", folder)
    write_json(folder / "stats.json", stats.to_dict())
    facts = card.Facts(_name(index), _command(index), f"soundflow {version('soundflow')}", version=_edition(index))
    charts.draw(stats, folder / "statistics.png", facts.name)
    about = {task.name: task.title for task in (*SUBTASKS.values(), *CONTROLS.values())}
    card.write(folder, stats, facts, about)
    croissant.write(folder, stats, facts)


def _name(index: dict[str, Any]) -> str:
    return f"soundflow-{index['split']}-{index['seed']}"


def _edition(index: dict[str, Any]) -> str:
    return f"{index['schema']}.0.0"


def _command(index: dict[str, Any]) -> str:
    """The options that differ from the defaults and decide the bytes; folders are the reader's own."""
    told = COMMAND.format(hours=index["wanted_hours"], seed=index["seed"], split=index["split"])
    weights = set(index["shares"].values())
    if set(index["shares"]) != set(SUBTASKS) or len(weights) > 1:
        told += f" --shares '{json.dumps(index['shares'], sort_keys=True)}'"
    for name, default, option in (
        ("shard_mb", 1000, f"--shard-mb {index['shard_mb']}"),
        ("orders", True, "--no-orders"),
        ("clean", True, "--no-clean"),
        ("noncommercial", False, "--allow-noncommercial"),
    ):
        if index[name] != default:
            told += f" {option}"
    return told
