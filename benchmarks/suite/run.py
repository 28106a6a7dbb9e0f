"""`bench all`: one part after the other within a budget, resumable; what fails or is left out is in the report, too."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, TextIO

from benchmarks import files, report
from benchmarks.report import Section
from benchmarks.runs import Options, Result
from benchmarks.suite import budget
from benchmarks.suite.budget import Size
from benchmarks.tables import Table
from soundflow.errors import ConfigError, DataError, SoundflowError

STATE: Final = "suite.json"
SLOWEST: Final = 8.0

Headline = tuple[str, str, str]  # what it is, ours, the best baseline by name


@dataclass(frozen=True, slots=True)
class Part:
    """One benchmark of the suite.

    run: options and scale -> results; hears only what the instances under `Options.out` do not hold yet.
    headline: its figures -> the rows of the first table.
    """

    name: str
    size: Size
    run: Callable[[Options, float], Result]
    headline: Callable[[Mapping[str, Any]], Sequence[Headline]]


@dataclass(slots=True)
class Ran:
    """What became of a part: done, failed (`error`) or left out. `scale` is kept, so that a resumed run is the same."""

    scale: float
    state: str
    took_s: float = 0.0
    error: str = ""


def run_all(
    parts: Sequence[Part],
    o: Options,
    minutes: float,
    *,
    out: TextIO = sys.stderr,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Ran]:
    """Run `parts`, the most important first, each in a folder of `o.out`, and write the page of all.

    A part that raises has failed, and the next one runs. What an earlier call finished is only scored.

    Raises:
        ConfigError: `o.out` is of another suite; nothing has run.
        DataError: the state cannot be read.
    """
    began = clock()
    ran = _restored(o)
    results: dict[str, Result] = {}
    pace, spent, planned = 1.0, 0.0, 0.0
    for k, part in enumerate(parts):
        left = minutes - (clock() - began) / 60
        rest = {p.name: p.size for p in parts[k:] if p.name not in ran or ran[p.name].state != "done"}
        scales = budget.scales(rest, left, pace)
        before = ran.get(part.name)
        scale = before.scale if before and before.scale else scales.get(part.name, 0.0)
        if not scale:
            ran[part.name] = Ran(0.0, "left out", error=f"{left:.0f} min of the budget were left")
            _save(o, ran)
            continue
        to_come = budget.finishing([(rest[n], s) for n, s in scales.items()], pace)
        out.write(f"[{k + 1}/{len(parts)}] {part.name}, about {to_come:.0f} of {left:.0f} min to go\n")
        ran[part.name] = Ran(scale, "begun")
        _save(o, ran)
        start = clock()
        try:
            results[part.name] = part.run(replace(o, out=o.out / part.name), scale)
            ran[part.name] = Ran(scale, "done", before.took_s if _finished(before) else round(clock() - start, 1))
        except Exception as error:  # noqa: BLE001 - an hour of other parts is not lost by one; it is in the report
            if not isinstance(error, SoundflowError):
                traceback.print_exc(file=out)
            ran[part.name] = Ran(scale, "failed", round(clock() - start, 1), f"{type(error).__name__}: {error}")
            out.write(f"{part.name} failed: {error}\n")
        _save(o, ran)
        if not _finished(before):
            spent, planned = spent + (clock() - start) / 60, planned + part.size.minutes(scale)
            pace = min(SLOWEST, max(1 / SLOWEST, spent / planned))
    _write(parts, o, ran, results, minutes)
    if not results:
        raise ConfigError(f"{o.out}: every part failed or was left out: {_reasons(ran)}")
    return ran


def _finished(ran: Ran | None) -> bool:
    return ran is not None and ran.state == "done"


def _reasons(ran: Mapping[str, Ran]) -> str:
    return "; ".join(f"{name}: {r.error}" for name, r in ran.items() if r.error)


def _identity(o: Options) -> dict[str, Any]:
    return {"seed": o.seed, "adapter": str(o.adapter or ""), "audio": str(o.audio or "")}


def _restored(o: Options) -> dict[str, Ran]:
    path = o.out / STATE
    if not path.is_file():
        return {}
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        found = {name: Ran(**r) for name, r in body["parts"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"expected the state of a suite: {error}", str(path)) from error
    if body.get("of") != _identity(o):
        raise ConfigError(f"{path}: expected a suite of {_identity(o)}, got one of {body.get('of')}: use another --out")
    return found


def _save(o: Options, ran: Mapping[str, Ran]) -> None:
    files.write_json(o.out / STATE, {"of": _identity(o), "parts": {name: asdict(r) for name, r in ran.items()}})


def _write(
    parts: Sequence[Part], o: Options, ran: Mapping[str, Ran], results: Mapping[str, Result], minutes: float
) -> None:
    about = report.facts({"seed": o.seed, "workers": o.workers, "budget_minutes": minutes})
    about |= {"parts": {name: asdict(r) for name, r in ran.items()}}
    sections = [Section("Summary", summary(parts, ran, results)), *(r.section for r in results.values())]
    report.write(o.out, "SoundFlow: benchmarks", sections, {n: r.figures for n, r in results.items()}, about)


def summary(parts: Sequence[Part], ran: Mapping[str, Ran], results: Mapping[str, Result]) -> list[Table]:
    """The headline figures, and what became of every part."""
    rows = [
        (part.name, *line)
        for part in parts
        if part.name in results
        for line in part.headline(results[part.name].figures)
    ]
    note = "Intervals 95 %. A scale below 1: fewer items; the commands of the full figures are in docs/benchmarks.md."
    first = Table("Ours beside the baselines", ("benchmark", "figure", "ours", "baselines"), rows, note)
    became = []
    for name, r in ran.items():
        became.append((name, r.state, f"{r.scale:.2f}" if r.scale else "-", f"{r.took_s / 60:.1f}", r.error))
    return [first, Table("Parts", ("part", "state", "scale", "minutes", "why"), became)]
