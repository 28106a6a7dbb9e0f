"""OpenTelemetry, where installed and configured: one span a request or session, without words, audio or queries."""

from __future__ import annotations

from typing import Any

from serving.config import Otel
from serving.logs import REQUEST_ID
from soundflow.errors import ConfigError


def provider(settings: Otel) -> Any:
    """A tracer provider that exports to `settings.endpoint` (OTLP over HTTP), in the background.

    Raises:
        ConfigError: the packages are not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigError(f"otel: not installed ({error.name}); run `pip install 'soundflow[otel]'`") from error
    made = TracerProvider(resource=Resource.create({"service.name": settings.service_name}))
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{settings.endpoint.rstrip('/')}/v1/traces")))
    return made


def traced(app: Any, settings: Otel, made: Any = None) -> Any:
    """The application with a span around each request.

    Args:
        made: a tracer provider; default exports to the configured endpoint.
    """
    tracer = (made or provider(settings)).get_tracer("soundflow.serving")

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await app(scope, receive, send)
            return
        with tracer.start_as_current_span(f"{scope['type']} {scope['path'][:80]}") as span:

            async def out(message: Any) -> None:
                if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                    span.set_attribute("http.response.status_code", message["status"])
                elif message["type"] == "websocket.close":
                    span.set_attribute("websocket.close_code", message.get("code", 1000))
                if request := REQUEST_ID.get():
                    span.set_attribute("soundflow.request_id", request)
                await send(message)

            await app(scope, receive, out)

    return outer
