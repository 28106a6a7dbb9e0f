"""YAMNet over a stream equals YAMNet over the windows of the whole; states do not touch each other."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from soundflow.errors import AudioFormatError, ConfigError, WeightsError
from soundflow.perceive.sound import GAIN, SoundEncoder, SoundState, labels
from soundflow.perceive.yamnet import YamNet
from soundflow.types import FloatArray
from tests.conftest import MakeAudio

N = 6400
pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def model(nano_parts: Path) -> Path:
    return nano_parts / "sound" / "yamnet.tflite"


@pytest.fixture(scope="module")
def encoder(model: Path) -> SoundEncoder:
    return SoundEncoder(model, N)


@pytest.fixture(scope="module")
def audio(noise: MakeAudio, tone: MakeAudio) -> FloatArray:
    return np.concatenate([noise(1.0), tone(1.0, hz=1000), np.zeros(8000, np.float32), tone(0.7, hz=3000)])


def _run(encoder: SoundEncoder, audio: FloatArray, state: SoundState | None = None) -> tuple[FloatArray, FloatArray]:
    state = state or encoder.init_state()
    size = encoder.chunk_samples
    frames = [encoder.step(audio[i : i + size], state) for i in range(0, len(audio) - size + 1, size)]
    return np.concatenate([f.scores for f in frames]), np.concatenate([f.embeddings for f in frames])


@pytest.mark.parametrize(("size", "windows"), [(6400, 2), (6400, 1), (6400, 4), (16_000, 2), (1600, 1), (15_600, 1)])
def test_streaming_equals_whole(model: Path, audio: FloatArray, size: int, windows: int) -> None:
    encoder = SoundEncoder(model, size, windows)
    scores, embeddings = _run(encoder, audio)
    padded = np.concatenate([np.zeros(15_600, np.float32), audio])
    hop = size // windows
    ends = [15_600 + hop * (k + 1) for k in range(len(scores))]
    windows_ = np.stack([padded[end - 15_600 : end] for end in ends]) * np.float32(GAIN)
    with torch.inference_mode():
        logits, whole = YamNet(model)(torch.from_numpy(windows_))
    np.testing.assert_allclose(scores, torch.sigmoid(logits).numpy(), atol=1e-5)
    np.testing.assert_allclose(embeddings, whole.numpy(), atol=1e-4)
    assert len(scores) == len(audio) // size * windows


def test_shapes_and_ranges(encoder: SoundEncoder, noise: MakeAudio) -> None:
    frames = encoder.step(noise(0.4), encoder.init_state())
    assert frames.scores.shape == (2, 521)
    assert frames.embeddings.shape == (2, 1024)
    assert frames.scores.dtype == frames.embeddings.dtype == np.float32
    assert 0.0 <= frames.scores.min() <= frames.scores.max() <= 1.0
    assert 0.0 <= frames.embeddings.min() <= frames.embeddings.max() <= 6.0


def test_causal(encoder: SoundEncoder, audio: FloatArray) -> None:
    changed = audio.copy()
    changed[3 * N :] = 0.5
    before, after = _run(encoder, audio), _run(encoder, changed)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a[:6], b[:6])
        assert (a[6:] != b[6:]).any()


def test_snapshot_and_independence(encoder: SoundEncoder, audio: FloatArray, noise: MakeAudio) -> None:
    whole = _run(encoder, audio)[0]
    state, other = encoder.init_state(), encoder.init_state()
    for i in range(3):
        frames = encoder.step(audio[i * N : (i + 1) * N], state)
        encoder.step(noise(0.4, seed=i), other)
        np.testing.assert_array_equal(frames.scores, whole[2 * i : 2 * i + 2])
    kept = state.snapshot()
    encoder.step(noise(0.4), state)
    state.restore(kept)
    np.testing.assert_array_equal(_run(encoder, audio[3 * N :], state)[0], whole[6:])
    state.reset()
    np.testing.assert_array_equal(_run(encoder, audio, state)[0], whole)
    with pytest.raises(ConfigError, match="tail"):
        state.restore({"tail": np.zeros(7, np.float32)})


def test_state_is_bounded(encoder: SoundEncoder, audio: FloatArray) -> None:
    state = encoder.init_state()
    _run(encoder, np.tile(audio, 3), state)
    assert state.tail.shape == (15_600 - 3200,)
    assert state.tail.base is None, "a view would keep older audio alive"


def test_it_hears_silence_and_a_beep(encoder: SoundEncoder, model: Path, tone: MakeAudio) -> None:
    names = labels(model)
    silent = _run(encoder, np.zeros(4 * N, np.float32))[0]
    assert names[int(silent[-1].argmax())] == "Silence"
    beep = _run(encoder, tone(2.0, hz=1000))[0]
    assert {names[i] for i in beep[-1].argsort()[-5:]} & {"Beep, bleep", "Sine wave", "Chirp tone", "Buzzer"}


def test_labels(model: Path) -> None:
    names = labels(model)
    assert len(names) == 521
    assert (names[0], names[-1]) == ("Speech", "Field recording")
    assert names[393] == "Smoke detector, smoke alarm"


def test_bad_input(encoder: SoundEncoder, model: Path, tmp_path: Path) -> None:
    with pytest.raises(AudioFormatError, match="6400"):
        encoder.step(np.zeros(100, np.float32), encoder.init_state())
    for size, windows in ((6400, 3), (6400, 0), (0, 1), (32_000, 2)):
        with pytest.raises(ConfigError, match="multiple of windows"):
            SoundEncoder(model, size, windows)
    with pytest.raises(WeightsError, match="models pull"):
        SoundEncoder(tmp_path / "none.tflite", N)
    junk = tmp_path / "junk.tflite"
    junk.write_bytes(b"junk" * 100)
    with pytest.raises(WeightsError, match="expected a TFLite model"):
        SoundEncoder(junk, N)
    with pytest.raises(WeightsError, match="zipped inside"):
        labels(junk)
    with pytest.raises(WeightsError, match="zipped inside"):
        labels(tmp_path / "none.tflite")
    short = tmp_path / "short.tflite"
    with zipfile.ZipFile(short, "w") as archive:
        archive.writestr("labels.txt", "Speech\nDog\n")
    with pytest.raises(WeightsError, match="521 distinct labels, got 2"):
        labels(short)


def test_loading_prints_nothing(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    SoundEncoder(model, N)
    assert capfd.readouterr() == ("", "")
