"""One test a sub-task: fails if a response were a chunk early, or a negative answered."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from data_builder.build import Plan, load_sources, stream
from data_builder.schema import CHUNK
from data_builder.texts.alerts import ALERTS
from data_builder.texts.devices import NO_TOOL, TOOL_SETS, coffee_call
from data_builder.texts.sounds import PHRASES, alike
from data_builder.validate import check_sample

COUNT = 25


def made(plan: Plan, subtask: str, count: int = COUNT) -> list[dict[str, Any]]:
    """Streams of a sub-task; each sound, and no early answer: a chunk earlier the check must object."""
    chosen = replace(plan, subtask=subtask)
    sources, metas = load_sources(chosen), []
    for number in range(count):
        meta, audio, _ = stream(chosen, sources, number)
        pcm = np.round(audio * 32767).astype(np.int16)
        assert check_sample(meta, pcm, 16_000) == []
        assert np.isfinite(audio).all()
        assert np.abs(audio).max() <= 1.0
        for k, response in enumerate(meta["responses"]):
            late_ms = response["delay_ms"] + (880 if response["clock"] == "endpoint" else 0)
            heard = response["evidence_end"] + late_ms * 16
            assert response["due_chunk"] * CHUNK <= heard < (response["due_chunk"] + 1) * CHUNK
            assert (response["due_chunk"] + 1) * CHUNK > response["evidence_end"]
            early = copy.deepcopy(meta)
            early["responses"][k]["due_chunk"] -= 1
            assert check_sample(early, pcm, 16_000)
        metas.append(meta)
    return metas


def triggers(meta: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {r["trigger"]: r for r in meta["responses"]}


def test_proactive_answers_alerting_sounds_only(plan: Plan) -> None:
    metas = made(plan, "proactive", 60)
    for meta in metas:
        said = triggers(meta)
        for event in meta["events"]:
            assert (event["id"] in said) == (event["label"] in ALERTS)
            if event["id"] in said:
                assert said[event["id"]]["text"] in ALERTS[event["label"]]
        assert not any(s["id"] in said for s in meta["speech"])
        if meta["instruction"]:
            assert not any(e["respond"] == "context" for e in meta["events"])
    positives = sum(len(m["responses"]) for m in metas)
    assert 0 < positives <= sum(len(m["avoid"]) for m in metas)
    assert any(not m["responses"] for m in metas)


def test_narration_answers_every_sound_and_no_empty_room(plan: Plan) -> None:
    metas = made(plan, "narration")
    for meta in metas:
        assert set(triggers(meta)) == {e["id"] for e in meta["events"]}
        assert meta["instruction"]
    assert any(not m["events"] for m in metas)


def test_watch_answers_the_asked_sound_and_alerts(plan: Plan) -> None:
    metas = made(plan, "watch")
    hits = 0
    for meta in metas:
        said = triggers(meta)
        for event in meta["events"]:
            words = PHRASES[event["label"]]
            asked = any(name in meta["instruction"] for name in (words.noun, *words.names))
            if event["id"] in said:
                assert asked or said[event["id"]]["text"] in ALERTS[event["label"]]
                hits += asked
            else:
                assert event["label"] not in ALERTS
    assert 0 < hits < len(metas)


def test_question_is_answered_after_its_endpoint(plan: Plan) -> None:
    metas = made(plan, "question")
    heard = [m for m in metas if m["speech"][-1]["text"] == "What was that sound?"]
    assert 0 < len(heard) < len(metas)
    for meta in metas:
        said = triggers(meta)
        for speech in meta["speech"]:
            assert (speech["id"] in said) == speech["addressed"]
            if speech["id"] in said:
                assert said[speech["id"]]["clock"] == "endpoint"
                assert said[speech["id"]]["due_chunk"] * CHUNK > speech["offset"]
    for meta in heard:
        answer = meta["responses"][-1]
        assert [n["sample"] for n in answer["notes"]] == [e["onset"] for e in meta["events"]]
        for event in meta["events"]:
            assert PHRASES[event["label"]].noun in answer["text"]


def test_act_calls_only_with_tools_and_never_for_mentions(plan: Plan) -> None:
    metas = made(plan, "act", 60)  # the rarest of the three is one stream in eight
    kinds = {"act": 0, "speak": 0, "none": 0}
    for meta in metas:
        said = triggers(meta)
        names = [t["name"] for t in TOOL_SETS.get(meta["tools"], ())]
        spoken = [r for t, r in said.items() if t.startswith("s")]
        kinds[spoken[0]["kind"] if spoken else "none"] += 1
        for response in spoken:
            if response["kind"] == "act":
                assert response["call"]["name"] in names
            else:
                assert response["text"] in NO_TOOL
        for speech in meta["speech"]:
            if not speech["addressed"]:
                assert speech["id"] not in said
    assert all(kinds.values()), kinds


def test_silence_is_never_answered(plan: Plan) -> None:
    metas = made(plan, "silence")
    assert not any(m["responses"] for m in metas)
    assert any(m["speech"] for m in metas)
    assert any(m["events"] for m in metas)
    assert any("hear" in m["instruction"] for m in metas)


def test_an_answered_negative_is_found(plan: Plan) -> None:
    chosen = replace(plan, subtask="silence")
    sources = load_sources(chosen)
    for number in range(COUNT):
        meta, audio, _ = stream(chosen, sources, number)
        if meta["speech"]:
            break
    speech = meta["speech"][0]
    meta["responses"].append(
        {"kind": "speak", "evidence_end": speech["offset"], "due_chunk": 19, "delay_ms": 150, "trigger": speech["id"]}
        | {"clock": "endpoint", "text": "Yes.", "call": None, "notes": []}
    )
    found = check_sample(meta, np.round(audio * 32767).astype(np.int16), 16_000)
    assert any("negative is answered" in f for f in found)
    assert any("not addressed" in f for f in found)


def test_coffee_call_takes_every_slot() -> None:
    call = coffee_call("INTENT:orderDrink coffeeDrink=iced mocha;size=twelve ounce;sugarAmount=brown sugar")
    expected = {"coffeeDrink": "iced mocha", "size": "twelve ounce", "sugarAmount": "brown sugar"}
    assert call == {"name": "order_drink", "arguments": expected}


@pytest.mark.parametrize("label", sorted(ALERTS))
def test_alerts_are_short_and_many(label: str) -> None:
    assert len(set(ALERTS[label])) >= 6
    assert all(len(text.split()) <= 14 for text in ALERTS[label])
    assert alike(label, label)
