"""The client of a chat endpoint: retries, limits, cache, and where the key goes."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from data_builder.scenario.endpoint import AnswerError, Endpoint, EndpointError, Message
from soundflow.errors import ConfigError
from tests.data_builder.scenario.conftest import FakeEndpoint, Reply, says, send

ASK: list[Message] = [{"role": "user", "content": "Hello?"}]
SCHEMA: dict[str, Any] = {"type": "object"}


def status(code: int, **headers: str) -> Reply:
    return lambda handler, request: send(handler, b"{}", code, **headers)


def drip(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
    """Bytes that come in one by one, each in time for a timeout that starts anew with each."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(60):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.02)


def drip_headers(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
    for _ in range(60):
        handler.wfile.write(b"X")
        handler.wfile.flush()
        time.sleep(0.02)


def cut_off(handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')


def client(fake: FakeEndpoint, **options: Any) -> tuple[Endpoint, list[float]]:
    waits: list[float] = []
    return Endpoint(fake.url, "tiny", sleep=waits.append, **{"timeout": 5.0, **options}), waits


def chat(endpoint: Endpoint, seed: int = 1) -> str:
    return endpoint.chat(ASK, SCHEMA, "day", seed)


def test_good_answer(fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.replies = [says("Good.")]
    monkeypatch.setenv("A_KEY_FOR_TESTS", "sesame")
    endpoint, waits = client(fake, key_env="A_KEY_FOR_TESTS")
    assert chat(endpoint) == "Good."
    assert waits == []
    assert fake.paths == ["/v1/chat/completions"]
    assert fake.headers[0]["Authorization"] == "Bearer sesame"
    (request,) = fake.requests
    assert request["model"] == "tiny"
    assert request["messages"] == ASK
    assert request["response_format"]["json_schema"]["schema"] == SCHEMA
    assert "audio" not in json.dumps(request)


@pytest.mark.parametrize("code", [429, 500, 503])
def test_busy_then_good(fake: FakeEndpoint, code: int) -> None:
    fake.replies = [status(code), status(code, Retry_After="7"), says("Good.")]
    endpoint, waits = client(fake, backoff=0.5)
    assert chat(endpoint) == "Good."
    assert waits == [0.5, 7.0]
    assert endpoint.asked == 3


def test_busy_for_ever(fake: FakeEndpoint) -> None:
    fake.replies = [status(429, Retry_After="99999")]
    endpoint, waits = client(fake, retries=2)
    with pytest.raises(EndpointError, match="3 attempts, got at last: status 429"):
        chat(endpoint)
    assert waits == [30.0, 30.0]


def test_plain_json_where_the_format_is_refused(fake: FakeEndpoint) -> None:
    fake.replies = [status(400), says("Good.")]
    endpoint, _ = client(fake)
    assert chat(endpoint) == "Good."
    assert ["response_format" in request for request in fake.requests] == [True, False]
    fake.replies = [status(400)]
    with pytest.raises(EndpointError, match="status 400"):
        chat(endpoint, 2)


@pytest.mark.parametrize("reply", [drip, drip_headers])
def test_slow(fake: FakeEndpoint, reply: Reply) -> None:
    fake.replies = [reply]
    endpoint, _ = client(fake, timeout=0.2, retries=0)
    start = time.monotonic()
    with pytest.raises(EndpointError, match=r"1 attempts, got at last: .*0\.2 s"):
        chat(endpoint)
    assert time.monotonic() - start < 1.0, "the deadline is for the attempt as a whole"


def test_cut_off_then_good(fake: FakeEndpoint) -> None:
    fake.replies = [cut_off, says("Good.")]
    endpoint, waits = client(fake)
    assert chat(endpoint) == "Good."
    assert len(waits) == 1


def test_nobody_listens() -> None:
    endpoint = Endpoint("http://127.0.0.1:9", "tiny", retries=1, sleep=lambda s: None)
    with pytest.raises(EndpointError, match="ConnectionRefusedError"):
        chat(endpoint)


def test_oversized(fake: FakeEndpoint) -> None:
    fake.replies = [says("x" * 5000)]
    endpoint, _ = client(fake, max_bytes=4000)
    with pytest.raises(EndpointError, match="at most 4000 bytes"):
        chat(endpoint)
    assert endpoint.asked == 1


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}',
        b'{"choices": [{"message": {"content": [1]}}]}', b"\xff\xfe\x00", b"[" * 100_000, b'{"choices": {"0": 1}}',
        b'{"choices": [{"message": {"content": " "}}]}',
    ],
)  # fmt: skip
def test_malformed(fake: FakeEndpoint, body: bytes) -> None:
    fake.replies = [lambda handler, request: send(handler, body)]
    endpoint, _ = client(fake)
    with pytest.raises(EndpointError, match="expected "):
        chat(endpoint)
    assert endpoint.asked == 1


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (says("x" * 5000), True),
        (lambda handler, request: send(handler, b'{"choices": [{"message": {"content": null}}]}'), True),
        (lambda handler, request: send(handler, b'{"choices": [{"message": {}}]}'), True),
        (lambda handler, request: send(handler, b"<html>log in</html>"), False),
        (status(500), False),
        (status(401), False),
        (status(400), False),
    ],
)
def test_only_what_the_model_said_is_kept(fake: FakeEndpoint, tmp_path: Path, reply: Reply, kept: bool) -> None:
    fake.replies = [reply]
    endpoint, _ = client(fake, cache=tmp_path, max_bytes=4000, retries=0)
    with pytest.raises(EndpointError) as first:
        chat(endpoint)
    assert isinstance(first.value, AnswerError) == kept
    fake.replies = [says("Good.")]
    fake.requests.clear()
    if not kept:
        assert list(tmp_path.iterdir()) == []
        assert chat(endpoint) == "Good."
        return
    for again in (endpoint, Endpoint("", "tiny", cache=tmp_path)):
        with pytest.raises(AnswerError) as second:
            chat(again)
        assert str(second.value) == str(first.value)
    assert not fake.requests


