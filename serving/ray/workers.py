"""Ray actors behind the engine's interfaces."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError

from serving.config import Config
from serving.handle import EngineInfo
from serving.ray.actors import PerceptionActor, VoiceActor
from serving.tier import Tier
from serving.work import Frame, Pass, Work, WorkerLost
from soundflow.errors import SoundflowError
from soundflow.types import FloatArray

_numbers = itertools.count()


def gpus_of(config: Config) -> float:
    """What a model asks of the cluster; 0 on a CPU, and where it has no GPU."""
    return config.gpus_per_worker if config.device != "cpu" and ray.cluster_resources().get("GPU") else 0.0


class RayWorker:
    """A `PerceptionActor` as a lane's worker. Use `start`."""

    hear: Callable[[list[Frame]], Awaitable[None]] | None = None  # an actor has one core

    def __init__(self, actor: Any, info: EngineInfo) -> None:
        self.actor, self.info = actor, info
        self.name = f"perception-{next(_numbers)}"

    @classmethod
    async def start(cls, tier: Tier, config: Config) -> RayWorker:
        """Wait until the model of a new actor is loaded. SoundflowError where it cannot be."""
        options = PerceptionActor.options(num_gpus=gpus_of(config))  # type: ignore[attr-defined]
        actor = options.remote(tier, config.as_limits().max_sessions)
        try:
            return cls(actor, await actor.info.remote())
        except RayError as error:
            ours = str(error).rpartition("soundflow.errors.")[2]
            raise SoundflowError(f"a perception actor could not start: {ours[-400:].strip()}") from error

    async def step(self, work: list[Work], texts: bool) -> Pass:
        try:
            done: Pass = await self.actor.step.remote(work, texts)
        except RayActorError as error:
            raise WorkerLost(self.name) from error
        return done

    async def close(self) -> None:
        ray.kill(self.actor)


class RayVoices:
    """A pool of `VoiceActor`s; each text goes to the one that speaks least."""

    def __init__(self, actors: list[Any], name: str, rate_hz: int) -> None:
        self.name, self.rate_hz = name, rate_hz
        self._actors = actors
        self._busy = [0] * len(actors)

    @classmethod
    async def start(cls, count: int) -> RayVoices:
        actors = [VoiceActor.remote() for _ in range(count)]  # type: ignore[attr-defined]
        name, rate = await actors[0].info.remote() if actors else ("", 0)
        return cls(actors, name, rate)

    async def speak(self, text: str) -> AsyncIterator[FloatArray]:
        if not self._actors or not text.strip():
            return
        k = min(range(len(self._actors)), key=self._busy.__getitem__)
        self._busy[k] += 1
        try:
            pieces = self._actors[k].speak.options(num_returns="streaming").remote(text)
            async for ref in pieces:
                yield await ref
        except RayError as error:
            raise SoundflowError(f"a voice actor failed ({type(error).__name__})") from error
        finally:
            self._busy[k] -= 1

    async def close(self) -> None:
        for actor in self._actors:
            ray.kill(actor)
        await asyncio.sleep(0)
