"""The alert branch: as its base until trained, back out of its file, in step with the windows of a stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from soundflow.errors import WeightsError
from soundflow.perceive import alert
from soundflow.perceive.alert import FIRST, LIMIT, AlertBranch
from soundflow.perceive.sound import GAIN, SoundEncoder
from soundflow.perceive.yamnet import WINDOW_SAMPLES, YamNet
from tests.conftest import MakeAudio

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def model(nano_parts: Path) -> Path:
    return nano_parts / "sound" / "yamnet.tflite"


@pytest.fixture(scope="module")
def base(model: Path) -> YamNet:
    return YamNet(model)


@pytest.fixture(scope="module")
def changed(base: YamNet) -> AlertBranch:
    """A branch whose pointwise weights moved along eight directions, and its head anywhere."""
    branch, draw = AlertBranch(base, ["siren", "owl"]), torch.Generator().manual_seed(3)
    with torch.no_grad():
        for layer, conv in enumerate(branch.convs, FIRST):
            if layer % 2 == 0:
                rows, columns = conv.weight.shape[:2]
                step = torch.randn(rows, 8, generator=draw) @ torch.randn(8, columns, generator=draw)
                conv.weight += 1e-3 * step[:, :, None, None]
        assert branch.names is not None
        for head in (branch.head, branch.names):
            head.weight.normal_(0, 0.05, generator=draw)
    return branch


def _maps(base: YamNet, audio: np.ndarray) -> torch.Tensor:
    with torch.inference_mode():
        return base.below(base.log_mel(torch.from_numpy(audio * np.float32(GAIN))[None]), FIRST)


def test_an_untrained_branch_embeds_as_its_base_and_says_nothing(base: YamNet, noise: MakeAudio) -> None:
    audio = noise(1.0)[:WINDOW_SAMPLES]
    branch, maps = AlertBranch(base), _maps(base, audio)
    with torch.inference_mode():
        _, whole = base(torch.from_numpy(audio * np.float32(GAIN))[None])
        torch.testing.assert_close(branch.embedding(maps), whole)
        alerts, names = branch(maps)
    assert alerts.tolist() == [0.0]
    assert names.shape == (1, 0)


def test_its_file_brings_it_back(base: YamNet, changed: AlertBranch, noise: MakeAudio, tmp_path: Path) -> None:
    alert.save(changed, base, tmp_path / "alert.safetensors", rank=8)
    again, maps = alert.load(tmp_path / "alert.safetensors", base), _maps(base, noise(1.0)[:WINDOW_SAMPLES])
    with torch.inference_mode():
        assert again.classes == ("siren", "owl")
        torch.testing.assert_close(again(maps), changed(maps), atol=0.02, rtol=0.02)
        assert again(maps)[1].abs().min() > 0.2
        assert (again.embedding(maps) - AlertBranch(base).embedding(maps)).abs().max() > 0.05
        assert changed.head.bias.fill_(99.0) is not None
        assert changed(maps)[0].tolist() == [LIMIT]
        changed.head.bias.zero_()


def test_streaming_equals_whole(
    model: Path, base: YamNet, changed: AlertBranch, noise: MakeAudio, tone: MakeAudio, tmp_path: Path
) -> None:
    alert.save(changed, base, tmp_path / "alert.safetensors")
    audio = np.concatenate([noise(1.0), tone(1.0, hz=900)])
    encoder = SoundEncoder(model, 6400, branch=tmp_path / "alert.safetensors")
    plain, state, bare = SoundEncoder(model, 6400), encoder.init_state(), encoder.init_state()
    loaded = alert.load(tmp_path / "alert.safetensors", base)
    padded = np.concatenate([np.zeros(WINDOW_SAMPLES, np.float32), audio])
    for k in range(len(audio) // 6400):
        chunk = audio[k * 6400 : (k + 1) * 6400]
        frames, without = encoder.step(chunk, state), plain.step(chunk, bare)
        ends = [WINDOW_SAMPLES + 6400 * k + 3200 * (s + 1) for s in range(2)]
        whole = [loaded(_maps(base, padded[e - WINDOW_SAMPLES : e])) for e in ends]
        np.testing.assert_allclose(frames.alerts, [float(alerts) for alerts, _ in whole], atol=1e-4)
        np.testing.assert_allclose(frames.names, np.concatenate([names for _, names in whole]), atol=1e-4)
        np.testing.assert_array_equal(frames.scores, without.scores)
        assert without.alerts.tolist() == [0.0, 0.0]
        assert without.names.shape == (2, 0)
    assert encoder.names == ("siren", "owl")


def test_a_file_of_before_names_nothing(base: YamNet, tmp_path: Path) -> None:
    save_file(AlertBranch(base).changes(base), tmp_path / "alert.safetensors")
    assert alert.load(tmp_path / "alert.safetensors", base).classes == ()


@pytest.mark.parametrize("damage", ["torn", "missing", "extra", "shape", "classes", "names"])
def test_a_file_that_is_no_branch_is_named(base: YamNet, changed: AlertBranch, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "alert.safetensors"
    alert.save(changed, base, path, rank=2)
    held, classes = load_file(path), '["siren", "owl"]'
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        if damage == "missing":
            del held["12.A"]
        elif damage == "extra":
            held["40.A"] = torch.zeros(1)
        elif damage == "shape":
            held["head.weight"] = torch.zeros(1, 7)
        else:
            classes = "7" if damage == "classes" else '["siren"]'
        save_file(held, path, {"classes": classes})
    with pytest.raises(WeightsError, match=r"alert\.safetensors: an alert branch"):
        alert.load(path, base)
