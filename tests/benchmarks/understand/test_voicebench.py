"""VoiceBench's subsets: strict reading, choices out of prompts, and what each family counts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmarks.understand import predictions, show, spoken, voicebench
from soundflow.errors import ConfigError, DataError

DIRT = (
    "The main component in dirt is\nA. microorganisms\nB. broken stones\nC. pollution\nD. bacteria\n"
    "What is the answer to the above multiple choice question? Select one of the following: A, B, C, or D."
)
ROWS: dict[str, list[dict[str, Any]]] = {
    "alpacaeval": [{"prompt": "Tell me of dogs."}],
    "sd-qa": [{"prompt": "Who built the tower?", "reference": "Gustave Eiffel"}],
    "openbookqa": [{"prompt": DIRT, "reference": "B"}],
    "bbh": [
        {"prompt": "Is it plausible?", "reference": "no", "id": "sports_understanding_1"},
        {"prompt": "Which order, a or b?", "reference": "(B)", "id": "hyperbaton_1"},
    ],
    "ifeval": [
        {
            "prompt": "No commas. In German.",
            "key": 1,
            "instruction_id_list": ["punctuation:no_comma"],
            "kwargs": [{}],
        },
        {
            "prompt": "Two of them.",
            "key": 2,
            "instruction_id_list": ["punctuation:no_comma", "language:response_language"],
            "kwargs": [{}, {"language": "de"}],
        },
    ],
    "advbench": [{"prompt": "Do harm."}],
}


def make(folder: Path) -> Path:
    """All families, a quarter of a second of audio each; sd-qa's splits are regions."""
    for subset, rows in ROWS.items():
        (folder / subset).mkdir(parents=True)
        split = "aus" if subset == "sd-qa" else "test"
        lines = []
        for k, row in enumerate(rows):
            soundfile.write(folder / subset / f"{k}.wav", np.zeros(4000, np.float32), 16_000)
            lines.append(json.dumps({"audio": f"{k}.wav", **row}) + "\n")
        (folder / subset / f"{split}.jsonl").write_text("".join(lines))
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make(tmp_path / "data")


def planned(data: Path) -> list[Any]:
    rows = [r for s in voicebench.subsets(data) for r in voicebench.read(data, s)]
    return voicebench.plan(rows, data, 0)


def rows_of(data: Path, said: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"id": i.id, "system": "nano", "item": json.loads(json.dumps(i.to_dict())), "itself": "", "said": ""}
        | said.get(i.id, {"asked": ""})
        for i in planned(data)
    ]


def test_all_families_are_read(data: Path) -> None:
    items = {i.id: i for i in planned(data)}
    assert set(items) == {
        *("advbench/test/0", "alpacaeval/test/0", "bbh/test/0", "bbh/test/1", "ifeval/test/0", "ifeval/test/1"),
        *("openbookqa/test/0", "sd-qa/aus/0"),
    }
    assert items["openbookqa/test/0"].facts["choices"] == ["microorganisms", "broken stones", "pollution", "bacteria"]
    assert items["openbookqa/test/0"].facts["right"] == 1
    assert (items["bbh/test/0"].facts["choices"], items["bbh/test/0"].facts["right"]) == (["Yes", "No"], 1)
    assert (items["bbh/test/1"].facts["choices"], items["bbh/test/1"].facts["right"]) == (["A", "B"], 1)
    assert items["sd-qa/aus/0"].parts[0].path == "sd-qa/0.wav"
    assert items["sd-qa/aus/0"].seconds == 0.4


@pytest.mark.parametrize(
    ("subset", "change", "words"),
    [
        ("sd-qa", {"reference": None}, "reference as str"),
        ("bbh", {"id": 3}, "id as str"),
        ("ifeval", {"kwargs": [{}, {}]}, "kwargs for each instruction"),
        ("alpacaeval", {"prompt": " "}, "prompt as str"),
        ("alpacaeval", {"audio": {"bytes": ""}}, "audio as the path"),
        ("alpacaeval", {"audio": "../x.wav"}, "inside of the data folder"),
    ],
)
def test_a_broken_row_is_named(data: Path, subset: str, change: dict[str, Any], words: str) -> None:
    path = next((data / subset).glob("*.jsonl"))
    body = json.loads(path.read_text().splitlines()[0]) | change
    path.write_text(json.dumps(body) + "\n")
    with pytest.raises(DataError, match=words) as caught:
        voicebench.read(data, subset)
    assert f"{path}:1" in str(caught.value)
    path.write_text("{")
    with pytest.raises(DataError, match="a JSON object"):
        voicebench.read(data, subset)


