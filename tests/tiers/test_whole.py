"""Whole models of every tier: out of a folder, through the loop and the command, and into a folder again."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from soundflow.cli import app
from soundflow.decide.backbones.quantise import MATRICES
from soundflow.decide.policy import Calibration, dial
from soundflow.errors import ConfigError, SoundflowError, WeightsError
from soundflow.loop import Stream
from soundflow.perceive.beats import Beats
from soundflow.perceive.tags import TagCalibration
from soundflow.row import Model
from soundflow.tiers import random
from soundflow.tiers.pretrained import from_pretrained, save_pretrained
from soundflow.types import Kind
from tests.tiers.whole import DEMO, held, lines, replies, scene

TIERS = ("base", "omni")
PROJECTED = ("projector.tag_gain", "projector.sound.weight", "projector.speech.weight")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    return {tier: random.write(tier, root / tier) for tier in TIERS}


@pytest.fixture(scope="module")
def models(folders):
    return {tier: from_pretrained(folder, dtype=torch.float32) for tier, folder in folders.items()}


@pytest.fixture(scope="module")
def trained(folders, tmp_path_factory):
    """The base folder with an adapter of noise, calibrations and all."""
    folder = shutil.copytree(folders["base"], tmp_path_factory.mktemp("trained") / "base")
    model = from_pretrained(folder, dtype=torch.float32)
    draw = torch.Generator().manual_seed(7)

    def noise(*shape: int) -> torch.Tensor:
        return 0.2 * torch.randn(shape, generator=draw)

    tensors = {f"projector.{k}": v + noise(*v.shape) for k, v in model.lalm.projector.state_dict().items()}
    tensors |= {"decision.in": noise(3, 32), "decision.out": noise(3, 32), "decision.bias": noise(3)}
    weight = "model.layers.0.self_attn.q_proj.weight"
    tensors |= {f"lora_A.{weight}": noise(4, 32), f"lora_B.{weight}": noise(32, 4)}
    save_file(tensors, folder / "adapter.safetensors")
    meta = {"format": 1, "chunk_ms": 400, "lora": {"rank": 4, "alpha": 8, "dropout": 0.0}, "step": 3, "stage": "one"}
    (folder / "adapter.json").write_text(json.dumps(meta | {"decisions": [k.label for k in Kind], "merit": 0.5}))
    Calibration(temperature=0.5, speak_threshold=0.3).save(folder / "calibration.json")
    count = len(model.perceiver.labels)
    TagCalibration(np.full(count, 1.5, np.float32), np.full(count, 0.25, np.float32)).save(folder / "tags.json")
    return folder


@pytest.mark.parametrize("tier", TIERS)
def test_any_slicing_gives_the_same_events(models, tier):
    audio = scene(12)
    whole = lines(models[tier], audio)
    assert whole == lines(models[tier], audio, 1_777) == lines(models[tier], audio, 6_400)
    assert sum('"decision"' in line for line in whole) >= 30
    assert whole != lines(models[tier], np.zeros_like(audio))
    assert any(replies(whole))


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("proactivity", [0.6, 0.8, 1.0])
def test_a_random_model_replies(models, tier, proactivity):
    found = lines(models[tier], scene(16), proactivity=proactivity)
    assert any(replies(found))
    speaks = [json.loads(line)["p"]["speak"] for line in found if '"decision"' in line]
    assert max(speaks) > dial(0.5, proactivity), (
        "what it said before is in its context, so that later ones may be lower"
    )


@pytest.mark.parametrize("tier", TIERS)
def test_the_same_folder_gives_the_same_events(folders, models, tier):
    again = from_pretrained(str(folders[tier]), dtype=torch.float32)
    assert lines(again, scene(6)) == lines(models[tier], scene(6))


def test_the_same_seed_writes_the_same_weights_and_another_seed_others(folders, tmp_path):
    for tier in TIERS:
        same, other = random.write(tier, tmp_path / tier), random.write(tier, tmp_path / f"{tier}1", seed=1)
        for path in sorted(folders[tier].rglob("*")):
            relative = path.relative_to(folders[tier])
            if path.suffix == ".safetensors":
                first, mine, theirs = load_file(path), load_file(same / relative), load_file(other / relative)
                assert all(torch.equal(first[k], mine[k]) for k in first)
                assert any(not torch.equal(first[k], theirs[k]) for k in first)
            elif path.is_file():
                assert path.read_bytes() == (same / relative).read_bytes()


@pytest.mark.parametrize("tier", TIERS)
def test_a_chunk_depends_on_nothing_behind_it(models, tier):
    audio, cut = scene(10), 12 * 6_400
    changed = audio.copy()
    changed[cut:] = 0.3 * np.random.default_rng(0).standard_normal(len(audio) - cut)
    kept = [[x for x in lines(models[tier], a) if json.loads(x).get("chunk", 99) < 12] for a in (audio, changed)]
    assert kept[0] == kept[1]
    assert len(kept[0]) >= 12


@pytest.mark.parametrize("tier", TIERS)
def test_what_a_stream_holds_and_computes_is_flat_in_its_age(models, tier, monkeypatch):
    model = models[tier]
    shapes: list[tuple[int, ...]] = []
    inner = type(model.lalm.llama).forward

    def watched(self, x, counts, state):
        shapes.append((*x.shape, *state.keys.shape))
        return inner(self, x, counts, state)

    monkeypatch.setattr(type(model.lalm.llama), "forward", watched)
    stream, audio = Stream(model, proactivity=0.0), scene(20)
    sizes, steps = [], []
    for _ in range(12):
        before = len(shapes)
        stream.push(audio)
        sizes.append(held(stream.snapshot()))
        steps.append(Counter(shapes[before:]))
    stream.close()
    assert max(sizes[6:]) <= 1.02 * max(sizes[3:6])  # whole chunks are evicted: it moves up and down
    assert set(steps[-1]) == set(steps[4])
    assert sum(steps[-1].values()) == 50


@pytest.mark.parametrize("tier", TIERS)
def test_a_saved_model_decides_as_before(folders, models, tier, tmp_path):
    saved = save_pretrained(folders[tier], tmp_path / "new" / tier, note="A note.")
    assert lines(from_pretrained(saved, dtype=torch.float32), scene(6)) == lines(models[tier], scene(6))
    assert "A note." in (saved / "README.md").read_text()
    assert [x.name for x in saved.parent.iterdir()] == [tier]


def test_a_trained_model_is_saved_whole_and_decides_as_before(trained, models, tmp_path):
    first = lines(from_pretrained(trained, dtype=torch.float32), scene(6))
    moved = save_pretrained(trained, tmp_path / "b").rename(tmp_path / "elsewhere")
    assert lines(from_pretrained(moved, dtype=torch.float32), scene(6)) == first != lines(models["base"], scene(6))
    names = {x.name for x in moved.rglob("*") if x.is_file()}
    assert {"adapter.safetensors", "adapter.json", "calibration.json", "tags.json", "README.md"} <= names
    assert not any(x.endswith((".pt", ".bin", ".pth", ".pkl")) for x in names)
    assert str(tmp_path) not in (moved / "config.json").read_text() + (moved / "README.md").read_text()
    assert "| merit | 0.5 |" in (moved / "README.md").read_text()


@pytest.mark.parametrize("part", ["lora_A.", *PROJECTED, "decision.", "calibration.json", "tags.json"])
def test_all_that_was_trained_counts(trained, tmp_path, part):
    folder = shutil.copytree(trained, tmp_path / "m")
    if part.endswith(".json"):
        (folder / part).unlink()
    else:
        tensors = load_file(folder / "adapter.safetensors")
        save_file({k: v * 0 if k.startswith(part) else v for k, v in tensors.items()}, folder / "adapter.safetensors")
    spoken = scene(15)[9 * 16_000 :]
    found = [lines(from_pretrained(x, dtype=torch.float32), spoken) for x in (trained, folder)]
    assert found[0] != found[1]


def test_parts_may_lie_elsewhere_and_are_brought_in(folders, models, tmp_path):
    raw = json.loads((folders["base"] / "config.json").read_text())
    for name in ("lm", "speech", "sound"):
        raw[name]["path"] = str(folders["base"] / name)
    (tmp_path / "apart").mkdir()
    (tmp_path / "apart" / "config.json").write_text(json.dumps(raw))
    assert lines(from_pretrained(tmp_path / "apart", dtype=torch.float32), scene(4)) == lines(models["base"], scene(4))
    saved = save_pretrained(tmp_path / "apart", tmp_path / "whole")
    assert json.loads((saved / "config.json").read_text())["lm"]["path"] == "lm"


@pytest.mark.parametrize("tier", TIERS)
def test_the_command_writes_and_hears_it(tier, tmp_path):
    made = CliRunner().invoke(app, ["models", "random", tier, str(tmp_path / "m")])
    assert made.exit_code == 0, made.output
    found = CliRunner().invoke(app, ["listen", str(DEMO), "--json", "--model", str(tmp_path / "m")])
    assert found.exit_code == 0, found.output
    kinds = Counter(json.loads(line)["type"] for line in found.output.splitlines())
    assert kinds["decision"] == 125
    assert kinds["summary"] == 1
    assert tier == "omni" or kinds["sound"] > 0
    again = CliRunner().invoke(app, ["models", "random", tier, str(tmp_path / "m")])
    assert isinstance(again.exception, ConfigError)
    assert "empty folder" in str(again.exception)
    saved = CliRunner().invoke(app, ["models", "save", str(tmp_path / "m"), str(tmp_path / "n")])
    assert saved.exit_code == 0
    assert (tmp_path / "n" / "README.md").is_file()
    pulled = CliRunner().invoke(app, ["models", "pull", str(tmp_path / "n")])
    assert pulled.output.startswith("0 parts")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("lm/model.safetensors", "model.safetensors"),
        ("speech/model.safetensors", "safetensors"),
        ("sound/beats.safetensors", "beats.safetensors"),
        ("lm/tokenizer.json", "tokenizer.json"),
        ("config.json", "config.json"),
    ],
)
def test_a_file_that_is_missing_or_broken_is_named(folders, tmp_path, broken, said):
    folder = shutil.copytree(folders["base"], tmp_path / "m")
    (folder / broken).write_bytes(b"no such thing")
    with pytest.raises(SoundflowError, match=said):
        from_pretrained(folder)
    (folder / broken).unlink()
    with pytest.raises(SoundflowError):
        from_pretrained(folder)


def test_an_adapter_that_does_not_fit_is_refused(trained, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "m")
    tensors = load_file(folder / "adapter.safetensors")
    save_file(tensors | {"decision.in": torch.zeros(3, 31)}, folder / "adapter.safetensors")
    with pytest.raises(WeightsError, match="decision rows of 32"):
        from_pretrained(folder)
    save_file(tensors | {"projector.tag_gain": torch.ones(5)}, folder / "adapter.safetensors")
    with pytest.raises(WeightsError, match="projector does not fit"):
        from_pretrained(folder)
    save_file(tensors, folder / "adapter.safetensors")
    meta = json.loads((folder / "adapter.json").read_text())
    (folder / "adapter.json").write_text(json.dumps(meta | {"chunk_ms": 200}))
    with pytest.raises(ConfigError, match="chunk_ms 200"):
        from_pretrained(folder)


def test_a_wrong_length_of_chunk_is_refused(folders):
    for tier in TIERS:
        with pytest.raises(ConfigError, match="--chunk-ms 400"):
            from_pretrained(folders[tier], chunk_ms=200)
        assert from_pretrained(folders[tier], chunk_ms=400).chunk_samples == 6_400


def test_nothing_is_written_over(folders, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="empty folder"):
        save_pretrained(folders["base"], tmp_path / "m")
    assert [x.name for x in (tmp_path / "m").iterdir()] == ["mine.txt"]
    raw = json.loads((folders["base"] / "config.json").read_text())
    raw["lm"]["path"] = "nowhere"
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text(json.dumps(raw))
    with pytest.raises(WeightsError, match="nowhere"):
        save_pretrained(tmp_path / "broken", tmp_path / "out")
    assert {x.name for x in tmp_path.iterdir()} == {"m", "broken"}


@pytest.mark.weights
def test_nano_as_a_folder(nano_parts, tmp_path):
    from soundflow.tiers import nano

    (tmp_path / "nano").mkdir()
    (tmp_path / "nano" / "config.json").write_text('{"format": 1, "tier": "nano"}')
    saved = save_pretrained(tmp_path / "nano", tmp_path / "saved")
    assert (saved / "adapter.safetensors").read_bytes() == (nano.ADAPTER / "adapter.safetensors").read_bytes()
    assert lines(from_pretrained(saved), scene(6)) == lines(nano.load(), scene(6))
    assert isinstance(from_pretrained(saved).perceiver, type(nano.hearing()))
    with pytest.raises(ConfigError, match="--chunk-ms 400"):
        from_pretrained(saved, chunk_ms=200)
    assert Path(saved / "README.md").is_file()


@pytest.mark.weights
def test_a_base_with_voice_activity_and_words_of_nano(folders, nano_parts, tmp_path):
    raw = json.loads((folders["base"] / "config.json").read_text())
    for name in ("lm", "speech", "sound"):
        raw[name]["path"] = str(folders["base"] / name)
    beats = Beats.load(folders["base"] / "sound" / "beats.safetensors")
    beats.predictor.bias[beats.labels.index("Speech")] += 10.0  # words are taken where speech is heard
    beats.save(tmp_path / "beats.safetensors")
    raw["sound"]["path"] = "../beats.safetensors"
    raw |= {"vad": {"path": str(nano_parts / "vad")}, "words": {"path": str(nano_parts / "asr")}}
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text(json.dumps(raw))
    saved = save_pretrained(tmp_path / "m", tmp_path / "whole")
    spoken = scene(28)[16 * 16_000 :]
    found = lines(from_pretrained(saved, dtype=torch.float32), spoken)
    assert found == lines(from_pretrained(tmp_path / "m", dtype=torch.float32), spoken, 5_000)
    assert any('"speech.started"' in line for line in found)
    assert any('"transcript"' in line and '"final": true' in line for line in found)


def quantised(folder: Path, to: Path, kind: str) -> Model:
    shutil.copytree(folder, to)
    raw = json.loads((to / "config.json").read_text())
    raw["lm"]["quantise"] = kind
    (to / "config.json").write_text(json.dumps(raw))
    return from_pretrained(to, dtype=torch.float32)


def decided(model: Model, audio: np.ndarray) -> np.ndarray:
    """Probabilities [decisions, 3] of a stream that says nothing, so that all hear the same."""
    found = [json.loads(line) for line in lines(model, audio, proactivity=0.0)]
    return np.array([list(x["p"].values()) for x in found if x["type"] == "decision"])


def test_in_four_bits_the_language_model_decides_by_the_weights_that_are_left(folders, models, tmp_path):
    model = quantised(folders["base"], tmp_path / "m", "4bit")
    same = from_pretrained(folders["base"], dtype=torch.float32)
    for four, float_ in zip(model.lalm.llama.blocks, same.lalm.llama.blocks, strict=True):
        for name in MATRICES:
            product = getattr(four, name)
            getattr(float_, name).weight.data.copy_(getattr(product, "product", product).weight())
    audio = scene(8)
    found = decided(model, audio)
    assert found.shape == (20, 3)
    assert np.abs(found - decided(same, audio)).max() < 1e-3
    assert np.abs(found - decided(models["base"], audio)).max() > 1e-2


def test_in_eight_bits_the_language_model_decides_almost_as_before(folders, models, tmp_path):
    audio = scene(8)
    found, plain = decided(quantised(folders["base"], tmp_path / "m", "int8"), audio), decided(models["base"], audio)
    assert found.shape == (20, 3)
    assert 0 < np.abs(found - plain).max() < 0.05
    assert plain.std(axis=0).max() > 0.05


@pytest.mark.parametrize("tier", TIERS)
def test_a_stream_goes_on_from_a_snapshot(models, tier):
    audio, cut = scene(12), 13 * 6_400 + 777
    first, second = (Stream(models[tier], proactivity=0.8) for _ in range(2))
    before = first.push(audio[:cut])
    saved = first.snapshot()
    rest = [e.to_json() for e in [*first.push(audio[cut:]), *first.close()]]
    second.restore(saved)
    assert [e.to_json() for e in [*second.push(audio[cut:]), *second.close()]] == rest
    assert len(before) >= 13
    assert any(e.type == "reply.started" for e in before)
