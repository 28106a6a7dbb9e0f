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
from data_builder.sources import Clip
from data_builder.subtasks import CONTROLS, SUBTASKS
from data_builder.timeline import Say, Scene
from data_builder.validate import check
from data_builder.variants import watch_variants
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import fake_world

Meta = dict[str, Any]


def stream(name: str, negative: bool = False, seed: int = 0) -> tuple[Meta, np.ndarray]:
    task, world = {**SUBTASKS, **CONTROLS}[name], fake_world()
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


def such(name: str, fits: Callable[[Meta], bool], negative: bool = False) -> tuple[Meta, np.ndarray]:
    """A right stream of a sub-task that fits."""
    made = (stream(name, negative, seed) for seed in range(200))
    meta, pcm = next((m, p) for m, p in made if fits(m))
    assert check_sample(meta, pcm, 16_000) == []
    return meta, pcm


def finds(meta: Meta, pcm: np.ndarray, expected: str) -> bool:
    return any(expected in f for f in check_sample(meta, pcm, 16_000))


@pytest.mark.parametrize("name", CONTROLS)
def test_streams_of_controls_pass(name: str) -> None:
    meta, pcm = stream(name, negative=True)
    assert check_sample(meta, pcm, 16_000) == []


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
        (_set("responses.0.cancelled_at", 6400 * 150), "or after the end"),
        (_set("responses.0.notes", [{"sample": 6400 * 150, "text": "A dog is barking."}]), "a note of 960000"),
        (_set("instruction", 7), "instruction: expected a text, got 7"),
        (_set("subtask", "chat_best"), "unknown sub-task 'chat_best'"),
        (_set("ability", "asr"), "ability 'asr' of 'chat_single'"),
        (_set("ability", "chatting"), "ability 'chatting' of 'chat_single'"),
        (_set("scenario", None), "expected a sample of schema 2"),
        (_set("speech.0.emotion", "bored"), "emotion 'bored'"),
        (_set("speech.0.language", "English"), "language 'English'"),
        (_set("speech.0.language", "en+"), "language 'en+'"),
        (_set("speech.0.licence", "all rights reserved"), "licence 'all rights reserved', its source has"),
        (_set("mix.gaps", [{"kind": "silence", "onset": 0, "offset": 1_000}]), "at 0 is not silent"),
        (_set("mix.gaps", [{"kind": "silence", "onset": 960_000, "offset": 960_100}]), "outside the stream"),
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


def test_streams_of_another_layout_may_name_their_tasks_as_they_like() -> None:
    meta, pcm = stream("chat_single", seed=1)
    meta |= {"subtask": "dialogue", "ability": "", "scenario": {"origin": "paper_layout"}}
    assert check_sample(meta, pcm, 16_000) == []
    meta["scenario"] = {"origin": "template"}
    assert finds(meta, pcm, "unknown sub-task 'dialogue'")


def test_two_languages_are_a_language() -> None:
    meta, pcm = stream("chat_single", seed=1)
    meta["speech"][0]["language"] = "cmn+en"
    assert check_sample(meta, pcm, 16_000) == []


def test_what_was_heard_has_to_be_what_was_said() -> None:
    meta, pcm = such("chat_single", lambda m: m["speech"][0]["source"].startswith("tts:"))
    said = meta["speech"][0]
    for heard in ("", said["text"].upper()):
        said["heard"] = heard
        assert check_sample(meta, pcm, 16_000) == []
    said["heard"] = "and now the weather"
    assert finds(meta, pcm, "was heard as 'and now the weather'")
    assert not finds({**meta, "speech": [{**said, "language": "de"}]}, pcm, "was heard as")
    assert not finds({**meta, "speech": [{**said, "source": "an4/1.ogg"}]}, pcm, "was heard as")


@pytest.mark.parametrize("value", [0, 1, -700, 32767, -32768])
def test_constant_audio_is_found(value: int) -> None:
    meta, pcm = stream("chat_single", seed=1)
    assert finds(meta, np.full_like(pcm, value), f"the audio is {value} throughout")


