"""Calls are exact and only for those who speak to the system; a device's state follows from what was done."""

from __future__ import annotations

import numpy as np
import pytest

from data_builder.subtasks.agent import AGENT
from data_builder.texts.devices import NO_TOOL, TOOL_SETS, coffee_call
from data_builder.texts.home_requests import request
from data_builder.texts.numbers import number
from data_builder.texts.states import ACTS, state_question
from data_builder.timeline import Scene
from soundflow.errors import DataError
from soundflow.respond.tools import make_tools, validate_call
from soundflow.types import ActionCall
from tests.data_builder.subtasks.scenes import check_negative, check_timing, fake_world

SEEDS = range(40)
BY_NAME = {task.name: task for task in AGENT}


def scenes(name: str, negative: bool = False, **kind: bool) -> list[Scene]:
    return [BY_NAME[name].build(np.random.default_rng(seed), fake_world(**kind), negative) for seed in SEEDS]


@pytest.mark.parametrize("name", BY_NAME)
def test_timing_and_negatives(name: str) -> None:
    for scene in scenes(name):
        assert check_timing(scene)
    for scene in scenes(name, negative=True):
        check_negative(scene)


@pytest.mark.parametrize("name", ["device_act", "device_act_noisy"])
def test_a_request_is_called_with_its_tools_and_excused_without(name: str) -> None:
    kinds = {"home": 0, "coffee": 0, "excused": 0}
    for scene in scenes(name):
        (item,) = [i for i in scene.items if i.says]
        (say,) = item.says
        if say.call is None:
            kinds["excused"] += 1
            assert say.text in NO_TOOL
            continue
        kinds[scene.tools] += 1
        tools = make_tools(list(TOOL_SETS[scene.tools]), "t")
        validate_call(ActionCall(say.call["name"], say.call["arguments"]), tools)
        if scene.tools == "coffee":
            assert say.call == coffee_call(str(item.clip.extra["label"]))
    assert all(kinds.values()), kinds


def test_noise_is_loud_and_may_fall_into_the_words() -> None:
    made = scenes("device_act_noisy")
    assert all(s.noise_db[1] <= 12 for s in made)
    over = [i for s in made for i in s.items if i.over is not None]
    assert over
    assert any(s.backdrop is not None for s in made)
    for item in over:
        assert item.over is not None
        assert 0 < item.into < len(item.over.clip.audio) / 16_000


def test_the_state_is_what_was_done_before() -> None:
    for scene in scenes("device_state"):
        told, asked = [i for i in scene.items if i.says]
        assert told.says[0].call
        assert asked.says[0].refers == [told]
        assert asked.says[0].text


@pytest.mark.parametrize("act", ACTS, ids=lambda a: a.name)
def test_an_answer_says_what_the_call_did(act) -> None:  # type: ignore[no-untyped-def]
    for seed in range(20):
        text, call, told = state_question(np.random.default_rng(seed), act)
        arguments = call["arguments"]
        value = {
            "light": arguments.get("state"),
            "dim": number(arguments.get("brightness", 0)),
            "colour": arguments.get("color"),
            "lock": arguments.get("state"),
            "thermostat": number(arguments.get("degrees", 0)),
            "timer": number(arguments.get("seconds", 0) // 60),
        }[act.name]
        assert value in told.answer
        assert "{" not in text + told.answer + told.by_somebody
        validate_call(ActionCall(call["name"], arguments), make_tools(list(TOOL_SETS["home"]), "t"))


def test_only_who_speaks_to_the_system_is_answered() -> None:
    turns = 0
    for scene in scenes("addressee"):
        answered = [i for i in scene.items if i.says]
        assert len(answered) == 1
        assert answered[0] is scene.items[-1]
        turns += len(scene.items)
        assert all(i.role in ("bystander", "television") for i in scene.items[:-1])
    assert turns > len(SEEDS)


def test_what_nobody_answers_may_go_on_for_long() -> None:
    long = [s for s in scenes("addressee", negative=True) if s.items[0].avoid == "goes on for long"]
    assert 0.25 * len(SEEDS) <= len(long) <= 0.75 * len(SEEDS)
    assert {i.role for s in long for i in s.items} == {"bystander", "television"}
    assert all(2 <= len(s.items) <= 4 for s in long)
    assert not [s for s in scenes("addressee", negative=True, speech=False) if s.items[0].avoid == "goes on for long"]


def test_polite_requests_are_questions_and_cancelling_is_none() -> None:
    for seed in range(300):
        text, _ = request(np.random.default_rng(seed))
        assert text.endswith("?") == text.startswith(("Can you", "Could you", "Would you"))


def test_real_orders_stand_in_where_nobody_can_speak() -> None:
    for scene in scenes("device_act", voices=False):
        assert scene.tools in ("coffee", "", "home")
    with pytest.raises(DataError):
        BY_NAME["device_state"].build(np.random.default_rng(0), fake_world(voices=False), False)
