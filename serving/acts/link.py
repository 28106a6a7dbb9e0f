"""The connection to one MCP server: kept open, looked after, and opened again when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import anyio
import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, TextContent
from mcp.types import Tool as McpTool

from serving.acts.catalog import accept, tell
from serving.acts.settings import ActLimits, McpServer
from soundflow.types import Tool

_LOG: Final = logging.getLogger(__name__)
MAX_PAGES: Final = 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to: the text for the model, and whether it was done."""

    text: str
    ok: bool

    @classmethod
    def failed(cls, reason: str) -> Outcome:
        return cls(json.dumps({"error": reason}, ensure_ascii=False), False)


class Link:
    """One server. `tools` is empty while it is not connected; `changed` is called when they are others."""

    def __init__(self, server: McpServer, limits: ActLimits, changed: Callable[[], None]) -> None:
        self.server = server
        self.tools: tuple[Tool, ...] = ()
        self.error = "not connected yet"
        self._limits, self._changed = limits, changed
        self._client: Client | None = None
        self._look = asyncio.Event()
        self._stopping = False

    @property
    def connected(self) -> bool:
        return self._client is not None

    def stop(self) -> None:
        """`run` ends soon, and closes the connection as the protocol says (a cancellation would tear it)."""
        self._stopping = True
        self._look.set()

    async def run(self) -> None:
        """Until `stop`. A server that is lost is tried again after growing waits."""
        wait = self._limits.retry_s
        while not self._stopping:
            began = asyncio.get_running_loop().time()
            try:
                await self._hold()
            except (Exception, BaseExceptionGroup) as error:
                if _fatal(error):
                    raise
                self.error = _reason(error)
            self._drop()
            if self._stopping:
                return
            if asyncio.get_running_loop().time() - began > self._limits.refresh_s:
                wait = self._limits.retry_s
            _LOG.warning("mcp server %s: lost (%s), next try in %.1f s", self.server.name, self.error, wait)
            self._look.clear()
            await self._pause(wait * random.uniform(0.8, 1.2))
            wait = min(2 * wait, self._limits.retry_max_s)

    async def _pause(self, seconds: float) -> None:
        """So long, or until somebody looks."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._look.wait()

    async def _hold(self) -> None:
        async with self._transport() as transport:
            client = Client(transport, read_timeout_seconds=self._limits.call_s, cache=None)
            async with client:
                while not self._stopping:
                    self._look.clear()
                    await self._list(client)
                    if not self._stopping:
                        await self._pause(self._limits.refresh_s)

    @asynccontextmanager
    async def _transport(self) -> AsyncIterator[Any]:
        server = self.server
        if server.command:
            yield stdio_client(
                StdioServerParameters(command=server.command[0], args=list(server.command[1:]), env=dict(server.env))
            )
            return
        headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}
        timeout = httpx2.Timeout(self._limits.call_s, read=300.0)
        async with httpx2.AsyncClient(headers=headers, timeout=timeout) as http:
            yield streamable_http_client(server.url, http_client=http)

    async def _list(self, client: Client) -> None:
        offered: list[McpTool] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await client.list_tools(cursor=cursor)
            offered += page.tools
            cursor = page.next_cursor
            if cursor is None:
                break
        tools, refused = accept(self.server, offered)
        fresh, self._client, self.error = tools != self.tools or self._client is None, client, ""
        if fresh:
            self.tools = tools
            tell(self.server, tools, refused)
            self._changed()

    def _drop(self) -> None:
        self._client = None
        if self.tools:
            self.tools = ()
            self._changed()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Outcome:
        """Call a tool. Never raises for what the server does: the outcome says what went wrong."""
        client = self._client
        if client is None:
            return Outcome.failed(f"{self.server.name} cannot be reached ({self.error})")
        try:
            with anyio.fail_after(self._limits.call_s):
                result = await client.call_tool(name, dict(arguments))
        except TimeoutError:
            self._look.set()
            return Outcome.failed(f"{self.server.name} gave no answer within {self._limits.call_s:g} s")
        except (MCPError, anyio.ClosedResourceError, anyio.BrokenResourceError, RuntimeError, ValueError) as error:
            self._look.set()  # find out at once whether it is still there
            return Outcome.failed(f"{self.server.name}: {_reason(error)}")
        return self._outcome(result)

    def _outcome(self, result: CallToolResult) -> Outcome:
        text = "\n".join(block.text for block in result.content if isinstance(block, TextContent)).strip()
        if not text and result.structured_content is not None:
            text = json.dumps(result.structured_content, ensure_ascii=False)
        text = text[: self._limits.result_chars]
        if result.is_error:
            return Outcome.failed(text or "the tool failed and did not say why")
        return Outcome(text or "done", True)


def _fatal(error: BaseException) -> bool:
    """Cancellation and the end of the process are not the server's doing."""
    if isinstance(error, BaseExceptionGroup):
        return any(_fatal(e) for e in error.exceptions)
    return not isinstance(error, Exception)


def _reason(error: BaseException) -> str:
    """One plain line without addresses' secrets (URLs carry none, see `McpServer`)."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return " ".join(str(error).split())[:200] or type(error).__name__
