"""pipecat's OpenAI realtime service in a pipeline, against our server. As `livekit_realtime`."""

from __future__ import annotations

import asyncio
import json
import math
import os
import struct
import sys
from typing import Any

from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.realtime.events import SessionProperties
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService


class Ear(FrameProcessor):
    """Keeps what passes."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.transcripts: list[str] = []
        self.errors: list[str] = []
        self.seconds = 0.0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSTextFrame):
            self.words.append(frame.text)
        elif isinstance(frame, TTSAudioRawFrame):
            self.seconds += len(frame.audio) / 48_000
        elif isinstance(frame, TranscriptionFrame):
            self.transcripts.append(frame.text)
        elif isinstance(frame, ErrorFrame):
            self.errors.append(frame.error)
        await self.push_frame(frame, direction)

    async def until(self, words: str, seconds: float) -> None:
        """Wait for these words, and for so much audio since the last wait."""
        until = asyncio.get_running_loop().time() + 8
        while "".join(self.words) != words or self.seconds < seconds:
            await asyncio.sleep(0.02)
            if asyncio.get_running_loop().time() > until:
                print(f"expected {words!r} and {seconds} s, got {self.words} and {self.seconds} s", file=sys.stderr)
                sys.stderr.flush()
                os._exit(1)
        self.words.clear()
        self.seconds = 0.0
        await asyncio.sleep(0.2)


def audio(seconds: float, level: float) -> InputAudioRawFrame:
    n = int(seconds * 24_000)
    values = [int(level * 32767 * math.sin(2 * math.pi * 440 * i / 24_000)) for i in range(n)]
    return InputAudioRawFrame(audio=struct.pack(f"<{n}h", *values), sample_rate=24_000, num_channels=1)


async def main(base: str) -> None:
    seen: dict[str, Any] = {}
    light = FunctionSchema("set_light", "Turn the light on or off.", {"state": {"type": "string"}}, ["state"])
    service = OpenAIRealtimeLLMService(
        api_key="x",
        base_url=base.replace("http", "ws") + "/realtime",
        settings=OpenAIRealtimeLLMService.Settings(session_properties=SessionProperties(instructions="Be brief.")),
    )

    async def set_light(params: Any) -> None:
        seen["call"] = [params.function_name, dict(params.arguments)]
        await params.result_callback({"ok": True})

    service.register_function("set_light", set_light)
    context = LLMContext([{"role": "user", "content": "Say hello."}], ToolsSchema(standard_tools=[light]))
    pair = LLMContextAggregatorPair(context)
    before, after = Ear(), Ear()
    pipeline = Pipeline([pair.user(), before, service, after, pair.assistant()])
    params = PipelineParams(audio_in_sample_rate=24_000, audio_out_sample_rate=24_000)
    task = PipelineTask(pipeline, params=params, idle_timeout_secs=None, enable_rtvi=False)
    running = asyncio.create_task(PipelineRunner(handle_sigint=False).run(task))
    await task.queue_frame(LLMContextFrame(context))
    await after.until("You said Say hello.", 0.95)
    for frame in (audio(0.4, 0.0), audio(0.8, 0.4)):
        await task.queue_frame(frame)
    await after.until("I hear a smoke alarm.", 0.95)
    print(json.dumps({"do": "hear", "text": "turn on the light"}), flush=True)
    await after.until("Done.", 0.95)
    print(json.dumps({"do": "hear", "text": "tell me a story"}), flush=True)
    await after.until("You said tell me a story", 0.3)
    await task.queue_frame(InterruptionFrame())
    await asyncio.sleep(0.5)
    seen["transcripts"] = before.transcripts
    await task.queue_frame(EndFrame())
    await asyncio.wait_for(running, 10)
    print(json.dumps({"seen": seen, "errors": before.errors + after.errors}), flush=True)


asyncio.run(main(sys.argv[1]))
