"""Sounds of one's own: which recordings teach and which measure, the real command's outcome, and the score."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import own
from benchmarks.corpus import Row
from benchmarks.runs import Options
from soundflow.errors import ConfigError, DataError

CHUNKS = 30


def row(path, label="rooster", split="train", kind="event", **more):
    facts = {"dataset": "d", "text": "", "speaker": "", "language": "", "seconds": 5.0, "license": "CC0", "source": ""}
    return Row(path=path, label=label, split=split, kind=kind, open=True, respond="no", **(facts | more))


TRAIN = [row(f"t{k}") for k in range(30)]
DEV = [row(f"d{k}", split="dev" if k % 4 else "dial") for k in range(8)]


def test_what_teaches_and_what_measures_have_nothing_in_common():
    taught, measured = own.lessons([*TRAIN, *DEV, row("x", "dog")], "rooster", 0)
    assert len(taught) == own.CLIPS
    assert {r.split for r in taught} == {"train"}
    assert sorted(r.path for r in measured) == [f"d{k}" for k in range(8)]
    first, second = own.lessons([row(f"d{k}", split="dev") for k in range(15)], "rooster", 0)
    assert {len(first), len(second)} == {9, 6}
    assert not {r.path for r in first} & {r.path for r in second}
    with pytest.raises(DataError, match="rooster"):
        own.lessons(DEV[:4] + TRAIN, "rooster", 0)


def heard(name, group="event", label="dog", replies=(), decisions="s" * CHUNKS, p=0.1, seconds=0.0):
    item = {"id": name, "group": group, "label": label, "respond": "no", "source": name, "seconds": seconds}
    item["facts"] = {"snr": 20.0, "open": True, "dataset": "d"}
    spoken = [{"t": 1.0, "id": "r1", "text": text} for text in replies]
    shape = {"chunk": 6400, "onset": 0, "offset": 6400, "evidence_end": 6400, "p_act": [0.0] * CHUNKS}
    body = {"system": "nano", "item": item, "replies": spoken, "decisions": decisions, "p_speak": [p] * CHUNKS}
    return {"id": name, **shape, **body}


MINE = own.says("rooster")


def test_recall_false_tellings_and_what_stayed_the_same():
    before = [heard(f"own/rooster/{k}", "taught", "rooster") for k in range(4)]
    after = [heard(f"own/rooster/{k}", "taught", "rooster", [MINE] if k < 3 else ["Hm."]) for k in range(4)]
    before += [heard("a"), heard("b", label="hen"), heard("c"), heard("quiet/0", seconds=1800.0)]
    after += [heard("a"), heard("b", label="hen", replies=[MINE]), heard("c", p=0.2)]
    after += [heard("quiet/0", seconds=1800.0, replies=[MINE])]
    found = own.score(before, after)
    rooster = found["sounds"]["rooster"]
    assert rooster["recall"][0] == 0.75
    assert (rooster["others"], rooster["taken_for_it"], rooster["quiet_false"]) == (3, ["hen"], 1)
    assert found["all"]["quiet_false_hour"][0] == pytest.approx(2.0)
    assert (found["old"]["untold"], found["old"]["same"]) == (3, 2)  # the fourth rooster, a, c; c has other p
    with pytest.raises(DataError, match="same streams"):
        own.score(before[:-1], after)


def test_the_command_is_run_once_a_sound_and_its_error_is_shown(tmp_path):
    audio = tmp_path / "audio"
    audio.mkdir()
    for r in [*TRAIN, *DEV]:
        (audio / r.path).write_bytes(b"x")
    script = tmp_path / "teach.py"
    script.write_text(
        "import sys, pathlib\nassert len(list(pathlib.Path(sys.argv[1]).iterdir())) == 20\n"
        f"open({str(tmp_path / 'log')!r}, 'a').write(' '.join(sys.argv[2:]) + '\\n')\n"
    )
    options, wanted = Options(tmp_path / "out"), own.Wanted(("rooster",))
    (tmp_path / "out").mkdir()
    for _ in range(2):
        own.taught(options, [*TRAIN, *DEV], wanted, audio, (sys.executable, str(script)))
    (line,) = (tmp_path / "log").read_text().splitlines()
    assert "--name my rooster" in line
    assert list(json.loads((tmp_path / "out" / "taught.json").read_text())) == ["rooster"]
    (tmp_path / "out" / "taught.json").unlink()
    with pytest.raises(ConfigError, match="oh no"):
        own.taught(options, [*TRAIN, *DEV], wanted, audio, (sys.executable, "-c", "raise SystemExit('oh no')"))


def test_the_table_shows_what_training_printed(tmp_path):
    stored = {"name": "my rooster", "say": MINE, "threshold": 0.5}
    stored["taught"] = {"clips": 20, "held_out_recall": [0.95, 0.8, 1.0]}
    Path(tmp_path / "own_sounds.json").write_text(json.dumps({"format": 1, "sounds": [stored]}))
    rows = [heard("own/rooster/0", "taught", "rooster", [MINE]), heard("a"), heard("quiet/0", seconds=60.0)]
    found = own.score(rows, rows) | {"seconds": {"rooster": 41.0}}
    first, second = own.table(found, tmp_path)
    assert first.rows[0][:4] == ["rooster", "20", "41", "0.95"]
    assert second.rows[0][1:] == ["2", "same decisions and p: 2"]
