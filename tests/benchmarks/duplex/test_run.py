"""The benchmark from plan to report with systems that need no weights: resumed, scored again, failing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile

from benchmarks import instances
from benchmarks.duplex import layout, ledger, lines, plan, run, stage
from benchmarks.hear import Shop
from benchmarks.runs import Options
from benchmarks.systems import Setup
from soundflow.errors import ConfigError, DataError, SoundflowError
from tests.benchmarks.duplex.test_layout import published
from tests.benchmarks.duplex.voices import ToneVoice, tone_lines

TRIVIAL = ("always-silent", "always-respond")


@pytest.fixture
def options(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Options:
    monkeypatch.setattr(plan, "READ_S", (1.5, 7.0))
    monkeypatch.setattr(plan, "LISTEN_S", (3.0, 14.0))
    monkeypatch.setattr(stage, "_voice", ToneVoice)
    monkeypatch.setattr(lines, "speak", lambda out: tone_lines(tmp_path / "lines"))
    return Options(tmp_path / "out", corpus, workers=0, systems=TRIVIAL)


def test_from_plan_to_report(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run.run_duplex(options, each=1, keep=True)
    every = result.figures["all"]
    assert set(every) == set(TRIVIAL)
    turn, over = result.figures["turn"], result.figures["interruption"]
    assert (turn["always-silent"]["takeover"][0], turn["always-respond"]["takeover"][0]) == (0.0, 1.0)
    assert turn["always-respond"]["early"][0] == 1.0
    assert result.figures["pause/read"]["always-silent"]["right"][0] == 1.0
    assert over["always-silent"]["behaviours"]["unknown"] == 1.0
    assert result.figures["backchannel"]["always-respond"]["behaviours"]["resume"] == 1.0
    assert every["always-silent"]["right"][0] == pytest.approx(3 / 8)
    assert every["always-respond"]["right"][0] == pytest.approx(3 / 8)
    assert [p.name for p in result.section.pictures] == ["interruption"]
    assert (options.out / "report.html").is_file()
    assert (options.out / "interruption.png").read_bytes().startswith(b"\x89PNG")
    first = (options.out / instances.NAME).read_bytes()
    body = first.splitlines(keepends=True)
    (options.out / instances.NAME).write_bytes(b"".join(body[:-3]) + body[-3][:20])
    again = run.run_duplex(options, each=1, keep=True)
    assert {r["id"] for r in again.rows} == {r["id"] for r in result.rows}
    assert again.figures["all"] == result.figures["all"], "a run that was cut off goes on"
    monkeypatch.setattr(stage, "make", lambda *a: pytest.fail("nothing is heard"))
    scored = run.run_duplex(replace(options, score_only=True), each=1)
    assert scored.figures["all"] == result.figures["all"]
    with pytest.raises(DataError, match="configuration"):
        run.run_duplex(replace(options, seed=1), each=1)


def test_what_the_official_scorers_read(options: Options) -> None:
    run.run_duplex(options, each=1, scenarios=("turn", "pause", "interruption"), keep=True)
    folders = {p.name: next(p.iterdir()) for p in (options.out / "outputs" / "always-respond").iterdir()}
    assert set(folders) == {"turn_asked", "pause_read", "pause_asked", "interruption_over"}
    for folder in folders.values():
        out, rate = soundfile.read(folder / "output.wav")
        heard, _ = soundfile.read(folder / "input.wav")
        assert (rate, len(out)) == (16_000, len(heard))
        body = json.loads((folder / "output.json").read_text())
        assert body["text"] == " ".join(c["text"] for c in body["chunks"])
        assert all(0 <= c["timestamp"][0] <= c["timestamp"][1] <= len(out) / rate + 1e-3 for c in body["chunks"])
    (turn,) = json.loads((folders["turn_asked"] / "turn_taking.json").read_text())
    assert turn["timestamp"][0] == pytest.approx(2.8, abs=0.01)
    (pause,) = json.loads((folders["pause_asked"] / "pause.json").read_text())
    assert 0.6 <= pause["timestamp"][1] - pause["timestamp"][0] <= 2.0
    (broken,) = json.loads((folders["interruption_over"] / "interrupt.json").read_text())
    assert broken["interrupt"].startswith("Wait,")
    chunks = json.loads((folders["interruption_over"] / "output.json").read_text())["chunks"]
    assert all(c["timestamp"][0] >= broken["timestamp"][1] - 1e-3 for c in chunks), "the words behind its end"


def test_published_folders_are_heard(options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "speech", lambda audio: [(0, 16_000), (32_000, 48_000)])
    root = published(tmp_path / "fdb")
    reference = tmp_path / "icc.json"
    reference.write_text(json.dumps({"3": [1.0, 1.0]}))
    result = run.run_duplex(options, folder=root, reference=reference, keep=True)
    assert set(result.figures) == {*layout.TASKS, "all"}
    assert result.figures["candor_turn_taking"]["always-respond"]["latency_s"]["mean"][0] == 0.0
    assert result.figures["candor_pause_handling"]["always-respond"]["takeover"][0] == 1.0
    assert result.figures["icc_backchannel"]["always-silent"]["divergence"][0] == 1.0
    there = options.out / "outputs" / "always-respond" / "user_backchannel" / "1"
    assert {p.name for p in there.iterdir()} == {"output.wav", "output.json", "clean_output.wav", "clean_output.json"}
    groups = {r["item"]["group"] for r in result.rows}
    assert "clean" in groups, "heard for the official judge, and not scored"
    (root / "v1.0" / "icc_backchannel" / "3" / "input.wav").write_bytes(
        (root / "v1.0" / "candor_turn_taking" / "7" / "input.wav").read_bytes()
    )
    with pytest.raises(DataError, match="configuration"):
        run.run_duplex(options, folder=root, reference=reference, keep=True)


def test_failures_stay_in_the_denominator(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    real = stage.make

    def make(names: Any, *rest: Any) -> list[stage.Talker]:
        made = real(names, *rest)
        sit = made[0].sit

        def fails(ask: Any, told: Any) -> stage.Seat:
            if fails.calls == 1:  # type: ignore[attr-defined]
                raise SoundflowError("made to fail")
            fails.calls += 1  # type: ignore[attr-defined]
            return sit(ask, told)

        fails.calls = 0  # type: ignore[attr-defined]
        made[0].sit = fails  # type: ignore[method-assign]
        return made

    monkeypatch.setattr(stage, "make", make)
    result = run.run_duplex(replace(options, systems=("always-silent",)), each=2, scenarios=("pause",))
    body = result.figures["pause/asked"]["always-silent"]
    read = result.figures["pause/read"]["always-silent"]
    assert read["failed"] + body["failed"] >= 1
    whole = [result.figures[n]["always-silent"] for n in ("pause/read", "pause/asked")]
    assert all(b["right"][0] == pytest.approx(1 - b["failed"] / b["samples"]) for b in whole)
    assert sum(b["samples"] for b in whole) == 4


def test_a_clip_that_is_gone_is_a_row(options: Options, corpus: Path, tmp_path: Path) -> None:
    items = plan.plan([], run.Clips(corpus), tone_lines(tmp_path / "lines"), 1, 0, ["turn"])
    gone = replace(items[0], parts=(replace(items[0].parts[0], path="nowhere.wav"),))
    shop = Shop(Setup(corpus, TRIVIAL))
    rows = run.hear(gone, TRIVIAL, shop, lambda _: None)
    assert [r["system"] for r in rows] == list(TRIVIAL)
    assert all("nowhere.wav" in r["error"] for r in rows)
    assert run.hear(items[0], ("always-silent",), shop, lambda _: None)[0].get("error") is None


def test_a_voice_that_fails_is_an_error_row(corpus: Path, tmp_path: Path) -> None:
    items = plan.plan([], run.Clips(corpus), tone_lines(tmp_path / "lines"), 1, 0, ["turn"])
    shop = Shop(Setup(corpus, ("always-respond",)))
    shop.kept["talkers"] = [stage.Trivial("always-respond", ledger.Spoken(ToneVoice(fails=True)))]
    (row,) = run.hear(items[0], ("always-respond",), shop, lambda _: None)
    assert "made to fail" in row["error"]


def test_names_and_empty_folders(options: Options) -> None:
    with pytest.raises(ConfigError, match="vad-MILLISECONDS"):
        run.run_duplex(replace(options, systems=("rules",)), each=1)
    with pytest.raises(ConfigError, match="got none"):
        run.run_duplex(replace(options, score_only=True))
