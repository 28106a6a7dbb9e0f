"""What a build holds, counted in one pass over the JSON of its shards; audio is not decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from data_builder.schema import CHUNK
from data_builder.shards import parse_meta, read_metas, shard_paths
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

MAX_NAMES: Final = 200_000
"""Names that a counter keeps; the rest is counted under `OTHER`."""
OTHER: Final = "(others)"
SYNTHETIC: Final = "tts:"


def metas(folder: Path) -> Iterator[dict[str, Any]]:
    """JSON of each sample of a build, in order of the shards."""
    for path in shard_paths(folder):
        yield from read_metas(path)


def build_index(folder: Path) -> dict[str, Any]:
    """index.json of a finished build. Raises DataError where there is none or it lists no shards."""
    path = folder / "index.json"
    if not path.is_file():
        raise DataError(f"expected a finished build in {folder}, got no index.json")
    index = parse_meta(path.read_bytes(), str(path))
    if not isinstance(index.get("shards"), list):
        raise DataError("key 'shards': expected a list, got none", str(path))
    return index


@dataclass(slots=True)
class Histogram:
    """Counts in `bins` equal steps from `low`; what lies outside is counted in `below` and `above`."""

    low: float
    step: float
    bins: int
    unit: str = "s"
    counts: list[int] = field(default_factory=list)
    below: int = 0
    above: int = 0
    number: int = 0
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * self.bins

    def add(self, value: float) -> None:
        at = int((value - self.low) // self.step)
        if at < 0:
            self.below += 1
        elif at >= self.bins:
            self.above += 1
        else:
            self.counts[at] += 1
        self.number += 1
        self.total += value

    @property
    def mean(self) -> float:
        return self.total / self.number if self.number else 0.0

    def quantile(self, share: float) -> float:
        """Middle of the bin in which `share` of the values is reached; the edge where that is outside the bins."""
        need, reached = share * self.number, float(self.below)
        if reached >= need and self.below:
            return self.low
        for k, count in enumerate(self.counts):
            reached += count
            if count and reached >= need:
                return self.low + (k + 0.5) * self.step
        return self.low + self.bins * self.step

    def to_dict(self) -> dict[str, Any]:
        body = {"unit": self.unit, "low": self.low, "step": self.step, "counts": self.counts, "below": self.below}
        body |= {"above": self.above, "number": self.number, "mean": round(self.mean, 4)}
        return body | {f"p{p}": round(self.quantile(p / 100), 4) for p in (5, 50, 95)}


@dataclass(slots=True)
class Tally:
    """Counts of one sub-task, ability, split or of all. `silent`: streams without a response."""

    ability: str = ""
    dialogues: int = 0
    samples: int = 0
    silent: int = 0
    speak: int = 0
    act: int = 0
    chunks: int = 0
    due: int = 0

    def add(self, meta: dict[str, Any]) -> None:
        kinds = [r["kind"] for r in meta["responses"]]
        self.dialogues += 1
        self.samples += meta["samples"]
        self.silent += not kinds
        self.speak += kinds.count("speak")
        self.act += kinds.count("act")
        self.chunks += meta["samples"] // meta.get("chunk", CHUNK)
        self.due += len({r["due_chunk"] for r in meta["responses"]})

    @property
    def seconds(self) -> float:
        return self.samples / SR

    @property
    def hours(self) -> float:
        return self.seconds / 3600

    def to_dict(self) -> dict[str, Any]:
        body: dict[str, Any] = {"ability": self.ability} if self.ability else {}
        body |= {"dialogues": self.dialogues, "seconds": round(self.seconds, 3), "hours": round(self.hours, 4)}
        body |= {"mean_seconds": round(self.seconds / max(1, self.dialogues), 3), "silent": self.silent}
        body |= {"silent_share": round(self.silent / max(1, self.dialogues), 4)}
        decisions = {"silent": self.chunks - self.due, "speak": self.speak, "act": self.act}
        return body | {"speak": self.speak, "act": self.act, "chunks": self.chunks, "decisions": decisions}


@dataclass(slots=True)
class Speaker:
    """What one voice says; `made` where it is synthetic."""

    utterances: int = 0
    samples: int = 0
    made: bool = False


@dataclass(slots=True)
class Stats:
    """Everything that is counted. Memory grows with the names (speakers, labels, ...), never with the streams.

    `gaps`: from the end of all items before to the onset of the next one; below zero they overlap. `delays`: start of
    the chunk in which a response is due minus end of its evidence; the decision itself falls at the end of that chunk.
    """

    total: Tally = field(default_factory=Tally)
    subtasks: dict[str, Tally] = field(default_factory=dict)
    abilities: dict[str, Tally] = field(default_factory=dict)
    splits: dict[str, Tally] = field(default_factory=dict)
    lengths: Histogram = field(default_factory=lambda: Histogram(0.0, 2.0, 32))
    gaps: Histogram = field(default_factory=lambda: Histogram(-5.0, 0.25, 100))
    delays: Histogram = field(default_factory=lambda: Histogram(-0.5, 0.05, 60))
    speakers: dict[str, Speaker] = field(default_factory=dict)
    speech: Counter[str] = field(default_factory=Counter)  # samples: real, synthetic
    roles: Counter[str] = field(default_factory=Counter)  # samples, as are languages and licences
    languages: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    licensed: Counter[str] = field(default_factory=Counter)  # streams by licence, backgrounds included
    shortest: float = 0.0
    longest: float = 0.0
    events: dict[str, list[int]] = field(default_factory=dict)  # label: [answered, left alone]
    clocks: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    tools: Counter[str] = field(default_factory=Counter)
    mixes: Counter[str] = field(default_factory=Counter)  # streams by bed, room, channel, kinds of gap
    instructed: int = 0

    def add(self, meta: dict[str, Any]) -> None:
        """Count one sample. Raises DataError where a key that is needed is missing."""
        try:
            self._add(meta)
        except (KeyError, TypeError, ValueError) as err:
            raise DataError(f"expected a sample of schema 2: {err!r}", str(meta.get("id", ""))) from err

    def _add(self, meta: dict[str, Any]) -> None:
        self.total.add(meta)
        ability = meta.get("ability") or "(none)"
        self.subtasks.setdefault(meta["subtask"], Tally(ability)).add(meta)
        self.abilities.setdefault(ability, Tally()).add(meta)
        self.splits.setdefault(meta["split"], Tally()).add(meta)
        length = meta["samples"] / SR
        self.lengths.add(length)
        self.shortest = min(self.shortest or length, length)
        self.longest = max(self.longest, length)
        for name in meta["licences"]:
            _count(self.licensed, name, 1)
        self.instructed += bool(meta["instruction"])
        self.tools[meta["tools"] or "(none)"] += 1
        scenario, mix = meta.get("scenario") or {}, meta.get("mix") or {}
        _count(self.places, str(scenario.get("place") or "(not planned)"), 1)
        for fact in sorted(_mixed(mix)):
            _count(self.mixes, fact, 1)
        answered = {r["trigger"] for r in meta["responses"]}
        for event in meta["events"]:
            _count(self.licences, event["licence"], event["offset"] - event["onset"])
            if event["label"] in self.events or len(self.events) < MAX_NAMES:
                self.events.setdefault(event["label"], [0, 0])[event["id"] not in answered] += 1
        for speech in meta["speech"]:
            self._speech(speech)
        for r in meta["responses"]:
            self.clocks[r["clock"]] += 1
            self.delays.add((r["due_chunk"] * meta.get("chunk", CHUNK) - r["evidence_end"]) / SR)
        end: int | None = None
        for item in sorted((*meta["events"], *meta["speech"]), key=lambda i: int(i["onset"])):
            if end is not None:
                self.gaps.add((item["onset"] - end) / SR)
            end = max(end or 0, item["offset"])

    def _speech(self, speech: dict[str, Any]) -> None:
        length, made = speech["offset"] - speech["onset"], speech["source"].startswith(SYNTHETIC)
        _count(self.licences, speech["licence"], length)
        self.speech["synthetic" if made else "real"] += length
        _count(self.roles, speech.get("role", "user"), length)
        _count(self.languages, speech.get("language", "en"), length)
        name = speech["speaker"] or "(unknown)"
        if name not in self.speakers and len(self.speakers) >= MAX_NAMES:
            name = OTHER
        who = self.speakers.setdefault(name, Speaker(made=made))
        who.utterances += 1
        who.samples += length

    @property
    def real_share(self) -> float:
        """Share of real recordings in the time of speech; 0 where there is none."""
        return self.speech["real"] / max(1, self.speech["real"] + self.speech["synthetic"])

    def to_dict(self) -> dict[str, Any]:
        """For JSON; durations in seconds, every mapping in order of its keys."""

        def seconds(counter: Counter[str]) -> dict[str, float]:
            return {k: round(v / SR, 3) for k, v in sorted(counter.items())}

        def tallies(found: dict[str, Tally]) -> dict[str, Any]:
            return {k: v.to_dict() for k, v in sorted(found.items())}

        who = {
            name: {"utterances": s.utterances, "seconds": round(s.samples / SR, 3), "synthetic": s.made}
            for name, s in sorted(self.speakers.items())
        }
        return {
            **self.total.to_dict(),
            "subtasks": tallies(self.subtasks),
            "abilities": tallies(self.abilities),
            "splits": tallies(self.splits),
            "instructed": self.instructed,
            "lengths": {**self.lengths.to_dict(), "least": self.shortest, "most": self.longest},
            "gaps": self.gaps.to_dict(),
            "delays": self.delays.to_dict(),
            "speakers": {"number": len(who), "by_name": who},
            "speech_seconds": {k: round(self.speech[k] / SR, 3) for k in ("real", "synthetic")},
            "real_speech_share": round(self.real_share, 4),
            "roles_seconds": seconds(self.roles),
            "languages_seconds": seconds(self.languages),
            "licences_seconds": seconds(self.licences),
            "licences_dialogues": dict(sorted(self.licensed.items())),
            "events": {k: {"answered": a, "left_alone": b} for k, (a, b) in sorted(self.events.items())},
            "clocks": dict(sorted(self.clocks.items())),
            "places": dict(sorted(self.places.items())),
            "tools": dict(sorted(self.tools.items())),
            "mixes": dict(sorted(self.mixes.items())),
        }


def _mixed(mix: dict[str, Any]) -> set[str]:
    """What was done to a stream: its kind of bed, whether there is a room, its channel, its kinds of gap."""
    bed = str(mix.get("bed") or "none")
    kind = bed if bed in ("none", "zero", "room_tone") else "noise" if bed.startswith("noise:") else "recording"
    found = {f"bed: {kind}"} | {f"gap: {g.get('kind')}" for g in mix.get("gaps") or []}
    if "rt60_s" in mix:
        found.add("room")
    if isinstance(channel := mix.get("channel"), dict):
        found.add(f"channel: {channel.get('kind') or 'drawn'}")
    return found


def _count(counter: Counter[str], name: str, number: int) -> None:
    counter[name if name in counter or len(counter) < MAX_NAMES else OTHER] += number


def collect(samples: Iterable[dict[str, Any]]) -> Stats:
    """Statistics of samples in their JSON form."""
    stats = Stats()
    for meta in samples:
        stats.add(meta)
    return stats


def of_folders(*folders: Path) -> Stats:
    """Statistics of one build, or of several (a corpus with its splits) together."""
    return collect(meta for folder in folders for meta in metas(folder))


def table(stats: Stats) -> list[str]:
    """Lines to print: what there is in all, then a line a sub-task."""
    t = stats.total
    lines = [
        f"{t.hours:.2f} hours, {t.dialogues} dialogues, {t.silent / max(1, t.dialogues):.1%} without a response",
        f"{t.speak} spoken responses, {t.act} acts in {t.chunks} chunks; {len(stats.speakers)} speakers,"
        f" {stats.real_share:.1%} of the speech is real",
        f"{'sub-task':28} {'ability':28} {'dialogues':>9} {'hours':>7} {'silent':>7} {'speak':>6} {'act':>6}",
    ]
    for name, tally in sorted(stats.subtasks.items(), key=lambda i: (i[1].ability, i[0])):
        share = tally.silent / max(1, tally.dialogues)
        lines.append(
            f"{name:28} {tally.ability:28} {tally.dialogues:9d} {tally.hours:7.2f} {share:7.1%} {tally.speak:6d}"
            f" {tally.act:6d}"
        )
    return lines
