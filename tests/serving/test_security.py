"""Who may come in."""

from __future__ import annotations

import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import security
from serving.limits import Limits
from serving.security import MAX_ADDRESSES, ROOM, Bucket, Guard, Refused
from soundflow.errors import ConfigError

TOKEN = "a-token-of-sufficient-length"
LOCAL = {"Host": "localhost:8080"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(
    guard: Guard, headers: dict[str, str], query: dict[str, str] | None = None, peer: str = "10.0.0.9"
) -> Refused:
    with pytest.raises(Refused) as caught:
        guard.admit(headers, query or {}, peer)
    return caught.value


def test_loopback_needs_no_token() -> None:
    assert Guard().admit(LOCAL, {}, "127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "soundflow.local", "", "127.0.0.1.evil.example"])
def test_beyond_loopback_a_token_is_needed(host: str) -> None:
    with pytest.raises(ConfigError, match="token_file") as caught:
        Guard(host=host)
    assert "openssl rand -hex 32" in str(caught.value)
    assert Guard(host=host, tokens={"default": TOKEN}).needs_token


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_addresses(host: str) -> None:
    assert not Guard(host=host).needs_token


def test_a_public_name_needs_a_token_too() -> None:
    with pytest.raises(ConfigError, match=r"house\.example"):
        Guard(allowed_hosts=["house.example"])


@pytest.mark.parametrize("secret", ["", "short", "x" * 513, "with spaces in it here", "naïve-naïve-naïve-naïve"])
def test_weak_tokens_are_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Guard(tokens={"tablet": secret})
    assert "tablet" in str(caught.value)
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, {}),
        ({"authorization": f"bearer  {TOKEN}"}, {}),
        ({"Sec-WebSocket-Protocol": f"realtime, openai-insecure-api-key.{TOKEN}, openai-beta.realtime-v1"}, {}),
        ({}, {"token": TOKEN}),
    ],
)
def test_three_ways_to_give_the_token(headers: dict[str, str], query: dict[str, str]) -> None:
    guard = Guard(host="0.0.0.0", tokens={"default": TOKEN})
    assert guard.admit({"Host": "anything"} | headers, query, "10.0.0.9") == "10.0.0.9"


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, {}),
        ({"Authorization": TOKEN}, {}),
        ({"Authorization": "Bearer "}, {}),
        ({"Authorization": f"Basic {TOKEN}"}, {}),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, {}),
        ({"Authorization": f"Bearer {TOKEN}x"}, {}),
        ({}, {"token": TOKEN.upper()}),
        ({}, {"token": "\ud800"}),
        ({"Sec-WebSocket-Protocol": TOKEN}, {}),
        ({"Authorization": f"Bearer {TOKEN}", "authorization": f"Bearer {TOKEN}"}, {}),
    ],
)
def test_anything_else_is_refused(headers: dict[str, str], query: dict[str, str]) -> None:
    error = refused(Guard(host="0.0.0.0", tokens={"default": TOKEN}), {"Host": "x"} | headers, query)
    assert (error.status, error.code) == (401, "bad_token")
    assert TOKEN not in str(error)


def test_named_tokens_name_the_client() -> None:
    guard = Guard(host="0.0.0.0", tokens={"tablet": TOKEN, "hub": TOKEN[::-1]})
    assert guard.admit({"Host": "x"}, {"token": TOKEN}, "10.0.0.9") == "tablet"
    assert guard.admit({"Host": "x"}, {"token": TOKEN[::-1]}, "10.0.0.9") == "hub"


def test_every_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def compare(a: Any, b: Any) -> bool:
        calls.append((len(a), len(b)))
        return real(a, b)

    guard = Guard(host="0.0.0.0", tokens={"a": TOKEN, "b": TOKEN[::-1], "c": TOKEN * 2})
    monkeypatch.setattr(security.hmac, "compare_digest", compare)
    for offered in (TOKEN, "x", TOKEN * 2):
        calls.clear()
        try:
            guard.admit({"Host": "x"}, {"token": offered}, "10.0.0.9")
        except Refused:
            assert offered == "x"
        assert calls == [(32, 32)] * 3


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.nip.io", "", "a,b"]
)
def test_dns_rebinding_is_refused(host: str) -> None:
    assert refused(Guard(), {"Host": host}, peer="127.0.0.1").code == "bad_host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "[::1]"])
def test_our_own_names(host: str) -> None:
    assert Guard().admit({"Host": host}, {}, "::1")


def test_no_host_is_refused() -> None:
    assert refused(Guard(), {}).code == "bad_host"


def test_allowed_hosts_bind_a_server_to_its_names() -> None:
    guard = Guard(host="0.0.0.0", tokens={"default": TOKEN}, allowed_hosts=["house.example"])
    assert guard.admit({"Host": "House.Example:443"}, {"token": TOKEN}, "10.0.0.9")
    assert refused(guard, {"Host": "other.example"}, {"token": TOKEN}).code == "bad_host"


