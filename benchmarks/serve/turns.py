"""How soon: the decision behind a chunk, the first token and sound of a reply, and silence after barge-in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from benchmarks.serve.client import WIRE_HZ, Live, wire_audio
from benchmarks.serve.server import Server, serving
from soundflow.errors import DataError

KEEP: Final = (
    "response.speak", "response.created", "response.output_audio_transcript.delta", "response.output_audio.delta",
    "response.done", "input_audio_buffer.speech_started",
)  # fmt: skip
MESSAGE: Final = 480
"""Samples of one message, 20 ms: what a microphone gives at once."""
SIREN_S: Final = (8.0, 17.5)
"""Of the demo recording: a siren with what comes before it."""
SPEECH_S: Final = (30.2, 33.6)
"""Of the demo recording: a question."""


@dataclass
class Turns:
    """All in ms, over loopback. decision: from the end of a chunk's audio to its decision, every chunk. token, sound:
    from the decision to the first text and the first audio of its reply. barge_in: from the first sample of speech to
    `response.done` (cancelled); `chunk` of it is the wait for the chunk to end.
    """

    decision: list[float] = field(default_factory=list)
    token: list[float] = field(default_factory=list)
    sound: list[float] = field(default_factory=list)
    barge_in: list[float] = field(default_factory=list)


async def _turn(server: Server, audio: np.ndarray[Any, Any], found: Turns) -> None:
    siren = audio[round(SIREN_S[0] * WIRE_HZ) : round(SIREN_S[1] * WIRE_HZ)]
    speech = audio[round(SPEECH_S[0] * WIRE_HZ) : round(SPEECH_S[1] * WIRE_HZ)]
    live = await Live.open(server.url, text_only=False, keep=KEEP)
    playing = asyncio.create_task(live.play(siren, len(siren) / WIRE_HZ, message=MESSAGE))
    sounded = await _first(live, "response.output_audio.delta", 0.0, 14.0)
    playing.cancel()
    await asyncio.wait([playing])
    if sounded is not None:
        decided = live.seen.first("response.speak")
        token = live.seen.first("response.output_audio_transcript.delta")
        if decided and token:
            found.token.append(1000 * (token[0] - decided[0]))
            found.sound.append(1000 * (sounded - decided[0]))
        began = asyncio.get_running_loop().time()
        talking = asyncio.create_task(live.play(speech, len(speech) / WIRE_HZ, message=MESSAGE))
        over = await _cancelled(live, began, 4.0)
        await talking
        if over is not None:
            found.barge_in.append(1000 * (over - began))
    await live.drained()
    seen = await live.close()
    found.decision += [1000 * w for w in seen.latencies_s()[3:]]


async def _first(live: Live, name: str, after: float, timeout_s: float) -> float | None:
    end = asyncio.get_running_loop().time() + timeout_s
    while asyncio.get_running_loop().time() < end:
        if (found := live.seen.first(name, after)) is not None:
            return found[0]
        await asyncio.sleep(0.005)
    return None


async def _cancelled(live: Live, after: float, timeout_s: float) -> float | None:
    end = asyncio.get_running_loop().time() + timeout_s
    while asyncio.get_running_loop().time() < end:
        for t, event in live.seen.events:
            if t >= after and event["type"] == "response.done" and event["response"]["status"] == "cancelled":
                return t
        await asyncio.sleep(0.005)
    return None


def run(turns: int, engine: str) -> Turns:
    """One session after the other on a server of its own. DataError where no reply ever came."""
    audio, found = wire_audio(), Turns()
    settings = {"ENGINE": engine, **({"WORKERS": "1"} if engine == "ray" else {})}
    with serving(settings) as server:
        for _ in range(turns):
            asyncio.run(_turn(server, audio, found))
    if not found.sound:
        raise DataError(f"expected a spoken reply to the siren of the demo in {turns} turns, got none")
    return found


def summary(values: Sequence[float]) -> str:
    """p50, p99 and how many."""
    if not values:
        return "none"
    low, high = np.quantile(values, [0.5, 0.99])
    return f"p50 {low:.0f} ms, p99 {high:.0f} ms (n {len(values)})"
