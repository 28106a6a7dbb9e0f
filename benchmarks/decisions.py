"""Hazards and calibration from runs to report: they read what `proactive` and `quiet` heard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import calibration, charts, hazards, instances, second_look
from benchmarks.instances import Row as Instance
from benchmarks.report import Picture
from benchmarks.runs import SPEAK, Options, Result, answer_odds, finish, saved_config
from benchmarks.systems import OURS
from soundflow.errors import ConfigError


def run_hazards(o: Options, events: Path, still: Path, budget: float = hazards.BUDGET) -> Result:
    """Recall of hazards against false alarms, out of a `proactive` and a `quiet` run of the same adapter."""
    asked, calm = instances.read(events), instances.read(still)
    dials = {float(config.get("proactivity", 0.5)) for config in (saved_config(events), saved_config(still)) if config}
    if len(dials) > 1:
        raise ConfigError(f"hazards: expected two runs of one dial, got {sorted(dials)} in {events} and {still}")
    unheard = speak_threshold(events, still) if dials == {0.0} else None
    if unheard is not None:
        asked, calm = _looked_again(asked, events), _looked_again(calm, still)
    figures = hazards.score(asked, calm, budget, unheard=unheard, answer=answer_odds(saved_config(still)))
    _note(o.out, "hazards", {"proactive": events, "quiet": still}, {"budget": budget, "dials": sorted(dials)})
    return finish("hazards", o, [*asked, *calm], figures, ())


def _looked_again(rows: Sequence[Instance], folder: Path) -> list[Instance]:
    """Our rows, heard without answering, with the p that the second look of their adapter gives at a sound's end."""
    weights = saved_config(folder).get("adapter", {}).get("second_look")
    if not weights:
        return list(rows)
    return [second_look.replayed(r, tuple(weights)) if r["system"].startswith(OURS) else r for r in rows]


def run_calibration(o: Options, events: Path, still: Path, tasks: Path | None, system: str = OURS) -> Result:
    """Calibration errors, reliability diagrams and the dial's curve."""
    folders = {"proactive": events, "quiet": still} | ({"tasks": tasks} if tasks else {})
    read: dict[str, list[Instance]] = {name: instances.read(folder) for name, folder in folders.items()}
    threshold = speak_threshold(events, still, system)
    answer = answer_odds(saved_config(still)) if system == OURS else 0.0
    figures = calibration.score(
        read["proactive"], read["quiet"], read.get("tasks", []), threshold, system, answer=answer
    )
    _note(o.out, "calibration", folders, {"system": system, "speak_threshold": threshold})
    pictures = []
    for name in (n for n in figures if n != "dial"):
        file = f"reliability_{name.replace(',', '').replace(' ', '_')}"
        png = charts.reliability(figures[name]["reliability"], f"by {name}")
        pictures.append(Picture(file, f"Reliability by {name}", png))
    pictures.append(Picture("dial", "The proactivity dial", charts.dial_curve(figures["dial"])))
    return finish("calibration", o, read["proactive"], figures, pictures)


def speak_threshold(events: Path, still: Path, system: str = OURS) -> float:
    """The threshold of `system` at the default dial that both runs name. ConfigError where they name none, or two."""
    key = (lambda c: c.get("threshold")) if system == "rules" else (lambda c: c.get("adapter", {}).get(SPEAK))
    named = {key(saved_config(folder)) for folder in (events, still)} - {None}
    if len(named) != 1:
        raise ConfigError(
            f"expected one threshold of {system} in the config.json of {events} and {still}, got {sorted(named)}: "
            "take two runs of one adapter"
        )
    return float(named.pop())


def _note(out: Path, bench: str, folders: dict[str, Path], config: dict[str, Any]) -> None:
    """Write config.json: what was scored, by folder and hash of its rows."""
    sources = {name: {"folder": str(f), "instances_sha256": instances.digest(f)} for name, f in folders.items()}
    instances.check_config(out, {"bench": bench, "sources": sources} | config)
