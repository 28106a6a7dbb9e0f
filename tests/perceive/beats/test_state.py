"""The state of BEATs' streams, beside what is held of every encoder (`tests.perceive.encoders.test_contract`)."""

from __future__ import annotations

import pytest
import torch

from soundflow.errors import ConfigError
from soundflow.perceive.beats import Beats, BeatsWindow
from tests.perceive.beats.tiny import CHUNK, WINDOW, encoder, need_torchaudio, noise, run

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


def test_a_snapshot_of_another_window_is_refused():
    state = encoder().init_state(1)
    for other in (BeatsWindow(left_ms=3200), BeatsWindow(left_ms=1440, look_ahead_ms=160)):
        with pytest.raises(ConfigError, match="snapshot"):
            state.restore(0, encoder(window=other).init_state(1).snapshot(0))


def test_state_and_cost_do_not_grow_with_age(monkeypatch):
    made, shapes = encoder(), []
    forward = Beats.forward
    monkeypatch.setattr(
        Beats, "forward", lambda m, mel, valid=None: shapes.append(mel.shape[1]) or forward(m, mel, valid)
    )
    state = made.init_state(2)
    shapes_held = {name: tensor.shape for name, tensor in state.tensors.items()}
    run(made, noise(2, 50 * CHUNK), state)
    assert {name: tensor.shape for name, tensor in state.tensors.items()} == shapes_held
    assert set(shapes[6:]) == {11 * 16}
    assert max(shapes) == 11 * 16


def test_only_new_filterbank_windows_are_computed(monkeypatch):
    made, heard = encoder(), []
    mel = Beats.mel
    monkeypatch.setattr(Beats, "mel", lambda m, line: heard.append(mel(m, line).shape[1]) or mel(m, line))
    run(made, noise(1, 10 * CHUNK))
    assert heard == [38] + [40] * 9


@pytest.mark.parametrize(
    ("chunk", "window", "said"),
    [
        (6400, BeatsWindow(left_ms=1000), "left_ms: a multiple of 160"),
        (6400, BeatsWindow(left_ms=-160), "left_ms"),
        (6400, BeatsWindow(look_ahead_ms=100), "look_ahead_ms"),
        (6400, BeatsWindow(pool_ms=0), "pool_ms.*at least 160"),
        (6400, BeatsWindow(left_ms=160), "chunk_samples: 1 to 5120"),
        (0, WINDOW, "got 0"),
    ],
)
def test_settings_that_cannot_be_kept_are_refused(chunk, window, said):
    with pytest.raises(ConfigError, match=said):
        encoder(chunk, window)
