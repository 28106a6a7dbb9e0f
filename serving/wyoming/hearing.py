"""One stretch of audio, from `audio-start` to `audio-stop`, heard by one session beside the reading of events."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from wyoming.event import Event

from serving.handle import Notice, Output
from serving.wyoming.bounds import Bounds
from serving.wyoming.frames import FrameError
from serving.wyoming.opening import Open, each, within
from serving.wyoming.pcm import Converter
from soundflow import SAMPLE_RATE_HZ

OVER: Final = frozenset({"failed", "expired"})
"""Codes of notices behind which nothing comes."""


class Listener(Protocol):
    """What is made of the outputs: `serving.wyoming.asr` and `serving.wyoming.detect`. `ended`: its answer is given."""

    ended: bool

    def heard(self, seconds: float, event: Event) -> None:
        """Audio is about to be pushed; `seconds`: how much came before it."""
        ...

    async def take(self, output: Output) -> None: ...

    async def end(self) -> None:
        """The audio is over and all outputs were taken; not called where `ended`."""
        ...


class Hearing:
    """Runs `listener` on a session until it has ended, the client stops, or the session does."""

    def __init__(self, session: Open, listener: Listener, bounds: Bounds, group: asyncio.TaskGroup) -> None:
        self._session, self._listener, self._bounds = session, listener, bounds
        self._converter = Converter()
        self._samples = 0
        self._task = group.create_task(self._follow(), name="wyoming outputs")

    @property
    def over(self) -> bool:
        """Enough was heard; further audio is dropped."""
        return self._listener.ended or self._session.closed

    async def _follow(self) -> None:
        await each(self._session, self._take)

    async def _take(self, output: Output) -> bool:
        if isinstance(output, Notice) and output.code in OVER:
            raise FrameError(output.code, output.message)
        await self._listener.take(output)
        return not self._listener.ended

    async def push(self, event: Event) -> None:
        """Hear an `audio-chunk`. FrameError for a bad one, and where the backlog does not get shorter."""
        if self.over:
            return
        self._listener.heard(self._samples / SAMPLE_RATE_HZ, event)
        samples = self._converter.push(event)
        self._samples += len(samples)
        await within(self._bounds.answer_s, self._session.handle.room(), "hearing the audio")
        if len(samples) and not self.over:
            self._session.handle.push(samples)

    async def stop(self, commit: bool) -> None:
        """The audio is over: hear the rest, then `listener.end`. `commit`: the open stretch of speech ends here."""
        if not self.over:
            rest = self._converter.flush()
            if len(rest):
                self._session.handle.push(rest)
            if commit:
                self._session.handle.commit()
            await within(self._bounds.answer_s, self._session.close("done", flush=True), "hearing the rest")
        await within(self._bounds.answer_s, asyncio.shield(self._task), "the last outputs")
        if not self._listener.ended:
            self._listener.ended = True
            await self._listener.end()

    async def abort(self, reason: str) -> None:
        """The client is gone or has begun something else."""
        await self._session.close(reason)
        self._task.cancel()
