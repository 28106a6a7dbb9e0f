"""The published folders, made small here: read strictly, heard, and written as the official scorers read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmarks.duplex import layout
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError
from soundflow.types import FloatArray
from tests.benchmarks.fakes import beeps


def sample(root: Path, task: str, name: str, rate: int = 24_000, seconds: float = 5.0, **files: Any) -> Path:
    folder = root / task / name
    folder.mkdir(parents=True)
    soundfile.write(folder / "input.wav", np.resize(beeps(1.0, 1000.0), int(seconds * rate)), rate)
    for file, body in files.items():
        (folder / f"{file}.json").write_text(json.dumps(body))
    return folder


def published(root: Path) -> Path:
    """One sample of each task, v1 below v1.0 and v1.5 below v1.5."""
    one, two = root / "v1.0", root / "v1.5"
    sample(one, "candor_pause_handling", "1", pause=[{"text": "[PAUSE]", "timestamp": [1.0, 2.0]}])
    sample(one, "synthetic_pause_handling", "1", 16_000, pause=[{"text": "[PAUSE]", "timestamp": [1.0, 2.0]}])
    sample(one, "candor_turn_taking", "7", 48_000, turn_taking=[{"text": "[TURN]", "timestamp": [3.0, 3.5]}])
    sample(one, "icc_backchannel", "3")
    broken_in = [{"context": "Tell me a story.", "interrupt": "Wait, stop.", "timestamp": [2.0, 3.0]}]
    sample(one, "synthetic_user_interruption", "2", interrupt=broken_in)
    for k, task in enumerate(("user_interruption", "user_backchannel", "talking_to_other", "background_speech")):
        body = {"context_text": "Hi.", "current_turn_text": "Yeah.", "timestamps": [2.0, 3.0]}
        folder = sample(two, task, str(k), metadata=body)
        soundfile.write(folder / "clean_input.wav", beeps(2.0), SAMPLE_RATE_HZ)
    return root


def test_every_task_is_read(tmp_path: Path) -> None:
    items = layout.read(published(tmp_path))
    assert {i.label: i.group for i in items} == {task: group for task, (group, _) in layout.TASKS.items()}
    by = {i.label: i for i in items}
    assert by["candor_turn_taking"].facts["stamp"] == [3.0, 3.5]
    assert by["synthetic_user_interruption"].facts["text"] == "Wait, stop."
    assert by["user_backchannel"].facts["over"] == [2.0, 3.0]
    assert by["icc_backchannel"].facts["sample"] == "3"
    assert by["icc_backchannel"].seconds == 5.0
    clean = [i for i in layout.read(tmp_path, clean=True) if i.group == layout.CLEAN]
    assert {i.label for i in clean} == {
        "user_interruption",
        "user_backchannel",
        "talking_to_other",
        "background_speech",
    }
    assert all(i.facts["over"] is None for i in clean)
    direct = layout.read(tmp_path / "v1.0")
    assert len(direct) == 5, "the folder of the tasks itself"


def test_the_script_follows_the_annotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by = {i.label: i for i in layout.read(published(tmp_path))}
    turn = layout.script(by["candor_turn_taking"], 6400)
    assert turn.user == [(0, 3 * SAMPLE_RATE_HZ)]
    assert len(turn.audio) == 13 * 6400, "5 s to a whole chunk"
    assert layout.script(by["candor_pause_handling"], 6400).user == [(0, 5 * SAMPLE_RATE_HZ)]
    monkeypatch.setattr(layout, "speech", lambda audio: [(1, 2)])
    assert layout.script(by["background_speech"], 6400).user == [(1, 2)]
    tone = np.abs(np.fft.rfft(turn.audio[:SAMPLE_RATE_HZ]))
    assert abs(int(tone.argmax()) - 3000) < 10, "1 kHz at 16 kHz, written as if it were of 48"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"timestamps": [2.0]}, r"\[start, end\]"),
        ({"timestamps": [3.0, 2.0]}, r"\[start, end\]"),
        ({"timestamps": [2.0, 30.0]}, "within 5.0 s"),
        ({"timestamps": ["2", "3"]}, r"\[start, end\]"),
        ({}, "got None"),
        ([1], "expected an object"),
    ],
)
def test_broken_annotations_are_named(tmp_path: Path, body: Any, words: str) -> None:
    sample(tmp_path, "user_backchannel", "5", metadata=body)
    with pytest.raises(DataError, match=words) as raised:
        layout.read(tmp_path)
    assert "metadata.json" in str(raised.value)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="candor_pause_handling"):
        layout.read(tmp_path)
    folder = sample(tmp_path, "candor_turn_taking", "5", turn_taking=[])
    with pytest.raises(DataError, match="got None"):
        layout.read(tmp_path)
    (folder / "turn_taking.json").write_text("{")
    with pytest.raises(DataError, match="expected JSON"):
        layout.read(tmp_path)
    (folder / "input.wav").write_text("no audio")
    with pytest.raises(DataError, match="unreadable"):
        layout.read(tmp_path)
    (folder / "input.wav").unlink()
    with pytest.raises(DataError, match="unreadable"):
        layout.read(tmp_path)


def test_a_sample_twice_is_an_error(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "v1.0"):
        sample(root, "icc_backchannel", "3")
    with pytest.raises(DataError, match="each sample once"):
        layout.read(tmp_path)


def test_references(tmp_path: Path) -> None:
    path = tmp_path / "icc.json"
    path.write_text(json.dumps({"1": [0.0, 0.5, 0.5]}))
    assert layout.references(path) == {"1": [0.0, 0.5, 0.5]}
    for body in ([], {}, {"1": []}, {"1": [0.0, 0.0]}, {"1": [-1.0, 2.0]}, {"1": "x"}):
        path.write_text(json.dumps(body))
        with pytest.raises(DataError, match="expected"):
            layout.references(path)


@pytest.mark.weights
def test_speech_is_found_in_stretches(nano_parts: Path) -> None:
    from tests.benchmarks.duplex.speech import said

    first, second = said("Here is the first sentence of the day."), said("And this is the second one.")
    quiet: FloatArray = np.zeros(SAMPLE_RATE_HZ * 2, np.float32)
    audio = np.concatenate([quiet, first, quiet, second, quiet])
    found = layout.speech(audio)
    assert found[0][0] == pytest.approx(len(quiet), abs=3000)
    assert found[-1][1] == pytest.approx(len(audio) - len(quiet), abs=4000)
    assert all(b <= len(quiet) + len(first) + 4000 or a >= 2 * len(quiet) + len(first) - 3000 for a, b in found)
