"""Each encoder against the transformers model that it drives, called at once on the same audio or features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from soundflow.errors import ConfigError
from soundflow.perceive.encoders import random
from soundflow.perceive.encoders.moonshine import Moonshine
from soundflow.perceive.encoders.raise_rate import REACH_SAMPLES, RaisedRate
from soundflow.perceive.encoders.registry import random_module
from soundflow.perceive.encoders.whisper import Whisper
from soundflow.perceive.speech import SpeechEncoder
from soundflow.types import FloatArray
from tests.perceive.encoders.audio import CHUNK, error, noise, run, whole

CLOSE = 1e-4
AUDIO = noise(2, 10 * CHUNK)


def features(name: str, audio: Tensor) -> dict[str, Tensor]:
    kind = getattr(transformers, f"{name}FeatureExtractor")
    out = kind(feature_size=20)([row.numpy() for row in audio], sampling_rate=16_000, return_tensors="pt")
    return dict(out)


def moonshine_streaming(module: Any) -> Tensor:
    out: Tensor = module(AUDIO, attention_mask=torch.ones_like(AUDIO)).last_hidden_state
    return out


def voxtral_realtime(module: Any) -> Tensor:
    out: Tensor = module(features("VoxtralRealtime", AUDIO)["input_features"]).last_hidden_state
    return out


def nemotron(module: Any) -> Tensor:
    out: Tensor = module(**features("NemotronAsrStreaming", AUDIO)).last_hidden_state
    return out


def mimi(module: Any) -> Tensor:
    padded = torch.nn.functional.pad(AUDIO, (REACH_SAMPLES, REACH_SAMPLES))
    out: Tensor = module(RaisedRate(24_000, AUDIO.device)(padded)[:, None]).latents.transpose(1, 2)
    return out


STREAMING: dict[str, Callable[[Any], Tensor]] = {
    "moonshine_streaming": moonshine_streaming,
    "voxtral_realtime": voxtral_realtime,
    "nemotron_asr_streaming": nemotron,
    "mimi": mimi,
}


@torch.no_grad()
@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("seed", [0, 1])
def test_streaming_equals_the_model_on_the_whole(name: str, seed: int) -> None:
    wanted = STREAMING[name](random_module(name, seed))
    encoder = random(name, CHUNK, seed)
    got = whole(encoder, AUDIO)
    late = encoder.spec.field_samples + encoder.spec.look_ahead_samples
    assert got.shape[1] >= (AUDIO.shape[1] - late) // encoder.spec.hop_samples
    assert error(got, wanted[:, : got.shape[1]]) < CLOSE
    assert error(got, wanted[:, : got.shape[1]].flip(0)) > 100 * CLOSE


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "field", "value", "left_ms"),
    [
        ("moonshine_streaming", "sliding_windows", [[4, 3], [4, 0], [4, 2]], 60),
        ("voxtral_realtime", "sliding_window", 5, 80),
        ("nemotron_asr_streaming", "sliding_window", 4, 240),
        ("mimi", "sliding_window", 4, 120),
    ],
)
def test_left_ms_shortens_the_windows_of_attention(name: str, field: str, value: Any, left_ms: float) -> None:
    wanted = STREAMING[name](random_module(name, 0, **{field: value}))
    got = whole(random(name, CHUNK, left_ms=left_ms), AUDIO)
    assert error(got, wanted[:, : got.shape[1]]) < CLOSE
    full = random(name, CHUNK)
    assert error(got, whole(full, AUDIO)) > CLOSE
    assert torch.equal(whole(random(name, CHUNK, left_ms=1e6), AUDIO), whole(full, AUDIO))


@torch.no_grad()
@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_nemotron_takes_the_look_ahead_it_is_told(ahead: int) -> None:
    module = random_module("nemotron_asr_streaming")
    inputs = features("NemotronAsrStreaming", AUDIO)
    wanted = module(**inputs, num_lookahead_tokens=ahead).last_hidden_state
    encoder = random("nemotron_asr_streaming", CHUNK, look_ahead_ms=80 * ahead)
    assert encoder.spec.look_ahead_samples == 1_280 * ahead
    got = whole(encoder, AUDIO)
    assert got.shape[1] >= 44
    assert error(got, wanted[:, : got.shape[1]]) < CLOSE


def whisper_of(frames: int) -> Any:
    """The random module, for windows of so many frames: transformers takes no others."""
    module = random_module("whisper")
    module.config.max_source_positions = frames
    module.embed_positions = torch.nn.Embedding.from_pretrained(module.embed_positions.weight[:frames])
    return module


@torch.no_grad()
def test_a_whole_whisper_window_is_what_transformers_gives_for_it() -> None:
    frames = 60
    audio = noise(2, 40 + frames * 320)
    got = whole(random("whisper", audio.shape[1], left_ms=0), audio)
    inside = torch.cat([audio[:, 1:201].flip(1), audio], dim=1)
    wanted = whisper_of(frames)(Whisper(random_module("whisper")).features(inside)).last_hidden_state
    assert error(got, wanted) < CLOSE


@torch.no_grad()
def test_whisper_streams_the_windows_of_its_schedule() -> None:
    left, done, model = 20, 0, Whisper(random_module("whisper"))
    mirrored = torch.cat([AUDIO[:, 1:201].flip(1), AUDIO], dim=1)
    for k, rows in enumerate(run(random("whisper", CHUNK, left_ms=left * 20), AUDIO)):
        heard = (k + 1) * CHUNK
        start, total = max(0, done - left), (heard - 360) // 320 + 1
        features = model.features(mirrored[:, start * 320 : heard + 200])
        wanted = whisper_of(total - start)(features).last_hidden_state[:, done - start :]
        assert error(torch.stack(rows), wanted) < CLOSE
        done = total


@torch.no_grad()
def test_a_whole_moonshine_window_is_what_transformers_gives_for_it() -> None:
    module = random_module("moonshine")
    got = whole(random("moonshine", AUDIO.shape[1]), AUDIO)
    assert error(got, module(AUDIO).last_hidden_state) < CLOSE


def test_moonshine_looks_at_the_windows_that_the_onnx_one_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Moonshine(random_module("moonshine"))
    monkeypatch.setattr("soundflow.perceive.speech.FRAME_WIDTH", model.width)

    class Encoder:
        def encode(self, samples: FloatArray) -> FloatArray:
            with torch.no_grad():
                frames: FloatArray = model.encode(torch.from_numpy(samples)[None])[0].numpy()
            return frames

    speech = SpeechEncoder(Encoder(), CHUNK)
    state = speech.init_state()
    for k, rows in enumerate(run(random("moonshine", CHUNK), AUDIO)):
        wanted = speech.step(AUDIO[0, k * CHUNK : (k + 1) * CHUNK].numpy(), True, state)
        assert error(rows[0], torch.from_numpy(wanted)) < CLOSE


def test_left_context_beyond_whispers_positions_is_refused() -> None:
    with pytest.raises(ConfigError, match="at most 300 frames"):
        random("whisper", CHUNK, left_ms=5_700)


@pytest.mark.parametrize("name", ["whisper", "moonshine", *STREAMING])
def test_no_left_context_is_one_and_less_is_refused(name: str) -> None:
    encoder = random(name, CHUNK, left_ms=0)
    frames = whole(encoder, AUDIO[:, : 4 * CHUNK])
    assert frames.isfinite().all()
    assert frames.shape[1] > 12
    for wrong in (-20, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match="left_ms"):
            random(name, CHUNK, left_ms=wrong)


@pytest.mark.parametrize("name", ["whisper", "moonshine", "moonshine_streaming", "voxtral_realtime", "mimi"])
def test_a_look_ahead_that_an_encoder_does_not_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="look_ahead_ms"):
        random(name, CHUNK, look_ahead_ms=80)
    with pytest.raises(ConfigError, match="multiple of 80"):
        random("nemotron_asr_streaming", CHUNK, look_ahead_ms=100)
