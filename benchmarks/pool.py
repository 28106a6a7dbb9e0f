"""Runs of one benchmark that differ in their seed alone, as one: what a single draw of clips, levels and backgrounds
says is worth little more than the width of its interval.

The rows keep their source, so that a bootstrap over recordings counts a recording that was drawn twice as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import instances
from benchmarks.runs import saved_config
from soundflow.errors import ConfigError

OWN: Final = ("seed", "plan", "base_rate", "threshold")
"""Of the config of each run; the rest is to be the same."""


def pool(folders: Sequence[Path], out: Path) -> int:
    """Write the rows of all `folders` to `out`, under ids with the seed -> their count.

    Raises:
        ConfigError: fewer than two runs, one without rows, a seed twice, or runs that differ in more than the seed.
    """
    if len(folders) < 2:
        raise ConfigError(f"pool: two runs or more were expected, got {len(folders)}")
    configs = [saved_config(folder) for folder in folders]
    for folder, config in zip(folders, configs, strict=True):
        differ = sorted(
            k for k in configs[0].keys() | config.keys() if k not in OWN and configs[0].get(k) != config.get(k)
        )
        if not config or differ:
            raise ConfigError(
                f"pool: runs that differ in their seed alone were expected, {folder} in {differ or 'all'}"
            )
    seeds = [str(config.get("seed")) for config in configs]
    if len(set(seeds)) < len(seeds):
        raise ConfigError(f"pool: each seed once was expected, got {', '.join(seeds)}")
    rows: list[instances.Row] = []
    for folder, seed in zip(folders, seeds, strict=True):
        if not (read := instances.read(folder)):
            raise ConfigError(f"pool: a run with {instances.NAME} was expected, got {folder}")
        rows += [_of(row, seed) for row in read]
    shared: dict[str, Any] = {k: v for k, v in configs[0].items() if k not in OWN}
    sources = [{"folder": str(f), "instances_sha256": instances.digest(f)} for f in folders]
    instances.check_config(out, shared | {"seed": "+".join(seeds), "pooled": sources})
    (out / instances.NAME).unlink(missing_ok=True)
    with instances.open_for_append(out) as file:
        for row in rows:
            instances.write(row, file)
    return len(rows)


def _of(row: instances.Row, seed: str) -> instances.Row:
    name = f"{row['id']}@{seed}"
    return row | {"id": name, "item": row["item"] | {"id": name}}
