"""The name of a server as a system."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from benchmarks.peers.address import KEY, Address
from benchmarks.systems import Setup, check, is_url, real_time
from soundflow.errors import ConfigError


def test_schemes_paths_and_options() -> None:
    for name, url, kind in (
        ("ws://h:1/v1/realtime", "ws://h:1/v1/realtime?include=decisions,sounds", "realtime"),
        ("http://h/v1/realtime?model=a", "ws://h/v1/realtime?model=a&include=decisions,sounds", "realtime"),
        ("https://h/x/v1/realtime?include=levels", "wss://h/x/v1/realtime?include=levels", "realtime"),
        ("wss://h/v1/live/sessions?model=b", "wss://h/v1/live/sessions", "live"),
    ):
        found = Address.parse(name)
        assert (found.name, found.url, found.kind, found.pace) == (name, url, kind, 1.0)
        check(name)
        assert is_url(name)
        assert real_time(name)
    assert Address.parse("wss://h/v1/live/sessions?model=b").model == "b"
    assert not real_time("ws://h/v1/realtime#pace=0")
    assert not real_time("nano")
    found = Address.parse("ws://h/v1/realtime#pace=4&key=OTHER&transcribe=w-1")
    assert (found.pace, found.key, found.transcribe) == (4.0, "OTHER", "w-1")
    assert "#" not in found.url
    assert pickle.loads(pickle.dumps(Setup(Path(), ("ws://h/v1/realtime",)))).systems == ("ws://h/v1/realtime",)


def test_the_token_comes_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    found = Address.parse("ws://h/v1/realtime")
    assert found.headers() == {}
    monkeypatch.setenv(KEY, " abc\n")
    assert found.headers() == {"Authorization": "Bearer abc"}
    assert "abc" not in repr(found)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ws://h/v1/chat", "v1/realtime or"),
        ("ws:///v1/realtime", "v1/realtime or"),
        ("ws://h:port/v1/realtime", "a URL was expected"),
        ("ws://h/v1/realtime#pace=-1", "from 0 to 100"),
        ("ws://h/v1/realtime#pace=fast", "from 0 to 100"),
        ("ws://h/v1/realtime#pace=nan", "from 0 to 100"),
        ("ws://h/v1/realtime#speed=2", "pace, key, transcribe"),
        ("ws://h/v1/realtime#fast", "pace, key, transcribe"),
        ("ws://h/v1/realtime#key=a-b", "name of an environment variable"),
        ("ws://h/v1/live/sessions#pace=0", "no decisions to wait for"),
        ("ws://me:hush@h/v1/realtime", "no token may stand in it"),
        ("ws://h/v1/realtime?token=hush", "no token may stand in it"),
        ("ws://h/v1/realtime?api-key=hush", "no token may stand in it"),
        ("ws://h/v1/realtime?access_token=hush", "no token may stand in it"),
    ],
)
def test_what_is_wrong_is_said_and_secrets_are_not(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as error:
        check(name)
    assert "hush" not in str(error.value)
