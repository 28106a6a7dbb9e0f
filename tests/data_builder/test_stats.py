"""Statistics and attribution of a build."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from data_builder import attribution
from data_builder.charts import draw
from data_builder.stats import Histogram, Stats, build_index, collect, metas, of_folders, table
from soundflow.errors import DataError
from tests.data_builder import made_samples as made


@pytest.fixture(scope="module")
def stats(tmp_path_factory: pytest.TempPathFactory) -> Stats:
    return of_folders(made.build(tmp_path_factory.mktemp("build") / "b"))


def test_counts_by_subtask_and_ability(stats: Stats) -> None:
    body = json.loads(json.dumps(stats.to_dict(), allow_nan=False))
    assert body["dialogues"] == 3
    assert body["seconds"] == 72.0
    hazard = body["subtasks"]["hazard"]
    assert hazard == {
        "ability": "proactive response", "dialogues": 2, "seconds": 12.0, "hours": 0.0033, "mean_seconds": 6.0,
        "silent": 1, "silent_share": 0.5, "speak": 1, "act": 0, "chunks": 30,
        "decisions": {"silent": 29, "speak": 1, "act": 0},
    }  # fmt: skip
    assert body["subtasks"]["multi_turn"]["decisions"] == {"silent": 145, "speak": 4, "act": 1}
    assert body["abilities"]["proactive response"]["dialogues"] == 2
    assert body["splits"]["train"]["dialogues"] == 3
    assert body["clocks"] == {"endpoint": 2, "sound": 3, "timer": 1}
    assert body["instructed"] == 1
    assert body["places"] == {"(not planned)": 1, "kitchen": 1, "living room": 1}
    assert body["mixes"]["gap: babble"] == 1


def test_events_speech_speakers_and_licences(stats: Stats) -> None:
    body = stats.to_dict()
    assert body["events"]["smoke_alarm"] == {"answered": 1, "left_alone": 0}
    assert body["events"]["dog"] == {"answered": 0, "left_alone": 1}
    real = 1.9 + 3.2 + 0.4
    assert body["speech_seconds"]["real"] == pytest.approx(real + 5.0, abs=2e-3)  # tv-1 is a recording
    assert body["speech_seconds"]["synthetic"] == pytest.approx(2.4 + 3.0 + 1.8, abs=2e-3)
    assert body["speakers"]["by_name"]["an4_fvap"] == {"utterances": 3, "seconds": real, "synthetic": False}
    assert body["speakers"]["by_name"]["voice-3"]["synthetic"] is True
    assert body["languages_seconds"]["de"] == 1.8
    assert body["roles_seconds"]["television"] == 5.0
    assert body["licences_seconds"][made.BY] == pytest.approx(real + 5.0, abs=2e-3)
    assert body["licences_dialogues"] == {"CC0 1.0": 3, made.BY: 1}


def test_gaps_and_delays(stats: Stats) -> None:
    one = collect([made.short().to_dict()])
    assert one.gaps.number == 1
    assert one.gaps.total == pytest.approx(3.0 - 3.4)  # the cough begins while the alarm goes on
    due = made.short().responses[0]
    assert one.delays.total == pytest.approx(due.due_chunk * 0.4 - due.evidence_end / 16_000)
    assert stats.delays.number == 6
    assert stats.gaps.number == 11
    hist = Histogram(0.0, 1.0, 3)
    for value in (-0.5, 0.0, 0.99, 1.0, 2.5, 3.0, 100.0):
        hist.add(value)
    assert (hist.counts, hist.below, hist.above, hist.number) == ([2, 1, 1], 1, 2, 7)
    assert hist.quantile(0.5) == 1.5


def test_two_folders_are_one_corpus(tmp_path: Path) -> None:
    folders = [made.build(tmp_path / "a", [[made.short()]]), made.build(tmp_path / "b", [[made.long(), made.quiet()]])]
    assert of_folders(*folders).to_dict() == collect(m for f in folders for m in metas(f)).to_dict()
    assert of_folders(*folders).total.dialogues == 3
    assert table(of_folders(*folders))[0] == "0.02 hours, 3 dialogues, 33.3% without a response"


def test_bad_builds_are_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="finished build"):
        build_index(tmp_path)
    folder = made.build(tmp_path / "b")
    shard = folder / "shard-000000.tar"
    whole = shard.read_bytes()
    for size in range(300, len(whole), len(whole) // 12):
        shard.write_bytes(whole[:size])
        with pytest.raises(DataError, match="shard-000000"):
            of_folders(folder)
    meta = made.short().to_dict()
    del meta["responses"][0]["evidence_end"]
    with pytest.raises(DataError, match=r"train-1-0000001.*evidence_end"):
        collect([meta])


def test_attribution_has_a_row_for_each_recording(tmp_path: Path) -> None:
    folder = made.build(tmp_path / "b")
    count = attribution.write(tmp_path / "attribution.csv", folder)
    with (tmp_path / "attribution.csv").open(newline="") as file:
        rows = {row["source"]: row for row in csv.DictReader(file)}
    assert tuple(next(iter(rows.values()))) == attribution.COLUMNS
    assert len(rows) == count == 2 + 1 + 4 + 5 + 1 + 0
    alarm = rows["esc/smoke_alarm.ogg"]
    assert (alarm["streams"], alarm["seconds"], alarm["split"], alarm["licence"]) == ("1", "2.900", "train", "CC0 1.0")
    assert rows["an4/an4_fvap.ogg"]["seconds"] == "5.500"
    assert rows["places/living_room.ogg"]["seconds"] == "60.000"
    first = (tmp_path / "attribution.csv").read_bytes()
    attribution.write(tmp_path / "attribution.csv", folder)
    assert (tmp_path / "attribution.csv").read_bytes() == first


def test_charts_are_drawn(stats: Stats, tmp_path: Path) -> None:
    for name, found in (("full", stats), ("empty", Stats())):
        path = draw(found, tmp_path / f"{name}.png")
        assert path.read_bytes()[:4] == b"\x89PNG"
        assert path.stat().st_size > 20_000
    assert list(tmp_path.glob("*.part")) == []
