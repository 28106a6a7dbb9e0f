"""Every server event named in our code is either the SDK's, and then was seen on the wire and survived the SDK's own
class, or one of the additive ones that docs/serving.md lists.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

import serving.live
import serving.realtime
from serving.handle import Notice, VoicePiece
from serving.realtime.commands import COMMANDS
from soundflow.events import SpeechStarted, Transcript
from tests.serving.fake_engine import FakeEngine
from tests.serving.realtime.served import ADDITIVE, LIVE, REALTIME, Wire, b64, hold_against_sdk, served, silence, tone
from tests.serving.realtime.test_limits import LIVE_KINDS
from tests.serving.realtime.test_sdk import LIGHT

NAME = re.compile(
    r"(session|response|conversation|input_audio_buffer|output_audio_buffer|overlap)(\.[a-z_]+)+|error|info"
)


def named(package: Any) -> set[str]:
    """Names of events that the package sends: the text that `emit` gets, also by way of a variable."""
    found: set[str] = set()
    for path in Path(package.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
                found.add(node.value)
    return found


async def finish(c: Wire) -> None:
    await c.expect("response.done")


async def realtime_scene() -> set[str]:
    async with served() as s, s.socket("realtime?model=m&include=decisions,sounds,levels") as c:
        h = s.engine.handles[0]
        await c.send("session.update", session={"tools": [LIGHT]})
        await c.send("input_audio_buffer.append", audio=b64(silence(0.9) + tone(1.2)))
        await finish(c)
        item_id = c.seen[-1]["response"]["output"][0]["id"]
        await c.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=10)
        await c.send("conversation.item.retrieve", item_id=item_id)
        await c.send("conversation.item.delete", item_id=item_id)
        await c.send("conversation.item.delete", item_id=item_id)
        await c.expect("error")
        h.emit(SpeechStarted(t=2, start=1), Transcript(t=2, text="turn it", final=False, start=1, end=2, stable=2))
        h.hear("turn on the light")
        await finish(c)
        h.hold = True
        h.reply("A story.")
        h.emit(VoicePiece("r3", np.zeros(22_050, np.float32), 22_050))
        await c.expect("response.output_audio.delta")
        await c.send("output_audio_buffer.clear")
        await finish(c)
        h.hold = False
        await c.send("input_audio_buffer.clear")
        await c.send("session.update", session={"output_modalities": ["text"]})
        part = {"type": "input_text", "text": "hi"}
        await c.send("conversation.item.create", item={"type": "message", "role": "user", "content": [part]})
        await c.send("response.create")
        await finish(c)
        h.emit(Notice("resumed", "again"))
        await c.expect("session.notice")
        c.socket.transport.abort()
        while not s.engine.detached:
            await asyncio.sleep(0.01)
        seen = {e["type"] for e in c.seen}
        async with s.socket(f"realtime?resume={h.id}") as again:
            await again.expect("session.resumed")
            seen |= {e["type"] for e in again.seen}
    return seen


async def live_scene() -> set[str]:
    seen: set[str] = set()
    for kind in ("client", "responses"):
        delegation = {"type": kind, **({"responses": {"model": "x"}} if kind == "responses" else {})}
        async with served(FakeEngine()) as s, s.socket("live/sessions") as c:
            await c.send("session.start", session={"delegation": delegation, "soundflow": {"tools": [LIGHT]}})
            await c.expect("session.started")
            h = s.engine.handles[0]
            await c.send("session.input_audio.append", audio=b64(silence(10.5)))
            for append in ("instructions", "thinking", "commentary"):
                await c.send(f"session.{append}.append", content="x", delegation_id=None)
            await c.send("session.input_audio.mute")
            await c.send("session.input_audio.unmute")
            await c.send("session.update", session={"delegation": delegation})
            h.hear("turn on the light")
            h.emit(Notice("overload", "dropped"))
            await c.expect("session.output_audio.delta")
            await c.expect("info") if not any(e["type"] == "info" for e in c.seen) else None
            await c.send("nothing")
            await c.expect("error")
            if not any(e["type"] == "session.usage.updated" for e in c.seen):
                await c.expect("session.usage.updated")
            await c.send("session.close")
            await c.expect("session.closed")
            seen |= {e["type"] for e in c.seen}
    return seen


def test_every_event_of_realtime_survives_the_sdk() -> None:
    sent = named(serving.realtime) - set(COMMANDS) - {"session.start", "session.audio.input.format"}
    ours = {
        n for n in sent if not n.startswith(("session.tools", "session.type", "session.audio", "session.soundflow"))
    }
    ours -= {"response.input", "response.metadata", "session.instructions", "info", "session.audio.output.format"}
    seen = asyncio.run(realtime_scene())
    assert ours <= set(REALTIME) | ADDITIVE
    assert ours - seen == set(), "named in the code, never seen on the wire"
    assert seen - ours == set(), "seen on the wire, not named in the code"


def test_every_event_of_live_survives_the_sdk() -> None:
    seen = asyncio.run(live_scene())
    computed = {"session.input_audio.muted", "session.input_audio.unmuted"}
    computed |= {f"session.{kind}.appended" for kind in ("instructions", "thinking", "commentary")}
    inner = {"response.created", "response.output_item.done", "response.completed"}
    params = {
        "session.audio",
        "session.audio.format",
        "session.delegation.type",
        "session.instructions",
        "session.tools",
    }
    sent = (named(serving.live) | computed) - set(LIVE_KINDS) - inner - params - {"session.close"}
    assert sent <= set(LIVE) | ADDITIVE
    assert sent - seen == set(), "named in the code, never seen on the wire"
    assert seen - sent == set(), "seen on the wire, not named in the code"


def test_the_check_itself_can_fail() -> None:
    """An event that lacks a field, or that nobody knows, is found."""
    event = {"type": "input_audio_buffer.cleared", "event_id": "e"}
    hold_against_sdk(json.loads(json.dumps(event)))
    for broken in ({"type": "input_audio_buffer.cleared"}, {"type": "response.nonsense", "event_id": "e"}):
        try:
            hold_against_sdk(broken)
        except (AssertionError, ValueError):
            continue
        raise AssertionError(f"{broken} passed")
