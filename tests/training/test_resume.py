"""A killed run goes on to the same losses and weights as one that nothing happened to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch

from soundflow.errors import ConfigError
from tests.training.tiny import ITEMS, STAGE, make, recipe, trained
from training.folders import resolved
from training.progress import Progress, read
from training.run import Run

pytestmark = pytest.mark.weights
STAGES = [
    replace(STAGE, name="one", steps=6, ema=0.9, accumulate=2, perturb=0.5, tag_streams=2, trainable=("projector",)),
    replace(STAGE, name="two", steps=7, perturb=0.5, embedding_dropout=0.2, mixture={"silence": 0.4, "rest": 0.6}),
]
CHANGES = {"evaluate_every": 4, "save_every": 1, "log_every": 3}


class Killed(Exception):
    pass


@pytest.fixture(autouse=True, scope="module")
def no_pictures():
    """They take most of the time of a tiny run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "draw", lambda self: None)
        yield


def losses(folder):
    return [(r["step"], r["stage"], r["decision"], r["reply"], r["norm"], r["rate"]) for r in read(folder / "log.csv")]


def evaluations(folder):
    return (folder / "evaluations.csv").read_text()


@pytest.fixture(scope="module")
def whole(folder, names, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    return trained(folder, names, out, STAGES, **CHANGES)[0], out


@pytest.mark.parametrize(("at", "save_every"), [(2, 1), (5, 3), (10, 3)])
def test_killed_and_resumed_is_as_if_nothing_had_happened(folder, names, tmp_path, whole, monkeypatch, at, save_every):
    run, _ = make(folder, names, tmp_path, STAGES, **{**CHANGES, "save_every": save_every})
    update = Run.update

    def dies(self, batches, clock):
        if self.step == at:
            raise Killed
        return update(self, batches, clock)

    monkeypatch.setattr(Run, "update", dies)
    with pytest.raises(Killed):
        run.train({"data": ITEMS}, ITEMS[:10])
    monkeypatch.undo()
    torch.manual_seed(77)
    again, _ = make(folder, names, tmp_path, STAGES, **{**CHANGES, "save_every": save_every})
    again.resume()
    assert 0 < again.step <= at
    again.train({"data": ITEMS}, ITEMS[:10])
    before, out = whole
    assert losses(tmp_path) == losses(out)
    assert evaluations(tmp_path) == evaluations(out)
    for (name, x), (_, y) in zip(before.model.named_parameters(), again.model.named_parameters(), strict=True):
        assert torch.equal(x, y), name
    for path in ("best/adapter.safetensors", "stages/one/adapter.safetensors"):
        assert (tmp_path / path).read_bytes() == (out / path).read_bytes()


def test_a_finished_run_stays_as_it_is(folder, names, tmp_path):
    run, _ = trained(folder, names, tmp_path)
    again, _ = make(folder, names, tmp_path)
    again.resume()
    assert again.step == run.step == 6
    before = evaluations(tmp_path)
    again.train({"data": ITEMS}, ITEMS[:10])
    assert again.step == 6
    assert evaluations(tmp_path) == before


def test_nothing_to_resume_says_so(folder, names, tmp_path):
    run, _ = make(folder, names, tmp_path)
    with pytest.raises(ConfigError, match=r"last\.pt"):
        run.resume()


SCRIPT = """
import sys
from pathlib import Path
from soundflow.perceive.sound import labels
from tests.training.tiny import ITEMS, TOOLS
from training.run import Run
from training.stages import load
config, lm, tags, resume = sys.argv[1:]
run = Run(load(Path(config)), Path(lm), labels(Path(tags)), TOOLS, print)
if resume == "yes":
    run.resume()
run.train({"data": ITEMS}, ITEMS[:10])
"""


def start(config, folder, nano_parts, resume):
    tags = nano_parts / "sound" / "yamnet.tflite"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, config, folder, tags, resume], env=environment)


@pytest.mark.slow
def test_kill_minus_nine(folder, names, nano_parts, tmp_path, whole):
    """A process that gets SIGKILL at a random place, and another that resumes."""
    out, path = tmp_path / "run", tmp_path / "config.json"
    path.write_text(resolved(recipe(out, STAGES, **CHANGES)))
    process = start(path, folder, nano_parts, "no")
    until = time.monotonic() + 120
    while not (out / "last.pt").exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert start(path, folder, nano_parts, "yes").wait() == 0
    assert losses(out) == losses(whole[1])
