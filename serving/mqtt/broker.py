"""The address of a broker, read from a URL. Its password is never shown."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from soundflow.errors import ConfigError

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
FORM: Final = "mqtt[s]://[user[:password]@]host[:port][?ca=FILE]"


@dataclass(frozen=True, slots=True)
class Broker:
    """ca: file with the certificate that signed the broker's; empty trusts what the system trusts."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca: str = ""

    @classmethod
    def parse(cls, url: str, user: str = "", password: str = "") -> Broker:
        """`mqtt[s]://[user[:password]@]host[:port][?ca=FILE]`; `user` and `password` fill in what it leaves out.

        Raises:
            ConfigError: without the URL in the message, which may hold a password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
            options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query), keep_blank_values=True))
        except ValueError:
            raise ConfigError(f"mqtt url: expected {FORM}") from None
        if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/") or parts.fragment:
            raise ConfigError(f"mqtt url: expected {FORM}")
        tls, ca = parts.scheme == "mqtts", options.pop("ca", "")
        if options:
            raise ConfigError(f"mqtt url: unknown option {min(options)!r:.40}, expected ca")
        if ca and not tls:
            raise ConfigError("mqtt url: ca goes with mqtts://")
        name = unquote(parts.username or "") or user
        secret = unquote(parts.password or "") or password
        if secret and not name:
            raise ConfigError("mqtt url: a password was given, expected a user, too")
        return cls(parts.hostname, port or PORTS[parts.scheme], name, secret, tls, ca)

    def context(self) -> ssl.SSLContext | None:
        """For TLS; certificate and host name are always checked. ConfigError where `ca` cannot be read."""
        if not self.tls:
            return None
        if self.ca and not Path(self.ca).is_file():
            raise ConfigError(f"mqtt url: ca: expected a file, got {self.ca!r}")
        try:
            return ssl.create_default_context(cafile=self.ca or None)
        except ssl.SSLError as error:
            raise ConfigError(f"mqtt url: ca: expected certificates in PEM form in {self.ca!r}: {error}") from error

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"
