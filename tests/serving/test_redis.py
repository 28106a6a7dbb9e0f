"""The journal for several nodes, over a real Redis."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from serving.journal import RedisJournal
from soundflow.errors import ConfigError, DataError

pytest.importorskip("redis", reason="the extra [redis] is not installed")


def test_a_server_that_is_not_there_is_said():
    with pytest.raises(ConfigError, match="cannot be reached"):
        RedisJournal("redis://127.0.0.1:1/0")


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
def test_one_node_writes_and_another_reads(tmp_path: Path):
    socket = tmp_path / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 5.0
        while not socket.exists() and time.monotonic() < end:
            time.sleep(0.02)
        one, other = (RedisJournal(f"unix://{socket}", keep_s=30.0) for _ in range(2))
        for k in range(20):
            one.put("a", {"k": k})
        one.put("b", {"k": 1})
        one.delete("b")
        one.close()
        assert other.get("a") == {"k": 19}
        assert other.get("b") is None
        assert other.get("c") is None
        server.terminate()
        server.wait(10)
        with pytest.raises(DataError, match="does not answer"):
            other.get("a")
    finally:
        server.kill()
        server.wait()
