"""The engine in this process: one worker thread around one model."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

from serving.config import Config
from serving.decider import Decider
from serving.ears import FarPerceiver
from serving.engine import LaneEngine
from serving.journal import Journal, NoJournal, RedisJournal, SqliteJournal
from serving.metrics import Metrics, NoMetrics
from serving.tier import Tier, check_same, info_of
from serving.voices import LocalVoices
from serving.work import Frame, Pass, Work
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import WeightsError
from soundflow.perceive.perceiver import Perceiver
from soundflow.respond.voice import Voice, choose_voice
from soundflow.row import Model


class LocalWorker:
    """A decider in two threads of its own: one hears, or waits for the process that does (`ears`), one decides."""

    def __init__(
        self, model: Model, seats: int, threads: int, name: str = "local", ears: FarPerceiver | None = None
    ) -> None:
        self.name, self._own_ears = name, ears
        self._decider = Decider(model, seats, threads)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"decide-{name}")
        self._ears = ThreadPoolExecutor(1, thread_name_prefix=f"hear-{name}")

    async def step(self, work: list[Work], texts: bool) -> Pass:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._decider.step, work, texts)

    async def hear(self, frames: list[Frame]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._ears, self._decider.hear, frames)

    async def close(self) -> None:
        for thread in (self._thread, self._ears):
            thread.shutdown(wait=False, cancel_futures=True)
        if self._own_ears is not None:
            await asyncio.to_thread(self._own_ears.close)


def load_voice(wanted: bool) -> Voice | None:
    """Piper where its weights are there, else espeak-ng, else none."""
    from soundflow.tiers import weights

    if not wanted:
        return None
    try:
        folder: Path | None = weights.part("voice")
    except WeightsError:
        folder = None
    return choose_voice(folder)


def open_journal(config: Config) -> Journal:
    """As configured; an empty configuration keeps no journal."""
    if config.journal.redis_url is not None:
        return RedisJournal(config.journal.redis_url.get_secret_value())
    if config.journal.path is not None:
        return SqliteJournal(config.journal.path)
    return NoJournal()


class LocalWorkers:
    """Starts workers around one model at a time."""

    def __init__(self, config: Config) -> None:
        self._config, self._model = config, cast(Model, None)
        self._ears: FarPerceiver | None = None  # what the workers' own are made like

    @property
    def model(self) -> Model:
        """The one that was loaded last."""
        return self._model

    async def renew(self, adapter: Path | None) -> Callable[[], None]:
        """Load the tier with this adapter, or the model folder as it is now (seconds). WeightsError or ConfigError: the
        old model stays; so it does where open sessions could not go on with the new one."""
        old = self._model, self._ears
        new = await asyncio.to_thread(self._load, adapter)
        if old[0] is not None:
            check_same(info_of(new[0]), info_of(old[0]))
        self._model, self._ears = new

        def undo() -> None:
            self._model, self._ears = old

        return undo

    def _load(self, adapter: Path | None) -> tuple[Model, FarPerceiver | None]:
        tier, threads = Tier.of(self._config, adapter), os.cpu_count() or 1
        ears = tier.ears(threads) if self._config.hearing_process else None
        return tier.load(threads, ears), ears

    async def start(self) -> LocalWorker:
        """SoundflowError where the process that hears cannot begin."""
        seats, threads = self._config.as_limits().max_sessions, os.cpu_count() or 1
        if self._ears is None:
            return LocalWorker(self._model, seats, threads)
        ears = await asyncio.to_thread(self._ears.start)
        return LocalWorker(replace(self._model, perceiver=cast(Perceiver, ears)), seats, 1, ears=ears)


class LocalEngine:
    """Makes a `LaneEngine` over a `LocalWorker`."""

    @staticmethod
    async def create(config: Config, adapter: Path | None, metrics: Metrics | NoMetrics) -> LaneEngine:
        """Load the tier (seconds). WeightsError or ConfigError say what to do."""
        workers = LocalWorkers(config)
        await workers.renew(adapter)
        voices = LocalVoices(await asyncio.to_thread(load_voice, config.voice))
        return LaneEngine(
            info_of(workers.model, voices.name, voices.rate_hz),
            [await workers.start()],
            voices,
            config.as_limits(),
            metrics,
            open_journal(config),
            workers.start,
            round(config.journal.audio_s * SAMPLE_RATE_HZ / workers.model.chunk_samples),
            config.batch_rows,
            workers.renew,
        )
