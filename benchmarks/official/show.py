"""Tables of the published test sets, the mini set and the contamination check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.official.marks import TRIVIAL
from benchmarks.tables import Table, interval, num

Figures = dict[str, Any]


def cell(values: Sequence[float | None] | None) -> str:
    """ "0.612 [0.571, 0.650]", or "-"."""
    return "-" if not values or any(v is None for v in values) else interval([v for v in values if v is not None])


def tables(systems: Figures, what: str) -> list[Table]:
    """Decisions of every system, then accuracy by category and by class."""
    main, sides = [], []
    for name, f in systems.items():
        right, decided = f["official"]
        theirs = num(right / decided if decided else None)
        gone = " ".join(f"{f[k]} {k}" for k in ("missing", "unparsable", "failed") if f[k]) or "0"
        keys = ("accuracy", "balanced_accuracy", "respond_recall", "ignore_recall", "f1")
        main.append([name, str(f["clips"]), *(cell(f[k]) for k in keys), cell(f.get("minus_rules")), gone])
        cells = [cell(f["precision"]), cell(f["f1_macro"]), num(f["by_class_balanced_accuracy"]), num(f["auc"])]
        early = "-" if f.get("early") is None else str(f["early"])
        sides.append([name, *cells, f"{theirs} of {decided}", early])
    columns = ["system", "clips", "accuracy", "balanced accuracy", "respond-recall", "ignore-recall", "F1 respond"]
    note = (
        "Accuracy is the official metric. 95 % bootstrap over clips within each side; a single point where all clips "
        "of a side agree. A clip without a decision (missing, unparsable, failed) is wrong and in every denominator."
    )
    heads = ["system", "precision", "F1 macro", "balanced accuracy over classes", "AUC", "official scorer's accuracy"]
    more = (
        "The official scorer leaves clips without a decision out. Early: streams with an answer before the first clip."
    )
    return [
        Table(what, [*columns, "minus rules", "no decision"], main, note),
        Table("More of the same decisions", [*heads, "early"], sides, more),
        _groups(systems, "by_macro", "Accuracy by category"),
        _groups(systems, "by_class", "Accuracy by class"),
    ]


def _groups(systems: Figures, key: str, title: str) -> Table:
    names = [n for n in systems if n not in TRIVIAL] or list(systems)
    first: Figures = next(iter(systems.values()))[key]
    rows = []
    for group, f in first.items():
        silent = (f["clips"] - f["respond"]) / f["clips"]
        cells = [cell(systems[n][key][group]["accuracy"]) for n in names]
        rows.append([group.strip("/"), str(f["clips"]), str(f["respond"]), num(silent), *cells])
    return Table(title, ["", "clips", "to answer", "always-silent", *names], rows)


def sensing(systems: Figures) -> Table:
    """ProVoice-Bench's own three rates by task, and its R_acc where their judge gave marks."""
    rows = []
    for name, f in systems.items():
        judged = f.get("response_accuracy") or {}
        for task, part in [("overall", f), *f["by_macro"].items()]:
            stays = part["ignore_recall"]
            false = [None if x is None else 1 - x for x in (stays[0], stays[2], stays[1])]
            rates = [cell(part["accuracy"]), cell(part["respond_recall"]), cell(false)]
            rows.append([name, task, str(part["clips"]), *rates, num(judged.get(task))])
    columns = ["system", "task", "samples", "accuracy", "recall", "false positive rate", "R_acc"]
    return Table("By task", columns, rows, "R_acc needs the marks of their language-model judge; - without.")


def contamination(rows: Sequence[Figures], about: Figures) -> list[Table]:
    """What was compared, and every clip that training has heard."""
    states = [r["state"] for r in rows]
    count = [str(states.count(s)) for s in ("same", "other", "too little", "unreadable")]
    nearest = max((r["z"] for r in rows if r["state"] == "other" and "z" in r), default=None)
    facts = [[str(about.get("recordings", "-")), str(about.get("hours", "-")), str(len(rows)), *count, num(nearest, 1)]]
    columns = ["training recordings", "hours", "clips", "same audio", "other", "too little to tell", "unreadable"]
    found = [
        [r["clip"], r["recording"], num(r["z"], 1), num(r["errors"]), str(r["bits"]), num(r["shared_s"], 1)]
        for r in sorted(rows, key=lambda r: -float(r.get("z") or 0.0))
        if r["state"] == "same"
    ]
    note = "z: standard deviations fewer wrong bits than unrelated audio has. Same: z >= 8 with at most 35 % wrong."
    return [
        Table("Contamination: audio of training in the test set", [*columns, "nearest other, z"], facts, note),
        Table("Clips that training has", ["clip", "recording", "z", "wrong bits", "bits", "shared s"], found),
    ]
