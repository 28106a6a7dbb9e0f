"""An engine whose sessions can act: the tools of the MCP servers beside those that a client brings.

Calls of the servers' tools are carried out here; the client sees their `action` event and what the model says of the
result. A risky one reaches the client as `Call` with `confirm`; it answers by `tool_result` with `{"confirm": true}`
(or `false`), as it would answer a call of its own.
"""

from __future__ import annotations

import json
from dataclasses import replace
from weakref import WeakValueDictionary

from serving.acts.runner import ActRunner, Taken
from serving.around import EngineAround, HandleAround
from serving.handle import Call, Engine, Handle, Output, SessionSpec
from soundflow.respond.tools import MAX_TOOLS


class ActingHandle(HandleAround):
    """A session of `inner` with the runner's tools. `spec` is as the client gave it."""

    def __init__(self, inner: Handle, runner: ActRunner, spec: SessionSpec) -> None:
        super().__init__(inner, spec)
        self._runner = runner

    def see(self, output: Output) -> Output | None:
        """The runner carries out the calls of its tools; the client is asked about risky ones."""
        if isinstance(output, Call) and all(t.name != output.name for t in self._asked.tools):
            taken = self._runner.take(self.inner, output)
            if taken in (Taken.RUNNING, Taken.REFUSED):
                return None
            if taken is Taken.ASKED:
                return replace(output, confirm=True)
        return output

    def update(self, spec: SessionSpec) -> None:
        self.inner.update(with_tools(spec, self._runner))
        self._asked = spec

    def tool_result(self, call_id: str, output: str, speak: bool = True) -> None:
        """As `Handle.tool_result`; for a call that waits for a yes, `output` is the answer."""
        if self._runner.waits(self.id, call_id):
            self._runner.confirm(call_id, says_yes(output), self.id)
        else:
            self.inner.tool_result(call_id, output, speak)


class ActingEngine(EngineAround):
    """See the module. Everything else is the inner engine's."""

    def __init__(self, inner: Engine, runner: ActRunner) -> None:
        super().__init__(inner)
        self.runner = runner
        self._handles: WeakValueDictionary[str, ActingHandle] = WeakValueDictionary()

    async def open(self, spec: SessionSpec, resume: str = "") -> ActingHandle:
        inner = await self.inner.open(with_tools(spec, self.runner), resume)
        known = self._handles.get(inner.id)
        handle = ActingHandle(inner, self.runner, known.spec if known is not None else spec)
        self._handles[inner.id] = handle
        return handle


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
