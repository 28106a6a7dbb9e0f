"""MMAU's JSON: strict reading, the plan, audio of any rate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmarks.understand import questions
from soundflow.errors import ConfigError, DataError
from tests.conftest import MakeAudio


def entry(name: str = "q1", **more: Any) -> dict[str, Any]:
    """One question with all of MMAU's published keys."""
    body: dict[str, Any] = {
        "id": name,
        "audio_id": f"./test-mini-audios/{name}.wav",
        "question": "Based on the given audio, identify the source of the speech.",
        "choices": ["Man", "Woman", "Child", "Robot"],
        "answer": "Woman",
        "dataset": "AudioSet",
        "task": "sound",
        "split": "test-mini",
        "category": "Reasoning",
        "sub-category": "Acoustic Source Inference",
        "difficulty": "medium",
    }
    return body | more


def write(folder: Path, entries: Any, name: str = "mmau-test-mini.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(entries))
    return path


def test_the_published_format_is_read(tmp_path: Path) -> None:
    hidden = {k: v for k, v in entry("q2").items() if k != "answer"}
    path = write(tmp_path, [entry(), hidden, entry("q3", answer="", task="music")])
    found = questions.read(questions.find_json(tmp_path))
    assert [e["id"] for e in found] == ["q1", "q2", "q3"]
    items = questions.plan(found, tmp_path, 0)
    assert items[0].parts[0].path == "test-mini-audios/q1.wav"
    assert (items[0].group, items[0].label, items[0].source) == (
        "sound",
        "Acoustic Source Inference",
        items[0].parts[0].path,
    )
    assert [i.facts["right"] for i in items] == [1, None, None]
    assert items[0].facts["orders"] == [[0, 1, 2, 3]]
    assert questions.find_json(path) == path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"question": ""}, "missing or empty: question"),
        ({"choices": ["one"]}, "2 to 26 different choices"),
        ({"choices": ["one", "one"]}, "2 to 26 different choices"),
        ({"choices": "one"}, "choices as a list of texts"),
        ({"choices": ["one", 2]}, "choices as a list of texts"),
        ({"audio_id": "../secret.wav"}, "inside of the data folder"),
        ({"audio_id": "/etc/x.wav"}, "inside of the data folder"),
        ({"answer": 3}, "answer as text"),
        ({"task": 3}, "task as text"),
    ],
)
def test_a_broken_question_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = write(tmp_path, [entry(), entry("q2", **change)])
    with pytest.raises(DataError, match=words) as caught:
        questions.read(path)
    assert f"{path}[1]" in str(caught.value)


@pytest.mark.parametrize("body", ["{", "[]", '{"id": 1}', "[3]"])
def test_a_broken_file_is_named(tmp_path: Path, body: str) -> None:
    (tmp_path / "x.json").write_text(body)
    with pytest.raises(DataError, match=r"x\.json"):
        questions.read(tmp_path / "x.json")


def test_an_id_twice_and_two_files_are_errors(tmp_path: Path) -> None:
    path = write(tmp_path, [entry(), entry()])
    with pytest.raises(DataError, match="each id once"):
        questions.read(path)
    write(tmp_path, [entry()], "mmau-test.json")
    with pytest.raises(
        ConfigError, match=r"mmau-test\.json, mmau-test-mini\.json|mmau-test-mini\.json, mmau-test\.json"
    ):
        questions.find_json(tmp_path)
    assert questions.find_json(tmp_path, "mmau-test.json").name == "mmau-test.json"


def test_the_answer_is_found_by_text_then_but_for_case() -> None:
    assert questions.answer_index(entry(answer="Robot")) == 3
    assert questions.answer_index(entry(answer=" robot ")) == 3
    assert questions.answer_index(entry(answer="Dog")) is None


def test_rotations_put_each_choice_at_each_place_once() -> None:
    orders = questions.orders(3, True)
    assert orders == [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    assert all(sorted(o[k] for o in orders) == [0, 1, 2] for k in range(3))


def test_a_part_of_the_questions_is_drawn_by_seed_over_tasks(tmp_path: Path) -> None:
    many = [entry(f"{t}{k}", task=t) for t in ("sound", "music", "speech") for k in range(5)]
    ids = [[i.id for i in questions.plan(many, tmp_path, seed, 6)] for seed in (0, 0, 1)]
    assert ids[0] == ids[1] != ids[2]
    assert sorted(name[:-1] for name in ids[0]) == ["music"] * 2 + ["sound"] * 2 + ["speech"] * 2


def test_audio_of_any_rate_becomes_16_khz_mono(tmp_path: Path, tone: MakeAudio) -> None:
    left = tone(1.0, hz=440, rate=44_100)
    soundfile.write(tmp_path / "a.wav", np.stack([left, left], axis=1), 44_100)
    loaded = questions.load(tmp_path / "a.wav")
    assert abs(len(loaded) - 16_000) <= 1
    middle = loaded[2000:14_000]
    np.testing.assert_allclose(np.sqrt(np.mean(middle**2)), 0.3 / np.sqrt(2), rtol=0.02)
    assert questions.seconds(tmp_path / "a.wav") == pytest.approx(1.0)
    assert questions.seconds(tmp_path / "none.wav") == 0.0
    (tmp_path / "b.wav").write_bytes(b"RIFF no audio")
    for name in ("b.wav", "none.wav"):
        with pytest.raises(DataError, match=name):
            questions.load(tmp_path / name)
