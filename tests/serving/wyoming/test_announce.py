"""mDNS: another zeroconf on the loopback interface finds the server, and no longer finds it after the end."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from serving.wyoming.announce import SERVICE, Announcement, addresses
from soundflow.errors import ConfigError
from tests.serving.wyoming.served import client_of, served

LOOPBACK = ["127.0.0.1"]


async def find(name: str, wait_ms: int = 2_000) -> AsyncServiceInfo | None:
    seeker = AsyncZeroconf(interfaces=LOOPBACK)
    try:
        return await seeker.async_get_service_info(SERVICE, f"{name}.{SERVICE}", wait_ms)
    finally:
        await seeker.async_close()


def test_the_server_is_found_on_the_network() -> None:
    name = f"SoundFlow {uuid.uuid4().hex[:8]}"

    async def run() -> None:
        async with served() as server:
            async with Announcement(name, server.host, server.port, LOOPBACK) as announced:
                assert announced.name == name
                found = await find(name)
                assert found is not None
                assert found.parsed_addresses(IPVersion.V4Only) == LOOPBACK
                assert found.port == server.port
                async with client_of(server):
                    pass
            assert await find(name, 300) is None

    asyncio.run(run())


def test_a_long_or_odd_name_is_made_fit() -> None:
    assert Announcement("küche / \x00 1. " + "x" * 100, "127.0.0.1", 1).name.startswith("küche - - 1- xxx")
    assert len(Announcement("é" * 100, "127.0.0.1", 1).name.encode()) <= 63
    assert Announcement("", "127.0.0.1", 1).name == "soundflow"


def test_addresses() -> None:
    assert addresses("127.0.0.1") == ["127.0.0.1"]
    assert addresses("localhost") == ["127.0.0.1"]
    with pytest.raises(ConfigError, match="not found"):
        addresses("no-such-host.invalid")
