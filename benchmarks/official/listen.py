"""Clips of a published test set as streams, what a system did on each, and its predictions in the official form."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import soundfile

from benchmarks.compose import Bed, Item, Part, render
from benchmarks.hear import Shop, Tick, drive, each, record
from benchmarks.instances import Row
from benchmarks.official.audio import LONGEST_S, AnyClips
from benchmarks.official.formats import Sample, raw_reply
from benchmarks.official.marks import Verdict
from benchmarks.plan import LEAD_S, TAIL_S, item_seed
from benchmarks.systems import Ask, System
from soundflow.clock import chunk_of

BED_DB: Final = -60.0
UNKNOWN_S: Final = 5.0  # for the ETA, of a clip that cannot be opened


def single(samples: Sequence[Sample], folder: Path, seed: int) -> list[Item]:
    """A stream of its own for each clip: 4 s of room tone at -60 dBFS RMS which goes on through it, the clip whole and
    at its own level (10 ms fades), 3.2 s of tail.

    A clip that is not there is planned too: hearing it is an error row, which counts as wrong.
    """
    return [_item(s, folder / s.path, seed) for s in samples]


def _item(sample: Sample, file: Path, seed: int) -> Item:
    length = length_s(file)
    part = Part(sample.path, LEAD_S, 0.0, min(length + 1.0, LONGEST_S), None)
    facts = {"tier": "single", "clips": [clip_facts(sample)]}
    whole = round(LEAD_S + length + TAIL_S, 3)
    side = "yes" if sample.respond else "no"
    bed, seeded = Bed("room", BED_DB), item_seed(seed, sample.id)
    return Item(sample.id, sample.macro, sample.meso, side, sample.id, seeded, (part,), bed, TAIL_S, whole, facts=facts)


def length_s(file: Path) -> float:
    """Seconds of an audio file by its header; 5 where it cannot be opened."""
    try:
        return float(soundfile.info(file).duration)
    except (soundfile.LibsndfileError, OSError):
        return UNKNOWN_S


def clip_facts(sample: Sample, onset: int | None = None, offset: int | None = None) -> dict[str, Any]:
    """What scoring has to know of a clip; `onset` and `offset` in samples of its stream, where it is in one."""
    names = {"id": sample.id, "decision": sample.decision, "macro": sample.macro, "meso": sample.meso}
    return names | ({} if onset is None else {"onset": onset, "offset": offset})


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Row]:
    """A row for each system: decisions and replies of the stream, and where its clips lie."""
    return each(item, names, shop.systems, lambda system: _row(item, system, shop, tick))


def _row(item: Item, system: System, shop: Shop, tick: Tick) -> Row:
    began = time.perf_counter()
    clips = shop.kept.setdefault("official", AnyClips(shop.setup.audio, 4))
    rendered = render(item, clips, system.chunk)
    listener = system.open(Ask(item.instruction, shop.tools(item.tools), item.seed))
    events = drive(listener, rendered.audio, system.chunk, tick)
    spans = [dict(c) for c in item.facts["clips"]]
    if item.facts["tier"] == "single":
        spans[0] |= {"onset": rendered.onset, "offset": rendered.offset}
    facts = {"id": item.id, "system": system.name, "item": item.to_dict(), "chunk": system.chunk}
    facts |= {"samples": len(rendered.audio), "clips": spans, "wall_s": round(time.perf_counter() - began, 3)}
    return facts | record(events)


def verdicts(row: Row) -> list[Verdict]:
    """One for each clip of the row's stream; of a failed row, and of a clip that the stream has not, wrong ones.

    RESPOND where a decision to speak or act falls into a chunk from that of the clip's onset to the one before the
    next clip's, or to the end of the stream. The truth has no part in it.
    """
    told = row["item"]["facts"]["clips"]
    if row.get("error"):
        return [Verdict.of(c, "", "failed", f"Error: {row['error']}") for c in told]
    return _told(row)


def _told(row: Row) -> list[Verdict]:
    here = [c for c in row["clips"] if c.get("onset") is not None]
    said, size = replies(row), row["chunk"]
    found = []
    for clip in row["clips"]:
        if clip.get("onset") is None:
            found.append(Verdict.of(clip, "", "failed", "Error: the clip is not there"))
            continue
        later = [c["onset"] for c in here if c["onset"] > clip["onset"]]
        first = chunk_of(clip["onset"], size)
        last = chunk_of(min(later), size) if later else len(row["decisions"])
        fired = [k for k in range(first, last) if row["decisions"][k] != "s"]
        words = next((said[k] for k in fired if said.get(k)), "")
        odds = [a + b for a, b in zip(row["p_speak"], row["p_act"], strict=True)][first:last]
        raw = raw_reply(bool(fired), words)
        score = max(odds, default=0.0)
        found.append(Verdict.of(clip, "RESPOND" if fired else "IGNORE", "", raw, round(score, 4)))
    return found


def replies(row: Row) -> dict[int, str]:
    """Chunk of a decision to speak -> what was said (also what was broken off); of one to act, the call's name."""
    ended = sorted([*row["replies"], *row["cancelled"]], key=lambda r: float(r["t"]))
    texts, calls = iter([str(r["text"]) for r in ended]), iter([str(a["name"]) for a in row["actions"]])
    found: dict[int, str] = {}
    for k, letter in enumerate(row["decisions"]):
        if letter != "s":
            found[k] = next(texts if letter == "S" else calls, "")
    return found


def early(row: Row) -> bool:
    """Whether something was said before the first clip began."""
    starts = [c["onset"] for c in row.get("clips", ()) if c.get("onset") is not None]
    if row.get("error") or not starts:
        return False
    return any(letter != "s" for letter in row["decisions"][: chunk_of(min(starts), row["chunk"])])


def official_rows(found: Sequence[Verdict]) -> list[Mapping[str, str]]:
    """Lines of predictions.jsonl, in the order of the clips. A clip that failed has "Error: ..." as its reply."""
    return [{"id": v.id, "_raw_reply": v.raw} for v in found]
