"""Tells the local network of the Wyoming server: mDNS service `_wyoming._tcp.local.`, which Home Assistant finds."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from typing import Final

import ifaddr
from zeroconf import InterfaceChoice, NonUniqueNameException
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from soundflow.errors import ConfigError

SERVICE: Final = "_wyoming._tcp.local."
MAX_NAME: Final = 63  # bytes of one DNS label


def addresses(host: str) -> list[str]:
    """The addresses that a server bound to `host` is reached at; a wildcard is every IPv4 address but loopback.

    Raises:
        ConfigError: a name that is not found, or a machine without a network.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            return sorted({str(a[4][0]) for a in socket.getaddrinfo(host, None, socket.AF_INET)})
        except OSError as error:
            raise ConfigError(f"zeroconf: {host!r} is not found: {error}") from error
    if not address.is_unspecified:
        return [host]
    found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    outside = [ip for ip in found if not ipaddress.ip_address(ip).is_loopback]
    if not outside:
        raise ConfigError("zeroconf: this machine has no network address to announce")
    return outside


class Announcement:
    """`async with Announcement(name, host, port)`: announced while it is open.

    Args:
        name: what people see; Home Assistant shows it. Made unique on the network.
        interfaces: addresses of the interfaces to announce on; all by default.
    """

    def __init__(self, name: str, host: str, port: int, interfaces: Sequence[str] | None = None) -> None:
        label = re.sub(r"[^\w -]", "-", name).strip() or "soundflow"
        self.name = label.encode()[: MAX_NAME - 4].decode(errors="ignore")
        self._host, self._port = host, port
        self._interfaces = list(interfaces) if interfaces else InterfaceChoice.All
        self._zeroconf: AsyncZeroconf | None = None
        self._info: AsyncServiceInfo | None = None

    async def __aenter__(self) -> Announcement:
        """ConfigError where the network cannot be used, or 8 others have the name."""
        info = AsyncServiceInfo(
            SERVICE,
            f"{self.name}.{SERVICE}",
            parsed_addresses=addresses(self._host),
            port=self._port,
            server=f"{re.sub(r'[^a-z0-9-]', '-', self.name.lower())}.local.",
        )
        try:
            self._zeroconf = AsyncZeroconf(interfaces=self._interfaces)
            await self._zeroconf.async_register_service(info, allow_name_change=True)
        except (OSError, NonUniqueNameException) as error:
            await self.__aexit__()
            raise ConfigError(
                f"zeroconf: {self.name!r} cannot be announced: {error or type(error).__name__}"
            ) from error
        self._info = info
        self.name = info.name.removesuffix(f".{SERVICE}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._zeroconf is None:
            return
        if self._info is not None:
            await self._zeroconf.async_unregister_service(self._info)
        await self._zeroconf.async_close()
        self._zeroconf = self._info = None
