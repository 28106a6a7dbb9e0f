"""The engine over Ray actors: a pool that perceives and decides, a pool that speaks.

A session stays where it sits until its actor is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ray

from serving.config import Config
from serving.engine import LaneEngine
from serving.handle import EngineInfo
from serving.local import open_journal
from serving.metrics import Metrics, NoMetrics
from serving.ray.workers import RayVoices, RayWorker
from serving.scaling import Scaler
from serving.tier import Tier, check_same
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


class RayWorkers:
    """Starts perception actors with one model at a time."""

    def __init__(self, config: Config, adapter: Path | None) -> None:
        """ConfigError for an adapter beside a model folder."""
        self._config, self._tier = config, Tier.of(config, adapter)
        self._info: EngineInfo | None = None

    async def renew(self, adapter: Path | None) -> Callable[[], None]:
        """Workers that start from now on load this adapter; of a model folder each loads what lies in it then."""
        old, self._tier = self._tier, Tier.of(self._config, adapter)

        def undo() -> None:
            self._tier = old

        return undo

    async def start(self) -> RayWorker:
        """SoundflowError where it cannot load the model, or the model is none that goes on with open sessions."""
        worker = await RayWorker.start(self._tier, self._config)
        self._info = self._info or worker.info
        try:
            check_same(worker.info, self._info)
        except ConfigError:
            await worker.close()
            raise
        return worker


class RayEngine:
    """Makes a `LaneEngine` over Ray actors."""

    @staticmethod
    async def create(config: Config, adapter: Path | None, metrics: Metrics | NoMetrics) -> LaneEngine:
        """Start `config.workers` perception actors (up to `config.max_workers` follow the load) and, with a voice, one
        voice actor for every four of them.

        Raises:
            ConfigError: no cluster at `config.ray_address`.
            SoundflowError: an actor could not load the model; the message names what its node lacks.
        """
        await asyncio.to_thread(connect, config.ray_address)
        start = RayWorkers(config, adapter)
        workers = await asyncio.gather(*(start.start() for _ in range(config.workers)))
        voices = await RayVoices.start((config.workers + 3) // 4 if config.voice else 0)
        info = replace(workers[0].info, voice=voices.name, voice_rate_hz=voices.rate_hz)
        chunks = round(1000 * config.journal.audio_s / info.chunk_ms)
        rest = (open_journal(config), start.start, chunks, config.batch_rows, start.renew)
        engine = LaneEngine(info, workers, voices, config.as_limits(), metrics, *rest)
        if config.max_workers > config.workers:
            engine.beside(Scaler(engine, config.workers, config.max_workers).run())
        return engine
