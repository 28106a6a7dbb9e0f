"""Models that are not nano, small and random: data, features, training, export, listening, on a CPU in seconds."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import soundfile as sf
import torch
from typer.testing import CliRunner

import soundflow.cli
import training.cli
from soundflow.decide.policy import Calibration
from soundflow.errors import ConfigError, DataError, WeightsError
from soundflow.perceive.chunker import Chunker
from soundflow.tiers import random
from soundflow.tiers.card import UNTRAINED
from soundflow.tiers.kit import Kit, kit
from soundflow.tiers.pretrained import from_pretrained, save_pretrained
from soundflow.types import Kind
from tests.decide import families
from tests.training.streams import CHUNK, alert, request, silence
from training import heard_by
from training.adapters import AdapterConfig
from training.evaluate import score
from training.export import merge
from training.features import cache_shard, load_all
from training.kits import builder, model_of, trainable

RUNNER = CliRunner()
TIERS = ("base", "omni")
NEAR = {"atol": 0.02, "rtol": 0.0}  # features, and a saved adapter, are float16
RECIPE = """
out: {out}
model: {model}
train: [{features}]
cal: [{features}]
steps: 3
tokens_per_batch: 600
warmup_steps: 1
lora_lr: 2.0e-2
full_lr: 2.0e-2
evaluate_every: 100
patience: 0
bf16: false
threads: 1
device: cpu
adapter: {{rank: 2, alpha: 4, dropout: 0.0}}
"""


def of(*tiers):
    """A test of these tiers only."""
    return pytest.mark.parametrize("world", tiers, indirect=True, scope="module")


def audio(seed: int, chunks: int = 20) -> np.ndarray:
    level = np.where(np.arange(chunks * CHUNK) // (5 * CHUNK) % 2, 0.3, 0.01)
    return (level * np.random.default_rng(seed).standard_normal(chunks * CHUNK)).clip(-1, 1).astype(np.float32)


def shard(folder: Path) -> Path:
    """Four streams that want a response and four that want none."""
    folder.mkdir()
    made = [alert(seed=s)[0] for s in range(4)] + [silence(seed=s)[0] for s in range(4, 8)]
    with tarfile.open(folder / "00000.tar", "w") as tar:
        for number, sample in enumerate(made):
            sound = io.BytesIO()
            sf.write(sound, audio(number), 16_000, format="FLAC")
            for suffix, body in (("flac", sound.getvalue()), ("json", json.dumps(sample).encode())):
                entry = tarfile.TarInfo(f"{sample['id']}.{suffix}")
                entry.size = len(body)
                tar.addfile(entry, io.BytesIO(body))
    return folder


def invoke(app, *arguments):
    result = RUNNER.invoke(app, [str(x) for x in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return shard(tmp_path_factory.mktemp("data") / "shards")


@pytest.fixture(scope="module", params=TIERS)
def world(request, data, tmp_path_factory):
    """-> tier, and a folder with model, features, run and export."""
    root = tmp_path_factory.mktemp(request.param)
    random.write(request.param, root / "model")
    features = root / "features"
    features.mkdir()
    heard_by.mark(features, root / "model")
    assert cache_shard((data / "00000.tar", features, kit(root / "model"), False)) == 8
    recipe = root / "mine.yaml"
    recipe.write_text(RECIPE.format(out=root / "run", model=root / "model", features=features))
    invoke(training.cli.app, recipe)
    invoke(training.cli.app, "export", root / "run", "--out", root / "made")
    return request.param, root


def scored(root: Path, adapter: Path | None) -> list[np.ndarray]:
    """What training thinks of the first and the last cached stream, with an adapter or as before it."""
    own = kit(root / "model")
    model = trainable(own, AdapterConfig(rank=2, alpha=4, dropout=0.0), torch.float32)
    if adapter:
        model.restore(adapter)
    items = load_all(root / "features", {})
    return [s.logits for s in score(model, [items[0], items[-1]], builder(own, own.context(), {}, own.labels))]


def streamed(model, samples: np.ndarray) -> np.ndarray:
    """Decision logits [C,K] of the listening model, which stays silent whatever it thinks."""
    state, row = model.perceiver.init_state(), model.lalm.init_state(1)
    model.lalm.start(0, model.context.prefix("", []), row)
    found = []
    for chunk in Chunker(CHUNK).push(samples):
        perception = model.perceiver.step(chunk, state)
        inputs = model.lalm.chunk_inputs(model.lalm.audio_embedding(perception), row)
        found.append(model.lalm.step([chunk.index], [inputs], row)[0])
    return np.stack(found)


def test_the_exported_model_decides_as_training_scored_it(world):
    tier, root = world
    want, before = scored(root, root / "run" / "best"), scored(root, None)
    model = from_pretrained(root / "made", dtype=torch.float32)
    kinds = [Kind.SILENT, Kind.SPEAK] if tier == "omni" else list(Kind)
    for number, seed in ((0, 0), (1, 7)):
        got = streamed(model, audio(seed))
        np.testing.assert_allclose(got[:, kinds], want[number][:, kinds], **NEAR)
        assert np.abs(before[number] - want[number]).max() > 0.1  # three steps change what is decided


def test_the_exported_model_says_that_it_was_trained(world, tmp_path):
    tier, root = world
    saved = save_pretrained(root / "made", tmp_path / "saved")
    for folder in (root / "made", saved):
        card = (folder / "README.md").read_text()
        assert all(x in card for x in ("| step | 3 |", "| merit | ", "`TRAINING.md`, `recipe.json`, `gate.json`"))
        assert not any(x in card for x in UNTRAINED.values())
        assert ("with what was trained" in card) == (tier == "omni")
        told = (folder / "TRAINING.md").read_text()
        assert ("merged" in told) == (tier == "omni")
        assert ("soundflow train calibrate" in told) == (tier == "base")
        for name in ("TRAINING.md", "recipe.json", "gate.json"):
            assert (folder / name).read_bytes() == (root / "made" / name).read_bytes()
    assert any(x in (root / "model" / "README.md").read_text() for x in UNTRAINED.values())


def test_the_exported_model_listens(world, tmp_path):
    _, root = world
    sf.write(tmp_path / "a.wav", audio(3, 20), 16_000)
    for dial, speaks in ((0.0, False), (0.8, True)):  # at 1.0 it would speak whatever it thinks
        told = ["--model", root / "made", "--proactivity", dial, "--json"]
        said = invoke(soundflow.cli.app, "listen", tmp_path / "a.wav", *told)
        kinds = [json.loads(line)["type"] for line in said.splitlines() if line.startswith("{")]
        assert kinds.count("decision") == 20, said
        assert ("reply.done" in kinds) == speaks, said


def test_the_gate_takes_an_adapter_by_its_recipe_and_a_model_by_its_folder(world, tmp_path):
    tier, root = world
    assert model_of(root / "run" / "best") == root / "model"
    assert model_of(root / "made") == root / "made"
    assert model_of(tmp_path) is None
    figures = []
    for adapter in (root / "run" / "best", root / "made"):
        invoke(training.cli.app, "gate", adapter, root / "features", "--json", tmp_path / "gate.json")
        figures.append(json.loads((tmp_path / "gate.json").read_text()))
    assert figures[0]["figures"]["all"]["streams"] == 8
    assert figures[0]["figures"].keys() == figures[1]["figures"].keys()
    if tier == "base":  # omni's adapter was merged, and rounded differently
        assert figures[0] == figures[1]


def held_out(folder: Path, own: Kit) -> Path:
    """Cached features of every kind of stream that a calibration is fitted on, with words."""
    arrays, rows = {}, []
    for number in range(24):
        kind, seed = number % 6, np.random.default_rng(number)
        sample, _ = [alert(), silence(), request(), request(), request(tools=""), request(tools="")][kind]
        sample = {**sample, "id": f"c{number}", "subtask": f"kind{kind}"}
        if kind in (3, 5):
            sample["responses"] = []
        if kind == 4:
            sample["responses"] = [{**sample["responses"][0], "kind": "speak", "call": None, "text": "Yes."}]
        spoken = kind >= 2
        sample["vad"] = {"segments": [[5 * CHUNK, 10 * CHUNK]] * spoken, "stop_chunks": [11] * spoken}
        rows.append(json.dumps(sample))
        for name, width in (("tags", len(own.labels)), ("sound", own.sound_width), ("speech", own.speech_width)):
            arrays[f"{name}_{number}"] = seed.random((20, width)).astype(np.float16)
    folder.mkdir()
    np.savez(folder / "c.npz", **arrays)
    (folder / "c.jsonl").write_text("\n".join(rows) + "\n")
    heard_by.mark(folder, own.folder)
    return folder


def put(path: Path, **changes) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@of("base")
def test_calibration_fits_an_adapter_of_a_base_that_reads_words(world, tmp_path):
    _, root = world
    run, model = shutil.copytree(root / "run", tmp_path / "run"), shutil.copytree(root / "model", tmp_path / "model")
    (model / "words").mkdir()  # not opened: what it would print is simulated
    put(model / "config.json", words={"path": "words"})
    put(run / "best" / "config.json", model=str(model))
    assert "ECE" in invoke(training.cli.app, "calibrate", run, held_out(tmp_path / "cal", kit(model)))
    made = Calibration.load(run / "best" / "calibration.json")
    assert made != Calibration()
    put(run / "best" / "config.json", model=str(root / "model"))
    invoke(training.cli.app, "export", run, "--out", tmp_path / "made")
    assert from_pretrained(tmp_path / "made").calibration == made


def test_calibration_refuses_a_model_that_reads_no_words(world):
    _, root = world
    with pytest.raises(ConfigError, match="reads words"):
        RUNNER.invoke(
            training.cli.app, ["calibrate", str(root / "run"), str(root / "features")], catch_exceptions=False
        )


@of("base")
def test_without_a_words_channel_a_request_is_answered_by_its_sound(world, tmp_path):
    """No words in the stream, as when it listens; the answer in its due chunk, and nothing heard in front of it."""
    _, root = world
    own = kit(root / "model")
    sample, heard = request()
    sample["responses"] = [{**sample["responses"][0], "kind": "speak", "call": None, "text": "Yes."}]
    _, cached = load_all(root / "features", {})[0]
    assert cached.segments == []
    heard = replace(cached, chunk_samples=heard.chunk_samples)
    seq = builder(own, own.context(), {}, own.labels).build([(sample, heard)], (), Random(1))
    at = [i for i, d in enumerate(seq.decision) if d >= 0]
    assert [k for k, i in enumerate(at) if seq.decision[i] == Kind.SPEAK] == [12]
    assert own.context().encode("Turn off")[0] not in seq.value[at[0] : at[-1]]


@pytest.mark.parametrize("family", ["llama", "qwen3", "smollm3", "mistral", "gemma"])
@of("base")
def test_every_backbone_streams_what_was_trained(world, family, tmp_path):
    """Its own names of matrices, norms, positions and scale of embeddings, in training as in the stream."""
    _, root = world
    folder = tmp_path / "model"
    shutil.copytree(root / "model", folder)
    own = kit(folder)
    vocab = own.context().tokenizer.get_vocab_size()
    (folder / "lm" / "model.safetensors").unlink()
    wide = {"sliding_window": 1000} if family == "mistral" else {}
    families.save(families.make(family, vocab_size=vocab, max_position_embeddings=1024, **wide), folder / "lm")
    model = trainable(own, AdapterConfig(rank=2, alpha=4, dropout=0.0), torch.float32)
    item = load_all(root / "features", {})[0]
    want = score(model, [item], builder(own, own.context(), {}, own.labels))[0].logits
    np.testing.assert_allclose(streamed(from_pretrained(folder, dtype=torch.float32), audio(0)), want, **NEAR)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.trained().values():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    model.save(folder, 400, {})
    want = score(model, [item], builder(own, own.context(), {}, own.labels))[0].logits
    assert np.ptp(want, axis=0).max() > 0.1
    np.testing.assert_allclose(streamed(from_pretrained(folder, dtype=torch.float32), audio(0)), want, **NEAR)


def test_a_cache_is_refused_by_another_model(world, data, tmp_path):
    tier, root = world
    heard_by.check(root / "features", root / "model")
    for model in (None, random.write(tier, tmp_path / "other", seed=1)):
        with pytest.raises(ConfigError, match="heard by"):
            heard_by.check(root / "features", model)
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(RECIPE.format(out=tmp_path / "run", model=tmp_path / "other", features=root / "features"))
    with pytest.raises(ConfigError, match="heard by"):
        RUNNER.invoke(training.cli.app, [str(recipe)], catch_exceptions=False)
    again = ["features", str(data), str(root / "features"), "--model", str(tmp_path / "other")]
    with pytest.raises(ConfigError, match="heard by"):
        RUNNER.invoke(training.cli.app, again, catch_exceptions=False)


def test_a_model_is_known_by_its_ears_wherever_it_lies(world, tmp_path):
    """A copy, with another language model, hears the same; a changed setting or byte does not."""
    tier, root = world
    same = heard_by.identity(root / "model")
    other = shutil.copytree(root / "model", tmp_path / "copy")
    weights = other / "lm" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert heard_by.identity(other) == same
    assert heard_by.identity(root / "made") == same
    ears = other / ("tower.safetensors" if tier == "omni" else "speech/model.safetensors")
    body = ears.read_bytes()
    ears.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    assert heard_by.identity(other) != same


def test_features_have_the_shapes_of_the_kit(world):
    tier, root = world
    own, (_, heard) = kit(root / "model"), load_all(root / "features", {})[0]
    assert heard.tags.shape == (20, len(own.labels))
    assert heard.sound.shape == (20, own.sound_width)
    assert heard.speech.shape[0] == 20
    assert heard.speech[0].size == own.speech_width
    assert np.isfinite(heard.speech).all()
    if tier == "omni":
        assert heard.speech.shape[1] == 10
        assert heard.speech.std() > 0
    else:
        assert heard.tags.std() > 0


def test_merging_names_what_is_not_there(world, tmp_path):
    _, root = world
    lm = shutil.copytree(root / "model" / "lm", tmp_path / "lm")
    with pytest.raises(WeightsError, match=r"'model\.nothing'"):
        merge(lm, {"model.nothing": torch.zeros(1)})


@pytest.mark.slow
def test_features_by_worker_processes_are_the_same(world, data, tmp_path):
    _, root = world
    invoke(training.cli.app, "features", data, tmp_path / "f", "--model", root / "model", "--workers", 1)
    assert heard_by.read(tmp_path / "f") == heard_by.identity(root / "model")
    for (_, a), (_, b) in zip(load_all(tmp_path / "f", {}), load_all(root / "features", {}), strict=True):
        for name in ("tags", "sound", "speech"):
            # Kept in half precision: a sum taken in another order may round to the neighbour.
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=2**-10, atol=2**-11)


@of("omni")
def test_omni_is_refused_what_it_does_not_have(world, data, tmp_path):
    _, root = world
    text = RECIPE.format(out=tmp_path / "run", model=root / "model", features=root / "features")
    for line, what in (("tag_streams: 4", "tag_streams"), ("trainable: [projector]", "lora")):
        (tmp_path / "mine.yaml").write_text(f"{text}{line}\n")
        with pytest.raises(ConfigError, match=what):
            RUNNER.invoke(training.cli.app, [str(tmp_path / "mine.yaml")], catch_exceptions=False)
    with pytest.raises(ConfigError, match="words"):
        RUNNER.invoke(
            training.cli.app,
            ["features", str(data), str(tmp_path / "f"), "--model", str(root / "model"), "--words"],
            catch_exceptions=False,
        )


@of("omni")
def test_a_reply_closes_its_chunk_in_the_layout(world):
    """The paper's line: a decision at each ASSISTANT; behind one that speaks, the reply word for word."""
    _, root = world
    own = kit(root / "model")
    context, t = own.context(), own.context().tokens
    sample, heard = next(x for x in load_all(root / "features", {}) if x[0]["responses"])
    made = builder(own, context, {}, own.labels)
    seq = made.build([(sample, heard), (sample, heard)], (), Random(0))
    at = [i for i, d in enumerate(seq.decision) if d >= 0]
    assert len(at) == 40
    assert [seq.value[i] for i in at] == [t.assistant] * 40
    assert [seq.decision[i] for i in at].count(Kind.SPEAK) == 2
    spoken = next(i for i in at if seq.decision[i] == Kind.SPEAK)
    reply = context.said(sample["responses"][0]["text"])
    assert seq.value[spoken + 1 : spoken + 1 + len(reply)] == reply
    assert seq.token[spoken : spoken + len(reply)] == [-100, *reply[1:]]
    assert seq.position == list(range(len(seq)))
    silent = made.build([(sample, heard)], (), Random(0), train=False)
    assert not any(d == Kind.SPEAK for d in silent.decision)
    assert all(token == -100 for token in silent.token)
    act = {**sample, "responses": [{**sample["responses"][0], "kind": "act"}]}
    left = made.build([(act, replace(heard))], (), Random(0))
    weights = [left.weight[i] for i, d in enumerate(left.decision) if d >= 0]
    due, first = sample["responses"][0]["due_chunk"], sample["events"][0]["onset"] // CHUNK
    assert [k for k, w in enumerate(weights) if w == 0] == list(range(first, due + 5))


def test_what_is_no_weights_file_says_so(tmp_path):
    random.write("omni", tmp_path / "model")
    (tmp_path / "model" / "tower.safetensors").write_bytes(b"no tensors here")
    with pytest.raises(WeightsError, match=r"tower\.safetensors"):
        heard_by.identity(tmp_path / "model")
    (tmp_path / heard_by.FILE).write_text("[]")
    with pytest.raises(DataError, match="tier and digest"):
        heard_by.read(tmp_path)
