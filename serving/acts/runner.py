"""Carries out the model's calls: beside the audio, a few at a time, after a yes where one is needed.

`take` returns at once. The result comes by `Handle.tool_result`, as text that the model may tell of; what went wrong
is a result, too: `{"error": "..."}`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from serving.acts.link import Link, Outcome
from serving.acts.settings import ActLimits, McpServer
from serving.ending import ended
from serving.handle import Call, Handle
from soundflow.errors import ConfigError, DataError, SoundflowError
from soundflow.respond.tools import MAX_TOOLS, validate_call
from soundflow.types import ActionCall, Tool

_LOG: Final = logging.getLogger(__name__)
STOP_S: Final = 3.0


class Taken(Enum):
    """What became of a call that `take` was given."""

    NOT_OURS = "not ours"
    RUNNING = "running"
    ASKED = "asked"
    REFUSED = "refused"


@dataclass(slots=True)
class Waiting:
    """A risky call that waits for its yes."""

    handle: Handle
    call: Call
    timer: asyncio.TimerHandle


class ActRunner:
    """Keeps the MCP servers connected (`run`) and runs calls of their tools.

    Raises:
        ConfigError: two servers of one name.
    """

    def __init__(self, servers: Sequence[McpServer], limits: ActLimits | None = None) -> None:
        names = [s.name for s in servers]
        if len(set(names)) < len(names):
            raise ConfigError(f"mcp servers: expected different names, got {sorted(names)}")
        self.limits = limits or ActLimits()
        self._links = [Link(server, self.limits, self._refresh) for server in servers]
        self._owner: dict[str, Link] = {}
        self.tools: tuple[Tool, ...] = ()
        self._slots = asyncio.Semaphore(self.limits.running)
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: OrderedDict[tuple[str, str], Waiting] = OrderedDict()
        self._looked = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; then nothing is left running."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(link.run(), name=f"mcp {link.server.name}") for link in self._links]
        try:
            if tasks:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)  # only a mistake of ours ends one
            else:
                await asyncio.Event().wait()
        finally:
            for waiting in self._waiting.values():
                waiting.timer.cancel()
            self._waiting.clear()
            for link in self._links:
                link.stop()
            if tasks:
                await asyncio.wait(tasks, timeout=STOP_S)
            for task in (*tasks, *self._tasks):
                await ended(task)

    async def ready(self, seconds: float) -> bool:
        """Wait until every server is connected, or so long -> whether they all are."""
        try:
            async with asyncio.timeout(seconds):
                while not all(link.connected for link in self._links):
                    self._looked.clear()
                    await self._looked.wait()
        except TimeoutError:
            return False
        return True

    @property
    def servers(self) -> dict[str, str]:
        """Name of each server -> what is wrong with it, empty while it is connected."""
        return {link.server.name: link.error for link in self._links}

    def _refresh(self) -> None:
        self._owner = {}
        tools: list[Tool] = []
        for link in self._links:
            for tool in link.tools:
                other = self._owner.get(tool.name)
                if other is not None or len(tools) >= MAX_TOOLS:
                    why = f"{other.server.name} has one of that name" if other else f"at most {MAX_TOOLS} are taken"
                    _LOG.warning("mcp server %s: %s is left out: %s", link.server.name, tool.name, why)
                    continue
                self._owner[tool.name] = link
                tools.append(tool)
        self.tools = tuple(tools)
        self._looked.set()

    def owns(self, name: str) -> bool:
        return name in self._owner

    def take(self, handle: Handle, call: Call) -> Taken:
        """Carry out a call of `handle`'s session, or ask for a yes first. Does not wait."""
        tool = next((t for t in self.tools if t.name == call.name), None)
        if tool is None:
            return Taken.NOT_OURS
        if call.confirm or tool.confirm:
            self._ask(handle, call)
            return Taken.ASKED
        return self._start(handle, call)

    def _ask(self, handle: Handle, call: Call) -> None:
        if len(self._waiting) >= self.limits.unconfirmed:
            (session, call_id), _ = next(iter(self._waiting.items()))
            self.confirm(call_id, False, session, why="too many calls wait for a yes")
        key = (handle.id, call.id)
        late = asyncio.get_running_loop().call_later(self.limits.confirm_s, self._expire, key)
        self._waiting[key] = Waiting(handle, call, late)

    def _expire(self, key: tuple[str, str]) -> None:
        if key in self._waiting:
            self.confirm(key[1], False, key[0], why=f"nobody confirmed it within {self.limits.confirm_s:g} s")

    def waits(self, session: str, call_id: str) -> bool:
        """Whether this call waits for its yes."""
        return (session, call_id) in self._waiting

    def confirm(self, call_id: str, yes: bool, session: str = "", why: str = "the user said no") -> None:
        """The answer to a risky call. `session` may be left out where no other session has a call of that id.

        Raises:
            DataError: no such call waits (it may be done, declined or too old), or several do.
        """
        found = [key for key in self._waiting if key[1] == call_id and session in ("", key[0])]
        if len(found) != 1:
            raise DataError(f"one call that waits for a yes was expected, got {len(found)} of id {call_id!r:.80}")
        waiting = self._waiting.pop(found[0])
        waiting.timer.cancel()
        if yes:
            self._start(waiting.handle, waiting.call)
        else:
            self._give(waiting.handle, waiting.call, Outcome.failed(f"not done: {why}"))

    def _start(self, handle: Handle, call: Call) -> Taken:
        if len(self._tasks) >= self.limits.running + self.limits.waiting:
            self._give(handle, call, Outcome.failed("not done: too many acts are running"))
            return Taken.REFUSED
        task = asyncio.get_running_loop().create_task(self._run(handle, call), name=f"act {call.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Taken.RUNNING

    async def _run(self, handle: Handle, call: Call) -> None:
        async with self._slots:
            outcome = await self.perform(call.name, call.arguments)
        _LOG.info("act %s: %s", call.name, "done" if outcome.ok else "failed")
        self._give(handle, call, outcome)

    async def perform(self, name: str, arguments: str) -> Outcome:
        """Check the arguments (JSON text) once more and call the tool."""
        link = self._owner.get(name)
        if link is None:
            return Outcome.failed(f"{name} cannot be reached now")
        try:
            parsed: Mapping[str, Any] = json.loads(arguments)
            call = validate_call(ActionCall(name, parsed), self.tools)
        except (ValueError, TypeError, DataError) as error:
            return Outcome.failed(f"bad arguments: {error}")
        return await link.call(call.name, call.arguments)

    def _give(self, handle: Handle, call: Call, outcome: Outcome) -> None:
        try:
            handle.tool_result(call.id, outcome.text)
        except SoundflowError as error:
            _LOG.info("act %s: its session no longer wants the result (%s)", call.name, error.code)
