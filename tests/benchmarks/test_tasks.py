"""Watch, acts and words: plans, and scores against hand-worked examples."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks import act_items, acts, watch
from benchmarks.corpus import read_index
from benchmarks.hear import hear
from benchmarks.systems import Setup, Trivial
from benchmarks.workers import run
from soundflow.errors import ConfigError, DataError
from soundflow.respond.tools import load_tools, validate_call
from soundflow.types import ActionCall


def test_watch_pairs(corpus: Path, tmp_path: Path) -> None:
    items = watch.plan(read_index(corpus), 2, 0)
    assert {i.group for i in items} == {"in", "out"}
    for item in items:
        heard = item.facts["heard"]
        assert (heard == item.label) is (item.respond == "yes")
        assert not watch._alike(heard, item.label) or item.respond == "yes"
        assert item.instruction
    systems = [Trivial("always-silent"), Trivial("always-respond")]
    rows = run("watch", items, tmp_path, Setup(corpus), hear, workers=0, systems=systems)
    figures = watch.score(rows, 20)
    assert figures["always-silent"]["in"]["balanced_accuracy"][0] == 0.5
    assert figures["always-respond"]["out"]["recall"] == 1.0
    assert figures["always-respond"]["out"]["false_rate"] == 1.0


def act_row(
    got: list[dict[str, Any]], decisions: str, call: dict[str, Any] | None, group: str = "home"
) -> dict[str, Any]:
    label = call["name"] if call else "none"
    item = {"group": group, "label": label, "facts": {"call": call}}
    return {"id": str(id(got)), "system": "nano", "item": item, "actions": got, "decisions": decisions}


def test_acts_by_hand() -> None:
    wanted = {"name": "set_light", "arguments": {"room": "kitchen", "state": "on"}}
    right = {"t": 1.0, "name": "set_light", "arguments": {"state": "on", "room": "kitchen"}, "confirm": False}
    half = {**right, "arguments": {"room": "kitchen", "state": "off"}}
    other = {**right, "name": "set_timer", "arguments": {"minutes": 3}}
    rows = [
        act_row([right], "sA", wanted),
        act_row([half], "sA", wanted),
        act_row([other], "sA", wanted),
        act_row([], "sS", wanted),
        act_row([right, right], "sAsA", wanted),
        act_row([right], "sA", None, "not asked"),
    ]
    figures = acts.score(rows, 50)["nano"]["home"]
    assert figures["exact"][0] == 0.2
    # right slots 2 + 1 + 0 + 0 + 2 = 5; given 2 + 2 + 1 + 0 + 2 = 7; wanted 10: F1 = 10 / 17.
    assert figures["slot_f1"] == pytest.approx(10 / 17, abs=1e-4)
    assert figures["act_recall"] == 0.8
    assert figures["spoke_instead"] == 0.2
    assert figures["name"] == 0.6
    assert figures["slot_f1_by_slot"]["room"] == pytest.approx(2 * 3 / (3 + 5), abs=1e-4)
    assert acts.score(rows, 50)["nano"]["not asked"]["false_acts"] == 1.0


def test_sentences_are_calls_of_the_demo_tools() -> None:
    tools = load_tools(Path(acts.tool_file("tools.json")))
    assert len(act_items.SENTENCES) == 40
    assert len({text for text, _ in act_items.SENTENCES}) == 40
    for _, call in act_items.SENTENCES:
        validate_call(ActionCall(call["name"], call["arguments"]), tools)
    counts = Counter(call["name"] for _, call in act_items.SENTENCES)
    assert counts == {"set_light": 16, "set_timer": 10, "set_lock": 8, "set_thermostat": 6}


def test_orders_in_terms_of_the_demo_tools() -> None:
    call = act_items.coffee_call("INTENT:orderDrink coffeeDrink=latte;size=small", "x")
    validate_call(ActionCall(call["name"], call["arguments"]), load_tools(Path(acts.tool_file("coffee_tools.json"))))
    with pytest.raises(DataError, match="INTENT"):
        act_items.coffee_call("latte", "x")


def test_act_plan(corpus: Path) -> None:
    request = act_items.Request("a.wav", "Lock the front door.", {"name": "lock_door", "arguments": {}}, "v")
    items = acts.plan(read_index(corpus), [request], corpus, 0, 0)
    assert {i.group for i in items} == {"coffee", "home", "not asked"}
    assert all(Path(i.tools).is_file() for i in items)


def test_the_same_requests_by_other_voices(corpus: Path, tmp_path: Path) -> None:
    text, call = act_items.SENTENCES[0]
    (tmp_path / "index.csv").write_text(f"path,text,voice,licence\nb.wav,{text},kokoro:x,free\n")
    others = act_items.spoken(tmp_path)
    items = acts.plan(read_index(corpus), [], corpus, 0, 0, (others, tmp_path))
    (item,) = [i for i in items if i.group == "spoken"]
    assert item.parts[0].path == str(tmp_path / "b.wav")
    assert item.facts == {"call": call, "text": text, "voice": "kokoro:x"}
    (tmp_path / "index.csv").write_text("path,text,voice\nb.wav,Fly to the moon.,x\n")
    with pytest.raises(ConfigError, match="bench sentences"):
        act_items.spoken(tmp_path)
    with pytest.raises(ConfigError, match="index"):
        act_items.spoken(tmp_path / "none")
