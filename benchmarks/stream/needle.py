"""Needles in a long stream: pairs of sounds at 5 to 95 % of it, and questions about them at its end.

A stream of ambience, side talk, music and benign sounds holds at each depth a needle, then a marker, both of classes
that come nowhere else. At the end it forks: "What did you hear before the <marker>?", "Did you hear <needle>?", and
about sounds that never were: "Did you hear <lure>?" and "What did you hear before the <lure>?" (false memory).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.compose import Bed, Item, Part
from benchmarks.corpus import Row
from benchmarks.instances import Row as Instance
from benchmarks.plan import SPEECH_GROUPS, draw, item_seed
from benchmarks.stream.probes import Probe, noticed, stretch
from benchmarks.stream.recall import SPOKEN, TYPED, Recalled, chance, difference, recalled, share
from benchmarks.stream.review import names, sounds_of, timed
from benchmarks.stream.voices import Spoken
from benchmarks.stream.words import SOUNDS, question_about, question_before
from benchmarks.systems import NO_MEMORY
from soundflow.clock import samples, seconds
from soundflow.errors import ConfigError, DataError

DEPTHS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
STRETCH_S: Final = 30.0
PAIR_S: Final = 14.0  # of a needle, a pause and a marker
NEEDLE_S, PAUSE_S, DB = 4.0, 3.0, -24.0
ROOM_DB: Final = -58.0
MOST_MINUTES: Final = 240.0
# Ambience that holds a sound which may be asked for.
BUSY: Final = ("alarm", "animals/", "rain/", "clock", "village", "water", "road", "train", "church", "wave", "sea")
LURES: Final = ("dog", "cat", "baby", "throat", "tone", "glass", "bang", "chime", "horn", "snore", "horse")
FILL: Final = ("air_conditioner", "home_background", "wind", "street_music")
KINDS: Final = {"before": "before the marker", "present": "was it there: yes", "absent": "was it there: no",
                "premise": "before what never was"}  # fmt: skip


def plan(
    rows: Sequence[Row],
    voices: Mapping[str, Spoken],
    minutes: float,
    streams: int,
    seed: int,
    depths: Sequence[float] = DEPTHS,
    split: str = "dev",
) -> list[Item]:
    """`streams` streams of `minutes`, each with a needle at every depth (share of the stream, in (0, 1)).

    Families of sounds are drawn for each stream: lures first, out of those that no ambience holds, then needles and
    markers, so that nothing in the stream may be taken for what is asked about.

    Raises:
        ConfigError: depths outside of (0, 1) or so close that two share 30 s; a length outside of what they need.
        DataError: too few families of sounds, no ambience and no speech to fill with.
    """
    count = round(minutes * 60 / STRETCH_S)
    if not 0 < minutes <= MOST_MINUTES or streams < 1:
        raise ConfigError(
            f"needle: expected up to {MOST_MINUTES:g} minutes and a stream, got {minutes:g} and {streams}"
        )
    places = [min(count - 1, int(d * count)) for d in depths]
    if not depths or min(depths) <= 0 or max(depths) >= 1 or len(set(places)) < len(places):
        raise ConfigError(
            f"needle: expected depths in (0, 1), each in {STRETCH_S:g} s of its own, got {list(depths)} in {minutes:g} "
            "min: fewer depths, or more minutes"
        )
    by_label = sounds_of(rows, split, seed)
    return [_stream(rows, by_label, voices, k, count, list(zip(depths, places, strict=True)), seed, split)
            for k in range(streams)]  # fmt: skip


def _stream(
    rows: Sequence[Row],
    by_label: Mapping[str, Sequence[Row]],
    voices: Mapping[str, Spoken],
    k: int,
    count: int,
    places: Sequence[tuple[float, int]],
    seed: int,
    split: str,
) -> Item:
    name = f"needle/{k:03d}"
    rng = draw(seed, name)
    lures, needles, markers = _cast(sorted(by_label), len(places), rng)
    fill = _fill(rows, split)
    pairs = {place: (depth, n, m) for (depth, place), n, m in zip(places, needles, markers, strict=True)}
    probes: list[Probe] = []
    made, told = [], []
    for j in range(count):
        parts = _filled(fill, rng) if j not in pairs else ()
        if j in pairs:
            depth, n, m = pairs[j]
            rows_of = [by_label[x][k % len(by_label[x])] for x in (n, m)]
            start = min(depth * count - j, 1 - PAIR_S / STRETCH_S) * STRETCH_S
            parts = (Part(rows_of[0].path, round(start, 2), 0.0, NEEDLE_S, DB),
                     Part(rows_of[1].path, PAUSE_S, 0.0, NEEDLE_S, DB))  # fmt: skip
            told.append({"stretch": j, "depth": depth, "needle": n, "marker": m, "respond": rows_of[0].respond})
            probes += _about(name, depth, n, m, rows_of[0].respond, voices)
        where = (f"{name}/{j}", "stretch", "", "no", name, item_seed(seed, f"{name}/{j}"))
        bed = fill["beds"][int(rng.integers(len(fill["beds"])))] if rng.random() < 0.5 else Bed("room", ROOM_DB)
        made.append(Item(*where, parts, bed, seconds=STRETCH_S))
    for depth, lure in zip((d for d, _ in places), lures, strict=True):
        probes += _never(name, depth, lure, voices)
    stretches = [stretch(item, probes if j == count - 1 else ()) for j, item in enumerate(made)]
    facts = {"stretches": stretches, "needles": told, "minutes": round(count * STRETCH_S / 60, 2)}
    return timed(Item(name, "needle", "", "yes", name, item_seed(seed, name), facts=facts))


def _cast(labels: Sequence[str], count: int, rng: np.random.Generator) -> tuple[list[str], list[str], list[str]]:
    """(lures, needles, markers): `count` labels each, no two of a family. DataError where there are too few."""
    order = [labels[int(x)] for x in rng.permutation(len(labels))]
    used: set[str] = set()

    def take(among: Sequence[str]) -> list[str]:
        found: list[str] = []
        for label in among:
            if len(found) < count and SOUNDS[label].family not in used:
                used.add(SOUNDS[label].family)
                found.append(label)
        if len(found) < count:
            raise DataError(
                f"needle: expected {3 * count} families of sounds (fewer depths need fewer), got "
                f"{len({SOUNDS[x].family for x in labels})}: {', '.join(labels)}"
            )
        return found

    lures = take([x for x in order if SOUNDS[x].family in LURES])
    return lures, take(order), take(order)


def _fill(rows: Sequence[Row], split: str) -> dict[str, Any]:
    """What a stream is filled with: beds of ambience, and recordings of talk, music and benign sounds."""
    mine = [r for r in rows if r.split == split]
    calm = [r for r in mine if r.kind == "ambience" and r.respond == "no" and not any(w in r.label for w in BUSY)]
    talk = [r.path for r in mine if r.kind == "speech" and r.dataset in SPEECH_GROUPS]
    music = [r.path for r in mine if r.kind == "music"]
    benign = [r.path for r in mine if r.kind == "event" and r.respond == "no" and r.label in FILL]
    if not talk and not music:
        raise DataError(f"needle: expected speech or music of split {split} to fill the stream with, got none")
    beds = [Bed("file", -48.0, r.path) for r in calm] or [Bed("room", ROOM_DB + 8)]
    return {"beds": beds, "kinds": [x for x in (talk, music, benign) if x]}


def _filled(fill: Mapping[str, Any], rng: np.random.Generator) -> tuple[Part, ...]:
    """None to two recordings in 30 s, 8 s at most each."""
    parts = []
    for _ in range(int(rng.integers(0, 3))):
        paths = fill["kinds"][int(rng.integers(len(fill["kinds"])))]
        gap, level = round(float(rng.uniform(1.0, 6.0)), 2), round(float(rng.uniform(-36.0, -26.0)), 1)
        parts.append(Part(str(paths[int(rng.integers(len(paths)))]), gap, 0.0, 8.0, level))
    return tuple(parts)


def _about(
    name: str, depth: float, needle: str, marker: str, respond: str, voices: Mapping[str, Spoken]
) -> list[Probe]:
    answers = (SOUNDS[needle].answers, needle, respond)
    before, there = question_before(marker), question_about(needle)
    return [
        Probe(f"{name}/before/{depth:g}", "before", depth, before, voices[before].path, "content", *answers),
        Probe(f"{name}/present/{depth:g}", "present", depth, there, voices[there].path, "yes", *answers),
    ]


def _never(name: str, depth: float, lure: str, voices: Mapping[str, Spoken]) -> list[Probe]:
    answers = (SOUNDS[lure].answers, lure)
    there, before = question_about(lure), question_before(lure)
    return [
        Probe(f"{name}/absent/{depth:g}", "absent", depth, there, voices[there].path, "no", *answers),
        Probe(f"{name}/premise/{depth:g}", "premise", depth, before, voices[before].path, "no", *answers),
    ]


def score(rows: Sequence[Instance], draws: int = 2000, seed: int = 0) -> dict[str, Any]:
    """System -> way of asking -> kind -> share right, by depth for the needles that were there.

    before: content of the reply (the rule of `bench tasks`). present, absent: yes and no; balanced = their mean
    (Brodersen et al. 2010), 0.5 for whoever always says the same. false_memory = share of "absent" questions that were
    affirmed, and premise: share of questions about what never was that were denied. unasked: decisions to respond in
    the stream outside of needles and markers, an hour.
    """
    items = list({r["id"]: r["item"] for r in rows}.values())
    systems = dict.fromkeys(r["system"] for r in rows)
    every = {
        s: {w: [a for r in rows if r["system"] == s for a in recalled(r, w)] for w in (SPOKEN, TYPED)} for s in systems
    }
    minutes = items[0]["facts"]["minutes"] if items else 0.0
    found: dict[str, Any] = {
        "minutes": minutes,
        "chance": {"before": chance(items, "before", seed, within=True)},
        "systems": {},
    }
    for system, ways in every.items():
        mine = [r for r in rows if r["system"] == system]
        heard = [r for r in mine if not r.get("error") and r["spans"]]
        body: dict[str, Any] = {"failed": sum(bool(r.get("error")) for r in mine), "streams": len(mine)}
        if any(r["sounds"] for r in heard):
            told = [x for r in heard for x in seen(r)]
            body["noticed"] = {f"{d:g}": round(float(np.mean([s for e, s in told if e == d])), 4) for d in dict(told)}
        if heard:
            body["unasked_hour"] = round(
                sum(unasked(r) for r in heard) / sum(seconds(r["samples"]) for r in heard) * 3600, 2
            )
        for way, many in ways.items():
            blank = every.get(NO_MEMORY, {}).get(way, []) if system != NO_MEMORY else []
            if many:
                body[way] = _way(many, blank, draws, seed)
        found["systems"][system] = body
    return found


def _way(many: Sequence[Recalled], blank: Sequence[Recalled], draws: int, seed: int) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for kind in KINDS:
        mine = [a for a in many if a.group == kind]
        body[kind] = {
            "probes": len(mine),
            "right": share(mine, "right", draws, seed),
            "answered": share(mine, "answered", draws, seed),
            "recognised": round(float(np.mean([a.recognised for a in mine])), 4) if mine else None,
        }
        if kind in ("before", "present"):
            depths = sorted({a.distance for a in mine})
            body[kind]["by_depth"] = {
                f"{d:g}": share([a for a in mine if a.distance == d], "right", draws, seed) for d in depths
            }
            sides = {"alerting": ("yes",), "other": ("no", "context")}
            for side, policies in sides.items():
                body[kind][side] = share([a for a in mine if a.respond in policies], "right", draws, seed)
        same = [a for a in blank if a.group == kind]
        if same:
            body[kind]["minus_no_memory"] = difference(mine, same, draws, seed)
    body["false_memory"] = share([a for a in many if a.group == "absent"], "affirmed", draws, seed)
    sides2 = [body[k]["right"][0] for k in ("present", "absent")]
    body["balanced"] = round(float(np.mean(sides2)), 4) if None not in sides2 else None
    return body


def _spans(row: Instance) -> dict[int, list[list[int]]]:
    """Stretch -> spans of its parts."""
    found, at = {}, 0
    for j, entry in enumerate(row["item"]["facts"]["stretches"]):
        count = len(entry["item"]["parts"])
        found[j] = row["spans"][at : at + count]
        at += count
    return found


def seen(row: Instance) -> list[tuple[float, bool]]:
    """(depth, perception told a sound that is the needle's) of each needle."""
    places = _spans(row)
    return [
        (n["depth"], noticed(row, places[n["stretch"]][0], names(n["needle"]))) for n in row["item"]["facts"]["needles"]
    ]


def unasked(row: Instance) -> int:
    """Decisions to respond outside of [onset, end + 3 s] of needles and markers."""
    places = _spans(row)
    near = [span for n in row["item"]["facts"]["needles"] for span in places[n["stretch"]]]
    times = [(k + 1) * row["chunk"] for k, letter in enumerate(row["decisions"]) if letter != "s"]
    return sum(not any(a <= t <= b + samples(3.0) for a, b in near) for t in times)
