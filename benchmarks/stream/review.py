"""History review: a fact and a sound, asked for 1, 3, 5 and 10 rounds later in one conversation.

round 0: a fact is told; round 1: a sound, then a question; rounds 2 to 10: other questions, two of them behind other
sounds. After the rounds that the lags want the conversation forks and is asked: what the fact was, what was heard
before the question of round 1, what was heard first, and what was heard so many questions ago.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.compose import Bed, Item, Part
from benchmarks.corpus import Row
from benchmarks.instances import Row as Instance
from benchmarks.plan import capped, draw, item_seed
from benchmarks.stream.probes import Probe, noticed, seconds_of, stretch
from benchmarks.stream.recall import SPOKEN, TYPED, Recalled, chance, difference, recalled, share
from benchmarks.stream.voices import Spoken
from benchmarks.stream.words import AGO, BEFORE, FACTS, FIRST, QUESTIONS, SOUNDS, Question
from benchmarks.systems import NO_MEMORY
from benchmarks.task_content import says
from soundflow.errors import ConfigError, DataError
from soundflow.perceive.labels import display_name

LAGS: Final = (1, 3, 5, 10)
MOST_LAG: Final = max(AGO)
INSTRUCTION: Final = "Answer my questions, and remember what you hear."
OTHERS: Final = (3, 7)  # rounds with another sound in front
SOUND_S, DB = 3.0, -24.0
LEAD_S, AFTER_SOUND_S, TAIL_S = 1.2, 1.2, 4.4
ROOM: Final = Bed("room", -58.0)
KINDS: Final = {
    "fact": "what was told",
    "before": "the sound before a question",
    "first": "the first sound",
    "ago": "the sound so many questions ago",
}


def plan(
    rows: Sequence[Row],
    voices: Mapping[str, Spoken],
    streams: int,
    seed: int,
    lags: Sequence[int] = LAGS,
    split: str = "dev",
) -> list[Item]:
    """`streams` conversations with probes at every lag.

    A fact's lag: the question is so many rounds behind the telling. A sound's: so many behind the round that followed
    it, so that other questions lie between. Classes of the sound that is asked for come in turn.

    Raises:
        ConfigError: a lag outside of 1 to 10, no stream. DataError: fewer than three families of sounds in the split.
    """
    if streams < 1 or not lags or min(lags) < 1 or max(lags) > MOST_LAG:
        raise ConfigError(f"review: expected a stream and lags of 1 to {MOST_LAG}, got {streams} and {list(lags)}")
    by_label = sounds_of(rows, split, seed)
    labels = sorted(by_label)
    if len({SOUNDS[x].family for x in labels}) < 3:
        raise DataError(f"review: expected sounds of three families among {split} events, got {labels}")
    order = list(labels)
    draw(seed, "review").shuffle(order)
    found = []
    for k in range(streams):
        rng = draw(seed, f"review/{k}")
        label = order[k % len(order)]
        apart = [x for x in labels if SOUNDS[x].family != SOUNDS[label].family]
        second = str(apart[int(rng.integers(len(apart)))])
        apart = [x for x in apart if SOUNDS[x].family != SOUNDS[second].family]
        third = str(apart[int(rng.integers(len(apart)))])
        paths = [by_label[x][k % len(by_label[x])].path for x in (label, second, third)]
        fact = FACTS[int(rng.permutation(len(FACTS))[0])]
        asked = [QUESTIONS[int(x)] for x in rng.permutation(len(QUESTIONS))[: max(lags)]]
        name = f"review/{k:03d}"
        told: list[tuple[str, list[Part]]] = [(fact.told, [])]
        for j, question in enumerate(asked, 1):
            sounds = [paths[0]] if j == 1 else [paths[1 + OTHERS.index(j)]] if j in OTHERS else []
            told.append((question.text, [Part(p, LEAD_S, 0.0, SOUND_S, DB) for p in sounds]))
        made = []
        for j, (text, front) in enumerate(told):
            probes = _probes(name, j, fact, asked, label, by_label[label][0].respond, voices, lags)
            parts = (*front, Part(voices[text].path, AFTER_SOUND_S if front else LEAD_S, 0.0, 15.0, DB))
            where = (f"{name}/{j}", "round", "", "no", name, item_seed(seed, f"{name}/{j}"))
            made.append(stretch(Item(*where, parts, ROOM, TAIL_S), probes))
        facts = {"stretches": made, "label": label}
        bare = Item(name, "review", label, "yes", name, item_seed(seed, name), instruction=INSTRUCTION, facts=facts)
        found.append(timed(bare))
    return found


def timed(item: Item) -> Item:
    """The item with the seconds that it is heard."""
    body = item.to_dict() | {"seconds": round(seconds_of(item), 1)}
    return Item.from_dict(body)


def sounds_of(rows: Sequence[Row], split: str, seed: int) -> dict[str, list[Row]]:
    """Label -> recordings of the sounds that one can ask for, in an order drawn by seed."""
    by: dict[str, list[Row]] = {}
    for row in rows:
        if row.kind == "event" and row.split == split and row.label in SOUNDS:
            by.setdefault(row.label, []).append(row)
    return {label: capped(members, 0, seed, f"stream/{label}") for label, members in by.items()}


def _probes(
    name: str,
    j: int,
    fact: Any,
    asked: Sequence[Question],
    label: str,
    respond: str,
    voices: Mapping[str, Spoken],
    lags: Sequence[int],
) -> list[Probe]:
    """What is asked behind round `j`."""
    found = []
    if j + 1 in lags:
        text, path = fact.asked, voices[fact.asked].path
        found.append(Probe(f"{name}/fact/{j + 1}", "fact", j + 1, text, path, "content", fact.answers))
    if j in lags:
        for kind, text in (("before", BEFORE.format(x=asked[0].topic)), ("first", FIRST), ("ago", AGO[j])):
            about = (SOUNDS[label].answers, label, respond)
            found.append(Probe(f"{name}/{kind}/{j}", kind, j, text, voices[text].path, "content", *about))
    return found


def names(label: str) -> Any:
    """Whether a tag of perception names the sound of this class."""
    return lambda tag: any(says(f"I heard {display_name(tag)}.", a) for a in SOUNDS[label].answers)


def score(rows: Sequence[Instance], draws: int = 2000, seed: int = 0) -> dict[str, Any]:
    """System -> way of asking -> kind -> lag ("all": over lags) -> share right.

    right = probes answered in time whose reply has the content of the reference (`benchmarks.task_content`: the rule of
    `bench tasks`) over probes. chance = share right of the answer of another stream. minus_no_memory = right less that
    of a model that hears nothing but the question, on the same probes. noticed: share of streams whose sound perception
    told at all; a sound that was not noticed cannot be remembered.
    """
    items = list({r["id"]: r["item"] for r in rows}.values())
    systems = dict.fromkeys(r["system"] for r in rows)
    every = {
        s: {w: [a for r in rows if r["system"] == s for a in recalled(r, w)] for w in (SPOKEN, TYPED)} for s in systems
    }
    found: dict[str, Any] = {"chance": {kind: chance(items, kind, seed) for kind in KINDS}, "systems": {}}
    for system, ways in every.items():
        body: dict[str, Any] = {"failed": sum(bool(r.get("error")) for r in rows if r["system"] == system)}
        heard = [r for r in rows if r["system"] == system and not r.get("error") and r["spans"]]
        if any(r["sounds"] for r in heard):
            told = [noticed(r, r["spans"][1], names(r["item"]["facts"]["label"])) for r in heard]
            body["noticed"] = round(sum(told) / len(told), 4)
        for way, many in ways.items():
            blank = every.get(NO_MEMORY, {}).get(way, [])
            body[way] = {
                kind: _kind(many, blank if system != NO_MEMORY else [], kind, draws, seed) for kind in KINDS if many
            }
        found["systems"][system] = body
    return found


def _kind(many: Sequence[Recalled], blank: Sequence[Recalled], kind: str, draws: int, seed: int) -> dict[str, Any]:
    mine, other = ([a for a in x if a.group == kind] for x in (many, blank))
    found: dict[str, Any] = {}
    for lag in ("all", *sorted({a.distance for a in mine})):
        part = [a for a in mine if lag in ("all", a.distance)]
        same = [a for a in other if lag in ("all", a.distance)]
        body: dict[str, Any] = {"probes": len(part), "right": share(part, "right", draws, seed)}
        body["answered"] = share(part, "answered", draws, seed)
        body["recognised"] = round(sum(a.recognised for a in part) / len(part), 4) if part else None
        if same:
            body["minus_no_memory"] = difference(part, same, draws, seed)
        found[str(lag) if lag == "all" else f"{lag:g}"] = body
    return found
