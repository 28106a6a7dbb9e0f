"""Two CPU workers: the same weights on both, and the gradient of one worker that has both batches."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from tests.training.tiny import ITEMS, STAGE, make, recipe
from training.folders import resolved
from training.progress import read
from training.workers import Workers

SCRIPT = """
import os, sys
from pathlib import Path
import torch
from soundflow.perceive.sound import labels
from tests.training.tiny import ITEMS, TOOLS
from training.run import Run
from training.stages import load
config, lm, tags = sys.argv[1:]
rank = os.environ["RANK"]
run = Run(load(Path(config)), Path(lm), labels(Path(tags)), TOOLS, print)
average, first = run.workers.average, []
def spy(parameters):
    held = list(parameters)
    average(held)
    if not first:
        first.append(1)
        torch.save([p.grad.clone() for p in held], run.out / f"grad{rank}.pt")
run.workers.average = spy
run.train({"data": ITEMS}, ITEMS[:10])
torch.save({k: p.detach() for k, p in run.model.trained().items()}, run.out / f"weights{rank}.pt")
"""


def test_groups_share_out_every_batch_in_turn(monkeypatch):
    workers = Workers()
    assert list(workers.groups(range(7), 2)) == [(1, [0, 1]), (3, [2, 3]), (5, [4, 5])]
    shares = []
    for rank in range(2):
        workers.count, workers.rank = 2, rank
        shares.append(list(workers.groups(range(9), 2)))
    assert shares == [[(3, [0, 2]), (7, [4, 6])], [(3, [1, 3]), (7, [5, 7])]]


@pytest.mark.weights
@pytest.mark.slow
def test_two_workers_are_one_with_both_batches(folder, names, nano_parts, tmp_path):
    stage = replace(STAGE, steps=4, perturb=0.5, ema=0.5)
    path, script = tmp_path / "config.json", tmp_path / "worker.py"
    path.write_text(resolved(recipe(tmp_path / "two", [stage], evaluate_every=2, log_every=1)))
    script.write_text(SCRIPT)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    tags = str(nano_parts / "sound" / "yamnet.tflite")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    subprocess.run([*launcher, str(path), str(folder), tags], env=environment, check=True, timeout=400)
    run, _ = make(folder, names, tmp_path / "one", [replace(stage, accumulate=2)], evaluate_every=2, log_every=1)
    average, first = run.workers.average, []

    def spy(parameters):
        held = list(parameters)
        average(held)
        if not first:
            first.extend(torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in held)

    run.workers.average = spy
    run.train({"data": ITEMS}, ITEMS[:10])
    a, b = (torch.load(tmp_path / "two" / f"weights{r}.pt", weights_only=True) for r in range(2))
    assert all(torch.equal(a[k], b[k]) for k in a)
    grads = [torch.load(tmp_path / "two" / f"grad{r}.pt", weights_only=True) for r in range(2)]
    for x, y, z in zip(*grads, first, strict=True):
        assert torch.equal(x, y)
        assert torch.allclose(x, z, rtol=1e-4, atol=1e-6)
    rows = [read(tmp_path / x / "log.csv")[0] for x in ("one", "two")]
    assert float(rows[0]["decision"]) == pytest.approx(float(rows[1]["decision"]), abs=1e-4)
    assert len(read(tmp_path / "two" / "log.csv")) == 4
