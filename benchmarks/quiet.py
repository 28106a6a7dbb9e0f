"""False alarms an hour on composed dev audio in which nothing is to be said, and words invented where nobody speaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.compose import Bed, Item, Part
from benchmarks.corpus import Row
from benchmarks.gate import Gate
from benchmarks.instances import Row as Instance
from benchmarks.instances import turns_closed
from benchmarks.plan import SPEECH_GROUPS, beds, draw, item_seed
from benchmarks.proactive import outcomes as event_outcomes
from benchmarks.systems import OURS
from soundflow.errors import DataError
from soundflow.scoring import Interval, rate_interval, recalls, refired

STREAM_S = 60.0
SHARES = {"ambience": 0.34, "music": 0.17, "side talk": 0.33, "room tone": 0.12, "digital silence": 0.04}
TELEVISION = "television"
TELEVISION_SHARE = 0.2  # of the minutes, on top of them
WORDLESS = ("ambience", "music", "room tone", "digital silence")
CONTEXT = ("thunderstorm", "thunder")
READ = tuple(name for name, kind in SPEECH_GROUPS.items() if kind == "read speech")
THRESHOLDS = tuple(round(float(x), 4) for x in 1 / (1 + np.exp(-np.linspace(-5, 9, 71))))


def plan(rows: Sequence[Row], minutes: float, seed: int, split: str = "dev") -> list[Item]:
    """One-minute streams of a split in the proportions of SHARES; no alerting class is in them.

    Every recording of a group is used before one comes again. On top, one stream in five of television-like talk (read
    speech and jingles through a small speaker in a room, `benchmarks.compose.television`), and one in thirty of
    thunder: "context". So an hour lasts 72 minutes, of which 60 are those of runs without television.
    """
    count = max(6, round(minutes * 60 / STREAM_S))
    counts = {g: max(1, round(count * s)) for g, s in SHARES.items()}
    counts["side talk"] = max(1, count - sum(n for g, n in counts.items() if g != "side talk"))
    counts[TELEVISION] = max(1, round(count * TELEVISION_SHARE))
    counts["context"] = max(1, round(count / 30))
    dev = [r for r in rows if r.split == split]
    lying = beds(rows, split)
    pools = {
        "ambience": _by(lambda r: r.label, lying),
        "music": _by(lambda r: r.label, [r for r in dev if r.kind == "music"]),
        "side talk": _by(_talker, [r for r in dev if r.dataset in SPEECH_GROUPS]),
        TELEVISION: _by(lambda r: r.speaker or r.dataset, [r for r in dev if r.dataset in READ]),
        "context": _by(lambda r: r.label, [r for r in dev if r.label in CONTEXT]),
        "room tone": {},
        "digital silence": {},
    }
    found: list[Item] = []
    for group, number in counts.items():
        pool = pools[group]
        if not pool and group in ("ambience", "music", "side talk", TELEVISION):
            raise DataError(f"expected {split} rows of {group} for quiet streams, got none")
        if not pool and group == "context":
            continue
        if group == TELEVISION:
            found += _broadcasts(number, pool, pools["music"], seed)
            continue
        found += _streams(group, number, pool, lying, seed)
    return found


def _streams(group: str, number: int, pool: dict[str, list[Row]], lying: list[Row], seed: int) -> list[Item]:
    names = sorted(pool)
    draw(seed, "order", group).shuffle(names)
    used = dict.fromkeys(names, 0)
    found = []
    for k in range(number):
        name = f"quiet/{group}/{k:03d}"
        rng, fields = draw(seed, name), (name, group, group, "context" if group == "context" else "no")
        if group in ("room tone", "digital silence"):
            bed = Bed("room", round(float(rng.uniform(-70, -40)), 1)) if group == "room tone" else Bed("zero")
            found.append(Item(*fields, name, item_seed(seed, name), (), bed, 0.0, STREAM_S))
            continue
        who = names[k % len(names)]
        if group == "ambience":
            bed = Bed("file", round(float(rng.uniform(-45, -20)), 1), pool[who][0].path)
            found.append(Item(*fields, pool[who][0].path, item_seed(seed, name), (), bed, 0.0, STREAM_S))
            continue
        parts, source = _string(pool[who], used, who, rng, group), who
        bed = Bed("room", -62.0)
        if group == "side talk" and rng.random() < 0.3:
            bed = Bed("file", -45.0, lying[int(rng.integers(len(lying)))].path)
        if group == "side talk" and not who.startswith("an4"):
            source = name  # many speakers, or one reader's different chapters
        found.append(Item(*fields, source, item_seed(seed, name), parts, bed, 0.0, STREAM_S))
    return found


def _broadcasts(number: int, readers: dict[str, list[Row]], music: dict[str, list[Row]], seed: int) -> list[Item]:
    """Two readers in turn with short gaps, and a jingle of at most 4 s now and then; soft, as from across the room."""
    names, tunes = sorted(readers), [row for name in sorted(music) for row in music[name]]
    used = dict.fromkeys(names, 0)
    found = []
    for k in range(number):
        name = f"quiet/{TELEVISION}/{k:03d}"
        rng = draw(seed, name)
        pair = [names[(k + j) % len(names)] for j in (0, 1)]
        level = round(float(rng.uniform(-36, -24)), 1)
        parts: list[Part] = []
        at = 0.0
        while at < STREAM_S - 2.0:
            jingle = rng.random() < 0.15 and bool(parts)
            who = pair[len(parts) % 2]
            row = tunes[int(rng.integers(len(tunes)))] if jingle else readers[who][used[who] % len(readers[who])]
            used[who] += not jingle
            gap = round(float(rng.uniform(0.2, 1.2)), 2)
            most = round(min(4.0 if jingle else 15.0, STREAM_S - at - gap), 2)
            if most < 0.5:
                break
            parts.append(Part(row.path, gap, 0.0, most, level, TELEVISION))
            at += gap + min(row.seconds, most)
        fields = (name, TELEVISION, TELEVISION, "no", name, item_seed(seed, name))
        found.append(Item(*fields, tuple(parts), Bed("room", -62.0), 0.0, STREAM_S))
    return found


def _string(rows: list[Row], used: dict[str, int], who: str, rng: np.random.Generator, group: str) -> tuple[Part, ...]:
    """Recordings one behind the other with gaps until the stream is full, going on where the last stream ended."""
    parts: list[Part] = []
    gaps, at = ((1.5, 5.0) if group != "side talk" else (0.4, 2.5)), 1.0
    level = round(float(rng.uniform(-34, -20)), 1)
    while at < STREAM_S - 2.0:
        row = rows[used[who] % len(rows)]
        used[who] += 1
        gap = round(float(rng.uniform(*gaps)), 2)
        most = round(min(15.0, STREAM_S - at - gap), 2)
        if most < 0.5:
            break
        parts.append(Part(row.path, gap + (1.0 if not parts else 0.0), 0.0, most, level))
        at += gap + min(row.seconds, most)
    return tuple(parts)


def _talker(row: Row) -> str:
    """AN4 by speaker; single words and read speech by data set."""
    return f"an4/{row.speaker}" if row.dataset == "an4_test" else row.dataset


def _by(name: Callable[[Row], str], rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda r: r.path):
        found.setdefault(name(row), []).append(row)
    return found


def alarms(row: Instance) -> int:
    """Decisions to speak or act in a stream that wants none; a failed stream counts as always alarming (one a hold)."""
    if row.get("error"):
        return int(row["item"]["seconds"] / 1.6)
    return sum(letter != "s" for letter in row["decisions"])


def alarms_at(row: Instance, threshold: float, answer: float = 0.0) -> int:
    """Alarms if p(speak) + p(act) had fired at `threshold`, with the same hold and cool-down, replayed.

    An approximation: what would have been said then is not in the context of what was heard after it.

    Args:
        answer: log-odds by which the threshold is higher where somebody has just finished speaking.
    """
    if row.get("error"):
        return alarms(row)
    gate = Gate(threshold)
    topics = row["topics"] or [""] * len(row["p_speak"])
    likes = row.get("likes") or ["0"] * len(topics)
    closed = turns_closed(row)
    chunks = enumerate(zip(row["p_speak"], row["p_act"], topics, likes, strict=False))
    return sum(
        gate.answers(k, s + a, answer) if k in closed else gate.fires(k, (k + 1) * row["chunk"], s + a, topic, like)
        for k, (s, a, topic, like) in chunks
    )


def rate(rows: Sequence[Instance], count: Callable[[Instance], float] = alarms, draws: int = 2000) -> Interval:
    """`count` an hour of audio: events / hours, 95 % percentile bootstrap over sources (Efron 1979; rule of three)."""
    events: dict[str, float] = {}
    hours: dict[str, float] = {}
    for row in rows:
        source = row["item"]["source"]
        events[source] = events.get(source, 0) + count(row)
        hours[source] = hours.get(source, 0) + row["item"]["seconds"] / 3600
    return rate_interval([int(events[s]) for s in events], [hours[s] for s in events], draws)


def invented(row: Instance) -> int:
    """Words of final transcripts, for streams in which nobody speaks."""
    return sum(len(t["text"].split()) for t in row.get("transcripts", ()))


def score(rows: Sequence[Instance], proactive: Sequence[Instance] = (), answer: float = 0.0) -> dict[str, Any]:
    """Figures by system: false alarms an hour in all and by group, context apart, words invented, the curve.

    Args:
        answer: of ours, as in `alarms_at`.
    """
    figures: dict[str, Any] = {}
    for system in sorted({r["system"] for r in rows}):
        mine = [r for r in rows if r["system"] == system]
        quiet = [r for r in mine if r["item"]["group"] != "context"]
        wordless = [r for r in quiet if r["item"]["group"] in WORDLESS]
        body: dict[str, Any] = {
            "hours": round(sum(r["item"]["seconds"] for r in quiet) / 3600, 3),
            "sources": len({r["item"]["source"] for r in quiet}),
            "failed": sum(bool(r.get("error")) for r in quiet),
            "alarms": sum(alarms(r) for r in quiet),
            "false_alarms_hour": show(rate(quiet)),
            "by_group": {
                g: show(rate([r for r in mine if r["item"]["group"] == g]))
                for g in dict.fromkeys(r["item"]["group"] for r in mine)
            },
            "invented_words": sum(invented(r) for r in wordless),
            "invented_words_hour": show(rate(wordless, invented)),
            "invented": [t["text"] for r in wordless for t in r.get("transcripts", ())][:20],
        }
        events = [r for r in proactive if r["system"] == system]
        if system not in ("always-silent", "always-respond", "random"):
            body["curve"] = curve(quiet, events, answer if system.startswith(OURS) else 0.0)
        figures[system] = body
    return figures


def curve(quiet: Sequence[Instance], events: Sequence[Instance], answer: float = 0.0) -> list[dict[str, float | None]]:
    """(threshold, false alarms an hour, respond-recall) for each threshold of THRESHOLDS; `answer` as in `alarms_at`.

    The detection-error trade-off of keyword spotting and sound event detection (Fiscus et al. 2007, NIST STD 2006):
    recall against false alarms an hour.
    """
    hours = sum(r["item"]["seconds"] for r in quiet) / 3600
    found = event_outcomes([r for r in events if r["item"]["respond"] == "yes"])
    points: list[dict[str, float | None]] = []
    for threshold in THRESHOLDS:
        rate_ = sum(alarms_at(r, threshold, answer) for r in quiet) / max(hours, 1e-9)
        recall = recalls(refired(found, threshold))[0] if found else None
        points.append({"threshold": threshold, "false_alarms_hour": round(rate_, 3), "recall": recall})
    return points


def show(interval: Interval) -> list[float]:
    """[value, low, high], rounded."""
    return [round(float(x), 4) for x in (interval.value, interval.low, interval.high)]
