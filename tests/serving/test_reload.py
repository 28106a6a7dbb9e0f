"""New weights under a running server."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from serving import server as server_module
from soundflow.errors import WeightsError
from tests.serving.test_server import Running, run, small_routers

__all__ = ["small_routers"]


def test_a_signal_loads_the_weights_anew_and_bad_ones_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def test(running: Running) -> None:
        async def roll(adapter: Path | None) -> None:
            asked.append(str(adapter))
            if len(asked) > 1:
                raise WeightsError("adapter.json is missing")

        monkeypatch.setattr(running.engine, "roll", roll, raising=False)
        for k in range(2):
            os.kill(os.getpid(), signal.SIGUSR1)
            async with asyncio.timeout(5):
                while len(asked) <= k or running.server.rolling:
                    await asyncio.sleep(0.01)
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://{running.url}/ready")).status_code == 200

    monkeypatch.setattr(server_module, "adapter_folder", lambda config: Path("new"))
    run(test)
    assert asked == ["new", "new"]
