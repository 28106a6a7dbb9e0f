"""Windows of the alert branch hold what they are labelled with; the branch learns; branches are averaged."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from torch import nn

from soundflow.errors import ConfigError, DataError
from soundflow.perceive import alert
from soundflow.perceive.alert import FIRST, AlertBranch
from soundflow.perceive.sound import GAIN
from soundflow.perceive.yamnet import WINDOW_SAMPLES, YamNet
from training.alert_branch import BranchConfig, Trainer, average, train, with_names
from training.alert_windows import HEARD, Windows, disturbed
from training.named_classes import CLASSES

SR = 16_000
LEVELS = {"yes": 0.5, "context": 0.25, "no": 0.125}
NAMES = {"yes": "siren", "context": "dog", "no": "music"}


def _stream(rng: np.random.Generator, tones: bool) -> tuple[np.ndarray, list[dict[str, object]]]:
    """12 s with one sound of each policy, at a level of its own (or, with `tones`, a beep and noise)."""
    audio, events, at = np.zeros(12 * SR, np.float32), [], int(rng.uniform(0.5, 1.5) * SR)
    for respond in rng.permutation(sorted(LEVELS)):
        n = int(rng.uniform(0.2, 1.5) * SR)
        if not tones:
            audio[at : at + n] = LEVELS[respond]
        elif respond == "yes":
            audio[at : at + n] = 0.3 * np.sign(np.sin(2 * np.pi * 2500 * np.arange(n) / SR))
        elif respond == "no":
            audio[at : at + n] = rng.normal(0, 0.1, n)
        event = {"label": NAMES[respond], "onset": at, "offset": at + n, "respond": respond}
        events.append(event | {"source": f"{respond}.ogg"})
        at += n + int(rng.uniform(1.2, 1.8) * SR)
    return audio, events


def _shard(folder: Path, streams: int, tones: bool = False) -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(5)
    with tarfile.open(folder / "shard-000000.tar", "w") as tar:
        for k in range(streams):
            audio, events = _stream(rng, tones)
            flac = io.BytesIO()
            sf.write(flac, audio, SR, format="FLAC")
            for suffix, raw in (("flac", flac.getvalue()), ("json", json.dumps({"events": events}).encode())):
                info = tarfile.TarInfo(f"s-{k}.{suffix}")
                info.size = len(raw)
                tar.addfile(info, io.BytesIO(raw))
    return folder


def test_a_window_holds_what_it_is_labelled_with(tmp_path: Path) -> None:
    windows = Windows([_shard(tmp_path / "d", 6)], 1, 0.0, ["siren", "dog", "music"])
    seen = {1: 0, 0: 0, -1: 0}
    for _ in range(400):
        audio, answered, (siren, dog, music) = windows._draw()
        seen[answered] += 1
        level = np.abs(audio)
        loud, unsure, quiet = (int(((level > x) & (level < 1.2 * x)).sum()) for x in (0.45, 0.23, 0.11))
        if answered == 1:
            assert loud >= min(HEARD, 0.2 * SR) - 1
        else:
            assert loud == unsure == 0 if answered == 0 else loud or unsure
        assert (siren != 0) == (loud > 0)
        assert (siren == 1) == (answered == 1)
        assert (dog != 0) == (unsure > 0)
        assert dog < 1 or unsure >= min(HEARD, 0.2 * SR) - 1
        assert (music != 0) == (quiet > 0)
    assert 0.3 < seen[1] / 400 < 0.7
    assert seen[-1] > 20


def test_a_batch_is_drawn_by_its_seed_and_levels_vary(tmp_path: Path) -> None:
    folder = _shard(tmp_path / "d", 4)
    first, again, other = (Windows([folder], seed, 0.5).batch(16) for seed in (3, 3, 4))
    assert torch.equal(first.audio, again.audio)
    assert not torch.equal(first.audio, other.audio)
    assert first.audio.shape == (16, WINDOW_SAMPLES)
    peaks = first.audio.abs().amax(1)[first.alert > 0]
    assert float(peaks.max() / peaks.min()) > 1.5


def test_disturbing_keeps_the_shape_and_most_of_the_picture() -> None:
    mel = torch.linspace(-6, 2, 64).expand(32, 96, 64).clone()
    out = disturbed(mel.clone(), np.random.default_rng(0))
    assert out.shape == mel.shape
    assert torch.isfinite(out).all()
    assert 0.05 < float((out - mel).abs().mean()) < 2.0


def test_folders_without_both_sides_and_wrong_settings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="answered and with benign"):
        Windows([tmp_path / "empty"], 1, 0.0)
    with pytest.raises(ConfigError, match="second_sound in 0 to 1"):
        BranchConfig(1.0, second_sound=1.5)


@pytest.mark.weights
def test_it_learns_which_sound_is_answered(nano_parts: Path, tmp_path: Path) -> None:
    base = YamNet(nano_parts / "sound" / "yamnet.tflite")
    windows = Windows([_shard(tmp_path / "d", 4, tones=True)], 1, 0.0)
    windows.place = {name: k for k, name in enumerate(CLASSES)}
    trainer = Trainer(base, with_names(AlertBranch(base), base), BranchConfig(1.0, rate=1e-3, batch=8))
    losses = [trainer.step(windows.batch(8), 0.0, windows.rng)[0] for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    branch, held = trainer.finish(), Windows([tmp_path / "d"], 2, 0.0).batch(24)
    with torch.inference_mode():
        odds, names = branch(base.below(base.log_mel(held.audio * GAIN), FIRST))
    siren, music = (names[:, [*CLASSES].index(x)] for x in ("siren", "music"))
    assert float((siren - music)[held.alert > 0].mean()) > float((siren - music)[held.alert == 0].mean()) + 0.5
    assert float(odds[held.alert > 0].mean()) > float(odds[held.alert == 0].mean()) + 0.5
    moved = trainer.pulled[0][0] - trainer.pulled[0][1]
    assert 0 < float(moved.abs().max()) < 0.2


@pytest.mark.weights
def test_a_run_writes_a_branch_and_two_are_averaged(nano_parts: Path, tmp_path: Path) -> None:
    sound, lines = nano_parts / "sound" / "yamnet.tflite", []
    data, one, two = _shard(tmp_path / "d", 2, tones=True), tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    train(sound, [data], one, BranchConfig(0.02, rate=1e-3, batch=4), None, lines.append)
    train(sound, [data], two, BranchConfig(0.02, rate=1e-3, batch=4, seed=2), one, lines.append)
    assert lines[0] == "2 streams, 1 answered classes, 1 benign ones"
    average(sound, [one, two], tmp_path / "mean.safetensors", rank=1024)
    base = YamNet(sound)
    first, second, mean = (alert.load(p, base).state_dict() for p in (one, two, tmp_path / "mean.safetensors"))
    assert not torch.equal(first["head.weight"], second["head.weight"])
    for name, value in mean.items():
        torch.testing.assert_close(value, (first[name] + second[name]) / 2, atol=2e-3, rtol=1e-2)


@pytest.mark.weights
def test_a_mean_has_shares_and_the_start_that_names_nothing_and_names_of_another(
    nano_parts: Path, tmp_path: Path
) -> None:
    sound, base = nano_parts / "sound" / "yamnet.tflite", YamNet(nano_parts / "sound" / "yamnet.tflite")
    torch.manual_seed(0)
    files = {}
    for name, value in (("start", 0.0), ("first", 1.0), ("second", 3.0)):
        branch = AlertBranch(base, () if name == "start" else ("Siren", "Dog"))
        for head in filter(None, (branch.head, branch.names)):
            nn.init.constant_(head.bias, value)
        files[name] = tmp_path / f"{name}.safetensors"
        alert.save(branch, base, files[name])
    out = tmp_path / "mean.safetensors"
    average(sound, [files["start"], files["first"], files["second"]], out, shares=[0.2, 0.4, 0.4])
    mean = alert.load(out, base)
    assert mean.classes == ("Siren", "Dog")
    assert float(mean.head.bias) == pytest.approx(1.6, abs=1e-2)
    assert mean.names is not None
    torch.testing.assert_close(mean.names.bias, torch.tensor([2.0, 2.0]), atol=1e-2, rtol=0)
    average(sound, [files["start"], files["first"]], out, names=[files["second"]])
    mean = alert.load(out, base)
    assert float(mean.head.bias) == pytest.approx(0.5, abs=1e-2)
    assert mean.names is not None
    torch.testing.assert_close(mean.names.bias, torch.tensor([3.0, 3.0]), atol=1e-2, rtol=0)
    with pytest.raises(ConfigError, match="one over 0 for each of 2 branches"):
        average(sound, [files["start"], files["first"]], out, shares=[1.0])
    with pytest.raises(DataError, match="that name the same sounds"):
        average(sound, [files["first"]], out, names=[files["start"]])


@pytest.mark.weights
def test_at_a_rate_of_nought_the_heads_alone_learn(nano_parts: Path, tmp_path: Path) -> None:
    base, out = YamNet(nano_parts / "sound" / "yamnet.tflite"), tmp_path / "heads.safetensors"
    sound, data = nano_parts / "sound" / "yamnet.tflite", _shard(tmp_path / "d", 2, tones=True)
    train(sound, [data], out, BranchConfig(0.02, rate=0.0, batch=4), None, lambda line: None)
    made, trunk = alert.load(out, base), AlertBranch(base)
    assert all(torch.equal(a, b) for a, b in zip(made.convs.parameters(), trunk.convs.parameters(), strict=True))
    assert float(made.head.weight.abs().max()) > 0
