"""Proactive response to single real sounds: balanced accuracy against rules and trivial baselines, by class and SNR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.instances import Row as Instance
from soundflow.clock import chunk_of, samples, seconds
from soundflow.scoring import (
    Interval,
    Outcome,
    auc,
    paired_difference,
    percentiles,
    recall_draws,
    recalls,
)

LATE_CHUNKS = 4
LATE_S = 2.0
HEADLINE = ("event", "ambience")
APART = ("music", "speech")


def window(row: Instance) -> tuple[int, int]:
    """Chunks [first, last] in which a response to the sound counts.

    From the chunk of the onset to evidence end + 4 chunks, or the chunk 2 s behind the sound's end where that is later;
    evidence end = min(end, onset + 1.2 s) (DESIGN.md section 6).
    """
    size = row["chunk"]
    late = max(chunk_of(row["evidence_end"], size) + LATE_CHUNKS, chunk_of(row["offset"] + samples(LATE_S), size))
    return chunk_of(row["onset"], size), min(late, len(row["decisions"]) - 1)


def outcome(row: Instance) -> Outcome:
    """Fired: a decision to speak or act in the window (a sound to answer) or anywhere (none to answer).

    The score is the highest p(speak) + p(act) there. A failed item is wrong: not fired where it should have, and the
    other way round.
    """
    item = row["item"]
    wanted = item["respond"] == "yes"
    if row.get("error"):
        return Outcome(wanted, not wanted, 0.0 if wanted else 1.0, item["label"], item["source"])
    first, last = window(row) if wanted else (0, len(row["decisions"]) - 1)
    p = [s + a for s, a in zip(row["p_speak"], row["p_act"], strict=True)][first : last + 1]
    fired = any(letter != "s" for letter in row["decisions"][first : last + 1])
    return Outcome(wanted, fired, max(p, default=0.0), item["label"], item["source"])


def outcomes(rows: Sequence[Instance]) -> list[Outcome]:
    """One outcome a row."""
    return [outcome(row) for row in rows]


def delay(row: Instance) -> float | None:
    """Seconds from the evidence's end to the end of the chunk of the first response in the window; None without one."""
    if row.get("error") or row["item"]["respond"] != "yes":
        return None
    first, last = window(row)
    fired = [k for k in range(first, last + 1) if row["decisions"][k] != "s"]
    return seconds((fired[0] + 1) * row["chunk"] - row["evidence_end"]) if fired else None


def early(row: Instance) -> bool:
    """Whether something was said before the sound began."""
    return not row.get("error") and any(c != "s" for c in row["decisions"][: window(row)[0]])


def headline(row: Instance) -> bool:
    """Events to answer against benign events and ambience; context, music and speech are reported apart."""
    return row["item"]["respond"] in ("yes", "no") and row["item"]["group"] in HEADLINE


SUBSETS: dict[str, Callable[[Instance], bool]] = {
    "all": lambda r: True,
    "open": lambda r: bool(r["item"]["facts"]["open"]),
    "eval_events": lambda r: r["item"]["facts"]["dataset"] == "eval_events",
}


def score(rows: Sequence[Instance], draws: int = 1000) -> dict[str, Any]:
    """Figures by signal-to-noise ratio, system and subset.

    Balanced accuracy = (respond-recall + silent-recall) / 2, each macro-averaged over the classes of its side
    (Brodersen et al. 2010); always-silent has 0.5. Intervals: percentile bootstrap over recordings within each class
    (Efron 1979; classes of one recording among each other), the difference to the rules by a paired one (Koehn 2004).
    """
    found: dict[str, Any] = {}
    for snr in sorted({r["item"]["facts"]["snr"] for r in rows}, reverse=True):
        here = [r for r in rows if r["item"]["facts"]["snr"] == snr]
        found[f"{snr:g}"] = {s: _system(here, s, draws) for s in dict.fromkeys(r["system"] for r in here)}
    return found


def _system(rows: Sequence[Instance], system: str, draws: int) -> dict[str, Any]:
    mine = sorted((r for r in rows if r["system"] == system), key=lambda r: r["id"])
    main = [r for r in mine if headline(r)]
    body: dict[str, Any] = {"failed": sum(bool(r.get("error")) for r in mine)}
    for name, inside in SUBSETS.items():
        part = [r for r in main if inside(r)]
        if {r["item"]["respond"] for r in part} == {"yes", "no"}:
            body[name] = _figures(part, draws)
            rules = _same(rows, "rules", part)
            if system != "rules" and rules:
                against = paired_difference(outcomes(part), outcomes(rules), draws=draws)
                body[name]["minus_rules"] = _list(against)
    for group in APART:
        part = [r for r in mine if r["item"]["group"] == group]
        if part:
            scored = outcomes(part)
            stayed = percentiles(recalls(scored)[1], recall_draws(scored, draws)[:, 1])
            body[group] = {"items": len(part), "silent_recall": _list(stayed)}
    context = [r for r in mine if r["item"]["respond"] == "context"]
    body["context"] = _by_class(context)
    body["by_class"] = _by_class([r for r in mine if r["item"]["respond"] != "context"])
    waits = [d for r in main if (d := delay(r)) is not None]
    if waits:
        body["delay_s"] = {
            "median": round(float(np.median(waits)), 3),
            "p90": round(float(np.percentile(waits, 90)), 3),
        }
    body["early_share"] = round(float(np.mean([early(r) for r in mine])), 4) if mine else 0.0
    return body


def _figures(rows: Sequence[Instance], draws: int) -> dict[str, Any]:
    found = outcomes(rows)
    respond, silent = recalls(found)
    drawn = recall_draws(found, draws)
    micro = [float(np.mean([o.fired is side for o in found if o.respond is side])) for side in (True, False)]
    return {
        "items": len(found),
        "classes": len({(o.respond, o.label) for o in found}),
        "balanced_accuracy": _list(percentiles((respond + silent) / 2, drawn.mean(axis=1))),
        "respond_recall": _list(percentiles(respond, drawn[:, 0])),
        "silent_recall": _list(percentiles(silent, drawn[:, 1])),
        "micro_recalls": [round(m, 4) for m in micro],
        "area": round(auc(found), 4),
    }


def _same(rows: Sequence[Instance], system: str, like: Sequence[Instance]) -> list[Instance]:
    """Rows of another system on the same items in the same order; none where one is missing."""
    by_id = {r["id"]: r for r in rows if r["system"] == system}
    return [by_id[r["id"]] for r in like] if all(r["id"] in by_id for r in like) else []


def _by_class(rows: Sequence[Instance]) -> dict[str, dict[str, Any]]:
    """Label -> items, share that was answered, mean score; ambience by recording."""
    found: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda r: (r["item"]["respond"] != "yes", r["item"]["group"], r["item"]["label"])):
        item, out = row["item"], outcome(row)
        name = f"{item['group']}/{item['label']}"
        entry = found.setdefault(name, {"respond": item["respond"], "items": 0, "answered": 0.0, "score": 0.0})
        entry["items"] += 1
        entry["answered"] += out.fired
        entry["score"] += out.score
    for entry in found.values():
        entry["answered"] = round(entry["answered"] / entry["items"], 4)
        entry["score"] = round(entry["score"] / entry["items"], 4)
    return found


def _list(interval: Interval) -> list[float]:
    return [round(float(x), 4) for x in (interval.value, interval.low, interval.high)]
