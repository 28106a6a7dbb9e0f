"""An MCP server of the tests' own: a small home. As a program it speaks stdio; `http` serves it by streamable HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

LIGHTS: dict[str, str] = {}


def home() -> MCPServer:
    server = MCPServer("home", log_level="ERROR")

    @server.tool(description="Turn a light on or off.")
    def set_light(room: Literal["kitchen", "hall"], state: Literal["on", "off"]) -> str:
        LIGHTS[room] = state
        return f"The {room} light is {state}."

    @server.tool(description="Lock or unlock the front door.")
    def lock_door(state: Literal["lock", "unlock"]) -> str:
        return f"The door is {state}ed."

    @server.tool(annotations=ToolAnnotations(destructive_hint=True))
    def reset_scene(name: Literal["evening", "morning"]) -> str:
        return f"{name} is reset."

    @server.tool()
    def fail() -> str:
        raise ToolError("the bulb is broken")

    @server.tool()
    async def slow() -> str:
        await asyncio.sleep(30)
        return "late"

    @server.tool()
    def long_text() -> str:
        return "x" * 100_000

    @server.tool()
    def anything(value: Any) -> str:
        """A schema that no call can be decoded under."""
        return str(value)

    @server.tool()
    def secret() -> str:
        return "not in the allow list"

    @server.tool()
    def stop() -> str:
        """Ends the process, as a crash would."""
        import os

        os._exit(3)

    return server


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def http(port: int, token: str = "") -> AsyncIterator[str]:
    """Serve at the address that is given back; with a token, only to those who send it."""
    import uvicorn

    app = home().streamable_http_app(host="127.0.0.1")

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers") or ())
        if scope["type"] == "http" and token and headers.get(b"authorization") != f"Bearer {token}".encode():
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    config = uvicorn.Config(guarded, "127.0.0.1", port, log_level="error", lifespan="on", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())  # `serve` would take the signal handlers
    try:
        while not server.started:
            assert not task.done(), task
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.should_exit = True
        await task


if __name__ == "__main__":
    home().run("stdio")
