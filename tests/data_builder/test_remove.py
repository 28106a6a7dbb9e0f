"""Removal: no dialogue holds it any more, the index stays true, a later build does without it; shelves of shards."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from data_builder.assemble import Shelf, blocks_a_shard, content_key
from data_builder.build import build
from data_builder.cards import describe
from data_builder.plan import Plan
from data_builder.remove import remove
from data_builder.shards import read_metas, shard_paths
from data_builder.validate import check
from soundflow.errors import DataError


def metas(out: Path) -> list[dict]:  # type: ignore[type-arg]
    return [m for p in shard_paths(out) for m in read_metas(p)]


def a_recording(out: Path) -> str:
    return next(s["source"] for m in metas(out) for s in m["sources"] if s["source"].endswith(".wav"))


def test_what_is_removed_is_gone_and_stays_gone(plan: Plan, facts: Path) -> None:
    out = Path(plan.out)
    before = build(plan, facts)
    name = a_recording(out)
    counts = remove(out, [name])
    left = json.loads((out / "index.json").read_text())
    assert counts[name] == before["streams"] - left["streams"] > 0
    assert not any(s["source"] == name for m in metas(out) for s in m["sources"])
    assert check([out]).findings == []
    describe(out)
    assert name not in (out / "attribution.csv").read_text()
    grown = build(replace(plan, hours=2 * plan.hours), facts)
    assert grown["hours"] >= 2 * plan.hours
    assert not any(s["source"] == name for m in metas(out) for s in m["sources"])
    assert check([out]).findings == []
    assert remove(out, [name]) == {name: 0}  # once more changes nothing


def test_a_removal_that_was_killed_is_taken_up_again(plan: Plan, facts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after a shard was rewritten, before it was recorded: nothing comes back, the index is true again."""
    out = Path(plan.out)
    build(plan, facts)
    name = a_recording(out)
    with monkeypatch.context() as patch:
        patch.setattr("data_builder.remove.recount", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            remove(out, [name])
    assert check([out]).findings  # the index is behind
    remove(out, [name])
    assert check([out]).findings == []
    build(replace(plan, hours=1.5 * plan.hours), facts)
    assert check([out]).findings == []
    assert not any(s["source"] == name for m in metas(out) for s in m["sources"])


def test_a_removed_dialogue_does_not_come_back_out_of_its_block(plan: Plan, facts: Path) -> None:
    out, big = Path(plan.out), replace(plan, shard_mb=50)
    build(big, facts)
    name = metas(out)[0]["id"]
    remove(out, [name])
    build(replace(big, hours=1.5 * plan.hours), facts)
    assert name not in {m["id"] for m in metas(out)}
    assert check([out]).findings == []


def test_a_dialogue_may_be_removed_by_its_id(plan: Plan, facts: Path) -> None:
    out = Path(plan.out)
    build(plan, facts)
    name = metas(out)[0]["id"]
    assert remove(out, [name]) == {name: 1}
    assert name not in {m["id"] for m in metas(out)}


def test_an_unknown_id_changes_nothing(plan: Plan, facts: Path) -> None:
    out = Path(plan.out)
    build(plan, facts)
    before = (out / "index.json").read_bytes()
    with pytest.raises(DataError, match=r"got nobody\.wav"):
        remove(out, [a_recording(out), "nobody.wav"])
    with pytest.raises(DataError, match="to remove, got none"):
        remove(out, [])
    assert (out / "index.json").read_bytes() == before
    assert not (out / "removed.json").exists()


def test_a_shard_has_about_its_size() -> None:
    assert blocks_a_shard(1, 56) == 1
    assert 60 < blocks_a_shard(1000, 56) < 120


def sample(**change: object) -> dict:  # type: ignore[type-arg]
    event = {"source": "a.wav", "label": "dog"}
    base = {"subtask": "watch_sound", "instruction": "Listen.", "events": [event], "speech": [], "responses": []}
    return base | change


def test_equal_content_has_one_key_and_synthetic_sounds_none() -> None:
    assert content_key(sample()) == content_key(sample(mix={"bed": "other"}))
    assert content_key(sample()) != content_key(sample(instruction="Wait."))
    assert content_key(sample()) != content_key(sample(events=[{"source": "b.wav", "label": "dog"}]))
    assert content_key(sample(events=[])) == ""
    assert content_key(sample(events=[{"source": "synth:knock", "label": "knock"}])) == ""


def test_copies_are_left_out_of_shards(plan: Plan, facts: Path) -> None:
    """The same two clips under the same request come again: the second dialogue is dropped, and counted."""
    small = replace(plan, shares={"narrate_events": 1.0}, hours=0.1)
    index = build(small, facts)
    keys = [key for m in metas(Path(plan.out)) if (key := content_key(m))]
    assert len(keys) == len(set(keys))
    shelf = Shelf.open(Path(plan.out))
    assert index["duplicates"] == sum(s["duplicates"] for s in shelf.shards)
    assert shelf.seen == set(keys)