@pytest.mark.parametrize(
    ("origin", "good"),
    [
        ("http://localhost:8080", True),
        ("https://localhost:8080", True),
        ("https://house.example", True),
        ("https://HOUSE.example", True),
        ("http://house.example", False),
        ("https://evil.example", False),
        ("http://localhost:9999", False),
        ("http://localhost:8080.evil.example", False),
        ("http://localhost:8080@evil.example", False),
        ("null", False),
        ("http://[", False),
        ("http://localhost:8080/", False),
        ("file://", False),
        ("localhost:8080", False),
    ],
)
def test_origin(origin: str, good: bool) -> None:
    guard = Guard(allowed_origins=["https://house.example/"])
    headers = {**LOCAL, "Origin": origin}
    if good:
        assert guard.admit(headers, {}, "127.0.0.1")
    else:
        assert refused(guard, headers).code == "bad_origin"


def test_rate_of_one_address_and_not_of_another() -> None:
    clock = Clock()
    guard = Guard(connections_per_s=1.0, connection_burst=3, clock=clock)
    for _ in range(3):
        guard.admit(LOCAL, {}, "10.0.0.1")
    assert refused(guard, LOCAL, peer="10.0.0.1").status == 429
    assert guard.admit(LOCAL, {}, "10.0.0.2")
    clock.now = 1.0
    assert guard.admit(LOCAL, {}, "10.0.0.1")
    assert refused(guard, LOCAL, peer="10.0.0.1").status == 429


def test_an_ipv6_network_is_one_address() -> None:
    guard = Guard(connections_per_s=1.0, connection_burst=2, clock=Clock())
    guard.admit(LOCAL, {}, "2001:db8::1")
    guard.admit(LOCAL, {}, "2001:db8::2%eth0")
    assert refused(guard, LOCAL, peer="2001:db8::3").status == 429
    assert guard.admit(LOCAL, {}, "2001:db8:0:1::1")


def test_a_strange_page_cannot_use_up_the_rate() -> None:
    guard = Guard(connections_per_s=1.0, connection_burst=2, clock=Clock())
    for _ in range(20):
        assert refused(guard, {**LOCAL, "Origin": "https://evil.example"}, peer="127.0.0.1").code == "bad_origin"
    assert guard.admit(LOCAL, {}, "127.0.0.1")


def test_the_table_of_addresses_is_bounded() -> None:
    bucket = Bucket(1.0, 2, Clock())
    for i in range(MAX_ADDRESSES + 500):
        assert bucket.take(f"10.0.{i // 256}.{i % 256}")
    assert len(bucket) == MAX_ADDRESSES


def test_quota_of_a_client_and_of_all() -> None:
    guard = Guard(Limits(max_sessions=3, max_client_sessions=2))
    seen: list[str] = []
    guard.on_refused = seen.append
    with guard.hold("a"), guard.hold("a"):
        with pytest.raises(Refused, match="one client") as mine, guard.hold("a"):
            raise AssertionError
        assert mine.value.status == 429
        with guard.hold("b"):
            assert guard.open_sessions == 3
            with pytest.raises(Refused, match="at most 3") as full, guard.hold("c"):
                raise AssertionError
            assert full.value.status == 503
    assert guard.open_sessions == 0
    assert seen == ["too_many_sessions", "full"]


def test_a_session_that_fails_gives_its_place_back() -> None:
    guard = Guard(Limits(max_client_sessions=1))
    with pytest.raises(RuntimeError), guard.hold("a"):
        raise RuntimeError
    with guard.hold("a"):
        assert guard.open_sessions == 1


def test_draining_refuses_all() -> None:
    guard = Guard()
    guard.draining = True
    assert refused(guard, LOCAL).status == 503
    with pytest.raises(Refused, match="stopping"), guard.hold("a"):
        raise AssertionError


def test_rooms() -> None:
    guard = Guard(rooms=["kitchen"])
    guard.admit(LOCAL, {"room": "kitchen"}, "127.0.0.1")
    assert ROOM.get() == "kitchen"
    guard.admit(LOCAL, {}, "127.0.0.1")
    assert ROOM.get() == ""
    assert refused(guard, LOCAL, {"room": "attic"}).status == 404


HEADER = st.sampled_from(["Host", "host", "Origin", "Authorization", "Sec-WebSocket-Protocol", "X"])


@given(
    headers=st.dictionaries(HEADER, st.text(max_size=60)),
    query=st.dictionaries(st.sampled_from(["token", "room"]), st.text(max_size=60)),
    peer=st.text(max_size=40),
    host=st.sampled_from(["127.0.0.1", "0.0.0.0"]),
)
def test_whatever_comes_is_admitted_or_refused(
    headers: dict[str, str], query: dict[str, str], peer: str, host: str
) -> None:
    guard = Guard(host=host, tokens={"default": TOKEN}, rooms=["kitchen"])
    with pytest.raises(Refused) as caught:
        guard.admit(headers, query, peer)
    assert caught.value.status in {401, 403, 404, 429, 503}
    assert TOKEN not in str(caught.value.body())
