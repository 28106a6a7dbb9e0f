"""The check: every rule has a sample or a build that breaks it and is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_builder.build import build
from data_builder.check_sample import check_sample
from data_builder.compose import compose
from data_builder.plan import Plan
from data_builder.schema import Sample
from data_builder.shards import read_shard, shard_paths, write_shard
from data_builder.subtasks import SUBTASKS
from data_builder.validate import check
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import fake_world

Meta = dict[str, Any]


def stream(name: str, negative: bool = False, seed: int = 0) -> tuple[Meta, np.ndarray]:
    task, world = SUBTASKS[name], fake_world()
    for attempt in range(20):
        sample = Sample("train-0-000000-000", 0, "train", name, task.ability, negative, 0)
        try:
            audio = compose(task.build(np.random.default_rng([seed, attempt]), world, negative), world, sample)
        except DataError:
            continue
        return sample.to_dict(), np.round(audio * 32767).astype(np.int16)
    raise AssertionError(name)


@pytest.mark.parametrize("name", SUBTASKS)
@pytest.mark.parametrize("negative", [False, True])
def test_streams_of_every_sub_task_pass_and_an_early_answer_does_not(name: str, negative: bool) -> None:
    for seed in range(3):
        meta, pcm = stream(name, negative, seed)
        assert check_sample(meta, pcm, 16_000) == []
        for k in range(len(meta["responses"])):
            early = copy.deepcopy(meta)
            early["responses"][k]["due_chunk"] -= 1
            assert any("due_chunk" in f for f in check_sample(early, pcm, 16_000))
        for item in meta["avoid"]:
            spoken = {"kind": "speak", "evidence_end": 1, "due_chunk": 3, "delay_ms": 150, "clock": "sound"}
            answered = copy.deepcopy(meta)
            answered["responses"].append(
                {
                    **spoken,
                    "text": "Yes.",
                    "trigger": item["id"],
                    "call": None,
                    "notes": [],
                    "refers_to": [],
                    "cancelled_at": None,
                }
            )
            assert any("negative is answered" in f for f in check_sample(answered, pcm, 16_000))


def _set(path: str, value: Any) -> Callable[[Meta], None]:
    def change(meta: Meta) -> None:
        *inner, last = path.split(".")
        body: Any = meta
        for key in inner:
            body = body[int(key)] if key.isdigit() else body[key]
        body[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_set("schema", 1), "schema: expected 2"),
        (_set("samples", 6400 * 30), "samples of audio"),
        (_set("tools", "garage"), "tools: got 'garage'"),
        (_set("negative", True), "a negative stream has a response"),
        (_set("speech.0.role", "robot"), "role 'robot'"),
        (_set("speech.0.role", "television"), "only a user"),
        (_set("speech.0.addressed", False), "not addressed"),
        (_set("speech.0.onset", -1), "outside the stream"),
        (_set("responses.0.clock", "sound"), "does not go with evidence"),
        (_set("responses.0.clock", "whenever"), "does not go with evidence"),
        (_set("responses.0.delay_ms", 20), "delay 20 ms"),
        (_set("responses.0.text", ""), "a text of 1 to"),
        (_set("responses.0.text", "word " * 90), "a text of 1 to"),
        (_set("responses.0.trigger", "s99"), "unknown 's99'"),
        (_set("responses.0.refers_to", ["s99"]), "refers to 's99'"),
        (_set("responses.0.cancelled_at", 1), "cancelled before"),
        (_set("responses.0.kind", "act"), "not of tool set"),
        (_set("sources", []), "not among the sources"),
        (_set("licences", ["CC0"]), "licences differ"),
        (_set("responses", []), "has no response"),
        (_set("speech", None), "expected a sample of schema 2"),
    ],
)
def test_a_broken_sample_is_found(change: Callable[[Meta], None], expected: str) -> None:
    made = (stream("chat_single", seed=seed) for seed in range(20))
    meta, pcm = next((m, p) for m, p in made if len(m["speech"]) == 1)
    assert check_sample(meta, pcm, 16_000) == []
    change(meta)
    found = check_sample(meta, pcm, 16_000)
    assert any(expected in f for f in found), found


def test_a_missing_key_and_another_rate_are_found() -> None:
    meta, pcm = stream("chat_single", seed=1)
    assert any("expected 16 kHz mono" in f for f in check_sample(meta, pcm, 8_000))
    del meta["mix"]
    assert check_sample(meta, pcm, 16_000) == ["expected the keys of schema 2, missing: mix"]


def test_history_has_to_lie_three_rounds_back() -> None:
    meta, pcm = stream("chat_history", seed=2)
    assert check_sample(meta, pcm, 16_000) == []
    meta["responses"][-1]["refers_to"] = [meta["speech"][-2]["id"]]
    assert any("expected 3 rounds" in f for f in check_sample(meta, pcm, 16_000))
    meta["responses"][-1]["refers_to"] = []
    assert any("refers to nothing" in f for f in check_sample(meta, pcm, 16_000))


def test_changed_shards_and_strays_are_found(plan: Plan, facts: Path) -> None:
    build(plan, facts)
    out = Path(plan.out)
    index = json.loads((out / "index.json").read_text())
    (out / "index.json").write_text(json.dumps({**index, "split": "dev", "streams": 999}))
    path = shard_paths(out)[0]
    path.write_bytes(path.read_bytes() + b"\0" * 512)
    (out / "shard-000099.tar").write_bytes(shard_paths(out)[1].read_bytes())
    text = "\n".join(check([out], [Path(plan.audio[0])]).findings)
    for expected in ("sha256 differs", "not of split dev", "expected 999 streams", "id used twice", "folder differ"):
        assert expected in text
    with pytest.raises(DataError, match="expected a finished build"):
        check([out / "nowhere"])


def test_splits_are_held_against_each_other(plan: Plan, facts: Path, tmp_path: Path) -> None:
    build(plan, facts)
    other = tmp_path / "other"
    other.mkdir()
    for path in shard_paths(Path(plan.out)):
        write_shard(
            other / path.name,
            (({**m, "split": "dev"}, pcm.astype(np.float32) / 32767) for m, pcm, _ in read_shard(path)),
        )
    index = json.loads((Path(plan.out) / "index.json").read_text())
    (other / "index.json").write_text(json.dumps({**index, "split": "dev"}))
    assert not check([Path(plan.out)]).findings
    assert any("is used by split train too" in f for f in check([Path(plan.out), other]).findings)
