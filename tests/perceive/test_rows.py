"""Rows of an encoder's state by themselves; what encoders do with them is held by `tests.perceive.encoders`."""

from __future__ import annotations

import pytest
import torch

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.rows import RowState, Slot, checked

SLOTS = {"audio": Slot((3,)), "loudest": Slot((2,), torch.float64, fill=-torch.inf)}


def state(batch: int = 2, owner: str = "ear 1") -> RowState:
    return RowState(owner, batch, SLOTS, torch.device("cpu"))


def test_a_fresh_row_is_full_of_what_its_slots_say_and_so_is_one_that_was_reset() -> None:
    made = state()
    made.put([0, 1], {"audio": torch.ones(2, 3), "loudest": torch.ones(2, 2)})
    made.heard[:] = 5
    made.reset([1])
    for name, slot in SLOTS.items():
        assert (made.tensors[name][0] == 1).all()
        assert (made.tensors[name][1] == slot.fill).all()
        assert made.tensors[name].dtype == slot.dtype
    assert made.heard.tolist() == [5, 0]
    assert made.row_bytes == 3 * 4 + 2 * 8


def test_a_state_that_was_made_in_inference_mode_may_be_changed_outside_of_it() -> None:
    with torch.inference_mode():
        made = state()
    made.put([0], {"audio": torch.ones(1, 3)})
    made.reset([0])
    assert not made.tensors["audio"].is_inference()


def test_all_rows_are_taken_as_they_are_and_some_as_copies() -> None:
    made = state()
    assert made.take([0, 1])["audio"] is made.tensors["audio"]
    some = made.take([1])["audio"]
    some += 1
    assert not made.tensors["audio"].any()
    made.put([1], {"audio": some})
    assert made.tensors["audio"].tolist() == [[0, 0, 0], [1, 1, 1]]


def test_joined_states_change_when_they_are_parted() -> None:
    states = [state(1), state(2)]
    states[1].heard[:] = torch.tensor([3, 4])
    whole = RowState.joined(states)
    assert (whole.batch, whole.heard.tolist()) == (3, [0, 3, 4])
    whole.put([0, 1, 2], {"audio": torch.arange(9.0).view(3, 3)})
    whole.heard += 1
    assert not states[0].tensors["audio"].any()
    whole.part(states)
    assert [s.heard.tolist() for s in states] == [[1], [4, 5]]
    assert states[1].tensors["audio"].tolist() == [[3, 4, 5], [6, 7, 8]]
    whole.reset([0])
    assert torch.isinf(whole.tensors["loudest"][0]).all()
    with pytest.raises(ConfigError, match="ear 1: expected states of its own, got one of ear 2"):
        RowState.joined([states[0], state(1, "ear 2")])


def test_what_a_step_is_given_is_checked_and_idle_rows_are_not_looked_at() -> None:
    made = state()
    samples = torch.tensor([[0.0, 1.0], [torch.nan, 0.0]])
    assert checked(samples, torch.tensor([True, False]), 2, made, "ear 1") == [0]
    assert checked(samples, torch.tensor([False, False]), 2, made, "ear 1") == []
    with pytest.raises(AudioFormatError, match=r"rows \[1\]"):
        checked(samples, None, 2, made, "ear 1")
    for active in (torch.tensor([True]), torch.tensor([0, 2]), torch.tensor([[True, False]])):
        with pytest.raises(AudioFormatError, match=r"active expected \[2\] bool"):
            checked(torch.zeros(2, 2), active, 2, made, "ear 1")
    for wrong in (torch.zeros(2, 3), torch.zeros(2, 2, dtype=torch.int16), torch.zeros(2)):
        with pytest.raises(AudioFormatError, match="floats"):
            checked(wrong, None, 2, made, "ear 1")
    with pytest.raises(ConfigError, match="expected a state of its own, got one of ear 1"):
        checked(torch.zeros(2, 2), None, 2, made, "ear 2")
