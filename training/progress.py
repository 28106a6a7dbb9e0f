"""What a run leaves to look at: log.csv, evaluations.csv, losses.png and gate.png."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.gate import ALL, RESPOND, SILENT, Report

LOG, EVALUATIONS = "log.csv", "evaluations.csv"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")


class Progress:
    """Rows are appended; those beyond the step that a run resumes at are taken back, so that no step is there twice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def back_to(self, step: int) -> None:
        """Forget what was written after `step`."""
        for name in (LOG, EVALUATIONS):
            rows = read(self.folder / name)
            kept = [row for row in rows if int(row["step"]) <= step]
            if len(kept) < len(rows):
                write(self.folder / name, kept)

    def log(self, row: Mapping[str, object]) -> None:
        append(self.folder / LOG, [row])

    def evaluated(self, step: int, stage: str, report: Report) -> None:
        """A row an ability, and the pictures anew. An evaluation that was made before is replaced."""
        path = self.folder / EVALUATIONS
        before = [row for row in read(path) if (row["step"], row["stage"]) != (str(step), stage)]
        made = [
            {"step": step, "stage": stage, "ability": name, "streams": f.streams, "respond": round(f.respond, 4),
             "silent": round(f.silent, 4), "balanced": round(f.balanced, 4), "area": round(f.area, 4),
             "false_alarms_hour": round(f.false_alarms_hour, 2), "delay": round(f.delay, 3),
             "merit": round(report.merit, 6) if name == ALL else ""}
            for name, f in report.rows.items()
        ]  # fmt: skip
        write(path, [*before, *made])
        self.draw()

    def draw(self) -> None:
        """losses.png and gate.png of what the two files hold."""
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt

        rows, evaluations = read(self.folder / LOG), read(self.folder / EVALUATIONS)
        figure, axes = plt.subplots(2, 1, figsize=(8, 5), sharex=True, layout="constrained")
        for axis, name in zip(axes, ("decision", "reply"), strict=True):
            steps = [int(r["step"]) for r in rows]
            axis.plot(steps, [float(r[name]) for r in rows], color=COLOURS[0], linewidth=1)
            axis.set(ylabel=f"{name} loss", ylim=(0, None))
            starts = {r["stage"]: int(r["step"]) for r in reversed(rows)}
            for stage, at in starts.items():
                axis.axvline(at, color="0.8", linewidth=1)
                axis.annotate(stage, (at, 0.98), xycoords=("data", "axes fraction"), fontsize=7, va="top")
        axes[-1].set_xlabel("step")
        figure.savefig(self.folder / "losses.png", dpi=120)
        plt.close(figure)

        figure, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True, layout="constrained")
        abilities = dict.fromkeys(r["ability"] for r in evaluations if r["ability"] not in (SILENT, RESPOND))
        for axis, name, title in zip(
            axes, ("balanced", "respond"), ("balanced accuracy", "respond-recall"), strict=True
        ):
            for i, ability in enumerate(abilities):
                own = [r for r in evaluations if r["ability"] == ability]
                width = 2.5 if ability == ALL else 1.2
                points = [float(r[name]) for r in own]
                axis.plot(
                    [int(r["step"]) for r in own], points, ".-", label=ability, linewidth=width,
                    color="0.3" if ability == ALL else COLOURS[i % len(COLOURS)],
                )  # fmt: skip
            trivial = (0.5,) if name == "balanced" else (0.0, 1.0)
            for level in trivial:
                axis.axhline(level, color="0.6", linestyle=":", linewidth=1)
            axis.set(xlabel="step", title=f"{title} (dotted: always silent, always respond)", ylim=(-0.02, 1.02))
        axes[0].legend(fontsize=7)
        figure.savefig(self.folder / "gate.png", dpi=120)
        plt.close(figure)


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Replace a CSV file whole."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    part.touch()
    append(part, rows)
    os.replace(part, path)


def append(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    if not rows:
        return
    fresh = not path.exists() or not path.stat().st_size
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        if fresh:
            writer.writeheader()
        writer.writerows(rows)
