"""LiveKit's OpenAI realtime plugin against our server. Runs under STOCK_PYTHON; speaks JSON lines.

`{"do": "hear", "text": ...}` asks the test to make the fake engine hear something; the last line is `{"seen": ...}`.
"""

from __future__ import annotations

import asyncio
import json
import math
import struct
import sys

import aiohttp
from livekit import rtc
from livekit.agents import llm
from livekit.plugins.openai import realtime


def do(what: str, **fields: str) -> None:
    print(json.dumps({"do": what, **fields}), flush=True)


@llm.function_tool
async def set_light(state: str) -> str:
    """Turn the light on or off."""
    return state


async def told(generation: llm.GenerationCreatedEvent) -> tuple[str, float, list[str]]:
    """Words, seconds of audio and calls of one generation."""
    words, seconds, calls = "", 0.0, []
    async for message in generation.message_stream:
        async for delta in message.text_stream:
            words += delta
        async for frame in message.audio_stream:
            seconds += frame.duration
    async for call in generation.function_stream:
        calls.append(call)
    return words, seconds, calls


def frames(seconds: float, level: float) -> list[rtc.AudioFrame]:
    out = []
    for k in range(int(seconds * 50)):
        values = [int(level * 32767 * math.sin(2 * math.pi * 440 * (k * 480 + i) / 24_000)) for i in range(480)]
        out.append(rtc.AudioFrame(struct.pack("<480h", *values), 24_000, 1, 480))
    return out


async def main(base: str) -> None:
    seen: dict[str, object] = {}
    errors: list[str] = []
    async with aiohttp.ClientSession() as http:
        model = realtime.RealtimeModel(api_key="x", base_url=base, http_session=http)
        session = model.session()
        session.on("error", lambda e: errors.append(str(e.error)))
        session.on("input_audio_transcription_completed", lambda e: seen.update(transcript=e.transcript))
        generations: asyncio.Queue[llm.GenerationCreatedEvent] = asyncio.Queue()
        session.on("generation_created", generations.put_nowait)
        await session.update_instructions("Be brief.")
        await session.update_tools([set_light])
        context = llm.ChatContext.empty()
        context.add_message(role="user", content="Earlier question.")
        context.add_message(role="assistant", content="Earlier answer.")
        await session.update_chat_ctx(context)
        for frame in frames(0.4, 0.0) + frames(0.8, 0.4):
            session.push_audio(frame)
        seen["alarm"] = (await told(await asyncio.wait_for(generations.get(), 5)))[:2]
        greeting = await session.generate_reply(instructions="Greet the user.")
        seen["greeting"] = (await told(greeting))[:2]
        await generations.get()
        do("hear", text="turn on the light")
        _, _, (call,) = await told(await asyncio.wait_for(generations.get(), 5))
        seen["call"] = [call.name, call.arguments]
        context = session.chat_ctx.copy()
        context.items.append(llm.FunctionCallOutput(call_id=call.call_id, name=call.name, output="ok", is_error=False))
        await session.update_chat_ctx(context)
        seen["done"] = (await told(await session.generate_reply()))[0]
        await generations.get()
        do("hear", text="tell me a story")
        generation = await asyncio.wait_for(generations.get(), 5)
        message = await anext(aiter(generation.message_stream))
        await anext(aiter(message.audio_stream))
        session.interrupt()
        session.truncate(message_id=message.message_id, modalities=["audio"], audio_end_ms=40)
        seen["interrupted"] = len([f async for f in message.audio_stream]) < 10
        await asyncio.sleep(0.3)
        await session.aclose()
    print(json.dumps({"seen": seen, "errors": errors}), flush=True)


asyncio.run(main(sys.argv[1]))
