"""`model` of the server's settings: whole models of other tiers behind the local engine."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from serving.build import adapter_folder, build_engine
from serving.config import Config
from serving.handle import SessionSpec
from serving.metrics import NoMetrics
from soundflow.errors import SoundflowError
from soundflow.events import ReplyDone
from soundflow.tiers import random
from soundflow.tiers.pretrained import from_pretrained
from tests.serving.played import LISTENS, decisions, play
from tests.tiers.whole import lines, scene


@pytest.mark.parametrize("tier", ["base", "omni"])
def test_sessions_decide_as_a_stream_of_their_own_does(tier, tmp_path):
    folder = random.write(tier, tmp_path / tier)
    config = Config(model=folder, voice=False, device="cpu", hearing_process=False)
    audio = [scene(16), scene(16)[::-1].copy()]

    async def run():
        engine = await build_engine(config, NoMetrics())
        try:
            assert engine.info.tier == tier
            return [decisions(x) for x in await asyncio.gather(*(play(engine, LISTENS, x) for x in audio))]
        finally:
            await engine.close()

    served = asyncio.run(run())
    model = from_pretrained(folder, eight_bit=True)
    for got, pcm in zip(served, audio, strict=True):
        alone = [json.loads(x) for x in lines(model, pcm, proactivity=0.0)]
        wanted = [x for x in alone if x["type"] == "decision"]
        assert len(got) >= 40
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            assert one.chunk == other["chunk"]
            assert one.p["silent"] == pytest.approx(other["p"]["silent"], abs=0.03)  # bfloat16, other batches


@pytest.mark.parametrize("tier", ["base", "omni"])
def test_sessions_are_replied_to_beside_each_other(tier, tmp_path):
    config = Config(model=random.write(tier, tmp_path / tier), voice=False, device="cpu", hearing_process=False)
    dials = (0.0, 0.6, 0.8, 1.0)
    specs = [SessionSpec(proactivity=x, barge_in=False) for x in dials]

    async def run():
        engine = await build_engine(config, NoMetrics())
        try:
            return await asyncio.gather(*(play(engine, spec, scene(16)) for spec in specs))
        finally:
            await engine.close()

    for dial, taken in zip(dials, asyncio.run(run()), strict=True):
        assert len(decisions(taken)) >= 40
        assert any(isinstance(x, ReplyDone) and x.text for x in taken) == (dial > 0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"tier": "base"}, "another tier is a folder"),
        ({"model": "m", "adapter": "mine"}, "without an adapter"),
        ({"model": "no_such_folder", "device": "cpu"}, "no_such_folder"),
    ],
)
def test_what_does_not_go_together_is_refused(asked, said):
    with pytest.raises(SoundflowError, match=said):
        asyncio.run(build_engine(Config(**asked), NoMetrics()))


def test_an_installed_adapter_is_not_put_on_another_model():
    assert adapter_folder(Config(model=Path("somewhere"))) is None
