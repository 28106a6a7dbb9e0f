"""Figures -> tables, one form for the terminal, Markdown and HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table as RichTable

from benchmarks.acts import GROUPS
from benchmarks.charts import plain

Figures = dict[str, Any]

NARROW: Final = 40  # letters; a column with more is of words, left and wrapped


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` of text cells under `columns`; `note` says what the figures are."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def rich(self) -> RichTable:
        made = RichTable(title=self.title, caption=self.note or None, title_justify="left", caption_justify="left")
        for k, name in enumerate(self.columns):
            made.add_column(name, justify="left" if k == 0 else "right")
        for row in self.rows:
            made.add_row(*row)
        return made

    def markdown(self) -> str:
        heads = [name.replace("\n", " ") for name in self.columns]
        lines = [f"### {self.title}", "", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in self.rows]
        return "\n".join([*lines, "", *([self.note, ""] if self.note else [])])

    def html(self) -> str:
        wordy = [any(len(row[k]) > NARROW for row in self.rows) for k in range(len(self.columns))]

        def cells(tag: str, row: Sequence[str]) -> str:
            open_tags = [f"<{tag} class=words>" if w else f"<{tag}>" for w in wordy]
            made = (f"{t}{html.escape(c)}</{tag}>" for t, c in zip(open_tags, row, strict=True))
            return f"<tr>{''.join(made)}</tr>"

        body = "\n".join(cells("td", row) for row in self.rows)
        note = f"<p class=note>{html.escape(self.note)}</p>" if self.note else ""
        head = f"<h3>{html.escape(self.title)}</h3><div class=wide><table>"
        return f"{head}<thead>{cells('th', self.columns)}</thead><tbody>{body}</tbody></table></div>{note}"


def num(value: Any, digits: int = 3) -> str:
    """A figure, or "-" where there is none."""
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def interval(values: Sequence[float] | None, digits: int = 3) -> str:
    """ "0.912 [0.880, 0.941]"."""
    if not values:
        return "-"
    return f"{num(values[0], digits)} [{num(values[1], digits)}, {num(values[2], digits)}]"


def proactive(figures: Figures) -> list[Table]:
    """Headline and its subsets; classes; what is reported apart."""
    main, classes, apart = [], [], []
    for snr, systems in figures.items():
        for system, body in systems.items():
            for subset in ("all", "open", "eval_events"):
                f = body.get(subset)
                if f:
                    delay = num(body.get("delay_s", {}).get("median"), 2) if subset == "all" else ""
                    main.append(
                        [
                            *(system, f"{snr} dB", subset, str(f["items"]), interval(f["balanced_accuracy"])),
                            *(interval(f["respond_recall"]), interval(f["silent_recall"]), num(f["area"])),
                            *(interval(f.get("minus_rules")), delay),
                        ]
                    )
            groups = [
                f"{body[g]['silent_recall'][0]:.3f} of {body[g]['items']}" if g in body else "-"
                for g in ("music", "speech")
            ]
            context = body["context"]
            count = sum(c["items"] for c in context.values())
            answered = sum(c["answered"] * c["items"] for c in context.values())
            early, failed = num(body["early_share"]), str(body["failed"])
            apart.append([system, f"{snr} dB", *groups, f"{answered:.0f} of {count}", early, failed])
    first: Figures = next(iter(figures.values()), {})
    names = [n for n in first if n not in ("always-silent", "always-respond", "random")]
    for label in dict.fromkeys(label for n in names for label in first[n]["by_class"] | first[n]["context"]):
        one = [(first[n]["by_class"] | first[n]["context"]).get(label) for n in names]
        some = next(o for o in one if o)
        cells = [cell for o in one for cell in ((num(o["answered"], 2), num(o["score"], 2)) if o else ("-", "-"))]
        classes.append([plain(label), some["respond"], str(some["items"]), *cells])
    heads = [c for n in names for c in (f"{n} answered", f"{n} mean score")]
    return [
        Table(
            "Proactive response to single events",
            [
                *("system", "SNR", "clips", "n", "balanced accuracy", "respond-recall", "silent-recall", "AUC"),
                *("minus rules", "delay s"),
            ],
            main,
            "Macro-averaged over classes, default dial; 95 % bootstrap over recordings; events to answer against "
            "benign events and ambience. Delay: median, from the end of the evidence (1.2 s at most).",
        ),
        Table(
            "Reported apart",
            ["system", "SNR", "music silent", "speech silent", "context answered", "spoke before the sound", "failed"],
            apart,
            "Context: sounds at which a person would look at the situation; either answer may be right.",
        ),
        Table("Classes", ["class", "policy", "n", *heads], classes, "At the first SNR above."),
    ]


def quiet(figures: Figures) -> list[Table]:
    """False alarms by group and words invented."""
    groups = list(dict.fromkeys(g for body in figures.values() for g in body["by_group"]))
    rows = [
        [
            *(system, num(body["hours"], 2), str(body["alarms"]), interval(body["false_alarms_hour"], 1)),
            *(num(body["by_group"].get(g, [None])[0], 1) for g in groups),
            *(str(body["invented_words"]), str(body["failed"])),
        ]
        for system, body in figures.items()
    ]
    columns = ["system", "hours", "alarms", "alarms/h", *(f"{g}/h" for g in groups), "invented words", "failed"]
    note = (
        "95 % bootstrap over sources; 'context' (thunder) is not in the first figure. Words invented where none speaks."
    )
    return [Table("Quiet: false alarms an hour", columns, rows, note)]


def watch(figures: Figures) -> list[Table]:
    """Inside and outside the training classes."""
    rows = [
        [
            *(system, f"{side}side training", str(f["items"]), interval(f["balanced_accuracy"]), num(f["recall"])),
            *(num(f["false_rate"]), num(f["area"]), num(f["named"])),
        ]
        for system, sides in figures.items()
        for side, f in sides.items()
    ]
    columns = ["system", "classes", "n", "balanced accuracy", "recall", "false rate", "AUC", "reply names it"]
    return [Table('"Tell me when you hear X"', columns, rows, "X present against another sound in its place.")]


def acts(figures: Figures) -> list[Table]:
    """Calls."""
    rows = []
    for system, groups in figures.items():
        for group in GROUPS:
            f = groups.get(group)
            if f:
                cells = [num(f[k]) for k in ("name", "slot_f1", "act_recall", "spoke_instead")]
                rows.append([system, group, str(f["items"]), interval(f["exact"]), *cells])
        idle = groups.get("not asked")
        if idle:
            acted = f"false acts {num(idle['false_acts'])}"
            rows.append([system, "not asked", str(idle["items"]), acted, "", "", "", num(idle["false_answers"])])
    columns = ["system", "requests", "n", "exact", "right tool", "slot F1", "act decided", "spoke"]
    note = "Coffee: real voices (no speaker ids: train may share them, and has such orders). Others: synthetic voices."
    return [Table("Device acts", columns, rows, note)]


def echo(figures: Figures) -> list[Table]:
    """Own voice."""
    keys = ("loops", "failed", "spoke", "false_barge_ins", "self_replies", "talked_over", "cancelled")
    rows = []
    for name, f in figures.items():
        near = f"{f['cancelled_within_a_chunk']} of {f['cancelled']}"
        delay = num(sorted(f["onset_delays_s"])[len(f["onset_delays_s"]) // 2], 2) if f["onset_delays_s"] else "-"
        rows.append([name, *(str(f[k]) for k in keys), near, delay])
    columns = ["echo", *(k.replace("_", " ") for k in keys), "within a chunk of VAD", "median s from onset"]
    return [Table("Own voice in a closed loop", columns, rows)]


def hazards(figures: Figures) -> list[Table]:
    """Recall at the default dial and within the budget of alarms; classes; backgrounds."""
    main, classes, grounds = [], [], []
    for snr, systems in figures.items():
        for system, body in systems.items():
            for name in ("default", "within"):
                f = body[name] or {}
                where = "default dial" if name == "default" else f"threshold {num(f.get('threshold'))}"
                cells = [interval(f.get(k)) for k in ("hazards", "distress")]
                main.append([system, f"{snr} dB", where, *cells, interval(f.get("false_alarms_hour"), 1)])
            for label, c in body["by_class"].items():
                cells = [interval(c[k]) for k in ("default", "within")]
                classes.append([label.replace("_", " "), c["group"], system, f"{snr} dB", str(c["items"]), *cells])
    first: Figures = next(iter(figures.values()), {})
    for system, body in first.items():
        grounds += [[system, g, interval(rate, 1)] for g, rate in body["by_background"].items()]
    hours = next((f"{b['hours']:.2f} h of {b['sources']} sources" for b in first.values()), "")
    note = (
        f"False alarms in {hours} of ambience, music and talk. 95 % bootstrap over recordings; of the alarms the upper "
        "end counts. The second row of a system: its lowest threshold within the budget, on the same rows."
    )
    columns = ["system", "SNR", "at", "recall of hazards", "recall of distress", "false alarms/h"]
    heads = ["class", "group", "system", "SNR", "n", "recall, default dial", "recall within budget"]
    return [
        Table("Hazards against false alarms", columns, main, note),
        Table("False alarms by background", ["system", "background", "false alarms/h"], grounds, "Default dial."),
        Table("Classes", heads, classes),
    ]


def calibration(figures: Figures) -> list[Table]:
    """Errors by chunk and stream, and the dial."""
    rows, points = [], []
    for name, f in figures.items():
        if name != "dial":
            cells = [interval(f["equal_mass"]), interval(f["equal_width"]), num(f["mean_p"]), num(f["right"])]
            rows.append([name, str(f["points"]), str(f["sources"]), *cells])
    for snr, curve in figures["dial"].items():
        for p in curve:
            cells = [num(p[k]) for k in ("threshold", "respond_recall", "silent_recall")]
            points.append([f"{p['dial']:.2f}", f"{snr} dB", *cells, num(p["false_alarms_hour"], 1)])
    bins = next(f["bins"] for name, f in figures.items() if name != "dial")
    note = (
        f"Expected calibration error, {bins['equal_mass']} bins of equal mass, {bins['equal_width']} of equal width; "
        "95 % bootstrap over sources. Likely: chunks of p >= 0.05."
    )
    columns = ["by", "points", "sources", "error, equal mass", "error, equal width", "mean p", "share right"]
    heads = ["dial", "SNR", "threshold", "respond-recall", "silent-recall", "false alarms/h"]
    return [
        Table("Calibration of the decision", columns, rows, note),
        Table("The proactivity dial", heads, points, "Replayed: an approximation away from the dial of the run."),
    ]


TABLES = {f.__name__: f for f in (proactive, quiet, watch, acts, echo, hazards, calibration)}
