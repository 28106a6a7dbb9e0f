"""Step time at real-time pace, real-time factor on quiet audio, memory and step time over hours, energy.

Replies that are heard are in `turns`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks.compose import Bed, Item, Part, render
from benchmarks.corpus import Row
from benchmarks.cost import energy, turns
from benchmarks.hear import Shop, Tick, attempt
from benchmarks.instances import Row as Instance
from benchmarks.plan import capped, item_seed
from benchmarks.systems import OURS, Ask, Listener, Nano, OurListener, System
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError
from soundflow.events import Event
from soundflow.metering import peak_rss_mb
from soundflow.types import FloatArray

QUIET_S = 120.0
BLOCK_S = 600.0
SPEECH = "librispeech_train-clean-100_3spk"
EVENTS = ("crying_baby", "glass_break", "doorbell", "siren", "dog", "rain")


def plan(rows: Sequence[Row], minutes: float, hours: float, seed: int, replies: int = 0) -> list[Item]:
    """Groups: "realtime" (speech with pauses and some sounds), "quiet" (room tone), "long" where `hours` > 0, and
    `replies` of "spoken" (`turns.plan`).
    """
    speech = [r for r in rows if r.dataset == SPEECH and r.split == "dev"]
    sounds = [r for r in rows if r.split == "dev" and r.label in EVENTS]
    if not speech:
        raise DataError(f"expected dev rows of {SPEECH}, got none")
    found = []
    if minutes > 0:
        found.append(_talk("realtime", speech, sounds, minutes * 60, seed))
    found.append(_item("quiet", (), QUIET_S, seed))
    if hours > 0:
        found.append(_talk("long", speech, sounds, min(hours * 3600, BLOCK_S), seed, repeat=hours * 3600 / BLOCK_S))
    return found + turns.plan(rows, replies, seed)


def _talk(group: str, speech: list[Row], sounds: list[Row], seconds: float, seed: int, repeat: float = 1.0) -> Item:
    order, others = capped(speech, 0, seed, group), capped(sounds, 0, seed, group)
    parts: list[Part] = []
    at, k = 0.0, 0
    while at < seconds:
        row = others[(k // 4) % len(others)] if others and k % 4 == 3 else order[k % len(order)]
        gap = (1.0, 2.5, 6.0, 1.5)[k % 4]
        parts.append(Part(row.path, gap, 0.0, 12.0, -24.0))
        at, k = at + gap + min(row.seconds, 12.0), k + 1
    return _item(group, tuple(parts), seconds, seed, repeat)


def _item(group: str, parts: tuple[Part, ...], seconds: float, seed: int, repeat: float = 1.0) -> Item:
    name = f"latency/{group}/{seconds:g}s" + (f"x{repeat:g}" if repeat != 1.0 else "")
    where = (name, group, group, "", name, item_seed(seed, name))
    return Item(*where, parts, Bed("room", -58.0), 0.0, seconds, facts={"repeat": repeat})


@dataclass(slots=True)
class Paced:
    """Of each chunk: `late_s`, how long after it was heard its events were out, and `push_ms`, the time in push."""

    late_s: list[float] = field(default_factory=list)
    push_ms: list[float] = field(default_factory=list)

    def misses(self, chunk_s: float) -> int:
        """Chunks whose events were out only after the next chunk had been heard."""
        return sum(late > chunk_s for late in self.late_s)


def pace(
    listener: Listener,
    audio: FloatArray,
    chunk: int,
    tick: Tick = lambda _: None,
    *,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Paced:
    """Push each chunk when a microphone would have delivered it; a chunk is due when its last sample was heard.

    Nothing waits for a late system: lateness adds up as it would at a microphone.
    """
    found = Paced()
    origin = clock()
    for index in range(len(audio) // chunk):
        due = origin + (index + 1) * chunk / SAMPLE_RATE_HZ
        while (left := due - clock()) > 0:
            sleep(left)
        began = clock()
        listener.push(audio[index * chunk : (index + 1) * chunk])
        ended = clock()
        found.late_s.append(ended - due)
        found.push_ms.append((ended - began) * 1000)
        tick(chunk / SAMPLE_RATE_HZ)
    return found


def rss_mb() -> float:
    """Resident set of this process now, in MiB; the peak where /proc is missing."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return peak_rss_mb()
    return pages * 4096 / 2**20


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Instance]:
    """One latency item: paced for "realtime" and "spoken", as fast as it goes for the others."""
    return [attempt(item, OURS, lambda: _row(item, shop, tick))]


