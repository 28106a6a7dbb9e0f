"""What the server counts, for Prometheus. One registry of its own, so that two servers in a process do not collide.

A label's values are bounded: beyond MAX_VALUES different ones the rest is counted as "other".
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

MAX_VALUES: Final = 32
STEP_BUCKETS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 0.8, 1.6, 3.2)
ROW_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


class Metrics:
    """All methods are cheap, never wait and never raise for a value that comes from the running system."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        r = self.registry
        ProcessCollector(registry=r)
        self._seen: dict[str, set[str]] = {}
        self._open = Gauge("soundflow_sessions_open", "Open sessions", ["protocol"], registry=r)
        self._opened = Counter("soundflow_sessions", "Sessions opened", ["protocol"], registry=r)
        self._closed = Counter(
            "soundflow_sessions_closed", "Sessions closed, by reason", ["protocol", "reason"], registry=r
        )
        self._refused = Counter("soundflow_refused", "Connections refused, by code", ["code"], registry=r)
        self._step = Histogram(
            "soundflow_step_seconds", "One batched perceive-decide step", buckets=STEP_BUCKETS_S, registry=r
        )
        self._rows = Histogram("soundflow_step_rows", "Sessions in one step", buckets=ROW_BUCKETS, registry=r)
        self._queue = Gauge("soundflow_queue_depth", "Chunks that wait for a step", registry=r)
        self._dropped = Counter("soundflow_dropped", "What was dropped under load, by kind", ["kind"], registry=r)
        self._missed = Counter("soundflow_deadline_misses", "Chunks decided later than a chunk", registry=r)
        self._decisions = Counter("soundflow_decisions", "Decisions, by kind", ["kind"], registry=r)
        self._tokens = Counter("soundflow_tokens", "Tokens of replies and calls that were decoded", registry=r)
        self._replies = Counter("soundflow_replies", "Replies, by outcome", ["outcome"], registry=r)
        self._ready = Gauge("soundflow_ready", "1 when new sessions are taken", registry=r)
        self._load = Gauge("soundflow_load", "How long decisions wait, in chunks: the signal to scale by", registry=r)
        self._workers = Gauge("soundflow_workers", "Workers that serve", registry=r)
        self._up = Gauge("soundflow_service_up", "1 when a side service runs", ["service"], registry=r)
        self._failed = Counter(
            "soundflow_service_failures",
            "How often a side service failed and was started again",
            ["service"],
            registry=r,
        )

    @property
    def open_sessions(self) -> int:
        """Sessions open now, over all protocols."""
        samples = next(iter(self._open.collect())).samples
        return int(sum(s.value for s in samples))

    def session_opened(self, protocol: str) -> None:
        name = self._bounded("protocol", protocol)
        self._open.labels(name).inc()
        self._opened.labels(name).inc()

    def session_closed(self, protocol: str, reason: str) -> None:
        name = self._bounded("protocol", protocol)
        self._open.labels(name).dec()
        self._closed.labels(name, self._bounded("reason", reason)).inc()

    def refused(self, code: str) -> None:
        self._refused.labels(self._bounded("code", code)).inc()

    def step(self, seconds: float, rows: int) -> None:
        """One step of `rows` sessions took `seconds`."""
        self._step.observe(seconds)
        self._rows.observe(rows)

    def queue(self, depth: int) -> None:
        self._queue.set(depth)

    def dropped(self, kind: str, count: int = 1) -> None:
        self._dropped.labels(self._bounded("kind", kind)).inc(count)

    def deadline_miss(self, count: int = 1) -> None:
        self._missed.inc(count)

    def decision(self, kind: str) -> None:
        self._decisions.labels(self._bounded("decision", kind)).inc()

    def tokens(self, count: int) -> None:
        self._tokens.inc(count)

    def reply(self, outcome: str) -> None:
        self._replies.labels(self._bounded("outcome", outcome)).inc()

    def ready(self, ready: bool) -> None:
        self._ready.set(float(ready))

    def load(self, chunks: float) -> None:
        self._load.set(chunks)

    def workers(self, count: int) -> None:
        self._workers.set(count)

    def service(self, name: str, up: bool) -> None:
        self._up.labels(self._bounded("service", name)).set(float(up))

    def service_failed(self, name: str) -> None:
        self._failed.labels(self._bounded("service", name)).inc()

    def render(self) -> bytes:
        """The page of /metrics, in the text format of Prometheus."""
        return generate_latest(self.registry)

    def _bounded(self, label: str, value: str) -> str:
        seen = self._seen.setdefault(label, set())
        if value in seen:
            return value
        if len(seen) >= MAX_VALUES:
            return "other"
        seen.add(value)
        return value


class NoMetrics:
    """Counts nothing: for tests and for engines that are used without a server."""

    open_sessions = 0

    def session_opened(self, protocol: str) -> None: ...

    def session_closed(self, protocol: str, reason: str) -> None: ...

    def refused(self, code: str) -> None: ...

    def step(self, seconds: float, rows: int) -> None: ...

    def queue(self, depth: int) -> None: ...

    def dropped(self, kind: str, count: int = 1) -> None: ...

    def deadline_miss(self, count: int = 1) -> None: ...

    def decision(self, kind: str) -> None: ...

    def tokens(self, count: int) -> None: ...

    def reply(self, outcome: str) -> None: ...

    def ready(self, ready: bool) -> None: ...

    def load(self, chunks: float) -> None: ...

    def workers(self, count: int) -> None: ...

    def service(self, name: str, up: bool) -> None: ...

    def service_failed(self, name: str) -> None: ...

    def render(self) -> bytes:
        return b""
