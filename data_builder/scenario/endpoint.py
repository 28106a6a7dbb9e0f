"""A client for any OpenAI-compatible chat endpoint, out of the standard library, with a bound on everything.

It sends text only. The protocol is the public one of `POST {base_url}/chat/completions`; redirects and proxies are not
followed, so that the key goes nowhere but to the host that the caller named.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from soundflow.errors import ConfigError, DataError

RETRY: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
UNSUPPORTED: Final = frozenset({400, 404, 415, 422})  # what servers answer to a response_format that they do not know
MAX_WAIT: Final = 30.0
Message = dict[str, str]


class EndpointError(DataError):
    """The endpoint gave no answer; it may give one another time."""

    code = "bad_endpoint"


class AnswerError(EndpointError):
    """The model's answer has no text that can be used. It is kept in the cache as that: asked again, it stays so."""


class _TryAgainError(Exception):
    """A failure that may pass; `wait`: s that the server asked for."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class _RefusedError(Exception):
    """The server does not take the request as it is."""


@dataclass(slots=True)
class Endpoint:
    """Where to ask. `base_url` "": nobody is asked, only the cache answers.

    `key_env`: environment variable of the key ("" = no key). `timeout`: s for one attempt as a whole. `retries`: after
    the first attempt. `backoff`: s before the first retry, doubled for each. `max_bytes` of an answer. `cache`: folder
    of answers, keyed by the request.

    Raises ConfigError for a URL that is not http(s), or a key that would go out in clear text.
    """

    base_url: str
    model: str
    key_env: str = ""
    cache: Path | None = None
    timeout: float = 60.0
    retries: int = 3
    backoff: float = 1.0
    max_bytes: int = 1 << 20
    temperature: float = 0.8
    sleep: Callable[[float], None] = time.sleep
    asked: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.timeout <= 0 or self.retries < 0 or self.backoff < 0 or self.max_bytes < 1:
            raise ConfigError(
                f"endpoint: expected timeout > 0, retries >= 0, backoff >= 0, max_bytes >= 1, got {self.timeout}, "
                f"{self.retries}, {self.backoff}, {self.max_bytes}"
            )
        if not self.base_url:
            return
        try:
            url = urlsplit(self.base_url)
            good = url.port != 0 and not (url.username or url.query or url.fragment)
        except ValueError:  # a port or an address that is none
            good = False
        if not good or url.scheme not in {"http", "https"} or not url.hostname:
            raise ConfigError(f"base_url: expected http(s)://host[:port]/path, got {_masked(self.base_url)!r}")
        if self.key_env and url.scheme == "http" and not _loopback(url.hostname):
            raise ConfigError(f"base_url: expected https where a key is sent, got {_masked(self.base_url)!r}")

    def chat(self, messages: list[Message], schema: dict[str, Any], name: str, seed: int) -> str:
        """Text of the answer, out of the cache where the same was asked before.

        Args:
            messages: role and content of each.
            schema: JSON schema that the answer should follow; sent as `response_format`, and left out where the server
                refuses that.
            name: name of the schema.
            seed: sent along, and part of the key of the cache.

        Raises:
            ConfigError: the key is not set.
            AnswerError: an answer that is no text or too large, now or when the same was asked before.
            EndpointError: no answer. Nothing is kept of that.
        """
        body = {
            "model": self.model,
            "messages": messages,
            "temperature": self.temperature,
            "seed": seed,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": name, "strict": True, "schema": schema},
            },
        }
        key = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        text = self._cached(key)
        if text is None:
            if not self.base_url:
                raise EndpointError(f"expected answer {key[:12]} in the cache {self.cache}, got none, and no base_url")
            try:
                text = self._asked(body)
            except AnswerError as error:
                self._keep(key, {"rejected": str(error)})
                raise
            self._keep(key, {"content": text})
        return text

    def _asked(self, body: dict[str, Any]) -> str:
        """One answer, without `response_format` where the server does not take it."""
        try:
            return self._answer(body)
        except _RefusedError:
            plain = {k: v for k, v in body.items() if k != "response_format"}
            try:
                return self._answer(plain)
            except _RefusedError as error:
                raise EndpointError(f"expected status 200 from the endpoint, got {error}") from None

    def _answer(self, body: dict[str, Any]) -> str:
        """One answer, with retries."""
        reason = ""
        for attempt in range(self.retries + 1):
            try:
                return _content(self._post(json.dumps(body).encode()))
            except _TryAgainError as error:
                reason = str(error)
                if attempt < self.retries:
                    self.sleep(min(MAX_WAIT, max(error.wait, self.backoff * 2**attempt)))
        raise EndpointError(f"expected an answer in {self.retries + 1} attempts, got at last: {reason}")

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Connection": "close"}
        if self.key_env:
            key = os.environ.get(self.key_env, "").strip()
            if not key or not key.isascii() or not key.isprintable():
                raise ConfigError(
                    f"environment variable {self.key_env}: expected the endpoint's key, got none or no text"
                )
            headers["Authorization"] = f"Bearer {key}"
        return headers

    def _post(self, data: bytes) -> bytes:
        """Body of a 200 answer; the attempt ends at the deadline, however slowly bytes come in."""
        url = urlsplit(self.base_url)
        headers = self._headers()
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=self.timeout)
        late = threading.Event()

        def stop() -> None:
            late.set()
            if connection_socket is not None:
                try:
                    socket.socket.shutdown(connection_socket, socket.SHUT_RDWR)
                except OSError:
                    pass  # closed already

        connection_socket: socket.socket | None = None
        timer = threading.Timer(self.timeout, stop)
        timer.daemon = True
        self.asked += 1
        try:
            timer.start()
            connection.connect()
            connection_socket = connection.sock
            connection.request("POST", f"{url.path.rstrip('/')}/chat/completions", data, headers)
            with connection.getresponse() as response:
                answer = self._read(response, late)
                status, wait = response.status, _seconds(response.getheader("Retry-After"))
        except (OSError, http.client.HTTPException, ValueError) as error:
            what = f"nothing in {self.timeout:g} s" if late.is_set() else f"{type(error).__name__}"
            raise _TryAgainError(what) from None
        finally:
            timer.cancel()
            connection.close()
        if late.is_set():
            raise _TryAgainError(f"no whole answer in {self.timeout:g} s")
        if status in RETRY:
            raise _TryAgainError(f"status {status}", wait)
        if status in UNSUPPORTED:
            raise _RefusedError(f"status {status}")
        if status != 200:
            raise EndpointError(f"expected status 200 from the endpoint, got {status}")
        return answer

    def _read(self, response: http.client.HTTPResponse, late: threading.Event) -> bytes:
        """Body of at most `max_bytes`."""
        parts, size = [], 0
        while not late.is_set():
            part = response.read1(65536)
            if not part:
                break
            size += len(part)
            if size > self.max_bytes:
                raise AnswerError(f"expected an answer of at most {self.max_bytes} bytes, got more")
            parts.append(part)
        if response.length and not late.is_set():
            raise _TryAgainError(f"an answer cut off {response.length} bytes early")
        return b"".join(parts)

    def _cached(self, key: str) -> str | None:
        """The kept answer; a file that is not ours is no answer. Raises AnswerError where the answer was none."""
        if self.cache is None:
            return None
        path = self.cache / f"{key}.json"
        try:
            if path.stat().st_size > 8 * self.max_bytes:
                return None
            kept = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(kept, dict) or kept.get("key") != key:
            return None
        if isinstance(reason := kept.get("rejected"), str):
            raise AnswerError(reason)
        text = kept.get("content")
        return text if isinstance(text, str) else None

    def _keep(self, key: str, what: dict[str, str]) -> None:
        """Write the answer, or why it is none, to the cache, whole or not at all."""
        if self.cache is None:
            return
        self.cache.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.cache, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump({"key": key, **what}, out)
            os.replace(name, self.cache / f"{key}.json")
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _masked(url: str) -> str:
    """A URL as far as it may be shown."""
    return url.rpartition("@")[2].partition("?")[0][:120]


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _seconds(value: str | None) -> float:
    """Retry-After in s; 0 for a date, for nothing and for nonsense."""
    return float(value) if value and value.isascii() and value.isdigit() and len(value) < 6 else 0.0


def _content(answer: bytes) -> str:
    """The text in an answer of the endpoint. Raises EndpointError for another form, AnswerError where it is no text."""
    try:
        message = json.loads(answer)["choices"][0]["message"]
        text = message.get("content")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        what = answer[:60].decode("ascii", "replace")
        raise EndpointError(f"expected choices[0].message.content, got {type(error).__name__} in {what!r}") from None
    if not isinstance(text, str) or not text.strip():
        raise AnswerError(f"expected text in choices[0].message.content, got {type(text).__name__}")
    return text
