"""The engine over Ray actors: a pool that perceives and decides, a pool that speaks.

A session stays where it sits until its actor is gone.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import ray

from serving.config import Config
from serving.engine import LaneEngine
from serving.local import open_journal
from serving.metrics import Metrics, NoMetrics
from serving.ray.workers import RayVoices, RayWorker
from soundflow.errors import ConfigError

log = logging.getLogger(__name__)


def connect(address: str) -> bool:
    """Join the cluster at `address`, or start one here -> whether this call did. ConfigError where none answers."""
    if ray.is_initialized():
        return False
    try:
        ray.init(address=address or None, include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(f"ray_address {address!r}: a running cluster was expected ({error})") from error
    return True


class RayEngine:
    """Makes a `LaneEngine` over Ray actors."""

    @staticmethod
    async def create(config: Config, adapter: Path | None, metrics: Metrics | NoMetrics) -> LaneEngine:
        """Start `config.workers` perception actors and, with a voice, one voice actor for every four of them.

        Raises:
            ConfigError: no cluster at `config.ray_address`.
            SoundflowError: an actor could not load the tier.
        """
        await asyncio.to_thread(connect, config.ray_address)
        limits = config.as_limits()

        async def respawn() -> RayWorker:
            return await RayWorker.start(adapter, limits.max_sessions)

        workers = await asyncio.gather(*(respawn() for _ in range(config.workers)))
        voices = await RayVoices.start((config.workers + 3) // 4 if config.voice else 0)
        info = replace(workers[0].info, voice=voices.name, voice_rate_hz=voices.rate_hz)
        chunks = round(1000 * config.journal.audio_s / info.chunk_ms)
        return LaneEngine(
            info, workers, voices, limits, metrics, open_journal(config), respawn, chunks, config.batch_rows
        )
