"""A real mosquitto on a free port, and a plain subscriber. Skips where mosquitto is not installed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

WAIT_S = 5.0
SBIN = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
MOSQUITTO = shutil.which("mosquitto", path=SBIN)

needs_broker = pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed (Debian: apt install mosquitto)"
)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def mosquitto(folder: Path, port: int, *lines: str) -> AsyncIterator[None]:
    """Listens at 127.0.0.1:port; `lines` are added to its configuration."""
    assert MOSQUITTO is not None
    config = folder / f"mosquitto-{port}.conf"
    user = ["user root"] if os.geteuid() == 0 else []
    who = [] if any("password_file" in line for line in lines) else ["allow_anonymous true"]
    config.write_text("\n".join([*user, f"listener {port} 127.0.0.1", "persistence false", *who, *lines, ""]))
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await _listening(port, process)
        yield
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, WAIT_S)


async def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            assert process.poll() is None, "mosquitto did not start"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return


@dataclass
class Subscriber:
    """Everything that came: (topic, payload, retained)."""

    client: aiomqtt.Client
    seen: list[tuple[str, str, bool]] = field(default_factory=list)

    async def collect(self) -> None:
        async for message in self.client.messages:
            payload = message.payload.decode() if isinstance(message.payload, bytes) else str(message.payload)
            self.seen.append((str(message.topic), payload, bool(message.retain)))

    async def until(self, what: Callable[[str, Any], bool]) -> tuple[str, Any, bool]:
        """The first message for which `what(topic, payload)` is true; payloads are parsed where they are JSON."""
        at = 0
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    for topic, payload, retained in self.seen[at:]:
                        if what(topic, parsed(payload)):
                            return topic, parsed(payload), retained
                    at = len(self.seen)
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"it did not come; what came: {[(t, p[:80]) for t, p, _ in self.seen]}") from None


def parsed(payload: str) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload


@asynccontextmanager
async def subscriber(port: int, topic: str = "#", **options: Any) -> AsyncIterator[Subscriber]:
    async with aiomqtt.Client("127.0.0.1", port, **options) as client:
        await client.subscribe(topic, qos=1)
        found = Subscriber(client)
        task = asyncio.create_task(found.collect())
        try:
            yield found
        finally:
            task.cancel()
            await asyncio.wait({task})
