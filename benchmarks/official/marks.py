"""Scores of RESPOND or IGNORE on a published test set: the official accuracy, and what it does not tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.official.formats import RESPOND, Prediction, Sample, raw_reply
from soundflow.scoring import Outcome, auc, paired_difference

DRAWS: Final = 2000
TRIVIAL: Final = ("always-silent", "always-respond", "random")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a system decided of one clip. `why`: "" or why there is no decision: missing, unparsable, failed."""

    id: str
    macro: str
    meso: str
    respond: bool
    decision: str
    why: str
    raw: str = ""
    score: float | None = None

    @staticmethod
    def of(clip: Mapping[str, Any], decision: str, why: str, raw: str, score: float | None = None) -> Verdict:
        """Of a clip's facts (`listen.clip_facts`)."""
        wanted = clip["decision"] == RESPOND
        return Verdict(clip["id"], clip["macro"], clip["meso"], wanted, decision, why, raw, score)

    @property
    def fired(self) -> bool:
        """Whether it counts as a response; without a decision it is whatever is wrong."""
        return self.decision == RESPOND if self.decision else not self.respond

    @property
    def right(self) -> bool:
        return self.fired is self.respond


def judged(samples: Sequence[Sample], given: Mapping[str, Prediction]) -> list[Verdict]:
    """A verdict for every sample, in order: a missing or unreadable prediction is a wrong one."""
    found = []
    for s in samples:
        p = given.get(s.id)
        why = "missing" if p is None else "" if p.decision else "unparsable"
        found.append(
            Verdict(s.id, s.macro, s.meso, s.respond, p.decision if p else "", why, p.raw if p else "")
        )  # fmt: skip
    return found


def trivial(samples: Sequence[Sample], name: str, seed: int) -> list[Verdict]:
    """always-silent, always-respond, or random: RESPOND with the share of RESPOND in the set, drawn by `seed`."""
    rate = sum(s.respond for s in samples) / len(samples)
    draws = np.random.default_rng(np.random.SeedSequence([seed, 5])).random(len(samples))
    found = []
    for s, draw in zip(samples, draws, strict=True):
        fires = {"always-silent": False, "always-respond": True}.get(name, bool(draw < rate))
        word = RESPOND if fires else "IGNORE"
        found.append(Verdict(s.id, s.macro, s.meso, s.respond, word, "", raw_reply(fires, "")))
    return found


def figures(found: Sequence[Verdict], draws: int = DRAWS, seed: int = 0) -> dict[str, Any]:
    """Figures of one system over all clips; clips without a decision are in every denominator, as wrong.

    accuracy = right / clips: the official metric (Proactive-Sound-Bench's evaluate.py), over all of them;
    respond-recall = TP / (TP + FN), ignore-recall = TN / (TN + FP); balanced accuracy their mean (Brodersen et al.
    2010: always-silent has 0.5); precision = TP / (TP + FP); F1 = 2 TP / (2 TP + FP + FN) (van Rijsbergen 1979), of
    RESPOND, 0 where nothing is right; F1 macro = mean of the F1 of RESPOND and of IGNORE. By class: recall averaged
    over the classes of each side, then over the sides. AUC by Mann-Whitney where the system gave scores.
    `official`: (right, clips) as the official scorer would count, which leaves out clips without a decision.
    Intervals: 95 % percentile bootstrap (Efron 1979) over clips within each side, `draws` times.
    """
    yes, no = [v for v in found if v.respond], [v for v in found if not v.respond]
    rng = np.random.default_rng(seed)
    body: dict[str, Any] = {"clips": len(found), "respond": len(yes), "right": sum(v.right for v in found)}
    body |= rates(len(yes), sum(v.right for v in yes), len(no), sum(v.right for v in no), draws, rng)
    decided = [v for v in found if v.decision]
    body["official"] = [sum(v.right for v in decided), len(decided)]
    body |= {why: sum(v.why == why for v in found) for why in ("missing", "unparsable", "failed")}
    body["by_class_balanced_accuracy"] = _classes_mean(found)
    scored = [Outcome(v.respond, v.fired, v.score, "", v.id) for v in found if v.score is not None]
    body["auc"] = round(auc(scored), 4) if scored and len(scored) == len(decided) and yes and no else None
    body["by_macro"] = {
        name: _side_counts([v for v in found if v.macro == name], draws, rng)
        for name in sorted({v.macro for v in found})
    }
    body["by_class"] = {
        f"{macro}/{meso}": _side_counts([v for v in found if (v.macro, v.meso) == (macro, meso)], draws, rng)
        for macro, meso in sorted({(v.macro, v.meso) for v in found})
    }
    return body