def test_audio_at_full_scale_is_found() -> None:
    meta, pcm = stream("chat_single", seed=1)
    square = np.where(np.arange(len(pcm)) // 40 % 2, 32767, -32768).astype(np.int16)
    assert finds(meta, square, "at full scale")


def test_digital_silence_may_be_all_there_is_to_a_stream_without_items() -> None:
    meta, pcm = such("narrate_events", lambda m: m["mix"]["bed"] == "zero" and "channel" not in m["mix"], negative=True)
    assert not pcm.any()
    meta["mix"]["bed"] = "room_tone"
    assert finds(meta, pcm, "the audio is 0 throughout")


@pytest.mark.parametrize("name", ["chat_single", "proactive_hazard"])
def test_what_is_answered_can_be_heard(name: str) -> None:
    meta, pcm = such(name, lambda m: len(m["responses"]) == 1)
    trigger = meta["responses"][0]["trigger"]
    item = next(t for t in (*meta["events"], *meta["speech"]) if t["id"] == trigger)
    for level, quiet in ((4, True), (40, False)):
        part = pcm.copy()
        part[item["onset"] : item["offset"]] = np.resize([level, -level], item["offset"] - item["onset"])
        assert finds(meta, part, f"{trigger}: expected a level above -70 dBFS") == quiet


def test_calls_that_the_tool_does_not_allow_are_found() -> None:
    meta, pcm = such("device_act", lambda m: any((r["call"] or {}).get("name") == "set_light" for r in m["responses"]))
    call = next(r["call"] for r in meta["responses"] if r["call"])
    right = dict(call["arguments"])
    for wrong, expected in (
        ({**right, "room": "ballroom"}, "'ballroom' is not one of"),
        ({**right, "brightness": 300}, "300 is greater than"),
        ({**right, "pattern": "stars"}, "'pattern'"),
        ({}, "'room' is a required property"),
    ):
        call["arguments"] = wrong
        assert finds(meta, pcm, expected)


@pytest.mark.parametrize("key", ["onset", "offset"])
def test_what_is_avoided_lies_where_its_item_lies(key: str) -> None:
    meta, pcm = such("proactive_hazard", lambda m: bool(m["avoid"]), negative=True)
    meta["avoid"][0][key] += 1
    assert finds(meta, pcm, "where it is not")


def test_a_gap_of_silence_is_silent() -> None:
    def gap(m: Meta) -> Meta | None:
        return next((g for g in m["mix"].get("gaps", ()) if g["kind"] == "silence"), None)

    meta, pcm = such("chat_single", lambda m: gap(m) is not None)
    pcm[(gap(meta) or {})["offset"] - 1] = 1
    assert finds(meta, pcm, "is not silent")


def sirens(subtask: str, *apart: float) -> tuple[Meta, np.ndarray]:
    """A siren, and others so many seconds after it; each is announced."""
    scene = Scene(np.random.default_rng(0), subtask)
    tone = np.sin(np.arange(32_000) * 0.2).astype(np.float32)
    for k, after in enumerate((None, *((seconds - 2.0, seconds - 2.0) for seconds in apart))):
        clip = Clip(tone, "siren", "event", f"{k}.wav", "CC0", "yes")
        scene.sound(clip, say=Say("A siren."), after=after)
    sample = Sample("train-0-000000-000", 0, "train", subtask, SUBTASKS[subtask].ability, False, 0)
    audio = compose(scene, fake_world(), sample)
    return sample.to_dict(), np.round(audio * 32767).astype(np.int16)


def test_a_sound_is_not_announced_again_within_the_cool_down() -> None:
    for subtask, apart, again in (
        ("proactive_hazard", 29.9, True),
        ("proactive_hazard", 30.0, False),
        ("watch_sound", 10.0, True),
        ("narrate_events", 10.0, False),
    ):
        meta, pcm = sirens(subtask, apart)
        assert check_sample(meta, pcm, 16_000) == (["e1: 'siren' is announced again within 30 s"] if again else [])
    meta["events"][1]["label"] = "alarm"
    assert check_sample({**meta, "subtask": "watch_sound", "ability": "instruction"}, pcm, 16_000) == []


def test_variants_keep_the_rules_of_responses() -> None:
    meta, pcm = sirens("proactive_hazard")
    made = [v for k in range(40) for v in watch_variants(np.random.default_rng(k), {**meta, "mix": {"bed": "zero"}})]
    meta["variants"] = made
    assert check_sample(meta, pcm, 16_000) == []
    (told,) = made[0]["responses"]
    for more, expected in (
        ({}, "two responses in one chunk"),
        ({}, "'siren' is announced again"),
        ({"due_chunk": told["due_chunk"] - 1}, "not in order"),
        ({"due_chunk": told["due_chunk"] - 1}, f"expected {told['due_chunk']}, inside"),
        ({"text": ""}, "a text of 1 to"),
    ):
        meta["variants"] = [{**made[0], "responses": [told, {**told, **more}]}]
        assert any(f.startswith("variant ") and expected in f for f in check_sample(meta, pcm, 16_000)), expected


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


def copied(folder: Path, out: Path, split: str, *music: str) -> Path:
    """A build once more as `out`, of another split; its streams are said to hold pieces of `music`."""
    out.mkdir()
    more = [{"source": f"music:{m}", "licence": "CC0 1.0", "dataset": "music", "speaker": ""} for m in music]
    for path in shard_paths(folder):
        write_shard(
            out / path.name,
            (
                (
                    {**m, "split": split, "sources": [*m["sources"], *more],
                     "licences": sorted({*m["licences"], *("CC0 1.0" for _ in more)})},
                    pcm.astype(np.float32) / 32767,
                )
                for m, pcm, _ in read_shard(path)
            ),
        )  # fmt: skip
    index = json.loads((folder / "index.json").read_text())
    (out / "index.json").write_text(json.dumps({**index, "split": split}))
    return out


def test_splits_are_held_against_each_other(plan: Plan, facts: Path, tmp_path: Path) -> None:
    build(plan, facts)
    other = copied(Path(plan.out), tmp_path / "other", "dev")
    assert not check([Path(plan.out)]).findings
    assert any("is used by split train too" in f for f in check([Path(plan.out), other]).findings)


@pytest.mark.parametrize(
    ("pieces", "found"),
    [
        (("notes-violin-000.flac", "notes-violin-001.flac"), "'music:notes-violin' is used by split train too"),
        (("drums-Kit-000.flac", "drums-Kit-000.flac"), "'music:drums-Kit' is used by split train too"),
        (("notes-violin-000.flac", "notes-cello-000.flac"), ""),
        (("gm-0-0001.flac", "gm-0-0001.flac"), ""),
    ],
)
def test_recorded_instruments_are_of_one_split(
    plan: Plan, facts: Path, tmp_path: Path, pieces: tuple[str, str], found: str
) -> None:
    build(plan, facts)
    folders = [copied(Path(plan.out), tmp_path / f"{k}", "train" if k == 0 else "dev", p) for k, p in enumerate(pieces)]
    said = [f for f in check(folders).findings if "'music:" in f]
    assert all(found in f for f in said)
    assert bool(said) == bool(found)
    assert not [f for f in check(folders[:1], [Path(plan.audio[0])]).findings if "'music:" in f]
