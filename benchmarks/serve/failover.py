"""A perception actor is killed with SIGKILL while sessions are live; what each session's client has seen of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.serve.client import Live, Seen, wire_audio
from benchmarks.serve.server import Server, serving

SESSIONS: Final = 8
SECONDS: Final = 16.2  # forty chunks, and what a resampler holds back
RESPAWN_S: Final = 60.0
CHUNK_S: Final = 0.4
REPLIES: Final = ("response.created", "response.done", "response.output_text.delta", "response.output_text.done")
HEARD: Final = ("conversation.item.input_audio_transcription.completed",)


@dataclass(frozen=True, slots=True)
class Trial:
    """One kill. lost, twice: chunks without a decision, and with two, over all sessions. gap_s: the longest time
    without a decision in any session, less one chunk. broken: replies whose text is not what was streamed, that ended
    twice or never, sockets that were closed. respawn_s: until two actors were there again.
    """

    killed_at_s: float
    lost: int
    twice: int
    gap_s: float
    broken: int
    replies: int
    respawn_s: float


def broken(seen: Seen) -> tuple[int, int]:
    """(replies of this stream that are not whole, replies)."""
    made = [e["response"]["id"] for _, e in seen.events if e["type"] == "response.created"]
    done = [e["response"]["id"] for _, e in seen.events if e["type"] == "response.done"]
    wrong = len(made) - len(set(made)) + len(done) - len(set(done)) + bool(seen.error)
    wrong += len(set(done) - set(made))
    wrong += sum(name not in done for name in made[:-1])  # the last may be in the making when the stream ends
    for _, e in seen.events:
        if e["type"] == "response.output_text.done":
            text = "".join(
                d["delta"]
                for _, d in seen.events
                if d["type"] == "response.output_text.delta" and d["response_id"] == e["response_id"]
            )
            wrong += text != e["text"]
    return wrong, len(made)


async def trial(server: Server, rng: random.Random) -> Trial:
    """Eight streams; one of the actors dies at a random moment of the middle."""
    audio = wire_audio()
    lives = [await Live.open(server.url, keep=(*REPLIES, *HEARD)) for _ in range(SESSIONS)]
    playing = [asyncio.create_task(x.play(audio, SECONDS, rng.randrange(len(audio)))) for x in lives]
    at = 4.0 + rng.random() * (SECONDS - 8.0)
    await asyncio.sleep(at)
    victim = rng.choice(await asyncio.to_thread(server.actors))
    os.kill(victim, signal.SIGKILL)
    killed = time.monotonic()
    respawned = asyncio.create_task(asyncio.to_thread(_respawned, server, killed))
    await asyncio.gather(*playing)
    await asyncio.gather(*(x.drained() for x in lives))
    seen = [await x.close() for x in lives]
    wrong = [broken(s) for s in seen]
    return Trial(
        at,
        sum(len(s.missing()) + (len(s.sent) - len(s.decided)) for s in seen),
        sum(len(s.twice) for s in seen),
        max(s.gap_s() for s in seen) - CHUNK_S,
        sum(w for w, _ in wrong),
        sum(n for _, n in wrong),
        await respawned,
    )


def _respawned(server: Server, since: float) -> float:
    """Until two workers serve again. The loss itself is noticed within the first second."""
    time.sleep(1.0)
    while time.monotonic() - since < RESPAWN_S:
        if server.metric("soundflow_workers") >= 2:
            return time.monotonic() - since
        time.sleep(0.25)
    return float("inf")


def run(trials: int, seed: int, tell: Callable[[str], None] = lambda line: None) -> list[Trial]:
    """Trials on one server; each waits for its dead actor's replacement. `tell` is told of each."""
    rng = random.Random(seed)
    with serving({"ENGINE": "ray", "WORKERS": "2"}) as server:
        found = []
        for _ in range(trials):
            found.append(asyncio.run(trial(server, rng)))
            tell(f"kill {len(found)} of {trials}: {found[-1]}")
            time.sleep(3.0)  # the new actor's model is warm
        return found