def rates(yes: int, hits: int, no: int, stays: int, draws: int, rng: np.random.Generator) -> dict[str, Any]:
    """Accuracy, recalls, precision and F1 with intervals, out of counts: `hits` of `yes` answered, `stays` of `no` not.

    Drawing n clips with replacement, k of them right, gives Binomial(n, k / n) right ones: that is drawn.
    """
    tp = np.append(hits, rng.binomial(yes, hits / yes, draws) if yes else np.zeros(draws))
    tn = np.append(stays, rng.binomial(no, stays / no, draws) if no else np.zeros(draws))
    fn, fp = yes - tp, no - tn
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {
            "accuracy": (tp + tn) / (yes + no),
            "balanced_accuracy": (tp / yes + tn / no) / 2 if yes and no else np.full(draws + 1, np.nan),
            "respond_recall": tp / yes if yes else np.full(draws + 1, np.nan),
            "ignore_recall": tn / no if no else np.full(draws + 1, np.nan),
            "precision": tp / (tp + fp),
            "f1": np.where(tp > 0, 2 * tp / (2 * tp + fp + fn), 0.0),
        }
        other = np.where(tn > 0, 2 * tn / (2 * tn + fn + fp), 0.0)
    shares["f1_macro"] = (shares["f1"] + other) / 2
    return {name: _interval(values) for name, values in shares.items()} | {
        "confusion": {"tp": hits, "fn": yes - hits, "fp": no - stays, "tn": stays}
    }


def _interval(values: np.ndarray[Any, Any]) -> list[float | None]:
    """[value, low, high]; the value is the first. None where it is not a number."""
    if np.isnan(values[0]):
        return [None, None, None]
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return [round(float(x), 4) for x in (values[0], low, high)]


def _side_counts(part: Sequence[Verdict], draws: int, rng: np.random.Generator) -> dict[str, Any]:
    yes, no = [v for v in part if v.respond], [v for v in part if not v.respond]
    hits, stays = sum(v.right for v in yes), sum(v.right for v in no)
    body = rates(len(yes), hits, len(no), stays, draws, rng)
    kept = ("accuracy", "balanced_accuracy", "respond_recall", "ignore_recall")
    return {"clips": len(part), "respond": len(yes), "right": hits + stays} | {k: body[k] for k in kept}


def _classes_mean(found: Sequence[Verdict]) -> float | None:
    """Mean over the sides of the mean recall of their classes; None where a side is empty."""
    sides = []
    for side in (True, False):
        by: dict[tuple[str, str], list[bool]] = {}
        for v in found:
            if v.respond is side:
                by.setdefault((v.macro, v.meso), []).append(v.right)
        if not by:
            return None
        sides.append(float(np.mean([np.mean(values) for values in by.values()])))
    return round(sum(sides) / 2, 4)


def minus(a: Sequence[Verdict], b: Sequence[Verdict], draws: int = DRAWS) -> list[float]:
    """Balanced accuracy of `a` less that of `b` on the same clips, paired bootstrap (Koehn 2004)."""
    first, second = ([Outcome(v.respond, v.fired, 0.0, "", v.id) for v in x] for x in (a, b))
    found = paired_difference(first, second, draws)
    return [round(x, 4) for x in (found.value, found.low, found.high)]
