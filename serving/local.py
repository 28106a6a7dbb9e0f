"""The engine in this process: one worker thread around one model."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from serving.config import Config
from serving.decider import Decider
from serving.ears import FarPerceiver
from serving.engine import LaneEngine
from serving.handle import EngineInfo
from serving.journal import Journal, NoJournal, RedisJournal, SqliteJournal
from serving.metrics import Metrics, NoMetrics
from serving.voices import LocalVoices
from serving.work import Frame, Pass, Work
from soundflow import SAMPLE_RATE_HZ, __version__
from soundflow.errors import ConfigError, WeightsError
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


def info_of(model: Model, voice: str, rate_hz: int) -> EngineInfo:
    chunk_ms = 1000 * model.chunk_samples / SAMPLE_RATE_HZ
    return EngineInfo(model.tier, __version__, chunk_ms, tuple(model.perceiver.labels), voice, rate_hz)


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
        """Load the tier with this adapter (seconds). WeightsError or ConfigError: the old model stays."""
        old = self._model, self._ears
        self._model, self._ears = await asyncio.to_thread(self._load, adapter)

        def undo() -> None:
            self._model, self._ears = old

        return undo

    def _load(self, adapter: Path | None) -> tuple[Model, FarPerceiver | None]:
        from soundflow.tiers import nano
        from soundflow.tiers.pretrained import from_pretrained

        if self._config.model is not None:
            if adapter is not None:
                raise ConfigError(f"adapter: none was expected beside a model folder, got {adapter}")
            return from_pretrained(self._config.model, device=self._config.device), None
        how = {"adapter": adapter, "eight_bit": self._config.eight_bit, "device": self._config.device}
        threads = os.cpu_count() or 1
        if not self._config.hearing_process:
            return nano.load(**how, word_threads=threads), None
        ears = FarPerceiver(partial(nano.hearing, **how, word_threads=threads), *nano.heard(adapter))
        return nano.load(**how, perceiver=cast(Perceiver, ears)), ears

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
