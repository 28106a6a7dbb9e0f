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
DRAWS: Final = 2000


@dataclass
class Soak:
    """times [s] and rss_mb of the server's processes; what was left when all sessions had ended."""

    times: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    sessions: int = 0
    failed: list[str] = field(default_factory=list)
    chunks: int = 0
    missing: int = 0
    twice: int = 0
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)

    def slope(self, warm_s: float, seed: int = 0) -> tuple[float, float, float]:
        """MB an hour behind the warm-up: least squares, and its 95 % interval by a bootstrap over one-minute blocks."""
        t, m = np.array(self.times), np.array(self.rss_mb)
        keep = t >= warm_s
        return slope_interval(t[keep], m[keep], seed)


def slope_interval(t: np.ndarray[Any, Any], m: np.ndarray[Any, Any], seed: int) -> tuple[float, float, float]:
    """t [n] in s, m [n] in MB -> slope an hour, low, high (moving-block bootstrap of the residuals, Künsch 1989)."""
    if len(t) < 24:
        raise SoundflowError(f"at least 24 samples behind the warm-up were expected, got {len(t)}")
    a, b = np.polyfit(t, m, 1)
    residuals = m - (a * t + b)
    size = max(1, round(60.0 / SAMPLE_S))
    rng, slopes = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        starts = rng.integers(0, len(t) - size + 1, -(-len(t) // size))
        drawn = np.concatenate([residuals[s : s + size] for s in starts])[: len(t)]
        slopes.append(np.polyfit(t, a * t + b + drawn, 1)[0])
    low, high = np.quantile(slopes, [0.025, 0.975])
    return 3600 * float(a), 3600 * float(low), 3600 * float(high)


async def _session(server: Server, audio: np.ndarray[Any, Any], rng: random.Random, found: Soak) -> None:
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
        found.failed.append(str(error))


async def _keep(server: Server, streams: int, end: float, rng: random.Random, found: Soak) -> None:
    audio = wire_audio()

    async def seat() -> None:
        while time.monotonic() < end:
            await _session(server, audio, rng, found)
            await asyncio.sleep(rng.random() * 2)

    async def watch() -> None:
        began = time.monotonic()
        while time.monotonic() < end:
            members = await asyncio.to_thread(server.family)
            found.times.append(time.monotonic() - began)
            found.rss_mb.append(rss_mb(members))
            await asyncio.sleep(SAMPLE_S)

    await asyncio.gather(watch(), *(seat() for _ in range(streams)))


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
    slope, low, high = found.slope(warm_s)
    return [
        f"RSS slope {slope:+.2f} MB an hour [{low:+.2f}, {high:+.2f}] behind {warm_s / 60:.0f} min of warm-up",
        f"{found.sessions} sessions, {len(found.failed)} failed, {found.chunks} chunks, {found.missing} without a"
        f" decision, {found.twice} with two",
        f"left behind: {grown(found)}",
    ]
