"""Shards: same bytes for any number of workers, resume after a kill, the check, and rows that are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from data_builder.build import Plan, build, load_sources
from data_builder.cli import app
from data_builder.corpora.folder import read_index, select, split_of
from data_builder.shards import read_shard, shard_paths
from data_builder.validate import check
from soundflow.errors import ConfigError, DataError
from tests.data_builder.conftest import row, write_index


def test_same_bytes_for_one_and_two_workers(plan: Plan, tmp_path: Path) -> None:
    one = build(plan, 1)
    two = build(replace(plan, out=str(tmp_path / "two")), 2)
    assert one["shards"] == two["shards"]
    assert len({s["sha256"] for s in one["shards"]}) == 3


def test_check_finds_nothing_in_a_build(plan: Plan) -> None:
    build(plan, 1)
    findings, tally = check(Path(plan.out), [Path(plan.audio)])
    assert findings == []
    assert tally["streams"] == plan.streams


def test_resume_after_a_kill_gives_the_same_index(plan: Plan) -> None:
    whole = build(plan, 1)
    out = Path(plan.out)
    before = (out / "shard-000000.tar").stat().st_mtime_ns
    (out / "shard-000001.tar").unlink()
    (out / "shard-000002.tar").rename(out / "shard-000002.tar.part")
    (out / "index.json").unlink()
    assert build(plan, 1) == whole
    assert not list(out.glob("*.part"))
    assert (out / "shard-000000.tar").stat().st_mtime_ns == before


def test_a_build_may_grow(plan: Plan, tmp_path: Path) -> None:
    build(replace(plan, streams=6), 1)
    grown = build(plan, 1)
    assert grown["shards"] == build(replace(plan, out=str(tmp_path / "b")), 1)["shards"]


def test_another_build_is_not_mixed_in(plan: Plan) -> None:
    build(plan, 1)
    with pytest.raises(ConfigError, match="seed: expected 3, got 4"):
        build(replace(plan, seed=4), 1)


def test_check_finds_changed_shards_and_strays(plan: Plan) -> None:
    build(plan, 1)
    out = Path(plan.out)
    index = json.loads((out / "index.json").read_text())
    (out / "index.json").write_text(json.dumps({**index, "split": "dev"}))
    path = shard_paths(out)[0]
    path.write_bytes(path.read_bytes() + b"\0" * 512)
    findings, _ = check(out, [Path(plan.audio)])
    assert any("sha256 differs" in f for f in findings)
    assert any("not of split dev" in f for f in findings)


def test_dev_clips_and_closed_rows_never_reach_train(plan: Plan) -> None:
    rows = read_index(Path(plan.audio))
    train = {r.path for r in select(rows, "train")}
    assert not train & {r.path for r in rows if r.split != "train" or not r.open}
    assert "cow" not in load_sources(plan).all_labels
    assert load_sources(plan).orders
    assert not load_sources(replace(plan, coffee=False)).orders
    assert "cow" in load_sources(replace(plan, noncommercial=True)).all_labels


def test_cal_is_a_tenth_of_the_recordings() -> None:
    share = np.mean([split_of("train", f"a/{i}.ogg", "") == "cal" for i in range(2000)])
    assert 0.07 < share < 0.13
    assert len({split_of("train", f"a/{i}.ogg", "somebody") for i in range(50)}) == 1
    assert split_of("dev", "a", "") == "dev"


def test_a_broken_clip_is_left_behind(plan: Plan, corpus: Path, tmp_path: Path) -> None:
    root = tmp_path / "broken"
    root.mkdir()
    for path in corpus.iterdir():
        (root / path.name).symlink_to(path)
    rooster = [r.path for r in read_index(corpus) if r.label == "rooster" and r.split == "train"]
    for name in rooster:
        (root / name).unlink()
        (root / name).write_bytes(b"not audio")
    index = build(replace(plan, audio=str(root), subtask="narration"), 1)
    assert index["quarantined"] > 0
    assert "unreadable file" in (Path(plan.out) / "quarantine.json").read_text()
    for path in shard_paths(Path(plan.out)):
        for meta, _, _ in read_shard(path):
            assert not {e["source"] for e in meta["events"]} & set(rooster)


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


def test_commands(plan: Plan, tmp_path: Path) -> None:
    run = CliRunner().invoke
    options = ["--audio", plan.audio, "--out", plan.out, "--streams", "4", "--workers", "1", "--no-music"]
    asked = run(app, ["build", *options])
    assert asked.exit_code == 2
    assert "--bank" in asked.output
    assert run(app, ["build", *options, "--bank", plan.bank]).exit_code == 0
    assert run(app, ["check", plan.out, "--audio", plan.audio]).exit_code == 0
    picture = tmp_path / "a.png"
    assert run(app, ["show", plan.out, "--out", str(picture)]).exit_code == 0
    assert picture.stat().st_size > 10_000
    assert json.loads(run(app, ["stats", plan.out, "--json"]).output)["counts"]["streams"] == 4


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_cannot_load_its_sources_ends_the_build(plan: Plan, tmp_path: Path, workers: int) -> None:
    with pytest.raises(DataError, match="index"):
        build(replace(plan, bank=str(tmp_path / "no-bank")), workers)
