"""Model folders behind actors of Ray."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace

import pytest

pytestmark = pytest.mark.slow
ray = pytest.importorskip("ray")

from serving.build import build_engine  # noqa: E402
from serving.config import Config  # noqa: E402
from serving.metrics import NoMetrics  # noqa: E402
from serving.ray.app import deployment  # noqa: E402
from serving.ray.workers import gpus_of  # noqa: E402
from serving.tier import info_of  # noqa: E402
from soundflow.errors import ConfigError, SoundflowError  # noqa: E402
from soundflow.perceive.beats import Beats, BeatsConfig  # noqa: E402
from soundflow.tiers import random  # noqa: E402
from soundflow.tiers.pretrained import from_pretrained  # noqa: E402
from tests.serving.played import LISTENS, decisions, play  # noqa: E402
from tests.tiers.whole import scene  # noqa: E402


@pytest.fixture(scope="module")
def cluster():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def settings(folder, **more):
    return Config(model=folder, voice=False, device="cpu", **more)


@pytest.mark.parametrize("tier", ["base", "omni"])
def test_an_actor_decides_as_this_process_does(cluster, tier, tmp_path, monkeypatch):
    folder, audio = random.write(tier, tmp_path / tier), scene(8)
    monkeypatch.chdir(tmp_path)

    async def run(config):
        engine = await build_engine(config, NoMetrics())
        try:
            return engine.info, decisions(await play(engine, LISTENS, audio))
        finally:
            await engine.close()

    info, far = asyncio.run(run(settings(folder.relative_to(tmp_path), engine="ray")))
    _, near = asyncio.run(run(settings(folder, hearing_process=False)))
    assert replace(info, voice="", voice_rate_hz=0) == info_of(from_pretrained(folder))
    assert len(far) >= 20
    assert [x.chunk for x in far] == [x.chunk for x in near]
    assert [x.p["silent"] for x in far] == pytest.approx([x.p["silent"] for x in near], abs=0.03)


def test_a_node_without_the_folder_is_told(cluster, tmp_path):
    said = r"could not start: WeightsError: \S+/gone: a model folder was expected on"
    with pytest.raises(SoundflowError, match=said):
        asyncio.run(build_engine(settings(tmp_path / "gone", engine="ray"), NoMetrics()))


@pytest.mark.parametrize(
    ("device", "there", "wanted"),
    [("auto", {"GPU": 2.0}, 0.5), ("cpu", {"GPU": 2.0}, 0.0), ("auto", {"CPU": 2.0}, 0.0)],
)
def test_replicas_and_actors_ask_for_a_gpu_where_there_is_one(device, there, wanted, monkeypatch):
    monkeypatch.setattr(ray, "cluster_resources", lambda: there)
    config = Config(device=device, gpus_per_worker=0.5)
    assert gpus_of(config) == wanted
    assert deployment(config)._bound_deployment.ray_actor_options["num_gpus"] == wanted


def test_actors_roll_over_to_the_folder_as_it_is_now(cluster, tmp_path):
    folder, audio = random.write("base", tmp_path / "m"), scene(4)
    other = random.write("base", tmp_path / "other", 5)

    async def run():
        engine = await build_engine(settings(folder, engine="ray"), NoMetrics())
        try:
            before = decisions(await play(engine, LISTENS, audio))
            shutil.copyfile(other / "lm" / "model.safetensors", folder / "lm" / "model.safetensors")
            await engine.roll()
            after = decisions(await play(engine, LISTENS, audio))
            Beats.random(BeatsConfig.tiny(2), 0, ("Bark", "Meow")).save(folder / "sound" / "beats.safetensors")
            with pytest.raises(ConfigError, match="labels changed"):
                await engine.roll()
            again = decisions(await play(engine, LISTENS, audio))
        finally:
            await engine.close()
        return [[x.p["silent"] for x in found] for found in (before, after, again)]

    before, after, again = asyncio.run(run())
    assert len(before) >= 10
    assert before != after
    assert again == after
