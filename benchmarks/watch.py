""" "Tell me when you hear X": X present or another sound in its place, for classes in training and out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.compose import Item, Part
from benchmarks.corpus import Row
from benchmarks.instances import Row as Instance
from benchmarks.plan import EVENT_S, LEAD_S, TAIL_S, a_bed, beds, capped, draw, item_seed
from benchmarks.proactive import outcomes
from soundflow.errors import DataError
from soundflow.scoring import auc, balanced_accuracy, percentiles, recall_draws, recalls

# Label -> (how X is asked for, a word that a fitting reply contains).
INSIDE = {
    "rooster": ("a rooster", "rooster"),
    "rain": ("rain", "rain"),
    "sea_waves": ("sea waves", "wave"),
    "clock_tick": ("a ticking clock", "clock"),
    "dog": ("a dog", "dog"),
    "sneezing": ("a sneeze", "sneez"),
    "helicopter": ("a helicopter", "helicopter"),
    "chainsaw": ("a chainsaw", "chain"),
    "crackling_fire": ("a crackling fire", "fire"),
    "water": ("running water", "water"),
    "coughing": ("someone coughing", "cough"),
    "crying_baby": ("a crying baby", "baby"),
}
OUTSIDE = {
    "cat": ("a cat", "cat"),
    "chirping_birds": ("birds chirping", "bird"),
    "church_bells": ("church bells", "bell"),
    "engine_idling": ("an idling engine", "engine"),
    "children_playing": ("children playing", "child"),
    "snoring": ("someone snoring", "snor"),
    "jackhammer": ("a jackhammer", "hammer"),
}
FORMS = ("Tell me when you hear {x}.", "Let me know when you hear {x}.", "If you hear {x}, tell me.")
# A sound that could be taken for X never stands in its place.
ALIKE = (
    frozenset({"rain", "water", "sea_waves", "crackling_fire"}),
    frozenset({"chirping_birds", "rooster"}),
    frozenset({"helicopter", "chainsaw", "engine_idling", "jackhammer"}),
    frozenset({"coughing", "sneezing", "snoring"}),
    frozenset({"cat", "crying_baby", "children_playing"}),
)


SIDES: Mapping[str, Mapping[str, tuple[str, str]]] = {"in": INSIDE, "out": OUTSIDE}


def plan(
    rows: Sequence[Row],
    per_class: int,
    seed: int,
    split: str = "dev",
    sides: Mapping[str, Mapping[str, tuple[str, str]]] = SIDES,
) -> list[Item]:
    """For each clip of X one stream with it and one with another class of the same list in its place, asked for X.

    Distractors are never alerting classes: those are answered without being asked for.
    """
    dev = [r for r in rows if r.split == split and r.kind == "event" and (split != "train" or r.open)]
    by_label: dict[str, list[Row]] = {}
    for row in dev:
        by_label.setdefault(row.label, []).append(row)
    lying = beds(rows, split)
    found: list[Item] = []
    for side, classes in sides.items():
        present = [label for label in classes if by_label.get(label)]
        if len(present) < 2:
            raise DataError(f"expected {split} events of two of {sorted(classes)}, got {present}")
        for label in present:
            others = [x for x in present if not _alike(x, label) and by_label[x][0].respond != "yes"]
            for k, row in enumerate(capped(by_label[label], per_class, seed, f"watch/{label}")):
                other = others[k % len(others)]
                instead = by_label[other][k % len(by_label[other])]
                for respond, heard in (("yes", row), ("no", instead)):
                    found.append(_item(side, label, respond, heard, row, lying, seed, classes[label]))
    return found


def _item(
    side: str, label: str, respond: str, heard: Row, row: Row, lying: Sequence[Row], seed: int, words: tuple[str, str]
) -> Item:
    name = f"watch/{side}/{label}/{row.path}/{respond}"
    rng = draw(seed, name)
    level = round(float(rng.uniform(-30.0, -18.0)), 1)
    part = Part(heard.path, LEAD_S, 0.0, EVENT_S, level)
    bed = a_bed([b for b in lying if b.path != heard.path], round(level - 20.0, 1), rng)
    asked = FORMS[int(rng.integers(len(FORMS)))].format(x=words[0])
    facts = {"heard": heard.label, "word": words[1], "open": row.open, "dataset": row.dataset}
    where = (side, label, respond, row.path, item_seed(seed, name))
    return Item(name, *where, (part,), bed, TAIL_S, instruction=asked, facts=facts)


def _alike(a: str, b: str) -> bool:
    return a == b or any(a in group and b in group for group in ALIKE)


def named(row: Instance) -> bool:
    """Whether a reply holds the word of what was asked for."""
    return any(row["item"]["facts"]["word"] in r["text"].lower() for r in row.get("replies", ()))


def score(rows: Sequence[Instance], draws: int = 1000) -> dict[str, Any]:
    """System -> "in" and "out" -> recall (in the window of `proactive.window`), false rate, balanced accuracy.

    Both macro-averaged over X (Brodersen et al. 2010), bootstrap over clips; `named`: share of answered present items
    whose reply names X.
    """
    found: dict[str, Any] = {}
    for system in dict.fromkeys(r["system"] for r in rows):
        found[system] = {}
        for side in ("in", "out"):
            mine = [r for r in rows if r["system"] == system and r["item"]["group"] == side]
            if not mine:
                continue
            scored = outcomes(mine)
            respond, silent = recalls(scored)
            interval = percentiles(balanced_accuracy(scored), recall_draws(scored, draws).mean(axis=1))
            hits = [r for r, o in zip(mine, scored, strict=True) if o.respond and o.fired]
            found[system][side] = {
                "items": len(mine),
                "balanced_accuracy": [round(float(x), 4) for x in (interval.value, interval.low, interval.high)],
                "recall": round(respond, 4),
                "false_rate": round(1 - silent, 4),
                "area": round(auc(scored), 4),
                "named": round(float(np.mean([named(r) for r in hits])), 4) if hits else 0.0,
                "by_class": {x: _pair([o for o in scored if o.label == x]) for x in sorted({o.label for o in scored})},
            }
    return found


def _pair(scored: Sequence[Any]) -> dict[str, float]:
    respond, silent = recalls(scored)
    return {"items": len(scored), "recall": round(respond, 4), "false_rate": round(1 - silent, 4)}
