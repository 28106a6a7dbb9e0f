"""The same weights in the reference and here give the same frames and classes, the filterbank included.

References: openbeats (ESPnet's encoder, out of the published code) and, where it is installed, speechbrain's.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from soundflow.perceive.beats import Beats, BeatsConfig
from tests.perceive.beats.tiny import need_torchaudio, noise, relative

need_torchaudio()
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

TOLERANCE = 1e-4
CLASSES = 11


def openbeats(module: str) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(f"openbeats.{module}")


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Weights under which every part matters: biases, gates and norms too."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        scale = 1.0 / parameter[0].numel() ** 0.5 if parameter.dim() > 1 else 0.3
        offset = 1.0 if name.endswith("norm.weight") or "grep_a" in name or "weight_g" in name else 0.0
        if "relative_attention_bias" in name or "grep" in name:
            scale = 1.0
        if not name.endswith("_pad.weight"):
            parameter.data.normal_(offset, scale, generator=generator)


def reference(config: BeatsConfig, seed: int) -> Any:
    cfg = {k: v for k, v in config.values().items() if k not in ("multi_label", "fbank_mean", "fbank_std")}
    model = openbeats("beats_encoder").BeatsEncoder(
        0, beats_config=cfg, fbank_mean=config.fbank_mean, fbank_std=config.fbank_std
    )
    randomise(model, seed)
    return model.eval()


def saved(path: Path, model: torch.nn.Module, config: BeatsConfig, **more: Any) -> Path:
    torch.save({"cfg": config.values(), "model": model.state_dict(), **more}, path)
    return path


def their_tokens(model: Any, samples: Tensor) -> Tensor:
    with torch.no_grad():
        tokens, counts, _ = model(samples, torch.full((len(samples),), samples.shape[1]))
    assert counts.tolist() == [tokens.shape[1]] * len(samples)
    return tokens


CONFIGS = {
    "published": BeatsConfig.tiny(),
    "one width, no projection": replace(BeatsConfig.tiny(), embed_dim=32, conv_bias=True),
    "norm first": replace(BeatsConfig.tiny(), deep_norm=False, layer_norm_first=True),
    "no gate": replace(BeatsConfig.tiny(), gru_rel_pos=False, activation_fn="relu"),
    "no relative positions": replace(BeatsConfig.tiny(), relative_position_embedding=False, deep_norm=False),
    "odd kernel, other patches": replace(
        BeatsConfig.tiny(), conv_pos=7, input_patch_size=32, activation_fn="gelu_accurate", fbank_mean=14.0
    ),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_beats_parity_of_tokens_from_audio(config, tmp_path):
    theirs = reference(config, seed=1)
    ours = Beats.load(saved(tmp_path / "m.pt", theirs, config))
    samples = noise(2, 3 * 16_000 + 777)
    expected = their_tokens(theirs, samples)
    assert relative(ours(ours.mel(samples)), expected) < TOLERANCE
    assert expected.std() > 0.1


def test_beats_parity_of_far_positions(tmp_path):
    """Windows longer than the greatest distance of the bias, with its published buckets."""
    config = replace(BeatsConfig.tiny(), num_buckets=320, max_distance=800)
    theirs = reference(config, seed=2)
    ours = Beats.load(saved(tmp_path / "m.pt", theirs, config))
    samples = noise(1, 18 * 16_000)
    expected = their_tokens(theirs, samples)
    assert expected.shape[1] > 850
    assert relative(ours(ours.mel(samples)), expected) < TOLERANCE


def test_beats_parity_of_padded_windows(tmp_path):
    """A row with fewer steps beside a longer one is what the reference gives of it alone."""
    theirs = reference(BeatsConfig.tiny(), seed=3)
    ours = Beats.load(saved(tmp_path / "m.pt", theirs, BeatsConfig.tiny()))
    samples = noise(2, 2 * 16_000)
    short = samples[1:, :16_000]
    mel = ours.mel(samples)[:, : 12 * 16]
    steps = ours.mel(short).shape[1] // 16
    mel[1, : (12 - steps) * 16] = 7.0
    mel[1, (12 - steps) * 16 :] = ours.mel(short)[0, : steps * 16]
    valid = torch.arange(12) >= torch.tensor([[0], [12 - steps]])
    got = ours(mel, valid)
    assert relative(got[:1], their_tokens(theirs, samples[:1])) < TOLERANCE
    assert relative(got[1:, (12 - steps) * 8 :], their_tokens(theirs, short)) < TOLERANCE


@pytest.mark.parametrize("kind", ["multi-label", "multi-class"])
def test_beats_parity_of_classes_in_espnets_layout(kind, tmp_path):
    """A fine-tuned OpenBEATs: bare weights, settings in a YAML file, the architecture from elsewhere."""
    config = BeatsConfig.tiny()
    theirs = reference(config, seed=4)
    head = torch.nn.Linear(32, CLASSES)
    weights = {f"encoder.{name}": tensor for name, tensor in theirs.state_dict().items()}
    weights |= {f"decoder.linear_out.{name}": tensor.detach() for name, tensor in head.state_dict().items()}
    path = tmp_path / "valid.acc.ave.pth"
    torch.save(weights, path)
    names = [f"sound {i}" for i in range(CLASSES)]
    (tmp_path / "config.yaml").write_text(
        f"token_list: {[*names, '<unk>']}\nmodel_conf:\n  classification_type: {kind}\n"
        "encoder_conf:\n  beats_config:\n    dropout: 0.3\n"
    )
    model = openbeats("model").OpenBeats(theirs, head, names, kind == "multi-label")
    ours = Beats.load(path, base=config)
    samples = noise(1, 24_000)
    expected = torch.from_numpy(model.encode(samples[0].numpy())["probs"])
    assert relative(ours.classify(samples)[0], expected) < TOLERANCE
    assert ours.labels == tuple(names)


def test_beats_parity_with_speechbrain(tmp_path, monkeypatch):
    """The published form with its head: {"cfg", "model", "label_dict"}; sigmoid of the mean of the logits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pytest.importorskip("speechbrain.lobes.models.beats")
    config = BeatsConfig.tiny(CLASSES)
    made = theirs.BEATsConfig
    monkeypatch.setattr(theirs, "BEATsConfig", lambda cfg=None: made(config.values()))
    model = theirs.BEATs()
    randomise(model, seed=5)
    labels = {i: f"/m/{i:03d}" for i in range(CLASSES)}
    ours = Beats.load(saved(tmp_path / "m.pt", model, config, label_dict=labels))
    samples = noise(2, 20_000)
    with torch.no_grad():
        tokens, probabilities, _ = model(samples, torch.ones(2))
    assert relative(ours(ours.mel(samples)), tokens) < TOLERANCE
    assert relative(ours.classify(samples), probabilities) < TOLERANCE
    assert ours.labels == tuple(labels.values())


@pytest.mark.slow
def test_beats_parity_of_the_published_size(tmp_path):
    config = BeatsConfig.base()
    theirs = reference(config, seed=6)
    ours = Beats.load(saved(tmp_path / "m.pt", theirs, config))
    assert sum(p.numel() for p in ours.parameters()) == pytest.approx(90e6, rel=0.02)
    samples = noise(1, 10 * 16_000)
    expected = their_tokens(theirs, samples)
    assert relative(ours(ours.mel(samples)), expected) < TOLERANCE
    assert relative(ours.frames(ours(ours.mel(samples))), expected.view(1, 62, 8, 768).mean(2)) < TOLERANCE
