"""The float YAMNet says what the int8 TFLite file says, up to the file's own rounding."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from soundflow import int8
from soundflow.errors import WeightsError
from soundflow.perceive import yamnet
from soundflow.perceive.yamnet import WINDOW_SAMPLES, YamNet
from soundflow.types import FloatArray
from tests.conftest import MakeAudio

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def path(nano_parts: Path) -> Path:
    return nano_parts / "sound" / "yamnet.tflite"


@pytest.fixture(scope="module")
def net(path: Path) -> YamNet:
    return YamNet(path)


@pytest.fixture(scope="module")
def windows(noise: MakeAudio, tone: MakeAudio) -> FloatArray:
    made = [noise(1.0), tone(1.0, hz=1000), tone(1.0, hz=200) + noise(1.0) * 0.1, np.zeros(16_000, np.float32)]
    return np.stack([x[:WINDOW_SAMPLES] for x in made]).astype(np.float32)


def _reference(path: Path, window: FloatArray) -> FloatArray:
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interpreter = Interpreter(str(path), num_threads=1)
        interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
    interpreter.invoke()
    scores: FloatArray = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    return scores


def test_parity_with_the_int8_file(path: Path, net: YamNet, windows: FloatArray) -> None:
    with torch.inference_mode():
        scores = torch.sigmoid(net(torch.from_numpy(windows))[0]).numpy()
    for ours, window in zip(scores, windows, strict=True):
        theirs = _reference(path, window)
        assert np.abs(ours - theirs).max() < 0.15
        assert np.corrcoef(ours, theirs)[0, 1] > 0.97
        assert theirs[ours.argmax()] > 0.8 * theirs.max()


def test_rows_are_independent(net: YamNet, windows: FloatArray) -> None:
    with torch.inference_mode():
        together, _ = net(torch.from_numpy(windows))
        alone = torch.cat([net(torch.from_numpy(w[None]))[0] for w in windows])
    torch.testing.assert_close(together, alone, atol=1e-3, rtol=1e-4)


def test_scores_have_no_steps(net: YamNet, noise: MakeAudio) -> None:
    made = np.stack([noise(1.0)[:WINDOW_SAMPLES] * g for g in np.linspace(0.1, 1.0, 6)]).astype(np.float32)
    with torch.inference_mode():
        logits = net(torch.from_numpy(made))[0]
    assert len({round(float(x), 4) for x in logits[:, 0]}) == 6


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="models pull"):
        YamNet(tmp_path / "none.tflite")
    junk = tmp_path / "junk.tflite"
    junk.write_bytes(b"junk" * 99)
    with pytest.raises(WeightsError, match="TFLite model"):
        YamNet(junk)


def test_eight_bits_are_near_and_rows_stay_independent(path: Path, net: YamNet, windows: FloatArray) -> None:
    if not int8.available():
        pytest.skip("this torch does not multiply int8 on this machine")
    fast = YamNet(path)
    yamnet.to_int8(fast.convs, 0)
    assert not isinstance(fast.convs[4], torch.nn.Conv2d)
    x = torch.from_numpy(windows)
    with torch.inference_mode():
        exact, found = net(x), fast(x)
        alone = torch.cat([fast(row[None])[1] for row in x])
    assert (found[0].sigmoid() - exact[0].sigmoid()).abs().max() < 0.03
    assert (found[1] - exact[1]).norm() < 0.03 * exact[1].norm()
    assert (found[1] - alone).norm() < 0.01 * alone.norm()  # what is in float before may fall on the next step
