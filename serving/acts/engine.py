"""An engine whose sessions can act: the tools of the MCP servers beside those that a client brings.

Calls of the servers' tools are carried out here; the client sees their `action` event and what the model says of the
result. A risky one reaches the client as `Call` with `confirm`; it answers by `tool_result` with `{"confirm": true}`
(or `false`), as it would answer a call of its own.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from weakref import WeakValueDictionary

from serving.acts.runner import ActRunner, Taken
from serving.handle import Call, Engine, EngineInfo, Handle, Output, SessionSpec, VoicePiece
from soundflow.respond.tools import MAX_TOOLS
from soundflow.types import FloatArray


class ActingHandle:
    """A session of `inner` with the runner's tools. `spec` is as the client gave it."""

    def __init__(self, inner: Handle, runner: ActRunner, spec: SessionSpec) -> None:
        self.inner = inner
        self._runner, self._spec = runner, spec

    @property
    def id(self) -> str:
        return self.inner.id

    @property
    def spec(self) -> SessionSpec:
        return self._spec

    @property
    def heard_s(self) -> float:
        return self.inner.heard_s

    def push(self, pcm: FloatArray) -> None:
        self.inner.push(pcm)

    async def room(self) -> None:
        await self.inner.room()

    async def outputs(self) -> AsyncIterator[Output]:
        found = self.inner.outputs()
        try:
            async for output in found:
                if isinstance(output, Call) and all(t.name != output.name for t in self._spec.tools):
                    taken = self._runner.take(self.inner, output)
                    if taken in (Taken.RUNNING, Taken.REFUSED):
                        continue
                    if taken is Taken.ASKED:
                        yield replace(output, confirm=True)
                        continue
                yield output
        finally:
            if (close := getattr(found, "aclose", None)) is not None:
                await close()

    def update(self, spec: SessionSpec) -> None:
        self.inner.update(with_tools(spec, self._runner))
        self._spec = spec

    def commit(self) -> None:
        self.inner.commit()

    def respond(self, text: str = "") -> None:
        self.inner.respond(text)

    def say(self, text: str) -> None:
        self.inner.say(text)

    def tool_result(self, call_id: str, output: str, speak: bool = True) -> None:
        """As `Handle.tool_result`; for a call that waits for a yes, `output` is the answer."""
        if self._runner.waits(self.id, call_id):
            self._runner.confirm(call_id, says_yes(output), self.id)
        else:
            self.inner.tool_result(call_id, output, speak)

    def cancel(self) -> bool:
        return self.inner.cancel()

    def played(self, reply: str, ms: int) -> None:
        self.inner.played(reply, ms)

    def clear(self) -> None:
        self.inner.clear()

    async def close(self, flush: bool = False) -> None:
        await self.inner.close(flush)


class ActingEngine:
    """See the module. Everything else is the inner engine's."""

    def __init__(self, inner: Engine, runner: ActRunner) -> None:
        self.inner, self.runner = inner, runner
        self._handles: WeakValueDictionary[str, ActingHandle] = WeakValueDictionary()

    @property
    def info(self) -> EngineInfo:
        return self.inner.info

    @property
    def ready(self) -> bool:
        return self.inner.ready

    @property
    def sessions(self) -> int:
        return self.inner.sessions

    def drain(self) -> None:
        self.inner.drain()

    async def open(self, spec: SessionSpec, resume: str = "") -> ActingHandle:
        inner = await self.inner.open(with_tools(spec, self.runner), resume)
        known = self._handles.get(inner.id)
        handle = ActingHandle(inner, self.runner, known.spec if known is not None else spec)
        self._handles[inner.id] = handle
        return handle

    def detach(self, handle: Handle) -> None:
        self.inner.detach(handle.inner if isinstance(handle, ActingHandle) else handle)

    def synthesize(self, text: str) -> AsyncIterator[VoicePiece]:
        return self.inner.synthesize(text)

    async def close(self) -> None:
        await self.inner.close()


def with_tools(spec: SessionSpec, runner: ActRunner) -> SessionSpec:
    """The client's tools, and the servers' behind them as far as there is room; the client's names win."""
    if not spec.decide:
        return spec
    own = {tool.name for tool in spec.tools}
    more = tuple(tool for tool in runner.tools if tool.name not in own)
    return replace(spec, tools=(*spec.tools, *more)[: max(MAX_TOOLS, len(spec.tools))])


def says_yes(output: str) -> bool:
    """Only `{"confirm": true}`, `true` or a plain yes; anything else is a no."""
    try:
        body = json.loads(output)
    except ValueError:
        return output.strip().strip('."').lower() == "yes"
    return body is True or body == "yes" or (isinstance(body, dict) and body.get("confirm") is True)
