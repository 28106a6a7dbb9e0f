"""Figures of multiple choice: accuracy by task with intervals, against blind, rule and chance; circular; positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.instances import Row as Instance
from benchmarks.understand import choices
from benchmarks.understand.runner import BLIND, TAGS, TAGS_WORDS
from soundflow.scoring import percentiles

Array = NDArray[np.float64]
BY: Final = {"task": "task", "difficulty": "difficulty", "sub-category": "sub-category"}


@dataclass(frozen=True, slots=True)
class Judged:
    """One method of one system: item id -> right in the first order, in every order, and the picks."""

    first: dict[str, bool]
    every: dict[str, bool]
    picks: dict[str, list[int | None]]


def interval(values: Sequence[float], sources: Sequence[str], draws: int = 1000, seed: int = 0) -> list[float]:
    """[mean, low, high]: 95 % percentile bootstrap (Efron 1979) over sources, items of one source drawn together."""
    if not len(values):
        return [float("nan")] * 3
    found = percentiles(float(np.mean(values)), _means(values, sources, draws, seed))
    return [round(float(x), 4) for x in (found.value, found.low, found.high)]


def _means(values: Sequence[float], sources: Sequence[str], draws: int, seed: int) -> Array:
    tally: dict[str, list[float]] = {}
    for value, source in zip(values, sources, strict=True):
        one = tally.setdefault(source, [0.0, 0.0])
        one[0] += float(value)
        one[1] += 1.0
    table = np.array(list(tally.values()))
    drawn = table[np.random.default_rng(seed).integers(len(table), size=(draws, len(table)))].sum(axis=1)
    means: Array = drawn[:, 0] / drawn[:, 1]
    return means


def score(rows: Sequence[Instance], draws: int = 1000) -> dict[str, Any]:
    """Figures of a multiple-choice run.

    Accuracy = right / items, items of errors among them as wrong; a question whose answer is not among its choices is
    wrong for every method but text. `minus_...`: differences on the same items, drawn in pairs (Koehn 2004).
    `circular`: right in every rotation (MMBench, Liu et al. 2023).
    """
    items = {r["id"]: r["item"] for r in rows}
    known = {i: item for i, item in items.items() if choices.judgeable({"item": item})}
    sources = {i: str(item["source"]) for i, item in items.items()}
    by_system = {s: {r["id"]: r for r in rows if r["system"] == s} for s in dict.fromkeys(r["system"] for r in rows)}
    judged = {s: judge(mine, by_system.get(f"{s}{BLIND}"), known) for s, mine in by_system.items()}
    lists = choices.without_audio(known)
    body: dict[str, Any] = {
        "items": len(items),
        "not_judged": len(items) - len(known),
        "answer_not_among_choices": sum(i["facts"]["right"] is None for i in known.values()),
        "mean_choices": round(float(np.mean([len(i["facts"]["entry"]["choices"]) for i in items.values()])), 3),
        "baselines": {n: _accuracy(known, by_id, sources, draws) for n, by_id in lists.items()},
        "systems": {},
    }
    for system, methods in judged.items():
        mine = list(by_system[system].values())
        failed = sum(bool(r.get("error")) for r in mine)
        one: dict[str, Any] = {"items": len(mine), "failed": failed, "methods": {}}
        one["question_cut"] = sum(bool(r.get("cut")) for r in mine)
        for method, found in methods.items():
            figures = _accuracy(known, {i: float(v) for i, v in found.first.items()}, sources, draws)
            others = _beside(judged, system, method, lists)
            figures["minus"] = {n: _minus(found.first, other, sources, draws) for n, other in others.items()}
            if any(item["facts"].get("circular") for item in items.values()):
                ids = [i for i in known if i in found.every]
                figures["circular"] = interval([found.every[i] for i in ids], [sources[i] for i in ids], draws)
            figures |= _places(by_system[system], found)
            one["methods"][method] = figures
        body["systems"][system] = one
    return body


def judge(
    mine: Mapping[str, Instance], blind: Mapping[str, Instance] | None, known: Mapping[str, Any]
) -> dict[str, Judged]:
    """Method -> what each item's row came to; a row with an error is wrong for all methods that others have."""
    found: dict[str, Judged] = {}
    alive = {i: r for i, r in mine.items() if not r.get("error")}
    for name, row in alive.items():
        other = (blind or {}).get(name)
        picks = choices.methods(row, other if other and not other.get("error") else None)
        verdicts = choices.right(row, picks)
        for method, each in picks.items():
            one = found.setdefault(method, Judged({}, {}, {}))
            one.picks[name] = list(each)
            if name in known:
                one.first[name], one.every[name] = verdicts[method][0], all(verdicts[method])
    for one in found.values() or [found.setdefault("text", Judged({}, {}, {}))]:
        for name in mine:
            if name in known and name not in one.first:
                one.first[name], one.every[name] = False, False
    return found


