"""From files to a report: a crash, a missing clip, a resume, and the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from benchmarks import instances
from benchmarks.runs import Options
from benchmarks.systems import NAMES, Ask, Listener, System
from benchmarks.understand import cli, runner
from benchmarks.understand.run import chosen, run_understand, run_voicebench
from soundflow.errors import ConfigError, DataError
from soundflow.events import Event, ReplyDone
from tests.benchmarks.fakes import CHUNK, FakeListener
from tests.benchmarks.understand.test_questions import entry, write
from tests.benchmarks.understand.test_voicebench import make as make_voicebench


class Answers:
    """A system that says what `say` makes of its instruction, at the end of the stream."""

    name, chunk = "always-silent", CHUNK

    def __init__(self, say: Callable[[str], str]) -> None:
        self._say, self.asked = say, list[str]()

    def open(self, ask: Ask) -> Listener:
        self.asked.append(ask.instruction)
        text = self._say(ask.instruction)

        class Late(FakeListener):
            def close(self) -> list[Event]:
                return [ReplyDone(t=1.0, id="r1", text=text)] if text else []

        return Late(lambda pcm: 0.0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three questions with audio, a fourth without."""
    folder = tmp_path / "mmau"
    (folder / "test-mini-audios").mkdir(parents=True)
    for name in ("q1", "q2", "q3"):
        soundfile.write(folder / "test-mini-audios" / f"{name}.wav", np.full(8000, 0.1, np.float32), 8_000)
    write(folder, [entry(f"q{k}", task=("sound", "speech")[k % 2]) for k in (1, 2, 3, 4)])
    return folder


def options(out: Path, **more: Any) -> Options:
    return Options(out, workers=0, systems=("always-silent",), **more)


def fake(monkeypatch: pytest.MonkeyPatch, say: Callable[[str], str]) -> Answers:
    made = Answers(say)
    found: list[System] = [made]
    monkeypatch.setattr(runner, "make", lambda setup: found)
    return made


def test_from_mmaus_files_to_a_report(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = fake(monkeypatch, lambda asked: "It is a woman." if "Choose one of: Man" in asked else "A robot")
    result = run_understand(options(tmp_path / "out"), data, circular=True)
    body = result.figures["systems"]["always-silent"]
    assert body["failed"] == 1, "the missing clip"
    # "a" is a word of no choice here, so "It is a woman." counts; in the other orders it says something else
    assert body["methods"]["text"]["accuracy"][0] == 0.75
    assert body["methods"]["text"]["circular"][0] == 0.0
    assert made.asked[1].endswith("Choose one of: Woman; Child; Robot; Man.")
    assert "Multiple choice" in (tmp_path / "out" / "report.md").read_text()
    rows = instances.read(tmp_path / "out")
    assert "q4.wav" in next(r["error"] for r in rows if r["id"] == "q4")
    assert (
        json.loads((tmp_path / "out" / "predictions" / "always-silent-text.json").read_text())[3]["model_prediction"]
        == ""
    )


def test_a_run_goes_on_where_it_was_and_scores_alone(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, lambda asked: "woman")
    whole = run_understand(options(tmp_path / "out"), data)
    path = tmp_path / "out" / instances.NAME
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:2]) + lines[2][:40])
    made = fake(monkeypatch, lambda asked: "woman")
    again = run_understand(options(tmp_path / "out"), data)
    assert len(made.asked) == 1, "the cut line and the missing clip, which is no system's"
    assert again.figures == whole.figures
    assert run_understand(options(tmp_path / "out", score_only=True)).figures == whole.figures
    with pytest.raises(DataError, match="configuration"):
        run_understand(options(tmp_path / "out"), data, circular=True)


def test_a_bug_of_a_system_is_a_wrong_row(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def say(asked: str) -> str:
        raise RuntimeError("a bug")

    fake(monkeypatch, say)
    body = run_understand(options(tmp_path / "out"), data).figures["systems"]["always-silent"]
    assert (body["items"], body["failed"]) == (4, 4)
    assert body["methods"]["text"]["accuracy"][0] == 0.0


def test_names_of_systems(tmp_path: Path) -> None:
    assert ",".join(runner.DEFAULT) == cli.ALL
    assert chosen(Options(tmp_path)).systems == runner.DEFAULT
    assert chosen(Options(tmp_path, systems=NAMES[:1])).systems == ("nano",)
    runner.check(("nano-int8-blind", "nano-no-tags", "tag-word-rule", "ws://host:1/v1/realtime"))
    for name in ("rules-blind", "nano-blind-blind", "tag-rule-blind", "mini"):
        with pytest.raises(ConfigError, match=name):
            runner.check((name,))


def test_voicebench_from_files_to_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_voicebench(tmp_path / "data")
    fake(monkeypatch, lambda asked: "I cannot say.")
    found = run_voicebench(options(tmp_path / "out"), folder).figures
    assert found["advbench"]["systems"]["always-silent"]["asked"][0] == 1.0
    assert found["openbookqa"]["systems"]["always-silent"]["unread"] == 1.0
    assert (tmp_path / "out" / "predictions" / "always-silent-alpacaeval-test-audio.jsonl").is_file()
    with pytest.raises(ConfigError, match="answer in words"):
        run_voicebench(Options(tmp_path / "x", systems=("tag-rule",)), folder)
    typed = run_voicebench(options(tmp_path / "typed"), folder, ("sd-qa",), modality="text").figures
    assert typed["sd-qa"]["systems"]["always-silent"]["failed"] == 1, "typed prompts are for our models"


def test_the_commands(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()
    app.command("understand")(cli.understand)
    app.command("voicebench")(cli.voicebench)
    fake(monkeypatch, lambda asked: "woman")
    where = ["--out", str(tmp_path / "out"), "--workers", "0", "--systems", "always-silent"]
    done = CliRunner().invoke(app, ["understand", *where, "--data", str(data), "--most", "2"])
    assert done.exit_code == 0, done.output
    assert "report.html" in done.output
    assert len(instances.read(tmp_path / "out")) == 2
    spoken = make_voicebench(tmp_path / "vb")
    where[1] = str(tmp_path / "out2")
    done = CliRunner().invoke(app, ["voicebench", str(spoken), *where, "--subsets", "sd-qa,bbh"])
    assert done.exit_code == 0, done.output
    assert len(instances.read(tmp_path / "out2")) == 3
