"""The shipped adapter: it loads, it is not a trivial policy, and the demo goes as the README says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch

from soundflow.errors import ConfigError, WeightsError
from soundflow.loop import Stream
from soundflow.perceive.sound import SoundFrames
from soundflow.respond.tools import load_tools
from soundflow.tiers import nano

pytestmark = pytest.mark.weights
DEMO = Path(__file__).parents[1] / "demo"


@pytest.fixture(scope="module")
def audio():
    return sf.read(DEMO / "house.flac", dtype="float32")[0]


@pytest.fixture(scope="module")
def heard(nano_parts, audio):
    stream = Stream(nano.load(), tools=load_tools(DEMO / "tools.json"))
    return stream.push(audio) + stream.close()


def fired(events):
    return [(round(e.t, 1), e.decision) for e in events if e.type == "decision" and e.decision != "silent"]


def test_it_warns_answers_acts_and_is_silent_elsewhere(heard):
    """Fails for a model that is always silent, one that always responds, and one that does not hear."""
    found = fired(heard)
    assert any(11.2 <= t <= 14.4 and kind == "speak" for t, kind in found), "the alarm"
    assert any(32.0 <= t <= 34.4 and kind == "speak" for t, kind in found), "the question"
    assert any(39.6 <= t <= 42.0 and kind == "act" for t, kind in found), "the request"
    assert any(44.0 <= t <= 49.0 and kind == "speak" for t, kind in found), "the baby"
    assert not [t for t, _ in found if t < 11.2 or 14.4 < t < 32.0], "clock, room tone and the reader"


def test_the_light_goes_off(heard):
    actions = [(a.name, a.arguments) for a in heard if a.type == "action"]
    assert actions == [("set_light", {"room": "living room", "state": "off"})]


def test_the_reader_is_written_down(heard):
    text = " ".join(e.text for e in heard if e.type == "transcript" and e.final).lower()
    assert "believing that heart to be his own" in text


def test_probabilities_sum_to_one_and_depend_on_the_audio(heard):
    p = np.array([[e.p["silent"], e.p["speak"], e.p["act"]] for e in heard if e.type == "decision"])
    assert np.allclose(p.sum(1), 1, atol=1e-3)
    assert np.ptp(p[:, 1]) > 0.3


def test_an_encoder_of_zeros_loses_the_alarm(nano_parts, audio):
    stream = Stream(nano.load(), tools=load_tools(DEMO / "tools.json"))
    encoder = stream._model.perceiver._sound
    perceive = encoder.step_rows

    def nothing(samples, states):
        return [SoundFrames(0 * f.scores, 0 * f.embeddings, 0 * f.alerts) for f in perceive(samples, states)]

    encoder.step_rows = nothing
    assert not [t for t, _ in fired(stream.push(audio[: 16 * 16_000])) if t > 11]


def test_float32_decides_as_bfloat16_does(nano_parts, audio):
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        stream = Stream(nano.load(dtype=dtype))
        events = stream.push(audio[10 * 16_000 : 18 * 16_000])
        found.append(np.array([e.p["speak"] for e in events if e.type == "decision"]))
    assert np.abs(found[0] - found[1]).max() < 0.15


def test_a_device_that_is_not_there_is_refused():
    assert nano.device_of("cpu").type == "cpu"
    assert nano.device_of("auto").type in {"cpu", "cuda"}
    with pytest.raises(ConfigError, match="auto, cpu, cuda"):
        nano.device_of("toaster")
    with pytest.raises(ConfigError, match="torch sees"):
        nano.device_of("cuda:99")


def test_another_chunk_length_is_refused(nano_parts):
    with pytest.raises(ConfigError, match="400"):
        nano.load(chunk_ms=200)


def test_a_weighted_branch_that_is_not_there_is_an_error(nano_parts, tmp_path):
    for file in nano.ADAPTER.iterdir():
        if file.name != "alert.safetensors" and file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(WeightsError, match=r"alert\.safetensors was expected"):
        nano.load(adapter=tmp_path)


def test_the_shipped_alert_branch_hears_an_alarm(nano_parts, audio):
    model = nano.load()
    assert model.calibration.branch_weight > 0
    state, odds = model.perceiver._sound.init_state(), []
    for start in range(0, 18 * 16_000, model.chunk_samples):
        odds.append(model.perceiver._sound.step(audio[start : start + model.chunk_samples], state).alerts.max())
    chunks = np.arange(len(odds)) * 0.4
    assert max(odds) > 1, "the alarm of the demo"
    assert np.mean(np.array(odds)[chunks < 10] > 0) < 0.2, "the clock and the room before it"


def test_the_shipped_alert_branch_names_the_baby_of_the_demo(nano_parts, audio):
    encoder = nano.load().perceiver._sound
    state, named = encoder.init_state(), []
    for start in range(0, 47 * 16_000, encoder.chunk_samples):
        named.append(encoder.step(audio[start : start + encoder.chunk_samples], state).names.max(axis=0))
    cry = np.stack(named)[:, encoder.names.index("crying_baby")]
    chunks = np.arange(len(cry)) * 0.4
    assert cry[chunks >= 43.2].max() > 0 > cry[chunks < 36].max()
    assert np.stack(named)[chunks >= 43.2].max(axis=0).argmax() == encoder.names.index("crying_baby")
