"""Answers to probes -> what was remembered: content, yes and no, chance, intervals over streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.instances import Row as Instance
from benchmarks.plan import draw
from benchmarks.stream.kept import drawn, shown, weights_of
from benchmarks.stream.questions import recognised, reply_to
from benchmarks.task_content import RECALL, content, judge, words
from soundflow.scoring import wilson

DENIALS: Final = frozenset(("no", "not", "nothing", "never", "none", "cannot"))
CHANCE_DRAWS: Final = 8
TYPED, SPOKEN = "typed", "spoken"


@dataclass(frozen=True, slots=True)
class Recalled:
    """One probe and what came of it, by one way of asking. `answered`: something was said in time."""

    stream: str
    name: str
    group: str
    distance: float
    wanted: str
    respond: str
    answered: bool
    right: bool
    affirmed: bool
    recognised: bool = True
    failed: bool = False


def denies(reply: str) -> bool:
    """Whether a reply says no: "No.", "I have not heard anything special.", "Nothing special."."""
    return bool(DENIALS & set(words(reply)))


def right(wanted: str, reply: str, answers: Sequence[str], question: str, cut: bool = False) -> bool:
    """Whether a reply is right: by content (`task_content.judge`, rule "says"), or as yes or no.

    Yes: the reply says yes, or names the sound, and denies nothing. No: it denies.
    """
    if wanted == "content":
        return judge("says", reply, answers, question, "", cut)[0] and not denies(reply)
    return affirms(reply, answers) if wanted == "yes" else bool(reply.strip()) and denies(reply)


def affirms(reply: str, answers: Sequence[str]) -> bool:
    """Whether a reply says that the sound was heard: it says yes, or holds half of the words that name it, and denies
    nothing. How often it says so is not asked."""
    said = content(reply)
    named = any(len(keys & said) >= RECALL * len(keys) for keys in map(content, answers) if keys)
    return not denies(reply) and ("yes" in words(reply) or named)


def recalled(row: Instance, way: str) -> list[Recalled]:
    """One a probe of the row; [] where the system takes nothing typed. A failed row has got none right."""
    planned = [p for entry in row["item"]["facts"]["stretches"] for p in entry["probes"]]
    base = [(row["item"]["source"], p["name"], p["group"], p["distance"], p["wanted"], p["respond"]) for p in planned]
    if row.get("error"):
        return [
            Recalled(*b, False, False, p["wanted"] == "no", False, True) for b, p in zip(base, planned, strict=True)
        ]
    if way == TYPED and not any(isinstance(p["typed"], str) for p in row["probes"]):
        return []
    found = []
    for where, probe, got in zip(base, planned, row["probes"], strict=True):
        text, cut, known = got["typed"] or "", False, True
        if way == SPOKEN:
            said = reply_to(got, got["span"][1])
            text, cut = (said.text, said.cut) if said else ("", False)
            known = recognised(got, got["span"], probe["text"])
        good = right(probe["wanted"], text, probe["answers"], probe["text"], cut)
        found.append(Recalled(*where, bool(text), good, affirms(text, probe["answers"]), known))
    return found


def share(many: Sequence[Recalled], what: str, draws: int = 2000, seed: int = 0) -> list[float | None]:
    """[share of `what`, low, high]: percentile bootstrap over streams (cluster bootstrap, Field and Welsh 2007).

    Where all probes agree, so that nothing varies, Wilson's score interval (1927) over streams: a system that was
    right in each of three streams is not known to be right always. No interval of a single stream else.
    """
    streams = sorted({a.stream for a in many})
    if not streams:
        return [None, None, None]
    tally = np.zeros((len(streams), 2))
    for a in many:
        tally[streams.index(a.stream)] += (getattr(a, what), 1)
    found = shown(drawn(tally, weights_of(len(streams), draws, seed)))
    if found[0] in (0.0, 1.0):
        sure = wilson(len(streams) if found[0] else 0, len(streams))
        return [found[0], round(sure.low, 4), round(sure.high, 4)]
    return found if len(streams) > 1 else [found[0], None, None]


def difference(a: Sequence[Recalled], b: Sequence[Recalled], draws: int = 2000, seed: int = 0) -> list[float | None]:
    """[right of `a` less right of `b`, low, high] on the probes of both, streams drawn in pairs (Koehn 2004).

    No interval of a single stream.
    """
    common = {(x.stream, x.name) for x in a} & {(x.stream, x.name) for x in b}
    streams = sorted({s for s, _ in common})
    if not streams:
        return [None, None, None]
    weights, found = weights_of(len(streams), draws, seed), []
    for many in (a, b):
        tally = np.zeros((len(streams), 2))
        for x in (x for x in many if (x.stream, x.name) in common):
            tally[streams.index(x.stream)] += (x.right, 1)
        found.append(drawn(tally, weights))
    both = shown(found[0] - found[1])
    return both if len(streams) > 1 else [both[0], None, None]


def chance(items: Iterable[Mapping[str, Any]], group: str, seed: int = 0, within: bool = False) -> float | None:
    """Share right of a probe's answer given to the same kind of probe of another stream, as `task_marks.chance`.

    `within`: or to another one of the same stream. `CHANCE_DRAWS` others are drawn for each probe whose content is
    scored; None where there are no others.
    """
    probes = [
        (p["name"] if within else item["source"], p)
        for item in items
        for entry in item["facts"]["stretches"]
        for p in entry["probes"]
        if p["group"] == group and p["wanted"] == "content"
    ]
    rng, hits = draw(seed, "chance", group), list[bool]()
    for source, probe in probes:
        others = [p for s, p in probes if s != source]
        for k in rng.integers(len(others), size=CHANCE_DRAWS) if others else ():
            reply = others[int(k)]["answers"][0]
            hits.append(right("content", reply, probe["answers"], probe["text"]))
    return round(float(np.mean(hits)), 4) if hits else None
