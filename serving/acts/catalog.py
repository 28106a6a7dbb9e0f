"""Tools of an MCP server -> tools that the model may call. What is left out is named with its reason."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

from mcp.types import Tool as McpTool

from serving.acts.settings import McpServer, matches
from soundflow.errors import ConfigError
from soundflow.respond.tools import MAX_DESCRIPTION, MAX_TOOLS, make_tools, risky
from soundflow.types import Tool

_LOG: Final = logging.getLogger(__name__)


def accept(server: McpServer, offered: Iterable[McpTool]) -> tuple[tuple[Tool, ...], dict[str, str]]:
    """The allowed tools whose schemas the decoder can hold, and the reason for each that was left out."""
    taken: dict[str, Tool] = {}
    refused: dict[str, str] = {}
    for tool in offered:
        name = tool.name
        if not server.allows(name):
            refused[name] = "it is not in the allow list"
        elif name in taken:
            refused[name] = "its name came twice"
        elif len(taken) >= MAX_TOOLS:
            refused[name] = f"at most {MAX_TOOLS} tools are taken"
        else:
            try:
                taken[name] = _made(server, tool)
            except ConfigError as error:
                refused[name] = str(error)
    return tuple(taken.values()), refused


def _made(server: McpServer, tool: McpTool) -> Tool:
    text = (tool.description or tool.title or "").strip()
    body: dict[str, Any] = {
        "name": tool.name,
        "description": text[:MAX_DESCRIPTION],
        "parameters": _object(tool.input_schema),
        "confirm": needs_yes(server, tool, text),
    }
    return make_tools([body], f"mcp server {server.name}")[0]


def _object(schema: dict[str, Any]) -> dict[str, Any]:
    """The top level as the decoder wants it: `additionalProperties` and the like are closed by it anyway."""
    return {"type": "object", "properties": {}, **schema}


def needs_yes(server: McpServer, tool: McpTool, text: str) -> bool:
    """Whether a call waits for a yes. What the server says of itself may only make it stricter."""
    if matches(tool.name, server.confirm):
        return True
    if matches(tool.name, server.trust):
        return False
    destructive = tool.annotations is not None and tool.annotations.destructive_hint is True
    return destructive or risky(tool.name, text)


def tell(server: McpServer, tools: tuple[Tool, ...], refused: dict[str, str]) -> None:
    """Log what the model may call, and what it may not and why."""
    asked = sum(t.confirm for t in tools)
    _LOG.info("mcp server %s: %d tools, %d of them after a yes", server.name, len(tools), asked)
    for name, reason in refused.items():
        _LOG.log(
            logging.DEBUG if "allow list" in reason else logging.WARNING,
            "mcp server %s: %.64s is left out: %.300s",
            server.name,
            name,
            reason,
        )
    unlisted = sum("allow list" in reason for reason in refused.values())
    if unlisted:
        _LOG.info("mcp server %s: %d tools are not in its allow list", server.name, unlisted)
