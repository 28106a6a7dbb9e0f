"""Questions about a stream that leave no trace: each is asked in a fork of the stream, so that none helps another.

An item's facts hold `stretches` (items of their own, heard one behind the other) with `probes` behind each. A probe is
asked twice: by voice (`path`), and typed, where the system takes text: then what the recogniser made of the voice is
out of the figure. A system without a memory hears nothing but `QUIET_S` of the room in front of each question.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from benchmarks.compose import Bed, Item, Part, render
from benchmarks.hear import Shop, Tick, each, record
from benchmarks.instances import Row as Instance
from benchmarks.plan import item_seed
from benchmarks.stream.heard import spans
from benchmarks.systems import NO_MEMORY, Ask, Listener, OurListener, System
from soundflow import SAMPLE_RATE_HZ
from soundflow.events import Event, ReplyCancelled, ReplyDone
from soundflow.types import FloatArray

LEAD_S, TAIL_S, DB = 0.8, 4.8, -24.0
QUIET_S: Final = 2.0
TYPED_CHUNKS: Final = 20  # in which a typed question is answered: 12 tokens a chunk, and a reply has at most 96
ROOM: Final = Bed("room", -58.0)


@dataclass(frozen=True, slots=True)
class Probe:
    """`wanted`: "content" (one of `answers`), "yes" or "no". `source`: what the interval draws. `about`: label of what
    is asked for; `group` and `distance` say where the figure belongs."""

    name: str
    group: str
    distance: float
    text: str
    path: str
    wanted: str
    answers: tuple[str, ...] = ()
    about: str = ""
    respond: str = ""


def stretch(item: Item, probes: Sequence[Probe] = ()) -> dict[str, Any]:
    """One entry of `stretches`."""
    return {"item": item.to_dict(), "probes": [asdict(p) for p in probes]}


class _Fork(Protocol):
    """Asks in a copy of the stream at this moment."""

    def spoken(self, audio: FloatArray, tick: Tick) -> tuple[list[Event], int]:
        """(events behind the fork, sample of the stream at which `audio` began)."""

    def typed(self, text: str, tick: Tick) -> str | None:
        """The reply to typed words, "" where none came; None where nothing can be typed."""


class _OurFork:
    """Ours: state is saved, and put back after each question."""

    def __init__(self, listener: OurListener, at: int, quiet: FloatArray) -> None:
        self._listener, self._at, self._quiet = listener, at, quiet
        self._saved = listener.stream.snapshot()

    def spoken(self, audio: FloatArray, tick: Tick) -> tuple[list[Event], int]:
        events = pushed(self._listener, audio, self._listener.stream.row.model.chunk_samples, tick)
        self._back()
        return events, self._at

    def typed(self, text: str, tick: Tick) -> str | None:
        found = typed(self._listener, text, self._quiet, tick)
        self._back()
        return found

    def _back(self) -> None:
        row = self._listener.stream.row
        row.replies.stop(row.now)  # what is still being said does not go on behind the question
        self._listener.stream.restore(self._saved)


class _AnewFork:
    """Any other system: the stream so far, a few seconds of room or all of it, is heard again before each question."""

    def __init__(self, system: System, ask: Ask, before: Callable[[], Iterable[FloatArray]], types: bool) -> None:
        self._system, self._ask, self._before, self._types = system, ask, before, types

    def _open(self) -> tuple[Listener, int]:
        listener, at = self._system.open(self._ask), 0
        for piece in self._before():
            pushed(listener, piece, self._system.chunk)
            at += len(piece)
        return listener, at

    def spoken(self, audio: FloatArray, tick: Tick) -> tuple[list[Event], int]:
        listener, at = self._open()
        events = pushed(listener, audio, self._system.chunk, tick)
        return events + listener.close(), at

    def typed(self, text: str, tick: Tick) -> str | None:
        if not self._types:
            return None
        listener, _ = self._open()
        assert isinstance(listener, OurListener)
        return typed(listener, text, next(iter(self._before())), tick)


def typed(listener: OurListener, text: str, quiet: FloatArray, tick: Tick) -> str | None:
    """What is said to `text` while the room `quiet` goes on; "" for nothing, None where a reply was still open."""
    row = listener.stream.row
    chunk = row.model.chunk_samples
    pushed(listener, quiet[:chunk], chunk, tick)
    step = row.ask(text)
    if step is None:
        return None
    logits = row.model.lalm.step([step.perception.chunk], [step.inputs], row.lalm)[0]
    events, _ = row.finish(step, logits)
    for _ in range(TYPED_CHUNKS):
        found = [e.text for e in events if isinstance(e, ReplyDone | ReplyCancelled)]
        if found:
            return found[0]
        events = pushed(listener, quiet[:chunk], chunk, tick)
    return ""


def pushed(listener: Listener, audio: FloatArray, chunk: int, tick: Tick = lambda _: None) -> list[Event]:
    """Events of [n] samples, chunk by chunk; the stream stays open."""
    events: list[Event] = []
    for start in range(0, len(audio), chunk):
        events += listener.push(audio[start : start + chunk])
        tick(len(audio[start : start + chunk]) / SAMPLE_RATE_HZ)
    return events


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Instance]:
    """One row for each system of `names`: `probes` is what was said to each."""
    return each(item, names, shop.systems, lambda system: _row(item, system, shop, tick))


def _row(item: Item, system: System, shop: Shop, tick: Tick) -> Instance:
    began = time.perf_counter()
    ask, chunk = Ask(item.instruction, (), item.seed), system.chunk
    remembers = system.name != NO_MEMORY
    listener = system.open(ask)
    heard, at = list[Item](), 0
    events: list[Event] = []
    found: list[dict[str, Any]] = []
    places: list[list[int]] = []
    known: dict[str, dict[str, Any]] = {}  # without a memory the same question has the same answer
    for entry in item.facts["stretches"]:
        heard.append(part := Item.from_dict(entry["item"]))
        if remembers:
            audio = render(part, shop.clips, chunk).audio
            events += pushed(listener, audio, chunk, tick)
            places += [[at + a, at + b] for a, b in spans(part, shop.clips)]
            at += len(audio)
        if entry["probes"]:
            quiet = render(_room(item.seed), shop.clips, chunk).audio
            fork = _fork(listener, system, ask, at, quiet, heard, shop)
            for probe in (Probe(**raw) for raw in entry["probes"]):
                got = known.get(probe.text) or _probed(probe, fork, item.seed, shop, chunk, tick)
                found.append({"name": probe.name} | got)
                if not remembers:
                    known[probe.text] = got
    events += listener.close()
    facts = {"id": item.id, "system": system.name, "item": item.to_dict(), "chunk": chunk, "samples": at}
    body = record(events)
    kept = {k: body[k] for k in ("decisions", "replies", "actions", "cancelled", "transcripts", "sounds", "errors")}
    wall = {"wall_s": round(time.perf_counter() - began, 3)}
    return facts | {"spans": places, "probes": found} | wall | kept


def _fork(
    listener: Listener, system: System, ask: Ask, at: int, quiet: FloatArray, heard: Sequence[Item], shop: Shop
) -> _Fork:
    if system.name == NO_MEMORY:
        return _AnewFork(system, ask, lambda: (quiet,), types=isinstance(listener, OurListener))
    if isinstance(listener, OurListener):
        return _OurFork(listener, at, quiet)
    so_far = tuple(heard)
    return _AnewFork(system, ask, lambda: (render(i, shop.clips, system.chunk).audio for i in so_far), types=False)


def _probed(probe: Probe, fork: _Fork, seed: int, shop: Shop, chunk: int, tick: Tick) -> dict[str, Any]:
    """What was said to one probe; times and chunks count from the fork."""
    item = asking(probe, seed)
    events, at = fork.spoken(render(item, shop.clips, chunk).audio, tick)
    body = record(events)
    spoken = {k: body[k] for k in ("decisions", "replies", "actions", "cancelled", "transcripts")}
    for name in ("replies", "actions", "cancelled", "transcripts"):
        spoken[name] = [x | {"t": round(x["t"] - at / SAMPLE_RATE_HZ, 4)} for x in spoken[name]]
    span = spans(item, shop.clips)[0]
    return {"span": span, "chunk": chunk} | spoken | {"typed": fork.typed(probe.text, tick)}


def _room(seed: int) -> Item:
    """`QUIET_S` of the room that questions are asked in."""
    return Item("room", "room", "", "no", "room", seed, bed=ROOM, seconds=QUIET_S)


def asking(probe: Probe, seed: int) -> Item:
    """The audio of a question: `LEAD_S` of room, the voice, and the time for its answer."""
    where = (probe.name, probe.group, probe.wanted, "yes", probe.name, item_seed(seed, probe.text))
    return Item(*where, (Part(probe.path, LEAD_S, 0.0, 15.0, DB),), ROOM, TAIL_S)


def seconds_of(item: Item) -> float:
    """Audio that a stream with forks hears, for the ETA."""
    total = 0.0
    for entry in item.facts["stretches"]:
        part: Mapping[str, Any] = entry["item"]
        total += part["seconds"] or sum(p["gap_s"] + min(p["most_s"], 4.0) for p in part["parts"]) + part["tail_s"]
        total += len(entry["probes"]) * (LEAD_S + TAIL_S + 4.0)
    return total


def noticed(row: Instance, place: Sequence[int], names: Callable[[str], bool]) -> bool:
    """Whether perception told a sound that `names` accepts within the samples `place` and a second behind them."""
    first, last = place[0] / SAMPLE_RATE_HZ - 0.5, place[1] / SAMPLE_RATE_HZ + 1.0
    return any(names(s["label"]) and first <= s["onset"] <= last for s in row["sounds"])
