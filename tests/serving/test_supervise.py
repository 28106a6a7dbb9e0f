"""A side service that fails is started again, and takes nobody along."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from serving.metrics import Metrics
from serving.supervise import Supervisor
from tests.serving.test_metrics import samples


def test_a_failing_service_is_restarted_with_a_bounded_wait_while_others_go_on() -> None:
    starts: list[float] = []
    beats = 0

    async def broken() -> None:
        starts.append(asyncio.get_running_loop().time())
        raise OSError("no broker")

    async def returns() -> None:
        return

    async def healthy() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.005)

    async def run() -> tuple[Metrics, Supervisor]:
        metrics = Metrics()
        supervisor = Supervisor(metrics, first_s=0.01, most_s=0.04)
        for name, service in {"broken": broken, "returns": returns, "healthy": healthy}.items():
            supervisor.keep(name, service)
        await asyncio.sleep(0.4)
        found = samples(metrics)
        assert found["soundflow_service_up|service=healthy"] == 1
        assert found["soundflow_service_up|service=broken"] == 0
        await supervisor.stop()
        return metrics, supervisor

    metrics, supervisor = asyncio.run(run())
    assert supervisor.failures["healthy"] == 0
    assert 5 < supervisor.failures["broken"] < 40
    assert supervisor.failures["returns"] > 5
    assert beats > 10
    waits = [b - a for a, b in pairwise(starts)]
    assert waits[0] < 0.03
    assert all(w >= 0.03 for w in waits[3:])
    assert samples(metrics)["soundflow_service_failures_total|service=broken"] == supervisor.failures["broken"]


def test_a_healthy_run_forgets_old_failures() -> None:
    starts: list[float] = []

    async def sometimes() -> None:
        starts.append(asyncio.get_running_loop().time())
        if len(starts) == 5:
            await asyncio.sleep(0.1)
        raise ValueError

    async def run() -> None:
        supervisor = Supervisor(Metrics(), first_s=0.01, most_s=1.0, healthy_s=0.08)
        supervisor.keep("x", sometimes)
        await asyncio.sleep(0.45)
        await supervisor.stop()

    asyncio.run(run())
    assert starts[5] - starts[4] < 0.15  # 0.1 s of running and the shortest wait, not 0.16


def test_stop_does_not_wait_for_ever() -> None:
    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                await asyncio.sleep(0.3)
                raise

    async def run() -> float:
        supervisor = Supervisor(Metrics())
        supervisor.keep("x", stubborn)
        await asyncio.sleep(0.01)
        began = asyncio.get_running_loop().time()
        await supervisor.stop(0.05)
        took = asyncio.get_running_loop().time() - began
        await asyncio.sleep(0.4)
        return took

    assert asyncio.run(run()) < 0.25
