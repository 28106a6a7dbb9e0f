"""OpenTelemetry: spans without words or queries, and a clear error where it is not installed."""

from __future__ import annotations

import asyncio
import sys

import httpx
import pytest

from serving.app import make_app
from serving.config import Config, Otel
from serving.metrics import Metrics
from serving.security import Guard
from serving.tracing import provider, traced
from soundflow.errors import ConfigError
from tests.serving.fake_engine import FakeEngine


def test_a_span_has_path_and_status_and_no_query() -> None:
    trace = pytest.importorskip("opentelemetry.sdk.trace", reason="the extra otel is not installed")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    exporter = memory.InMemorySpanExporter()
    made = trace.TracerProvider()
    made.add_span_processor(export.SimpleSpanProcessor(exporter))
    app = traced(make_app(FakeEngine(), Config(), Guard(), Metrics(), routers=[]), Otel(endpoint="http://x"), made)

    async def inside() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            await client.get("/health?token=sesame-sesame", headers={"x-request-id": "r-1"})
            await client.get("/nothing")

    asyncio.run(inside())
    first, second = exporter.get_finished_spans()
    assert first.name == "http /health"
    assert dict(first.attributes) == {"http.response.status_code": 200, "soundflow.request_id": "r-1"}
    assert second.attributes["http.response.status_code"] == 404
    assert "sesame" not in str([s.to_json() for s in (first, second)])


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"soundflow\[otel\]"):
        provider(Otel(endpoint="http://127.0.0.1:4318"))
