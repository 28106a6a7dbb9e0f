"""The system's own voice in a simulated room does not count as speech; a person talking over it does."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soxr

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import AudioFormatError
from soundflow.perceive.vad import VoiceActivity
from soundflow.respond import echo
from soundflow.respond.echo import DELAY_SAMPLES, EchoCanceller, ResidualGate
from soundflow.respond.voice import PiperVoice
from soundflow.types import AudioChunk, FloatArray
from tests.respond.rooms import simulate_echo

CHUNK = 6_400
ROOMS = ((0.15, 20), (0.3, 20), (0.3, 120), (0.6, 60))  # rt60 in s, delay in ms
REPLY = "I heard a smoke alarm in the kitchen. Please check the stove. The light in the bedroom is on, the timer runs."
NEAR_AT = 3 * SAMPLE_RATE_HZ


def noise(rng: np.random.Generator, count: int) -> FloatArray:
    """At -60 dB of full scale."""
    return (rng.standard_normal(count) * 1e-3).astype(np.float32)


def speech_like(rng: np.random.Generator, seconds: float) -> FloatArray:
    """Coloured noise in syllables; needs no voice."""
    count = int(seconds * SAMPLE_RATE_HZ)
    coloured = np.convolve(rng.standard_normal(count), np.hanning(12), "same")
    syllables = np.clip(np.sin(2 * np.pi * 4 * np.arange(count) / SAMPLE_RATE_HZ), 0, 1)
    return (0.05 * coloured * syllables).astype(np.float32)


def level_db(samples: FloatArray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-12))


@pytest.mark.parametrize("sizes", [(160,), (6_400,), (6_144,), (1, 999, 160, 7)])
def test_any_block_length_gives_the_same_output(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    far = speech_like(rng, 1.0)
    mic = simulate_echo(far, -20, rng) + noise(rng, len(far))
    gate_only = EchoCanceller(cancel=False)
    whole = gate_only.process(mic, far)
    gate_only.reset()
    pieces, at, k = [], 0, 0
    while at < len(mic):
        size = sizes[k % len(sizes)]
        pieces.append(gate_only.process(mic[at : at + size], far[at : at + size]))
        assert len(pieces[-1]) == len(mic[at : at + size])
        at, k = at + size, k + 1
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("cancel", [False, True])
def test_without_a_reference_the_microphone_passes(cancel: bool) -> None:
    rng = np.random.default_rng(0)
    mic = speech_like(rng, 2.0)
    canceller = EchoCanceller(cancel=cancel)
    out = canceller.process(mic, np.zeros_like(mic))
    assert level_db(out) == pytest.approx(level_db(mic), abs=1.0)
    if not cancel:
        np.testing.assert_allclose(out[DELAY_SAMPLES:], mic[:-DELAY_SAMPLES], atol=1e-6)


@pytest.mark.parametrize("gain_db", [-10, -30])
def test_the_gate_alone_turns_echo_down_once_it_knows_the_room(gain_db: float) -> None:
    rng = np.random.default_rng(0)
    far = speech_like(rng, 6.0)
    mic = simulate_echo(far, gain_db, rng)
    out = EchoCanceller(cancel=False).process(mic, far)
    assert level_db(out[64_000:]) < level_db(mic[64_000:]) - 12


def test_reset_is_a_fresh_start() -> None:
    rng = np.random.default_rng(0)
    far, mic = speech_like(rng, 1.0), speech_like(rng, 1.0)
    canceller = EchoCanceller(cancel=False)
    first = canceller.process(mic, far)
    canceller.reset()
    np.testing.assert_array_equal(canceller.process(mic, far), first)


def test_state_does_not_grow() -> None:
    canceller = EchoCanceller(cancel=False)
    for _ in range(50):
        canceller.process(np.zeros(999, np.float32), np.zeros(999, np.float32))
    assert canceller.waiting < 2 * echo.FRAME


@pytest.mark.parametrize(
    ("mic", "far"),
    [
        (np.zeros(10, np.float32), np.zeros(11, np.float32)),
        (np.zeros((2, 10), np.float32), np.zeros((2, 10), np.float32)),
        (np.full(10, np.nan, np.float32), np.zeros(10, np.float32)),
        (np.zeros(10, np.float32), np.full(10, np.inf, np.float32)),
    ],
)
def test_bad_blocks_are_refused(mic: FloatArray, far: FloatArray) -> None:
    with pytest.raises(AudioFormatError, match=r"EchoCanceller\.process: expected"):
        EchoCanceller(cancel=False).process(mic, far)


def test_missing_package_leaves_the_gate(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setitem(__import__("sys").modules, "livekit", None)
    canceller = EchoCanceller()
    assert not canceller.cancels
    assert "only gated" in caplog.text
    assert len(canceller.process(np.zeros(500, np.float32), np.zeros(500, np.float32))) == 500


def test_gate_bands_cover_the_spectrum() -> None:
    gate = ResidualGate()
    mic = np.random.default_rng(0).standard_normal(echo.FRAME).astype(np.float32)
    gate.step(mic, np.zeros_like(mic), mic)
    out = gate.step(mic, np.zeros_like(mic), mic)
    np.testing.assert_allclose(out, mic, atol=1e-5)


@pytest.fixture(scope="module")
def voiced(nano_parts: Path) -> tuple[FloatArray, FloatArray, VoiceActivity]:
    """The reply as played, another speaker (the voice raised in pitch, other words) at the same level, and the VAD."""
    pytest.importorskip("piper")
    pytest.importorskip("livekit")
    path = nano_parts / "voice" / "en_US-joe-medium.onnx"
    if not path.is_file():
        pytest.skip(f"no {path}: run `soundflow models pull nano`")
    onnxruntime.set_seed(1)  # Piper draws its noise inside the network
    piper = PiperVoice(path)
    own = np.concatenate(list(piper.speak(REPLY)))
    other = np.concatenate(list(piper.speak("Stop, what did you say about the timer?")))
    reply = soxr.resample(own, piper.rate_hz, SAMPLE_RATE_HZ) * 0.6
    person = soxr.resample(other, piper.rate_hz * 1.2, SAMPLE_RATE_HZ)
    person *= np.sqrt(np.mean(reply**2) / np.mean(person**2))
    pad = np.zeros(SAMPLE_RATE_HZ // 2, np.float32)
    far = np.concatenate([pad, reply, pad]).astype(np.float32)
    return far, person.astype(np.float32), VoiceActivity(nano_parts / "vad" / "silero_vad_16k_op15.onnx")


def starts(vad: VoiceActivity, audio: FloatArray) -> Iterator[tuple[int, int]]:
    """(start, end of the chunk that told it) of every speech start."""
    state = vad.init_state()
    for k in range(len(audio) // CHUNK):
        chunk = AudioChunk(k, k * CHUNK, audio[k * CHUNK : (k + 1) * CHUNK])
        found = vad.step(chunk, state).started
        if found is not None:
            yield found, chunk.end_sample


@pytest.mark.weights
@pytest.mark.parametrize("gain_db", [-10, -20, -30])
def test_own_voice_does_not_start_speech(gain_db: float, voiced: tuple[FloatArray, FloatArray, VoiceActivity]) -> None:
    far, _, vad = voiced
    rng = np.random.default_rng(abs(int(gain_db)))
    before = after = 0
    for rt60_s, delay_ms in ROOMS:
        mic = simulate_echo(far, gain_db, rng, rt60_s, delay_ms) + noise(rng, len(far))
        before += len(list(starts(vad, mic)))
        after += len(list(starts(vad, EchoCanceller().process(mic, far))))
    print(f"speech starts in {len(ROOMS)} rooms at {gain_db} dB: {before} before, {after} after")
    assert before >= len(ROOMS) - 1
    assert after <= (2 if gain_db == -10 else 1)


@pytest.mark.weights
@pytest.mark.parametrize("gain_db", [-10, -20, -30])
def test_a_person_over_the_reply_is_heard(gain_db: float, voiced: tuple[FloatArray, FloatArray, VoiceActivity]) -> None:
    far, person, vad = voiced
    rng = np.random.default_rng(1)
    mic = simulate_echo(far, gain_db, rng) + noise(rng, len(far))
    clean = noise(rng, len(far))
    end = min(len(far), NEAR_AT + len(person))
    mic[NEAR_AT:end] += person[: end - NEAR_AT]
    clean[NEAR_AT:end] += person[: end - NEAR_AT]
    alone = next(s for s, _ in starts(vad, clean))
    heard = [s for s, _ in starts(vad, EchoCanceller().process(mic, far)) if s >= alone - CHUNK // 4]
    assert heard
    assert heard[0] - alone <= 0.4 * SAMPLE_RATE_HZ
