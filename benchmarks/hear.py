"""Runs items through systems: renders the audio, pushes it chunk by chunk, and writes down what came out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from benchmarks.compose import Item, render
from benchmarks.corpus import Clips
from benchmarks.instances import Row
from benchmarks.systems import Ask, Listener, Setup, System, make
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import SoundflowError
from soundflow.events import Event
from soundflow.respond.tools import load_tools
from soundflow.types import FloatArray, Tool

Tick = Callable[[float], None]


class Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


class Shop:
    """What a worker keeps between items: clips, systems (made when first used), tool files."""

    def __init__(self, setup: Setup, systems: Sequence[System] | None = None) -> None:
        self.setup, self.clips = setup, Clips(setup.audio)
        self._systems = systems
        self.kept: dict[str, Any] = {}  # what a runner loads once
        self._tools: dict[str, tuple[Tool, ...]] = {}

    @property
    def systems(self) -> Sequence[System]:
        if self._systems is None:
            self._systems = make(self.setup)
        return self._systems

    def tools(self, path: str) -> tuple[Tool, ...]:
        if path and path not in self._tools:
            self._tools[path] = load_tools(Path(path))
        return self._tools.get(path, ())


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Row]:
    """One row for each system of `names`."""
    return each(item, names, shop.systems, lambda system: _row(item, system, shop, tick))


def each(item: Item, names: Sequence[str], systems: Sequence[N], make: Callable[[N], Row]) -> list[Row]:
    """What `make` gives for each of `systems` that `names` has."""
    return [attempt(item, s.name, partial(make, s)) for s in systems if s.name in names]


def attempt(item: Item, system: str, make: Callable[[], Row]) -> Row:
    """What `make` gives, or the row of whatever went wrong: one item must not end a run of hours."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - the row says what it was, and scoring counts it as wrong
        code = error.code if isinstance(error, SoundflowError) else type(error).__name__
        return failed(item, system, f"{code}: {error}")


def timed(item: Item, system: str, make: Callable[[], Mapping[str, Any]]) -> Row:
    """The row that has what `make` gives, and how long it took."""
    began = time.perf_counter()
    body = make()
    wall = round(time.perf_counter() - began, 3)
    return {"id": item.id, "system": system, "item": item.to_dict(), "wall_s": wall, **body}


def failed(item: Item, system: str, message: str) -> Row:
    """The row of an item that a system did not finish."""
    return {"id": item.id, "system": system, "item": item.to_dict(), "error": message}


def _row(item: Item, system: System, shop: Shop, tick: Tick) -> Row:
    rendered = render(item, shop.clips, system.chunk)
    listener = system.open(Ask(item.instruction, shop.tools(item.tools), item.seed))
    began = time.perf_counter()
    events = drive(listener, rendered.audio, system.chunk, tick)
    facts = {
        "id": item.id,
        "system": system.name,
        "item": item.to_dict(),
        "chunk": system.chunk,
        "samples": len(rendered.audio),
        "onset": rendered.onset,
        "offset": rendered.offset,
        "evidence_end": rendered.evidence_end,
        "wall_s": round(time.perf_counter() - began, 3),
    }
    heard = len(rendered.audio) // system.chunk
    wholes = {"wholes": found} if (found := getattr(listener, "wholes", None)) else {}
    return facts | record(events) | {"topics": listener.topics[:heard], "likes": listener.likes[:heard]} | wholes


def drive(listener: Listener, audio: FloatArray, chunk: int, tick: Tick = lambda _: None) -> list[Event]:
    """Push [n] samples chunk by chunk and close; `tick` gets the seconds of audio of every push."""
    events: list[Event] = []
    for start in range(0, len(audio), chunk):
        events += listener.push(audio[start : start + chunk])
        tick(len(audio[start : start + chunk]) / SAMPLE_RATE_HZ)
    return events + listener.close()


def record(events: Sequence[Event]) -> dict[str, Any]:
    """What scoring needs of the events: p a chunk, decisions ("s" silent, "S" speak, "A" act), and what was said."""
    letters = {"silent": "s", "speak": "S", "act": "A"}
    out: dict[str, Any] = {
        "p_speak": [],
        "p_act": [],
        "decisions": "",
        "actions": [],
        "replies": [],
        "transcripts": [],
        "sounds": [],
        "cancelled": [],
        "speech": [],
        "errors": [],
    }
    for event in events:
        body: Mapping[str, Any] = event.to_dict()
        kind, rest = event.type, {k: v for k, v in body.items() if k not in ("type", "words")}
        if kind == "decision":
            out["p_speak"].append(round(body["p"]["speak"], 4))
            out["p_act"].append(round(body["p"]["act"], 4))
            out["decisions"] += letters[body["decision"]]
        elif kind == "transcript" and body["final"]:
            out["transcripts"].append(rest)
        else:
            place = {"action": "actions", "reply.done": "replies", "sound": "sounds", "reply.cancelled": "cancelled"}
            place |= {"speech.started": "speech", "error": "errors"}
            if kind in place:
                out[place[kind]].append(rest)
    return out
