"""ProVoice-Bench: the published layout, its rates by hand, its judge's marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile

from benchmarks.official import provoice, run
from benchmarks.official.marks import judged
from benchmarks.runs import Options
from soundflow.errors import ConfigError, DataError
from tests.benchmarks.fakes import beeps

IDS = ("u0", "u1", "u2", "u3")


def sample(name: str, task: str, *turns: dict[str, Any]) -> dict[str, Any]:
    return {
        "meta": {"uuid": name, "task_name": task},
        "audio_filepath": f"audios/{name}.wav",
        "scenario_cues": {"description": "somebody talks", "cues": []},
        "user_states": {"app_states": {}, "datetime_info": {}},
        "conversation": {"conversation_list": [{"user": "1", "content": "Hello."}, *turns]},
    }


def data(folder: Path, *more: dict[str, Any]) -> Path:
    said = {"user": "model", "tool_calls": [], "content": "I heard thunder."}
    called = {"user": "model", "tool_calls": [{"name": "x", "arguments": {}}], "content": ""}
    rows = [sample("u0", "environment_sensing", said), sample("u1", "environment_sensing")]
    rows += [sample("u2", "digital_memory", called), sample("u3", "digital_memory"), *more]
    (folder / "data.json").write_text(json.dumps(rows))
    return folder / "data.json"


def answer(folder: Path, name: str, body: Any) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}_response.json").write_text(body if isinstance(body, str) else json.dumps(body))


def test_what_wants_a_response_and_what_does_not(tmp_path: Path) -> None:
    samples = provoice.read_data(data(tmp_path))
    assert [s.respond for s in samples] == [True, False, True, False]
    assert [s.macro for s in samples] == ["environment_sensing"] * 2 + ["digital_memory"] * 2
    assert samples[0].answers == ("I heard thunder.",)
    assert samples[0].path == "audios/u0.wav"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (sample("u0", "digital_memory"), "uuid once, got 'u0'"),
        (sample("u9", "guessing"), "expected a task"),
        (sample("../u9", "digital_memory"), "plain uuid"),
        ({"meta": {"uuid": "u9"}}, r"data.json\[4\]"),
        (sample("u9", "digital_memory") | {"audio_filepath": "/x.wav"}, "inside the audio folder"),
        (sample("u9", "digital_memory") | {"conversation": {}}, "conversation_list"),
        (sample("u9", "digital_memory") | {"user_states": None}, "user_states"),
    ],
)
def test_broken_data_is_named(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        provoice.read_data(data(tmp_path, more))


def test_data_that_is_no_list_or_no_json(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("{}")
    with pytest.raises(DataError, match="expected a list"):
        provoice.read_data(tmp_path / "data.json")
    (tmp_path / "data.json").write_text("[")
    with pytest.raises(DataError, match="expected JSON"):
        provoice.read_data(tmp_path / "data.json")


def test_answers_of_any_system_and_their_rates(tmp_path: Path) -> None:
    path, told = data(tmp_path), tmp_path / "told"
    answer(told, "u0", {"interaction_score": 2, "tool_calls": [], "agent_response": "Thunder!"})
    answer(told, "u1", {"interaction_score": 0, "tool_calls": [{"name": "x"}], "agent_response": ""})
    answer(told, "u2", "```json no")
    o = Options(tmp_path / "out")
    found = run.run_provoice(o, path, predictions=told).figures["systems"]["predictions"]
    assert found["confusion"] == {"tp": 1, "fn": 1, "fp": 2, "tn": 0}
    assert (found["unparsable"], found["missing"], found["clips"]) == (1, 1, 4)
    assert found["by_macro"]["environment_sensing"]["accuracy"][0] == 0.5
    assert found["response_accuracy"] is None
    assert "false positive rate" in (tmp_path / "out" / "report.md").read_text()
    answer(told, "zz", {})
    with pytest.raises(DataError, match="uuid of the data, got 'zz'"):
        run.run_provoice(o, path, predictions=told)


def test_r_acc_by_hand(tmp_path: Path) -> None:
    """u0 answered, marks 2 and 1: 0.75; u1 left alone: 1; u2 answered without a mark: 0; u3 answered wrongly: 0."""
    samples, told = provoice.read_data(data(tmp_path)), tmp_path / "told"
    for name in ("u0", "u2", "u3"):
        answer(told, name, {"interaction_score": 1, "tool_calls": [], "agent_response": "x"})
    answer(told, "u1", {"interaction_score": 0, "tool_calls": [], "agent_response": ""})
    found = judged(samples, provoice.read_responses(told, samples))
    assert provoice.response_accuracy(told, found) is None
    (told / "judge").mkdir()
    mark = told / "judge" / "u0_judge_response.json"
    mark.write_text(json.dumps({"tool_call_score": 2, "response_score": 1}))
    marks = provoice.response_accuracy(told, found)
    assert marks == {"overall": pytest.approx(1.75 / 4, abs=1e-4), "environment_sensing": 0.875, "digital_memory": 0.0}
    mark.write_text(json.dumps({"tool_call_score": 3, "response_score": 1}))
    with pytest.raises(DataError, match="0, 1 or 2"):
        provoice.response_accuracy(told, found)


def test_heard_and_written_as_they_do(tmp_path: Path) -> None:
    path, out = data(tmp_path), tmp_path / "out"
    (tmp_path / "audios").mkdir()
    for name in IDS[:3]:
        soundfile.write(tmp_path / "audios" / f"{name}.wav", beeps(0.8), 16_000)
    o = Options(out, workers=0, systems=("always-respond", "always-silent"))
    first = run.run_provoice(o, path, tmp_path).figures["systems"]
    assert first["always-respond"]["confusion"] == {"tp": 2, "fn": 0, "fp": 2, "tn": 0}
    assert first["always-respond"]["failed"] == 1
    told = out / "responses" / "always-respond"
    assert sorted(p.name for p in told.iterdir()) == [f"{n}_response.json" for n in IDS[:3]]
    again = run.run_provoice(Options(tmp_path / "again"), path, predictions=told).figures["systems"]["predictions"]
    assert again["confusion"] == first["always-respond"]["confusion"]
    with pytest.raises(ConfigError, match="--audio DIR"):
        run.run_provoice(Options(tmp_path / "x"), path)
