"""Tiny servers in threads: our protocols over an engine without a model, and the stock Realtime protocol by script."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tests.serving.realtime.served import Served, served

Script = Callable[[ServerConnection], None]


@contextmanager
def ours() -> Iterator[Served]:
    """`tests.serving.realtime.served` in a thread of its own: loud audio is announced as a smoke alarm."""
    ready, found, loop = threading.Event(), list[Served](), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def scene() -> None:
        async with served() as s:
            found.append(s)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(scene(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(15)
        loop.close()


@contextmanager
def scripted(script: Script) -> Iterator[str]:
    """ws://HOST:PORT of a server that plays `script` to each client."""

    def play(socket: ServerConnection) -> None:
        try:
            script(socket)
        except ConnectionClosed:
            pass  # the client has gone

    with serve(play, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join(5)


def say(socket: ServerConnection, kind: str, **fields: Any) -> None:
    socket.send(json.dumps({"type": kind, "event_id": "e", **fields}))


def opened(socket: ServerConnection) -> dict[str, Any]:
    """The opening of a stock Realtime session -> what the client configured."""
    say(socket, "session.created", session={"type": "realtime", "model": "stock"})
    update: dict[str, Any] = json.loads(socket.recv(5))
    assert update["type"] == "session.update"
    say(socket, "session.updated", session=update["session"])
    found: dict[str, Any] = update["session"]
    return found


def stock(seen: list[dict[str, Any]], calls: bool = False) -> Script:
    """The stock protocol: what is louder than 0.05 (RMS, over each 100 ms of 24 kHz audio) after quiet is answered, in
    text or by a call."""

    def script(socket: ServerConnection) -> None:
        seen.append(opened(socket) | {"headers": dict(socket.request.headers), "path": socket.request.path})
        loud, count, heard = False, 0, 0
        for message in socket:
            body = json.loads(message)
            if body["type"] != "input_audio_buffer.append":
                continue
            pcm = np.frombuffer(base64.b64decode(body["audio"]), "<i2").astype(np.float32) / 32768
            heard += len(pcm)
            seen[-1]["samples"] = heard
            now = bool(len(pcm)) and float(np.sqrt((pcm**2).mean())) > 0.05
            if now and not loud:
                count += 1
                say(socket, "input_audio_buffer.speech_started", audio_start_ms=heard // 24, item_id=f"u{count}")
                say(socket, "response.created", response={"id": f"resp{count}", "status": "in_progress", "output": []})
                (called if calls else answered)(socket, count)
            loud = now

    return script


def answered(socket: ServerConnection, count: int) -> None:
    item = {"id": f"item{count}", "type": "message", "role": "assistant", "content": []}
    say(socket, "response.output_item.added", response_id=f"resp{count}", output_index=0, item=item)
    for text in ("I hear ", "a beep."):
        say(socket, "response.output_text.delta", response_id=f"resp{count}", item_id=item["id"], delta=text)
    say(socket, "response.output_item.done", response_id=f"resp{count}", output_index=0, item=item)
    say(socket, "response.done", response={"id": f"resp{count}", "status": "completed", "output": [item]})


def called(socket: ServerConnection, count: int) -> None:
    item = {"id": f"item{count}", "type": "function_call", "name": "set_light", "call_id": "c", "arguments": ""}
    say(socket, "response.output_item.added", response_id=f"resp{count}", output_index=0, item=item)
    item = item | {"arguments": '{"state": "on"}'}
    say(socket, "response.output_item.done", response_id=f"resp{count}", output_index=0, item=item)
    say(socket, "response.done", response={"id": f"resp{count}", "status": "completed", "output": [item]})
