"""A handle and an engine around another one: what is not changed goes through."""

from __future__ import annotations

from collections.abc import AsyncIterator

from serving.handle import Engine, EngineInfo, Handle, Output, SessionSpec, VoicePiece
from soundflow.types import FloatArray


class HandleAround:
    """Base of handles that see or change a part of what `inner` does. `spec` is what the client asked for."""

    def __init__(self, inner: Handle, asked: SessionSpec) -> None:
        self.inner, self._asked = inner, asked

    @property
    def id(self) -> str:
        return self.inner.id

    @property
    def spec(self) -> SessionSpec:
        return self._asked

    @property
    def heard_s(self) -> float:
        return self.inner.heard_s

    def push(self, pcm: FloatArray) -> None:
        self.inner.push(pcm)

    async def room(self) -> None:
        await self.inner.room()

    async def outputs(self) -> AsyncIterator[Output]:
        """Each output as `see` leaves it."""
        found = self.inner.outputs()
        try:
            async for output in found:
                if (seen := self.see(output)) is not None:
                    yield seen
            self.ended()
        finally:
            if (close := getattr(found, "aclose", None)) is not None:
                await close()

    def see(self, output: Output) -> Output | None:
        """What the client is given of an output; None: nothing."""
        return output

    def ended(self) -> None:
        """The outputs have come to their end."""

    def update(self, spec: SessionSpec) -> None:
        self.inner.update(spec)
        self._asked = spec

    def commit(self) -> None:
        self.inner.commit()

    def respond(self, text: str = "") -> None:
        self.inner.respond(text)

    def say(self, text: str) -> None:
        self.inner.say(text)

    def tool_result(self, call_id: str, output: str, speak: bool = True) -> None:
        self.inner.tool_result(call_id, output, speak)

    def cancel(self) -> bool:
        return self.inner.cancel()

    def played(self, reply: str, ms: int) -> None:
        self.inner.played(reply, ms)

    def clear(self) -> None:
        self.inner.clear()

    async def close(self, flush: bool = False) -> None:
        await self.inner.close(flush)


class EngineAround:
    """Base of engines that open such handles."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner

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

    def detach(self, handle: Handle) -> None:
        self.inner.detach(handle.inner if isinstance(handle, HandleAround) else handle)

    def synthesize(self, text: str) -> AsyncIterator[VoicePiece]:
        return self.inner.synthesize(text)

    async def close(self) -> None:
        await self.inner.close()
