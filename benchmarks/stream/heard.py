"""One stream pushed whole: its decisions and replies, where its parts lie, and the time of each step."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.compose import Item, cut, render
from benchmarks.corpus import Clips
from benchmarks.hear import Shop, Tick, drive, each, record
from benchmarks.instances import Row as Instance
from benchmarks.systems import Ask, System
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import samples


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Instance]:
    """One row for each system of `names`; `spans` are the samples of its parts."""
    return each(item, names, shop.systems, lambda system: _row(item, system, shop, tick))


def _row(item: Item, system: System, shop: Shop, tick: Tick) -> Instance:
    audio = render(item, shop.clips, system.chunk).audio
    listener = system.open(Ask(item.instruction, shop.tools(item.tools), item.seed))
    began = time.perf_counter()
    events = drive(listener, audio, system.chunk, tick)
    facts = {"chunk": system.chunk, "samples": len(audio), "spans": spans(item, shop.clips)}
    clocks = {
        "wall_s": round(time.perf_counter() - began, 3),
        "step_ms": [round(x, 1) for x in listener.step_ms[: len(audio) // system.chunk]],
    }
    return {"id": item.id, "system": system.name, "item": item.to_dict()} | facts | clocks | record(events)


def spans(item: Item, clips: Clips) -> list[list[int]]:
    """[first, last + 1] sample of every part of `item`, as `benchmarks.compose.render` places them."""
    found: list[list[int]] = []
    at = 0
    for part in item.parts:
        at += samples(part.gap_s)
        found.append([at, at + len(cut(part, clips))])
        at = found[-1][1]
    return found


def lateness(step_ms: Sequence[float], chunk: int) -> list[float]:
    """Seconds from the end of each chunk's audio to the end of its step, where chunks come at a microphone's pace.

    done[k] = max(done[k - 1], end of chunk k) + step[k]: what is not ready in time delays what follows (the clock with
    compute of simultaneous translation, Ma et al. 2020, SimulMT to SimulST, computation-aware latency).
    """
    size, done, found = chunk / SAMPLE_RATE_HZ, 0.0, []
    for k, ms in enumerate(step_ms):
        end = (k + 1) * size
        done = max(done, end) + ms / 1000
        found.append(done - end)
    return found
