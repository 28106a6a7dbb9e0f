"""Recipes: stages, defaults, strictness; mixtures: shares, coverage, bounds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from soundflow.errors import ConfigError
from training.folders import resolved
from training.mixture import drawn, pools, quotas, taken
from training.stages import load

FLAT = "out: runs/x\ntrain: [a]\ncal: [b]\nsteps: 5\nlora_lr: 4.0e-4\n"
CONFIGS = sorted((Path(__file__).parents[2] / "training" / "configs").glob("*.yaml"))


def written(tmp_path, text):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    return path


def test_a_flat_recipe_is_one_stage(tmp_path):
    config = load(written(tmp_path, FLAT))
    assert [(s.name, s.train, s.steps, s.lora_lr) for s in config.stages] == [("train", ("a",), 5, 4e-4)]
    assert config.folders == ("a",)


def test_stages_take_the_common_keys_and_their_own(tmp_path):
    text = FLAT + "loss: {reply: 0.5}\nstages:\n- {name: one}\n- {name: two, train: [c, a], loss: {late: 0.1}}\n"
    one, two = load(written(tmp_path, text)).stages
    assert (one.train, two.train, one.steps, two.steps) == (("a",), ("c", "a"), 5, 5)
    assert (one.loss.reply, one.loss.late, two.loss.reply, two.loss.late) == (0.5, 0.0, 0.5, 0.1)


def test_keys_may_be_set_over_the_file(tmp_path):
    path = written(tmp_path, FLAT + "loss: {late: 0.1}\nstages:\n- {name: one}\n- {name: two, steps: 7}\n")
    config = load(path, ["seed=3", "loss.classes=[1.0, 2.0, 3.0]", "steps=9", "leave_out=[recorded]"])
    assert config.seed == 3
    assert [(s.steps, s.loss.classes, s.loss.late) for s in config.stages] == [
        (9, (1.0, 2.0, 3.0), 0.1),
        (7, (1.0, 2.0, 3.0), 0.1),
    ]
    assert config.stages[0].leave_out == ("recorded",)
    for wrong in ("seed", "=3", "out.x=1", "seed=[1", "lerning_rate=1"):
        with pytest.raises(ConfigError, match=r"--set|lerning_rate"):
            load(path, [wrong])


def test_a_recipe_without_what_it_needs_says_what(tmp_path):
    with pytest.raises(ConfigError, match=r"x\.yaml: out and cal expected, got none"):
        load(written(tmp_path, "train: [a]\n"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lerning_rate: 1", "lerning_rate"),
        ("stages: [{name: a, lerning_rate: 1}]", "lerning_rate"),
        ("stages: [{name: a}, {name: a}]", "different names"),
        ("stages: []", "different names"),
        ("full_lr: 4e-4", r"full_lr.*4\.0e-4"),
        ("trainable: [lora, head]", "head"),
        ("ask: 1.5", "ask"),
        ("ema: 1.0", "ema"),
        ("device: tpu", "tpu"),
        ("loss: {late: 1.0}", "late"),
        ("loss: [1]", "loss"),
        ("mixture: {a: -1}", "mixture"),
        ("seed: true", "seed"),
        ("train: []", "train"),
        ("- x", "readable"),
    ],
)
def test_a_wrong_recipe_names_file_and_key(tmp_path, line, message):
    kept = "\n".join(row for row in FLAT.splitlines() if row.split(":")[0] != line.split(":")[0])
    with pytest.raises(ConfigError, match=message) as error:
        load(written(tmp_path, f"{kept}\n{line}\n"))
    assert "x.yaml" in str(error.value)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_shipped_recipes_load_and_survive_being_resolved(path, tmp_path):
    config = load(path)
    again = tmp_path / "config.json"
    again.write_text(resolved(config))
    assert load(again) == config
    assert json.loads(again.read_text())["commit"]


def item(number, ability, subtask, responses=1, source="tts:1"):
    sample = {"id": number, "ability": ability, "subtask": subtask, "responses": [{}] * responses}
    return {**sample, "speech": [{"source": source}]}, None


DATA = {
    "work/a": [
        *(item(n, "chat", "chat_history") for n in range(5)),
        *(item(n, "asr", "asr_clean") for n in range(5, 9)),
    ],
    "work/b": [item(n, "proactive", "proactive_hazard", n % 2) for n in range(9, 29)],
}


def test_a_mixture_gives_every_key_its_share():
    mixture = {"history": 0.3, "silence": 0.4, "b": 0.2, "rest": 0.1}
    held = pools(DATA, mixture)
    assert {k: len(v) for k, v in held.items()} == {"history": 5, "silence": 10, "b": 20, "rest": 4}
    one = drawn(held, mixture, 100, "s", 0)
    assert len(one) == 100
    names = Counter(s["subtask"] for s, _ in one)
    assert names["chat_history"] == 30
    assert names["asr_clean"] == 10
    silent = sum(not s["responses"] for s, _ in one)
    assert silent >= 40
    assert [s["id"] for s, _ in one] == [s["id"] for s, _ in drawn(held, mixture, 100, "s", 0)]
    assert [s["id"] for s, _ in one] != [s["id"] for s, _ in drawn(held, mixture, 100, "s", 1)]


def test_streams_may_be_left_out():
    data = {"a": [item(1, "chat", "x"), item(2, "chat", "x", source="an4/1.ogg"), item(3, "chat", "x", 0)]}
    mixture = {"rest": 1.0}
    assert [s["id"] for s, _ in pools(data, mixture, ["recorded"])["rest"]] == [1, 3]
    assert [s["id"] for s, _ in pools(data, {}, ["recorded", "silence"])["rest"]] == [1]
    with pytest.raises(ConfigError, match="'rest' names no stream"):
        pools(data, mixture, ["chat"])


def test_every_stream_is_heard_once_before_any_is_heard_again():
    pool = DATA["work/b"]
    seen = [s["id"] for epoch in range(4) for s, _ in taken(pool, "s", epoch * 5, 5)]
    assert sorted(seen) == list(range(9, 29))
    assert len(taken(pool, "s", 7, 73)) == 73


def test_shares_are_whole_and_sum_up():
    assert quotas({"a": 1, "b": 1, "c": 1}, 10) == {"a": 4, "b": 3, "c": 3}
    assert quotas({"a": 3}, 7) == {"a": 7}


def test_a_key_without_streams_names_the_known_ones():
    with pytest.raises(ConfigError, match=r"'histery' names no stream.*chat_history"):
        pools(DATA, {"histery": 1.0})