def test_redirects_are_not_followed(fake: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY_FOR_TESTS", "sesame")
    fake.replies = [lambda handler, request: send(handler, b"", 307, Location=f"{fake.url}/elsewhere"), says("No.")]
    endpoint, _ = client(fake, key_env="A_KEY_FOR_TESTS")
    with pytest.raises(EndpointError, match="got 307"):
        chat(endpoint)
    assert len(fake.requests) == 1


def test_cache(fake: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY_FOR_TESTS", "sesame")
    fake.replies = [says("Good."), says("Other.")]
    cache = tmp_path / "answers"
    endpoint, _ = client(fake, cache=cache, key_env="A_KEY_FOR_TESTS")
    assert [chat(endpoint), chat(endpoint), chat(endpoint, seed=2)] == ["Good.", "Good.", "Other."]
    assert endpoint.asked == 2
    assert len(list(cache.iterdir())) == 2
    assert not any("sesame" in path.read_text() for path in cache.iterdir())
    offline = Endpoint("", "tiny", cache=cache)
    assert chat(offline) == "Good."
    with pytest.raises(EndpointError, match="no base_url"):
        chat(offline, seed=3)
    for path in cache.iterdir():
        path.write_text("{not json")
    fake.replies = [says("Anew.")]
    assert chat(endpoint) == "Anew.", "a damaged file is asked again"
    assert chat(offline) == "Anew."


@pytest.mark.parametrize(
    ("url", "key", "words"),
    [
        ("ftp://host/v1", "", "http"),
        ("file:///etc/passwd", "", "http"),
        ("http://", "", "http"),
        ("https://user:secret@host/v1", "", "http"),
        ("https://host:99999/v1", "", "http"),
        ("https://[::1/v1", "", "http"),
        ("http://example.org/v1", "A_KEY", "expected https"),
    ],
)
def test_bad_url(url: str, key: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        Endpoint(url, "tiny", key_env=key)
    assert "secret" not in str(caught.value)


def test_bad_settings(fake: FakeEndpoint) -> None:
    with pytest.raises(ConfigError, match="timeout"):
        Endpoint(fake.url, "tiny", timeout=0)
    endpoint, _ = client(fake, key_env="A_KEY_THAT_IS_NOT_SET")
    with pytest.raises(ConfigError, match="A_KEY_THAT_IS_NOT_SET"):
        chat(endpoint)
    assert fake.requests == []