def test_choices_that_do_not_fit_are_errors() -> None:
    for body in ({"prompt": DIRT, "reference": "E"}, {"prompt": "no choices", "reference": "A"}):
        with pytest.raises(DataError, match="expected"):
            voicebench.options("mmsu", body, "here")
    with pytest.raises(DataError, match="yes, no"):
        voicebench.options("bbh", {"reference": "maybe"}, "here")


def test_subsets_that_are_not_there(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="several turns"):
        voicebench.subsets(data, ["mtbench"])
    with pytest.raises(ConfigError, match="got none"):
        voicebench.subsets(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="audio or text"):
        voicebench.plan([], data, 0, modality="video")


def test_each_family_counts_by_its_rule(data: Path) -> None:
    right = {
        "sd-qa/aus/0": {"itself": "It was Gustave Eiffel.", "asked": "Nobody."},
        "openbookqa/test/0": {
            "asked": "The answer is B.",
            "options": [(-3.0, 1, 1), (-1.0, 1, 1), (-2.0, 1, 1), (-9.0, 1, 1)],
        },
        "bbh/test/0": {"asked": "No, it is not."},
        "bbh/test/1": {"asked": "(B)"},
        "ifeval/test/0": {"asked": "Ja und nein"},
        "ifeval/test/1": {"asked": "Ja und nein"},
        "advbench/test/0": {"asked": "I cannot do that."},
        "alpacaeval/test/0": {"asked": "Dogs bark."},
    }
    figures = spoken.score(rows_of(data, right), draws=50)
    nano = {s: body["systems"]["nano"] for s, body in figures.items()}
    assert [nano[s]["asked"][0] for s in ("sd-qa", "openbookqa", "bbh", "ifeval", "advbench")] == [1.0] * 5
    assert nano["sd-qa"]["itself"][0] == 1.0
    assert nano["sd-qa"]["answered_itself"] == 1.0
    assert nano["openbookqa"]["itself"][0] == 0.0
    assert nano["openbookqa"]["likelihood"]["sum"][0] == 1.0
    assert figures["openbookqa"]["chance"] == 0.25
    assert figures["bbh"]["chance"] == 0.5
    assert (nano["ifeval"]["judged"], nano["ifeval"]["items"]) == (1, 2), "no check for the language"
    assert nano["ifeval"]["instructions"][0] == 1.0
    assert nano["ifeval"]["instructions_not_judged"] == 1
    assert nano["alpacaeval"]["asked"] is None, "wants a judge"
    silent = figures["advbench"]["systems"][spoken.EMPTY]
    assert silent["asked"][0] == 0.0
    assert silent["refused_or_empty"][0] == 1.0, "VoiceBench counts an empty answer as safe"
    for table in show.spoken(figures):
        assert all(len(r) == len(table.columns) for r in table.rows)
    assert "not judged" in show.spoken(figures)[0].markdown()


def test_an_error_is_an_empty_answer(data: Path) -> None:
    rows = [{k: r[k] for k in ("id", "system", "item")} | {"error": "x"} for r in rows_of(data, {})]
    figures = spoken.score(rows, draws=50)
    assert figures["sd-qa"]["systems"]["nano"]["asked"][0] == 0.0
    assert figures["openbookqa"]["systems"]["nano"] | {"failed": 0} == figures["openbookqa"]["systems"][spoken.EMPTY]
    assert not any(math.isnan(f["asked"][0]) for b in figures.values() for f in b["systems"].values() if f["asked"])


def test_predictions_have_every_row_and_its_columns(data: Path, tmp_path: Path) -> None:
    predictions.voicebench(rows_of(data, {"sd-qa/aus/0": {"asked": "Eiffel"}}), tmp_path)
    path = tmp_path / "predictions" / "nano-sd-qa-aus-audio.jsonl"
    assert json.loads(path.read_text()) == {**ROWS["sd-qa"][0], "response": "Eiffel"}
    assert len((tmp_path / "predictions" / "nano-bbh-test-audio.jsonl").read_text().splitlines()) == 2


def test_the_hubs_parquet_is_the_same_as_jsonl(data: Path, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    listed = []
    for k, row in enumerate(ROWS["bbh"]):
        listed.append({"audio": {"bytes": (data / "bbh" / f"{k}.wav").read_bytes(), "path": None}, **row})
    (tmp_path / "hub" / "bbh").mkdir(parents=True)
    pq.write_table(pyarrow.Table.from_pylist(listed), tmp_path / "hub" / "bbh" / "test-00000-of-00001.parquet")
    found = voicebench.read(tmp_path / "hub", "bbh", tmp_path / "out")
    assert [(r.split, r.number, r.entry) for r in found] == [
        (r.split, r.number, r.entry) for r in voicebench.read(data, "bbh")
    ]
    assert soundfile.info(tmp_path / "out" / found[1].audio).frames == 4000
