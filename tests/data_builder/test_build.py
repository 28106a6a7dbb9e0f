"""Builds: same bytes for any number of workers, resume after a kill, growth, and rows that are refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data_builder.build import _alone, build, usable_rows
from data_builder.corpora.folder import read_index, select, split_of
from data_builder.plan import Plan
from data_builder.shards import read_metas, read_shard, shard_paths
from data_builder.subtasks import SUBTASKS
from data_builder.validate import check
from soundflow.errors import ConfigError, DataError
from tests.data_builder.conftest import VOICELESS, row, write_index


def copy(corpus: Path, to: Path) -> Path:
    shutil.copytree(corpus, to)
    return to


def alive(pid: str) -> bool:
    """A process that is there and no zombie."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_one_and_two_workers_give_the_same_bytes(plan: Plan, facts: Path, tmp_path: Path) -> None:
    one = build(plan, facts)
    two = build(replace(plan, out=str(tmp_path / "two")), facts, workers=2)
    assert one == two
    assert len({s["sha256"] for s in one["shards"]}) == len(one["shards"]) > 1
    assert one["hours"] >= plan.hours
    assert one["seconds"] - one["shards"][-1]["seconds"] < plan.hours * 3600  # and no block more


def test_a_ray_cluster_gives_the_same_bytes(plan: Plan, facts: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra [ray] is not installed")
    small = replace(plan, hours=0.02)
    assert build(replace(small, out=str(tmp_path / "ray")), facts, ray="local") == build(small, facts)


def test_check_finds_nothing_in_a_build(plan: Plan, facts: Path) -> None:
    index = build(plan, facts)
    found = check([Path(plan.out)], [Path(plan.audio[0])])
    assert found.findings == []
    assert found.streams == index["streams"] > 0
    assert set(found.subtasks) == set(VOICELESS)


def test_a_killed_build_resumes_to_the_same_index(plan: Plan, facts: Path) -> None:
    whole = build(plan, facts)
    out = Path(plan.out)
    first = (out / "shard-000000.tar").stat().st_mtime_ns
    (out / "shard-000001.tar").unlink()
    (out / "shard-000002.tar").write_bytes(b"half")
    (out / "blocks" / "block-000009.tar.part").write_bytes(b"half")
    (out / "index.json").unlink()
    assert build(plan, facts) == whole
    assert not list(out.rglob("*.part"))
    assert (out / "shard-000000.tar").stat().st_mtime_ns == first


def test_a_build_that_was_killed_leaves_no_worker_and_resumes(plan: Plan, facts: Path, tmp_path: Path) -> None:
    """SIGKILL with blocks under way, and the same index after it."""
    whole = build(replace(plan, hours=0.06), facts)
    again = replace(plan, hours=0.06, out=str(tmp_path / "killed"))
    code = (
        "import sys; from pathlib import Path\n"
        "from data_builder.build import build; from data_builder.plan import Plan\n"
        "if __name__ == '__main__': build(eval(sys.argv[1], {'Plan': Plan}), Path(sys.argv[2]), 2)"
    )
    script = tmp_path / "build_it.py"
    script.write_text(code)
    process = subprocess.Popen([sys.executable, str(script), repr(again), str(facts)], cwd=Path.cwd())
    blocks = tmp_path / "killed" / "blocks"
    for _ in range(600):
        if list(blocks.glob("*.json")):
            break
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.wait()
    assert build(again, facts) == whole
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(map(alive, children)):
        time.sleep(0.1)
    assert children
    assert not any(map(alive, children))


def test_a_build_may_grow(plan: Plan, facts: Path, tmp_path: Path) -> None:
    small = build(replace(plan, hours=0.01, shard_mb=50), facts)
    grown = build(replace(plan, shard_mb=50), facts)
    assert small["streams"] < grown["streams"]
    assert grown["shards"] == build(replace(plan, shard_mb=50, out=str(tmp_path / "b")), facts)["shards"]


def test_another_build_is_not_mixed_in(plan: Plan, facts: Path) -> None:
    build(replace(plan, hours=0.01), facts)
    with pytest.raises(ConfigError, match="seed: was 3, now 4"):
        build(replace(plan, seed=4), facts)


def test_dev_clips_and_closed_rows_never_reach_train(plan: Plan, facts: Path) -> None:
    rows, _, _ = usable_rows(plan, facts, 1, print)
    assert {r.split for r in rows} == {"train"}
    assert "cow" not in {r.label for r in rows}
    assert any(r.label.startswith("INTENT:") for r in rows)
    assert not any(r.label.startswith("INTENT:") for r in usable_rows(replace(plan, orders=False), facts, 1, print)[0])
    assert "cow" in {r.label for r in usable_rows(replace(plan, noncommercial=True), facts, 1, print)[0]}


def test_cal_is_a_tenth_of_the_recordings() -> None:
    share = np.mean([split_of("train", f"a/{i}.ogg", "") == "cal" for i in range(2000)])
    assert 0.07 < share < 0.13
    assert len({split_of("train", f"a/{i}.ogg", "somebody") for i in range(50)}) == 1
    assert split_of("dev", "a", "") == "dev"
    assert not select([], "train")


def test_broken_clips_and_copies_are_left_out(plan: Plan, corpus: Path, tmp_path: Path) -> None:
    root = copy(corpus, tmp_path / "broken")
    roosters = [r.path for r in read_index(root) if r.label == "rooster" and r.split == "train"]
    for name in roosters:
        (root / name).write_bytes(b"not audio")
    dev = next(r.path for r in read_index(root) if r.label == "rain" and r.split == "dev")
    train = next(r.path for r in read_index(root) if r.label == "rain" and r.split == "train")
    shutil.copy(root / dev, root / train)
    index = build(replace(plan, audio=(str(root),)), tmp_path / "facts")
    bad = json.loads((Path(plan.out) / "quarantine.json").read_text())
    assert set(roosters) < set(bad)
    assert bad[train] == f"near-duplicate of {dev}"
    assert index["clips_quarantined"] == len(bad)
    used = {s["source"] for p in shard_paths(Path(plan.out)) for m in read_metas(p) for s in m["sources"]}
    assert used
    assert not used & set(bad)


def test_more_folders_are_more_clips(plan: Plan, corpus: Path, facts: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    rng = np.random.default_rng(99)
    clip = 0.5 * rng.standard_normal(24_000) * np.linspace(1, 0, 24_000) ** 2
    sf.write(other / "extra.wav", clip.astype(np.float32), 16_000)
    write_index(other, [{**row("extra.wav", "event", "rooster", "no"), "seconds": "1.5"}])
    both = replace(plan, audio=(*plan.audio, str(other)))
    assert "extra.wav" in {r.path for r in usable_rows(both, facts, 1, print)[0]}


def test_one_path_in_two_folders_is_refused(plan: Plan, corpus: Path, facts: Path, tmp_path: Path) -> None:
    twice = replace(plan, audio=(*plan.audio, str(copy(corpus, tmp_path / "again"))))
    with pytest.raises(ConfigError, match=r"each path in one folder, got '000\.wav'"):
        build(twice, facts)


def test_other_audio_is_another_build(plan: Plan, corpus: Path, tmp_path: Path) -> None:
    root = copy(corpus, tmp_path / "own")
    mine = replace(plan, audio=(str(root),), hours=0.01)
    build(mine, tmp_path / "facts")
    name = next(r.path for r in read_index(root) if r.label == "rooster" and r.split == "train")
    audio, rate = sf.read(root / name)
    sf.write(root / name, audio[::-1], rate)
    with pytest.raises(ConfigError, match="corpus: was"):
        build(mine, tmp_path / "facts")


def test_one_folder_is_built_by_one_at_a_time(plan: Plan, facts: Path) -> None:
    with _alone(Path(plan.out)), pytest.raises(ConfigError, match="no other build"):
        build(plan, facts)


def test_near_duplicates_do_not_make_a_build_short(
    plan: Plan, facts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out is made up for, over several full shards; a corpus that has nothing more to give says so."""
    many = replace(plan, hours=0.1)
    monkeypatch.setattr("data_builder.assemble.content_key", lambda meta: "again" * (meta["samples"] // 6400 % 3 == 0))
    index = build(many, facts)
    assert index["duplicates"] > 5
    assert len(index["shards"]) > 2
    assert index["hours"] >= many.hours
    monkeypatch.setattr("data_builder.assemble.content_key", lambda meta: "again")
    with pytest.raises(DataError, match="more clips or sub-tasks are needed"):
        build(replace(plan, out=str(tmp_path / "poor"), hours=0.02), facts)


def test_an_empty_corpus_is_refused(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    write_index(tmp_path / "none", [])
    with pytest.raises(DataError, match="expected usable clips of split 'train'"):
        build(replace(plan, audio=(str(tmp_path / "none"),)), tmp_path / "facts")
    with pytest.raises(DataError, match=r"index\.csv"):
        build(replace(plan, audio=(str(tmp_path / "nowhere"),)), tmp_path / "facts")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_block_that_cannot_be_made_ends_the_build_with_its_reason(plan: Plan, facts: Path, workers: int) -> None:
    with pytest.raises(DataError, match="expected somebody"):
        build(replace(plan, shares={"device_state": 1.0}), facts, workers)


def test_what_nobody_can_speak_is_counted_not_fatal(plan: Plan, facts: Path) -> None:
    index = build(replace(plan, shares={"device_state": 1.0, "silence": 1.0}, hours=0.01), facts)
    assert index["left_out"]["device_state"] > 0
    assert {m["subtask"] for p in shard_paths(Path(plan.out)) for m in read_metas(p)} == {"silence"}
    assert "device_state" in (Path(plan.out) / "failed.json").read_text()


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng on the PATH")
def test_one_block_holds_every_sub_task(plan: Plan, facts: Path, tmp_path: Path) -> None:
    """All 28 with espeak-ng and no recogniser: words, timing, sources and licences hold in each."""
    every = replace(
        plan,
        shares=dict.fromkeys(SUBTASKS, 1.0),
        block=56,
        hours=0.01,
        shard_mb=1000,
        speech=str(tmp_path / "speech"),
    )
    index = build(every, facts)
    found = check([Path(plan.out)], [Path(plan.audio[0])])
    assert found.findings == []
    assert index["left_out"] == {}
    assert set(found.subtasks) == set(SUBTASKS)
    for meta, pcm, _ in read_shard(shard_paths(Path(plan.out))[0]):
        assert np.abs(pcm.astype(int)).max() < 32768
        assert meta["scenario"]["place"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"path": "../a.wav"}, "'path': expected a path inside"),
        ({"path": "missing.wav"}, "expected a file"),
        ({"split": "test"}, "'split': expected train or dev"),
        ({"kind": "noise"}, "'kind'"),
        ({"open": "perhaps"}, "'open'"),
        ({"respond": "maybe"}, "'respond'"),
        ({"seconds": "nan"}, "'seconds'"),
        ({"seconds": "long"}, "'seconds'"),
        ({"label": ""}, "'label'"),
        ({"license": ""}, "'license'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, change: dict[str, str], expected: str) -> None:
    (tmp_path / "a.wav").touch()
    write_index(tmp_path, [{**row("a.wav", "event", "dog", "context"), **change}])
    with pytest.raises(DataError, match=expected) as caught:
        read_index(tmp_path)
    assert "index.csv:2" in str(caught.value)


def test_wrong_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("path,label\na.wav,dog\n")
    with pytest.raises(DataError, match="expected columns path,dataset"):
        read_index(tmp_path)
