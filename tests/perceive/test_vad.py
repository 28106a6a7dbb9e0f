"""Edges are true, known in time, and do not depend on how the stream was cut into chunks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundflow.errors import AudioFormatError, ConfigError, WeightsError
from soundflow.perceive.vad import VadConfig, VadState, VoiceActivity, _Windows, edge
from soundflow.types import AudioChunk, FloatArray, Vad
from tests.conftest import MakeAudio

N = 6400


class Scripted(VoiceActivity):
    """The hysteresis with given probabilities in place of the network."""

    def __init__(self, probs: list[float], config: VadConfig | None = None) -> None:
        self.config = config or VadConfig()
        self._probs = iter(probs)

    def _window(self, rows: Sequence[_Windows], k: int) -> None:
        assert len(rows) == 1
        rows[0].probs.append(next(self._probs))


def _run(vad: VoiceActivity, audio: FloatArray, size: int = N, state: VadState | None = None) -> list[Vad]:
    state = state or vad.init_state()
    first = state.position
    return [
        vad.step(AudioChunk(i, first + i * size, audio[i * size : (i + 1) * size]), state)
        for i in range(len(audio) // size)
    ]


def _scripted(probs: list[float], size: int = N) -> list[Vad]:
    chunks = len(probs) * 512 // size
    return _run(Scripted(probs), np.zeros(chunks * size, np.float32), size)


def test_windows_are_carried_over_chunks() -> None:
    assert [len(vad.probs) for vad in _scripted([0.0] * 50)] == [12, 13, 12, 13]


def test_start_needs_two_windows_and_is_back_dated() -> None:
    found = _scripted([0.0] * 5 + [0.9] + [0.0] * 3 + [0.6, 0.9] + [0.9] * 14)
    assert (found[0].started, found[0].speaking) == (9 * 512, True)
    assert found[1].started is None


def test_a_start_over_an_edge_lies_in_the_chunk_before() -> None:
    found = _scripted([0.0] * 11 + [0.9] * 14)
    assert (found[0].started, found[0].speaking) == (None, False)
    assert found[1].started == 11 * 512 < N


def test_stop_comes_480_ms_after_and_is_back_dated() -> None:
    found = _scripted([0.9] * 10 + [0.1] * 14 + [0.1] * 26)
    assert [vad.stopped for vad in found] == [None, 10 * 512, None, None]
    assert [vad.speaking for vad in found] == [True, False, False, False]
    assert _scripted([0.9] * 10 + [0.1] * 14 + [0.4] + [0.1] * 12)[1].speaking, "0.4 is not silence while speaking"


def test_a_short_pause_is_no_edge() -> None:
    found = _scripted([0.9] * 10 + [0.1] * 14 + [0.9] * 26)
    assert [vad.stopped for vad in found] == [None] * 4
    assert sum(vad.started is not None for vad in found) == 1


def test_stop_and_start_in_one_chunk() -> None:
    found = _scripted([0.9] * 2 + [0.1] * 15 + [0.9] * 33)
    assert found[1].stopped == 2 * 512
    assert found[1].started == 17 * 512
    assert found[1].speaking


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.3, 0.4, 0.6, 1.0]), min_size=75, max_size=75), st.sampled_from([400, 3200, N]))
def test_edges_alternate_and_are_never_late(probs: list[float], size: int) -> None:
    """The same edges for any chunk size, each within its chunk's end, starts and stops by turns."""

    def edges(size: int) -> list[tuple[int, str]]:
        found = []
        for i, vad in enumerate(_scripted(probs, size)):
            both = sorted((at, kind) for kind, at in (("start", vad.started), ("stop", vad.stopped)) if at is not None)
            assert all(at < (i + 1) * size for at, _ in both)
            found += both
        return found

    assert [kind for _, kind in edges(size)] == (["start", "stop"] * 75)[: len(edges(size))]
    assert edges(size) == edges(N)


def test_a_gap_in_the_stream_is_refused() -> None:
    vad = Scripted([0.0] * 50)
    state = vad.init_state(start_sample=100)
    vad.step(AudioChunk(0, 100, np.zeros(N, np.float32)), state)
    with pytest.raises(AudioFormatError, match="from sample 6500, got 12800"):
        vad.step(AudioChunk(2, 12800, np.zeros(N, np.float32)), state)


def test_config() -> None:
    assert VadConfig().stop_windows == 15
    for bad in ({"start_p": 0.3}, {"stop_p": 0.0}, {"start_windows": 0}, {"stop_ms": 0}):
        with pytest.raises(ConfigError):
            VadConfig(**bad)  # type: ignore[arg-type]


def test_edge_counts_windows_running() -> None:
    state, config = VadState(), VadConfig()
    assert [edge(p, state, config) for p in (0.9, 0.1, 0.9, 0.9)] == [False, False, False, True]


