"""Handling of a sentence: `transcript{text, context}` -> `handled` or `not-handled`, with the words as they come.

    handled-start, handled-chunk*, handled, handled-stop        or        not-handled

A risky act is not done but asked about (`handled` with the question); a yes in the same conversation
(`context.conversation_id`) within `Bounds.confirm_s` does it, a no or anything else does not.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop, NotHandled

from serving.handle import Call, Notice, Output, SessionSpec
from serving.wyoming.bounds import Bounds
from serving.wyoming.hearing import OVER
from serving.wyoming.opening import Open, Opener, Send, timed
from soundflow.events import ErrorEvent, ReplyCancelled, ReplyDelta, ReplyDone, ReplyStarted

_YES: Final = re.compile(
    r"\W*(yes|yeah|yep|sure|okay|ok|confirm(ed)?|do it|go ahead|please do)\b[\w\s,]{0,24}\W*", re.IGNORECASE
)
_NOT: Final = re.compile(r"\b(no|not|don't|never|stop|cancel|wait)\b", re.IGNORECASE)
_NO: Final = re.compile(r"\W*(no|nope|cancel|stop|never mind|leave it|don't)\b.{0,24}", re.IGNORECASE)
MAX_ID: Final = 128
UNOWNED: Final = json.dumps({"error": "nobody on this server carries out this function"})


@dataclass(slots=True)
class Pending:
    """A risky call that waits for a yes, with the session that made it."""

    session: Open
    outputs: AsyncIterator[Output]
    call: Call
    until: float


class Conversations:
    """The calls that wait, over all connections (Home Assistant opens one for each sentence)."""

    def __init__(self, bounds: Bounds, now: Callable[[], float] = time.monotonic) -> None:
        self._bounds, self._now = bounds, now
        self._pending: OrderedDict[tuple[str, str], Pending] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pending)

    async def put(self, key: tuple[str, str], session: Open, outputs: AsyncIterator[Output], call: Call) -> None:
        await self.expire()
        old = self._pending.pop(key, None)
        if old is None and len(self._pending) >= self._bounds.waiting:
            old = self._pending.popitem(last=False)[1]
        if old is not None:
            await decline(old)
        self._pending[key] = Pending(session, outputs, call, self._now() + self._bounds.confirm_s)

    async def pop(self, key: tuple[str, str]) -> Pending | None:
        await self.expire()
        return self._pending.pop(key, None)

    async def expire(self) -> None:
        """Decline what waited too long."""
        late = [key for key, pending in self._pending.items() if pending.until <= self._now()]
        for key in late:
            await decline(self._pending.pop(key))

    async def close(self) -> None:
        while self._pending:
            await decline(self._pending.popitem()[1])


async def decline(pending: Pending) -> None:
    pending.session.handle.tool_result(pending.call.id, json.dumps({"confirm": False}), speak=False)
    await pending.session.close("declined")


def conversation_of(context: object) -> str:
    """The conversation's id, empty where the client gave none."""
    given = context.get("conversation_id") if isinstance(context, dict) else None
    return given[:MAX_ID] if isinstance(given, str) else ""


def agrees(text: str) -> bool:
    """A plain yes, and nothing in it that takes it back."""
    return _YES.fullmatch(text) is not None and _NOT.search(text) is None


class Handling:
    """Answers the sentences of one connection, one after the other."""

    def __init__(self, opener: Opener, spec: SessionSpec, waiting: Conversations, send: Send, bounds: Bounds) -> None:
        self._opener, self._spec, self._waiting, self._send, self._bounds = opener, spec, waiting, send, bounds
        self._started = False

    async def answer(self, text: str, context: object) -> None:
        """SoundflowError or FrameError where no session could be opened, or it took too long."""
        self._started = False
        conversation = conversation_of(context)
        key = (self._opener.peer, conversation)
        pending = await self._waiting.pop(key) if conversation else None
        if pending is not None:
            if agrees(text):
                pending.session.handle.tool_result(pending.call.id, json.dumps({"confirm": True}))
                await self._follow(pending.session, pending.outputs, key)
                return
            await decline(pending)
            if _NO.fullmatch(text):
                await self._done("All right, I leave it.", conversation)
                return
        if not text.strip():
            await self._send(NotHandled("nothing was said"))
            return
        session = await self._opener.open(self._spec)
        outputs = session.outputs()
        session.handle.respond(text)
        await self._follow(session, outputs, key)

    async def _follow(self, session: Open, outputs: AsyncIterator[Output], key: tuple[str, str]) -> None:
        kept = False
        try:
            async for output in timed(outputs, self._bounds.answer_s, "the answer"):
                if isinstance(output, Call):
                    if output.confirm and key[1]:
                        kept = True
                        await self._waiting.put(key, session, outputs, output)
                        await self._done(question(output), key[1])
                        return
                    result = json.dumps({"confirm": False}) if output.confirm else UNOWNED
                    session.handle.tool_result(output.id, result, speak=False)
                    await self._send(NotHandled(refusal(output)))
                    return
                if await self._take(output, key[1]):
                    return
            await self._send(NotHandled("the session ended without an answer"))
        finally:
            if not kept:
                await asyncio.shield(session.close("done"))

    async def _take(self, output: Output, conversation: str) -> bool:
        """True: that was the answer."""
        match output:
            case ReplyStarted():
                if output.text:
                    await self._chunk(output.text)
            case ReplyDelta():
                await self._chunk(output.text)
            case ReplyDone():
                await self._done(output.text, conversation)
                return True
            case ReplyCancelled():
                await self._send(NotHandled(f"the answer was broken off ({output.reason})"))
                return True
            case ErrorEvent():
                await self._send(NotHandled(output.message))
                return True
            case Notice() if output.code in OVER:
                await self._send(NotHandled(output.message))
                return True
            case _:
                pass
        return False

    async def _chunk(self, text: str) -> None:
        if not self._started:
            self._started = True
            await self._send(HandledStart())
        await self._send(HandledChunk(text))

    async def _done(self, text: str, conversation: str) -> None:
        context = {"conversation_id": conversation} if conversation else None
        if not self._started:
            await self._send(HandledStart(context=context))
            await self._send(HandledChunk(text))
        await self._send(Handled(text, context=context))
        await self._send(HandledStop())


def question(call: Call) -> str:
    return f"I would call {described(call)}. Shall I? Say yes or no."


def refusal(call: Call) -> str:
    """Why a call was left undone."""
    if call.confirm:
        return f"{described(call)} needs a yes, and this client gives no conversation_id to ask in"
    return f"nobody on this server carries out {call.name}"


def described(call: Call) -> str:
    """`lock_door (door: front, state: unlock)`, as it can be read aloud."""
    try:
        arguments: Any = json.loads(call.arguments)
    except ValueError:
        arguments = {}
    pairs = ", ".join(f"{k}: {v}" for k, v in arguments.items()) if isinstance(arguments, dict) else ""
    name = call.name.replace("_", " ")
    return f"{name} ({pairs})" if pairs else name
