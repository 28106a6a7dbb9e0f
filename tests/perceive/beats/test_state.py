"""The state of BEATs' streams: rows, reset, snapshots, bounds, and what is refused before it changes anything."""

from __future__ import annotations

import pytest
import torch

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.beats import Beats, BeatsWindow
from tests.perceive.beats.tiny import CHUNK, WINDOW, encoder, joined, need_torchaudio, noise, run

need_torchaudio()


def test_windows_of_a_batch_are_encoded_in_one_call_and_idle_rows_are_not(monkeypatch):
    made, shapes = encoder(), []
    forward = Beats.forward
    monkeypatch.setattr(
        Beats, "forward", lambda m, mel, valid=None: shapes.append(tuple(mel.shape)) or forward(m, mel, valid)
    )
    state = made.init_state(4)
    made.step(noise(4, CHUNK), state, torch.tensor([True, False, True, True]))
    made.step(noise(4, CHUNK), state, torch.zeros(4, dtype=torch.bool))
    made.step(noise(4, CHUNK), state)
    assert shapes == [(3, 32, 128), (4, 64, 128)]


def test_idle_rows_do_not_change():
    made = encoder()
    state = made.init_state(2)
    run(made, noise(2, 3 * CHUNK), state)
    before = state.snapshot(1)
    made.step(
        torch.full((2, CHUNK), float("inf")).masked_fill(torch.tensor([[True], [False]]), 0.1),
        state,
        torch.tensor([True, False]),
    )
    after = state.snapshot(1)
    assert before["heard"] == after["heard"]
    assert all(torch.equal(before[name], after[name]) for name in ("rest", "mel"))


def test_a_reset_row_equals_a_fresh_one():
    made, samples = encoder(), noise(2, 5 * CHUNK, seed=4)
    state = made.init_state(2)
    run(made, noise(2, 7 * CHUNK), state)
    kept = state.snapshot(1)
    state.reset([0])
    fresh = made.init_state(2)
    assert state.heard == [0, 7 * CHUNK]
    assert torch.equal(state.mel[0], fresh.mel[0])
    assert torch.equal(state.rest[0], fresh.rest[0])
    assert torch.equal(state.snapshot(1)["mel"], kept["mel"])
    assert torch.allclose(joined(run(made, samples, state)), joined(run(made, samples, fresh)), atol=1e-5)


def test_restore_gives_the_same_future_in_another_row():
    made, samples = encoder(), noise(1, 6 * CHUNK, seed=5)
    state = made.init_state(1)
    run(made, noise(1, 8 * CHUNK), state)
    saved = state.snapshot(0)
    expected = joined(run(made, samples, state))
    other = made.init_state(2)
    other.restore(1, saved)
    assert torch.allclose(joined(run(made, samples.expand(2, -1), other), 1), expected, atol=1e-5)
    again = made.init_state(1)
    again.restore(0, saved)
    assert torch.equal(joined(run(made, samples, again)), expected)


def test_a_snapshot_of_another_encoder_is_refused():
    state = encoder().init_state(1)
    for other in (encoder(window=BeatsWindow(left_ms=3200)), encoder(chunk=5120)):
        with pytest.raises(ConfigError, match="snapshot"):
            state.restore(0, other.init_state(1).snapshot(0))
    with pytest.raises(ConfigError, match="heard"):
        state.restore(0, {**state.snapshot(0), "heard": 17})
    with pytest.raises(ConfigError, match="mel"):
        state.restore(0, {**state.snapshot(0), "mel": None})


def test_state_and_cost_do_not_grow_with_age(monkeypatch):
    made, shapes = encoder(), []
    forward = Beats.forward
    monkeypatch.setattr(
        Beats, "forward", lambda m, mel, valid=None: shapes.append(mel.shape[1]) or forward(m, mel, valid)
    )
    state = made.init_state(2)
    size = state.mel.numel() + state.rest.numel()
    run(made, noise(2, 50 * CHUNK), state)
    assert state.mel.numel() + state.rest.numel() == size
    assert set(shapes[6:]) == {11 * 16}
    assert max(shapes) == 11 * 16


def test_only_new_filterbank_windows_are_computed(monkeypatch):
    made, heard = encoder(), []
    mel = Beats.mel
    monkeypatch.setattr(Beats, "mel", lambda m, line: heard.append(mel(m, line).shape[1]) or mel(m, line))
    run(made, noise(1, 10 * CHUNK))
    assert heard == [38] + [40] * 9


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_audio_that_is_not_finite_is_refused_and_changes_nothing(bad):
    made = encoder()
    state = made.init_state(2)
    run(made, noise(2, 2 * CHUNK), state)
    before = [state.snapshot(row) for row in range(2)]
    chunk = noise(2, CHUNK)
    chunk[1, 77] = bad
    with pytest.raises(AudioFormatError, match="row 1"):
        made.step(chunk, state)
    for row in range(2):
        after = state.snapshot(row)
        assert after["heard"] == before[row]["heard"]
        assert all(torch.equal(after[name], before[row][name]) for name in ("rest", "mel"))


@pytest.mark.parametrize(
    "samples", [torch.zeros(2, 100), torch.zeros(3, CHUNK), torch.zeros(2, CHUNK, dtype=torch.int16)]
)
def test_audio_of_another_shape_or_kind_is_refused(samples):
    made = encoder()
    with pytest.raises(AudioFormatError, match=r"\[2, 6400\]"):
        made.step(samples, made.init_state(2))
    with pytest.raises(AudioFormatError, match=r"active \[2\] bool"):
        made.step(torch.zeros(2, CHUNK), made.init_state(2), torch.ones(2))


@pytest.mark.parametrize(
    ("chunk", "window", "said"),
    [
        (6400, BeatsWindow(left_ms=1000), "left_ms: a multiple of 160"),
        (6400, BeatsWindow(left_ms=-160), "left_ms"),
        (6400, BeatsWindow(look_ahead_ms=100), "look_ahead_ms"),
        (6400, BeatsWindow(pool_ms=0), "pool_ms.*at least 160"),
        (6400, BeatsWindow(left_ms=160), "chunk of 1 to 5120"),
        (0, WINDOW, "got 0"),
    ],
)
def test_settings_that_cannot_be_kept_are_refused(chunk, window, said):
    with pytest.raises(ConfigError, match=said):
        encoder(chunk, window)
