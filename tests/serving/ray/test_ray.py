"""The same engine over Ray: a killed actor loses nothing, voices stream, and the Serve application answers."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
import soundfile as sf

pytestmark = [pytest.mark.weights, pytest.mark.slow]
ray = pytest.importorskip("ray")

from serving.config import Config  # noqa: E402
from serving.handle import SessionSpec, VoicePiece  # noqa: E402
from soundflow.events import DecisionEvent, ReplyDone, ReplyStarted, Transcript  # noqa: E402

CHUNK = 6400


@pytest.fixture(scope="module")
def cluster(nano_parts):
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def scene():
    from pathlib import Path

    audio, _ = sf.read(Path(__file__).parents[3] / "demo" / "house.flac", dtype="float32")
    return audio[8 * 16_000 : 36 * 16_000]


async def hear(engine, scene, kill_at=None, victim=None):
    handle = await engine.open(SessionSpec())
    taken = []

    async def take():
        async for output in handle.outputs():
            taken.append(output)

    reader = asyncio.create_task(take())
    for k in range(0, len(scene), CHUNK):
        await handle.room()
        handle.push(scene[k : k + CHUNK])
        if kill_at is not None and k // CHUNK == kill_at:
            while handle.heard_s < (kill_at - 4) * 0.4:
                await asyncio.sleep(0.01)
            os.kill(await victim(), signal.SIGKILL)
    await handle.close(flush=True)
    await reader
    return taken


def test_a_killed_actor_loses_nothing(cluster, scene):
    from serving.metrics import Metrics
    from serving.ray.engine import RayEngine

    async def run():
        engine = await RayEngine.create(Config(engine="ray", workers=2, voice=True), None, Metrics())

        async def victim():
            lane = max(engine.lanes, key=lambda x: len(x.sessions))
            return await lane.worker.actor.pid.remote()

        plain = await hear(engine, scene)
        broken = await hear(engine, scene, kill_at=30, victim=victim)
        await engine.close()
        return plain, broken

    plain, broken = asyncio.run(run())
    assert [o.chunk for o in broken if isinstance(o, DecisionEvent)] == [
        o.chunk for o in plain if isinstance(o, DecisionEvent)
    ]

    def said(outputs):
        return [o.text for o in outputs if isinstance(o, Transcript) and o.final]

    assert said(broken) == said(plain)
    started = [o.id for o in broken if isinstance(o, ReplyStarted)]
    assert len(started) == len(set(started))
    assert [o.id for o in broken if isinstance(o, ReplyDone)] == [o.id for o in plain if isinstance(o, ReplyDone)]
    assert any(isinstance(o, VoicePiece) and len(o.audio) for o in broken)


def test_the_serve_application_streams_decisions(cluster, scene):
    pytest.importorskip("ray.serve")
    import base64

    import soxr
    from openai import AsyncOpenAI
    from ray import serve

    from benchmarks.serve.server import free_port
    from serving.ray.app import deployment

    port = free_port()
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(deployment(Config(), replicas=1), route_prefix="/")
    pcm = (soxr.resample(scene[: 8 * 16_000], 16_000, 24_000) * 32767).astype("<i2")

    async def run():
        client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none")
        seen = []
        async with client.realtime.connect(model="soundflow", extra_query={"include": "decisions"}) as connection:
            for k in range(0, len(pcm), 9600):
                audio = base64.b64encode(pcm[k : k + 9600].tobytes()).decode()
                await connection.input_audio_buffer.append(audio=audio)
            async with asyncio.timeout(60):
                async for event in connection:
                    seen.append(event.type)
                    if seen.count("response.listen") + seen.count("overlap.decision") >= 15:
                        return seen
        return seen

    seen = asyncio.run(run())
    serve.shutdown()
    assert seen[0] == "session.created"
    assert "response.speak" in seen
