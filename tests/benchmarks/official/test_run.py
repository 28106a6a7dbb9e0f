"""Sets heard clip by clip and as streams: missing clips, crashes, resume, predictions in the official form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from benchmarks import instances
from benchmarks.official import cli, listen, multi, run
from benchmarks.official.formats import parse_reply, raw_reply, read_manifest, read_predictions
from benchmarks.official.marks import figures
from benchmarks.plan import item_seed
from benchmarks.runs import Options
from benchmarks.systems import Setup, Trivial
from benchmarks.workers import run as run_items
from soundflow.errors import ConfigError, DataError
from tests.benchmarks.fakes import CHUNK, FakeSystem, hears_beeps, loud
from tests.benchmarks.official.sets import CLIPS, make_set, write_json_lines

TRIVIAL = ("always-silent", "always-respond", "random")


def hear(folder: Path, out: Path, *systems: Any) -> dict[str, dict[str, Any]]:
    items = listen.single(read_manifest(folder / "manifest.jsonl"), folder, 0)
    rows = run_items("fake", items, out, Setup(folder), listen.hear, workers=0, systems=systems)
    return {name: figures(found, 50) for name, found in run._told(rows).items()}


def test_one_that_hears_and_one_that_does_not(tmp_path: Path) -> None:
    make_set(tmp_path)
    nervous = FakeSystem("nervous", loud)
    found = hear(tmp_path, tmp_path / "out", FakeSystem("good", hears_beeps), nervous, Trivial("always-respond"))
    assert found["good"]["accuracy"][0] == 1.0
    assert found["nervous"]["ignore_recall"][0] == found["always-respond"]["ignore_recall"][0] == 0.0
    assert found["nervous"]["respond_recall"][0] == found["always-respond"]["respond_recall"][0] == 1.0
    assert found["good"]["auc"] == 1.0


def test_clips_of_another_rate_and_stereo_are_heard_alike(tmp_path: Path) -> None:
    make_set(tmp_path, rate=48_000)
    assert hear(tmp_path, tmp_path / "out", FakeSystem("good", hears_beeps))["good"]["right"] == 6


def test_a_missing_clip_a_broken_one_and_a_crash_count_as_wrong(tmp_path: Path) -> None:
    make_set(tmp_path, without=("aa", "ba"))
    crowd = tmp_path / "proactive-sound-effect/Human/Crowds/IGNORE/da.wav"
    crowd.write_bytes(b"RIFF no audio")
    failing = FakeSystem("failing", hears_beeps, fails_on=item_seed(0, "ca"))
    found = hear(tmp_path, tmp_path / "out", FakeSystem("good", hears_beeps), failing, Trivial("always-silent"))
    good, bad, silent = found["good"], found["failing"], found["always-silent"]
    assert (good["clips"], good["failed"], good["right"]) == (6, 3, 3)
    assert (bad["clips"], bad["failed"], bad["right"]) == (6, 4, 2)
    assert silent["right"] == 1, "silence is not right for a clip that was not heard"
    rows = {(r["id"], r["system"]): r.get("error", "") for r in instances.read(tmp_path / "out")}
    assert "no such file" in rows["aa", "good"]
    assert "aa.wav" in rows["aa", "good"]
    assert "da.wav" in rows["da", "good"]
    assert "made to fail" in rows["ca", "failing"]
    assert rows["ca", "good"] == ""


def test_a_run_that_stopped_goes_on(tmp_path: Path) -> None:
    make_set(tmp_path)
    out, first = tmp_path / "out", FakeSystem("good", hears_beeps)
    hear(tmp_path, out, first)
    whole = (out / "instances.jsonl").read_text().splitlines(keepends=True)
    (out / "instances.jsonl").write_text("".join(whole[:2]) + whole[2][:40])
    again = FakeSystem("good", hears_beeps)
    assert hear(tmp_path, out, again)["good"]["right"] == 6
    assert (first.opened, again.opened) == (6, 4)


def options(out: Path, **more: Any) -> Options:
    return Options(out, workers=0, systems=TRIVIAL, **more)


def test_from_files_to_report_and_predictions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest, out = make_set(tmp_path / "set", without=("db",)), tmp_path / "out"
    result = run.run_official(options(out), manifest, tmp_path / "set")
    assert "1 of 6 are not in" in capsys.readouterr().err
    systems = result.figures["systems"]
    assert [systems[n]["right"] for n in TRIVIAL[:2]] == [2, 3]
    samples = read_manifest(manifest)
    told = read_predictions(out / "predictions" / "always-respond.jsonl", samples)
    assert {k: p.decision for k, p in told.items()} == {c[0]: "" if c[0] == "db" else "RESPOND" for c in CLIPS}
    assert told["db"].raw.startswith("Error: bad_data")
    body = json.loads((out / "figures.json").read_text())
    assert len(body["figures"]["predictions_sha256"]["random"]) == 64
    assert body["figures"]["versions"]["numpy"] == np.__version__
    page = (out / "report.md").read_text()
    assert body["figures"]["predictions_sha256"]["random"] in page
    assert "| always-silent |" in page
    again = run.run_official(options(out, score_only=True), manifest, tmp_path / "set")
    assert again.figures == result.figures
    with pytest.raises(DataError, match="another --out"):
        run.run_official(options(out, seed=1), manifest, tmp_path / "set")


def test_scoring_a_file_gives_what_the_run_gave(tmp_path: Path) -> None:
    manifest, out = make_set(tmp_path / "set"), tmp_path / "out"
    ran = run.run_official(options(out), manifest, tmp_path / "set").figures["systems"]["random"]
    file = out / "predictions" / "random.jsonl"
    scored = run.run_predictions(options(tmp_path / "scored"), manifest, file).figures["systems"]
    for key in ("clips", "right", "confusion", "accuracy", "balanced_accuracy", "by_macro", "by_class"):
        assert scored["predictions"][key] == ran[key], key
    assert set(scored) == {"predictions", *TRIVIAL}
    kept = file.read_text().splitlines(keepends=True)
    file.write_text("".join(kept[:-2]))
    fewer = run.run_predictions(options(tmp_path / "fewer"), manifest, file).figures["systems"]["predictions"]
    assert (fewer["clips"], fewer["missing"]) == (6, 2)
    assert fewer["right"] <= ran["right"]


def test_a_run_stands_beside_given_predictions(tmp_path: Path) -> None:
    manifest = make_set(tmp_path / "set")
    rules = FakeSystem("rules", loud)
    hear(tmp_path / "set", tmp_path / "ran", rules, Trivial("always-silent"))
    samples = read_manifest(manifest)
    told = [{"id": s.id, "_raw_reply": raw_reply(s.respond, "x")} for s in reversed(samples)]
    file = write_json_lines(tmp_path / "p.jsonl", told)
    o = options(tmp_path / "out")
    systems = run.run_predictions(o, manifest, file, beside=tmp_path / "ran").figures["systems"]
    assert list(systems) == ["predictions", "rules", *TRIVIAL]
    assert systems["predictions"]["minus_rules"][0] == 0.5
    fewer = write_json_lines(tmp_path / "fewer.jsonl", [json.loads(x) for x in manifest.read_text().splitlines()[:-1]])
    file = write_json_lines(tmp_path / "p.jsonl", told[1:])
    with pytest.raises(ConfigError, match="expected a run on the clips of"):
        run.run_predictions(options(tmp_path / "out2"), fewer, file, beside=tmp_path / "ran")


def test_no_clip_at_all_is_a_wrong_folder(tmp_path: Path) -> None:
    manifest = make_set(tmp_path, without=[c[0] for c in CLIPS])
    with pytest.raises(ConfigError, match="got none of 6"):
        run.run_official(options(tmp_path / "out"), manifest, tmp_path)
    whole = make_set(tmp_path / "whole")
    with pytest.raises(ConfigError, match="nobody"):
        run.run_official(Options(tmp_path / "out", systems=("nobody",)), whole, tmp_path / "whole")
    with pytest.raises(ConfigError, match="single or multi"):
        run.run_official(options(tmp_path / "out"), manifest, tmp_path, "triple")


def row(decisions: str, clips: list[dict[str, Any]]) -> dict[str, Any]:
    count = len(decisions)
    odds = {"p_speak": [0.9 if d == "S" else 0.1 for d in decisions], "p_act": [0.0] * count}
    told = [{"id": f"c{k}", "decision": "RESPOND", "macro": "M", "meso": "m"} | c for k, c in enumerate(clips)]
    replies = [{"t": 0.4 * k + 1, "text": f"said {k}"} for k, d in enumerate(decisions) if d == "S"]
    base = {"item": {"facts": {"clips": told}}, "chunk": CHUNK, "decisions": decisions, "clips": told}
    return base | odds | {"replies": replies, "cancelled": [], "actions": []}


def test_a_response_belongs_to_the_clip_that_sounds() -> None:
    clips = [{"onset": 2 * CHUNK}, {"onset": 5 * CHUNK + 100}, {"onset": None}, {"onset": 9 * CHUNK}]
    found = listen.verdicts(row("Sss" + "sS" + "ss" + "s" * 5, clips))
    assert [v.decision for v in found] == ["RESPOND", "IGNORE", "", "IGNORE"]
    assert [v.why for v in found] == ["", "", "failed", ""]
    assert parse_reply(found[0].raw) == ("RESPOND", "said 4"), "not what was said before it began"
    assert listen.early(row("Ssssssssss", clips))
    assert not listen.early(row("ssSsssssss", clips))
    late = listen.verdicts(row("sssss" + "Sssss", clips))
    assert [v.decision for v in late] == ["IGNORE", "RESPOND", "", "IGNORE"], "the chunk of an onset is the new clip's"


def test_an_act_is_a_response() -> None:
    acted = row("ssA", [{"onset": 0}]) | {"actions": [{"name": "call_help"}]}
    assert parse_reply(listen.verdicts(acted)[0].raw) == ("RESPOND", "call_help")


def test_streams_are_the_same_for_a_seed_and_hold_their_clips(tmp_path: Path) -> None:
    manifest = make_set(tmp_path / "set", without=("db",))
    samples = read_manifest(manifest)
    counts = multi.compose(samples, tmp_path / "set", tmp_path / "a", 7, clips=2)
    assert counts == {"streams": 4, "clips": 5, "missing": 1}
    multi.compose(samples, tmp_path / "set", tmp_path / "b", 7, clips=2)
    multi.compose(samples, tmp_path / "set", tmp_path / "c", 8, clips=2)
    text = {k: (tmp_path / k / "streams.jsonl").read_text() for k in "abc"}
    assert text["a"] == text["b"] != text["c"]
    rows = multi.read_streams(tmp_path / "a" / "streams.jsonl")
    assert sorted(c["id"] for r in rows for c in r["clips"]) == [c[0] for c in CLIPS]
    assert [c["id"] for r in rows for c in r["clips"] if c["onset"] is None] == ["db"]
    first = rows[0]
    audio, rate = soundfile.read(tmp_path / "a" / first["path"], dtype="float32")
    assert rate == 16_000
    assert len(audio) == first["samples"]
    for clip in first["clips"]:
        inside, before = audio[clip["onset"] : clip["offset"]], audio[clip["onset"] - 8000 : clip["onset"]]
        assert np.sqrt(np.mean(inside**2)) > 20 * np.sqrt(np.mean(before**2))
    gaps = [b["onset"] - a["offset"] for a, b in zip(first["clips"], first["clips"][1:], strict=False)]
    assert all(3.2 * 16_000 <= g <= 6.0 * 16_000 for g in gaps)


def test_the_multi_tier_is_read_as_files(tmp_path: Path) -> None:
    manifest, folder = make_set(tmp_path / "set", without=("db",)), tmp_path / "streams"
    multi.compose(read_manifest(manifest), tmp_path / "set", folder, 7, clips=3)
    streams = multi.read_streams(folder / "streams.jsonl")
    systems = [FakeSystem("good", hears_beeps), FakeSystem("nervous", loud)]
    items = multi.plan(streams, 0)
    rows = run_items("fake", items, tmp_path / "out", Setup(folder), listen.hear, workers=0, systems=systems)
    told = run._told(rows)
    assert [v.id for v in told["good"]] == [c[0] for c in CLIPS]
    assert {v.id: v.right for v in told["good"]} == {c[0]: c[0] != "db" for c in CLIPS}
    assert [v.right for v in told["nervous"]] == [c[3] == "RESPOND" for c in CLIPS]
    assert run.run_official(options(tmp_path / "r"), folder / "streams.jsonl", folder, "multi").rows
    loudest = folder / streams[0]["path"]
    soundfile.write(loudest, np.zeros(1000, np.float32), 16_000)
    with pytest.raises(DataError, match="another stream"):
        run.run_official(options(tmp_path / "s"), folder / "streams.jsonl", folder, "multi")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"samples": 10}, "within 10 samples"),
        ({"clips": []}, "list of objects"),
        ({"clips": [{"id": "a", "decision": "?", "meso": "m"}]}, "RESPOND or IGNORE"),
        ({"seed": "7"}, "whole numbers"),
        ({"path": "../x.wav"}, "inside the audio folder"),
        ({"clips": [{"id": "a", "decision": "IGNORE", "meso": "m", "onset": 5, "offset": None}]}, "in order"),
    ],
)
def test_a_broken_stream_row_is_an_error(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    clip = {"id": "a", "decision": "IGNORE", "meso": "m", "onset": 100, "offset": 200}
    good = {"id": "s", "path": "./s.wav", "category": "M", "seed": 0, "samples": 300, "sha256": "0", "clips": [clip]}
    path = write_json_lines(tmp_path / "streams.jsonl", [good])
    assert len(multi.read_streams(path)) == 1
    with pytest.raises(DataError, match=words):
        multi.read_streams(write_json_lines(path, [good | change]))
    with pytest.raises(DataError, match="again"):
        multi.read_streams(write_json_lines(path, [good, good | {"id": "t"}]))


def test_the_commands(tmp_path: Path) -> None:
    import typer

    app = typer.Typer()
    app.command("official")(cli.official)
    app.command("official-streams")(cli.official_streams)
    manifest = make_set(tmp_path / "set")
    common = ["--manifest", str(manifest)]
    calls = ["official", "--out", str(tmp_path / "out"), *common, "--workers", "0", "--systems", "always-silent"]
    assert isinstance(CliRunner().invoke(app, calls).exception, ConfigError)
    done = CliRunner().invoke(app, [*calls, "--audio", str(tmp_path / "set")])
    assert done.exit_code == 0, done.output
    assert "report.html" in done.output
    told = ["--predictions", str(tmp_path / "out/predictions/always-silent.jsonl")]
    done = CliRunner().invoke(app, ["official", "--out", str(tmp_path / "p"), *common, *told])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(
        app, ["official-streams", "--out", str(tmp_path / "st"), *common, "--audio", str(tmp_path / "set")]
    )
    assert "2 streams  6 clips  0 missing" in done.output
