"""Who may come in: token, Host and Origin checks, rates and quotas. Every endpoint asks the Guard before it accepts.

The order of the checks: draining, Host, Origin, rate of connections, token, room. A browser that was lured to another
site sends that site's Origin (or, with DNS rebinding, its Host), so both are refused without a look at the token.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from serving.limits import Limits
from soundflow.errors import ConfigError, SoundflowError

ROOM: ContextVar[str] = ContextVar("soundflow_room", default="")
"""Room of `?room=` that this connection asked for; `serving.rooms` reads it."""
SUBPROTOCOL_TOKEN: Final = "openai-insecure-api-key."
LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_ADDRESSES: Final = 4096
"""Addresses whose rate is remembered; the one that was quiet for longest is forgotten first."""
MIN_TOKEN: Final = 16
MAX_TOKEN: Final = 512


class Refused(SoundflowError):
    """A connection is not let in. `status` is the HTTP status, `code` the stable name."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def body(self) -> dict[str, dict[str, str]]:
        """The JSON body of the refusal, in the shape of OpenAI's errors."""
        kind = "invalid_request_error" if self.status < 500 and self.status != 429 else "server_error"
        return {"error": {"type": kind, "code": self.code, "message": str(self)}}


def is_loopback(host: str) -> bool:
    """Whether a server that binds to `host` is reached from this machine only."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Bucket:
    """Tokens for each key: `rate` a second, `burst` at most. Bounded: see MAX_ADDRESSES."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, key: str) -> bool:
        """Spend one of the key's tokens -> whether there was one."""
        left, now = self.peek(key), self._clock()
        self._left[key] = (max(left - 1.0, 0.0), now)
        self._left.move_to_end(key)
        if len(self._left) > MAX_ADDRESSES:
            self._left.popitem(last=False)
        return left >= 1.0

    def peek(self, key: str) -> float:
        """How many tokens the key has."""
        left, at = self._left.get(key, (self.burst, self._clock()))
        return min(self.burst, left + (self._clock() - at) * self.rate)


