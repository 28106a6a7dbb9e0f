"""Figures of all sub-tasks: by sub-task, by ability, and the headline rows, each with an interval over dialogues."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.instances import Row
from benchmarks.systems import NO_MEMORY, OURS
from benchmarks.task_marks import Mark, chance, mark, pool_of

Array = NDArray[np.float64]
Figures = dict[str, Any]
ARMED: Final = ("watch_sound", "count_events", "change_cancel", "timed")
REVIEW, REVIEW_ALL = "history review", "history review, other sub-tasks too"
TAGGED: Final = {  # headline -> tag of its responses (`task_marks.Want`)
    "device acts, home": "act home",
    "device acts, coffee orders": "act coffee",
    "translation, Mandarin": "Mandarin",
    "translation, European": "European",
}
LOOKS_BACK: Final = "looks back"
NAN: Final = float("nan")
# Figure -> (numerator, denominator), columns of `_row`.
SHARES: Final[dict[str, tuple[str, str]]] = {
    "respond_recall": ("hits", "wants"),
    "silent_recall": ("silent", "quiet"),
    "content": ("right", "wants"),
    "content_of_heard": ("right", "hits"),
    "score": ("score", "wants"),
    "exact": ("exact", "dialogues"),
    "exact_wanting": ("exact_wanting", "wanting"),
}
COLUMNS: Final = (
    *("dialogues", "wanting", "quiet", "wants", "hits", "right", "score", "silent", "exact", "exact_wanting"),
    *("extra", "hours"),
)


def _row(m: Mark, tag: str = "") -> list[float]:
    """The columns of one dialogue; with `tag`, of its responses with this tag alone."""
    chosen = [k for k, w in enumerate(m.wants) if not tag or tag in w.tags]
    hits, right, score = (sum(float(values[k]) for k in chosen) for values in (m.hits, m.right, m.scores))
    wanting, exact = float(bool(m.wants)), float(m.exact)
    quiet = 1.0 - wanting
    return [
        *(1.0, wanting, quiet, float(len(chosen)), hits, right, score, quiet * (not m.extra), exact, exact * wanting),
        *(float(m.extra), m.seconds / 3600),
    ]


def _sums(marks: Sequence[Mark], draws: int, tag: str = "") -> tuple[Array, Array]:
    """[C] and [draws, C]: the columns summed over dialogues, as they are and drawn with replacement.

    Dialogues that want something and those that want nothing are drawn apart. The draws depend on the ids alone, so
    that those of two systems on the same dialogues are pairs.
    """
    whole, drawn = np.zeros(len(COLUMNS)), np.zeros((draws, len(COLUMNS)))
    for side in (True, False):
        mine = sorted((m for m in marks if bool(m.wants) is side), key=lambda m: m.id)
        if not mine:
            continue
        table = np.array([_row(m, tag) for m in mine])
        seed = zlib.crc32(" ".join(m.id for m in mine).encode())
        picked = np.random.default_rng(seed).integers(len(mine), size=(draws, len(mine)))
        whole += table.sum(axis=0)
        drawn += table[picked].sum(axis=1)
    return whole, drawn


def _share(sums: Array, name: str) -> Array:
    """[...] of one figure out of sums [..., C]; nan where nothing is counted."""
    top, bottom = (sums[..., COLUMNS.index(column)] for column in SHARES[name])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / bottom, NAN)


def interval(value: float, draws: Array, count: float) -> list[float | None]:
    """[value, low, high]: 95 % percentile bootstrap (Efron 1979); None where nothing is counted.

    Where all `count` dialogues agree, so that nothing varies, the rule of three (Hanley and Lippman-Hand 1983).
    """
    if math.isnan(value) or np.isnan(draws).all():
        return [None, None, None]
    low, high = (float(x) for x in np.nanpercentile(draws, [2.5, 97.5]))
    if value in (0.0, 1.0) and low == high and count:
        low, high = (value, min(1.0, 3 / count)) if value == 0 else (max(0.0, 1 - 3 / count), value)
    return [round(x, 4) for x in (value, low, high)]


def figures_of(groups: Sequence[Sequence[Mark]], draws: int, tag: str = "") -> Figures:
    """Figures of groups of dialogues (the sub-tasks of an ability): shares are means over groups, alarms are summed.

    balanced_accuracy = (respond_recall + silent_recall) / 2 (Brodersen et al. 2010); always-silent has 0.5.
    """
    sums = [_sums(g, draws, tag) for g in groups if g]
    whole = sum(s[0] for s in sums)
    counts = dict(zip(COLUMNS, (float(x) for x in np.atleast_1d(whole)), strict=True))
    body: Figures = {k: int(counts[k]) for k in ("dialogues", "wanting", "wants", "hits", "extra")}
    body["failed"] = sum(m.failed for g in groups for m in g)
    means: dict[str, tuple[float, Array]] = {}
    for name, (_, bottom) in SHARES.items():
        values = [(float(_share(a, name)), _share(b, name)) for a, b in sums]
        values = [v for v in values if not math.isnan(v[0])]
        value = float(np.mean([v[0] for v in values])) if values else NAN
        drawn = _mean([v[1] for v in values]) if values else np.full(draws, NAN)
        means[name] = (value, drawn)
        body[name] = interval(value, drawn, counts["wanting" if bottom in ("wants", "hits") else bottom])
    both = [means["respond_recall"], means["silent_recall"]]
    body["balanced_accuracy"] = interval((both[0][0] + both[1][0]) / 2, (both[0][1] + both[1][1]) / 2, 0)
    extra, hours = COLUMNS.index("extra"), COLUMNS.index("hours")
    rates = sum(s[1][:, extra] for s in sums) / sum(s[1][:, hours] for s in sums)
    rate = counts["extra"] / counts["hours"]
    low, high = np.percentile(rates, [2.5, 97.5]) if rate else (0.0, 3 / counts["hours"])
    body["false_alarms_hour"] = [round(float(x), 2) for x in (rate, low, high)]
    body["false_a_dialogue"] = round(counts["extra"] / counts["dialogues"], 3)
    return body


def _mean(columns: Sequence[Array]) -> Array:
    """Mean over columns of draws, without those that had nothing to count."""
    stacked = np.array(columns)
    known = ~np.isnan(stacked)
    counted = known.sum(axis=0)
    return np.where(counted > 0, np.where(known, stacked, 0.0).sum(axis=0) / np.maximum(counted, 1), NAN)


def score(rows: Sequence[Row], draws: int = 1000, seed: int = 0) -> Figures:
    """System -> {"subtasks", "abilities", "headlines"}, and "chance" of the content of each sub-task.

    The dialogues are those of any system; a system without a memory is scored on those that it has heard.
    """
    items = list({r["id"]: r["item"] for r in rows}.values())
    pool = pool_of(items)
    by_chance = chance(items, pool, seed)
    found: Figures = {"chance": by_chance, "systems": {}}
    marks = {s: [mark(r, pool) for r in rows if r["system"] == s] for s in dict.fromkeys(r["system"] for r in rows)}
    for system, mine in marks.items():
        if system != NO_MEMORY:
            found["systems"][system] = _system(mine, draws)
    names = sorted({str(i["label"]) for i in items})
    for headline, subtasks in ((REVIEW, ("chat_history",)), (REVIEW_ALL, names)):
        for system, body in _review(marks, subtasks, draws, by_chance).items():
            found["systems"].setdefault(system, {"headlines": {}})["headlines"][headline] = body
    return found


def _of(marks: Sequence[Mark], names: Sequence[str]) -> list[list[Mark]]:
    groups = [[m for m in marks if m.subtask == name] for name in names]
    return [g for g in groups if g]


def _system(marks: Sequence[Mark], draws: int) -> Figures:
    named = {m.subtask: m.ability for m in marks}
    abilities = list(dict.fromkeys(sorted(named.values())))
    subtasks = {s: figures_of(_of(marks, [s]), draws) | {"ability": named[s]} for s in sorted(named)}
    by = {a: figures_of(_of(marks, sorted(s for s in named if named[s] == a)), draws) for a in abilities}
    by["all"] = figures_of(_of(marks, sorted(named)), draws)
    heads: Figures = {}

    def add(name: str, groups: Sequence[Sequence[Mark]], tag: str = "") -> None:
        if groups:
            heads[name] = figures_of(groups, draws, tag)

    add("armed instructions", _of(marks, ARMED))
    add("addressee", _of(marks, ("addressee",)))
    for name, tag in TAGGED.items():
        add(name, _with(marks, tag), tag)
    return {"subtasks": subtasks, "abilities": by, "headlines": heads}


def _with(marks: Sequence[Mark], tag: str) -> list[list[Mark]]:
    """One group: the dialogues with a response of this tag."""
    mine = [m for m in marks if any(tag in w.tags for w in m.wants)]
    return [mine] if mine else []


def _review(
    marks: Mapping[str, Sequence[Mark]], subtasks: Sequence[str], draws: int, by_chance: Mapping[str, Any]
) -> Figures:
    """System -> figures of the questions that look back, in these sub-tasks; ours less without a memory, in pairs."""
    chats = {s: _with([m for m in mine if m.subtask in subtasks], LOOKS_BACK) for s, mine in marks.items()}
    found = {system: figures_of(groups, draws, LOOKS_BACK) for system, groups in chats.items() if groups}
    levels = [by_chance[s][LOOKS_BACK][0] for s in subtasks if LOOKS_BACK in by_chance.get(s, {})]
    for body in found.values():
        body["chance"] = float(np.mean(levels)) if levels else None
    if OURS in found and NO_MEMORY in found:
        heard = {m.id for m in chats[NO_MEMORY][0]}
        ours = [m for m in chats[OURS][0] if m.id in heard]
        a, b = (_sums(g, draws, LOOKS_BACK) for g in (ours, chats[NO_MEMORY][0]))
        value = float(_share(a[0], "content") - _share(b[0], "content"))
        found[OURS]["minus_no_memory"] = interval(value, _share(a[1], "content") - _share(b[1], "content"), 0)
    return found
