"""Hours of sessions that join and leave: does anything grow?"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from benchmarks.serve.client import Live, wire_audio
from benchmarks.serve.server import Server, descriptors, rss_mb, serving, threads
from soundflow.errors import SoundflowError

SAMPLE_S: Final = 5.0
BUSY_S: Final = 120.0  # sessions join until then; when the last one has ended, the server rests
REST_S: Final = 75.0
"""Longer than it takes until the last of a lost session is given back: 2 s for its client to return, up to 20 for the
server's collector, 5 for the hearing process to be told, 20 for that one's heap to be trimmed."""
REST_SAMPLE_S: Final = 2.0  # of a rest the lowest counts: what is given back at the next trim does not stay
DRAWS: Final = 2000
REFUSAL: Final = '"code":"capacity"'  # of the body of a 503
RETRY_S: Final = 3.0

Values = np.ndarray[Any, Any]
Slope = tuple[float, float, float]  # MB an hour, low, high


@dataclass
class Soak:
    """times [s] and rss_mb of the server's processes; what was left when all sessions had ended.

    rests: (time, RSS of each process at the lowest moment of a rest, the server's own first): what sessions hold is not
    in it.
    """

    times: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    rests: list[tuple[float, list[float]]] = field(default_factory=list)
    sessions: int = 0
    refused: list[float] = field(default_factory=list)  # when the server said that it is full: what it is meant to do
    failed: list[str] = field(default_factory=list)
    chunks: int = 0
    missing: int = 0
    twice: int = 0
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)

    def slope(self, warm_s: float, seed: int = 0) -> Slope:
        """MB an hour behind the warm-up, sessions and all: bootstrap over blocks of a minute."""
        return slope_interval(*_behind(self.times, self.rss_mb, warm_s), round(60.0 / SAMPLE_S), seed)

    def slope_at_rest(self, warm_s: float, seed: int = 0) -> Slope:
        """MB an hour of what stays when every session has ended."""
        times, mb = [t for t, _ in self.rests], [sum(each) for _, each in self.rests]
        return slope_interval(*_behind(times, mb, warm_s), 1, seed)


def _behind(times: Sequence[float], mb: Sequence[float], warm_s: float) -> tuple[Values, Values]:
    t, m = np.array(times), np.array(mb)
    return t[t >= warm_s], m[t >= warm_s]


def slope_interval(t: Values, m: Values, block: int, seed: int) -> Slope:
    """t [n] in s, m [n] in MB -> least squares slope an hour, its 95 % interval.

    Moving-block bootstrap of the residuals (Künsch 1989), `block` samples each, scaled for the two parameters that the
    line has taken from them (Davison and Hinkley 1997, section 6.2).
    """
    if len(t) < max(6, 2 * block):
        raise SoundflowError(f"at least {max(6, 2 * block)} samples behind the warm-up were expected, got {len(t)}")
    a, b = np.polyfit(t, m, 1)
    residuals = (m - (a * t + b)) * np.sqrt(len(t) / (len(t) - 2))
    rng, slopes = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        starts = rng.integers(0, len(t) - block + 1, -(-len(t) // block))
        drawn = np.concatenate([residuals[s : s + block] for s in starts])[: len(t)]
        slopes.append(np.polyfit(t, a * t + b + drawn, 1)[0])
    low, high = np.quantile(slopes, [0.025, 0.975])
    return 3600 * float(a), 3600 * float(low), 3600 * float(high)


async def _session(server: Server, audio: np.ndarray[Any, Any], rng: random.Random, found: Soak, began: float) -> None:
    """One session of 5 to 60 s, spoken or written, that leaves in one of three ways."""
    found.sessions += 1
    try:
        live = await Live.open(server.url, text_only=rng.random() < 0.5, keep=["error"])
        await live.play(audio, 5.0 + 55.0 * rng.random() ** 2, rng.randrange(len(audio)))
        way = rng.random()
        if way < 0.2:
            live._socket.transport.abort()  # half-open: no close frame ever comes
            await live._reader
            seen = live.seen
        else:
            await live.drained()
            seen = await live.close()
            found.chunks += len(seen.sent)
            found.missing += len(seen.missing())
        found.twice += len(seen.twice)
        found.failed += [str(e.get("error")) for _, e in seen.events]
    except SoundflowError as error:
        if REFUSAL in str(error):
            found.refused.append(time.monotonic() - began)
            await asyncio.sleep(RETRY_S)
        else:
            found.failed.append(str(error))


async def _keep(server: Server, streams: int, end: float, rng: random.Random, found: Soak) -> None:
    audio = wire_audio()

    async def seat(until: float) -> None:
        while time.monotonic() < until:
            await _session(server, audio, rng, found, began)
            await asyncio.sleep(rng.random() * 2)

    async def watch() -> None:
        while True:
            members = await asyncio.to_thread(server.family)
            found.times.append(time.monotonic() - began)
            found.rss_mb.append(rss_mb(members))
            await asyncio.sleep(SAMPLE_S)

    began = time.monotonic()
    while (now := time.monotonic()) < end:
        watching = asyncio.create_task(watch())
        await asyncio.gather(*(seat(min(end, now + BUSY_S)) for _ in range(streams)))
        watching.cancel()
        found.rests.append((time.monotonic() - began, await _rest(server)))


async def _rest(server: Server) -> list[float]:
    """RSS of each process [MB] at the lowest moment of a rest."""
    until, lowest = time.monotonic() + REST_S, list[float]()
    while time.monotonic() < until:
        await asyncio.sleep(REST_SAMPLE_S)
        now = [rss_mb([pid]) for pid in await asyncio.to_thread(server.family)]
        lowest = now if not lowest or sum(now) < sum(lowest) else lowest
    return lowest


def _left(server: Server) -> dict[str, float]:
    return {
        "descriptors": float(descriptors(server.pid)),
        "threads": float(threads(server.pid)),
        "sessions": server.metric("soundflow_sessions_open"),
        "actors": float(len(server.actors())),
    }


def run(minutes: float, streams: int, seed: int, engine: dict[str, str] | None = None) -> Soak:
    """`streams` seats for `minutes`; the server must then be as it was behind the first session."""
    found, rng = Soak(), random.Random(seed)
    with serving({"LIMITS__RESUME_S": "2", **(engine or {})}) as server:
        asyncio.run(_keep(server, streams + 1, time.monotonic() + 20.0, random.Random(seed), Soak()))
        time.sleep(5.0)
        found.before = _left(server)
        asyncio.run(_keep(server, streams, time.monotonic() + 60.0 * minutes, rng, found))
        time.sleep(5.0)
        found.after = _left(server)
    return found


def grown(found: Soak) -> dict[str, float]:
    """What there is more of than before."""
    return {k: found.after[k] - found.before[k] for k in found.before}


def lines(found: Soak, warm_s: float) -> Sequence[str]:
    rest, whole = found.slope_at_rest(warm_s), found.slope(warm_s)
    return [
        f"RSS at rest {rest[0]:+.2f} MB an hour [{rest[1]:+.2f}, {rest[2]:+.2f}], sessions and all {whole[0]:+.2f}"
        f" [{whole[1]:+.2f}, {whole[2]:+.2f}], behind {warm_s / 60:.0f} min of warm-up",
        f"{found.sessions} sessions, {len(found.failed)} failed, {len(found.refused)} refused as the server was full,"
        f" {found.chunks} chunks, {found.missing} without a decision, {found.twice} with two",
        f"left behind: {grown(found)}",
    ]