def _row(item: Item, shop: Shop, tick: Tick) -> Instance:
    system = shop.systems[0]
    row: Instance = {"id": item.id, "system": OURS, "item": item.to_dict(), "chunk": system.chunk}
    meter, began = energy.find(), time.perf_counter()
    audio = render(item, shop.clips, system.chunk).audio
    meter.begin()
    if item.group == "realtime":
        body = _realtime(system, audio, item, tick)
    elif item.group == turns.GROUP:
        turn = turns.take(_speaking(system, item, shop), audio, system.chunk)
        tick(len(audio) / SAMPLE_RATE_HZ)
        return row | turns.facts(turn)
    else:
        body = _fast(system, audio, item, tick)
    return row | body | meter.facts(time.perf_counter() - began)


class _Spoken(OurListener):
    """Ours with a voice, its replies made beside it."""

    def poll(self) -> list[Event]:
        return self.stream.poll()

    def voiced(self) -> bool:
        return bool(self.watch.voiced)


def _speaking(system: System, item: Item, shop: Shop) -> turns.Speaking:
    """A stream with the tier's voice. ConfigError where the system or the machine has none."""
    if not isinstance(system, Nano):
        opened: Any = system.open(Ask(seed=item.seed))
        if hasattr(opened, "poll") and hasattr(opened, "voiced"):
            return cast(turns.Speaking, opened)
        raise ConfigError(f"a system that speaks was expected, got {system.name}")
    if "voice" not in shop.kept:
        from soundflow.respond.voice import choose_voice
        from soundflow.tiers import weights

        shop.kept["voice"] = choose_voice(weights.part("voice"))
        if shop.kept["voice"] is not None:
            list(shop.kept["voice"].speak("Ready."))  # the first sentence of a process is slower than all others
    if shop.kept["voice"] is None:
        raise ConfigError("a voice was expected: run `soundflow models pull nano`, or install espeak-ng")
    return _Spoken(system.model, Ask(seed=item.seed), realtime=True, voice=shop.kept["voice"])


def _realtime(system: System, audio: FloatArray, item: Item, tick: Tick) -> dict[str, Any]:
    listener = system.open(Ask(seed=item.seed), realtime=True) if isinstance(system, Nano) else system.open(Ask())
    paced = pace(listener, audio, system.chunk, tick)
    listener.close()
    body = {"samples": len(audio), "step_ms": _short(listener.step_ms), "push_ms": _short(paced.push_ms)}
    return body | {"late_ms": _short([x * 1000 for x in paced.late_s]), "peak_rss_mb": round(peak_rss_mb(), 1)}


