"""The number of workers follows the load, slowly, within its bounds; workers change under live sessions."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from serving.handle import SessionSpec
from serving.local import LocalWorker
from serving.scaling import GROW_AFTER, SHRINK_AFTER, Scaler
from tests.serving.test_engine import check_whole, engine, noise, play
from tests.tiny_model import CHUNK, tiny_model


class Loaded:
    """An engine of a given load."""

    def __init__(self, workers: int) -> None:
        self.load, self.workers = 0.0, workers

    async def grow(self) -> None:
        self.workers += 1

    def shrink(self) -> None:
        self.workers -= 1


def looks(scaler: Scaler, count: int) -> None:
    async def run():
        for _ in range(count):
            await scaler.look()

    asyncio.run(run())


def test_it_grows_and_shrinks_within_its_bounds():
    loaded = Loaded(1)
    scaler = Scaler(loaded, 1, 3)
    loaded.load = 0.9
    looks(scaler, GROW_AFTER - 1)
    assert loaded.workers == 1
    looks(scaler, 1)
    assert loaded.workers == 2
    looks(scaler, 20 * GROW_AFTER)
    assert loaded.workers == 3
    loaded.load = 0.2  # neither
    looks(scaler, 100)
    assert loaded.workers == 3
    loaded.load = 0.0
    looks(scaler, SHRINK_AFTER - 1)
    assert loaded.workers == 3
    looks(scaler, 10 * SHRINK_AFTER)
    assert loaded.workers == 1


def test_a_spike_changes_nothing():
    loaded = Loaded(1)
    scaler = Scaler(loaded, 1, 3)
    for load in (0.9, 0.0, 0.9, 0.9, 0.0):
        loaded.load = load
        looks(scaler, 1)
    assert loaded.workers == 1


@pytest.mark.weights
def test_all_workers_are_replaced_under_live_sessions(nano_parts):
    model = tiny_model(nano_parts)

    async def run():
        first = [LocalWorker(model, 8, 1, "old") for _ in range(2)]

        async def start():
            return LocalWorker(model, 8, 1, "new")

        served = engine(model, first, respawn=start)
        playing = [asyncio.create_task(play(served, SessionSpec(proactivity=0.9), noise(k, 12))) for k in range(3)]
        await asyncio.sleep(0.15)
        await served.roll()
        taken = await asyncio.gather(*playing)
        handle = await served.open(SessionSpec())
        handle.push(np.zeros(CHUNK, np.float32))
        await handle.close(flush=True)
        names = {lane.worker.name for lane in served.lanes}
        count = served.workers
        served.shrink()
        served.shrink()
        await asyncio.sleep(0.05)
        left = served.workers
        await served.close()
        return taken, names, count, left

    taken, names, count, left = asyncio.run(run())
    for one in taken:
        check_whole(one, 12)
    assert names == {"new"}
    assert count == 2
    assert left == 1
