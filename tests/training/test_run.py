"""A tiny run end to end on a CPU: train, evaluate, save, put back."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from soundflow.errors import ConfigError, WeightsError
from soundflow.tiers import checkpoint
from tests.training.streams import alert, silence
from tests.training.tiny import ITEMS, STAGE, make, trained
from training.adapters import PARTS, AdapterConfig, TrainableLalm
from training.average import average
from training.evaluate import score
from training.gate import Collapse, report
from training.progress import read
from training.run import Run
from training.stages import load

pytestmark = pytest.mark.weights


def same(a, b):
    for (name, x), (_, y) in zip(a.model.named_parameters(), b.model.named_parameters(), strict=True):
        assert torch.equal(x, y), name


def test_fixed_seeds_give_fixed_weights(folder, names, tmp_path):
    a, _ = trained(folder, names, tmp_path / "a")
    b, _ = trained(folder, names, tmp_path / "b")
    same(a, b)


def plain(item, heard=1.0):
    """The stream without what would tell it from others: nothing is left but the tags, `heard` times as high."""
    sample, f = item
    return sample, replace(f, tags=f.tags * np.float16(heard), sound=0 * f.sound, speech=0 * f.speech)


def test_it_learns_and_reports_by_ability(folder, names, tmp_path):
    """On streams that it was not trained on, and from what is heard: with the tags gone nothing is left."""
    run, said = make(folder, names, tmp_path, [replace(STAGE, steps=60, ema=0.9)], log_every=5)
    items = [plain(item) for item in ITEMS]
    run.train({"data": items}, items[:10])
    unheard = [alert(seed=s, onset=4 + s % 5, due=8 + s % 5) for s in range(40, 48)]
    unheard += [silence(seed=s) for s in range(48, 56)]
    found = report(score(run.model, [plain(item) for item in unheard], run.builder))
    assert found.overall.area > 0.95
    assert found.overall.balanced > 0.7
    assert report(score(run.model, [plain(item, 0.0) for item in unheard], run.builder)).overall.balanced <= 0.5
    assert any("always silent" in line and "proactive" in line for line in said)
    assert any("ETA" in line for line in said)
    for name in ("losses.png", "gate.png"):
        assert (tmp_path / name).stat().st_size > 5000
    rows = read(tmp_path / "log.csv")
    assert [int(r["step"]) for r in rows] == list(range(5, 61, 5))
    reply = [float(r["reply"]) for r in rows]
    assert sum(reply[-4:]) < 0.9 * sum(reply[:4])


def test_every_saved_adapter_lies_beside_recipe_commit_and_figures(folder, names, tmp_path):
    run, _ = trained(folder, names, tmp_path)
    for name in ("best", "last", "stages/train"):
        assert load(tmp_path / name / "config.json") == run.config
        assert len(json.loads((tmp_path / name / "config.json").read_text())["commit"]) == 40
        gate = json.loads((tmp_path / name / "gate.json").read_text())
        assert gate["step"] == 6
        assert gate["figures"]["always silent"]["respond"] == 0.0
    assert not list(tmp_path.rglob("*.part")) + list(tmp_path.rglob("*.old"))


def test_a_stage_changes_what_it_names_and_starts_from_the_best_of_the_one_before(folder, names, tmp_path, monkeypatch):
    stages = [
        replace(STAGE, name="projector", trainable=("projector",), steps=8),
        replace(STAGE, name="rows", trainable=("decision",), steps=2),
        replace(STAGE, name="all", steps=2),
    ]
    run, _ = make(folder, names, tmp_path, stages, evaluate_every=2)
    starts = {}
    entered = Run._train_stage

    def spy(self, data, held):
        starts[self.stage.name] = {k: p.detach().clone() for k, p in self.model.trained().items()}
        entered(self, data, held)
        starts[f"{self.stage.name} end"] = {k: p.detach().clone() for k, p in self.model.trained().items()}

    monkeypatch.setattr(Run, "_train_stage", spy)
    run.train({"data": ITEMS}, ITEMS[:10])
    own = {part: set(run.model.part(part)) for part in PARTS}
    changed = {
        name: {k for k, v in starts[name].items() if not torch.equal(v, starts[f"{name} end"][k])} for name in
        ("projector", "rows", "all")
    }  # fmt: skip
    assert changed["projector"]
    assert changed["projector"] <= own["projector"]
    assert changed["rows"] == own["decision"]
    assert changed["all"] & own["lora"]
    best = load_file(tmp_path / "stages" / "projector" / "adapter.safetensors")
    for key in own["projector"]:
        assert torch.equal(starts["rows"][key], best[key].float()), key


def test_the_rate_is_one_of_steps_where_the_minutes_do_not_bind(folder, names, tmp_path):
    stage = replace(STAGE, steps=100, warmup_steps=10, minutes=10)
    run, _ = make(folder, names, tmp_path, [stage])
    run.stage_step = 55
    assert run.rate(0.52) == run.rate(0.0) == pytest.approx(0.05 + 0.95 * 0.5)
    assert run.rate(0.9) < run.rate(0.0)
    assert run.rate(1.0) == pytest.approx(0.05)
    run.stage_step = 0
    assert run.rate(0.9) == pytest.approx(0.1)


def test_minutes_end_a_stage(folder, names, tmp_path):
    run, _ = trained(folder, names, tmp_path, [replace(STAGE, steps=10_000, minutes=0.01)])
    assert 0 < run.step < 10_000


def test_collapse_warns_then_stops_and_says_what_fell(folder, names, tmp_path):
    """Rates of zero, and a decision bias that keeps silent whatever is heard."""
    stage = replace(STAGE, lora_lr=0.0, full_lr=0.0, steps=9)
    run, said = make(folder, names, tmp_path, [stage], evaluate_every=1, patience=2)
    with torch.no_grad():
        run.model.decision_out.zero_()
    with pytest.raises(Collapse, match=r"trivial baseline.*lora_lr"):
        run.train({"data": ITEMS}, ITEMS[:16])
    warnings = [line for line in said if line.startswith("WARNING")]
    assert len(warnings) == 1
    assert "proactive" in warnings[0] or "always" in warnings[0]
    assert run.step == 2


def test_a_loss_that_is_not_finite_stops_the_run(folder, names, tmp_path):
    run, _ = make(folder, names, tmp_path, [replace(STAGE, full_lr=1e30, lora_lr=1e30)])
    with pytest.raises(ConfigError, match="finite"):
        run.train({"data": ITEMS}, ITEMS[:10])


def test_a_saved_adapter_can_be_put_back(folder, names, tmp_path):
    run, _ = trained(folder, names, tmp_path)
    other = TrainableLalm(folder, names, AdapterConfig(rank=2, alpha=4, dropout=0.0), torch.float32)
    other.restore(tmp_path / "last")
    a, b = (score(m, ITEMS[:3], run.builder) for m in (run.model, other))
    assert all(np.allclose(x.logits, y.logits, atol=0.02) for x, y in zip(a, b, strict=True))
    with pytest.raises(WeightsError, match="adapter"):
        TrainableLalm(folder, names, AdapterConfig(rank=4, alpha=4), torch.float32).restore(tmp_path / "last")


def test_a_score_does_not_depend_on_its_batch(folder, names, tmp_path):
    run, _ = make(folder, names, tmp_path)
    alone = [score(run.model, [item], run.builder)[0] for item in ITEMS[7:]]
    together = score(run.model, ITEMS[7:], run.builder)
    assert all(np.allclose(x.logits, y.logits, atol=1e-4) for x, y in zip(alone, together, strict=True))
    assert [s.item[0]["id"] for s in together] == [s["id"] for s, _ in ITEMS[7:]]


def test_the_average_of_two_adapters_lies_between_them(folder, names, tmp_path):
    trained(folder, names, tmp_path / "a")
    trained(folder, names, tmp_path / "b", seed=1)
    paths = [tmp_path / x / "last" for x in "ab"]
    average(*paths, tmp_path / "mean", 0.25)
    a, b, mean = (load_file(p / "adapter.safetensors") for p in (*paths, tmp_path / "mean"))
    assert all(torch.allclose(mean[k].float(), 0.75 * a[k].float() + 0.25 * b[k].float(), atol=2e-3) for k in a)
    assert checkpoint.load(tmp_path / "mean").chunk_ms == 400


def test_drawn_requests_are_valid_calls():
    from soundflow.respond.grammar import act_text
    from soundflow.types import ActionCall
    from training.tool_variety import draw

    rng = random.Random(5)
    for _ in range(200):
        tools, text, call = draw(rng)
        assert text.endswith(".")
        act_text(ActionCall(call["name"], call["arguments"]), tools)
        assert all(str(v) in text.lower() or isinstance(v, int) for v in call["arguments"].values())


def test_what_a_run_starts_from_stays_the_best_until_something_is_better(folder, names, tmp_path):
    trained(folder, names, tmp_path / "first", [replace(STAGE, steps=2)])
    still = replace(STAGE, steps=2, lora_lr=0.0, full_lr=0.0)
    run, _ = trained(folder, names, tmp_path / "second", [still], start=str(tmp_path / "first" / "best"))
    gate = json.loads((tmp_path / "second" / "best" / "gate.json").read_text())
    assert gate["step"] == 0
    assert run.evaluated == 2
