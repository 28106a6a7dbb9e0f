"""A tiny run: recipes and streams of the engine's tests."""

from __future__ import annotations

from dataclasses import replace

from soundflow.respond.tools import load_tools
from tests.training.streams import alert, request, silence
from tests.training.test_sequence import DEMO
from training.adapters import AdapterConfig
from training.run import Run
from training.stages import RunConfig, Stage

ITEMS = [alert(seed=s) for s in range(8)] + [silence(seed=s) for s in range(8, 16)] + [request()]
STAGE = Stage(train=("data",), tokens_per_batch=300, steps=6, warmup_steps=1, lora_lr=3e-3, full_lr=3e-3)
TOOLS = {"home": load_tools(DEMO / "tools.json")}


def recipe(out, stages=(STAGE,), **changes):
    config = RunConfig(
        out=str(out), cal=("cal",), stages=tuple(stages), evaluate_every=1000, bf16=False, threads=1, patience=0,
        device="cpu", adapter=AdapterConfig(rank=2, alpha=4, dropout=0.0),
    )  # fmt: skip
    return replace(config, **changes)


def make(folder, names, out, stages=(STAGE,), **changes):
    """-> a run and the list of what it says."""
    said = []
    return Run(recipe(out, stages, **changes), folder, names, TOOLS, said.append), said


def trained(folder, names, out, stages=(STAGE,), **changes):
    run, said = make(folder, names, out, stages, **changes)
    run.train({"data": ITEMS}, ITEMS[:10])
    return run, said
