"""Tables and the picture of `bench tasks`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.charts import GOOD, INK, OURS, SOFT, figure_of, png
from benchmarks.report import Picture
from benchmarks.systems import NO_MEMORY
from benchmarks.systems import OURS as NANO
from benchmarks.tables import Figures, Table, interval, num
from benchmarks.task_scores import REVIEW, REVIEW_ALL, TAGGED

# Headline -> (figure that counts, its name).
HEADLINES = {
    "armed instructions": ("exact_wanting", "exact dialogues, of those that want something"),
    "device acts, home": ("content", "exact calls"),
    "device acts, coffee orders": ("content", "exact calls"),
    "addressee": ("balanced_accuracy", "balanced accuracy"),
    REVIEW: ("content", "right answers"),
    REVIEW_ALL: ("content", "right answers"),
    "translation, Mandarin": ("content", "chrF at least 0.5"),
    "translation, European": ("content", "chrF at least 0.5"),
}
SILENT = "always-silent"


def tables(figures: Figures) -> list[Table]:
    """Headlines, abilities and sub-tasks of each system."""
    systems = figures["systems"]
    made = [_headlines(figures)]
    for system, body in systems.items():
        if (system == SILENT and len(systems) > 1) or "abilities" not in body:
            continue
        silent = systems.get(SILENT, {})
        chances = {name: by["all"][0] for name, by in figures["chance"].items() if "all" in by}
        tasks = body["subtasks"]
        abilities = body["abilities"]
        level = {a: _mean(chances.get(s) for s in tasks if a in (tasks[s]["ability"], "all")) for a in abilities}
        made.append(_table(f"{system}: by ability", abilities, silent.get("abilities", {}), level))
        made.append(_table(f"{system}: by sub-task", tasks, silent.get("subtasks", {}), chances, NOTE))
    return made


NOTE = (
    "Recall: a response of the right kind in its chunks; silent-recall: dialogues that want nothing and get nothing. "
    "Content: right of all wanted; of those in time, beside the reference of another dialogue of the sub-task "
    "(chance). Exact: everything in time and right, and nothing else. Score: 1 - WER (recognition), chrF (translation, "
    "style), else as content. By ability: means over its sub-tasks. Intervals: 95 %, bootstrap over dialogues."
)


def _mean(values: Any) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def _table(
    title: str,
    groups: Mapping[str, Figures],
    silent: Mapping[str, Figures],
    chances: Mapping[str, float | None],
    note: str = "",
) -> Table:
    rows = []
    for name, f in groups.items():
        base = silent.get(name, {}).get("exact", [None])[0]
        rows.append(
            [
                *(name.replace("_", " "), f"{f['dialogues']} ({f['wanting']})", interval(f["respond_recall"], 2)),
                *(interval(f["silent_recall"], 2), interval(f["balanced_accuracy"], 2), interval(f["content"], 2)),
                *(interval(f["content_of_heard"], 2), num(chances.get(name), 2), num(f["score"][0], 2)),
                *(interval(f["exact_wanting"], 2), interval(f["exact"], 2), num(base, 2)),
                *(interval(f["false_alarms_hour"], 0), str(f["failed"])),
            ]
        )
    columns = [
        *("", "dialogues\n(wanting)", "respond-\nrecall", "silent-\nrecall", "balanced\naccuracy", "content\nright"),
        *("of those\nin time", "chance", "score", "exact,\nwanting", "exact,\nall", "always-\nsilent"),
        *("false an\nhour", "failed"),
    ]
    return Table(title, columns, rows, note)


def _headlines(figures: Figures) -> Table:
    rows = []
    for name, (key, words) in HEADLINES.items():
        for system, body in figures["systems"].items():
            f = body["headlines"].get(name)
            if f is None:
                continue
            extra = ""
            if "minus_no_memory" in f:
                extra = f"{NANO} less {NO_MEMORY}: {interval(f['minus_no_memory'], 2)}"
            elif name == "armed instructions":
                extra = f"all: {interval(f['exact'], 2)}; silent-recall {interval(f['silent_recall'], 2)}"
            elif name == "addressee":
                extra = f"answered {num(f['respond_recall'][0], 2)}, left alone {num(f['silent_recall'][0], 2)}"
            elif name.startswith("translation"):
                extra = f"mean chrF {num(f['score'][0], 2)}"
            elif name.startswith("device"):
                extra = f"decided {num(f['respond_recall'][0], 2)}, exact of those {interval(f['content_of_heard'], 2)}"
            level = f.get("chance", _chance(figures, name))
            count = f[{"exact_wanting": "wanting", "balanced_accuracy": "dialogues"}.get(key, "wants")]
            rows.append([name, system, words, str(count), interval(f[key]), num(level, 2), extra])
    columns = ["", "system", "figure", "items", "value", "chance of\ncontent", "beside it"]
    return Table("Headlines", columns, rows, "Chance of content: the reference of another dialogue, in time.")


def _chance(figures: Figures, name: str) -> float | None:
    """Chance level of the content of a headline with a tag, mean over its sub-tasks."""
    tag = TAGGED.get(name, "")
    return _mean(v[tag][0] for v in figures["chance"].values() if tag in v)


def pictures(figures: Figures) -> list[Picture]:
    """Bars by sub-task, for each system but the trivial one."""
    made = []
    for system, body in figures["systems"].items():
        if body.get("subtasks") and (system != SILENT or len(figures["systems"]) == 1):
            caption = f"{system}: balanced accuracy and exact dialogues by sub-task, 95 % intervals"
            made.append(Picture(f"subtasks_{system}", caption, _bars(body["subtasks"])))
    return made


def _bars(subtasks: Mapping[str, Figures]) -> bytes:
    names = sorted(subtasks, key=lambda n: (subtasks[n]["ability"], n))
    figure, (axis,) = figure_of(7.6, 1.3 + 0.34 * len(names))
    shown: Sequence[tuple[str, str, str]] = (
        ("balanced_accuracy", "balanced accuracy", OURS),
        ("exact_wanting", "exact, of those that want something", GOOD),
    )
    for k, (key, label, colour) in enumerate(shown):
        values = np.nan_to_num(np.array([subtasks[n][key] for n in names], dtype=float))
        at = np.arange(len(names)) + (k - 0.5) * 0.38
        around = np.clip(np.stack([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]]), 0, None)
        axis.barh(at, values[:, 0], 0.34, color=colour, label=label)
        axis.errorbar(values[:, 0], at, xerr=around, fmt="none", ecolor=INK, elinewidth=0.9, capsize=1.5)
    axis.axvline(0.5, color=SOFT, linewidth=1.0, linestyle="--", label="always-silent: balanced accuracy 0.5, exact 0")
    labels = [f"{subtasks[n]['ability']}: {n.replace('_', ' ')} (n={subtasks[n]['dialogues']})" for n in names]
    axis.set_yticks(range(len(names)), labels)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(0, 1)
    axis.set_xlabel("share", fontsize=9, color=INK)
    axis.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.3, 1.0), ncols=3)
    return png(figure)