def _fast(system: System, audio: FloatArray, item: Item, tick: Tick) -> dict[str, Any]:
    listener = system.open(Ask(seed=item.seed))
    repeats, began, cpu = float(item.facts["repeat"]), time.perf_counter(), time.process_time()
    count, rss = round(repeats * len(audio) / system.chunk), []
    held = len(audio) // system.chunk
    for index in range(count):
        at = index % held * system.chunk
        listener.push(audio[at : at + system.chunk])
        tick(system.chunk / SAMPLE_RATE_HZ)
        if index % 25 == 0:
            rss.append(round(rss_mb(), 1))
    listener.close()
    return {
        "samples": count * system.chunk,
        "wall_s": round(time.perf_counter() - began, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "step_ms": _short(listener.step_ms[:count]),
        "rss_mb": rss,
        "rss_every_chunks": 25,
        "peak_rss_mb": round(peak_rss_mb(), 1),
    }


def _short(values: Sequence[float]) -> list[float]:
    return [round(v, 2) for v in values]


def score(rows: Sequence[Instance]) -> dict[str, Any]:
    """Percentiles of the step (perceive, decide; one chunk), deadline misses, RTF = wall time / audio, drift, energy.

    Percentiles by linear interpolation (numpy). A deadline is missed when a chunk's events are out only after the next
    chunk was heard. Drift: the last ten minutes of audio against minutes 10 to 20, as last / first - 1. Energy: joules
    of the processor's package a second of audio, with all that ran beside. A group that failed has only `error`.
    """
    found: dict[str, Any] = {}
    for row in rows:
        if row["item"]["group"] == turns.GROUP:
            continue
        group = row["item"]["group"]
        if row.get("error"):
            found[group] = {"error": row["error"]}
            continue
        found[group] = _group(row, group)
    spoken = [r for r in rows if r["item"]["group"] == turns.GROUP]
    return found | ({turns.GROUP: score_turns(spoken)} if spoken else {})


def _group(row: Instance, group: str) -> dict[str, Any]:
    chunk_s = row["chunk"] / SAMPLE_RATE_HZ
    body: dict[str, Any] = {"audio_s": row["samples"] / SAMPLE_RATE_HZ, "peak_rss_mb": row["peak_rss_mb"]}
    body["step_ms"] = percentiles(row["step_ms"])
    if group == "realtime":
        late = row["late_ms"]
        body |= {
            "push_ms": percentiles(row["push_ms"]),
            "late_ms": percentiles(late),
            "deadline_misses": Paced([x / 1000 for x in late]).misses(chunk_s),
            "chunks": len(late),
        }
    else:
        body |= {
            "rtf": round(row["wall_s"] / body["audio_s"], 4),
            "cpu_rtf": round(row["cpu_s"] / body["audio_s"], 4),
        }
    if "energy_j" in row:
        body["joules_a_second"] = round(row["energy_j"] / body["audio_s"], 3)
    else:
        body["energy"] = row.get("energy", energy.UNTOLD)
    if group == "long":
        body["drift"] = drift(row)
    return body


def score_turns(rows: Sequence[Instance]) -> dict[str, Any]:
    """Of the spoken replies: how many were heard at all, and percentiles of decision, first token and first audio, ms.

    An error, silence, or a reply without a voice counts in `items` and has no time.
    """
    names = ("decision_ms", "token_ms", "audio_ms", "heard_ms")
    values = {n: [r[n] for r in rows if r.get(n) is not None] for n in names}
    counts = {"items": len(rows), "failed": sum(bool(r.get("error")) for r in rows), "heard": len(values["heard_ms"])}
    return counts | {n: percentiles(v) if v else None for n, v in values.items()}


def drift(row: Instance) -> dict[str, Any] | None:
    """Step time (p50 and mean) and RSS (mean) of minutes 10 to 20 and of the last ten, and the slope of RSS an hour
    behind minute 10 (median of the slopes between all pairs of points: Theil 1950, Sen 1968); None under 30 minutes.
    """
    chunk_s = row["chunk"] / SAMPLE_RATE_HZ
    block, every = round(BLOCK_S / chunk_s), row["rss_every_chunks"]
    steps, rss = row["step_ms"], row["rss_mb"]
    if len(steps) < 3 * block:
        return None
    spans = {"minutes 10 to 20": slice(block, 2 * block), "last 10 minutes": slice(len(steps) - block, len(steps))}
    values = {}
    for name, span in spans.items():
        inside = rss[span.start // every : span.stop // every]
        values[name] = (float(np.median(steps[span])), float(np.mean(steps[span])), float(np.mean(inside)))
    first, last = values.values()
    names = ("step_p50", "step_mean", "rss")
    change = {n: round(b / a - 1, 4) for n, a, b in zip(names, first, last, strict=True)}
    found: dict[str, Any] = {k: dict(zip(names, (round(x, 2) for x in v), strict=True)) for k, v in values.items()}
    behind = rss[block // every :]
    return found | {"change": change, "rss_mb_an_hour": round(slope(behind) * 3600 / (every * chunk_s), 2)}


def slope(values: Sequence[float], most: int = 400) -> float:
    """Theil and Sen's slope between neighbours of an even series; thinned to `most` points."""
    thin = max(1, len(values) // most)
    y = np.asarray(values[::thin], float)
    i, j = np.triu_indices(len(y), 1)
    return float(np.median((y[j] - y[i]) / (j - i))) / thin if len(y) > 1 else 0.0


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the largest."""
    p = np.percentile(values, [50, 95, 99]) if values else np.zeros(3)
    return {n: round(float(x), 2) for n, x in zip(("p50", "p95", "p99"), p, strict=True)} | {
        "max": round(max(values, default=0.0), 2)
    }
