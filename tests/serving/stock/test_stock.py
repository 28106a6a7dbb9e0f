"""pipecat's and livekit's OpenAI plugins, unmodified, against our server with the engine that has no model.

They need an interpreter of their own, since their dependencies are not ours:
`python -m venv X && X/bin/pip install 'pipecat-ai[openai]' livekit-agents livekit-plugins-openai`, then
`STOCK_PYTHON=X/bin/python pytest -m slow tests/serving/stock`.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from soundflow.events import SpeechStarted, SpeechStopped, Transcript
from tests.serving.fake_engine import FakeHandle
from tests.serving.realtime.served import served

PYTHON = os.environ.get("STOCK_PYTHON", "")
HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="STOCK_PYTHON names no interpreter with pipecat-ai and livekit"),
]


async def hear(handle: FakeHandle, text: str) -> None:
    """Somebody says it, in the time that it takes: pipecat drops what it does while a turn begins."""
    t = handle.heard_s
    handle.emit(SpeechStarted(t=t, start=t))
    await asyncio.sleep(0.4)
    handle.emit(SpeechStopped(t=t, end=t), Transcript(t=t, text=text, final=True, start=t, end=t))
    await asyncio.sleep(0.1)
    handle.answer(text)


def play(script: str, timeout: float = 60.0) -> dict[str, Any]:
    """Run one client to its end; what it asks for is done to the engine's last session."""

    async def scene() -> dict[str, Any]:
        async with served() as s:
            client = await asyncio.create_subprocess_exec(
                PYTHON, str(HERE / script), s.http, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            assert client.stdout is not None
            assert client.stderr is not None
            said = asyncio.create_task(client.stderr.read())
            try:
                async with asyncio.timeout(timeout):
                    async for line in client.stdout:
                        body = json.loads(line) if line.startswith(b"{") else {}
                        if body.get("do") == "hear":
                            await hear(s.engine.handles[-1], body["text"])
                        if "seen" in body:
                            return {**body, "handles": s.engine.handles}
            finally:
                if client.returncode is None:
                    client.kill()
                await client.wait()
                words = (await said).decode(errors="replace")
            raise AssertionError(f"{script} ended early: {words[-3000:]}")

    return asyncio.run(scene())


def test_livekit_realtime() -> None:
    out = play("livekit_realtime.py")
    seen, handle = out["seen"], out["handles"][-1]
    assert out["errors"] == []
    assert len(out["handles"]) == 1
    assert seen["alarm"][0] == "I hear a smoke alarm."
    assert abs(seen["alarm"][1] - 1.0) < 0.05
    assert seen["greeting"][0] == "You said Greet the user."
    assert seen["call"] == ["set_light", '{"state": "on"}']
    assert seen["done"] == "Done."
    assert seen["transcript"] == "tell me a story"
    assert seen["interrupted"]
    assert handle.spec.instruction == "Be brief."
    assert handle.results == [("call_2", "ok")]
    assert handle.truncated


def test_livekit_live() -> None:
    out = play("livekit_live.py")
    seen, handle = out["seen"], out["handles"][-1]
    assert out["errors"] == []
    assert seen["alarm"] == "I hear a smoke alarm."
    assert seen["call"] == ["set_light", '{"state": "on"}']
    assert seen["done"] == "Done."
    assert seen["greeting"] == "You said Greet the caller."
    assert seen["transcript"] == "turn on the light"
    assert handle.spec.instruction == "Be brief."
    assert handle.closed


def test_pipecat_realtime() -> None:
    out = play("pipecat_realtime.py")
    seen, handle = out["seen"], out["handles"][-1]
    assert out["errors"] == []
    assert len(out["handles"]) == 1
    assert seen["call"] == ["set_light", {"state": "on"}]
    assert seen["transcripts"] == ["turn on the light", "tell me a story"]
    assert handle.spec.instruction == "Be brief."
    assert len(handle.results) == 1
