"""Retellings keep what may be replaced apart from what may not, and their calls are calls of the home."""

from __future__ import annotations

from typing import Any

import numpy as np

from data_builder.retell import retellings
from data_builder.texts.devices import TOOL_SETS
from data_builder.texts.home_requests import mention, request, spoken_time
from soundflow.respond.tools import make_tools, validate_call
from soundflow.types import ActionCall

HOME = make_tools(list(TOOL_SETS["home"]), "t")


def sample(call: bool, **more: Any) -> dict[str, Any]:
    told = {"trigger": "s0", "call": {"name": "cancel_timer", "arguments": {}}}
    speech = [{"id": "s0", "role": "user"}, {"id": "s1", "role": "television"}]
    return {"subtask": "device_act", "tools": "home", "speech": speech, "responses": [told] if call else []} | more


def test_a_request_is_retold_with_its_call_and_a_mention_without() -> None:
    rng = np.random.default_rng(0)
    for one in retellings(rng, sample(call=True)):
        assert one["speech"] == "s0"
        validate_call(ActionCall(one["call"]["name"], one["call"]["arguments"]), HOME)
    told = retellings(rng, sample(call=False))
    assert told
    assert {one["call"] for one in told} == {None}
    assert all(one["text"] for one in told)


def test_other_streams_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    assert not retellings(rng, sample(call=True, subtask="device_state"))
    assert not retellings(rng, sample(call=True, tools="coffee"))
    two = [{"id": "s0", "role": "user"}, {"id": "s1", "role": "user"}]
    assert not retellings(rng, sample(call=True, speech=two))
    apology = [{"trigger": "s0", "call": None}]
    assert not retellings(rng, sample(call=False, responses=apology))


def test_requests_say_what_they_call() -> None:
    rng = np.random.default_rng(1)
    texts = set()
    for _ in range(2000):
        text, call = request(rng)
        texts.add(text)
        found = call["arguments"]
        validate_call(ActionCall(call["name"], found), HOME)
        assert str(found.get("room", "")) in text.lower()
        assert str(found.get("door", "")) in text.lower()
        assert text[0].isupper()
        assert text[-1] in ".?"
        assert "{" not in text
    assert len(texts) > 1000


def test_spoken_times_are_their_seconds() -> None:
    rng = np.random.default_rng(2)
    units = {"second": 1, "minute": 60, "hour": 3600}
    for _ in range(300):
        several, before, seconds = spoken_time(rng)
        unit = next(size for name, size in units.items() if name in before)
        assert seconds % (unit / 4) == 0
        assert not several.startswith("one ") or seconds == unit


def test_mentions_call_nothing_by_a_request() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        text = mention(rng)
        assert "{" not in text
        assert text[0].isupper()
