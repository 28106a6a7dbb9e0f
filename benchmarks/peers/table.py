"""Ours against each peer: ratios out of finished runs in which both took part, saying where the peer wins.

A figure is compared only within one run (one folder: the same items, machine and minutes). The ratio is written so that
more than 1 is in our favour: ours / peer where more is better, peer / ours where less is. A peer "wins" where it is
less than 1; where the two 95 % intervals overlap that is said, too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import instances
from benchmarks.instances import Row
from benchmarks.peers import catalog
from benchmarks.systems import OURS
from benchmarks.tables import Table
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError

Figures = Mapping[str, Any]
Value = tuple[float, float, float]  # with its interval, which may have no width
REFERENCES: Final = frozenset({"whole", "words"})
"""Parts of ours that `bench asr` reports beside ours; no peers."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a benchmark. `pick`: (figures, rows, system) -> the value, None where there is none."""

    name: str
    more_is_better: bool
    pick: Callable[[Figures, Sequence[Row], str], Value | None]
    digits: int = 3


@dataclass(frozen=True, slots=True)
class Compared:
    """Ours and a peer in one figure of one run."""

    run: str
    bench: str
    metric: str
    peer: str
    ours: Value
    theirs: Value
    more_is_better: bool
    digits: int = 3

    @property
    def ratio(self) -> float | None:
        """More than 1 is in our favour; None where it would divide by 0, or a figure is negative (a delay)."""
        top, bottom = self.ours[0], self.theirs[0]
        if not self.more_is_better:
            top, bottom = bottom, top
        return top / bottom if bottom > 0 and top >= 0 else None

    @property
    def verdict(self) -> str:
        """Who wins, and whether the intervals overlap."""
        if self.ours[0] == self.theirs[0]:
            return "equal"
        ours = (self.ours[0] > self.theirs[0]) is self.more_is_better
        overlap = self.ours[1] <= self.theirs[2] and self.theirs[1] <= self.ours[2]
        wide = self.ours[1] < self.ours[2] or self.theirs[1] < self.theirs[2]
        return ("ours" if ours else "the peer wins") + (" (intervals overlap)" if overlap and wide else "")


def _value(found: Any) -> Value | None:
    """A figure with or without its interval."""
    if isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found):
        return float(found), float(found), float(found)
    if isinstance(found, Sequence) and not isinstance(found, str) and len(found) == 3:
        numbers = [float(x) for x in found if isinstance(x, int | float)]
        if len(numbers) == 3 and all(map(math.isfinite, numbers)):
            return numbers[0], numbers[1], numbers[2]
    return None


def _at(*path: str) -> Callable[[Figures, Sequence[Row], str], Value | None]:
    """Of a system's body: "*" is the first key, "@" the system's name."""

    def pick(figures: Figures, rows: Sequence[Row], system: str) -> Value | None:
        found: Any = figures
        for key in path:
            if not isinstance(found, Mapping) or not found:
                return None
            found = found.get(next(iter(found)) if key == "*" else system if key == "@" else key)
        return _value(found)

    return pick


def compute(figures: Figures, rows: Sequence[Row], system: str) -> Value | None:
    """Seconds of work a second of audio, over the items that were heard."""
    heard = [r for r in rows if r["system"] == system and not r.get("error") and r.get("samples")]
    audio = sum(r["samples"] for r in heard) / SAMPLE_RATE_HZ
    return _value(sum(r.get("wall_s", 0.0) for r in heard) / audio) if audio else None


METRICS: Final[Mapping[str, Sequence[Metric]]] = {
    "proactive": (
        Metric("balanced accuracy", True, _at("*", "@", "all", "balanced_accuracy")),
        Metric("respond-recall", True, _at("*", "@", "all", "respond_recall")),
        Metric("silent-recall", True, _at("*", "@", "all", "silent_recall")),
        Metric("delay s", False, _at("*", "@", "delay_s", "median"), 2),
        Metric("compute s / audio s", False, compute),
    ),
    "quiet": (
        Metric("false alarms/h", False, _at("@", "false_alarms_hour"), 1),
        Metric("compute s / audio s", False, compute),
    ),
    "asr": (
        Metric("WER", False, _at("all", "@", "wer")),
        Metric("LAAL s, audio clock", False, _at("all", "@", "laal"), 2),
        Metric("LAAL s, with compute", False, _at("all", "@", "laal_compute"), 2),
        Metric("LAAL s, until shown", False, _at("all", "@", "shown"), 2),
        Metric("words taken back / word", False, _at("all", "@", "upwr")),
        Metric("compute s / audio s", False, _at("all", "@", "rtf")),
    ),
}