def _accuracy(
    known: Mapping[str, Any], values: Mapping[str, float], sources: Mapping[str, str], draws: int
) -> dict[str, Any]:
    """Of all items, and by each key of `BY` that the entries have."""

    def of(ids: Sequence[str]) -> list[float]:
        return interval([values[i] for i in ids], [sources[i] for i in ids], draws)

    ids = [i for i in known if i in values]
    found: dict[str, Any] = {"items": len(ids), "accuracy": of(ids)}
    for key, name in BY.items():
        groups: dict[str, list[str]] = {}
        for i in ids:
            groups.setdefault(str(known[i]["facts"]["entry"].get(name) or "-"), []).append(i)
        found[f"by_{key}"] = {g: {"items": len(m), "accuracy": of(m)} for g, m in sorted(groups.items())}
    return found


def _beside(
    judged: Mapping[str, Mapping[str, Judged]], system: str, method: str, lists: Mapping[str, Mapping[str, float]]
) -> dict[str, Mapping[str, float] | Mapping[str, bool]]:
    """What a method is compared with: chance, itself without audio, and the rules."""
    found: dict[str, Any] = {"chance": lists["chance"]}
    plain = method if method in judged.get(f"{system}{BLIND}", {}) else method.replace(choices.GAIN, "sum")
    if plain in judged.get(f"{system}{BLIND}", {}):
        found["blind"] = judged[f"{system}{BLIND}"][plain].first
    for rule in (TAGS, TAGS_WORDS):
        if system != rule and "rule" in judged.get(rule, {}):
            found[rule] = judged[rule]["rule"].first
    return found


def _minus(mine: Mapping[str, bool], other: Mapping[str, Any], sources: Mapping[str, str], draws: int) -> list[float]:
    ids = [i for i in mine if i in other]
    return interval([float(mine[i]) - float(other[i]) for i in ids], [sources[i] for i in ids], draws)


def _places(rows: Mapping[str, Instance], found: Judged) -> dict[str, Any]:
    """Share of orders in which no option was said, and at which place the picked option stood when it was shown.

    `same`: share of items whose pick is one and the same option in every order (of those asked in several).
    """
    places: list[int] = []
    none = count = several = same = 0
    for name, picks in found.picks.items():
        orders = [a["order"] for a in rows[name].get("shown", ())]
        count += len(picks)
        none += sum(p is None for p in picks)
        if len(picks) == len(orders):
            places += [o.index(p) for o, p in zip(orders, picks, strict=True) if p is not None]
        if len(picks) > 1:
            several += 1
            same += len(set(picks)) == 1 and picks[0] is not None
    shares = np.bincount(places) / len(places) if places else np.zeros(0)
    out: dict[str, Any] = {"no_option": round(none / count, 4) if count else 0.0}
    out["places"] = [round(float(s), 4) for s in shares]
    return out | ({"same": round(same / several, 4)} if several else {})
