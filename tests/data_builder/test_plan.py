"""Plans: quotas of sub-tasks and of silence, identity, and options that are refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from data_builder.plan import Plan, claim, digest
from data_builder.subtasks import SUBTASKS
from soundflow.errors import ConfigError


def whole(**change: object) -> Plan:
    return Plan(audio=("a",), out="o", hours=1.0, seed=4, **change)  # type: ignore[arg-type]


def test_every_block_holds_every_sub_task_twice() -> None:
    for number in range(5):
        assert set(Counter(name for name, _ in whole().slots(number)).values()) == {2}
        assert len(whole().slots(number)) == 56
    assert whole().slots(0) != whole().slots(1)
    assert whole().slots(1) == whole().slots(1)


def test_silence_follows_its_share_of_each_sub_task() -> None:
    slots = [s for number in range(60) for s in whole().slots(number)]
    for name, task in SUBTASKS.items():
        mine = [negative for other, negative in slots if other == name]
        assert abs(sum(mine) - task.silent * len(mine)) <= 3, name
    assert sum(negative for _, negative in slots) / len(slots) > 0.41


def test_shares_are_followed_over_blocks() -> None:
    plan = whole(shares={"asr_clean": 3.0, "timed": 1.0, "watch_sound": 0.0}, block=10)
    count = Counter(name for number in range(40) for name, _ in plan.slots(number))
    assert abs(count["asr_clean"] - 300) <= 2
    assert abs(count["timed"] - 100) <= 2
    assert count["watch_sound"] == 0


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"audio": ()}, "--audio"),
        ({"split": "test"}, "--split of train, cal, dev"),
        ({"hours": 0.0}, "--hours above 0"),
        ({"hours": float("nan")}, "--hours above 0"),
        ({"block": 0}, "dialogues a block"),
        ({"shard_mb": 0}, "--shard-mb"),
        ({"shares": {"singing": 1.0}}, r"\['singing'\]"),
        ({"shares": {"timed": -1.0}}, "shares of 0 or more"),
        ({"shares": {"timed": 0.0}}, "not all 0"),
    ],
)
def test_wrong_options_are_named(change: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        replace(whole(), **change)  # type: ignore[arg-type]


def test_a_folder_belongs_to_one_plan_but_may_move_and_grow(tmp_path) -> None:  # type: ignore[no-untyped-def]
    plan = replace(whole(), out=str(tmp_path / "o"))
    claim(plan)
    claim(replace(plan, hours=9.0, audio=("elsewhere",), speech="cache"))
    with pytest.raises(ConfigError, match="split: was 'train', now 'dev'"):
        claim(replace(plan, split="dev"))
    with pytest.raises(ConfigError, match="voices"):
        claim(replace(plan, voices=digest(["espeak:f1"])))
    (tmp_path / "o" / "plan.json").write_text("{")
    with pytest.raises(ConfigError, match=r"plan\.json"):
        claim(plan)
