"""How many live streams one server carries: latency of decisions up to saturation, batched and one by one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.serve.client import Live, wire_audio
from benchmarks.serve.server import Server, cpu_s, rss_mb, serving
from soundflow.errors import SoundflowError

SETTLE_S: Final = 4.0
"""Of each level; what is decided before counts for nothing."""
CHUNK_S: Final = 0.4

CASES: Final[Mapping[str, Mapping[str, str]]] = {
    "batched": {},
    "batched, one process": {"HEARING_PROCESS": "false"},
    "one by one": {"BATCH_ROWS": "1"},
    "batched bf16": {"EIGHT_BIT": "false"},
    "one by one bf16": {"BATCH_ROWS": "1", "EIGHT_BIT": "false"},
    "ray (two actors)": {"ENGINE": "ray", "WORKERS": "2"},
}


@dataclass(frozen=True, slots=True)
class Level:
    """One point of the curve. Latency: from the end of a chunk's audio leaving the client to its decision arriving."""

    case: str
    streams: int
    p50_ms: float
    p99_ms: float
    decided: float  # share of the chunks that were decided
    cores: float  # of the server
    rss_mb: float
    tokens_per_s: float
    passes_per_s: float

    @property
    def holds(self) -> bool:
        """All chunks decided, p99 under a chunk."""
        return self.decided >= 0.999 and self.p99_ms <= 1000 * CHUNK_S


async def level(case: str, server: Server, streams: int, seconds: float, audio: np.ndarray[Any, Any]) -> Level:
    """`streams` sessions, begun at random phases, for `seconds` behind the settling."""
    rng = np.random.default_rng(streams)
    offsets = rng.integers(0, len(audio), streams)
    phases = rng.random(streams) * CHUNK_S

    async def one(k: int) -> tuple[list[float], int]:
        await asyncio.sleep(phases[k])
        try:
            live = await Live.open(server.url, keep=["error"])
        except SoundflowError:
            return [], round(seconds / CHUNK_S)
        await live.play(audio, SETTLE_S + seconds + 0.2, int(offsets[k]))  # what a resampler holds back
        await live.drained()
        seen = await live.close()
        first = round(SETTLE_S / CHUNK_S)
        waits = [at - seen.sent[c] for c, at in seen.decided.items() if first <= c < len(seen.sent)]
        return waits, round(seconds / CHUNK_S)

    playing = [asyncio.create_task(one(k)) for k in range(streams)]
    await asyncio.sleep(SETTLE_S + CHUNK_S)
    members = server.family()
    names = ("soundflow_tokens_total", "soundflow_step_seconds_count")
    before = [cpu_s(members), *(await asyncio.to_thread(lambda: [server.metric(n) for n in names]))]
    began = time.monotonic()
    await asyncio.sleep(max(1.0, seconds - 2 * CHUNK_S))
    after = [cpu_s(members), *(await asyncio.to_thread(lambda: [server.metric(n) for n in names]))]
    span = time.monotonic() - began
    found = await asyncio.gather(*playing)
    waits = np.array([w for ws, _ in found for w in ws] or [np.inf])
    total = sum(n for _, n in found)
    busy, tokens, passes = ((b - a) / span for a, b in zip(before, after, strict=True))
    return Level(
        case, streams, 1000 * float(np.quantile(waits, 0.5)), 1000 * float(np.quantile(waits, 0.99)),
        min(1.0, np.isfinite(waits).sum() / total), busy, rss_mb(members), tokens, passes,
    )  # fmt: skip


def climb(case: str, counts: Sequence[int], seconds: float) -> list[Level]:
    """The curve of one case, until a level does not hold."""
    audio = wire_audio()
    found: list[Level] = []
    with serving(CASES[case]) as server:
        asyncio.run(level(case, server, 1, 4.0, audio))  # the first pass of a process is slower than all others
        for streams in counts:
            found.append(asyncio.run(level(case, server, streams, seconds, audio)))
            if not found[-1].holds:
                break
    return found


def most(levels: Sequence[Level]) -> int:
    """The largest number of streams that held."""
    return max((x.streams for x in levels if x.holds), default=0)


def read_bandwidth_gb_s() -> float:
    """What one thread of this machine reads from memory, GB/s: the best of five sums over 512 MB."""
    block = np.ones(128 * 1024 * 1024, np.float32)
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        block.sum()
        best = max(best, block.nbytes / (time.perf_counter() - began) / 1e9)
    return best


def weight_bytes(case: str) -> int:
    """Of the LALM's matrices that one pass reads: a byte each in int8, two in bfloat16."""
    from soundflow.decide.backbones.config import DecoderConfig
    from soundflow.tiers import weights

    c = DecoderConfig.read(weights.part("lm"))
    attention = c.width * (c.heads + 2 * c.kv_heads) * c.head_dim + c.heads * c.head_dim * c.width
    numbers = c.layers * (attention + 3 * c.width * c.hidden)
    return numbers * (2 if CASES[case].get("EIGHT_BIT") == "false" else 1)
