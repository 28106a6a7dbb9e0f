"""Twenty-eight sub-tasks, four an ability, each with a whole card; shares that leave two fifths of streams silent."""

from __future__ import annotations

import re

import numpy as np
import pytest

from data_builder.subtasks import ABILITIES, CONTROLS, SUBTASKS
from tests.data_builder.subtasks.scenes import check_timing, fake_world


def test_seven_abilities_of_four() -> None:
    assert len(SUBTASKS) == 28
    for ability in ABILITIES:
        assert sum(task.ability == ability for task in SUBTASKS.values()) == 4
    assert not set(CONTROLS) & set(SUBTASKS)


def test_two_fifths_of_a_default_build_are_silent() -> None:
    assert 0.42 <= sum(task.silent for task in SUBTASKS.values()) / len(SUBTASKS) <= 0.6


@pytest.mark.parametrize("name", [*SUBTASKS, *CONTROLS])
def test_cards_are_whole(name: str) -> None:
    task = {**SUBTASKS, **CONTROLS}[name]
    assert task.name == name
    assert 0 < task.silent <= 1
    for text in (task.title, task.sources, task.timeline, task.label, task.negatives, task.example):
        assert len(text) > 3
    assert "->" in task.example or re.search(r"silence", task.example)


@pytest.mark.parametrize("name", [*SUBTASKS, *CONTROLS])
def test_positive_streams_answer_and_negative_ones_do_not(name: str) -> None:
    task = {**SUBTASKS, **CONTROLS}[name]
    for seed in range(6):
        scene = task.build(np.random.default_rng(seed), fake_world(), False)
        assert check_timing(scene) or name == "silence"
        assert scene.subtask == name
        quiet = task.build(np.random.default_rng(seed), fake_world(), True)
        assert not any(item.says for item in quiet.items)
