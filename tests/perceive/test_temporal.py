"""The head that hears how a sound goes on: the same as torch's, over any cut of a stream, nothing without a file."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.own import features
from soundflow.perceive.perceiver import Parts, Perceiver
from soundflow.perceive.temporal import FILE, LIMIT, TENSORS, TemporalHead
from soundflow.tiers import nano
from soundflow.types import Words
from tests.tiers.whole import scene

WIDTH, NARROW, SIZE = 12, 5, 7


def random_head(seed: int = 0, scale: float = 1.0) -> TemporalHead:
    torch.manual_seed(seed)
    net = nn.ModuleDict(
        {
            "into": nn.Linear(WIDTH, NARROW),
            "gru": nn.GRU(NARROW, SIZE, batch_first=True),
            "out": nn.Linear(SIZE + NARROW, 1),
        }
    )
    return TemporalHead({name: scale * value.numpy() for name, value in net.state_dict().items()})


def embeddings(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(0.5, 1.0, (count, WIDTH)).astype(np.float32)


def test_a_step_is_what_torch_has():
    head, sound = random_head(scale=2.0), embeddings(30)
    gru, t = nn.GRU(NARROW, SIZE, batch_first=True), {k: torch.from_numpy(v) for k, v in head.tensors.items()}
    gru.load_state_dict({k.removeprefix("gru."): v for k, v in t.items() if k.startswith("gru.")})
    with torch.no_grad():
        x = torch.relu(torch.from_numpy(features(sound)) @ t["into.weight"].T + t["into.bias"])
        both = torch.cat([gru(x[None])[0][0], x], -1)
        wanted = (both @ t["out.weight"].T + t["out.bias"])[:, 0].clamp(-LIMIT, LIMIT)
    assert head.along(sound) == pytest.approx(wanted.numpy(), abs=1e-5)
    assert np.ptp(head.along(sound)) > 0.1


def test_what_was_heard_before_counts_and_a_state_comes_back():
    head, sound = random_head(scale=3.0), embeddings(12)
    whole = head.along(sound)
    assert abs(head.along(sound[6:])[0] - whole[6]) > 1e-3  # without the six chunks before
    state = head.init_state()
    first = [head.step(x, state) for x in sound[:6]]
    kept = state.snapshot()
    head.step(sound[0], state)  # another stream's chunk, which is taken back
    state.restore(kept)
    assert first + [head.step(x, state) for x in sound[6:]] == pytest.approx(whole.tolist(), abs=1e-6)
    with pytest.raises(ConfigError, match=r"temporal state: expected \(7,\), got \(3,\)"):
        state.restore({"hidden": np.zeros(3, np.float32)})


def test_it_has_a_say_and_no_more():
    loud = random_head(scale=1e4)
    assert set(np.abs(loud.along(embeddings(20)))) == {LIMIT}
    state = loud.init_state()
    for x in embeddings(200):
        loud.step(x, state)
    assert np.abs(state.hidden).max() <= 1.0


def test_a_file_gives_it_back_and_none_is_none(tmp_path):
    head = random_head()
    assert TemporalHead.load(tmp_path) is None
    head.save(tmp_path / FILE)
    again = TemporalHead.load(tmp_path)
    assert again is not None
    assert again.along(embeddings(9)) == pytest.approx(head.along(embeddings(9)), abs=1e-2)
    assert again.width == WIDTH


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"out.bias": None}, "out.bias"),
        ({"into.weight": np.zeros((4, WIDTH))}, "into.weight"),
        ({"gru.weight_hh_l0": np.zeros((3 * SIZE, SIZE + 1))}, "expected"),
        ({"out.weight": np.full((1, SIZE + NARROW), np.nan)}, "out.weight: finite numbers"),
    ],
)
def test_what_is_none_is_refused_by_name(tmp_path, change, said):
    tensors = {n: v.astype(np.float32) for n, v in {**random_head().tensors, **change}.items() if v is not None}
    save_file(tensors, tmp_path / FILE, {"format": "1"})
    with pytest.raises(WeightsError, match=f"{FILE}.*{said}"):
        TemporalHead.load(tmp_path)


def test_another_format_or_encoder_is_refused(tmp_path):
    save_file({n: random_head().tensors[n] for n in TENSORS}, tmp_path / FILE, {"format": "0"})
    with pytest.raises(WeightsError, match="format 1 was expected, got '0'"):
        TemporalHead.load(tmp_path)
    random_head().save(tmp_path / FILE)
    with pytest.raises(WeightsError, match="a head over 1024 numbers was expected, got 12"):
        nano.temporal(tmp_path)
    (tmp_path / FILE).write_bytes(b"none")
    with pytest.raises(WeightsError, match="a temporal head was expected"):
        nano.temporal(tmp_path)


@pytest.mark.weights
def test_the_perceiver_adds_what_it_says_to_the_branch(nano_parts):
    vad, sound = nano_parts / "vad" / "silero_vad_16k_op15.onnx", nano_parts / "sound" / "yamnet.tflite"
    parts, head = Parts(nano_parts / "asr", vad, sound, nano.ADAPTER / "alert.safetensors"), nano.temporal(nano.ADAPTER)
    assert head is not None
    audio, heard = scene(12), []
    for temporal in (None, head):
        perceiver = Perceiver(parts, 6_400, temporal=temporal)
        state, kept = perceiver.init_state(), None
        found = []
        for chunk in Chunker(6_400).push(audio):
            if chunk.index == 10:
                kept = state.snapshot()
                state = perceiver.init_state()
                state.restore(kept)
            frames = perceiver.frames(chunk, state)
            found.append(perceiver.step(chunk, state, Words(), frames))
        heard.append(found)
    plain, after = heard
    told = head.along(np.stack([p.sound for p in plain]))
    assert [b.alert - a.alert for a, b in zip(plain, after, strict=True)] == pytest.approx(told.tolist(), abs=1e-4)
    assert np.ptp(told) > 0.5
    assert all(np.array_equal(a.tags, b.tags) for a, b in zip(plain, after, strict=True))