class Guard:
    """Decides who comes in, and counts what is open.

    Args:
        limits: `max_sessions` over all, `max_client_sessions` of one client.
        tokens: name -> secret of who may come in; empty lets everybody in, which only a loopback server may do.
        host: the address that is bound; decides whether a token is needed and which Host headers are right.
        allowed_hosts: further names that a browser or client may call the server by.
        allowed_origins: web pages of other hosts that may connect, as `https://name[:port]`.
        rooms: names that `?room=` may have.
        connections_per_s, connection_burst: of one address.

    Raises:
        ConfigError: no token beyond loopback, or one that is too short; says what to do.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        tokens: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        allowed_hosts: Sequence[str] = (),
        allowed_origins: Sequence[str] = (),
        rooms: Sequence[str] = (),
        connections_per_s: float = 50.0,
        connection_burst: int = 200,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self.draining = False
        self.on_refused: Callable[[str], None] = lambda code: None
        self._tokens = {name: _digest(secret) for name, secret in (tokens or {}).items()}
        self._check_tokens(tokens or {}, host, allowed_hosts)
        self._any_host = bool(self._tokens) and not is_loopback(host) and not allowed_hosts
        self._hosts = LOOPBACK_HOSTS | {_name_of(h) for h in (host, *allowed_hosts)}
        self._origins = frozenset(o.rstrip("/").lower() for o in allowed_origins)
        self._rooms = frozenset(rooms)
        self._connections = Bucket(connections_per_s, connection_burst, clock)
        self._open: dict[str, int] = {}

    @staticmethod
    def _check_tokens(tokens: Mapping[str, str], host: str, allowed_hosts: Sequence[str]) -> None:
        for name, secret in tokens.items():
            if not MIN_TOKEN <= len(secret) <= MAX_TOKEN or not secret.isascii() or not secret.isprintable():
                raise ConfigError(
                    f"token {name!r}: {MIN_TOKEN} to {MAX_TOKEN} printable ASCII characters were expected, "
                    f"got {len(secret)}; make one with `openssl rand -hex 32`"
                )
            if " " in secret:
                raise ConfigError(f"token {name!r}: a secret without spaces was expected")
        beyond = [h for h in (host, *allowed_hosts) if not is_loopback(_name_of(h))]
        if beyond and not tokens:
            raise ConfigError(
                f"host {beyond[0]!r} is reached from other machines, and no token is set. Set token_file (or "
                "SOUNDFLOW_TOKEN) to a secret made with `openssl rand -hex 32`, or bind to 127.0.0.1"
            )

    @property
    def open_sessions(self) -> int:
        """Sessions that are held now, over all clients."""
        return sum(self._open.values())

    @property
    def needs_token(self) -> bool:
        return bool(self._tokens)

    def admit(self, headers: Mapping[str, str], query: Mapping[str, str], peer: str) -> str:
        """Let a new connection in -> the client's name (the token's, or the address), for quotas. The room it asks for
        goes into ROOM, for the sessions that this task opens.

        Args:
            headers: of the HTTP request; the case of names does not matter.
            query: of its URL.
            peer: address it comes from.

        Raises:
            Refused: 503 draining, 429 too many connections, 403 Host or Origin, 401 token, 404 room.
        """
        try:
            return self._admit(_folded(headers), query, peer)
        except Refused as error:
            self.on_refused(error.code)
            raise

    def _admit(self, headers: Mapping[str, str], query: Mapping[str, str], peer: str) -> str:
        if self.draining:
            raise Refused(503, "draining", "the server is stopping; connect again in a few seconds")
        self.check_host(headers)
        self.check_origin(headers)
        self.admit_address(peer)
        name = self.check_token(headers, query, peer)
        room = query.get("room", "")
        if room and room not in self._rooms:
            raise Refused(404, "unknown_room", f"a configured room was expected, got {room[:64]!r}")
        ROOM.set(room)
        return name

    def admit_address(self, peer: str) -> None:
        """Count a connection of this address; for protocols without headers, too.

        Raises:
            Refused: 429, it opens too many.
        """
        if not self._connections.take(_network(peer)):
            raise Refused(429, "too_many_connections", "connections come too fast from this address; wait a second")

    def check_host(self, headers: Mapping[str, str]) -> None:
        """Raises Refused(403) for a Host header that is not one of ours (DNS rebinding)."""
        host = headers.get("host", "")
        if self._any_host or (host and _name_of(host) in self._hosts):
            return
        raise Refused(403, "bad_host", "the Host header names another server; add its name to allowed_hosts")

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Raises Refused(403) for a page of another host that is not in the list."""
        origin = headers.get("origin", "").lower()
        if not origin or origin in self._origins:
            return
        host = headers.get("host", "").lower()
        if host and origin in {f"http://{host}", f"https://{host}"}:
            return
        raise Refused(403, "bad_origin", "a page of another site may not connect; add its origin to allowed_origins")

    def check_token(self, headers: Mapping[str, str], query: Mapping[str, str], peer: str) -> str:
        """The client's name. Compares in constant time with every token; the rate of connections bounds the guesses.

        Raises:
            Refused: 401 for no token or a wrong one.
        """
        address = _network(peer)
        if not self._tokens:
            return address
        given = _digest(_token_of(headers, query))
        found = ""
        for name, secret in self._tokens.items():
            if hmac.compare_digest(secret, given):
                found = name
        if not found:
            raise Refused(401, "bad_token", "a token was expected: Authorization: Bearer TOKEN, or ?token=")
        return address if found == "default" else found

    @contextmanager
    def hold(self, client: str) -> Iterator[None]:
        """Count one open session of `client` for as long as the context is open.

        Raises:
            Refused: 429 the client has too many; 503 the server is full or stops.
        """
        try:
            self._may_open(client)
        except Refused as error:
            self.on_refused(error.code)
            raise
        self._open[client] = self._open.get(client, 0) + 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]

    def _may_open(self, client: str) -> None:
        if self.draining:
            raise Refused(503, "draining", "the server is stopping; connect again in a few seconds")
        if self._open.get(client, 0) >= self.limits.max_client_sessions:
            raise Refused(
                429, "too_many_sessions", f"at most {self.limits.max_client_sessions} sessions of one client are open"
            )
        if self.open_sessions >= self.limits.max_sessions:
            raise Refused(503, "full", f"at most {self.limits.max_sessions} sessions are served")


def _folded(headers: Mapping[str, str]) -> dict[str, str]:
    """Names in lower case; a header that came twice is joined, and so matches nothing that must be single."""
    out: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        out[key] = f"{out[key]},{value}" if key in out else value
    return out


def _token_of(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and secret.strip():
        return secret.strip()
    for part in headers.get("sec-websocket-protocol", "").split(","):
        if part.strip().startswith(SUBPROTOCOL_TOKEN):
            return part.strip().removeprefix(SUBPROTOCOL_TOKEN)
    return query.get("token", "")


def _digest(secret: str) -> bytes:
    """So that the time of a comparison does not depend on the lengths, either."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _name_of(host: str) -> str:
    """`Name:80` -> `name`, `[::1]:80` -> `::1`."""
    text = host.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _network(peer: str) -> str:
    """An IPv6 customer has a whole /64, so that is what counts as one address."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer or "local"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
