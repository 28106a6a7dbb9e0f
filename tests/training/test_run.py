"""A tiny run end to end on a CPU: train, evaluate, save, resume, and the saved adapter streams what training scored."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

from soundflow.decide.lalm import Lalm
from soundflow.decide.llama import Llama
from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.projector import Projector, tag_embeddings
from soundflow.perceive.sound import labels
from soundflow.respond.tools import load_tools
from soundflow.tiers import checkpoint
from soundflow.types import Kind, Perception, Vad, Words
from tests.training.streams import alert, request, silence
from tests.training.test_sequence import DEMO
from training.adapters import AdapterConfig, TrainableLalm
from training.average import average
from training.evaluate import Scored, report, score
from training.run import Run, RunConfig

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def folder(nano_parts, tmp_path_factory):
    """A tiny random Llama under the real tokenizer."""
    out = tmp_path_factory.mktemp("lm")
    shutil.copy(nano_parts / "lm" / "tokenizer.json", out)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49_152, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        head_dim=12, intermediate_size=32, max_position_embeddings=2048, tie_word_embeddings=True,
        initializer_range=0.3,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def names(nano_parts):
    return labels(nano_parts / "sound" / "yamnet.tflite")


def make(folder, names, tmp_path, **changes):
    config = RunConfig(
        out=str(tmp_path / "run"), train=(), cal=(), minutes=1e6, tokens_per_step=300, expected_steps=6, warmup_steps=1,
        evaluate_every=1000, bf16=False, threads=1, adapter=AdapterConfig(rank=2, alpha=4, dropout=0.0), lora_lr=3e-3,
        full_lr=3e-3,
    )  # fmt: skip
    said = []
    run = Run(replace(config, **changes), folder, names, {"home": load_tools(DEMO / "tools.json")}, said.append)
    return run, said


ITEMS = [alert(seed=s) for s in range(8)] + [silence(seed=s) for s in range(8, 16)] + [request()]


def trained(folder, names, tmp_path, **changes):
    run, said = make(folder, names, tmp_path, **changes)
    run.train(ITEMS, ITEMS[:10])
    return run, said


def test_fixed_seeds_give_fixed_weights(folder, names, tmp_path):
    a, _ = trained(folder, names, tmp_path / "a")
    b, _ = trained(folder, names, tmp_path / "b")
    for (name, x), (_, y) in zip(a.model.named_parameters(), b.model.named_parameters(), strict=True):
        assert torch.equal(x, y), name


def test_it_learns_and_reports_recall(folder, names, tmp_path):
    run, said = trained(folder, names, tmp_path, expected_steps=60)
    found = report(score(run.model, ITEMS, run.builder))
    assert found.area > 0.8
    assert "respond-recall" in said[-1]


def test_resume_goes_on_from_the_saved_step(folder, names, tmp_path):
    first, _ = trained(folder, names, tmp_path)
    again, _ = make(folder, names, tmp_path)
    again.resume()
    assert again.step == first.step == 6
    for (name, x), (_, y) in zip(first.model.named_parameters(), again.model.named_parameters(), strict=True):
        assert torch.equal(x, y), name
    assert json.loads((tmp_path / "run" / "config.json").read_text())["commit"]


def test_collapse_stops_the_run(folder, names, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "evaluate", lambda self, held_out: True)
    with pytest.raises(ConfigError, match="trivial baseline"):
        trained(folder, names, tmp_path, evaluate_every=1, expected_steps=9)


@pytest.mark.parametrize(("p", "collapsed"), [(0.0, True), (1.0, True), (None, False)])
def test_always_silent_and_always_respond_count_as_collapsed(p, collapsed):
    """Constant logits are a trivial policy however they lie; logits that know the due chunks are not."""
    scored = []
    for item in ITEMS[:16]:
        due = ((5, 9, Kind.SPEAK),) if item[0]["responses"] else ()
        logits = np.zeros((20, 3), np.float32)
        logits[:, 1] = 0.0 if p is None else 20 * p - 10
        if p is None and due:
            logits[9, 1] = 8.0
        scored.append(Scored(item, logits, due))
    assert report(scored).collapsed is collapsed


def test_the_saved_adapter_streams_what_training_scored(folder, names, tmp_path):
    """Layout, merge and cache together: each chunk's logits in the stream equal those of the packed sequence."""
    run, _ = trained(folder, names, tmp_path, expected_steps=20)
    saved = checkpoint.load(tmp_path / "run" / "last")
    llama = Llama.load(folder, torch.float32, saved.deltas)
    context = run.builder.context
    projector = Projector(tag_embeddings(llama.embed.weight, [context.encode(n) for n in names]), 1024, 288)
    projector.load_state_dict(saved.projector)
    lalm = Lalm(llama, projector, saved.decision_in, saved.decision_out, saved.bias, 256)
    (expected,) = score(run.model, [ITEMS[0]], run.builder)
    features = ITEMS[0][1]
    state = lalm.init_state(1)
    lalm.start(0, context.prefix("", []), state)
    got = []
    for k in range(features.chunks):
        arrays = [x[k].astype(np.float32) for x in (features.tags, features.sound, features.speech)]
        perception = Perception(k, (k + 1) * 6400, *arrays, Vad((), False), Words())
        got.append(lalm.step([k], [lalm.audio_embedding(perception)], state)[0])
    assert np.allclose(np.stack(got), expected.logits, atol=0.02)
    assert np.ptp(expected.logits[:, 1]) > 0.05


def test_a_saved_adapter_can_be_put_back(folder, names, tmp_path):
    run, _ = trained(folder, names, tmp_path)
    other = TrainableLalm(folder, names, AdapterConfig(rank=2, alpha=4, dropout=0.0), torch.float32)
    other.restore(tmp_path / "run" / "last")
    a, b = (score(m, ITEMS[:3], run.builder) for m in (run.model, other))
    assert all(np.allclose(x.logits, y.logits, atol=0.02) for x, y in zip(a, b, strict=True))
    with pytest.raises(WeightsError, match="adapter"):
        TrainableLalm(folder, names, AdapterConfig(rank=4, alpha=4), torch.float32).restore(tmp_path / "run" / "last")


def test_the_average_of_two_adapters_lies_between_them(folder, names, tmp_path):
    trained(folder, names, tmp_path / "a")
    trained(folder, names, tmp_path / "b", seed=1)
    paths = [tmp_path / x / "run" / "last" for x in "ab"]
    average(*paths, tmp_path / "mean", 0.25)
    a, b, mean = (load_file(p / "adapter.safetensors") for p in (*paths, tmp_path / "mean"))
    assert all(torch.allclose(mean[k].float(), 0.75 * a[k].float() + 0.25 * b[k].float(), atol=2e-3) for k in a)
    assert checkpoint.load(tmp_path / "mean").chunk_ms == 400


def test_an_unknown_key_names_file_and_key(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("out: a\ntrain: []\ncal: []\nlerning_rate: 1\n")
    with pytest.raises(ConfigError, match="lerning_rate"):
        RunConfig.load(path)


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
