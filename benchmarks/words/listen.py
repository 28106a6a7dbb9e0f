"""Runs items through systems and writes down every growing hypothesis, and how long each push took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.compose import Item
from benchmarks.hear import Shop, Tick, attempt, timed
from benchmarks.instances import Row
from benchmarks.systems import Ask, Listener, System
from benchmarks.words import audio
from benchmarks.words.growth import Recorder
from benchmarks.words.plan import OWN, WHOLE, WORDS
from soundflow import SAMPLE_RATE_HZ
from soundflow.types import FloatArray

Body = dict[str, Any]


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Row]:
    """One row for each system of `names` on recordings that lie as files (`audio.compose`).

    Whatever goes wrong with an item (a recording that is not there, a system that raises) is a row with `error`.
    """
    trail = audio.TRAIL if item.facts["wants"] == "transcript" else audio.REPLY_TRAIL

    def composed(chunk: int) -> tuple[FloatArray, Body]:
        made = audio.compose(item, audio.parts_of(item, shop.setup.audio), chunk, trail)
        first, last = made.places[0], made.places[-1]
        return made.audio, {"places": made.places, "origin": first[0], "source": sum(last) - first[0]}

    return each(item, names, shop, tick, composed)


def each(
    item: Item, names: Sequence[str], shop: Shop, tick: Tick, composed: Callable[[int], tuple[FloatArray, Body]]
) -> list[Row]:
    """One row for each system of `names`; `composed` gives the stream for a chunk size, and facts about it.

    Raises:
        SoundflowError: a system that cannot be made at all (weights that were not pulled, a package that is missing).
    """
    rows: list[Row] = []
    for name in names:
        system = None if name == WHOLE else system_of(name, shop)
        recogniser = _recogniser(shop) if system is None else None
        if system is None:
            listen = partial(_whole, item, shop, recogniser, tick)
        else:
            listen = partial(_stream, item, system, shop, tick, composed)
        rows.append(attempt(item, name, partial(timed, item, name, listen)))
    return rows


def system_of(name: str, shop: Shop) -> System:
    """A system of the shop by name, or the words channel; loaded once a process."""
    if name == WORDS:
        if WORDS not in shop.kept:
            from benchmarks.words.channel import Channel

            shop.kept[WORDS] = Channel(_recogniser(shop))
        found: System = shop.kept[WORDS]
        return found
    if "others" not in shop.kept:
        foreign = tuple(s for s in shop.setup.systems if s not in OWN)
        alone = foreign == shop.setup.systems
        shop.kept["others"] = shop if alone else Shop(replace(shop.setup, systems=foreign))
    others: Shop = shop.kept["others"]
    return next(s for s in others.systems if s.name == name)


def _recogniser(shop: Shop) -> Any:
    if "recogniser" not in shop.kept:
        from soundflow.perceive.moonshine import Moonshine
        from soundflow.tiers import nano

        shop.kept["recogniser"] = Moonshine(nano.parts().asr)
    return shop.kept["recogniser"]


def _whole(item: Item, shop: Shop, recogniser: Any, tick: Tick) -> Body:
    from benchmarks.words.channel import whole

    recordings = audio.parts_of(item, Path(shop.setup.audio))
    began = time.process_time()
    text = whole(recordings, recogniser)
    cpu, count = round(time.process_time() - began, 4), sum(map(len, recordings))
    tick(count / SAMPLE_RATE_HZ)
    return {"text": text, "samples": count, "cpu_s": cpu}


def _stream(
    item: Item, system: System, shop: Shop, tick: Tick, composed: Callable[[int], tuple[FloatArray, Body]]
) -> Body:
    sound, facts = composed(system.chunk)
    listener = system.open(Ask(item.instruction, shop.tools(item.tools), item.seed))
    recorder = Recorder(item.facts["wants"])
    began = time.process_time()
    steps = drive(listener, sound, system.chunk, recorder, tick)
    cpu = round(time.process_time() - began, 4)
    body = {"chunk": system.chunk, "samples": len(sound), "said": recorder.said, "step_ms": steps, "cpu_s": cpu}
    return body | facts


def drive(listener: Listener, sound: FloatArray, chunk: int, recorder: Recorder, tick: Tick) -> list[float]:
    """Push [n] samples chunk by chunk and close; ms that each push, and the close, took.

    What a listener itself says of a push (`step_ms`, one entry a push) goes before our watch: a remote one may wait
    between pushes for what is not its work.
    """
    steps: list[float] = []
    for start in range(0, len(sound), chunk):
        piece = sound[start : start + chunk]
        steps.append(_timed(listener, lambda piece=piece: listener.push(piece), recorder, len(steps)))  # type: ignore[misc]
        tick(len(piece) / SAMPLE_RATE_HZ)
    steps.append(_timed(listener, listener.close, recorder, len(steps)))
    return steps


def _timed(listener: Listener, act: Callable[[], Any], recorder: Recorder, push: int) -> float:
    told, began = len(listener.step_ms), time.perf_counter()
    events = act()
    took = (time.perf_counter() - began) * 1000
    recorder.take(events, push)
    own = list(listener.step_ms[told:])
    return round(sum(own) if own else took, 3)
