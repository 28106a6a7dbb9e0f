"""What ill-behaved clients do to the others: decisions' latency of good streams before and during, memory, survival."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.serve import attacks
from benchmarks.serve.attacks import ATTACKS, SECONDS, Target
from benchmarks.serve.client import Live, wire_audio
from benchmarks.serve.server import Server, rss_mb, serving

GOOD: Final = 4
PATIENCE_S: Final = 120.0  # an attack may go on behind the good streams


@dataclass(frozen=True, slots=True)
class Attack:
    """p99_ms of the good streams before and during; ratio of the two; grown_mb of the server over the attack.

    finished: whether the attack came to its end in PATIENCE_S.
    """

    name: str
    before_p99_ms: float
    during_p99_ms: float
    grown_mb: float
    lost: int
    alive: bool
    finished: bool

    @property
    def ratio(self) -> float:
        return self.during_p99_ms / self.before_p99_ms


async def good(server: Server, seconds: float) -> tuple[list[float], int]:
    """Latencies [s] of GOOD streams, and chunks without a decision."""
    audio = wire_audio()
    lives = [await Live.open(server.url, keep=["error"]) for _ in range(GOOD)]
    await asyncio.gather(*(x.play(audio, seconds, k * len(audio) // GOOD) for k, x in enumerate(lives)))
    await asyncio.gather(*(x.drained() for x in lives))
    seen = [await x.close() for x in lives]
    return [w for s in seen for w in s.latencies_s()[5:]], sum(len(s.sent) - len(s.decided) for s in seen)


def _beside(server: Server, name: str, behaves: bool, seed: int) -> tuple[float, int, bool]:
    """p99 [ms] of the good streams beside these clients, chunks lost, and whether the clients came to their end."""
    target = Target(server.url, server.port, server.wyoming_port)
    others = multiprocessing.get_context("spawn").Process(target=attacks.run, args=(name, behaves, target, seed))
    others.start()
    try:
        waits, lost = asyncio.run(good(server, SECONDS))
        others.join(PATIENCE_S)
        return 1000 * float(np.quantile(waits, 0.99)), lost, others.exitcode == 0
    finally:
        if others.is_alive():
            others.kill()
            others.join()


def _attack(server: Server, name: str, seed: int) -> Attack:
    before, _, _ = _beside(server, name, True, seed)
    members = server.family()
    held = rss_mb(members)
    during, lost, finished = _beside(server, name, False, seed)
    time.sleep(3.0)
    return Attack(name, before, during, rss_mb(members) - held, lost, server.alive, finished)


def run(seed: int, names: tuple[str, ...] = tuple(ATTACKS), rounds: int = 3) -> list[Attack]:
    """Each attack on one server, one after the other, and all of it `rounds` times."""
    with serving({"LIMITS__RESUME_S": "2"}) as server:
        asyncio.run(good(server, 5.0))
        return [_attack(server, name, seed + k) for k in range(rounds) for name in names]