def test_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="models pull"):
        VoiceActivity(tmp_path / "none.onnx")
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"junk" * 100)
    with pytest.raises(WeightsError, match="voice activity was expected, got a file it refuses"):
        VoiceActivity(junk)


@pytest.fixture(scope="module")
def silero(nano_parts: Path) -> VoiceActivity:
    return VoiceActivity(nano_parts / "vad" / "silero_vad_16k_op15.onnx")


def _vowel(seconds: float) -> FloatArray:
    """A buzzing vowel with a voice's pitch, formants and syllables, enough for the network."""
    t = np.arange(round(seconds * 16_000)) / 16_000
    pitch = 2 * np.pi * np.cumsum(120 + 15 * np.sin(2 * np.pi * 3 * t)) / 16_000
    voice = np.zeros_like(t)
    for k in range(1, 30):
        f = 120 * k
        weight = sum(
            np.exp(-(((f - formant) / width) ** 2)) for formant, width in ((700, 130), (1200, 160), (2500, 250))
        )
        voice += weight * np.sin(k * pitch)
    voice *= 0.5 + 0.5 * np.sin(2 * np.pi * 4 * t) ** 2
    return (0.2 * voice / np.abs(voice).max()).astype(np.float32)


@pytest.mark.weights
def test_a_voice_is_found_and_its_edges_are_near(silero: VoiceActivity) -> None:
    audio = np.concatenate([np.zeros(16_000, np.float32), _vowel(1.0), np.zeros(16_000 + 4 * N, np.float32)])
    found = _run(silero, audio)
    starts = [vad.started for vad in found if vad.started is not None]
    stops = [vad.stopped for vad in found if vad.stopped is not None]
    assert len(starts) == len(stops) == 1
    assert abs(starts[0] - 16_000) < 0.25 * 16_000
    assert abs(stops[0] - 32_000) < 0.25 * 16_000


@pytest.mark.weights
def test_silence_and_noise_are_no_voice(silero: VoiceActivity, noise: MakeAudio, tone: MakeAudio) -> None:
    for audio in (np.zeros(8 * N, np.float32), noise(3), tone(3, hz=1000)):
        assert not any(vad.speaking for vad in _run(silero, audio))


@pytest.mark.weights
@pytest.mark.parametrize("size", [160, 512, 4000, N])
def test_any_chunk_size_gives_the_same_probabilities(silero: VoiceActivity, size: int) -> None:
    audio = np.concatenate([_vowel(1.0), np.zeros(16_000, np.float32)])
    probs = [p for vad in _run(silero, audio, size) for p in vad.probs]
    whole = [p for vad in _run(silero, audio, len(audio)) for p in vad.probs]
    assert probs == whole[: len(probs)]


@pytest.mark.weights
def test_snapshot_and_independence(silero: VoiceActivity, noise: MakeAudio) -> None:
    audio = np.concatenate([_vowel(2.0), np.zeros(N * 2, np.float32)])
    whole = _run(silero, audio)
    state, other = silero.init_state(), silero.init_state()
    first = []
    for i in range(3):
        first.append(silero.step(AudioChunk(i, i * N, audio[i * N : (i + 1) * N]), state))
        silero.step(AudioChunk(i, i * N, noise(0.4, seed=i)), other)
    assert first == whole[:3], "another stream between the steps changes nothing"
    kept = state.snapshot()
    silero.step(AudioChunk(3, 3 * N, noise(0.4)), state)
    state.restore(kept)
    assert _run(silero, audio[3 * N :], state=state) == whole[3:]
    state.reset()
    assert _run(silero, audio, state=state) == whole


@pytest.mark.weights
def test_state_is_bounded(silero: VoiceActivity) -> None:
    state = silero.init_state()
    _run(silero, np.zeros(50 * N, np.float32), state=state)
    assert len(state.rest) < 512
    assert state.hidden.shape == (2, 1, 128)
    assert state.context.shape == (64,)


def test_rows_hear_what_each_hears_alone(nano_parts: Path, noise: MakeAudio, tone: MakeAudio) -> None:
    vad = VoiceActivity(nano_parts / "vad" / "silero_vad_16k_op15.onnx")
    streams = [noise(1.6), tone(1.6, hz=300), np.zeros(4 * N, np.float32)]
    alone = [_run(vad, audio) for audio in streams]
    states = [vad.init_state() for _ in streams]
    vad.step(AudioChunk(0, 0, streams[2][: N // 2]), states[2])  # half a chunk ahead: its windows lie elsewhere
    ahead = vad.init_state()
    vad.step(AudioChunk(0, 0, streams[2][: N // 2]), ahead)
    last = _run(vad, streams[2], state=ahead)
    for i in range(4):
        chunks = [AudioChunk(i, s.position, x[i * N : (i + 1) * N]) for x, s in zip(streams, states, strict=True)]
        assert vad.step_rows(chunks, states) == [alone[0][i], alone[1][i], last[i]]
    assert vad.step_rows([], []) == []
