"""LiveKit's GPT-Live plugin against our server. Runs under STOCK_PYTHON; as `livekit_realtime`."""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp
from livekit import rtc
from livekit.agents import llm
from livekit.plugins.openai import realtime


@llm.function_tool
async def set_light(state: str) -> str:
    """Turn the light on or off."""
    return state


async def main(base: str) -> None:
    seen: dict[str, object] = {}
    errors: list[str] = []
    words: list[str] = []
    heard = asyncio.Event()
    calls: asyncio.Queue[llm.FunctionCall] = asyncio.Queue()
    async with aiohttp.ClientSession() as http:
        model = realtime.GPTLiveModel(api_key="x", base_url=base, http_session=http)
        session = model.session()
        session.on("error", lambda e: errors.append(str(e.error)))
        session.on("transcript_delta", lambda e: words.append(e.text))
        session.on("function_call", calls.put_nowait)
        session.on("input_audio_transcription_completed", lambda e: seen.update(transcript=e.transcript))
        await session._update_session(instructions="Be brief.", chat_ctx=llm.ChatContext.empty(), tools=[set_light])
        seconds = 0.0

        async def listen() -> None:
            nonlocal seconds
            async for frame in session.audio_stream:
                seconds += frame.frame.duration
                if seconds > 0.9:
                    heard.set()

        listener = asyncio.create_task(listen())
        quiet = rtc.AudioFrame(bytes(960), 24_000, 1, 480)
        loud = rtc.AudioFrame(b"\x00\x20" * 480, 24_000, 1, 480)
        for k in range(60):
            session.push_audio(quiet if k < 20 else loud)
        await asyncio.wait_for(heard.wait(), 6)
        seen["alarm"] = "".join(words)
        words.clear()
        print(json.dumps({"do": "hear", "text": "turn on the light"}), flush=True)
        call = await asyncio.wait_for(calls.get(), 5)
        seen["call"] = [call.name, call.arguments]
        output = llm.FunctionCallOutput(call_id=call.call_id, name=call.name, output="ok", is_error=False)
        await session._append_items([output])
        await asyncio.sleep(0.5)
        seen["done"] = "".join(words)
        words.clear()
        session._generate_reply(instructions="Greet the caller.")
        async with asyncio.timeout(5):
            while not words:
                await asyncio.sleep(0.02)
        seen["greeting"] = "".join(words)
        await session.aclose()
        listener.cancel()
    print(json.dumps({"seen": seen, "errors": errors}), flush=True)


asyncio.run(main(sys.argv[1]))
