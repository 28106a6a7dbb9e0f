"""`model` of the server's settings: whole models of other tiers behind the local engine."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from serving.build import adapter_folder, build_engine
from serving.config import Config
from serving.handle import SessionSpec
from serving.metrics import NoMetrics
from soundflow.errors import ConfigError
from soundflow.events import DecisionEvent
from soundflow.tiers import random
from soundflow.tiers.pretrained import from_pretrained
from tests.tiers.whole import lines, scene


@pytest.mark.parametrize("tier", ["base", "omni"])
def test_sessions_decide_as_a_stream_of_their_own_does(tier, tmp_path):
    folder = random.write(tier, tmp_path / tier)
    config = Config(model=folder, voice=False, device="cpu")
    audio = [scene(16), scene(16)[::-1].copy()]

    async def play(engine, pcm):
        handle = await engine.open(replace(SessionSpec(), proactivity=0.0))
        taken = []

        async def take():
            async for output in handle.outputs():
                taken.append(output)

        reader = asyncio.create_task(take())
        for start in range(0, len(pcm), 6_400):
            await handle.room()
            handle.push(pcm[start : start + 6_400])
        await handle.close(flush=True)
        await reader
        return [o for o in taken if isinstance(o, DecisionEvent)]

    async def run():
        engine = await build_engine(config, NoMetrics())
        try:
            assert engine.info.tier == tier
            return await asyncio.gather(*(play(engine, x) for x in audio))
        finally:
            await engine.close()

    served = asyncio.run(run())
    model = from_pretrained(folder)
    for got, pcm in zip(served, audio, strict=True):
        alone = [json.loads(x) for x in lines(model, pcm, proactivity=0.0)]
        wanted = [x for x in alone if x["type"] == "decision"]
        assert len(got) >= 40
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            assert one.chunk == other["chunk"]
            assert one.p["silent"] == pytest.approx(other["p"]["silent"], abs=0.03)  # bfloat16, other batches


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"tier": "base"}, "another tier is a folder"),
        ({"model": "m", "adapter": "mine"}, "without an adapter"),
        ({"model": "m", "engine": "ray"}, "local engine"),
    ],
)
def test_what_does_not_go_together_is_refused(asked, said):
    with pytest.raises(ConfigError, match=said):
        asyncio.run(build_engine(Config(**asked), NoMetrics()))


def test_an_installed_adapter_is_not_put_on_another_model():
    assert adapter_folder(Config(model=Path("somewhere"))) is None
