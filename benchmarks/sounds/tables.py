"""Figures of sound events -> tables."""

from __future__ import annotations

from typing import Any

from benchmarks.sounds.psds import SCENARIOS
from benchmarks.sounds.score import COLLARS, HEADLINE, SEGMENT
from benchmarks.tables import Table, interval, num

Figures = dict[str, Any]
OURS, YAMNET = "nano", "yamnet"
SAME = (
    "nano hears through the same YAMNet. PSDS depends on the order of a class's scores alone, and the calibration that "
    "nano ships with is one rising function for all tags: equal PSDS follow from that, and are no comparison. "
    "In F1, yamnet has a threshold and no hysteresis; ours has."
)
PSDS_HEADS = ("PSDS 1", "PSDS 2", "PSDS 1, classes", "PSDS 2, classes")
DIFFERENCES = (*COLLARS, SEGMENT, *(f"{k}, mean" for k in SCENARIOS), "counting error")


def trivial(system: str) -> bool:
    """Whether it hears nothing."""
    return system.startswith("always-")


def made(figures: Figures) -> list[Table]:
    """F1 and PSDS; differences; delay, counting and false alarms; classes."""
    main, against, rest = [], [], []
    for system, f in figures.items():
        scored = f.get("psds", {})
        main.append([
            *(system, f"{f['streams']}, {f['hours']:.2f} h", f"{f['events']} of {f['classes']}"),
            *(interval(f[k]) for k in (*COLLARS, SEGMENT)),
            *(num(scored[k]["psds"] if k in scored else None) for k in SCENARIOS),
            *(interval(scored[k]["mean"] if k in scored else None) for k in SCENARIOS),
            str(f["failed"]),
        ])  # fmt: skip
        d = f["delay"]
        rest.append([
            *(system, num(f[f"{HEADLINE} parts"]["precision"]), num(f[f"{HEADLINE} parts"]["recall"])),
            *(num(d["told_share"]), *(num(d[k][p], 2) for k in ("audio_s", "compute_s") for p in ("median", "p90"))),
            *(num(d["onset_s"]["median"], 2), interval(f["counting error"], 2), num(f["told for one"], 2)),
            *(interval(f["false alarms/h"], 1), num(f["outside/h"], 1)),
        ])  # fmt: skip
        behind = list(figures)[list(figures).index(system) + 1 :]
        for other in [] if trivial(system) else behind:
            against.append([f"{system} - {other}", *(interval(f["minus"].get(other, {}).get(k)) for k in DIFFERENCES)])
    heads = ["system", "streams", "events of classes", *(f"F1 {k}" for k in (*COLLARS, SEGMENT))]
    heads += [*PSDS_HEADS, "failed"]
    note = (
        "F1: macro over the classes in the truth (Mesaros et al. 2016): onset within the collar, end within the "
        "greater of the collar and 20 % of the length ('onset': the end does not count), or second by second. PSDS "
        "(Bilen et al. 2020): scenarios 1 and 2 of DCASE, over the scores of each chunk; 'classes': the mean over "
        "classes without the penalty for their deviation, which a bootstrap cannot give an interval of. 95 % bootstrap "
        "over streams, which share no recording."
    )
    if OURS in figures and YAMNET in figures:
        note += f" {SAME}"
    columns = [
        *("system", "precision", "recall", "events told", "delay s, median", "p90", "with compute, median", "p90"),
        *("told onset - onset, median", "counting error", "told for one", "false alarms/h", "in no class/h"),
    ]
    about = (
        f"Precision and recall at {HEADLINE}. Delay: from the onset to the message, of events for which one of their "
        "class that shares time with them was told. Counting error: |told - true| / true, macro; always-silent has 1."
    )
    return [
        Table("Sound events", heads, main, note),
        Table("Delay, counting, false alarms", columns, rest, about),
        Table(
            "Differences, paired", ["", *(f"F1 {k}" for k in (*COLLARS, SEGMENT)), *PSDS_HEADS[2:], "counting"], against
        ),
        _classes(figures),
    ]


def _classes(figures: Figures) -> Table:
    """By class, of the systems that hear."""
    names = [n for n in figures if not trivial(n)] or list(figures)
    rows = []
    for label in next(iter(figures.values()))["by_class"]:
        cells = []
        for n in names:
            c, scored = figures[n]["by_class"][label], figures[n].get("psds", {})
            cells += [str(c["told"]), num(c[HEADLINE], 2), num(c[SEGMENT], 2)]
            cells += [num(scored[k]["by_class"][label] if k in scored else None, 2) for k in SCENARIOS]
            cells.append(num(c["false alarms/h"], 1))
        rows.append([label.replace("_", " "), str(figures[names[0]]["by_class"][label]["true"]), *cells])
    heads = ["told", "F1 event", "segment", "PSDS 1", "PSDS 2", "false/h"]
    return Table(
        "Classes", ["class", "true", *(f"{n} {h}" for n in names for h in heads)], rows, f"F1 event: {HEADLINE}."
    )
