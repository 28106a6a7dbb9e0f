"""Acts: calls that the model decides on, carried out by MCP servers, never in the audio loop."""

from serving.acts.engine import ActingEngine
from serving.acts.runner import ActRunner
from serving.acts.settings import ActLimits, McpServer

__all__ = ["ActLimits", "ActRunner", "ActingEngine", "McpServer"]