def compare(folders: Sequence[Path], ours: str = OURS) -> list[Compared]:
    """Every figure that ours and a peer both have, run by run.

    Raises:
        DataError: a folder without figures.json and config.json, or broken ones.
        ConfigError: no folder holds ours and somebody else.
    """
    found: list[Compared] = []
    for folder in folders:
        bench, figures = _run(folder)
        rows = instances.read(folder)
        names = [s for s in dict.fromkeys(r["system"] for r in rows) if s != ours and s not in REFERENCES]
        for metric in METRICS.get(bench, ()):
            mine = metric.pick(figures, rows, ours)
            for peer in names if mine is not None else ():
                theirs = metric.pick(figures, rows, peer)
                if mine is not None and theirs is not None:
                    found.append(
                        Compared(
                            *(folder.name, bench, metric.name, peer, mine, theirs, metric.more_is_better),
                            digits=metric.digits,
                        )
                    )
    if not found:
        raise ConfigError(
            f"expected finished runs of {', '.join(METRICS)} in which {ours} and another system took part, got"
            f" {', '.join(map(str, folders)) or 'none'}"
        )
    return found


def _run(folder: Path) -> tuple[str, Figures]:
    """(benchmark, figures) of a finished run."""
    try:
        bench = json.loads((folder / "config.json").read_text(encoding="utf-8"))["bench"]
        figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))["figures"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"expected config.json and figures.json of a finished run ({error!r})", str(folder)) from error
    if not isinstance(figures, dict):
        raise DataError("figures.json: expected an object of figures", str(folder))
    return str(bench), figures


def table(compared: Sequence[Compared]) -> Table:
    """A row each, by peer."""
    rows = []
    order = list(dict.fromkeys(c.peer for c in compared))
    for c in sorted(compared, key=lambda c: order.index(c.peer)):
        ratio = "-" if c.ratio is None else f"{c.ratio:.2f}"
        rows.append([c.peer, c.run, c.metric, _cell(c.ours, c.digits), _cell(c.theirs, c.digits), ratio, c.verdict])
    note = (
        "Each row within one run: same items, same machine. Ratio: more than 1 is in our favour. 95 % intervals where"
        " the figure has one. A system that never answers has silent-recall 1 by doing nothing. LAAL is until a word"
        " was named stable or final. No recogniser but ours names words stable before the final, so that 'until shown'"
        " (until a word stood as it stayed, known only afterwards) is the kinder one to them."
    )
    columns = ["peer", "run", "figure", OURS, "peer's", "ratio", "better"]
    return Table("Ours against each peer", columns, rows, note)


def _cell(value: Value, digits: int) -> str:
    shown = f"{value[0]:.{digits}f}"
    return shown if value[1] == value[2] else f"{shown} [{value[1]:.{digits}f}, {value[2]:.{digits}f}]"


def as_figures(compared: Sequence[Compared]) -> list[dict[str, Any]]:
    """For figures.json."""
    return [asdict(c) | {"ratio": c.ratio, "better": c.verdict} for c in compared]


def licences() -> Table:
    """What each peer is, and under which terms."""
    there = catalog.installed()
    rows = [
        [
            p.name,
            p.what,
            ", ".join(f"{n} {v}" for n, v in p.packages) or "-",
            p.code,
            p.weights,
            f"pip install {p.install}" if p.install else "with the nano tier",
            "yes" if there[p.name] else "no",
        ]
        for p in catalog.PEERS
    ]
    columns = ["peer", "what", "packages measured", "code", "weights", "how", "installed here"]
    return Table("Peers", columns, rows, "openwakeword's models may not be used commercially; they are measured only.")
