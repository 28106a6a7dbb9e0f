"""A server of our own in a process of its own, and what the machine says about it. Linux: figures come from /proc."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from soundflow.errors import ConfigError, SoundflowError

START_S = 120.0
ACTOR = "ray::PerceptionActor"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """One `soundflow serve`; `settings` are SOUNDFLOW_* variables without the prefix."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, wyoming_port: int, log: Path) -> None:
        self.pid, self.port, self.wyoming_port, self.log = process.pid, port, wyoming_port, log
        self._process = process

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/realtime"

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def get(self, path: str, timeout_s: float = 5.0) -> str:
        """Body of a page; SoundflowError where it does not come."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout_s) as answer:
                return str(answer.read().decode())
        except (OSError, urllib.error.URLError) as error:
            raise SoundflowError(f"{path} of the server did not come: {error}") from error

    def metric(self, name: str) -> float:
        """Sum of a metric over its labels."""
        lines = [x for x in self.get("/metrics").splitlines() if x.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(x.rsplit(" ", 1)[1]) for x in lines)

    def family(self) -> list[int]:
        """Process ids of the server and all below it (a Ray cluster, too)."""
        return family(self.pid)

    def actors(self) -> list[int]:
        """Process ids of the perception actors."""
        return [pid for pid in self.family() if command(pid).startswith(ACTOR)]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def family(pid: int) -> list[int]:
    """`pid` and its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rsplit(")", 1)[1].split()[1])
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def rss_mb(pids: list[int]) -> float:
    """Resident memory, MB."""
    pages = 0
    for pid in pids:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s(pids: list[int]) -> float:
    """Processor seconds that these processes have used."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@contextmanager
def serving(settings: Mapping[str, str]) -> Iterator[Server]:
    """Start a server and wait until it is ready; stop it with SIGTERM. ConfigError where it does not start."""
    port, wyoming = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="soundflow-bench-") as folder:
        log = Path(folder) / "server.log"
        own = {
            "PORT": str(port), "WYOMING__PORT": str(wyoming), "WYOMING__ZEROCONF": "false",
            "LIMITS__MAX_SESSIONS": "512", "LIMITS__MAX_CLIENT_SESSIONS": "512", "CONNECTIONS_PER_S": "1000",
            "CONNECTION_BURST": "5000", **settings,
        }  # fmt: skip
        environment = {**os.environ, **{f"SOUNDFLOW_{k}": v for k, v in own.items()}}
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "soundflow.cli", "serve"], env=environment, stdout=out, stderr=out
            )
            server = Server(process, port, wyoming, log)
            try:
                _wait(server)
                yield server
            finally:
                _stop(process, server.family())


def _wait(server: Server) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if not server.alive:
            raise ConfigError(f"the server did not start: {server.log.read_text(errors='replace')[-800:]}")
        try:
            server.get("/ready")
            return
        except SoundflowError:
            time.sleep(0.2)
    raise ConfigError(f"the server was not ready in {START_S:g} s: {server.log.read_text(errors='replace')[-800:]}")


def _stop(process: subprocess.Popen[bytes], members: list[int]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in members:
        if pid != process.pid and command(pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
