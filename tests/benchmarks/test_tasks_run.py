"""Shards -> items -> rows -> report: what is broken is said, what fails is counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import instances, systems, tasks
from benchmarks.cli import app
from benchmarks.no_memory import Forgetful
from benchmarks.runs import Options
from benchmarks.systems import Ask, Setup, Trivial
from benchmarks.workers import run
from soundflow.errors import ConfigError, DataError
from soundflow.events import Event, SpeechStarted, Transcript
from soundflow.types import FloatArray
from tests.benchmarks.fakes import FakeSystem, hears_beeps
from tests.benchmarks.task_shards import CHUNK, alarms, both, flac, meta, stream, write


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    write(folder / "shard-000000.tar", alarms(2))
    return folder


def test_a_dialogue_is_heard_whole_with_a_tail_of_its_own_noise(data: Path) -> None:
    item = tasks.plan(tasks.read_metas(data), "dev", 0, 0)[0]
    audio = tasks.audio_of(item, data, CHUNK)
    assert len(audio) == 26 * CHUNK
    np.testing.assert_allclose(audio[: 20 * CHUNK], stream(5), atol=2 / 32768)
    before, tail = (float(np.sqrt(np.mean(x**2))) for x in (audio[: 4 * CHUNK], audio[20 * CHUNK :]))
    assert 0.5 < tail / before < 2


def test_systems_hear_shards_and_what_fails_is_a_wrong_row(data: Path, tmp_path: Path) -> None:
    items = tasks.plan(tasks.read_metas(data), "dev", 0, 0)

    def crashes(pcm: Any) -> float:
        raise RuntimeError("a bug")

    made = [FakeSystem("good", hears_beeps), FakeSystem("bad", crashes), Trivial("always-silent")]
    rows = run("tasks", items, tmp_path / "out", Setup(data), tasks.hear, workers=0, systems=made)
    assert len(rows) == 3 * len(items)
    assert all("RuntimeError: a bug" in r["error"] for r in rows if r["system"] == "bad")
    figures = tasks.task_scores.score(rows, draws=50)["systems"]
    heard = {s: figures[s]["subtasks"]["proactive_hazard"]["balanced_accuracy"][0] for s in figures}
    assert heard == {"good": 1.0, "bad": 0.0, "always-silent": 0.5}
    assert figures["bad"]["subtasks"]["proactive_hazard"]["failed"] == 4


def test_audio_that_cannot_be_decoded_or_is_too_short_is_a_wrong_row(tmp_path: Path) -> None:
    bad, short = meta("bad", "x", "chat"), meta("short", "x", "chat")
    listed = [("bad.flac", b"fLaC nonsense"), ("bad.json", json.dumps(bad).encode())]
    listed += [("short.flac", flac(stream(None)[:CHUNK])), ("short.json", json.dumps(short).encode())]
    write(tmp_path / "s.tar", listed)
    items = tasks.plan(tasks.read_metas(tmp_path), "dev", 0, 0)
    made = [FakeSystem("good", hears_beeps)]
    rows = run("tasks", items, tmp_path / "out", Setup(tmp_path), tasks.hear, workers=0, systems=made)
    assert len(rows) == 2
    assert all(r["error"].startswith("data_error") or "expected" in r["error"] for r in rows)


def _without_audio(good: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return good[1:]


def _twice(good: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [*good, *good[:2]]


def _no_json(good: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [good[0], (good[1][0], b"[]"), *good[2:]]


def _other_schema(good: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return both(meta("a", "x", "chat", schema=1), stream(None))


def _strange_tools(good: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return both(meta("a", "x", "chat", tools="garden"), stream(None))


@pytest.mark.parametrize("spoil", [_without_audio, _twice, _no_json, _other_schema, _strange_tools])
def test_broken_shards_are_named(
    tmp_path: Path, spoil: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]
) -> None:
    write(tmp_path / "s.tar", spoil(alarms(1)))
    with pytest.raises(DataError, match=r"s\.tar"):
        tasks.read_metas(tmp_path)


def test_a_shard_that_was_cut_off_is_named(data: Path) -> None:
    shard = next(data.glob("*.tar"))
    shard.write_bytes(shard.read_bytes()[:70_000])
    with pytest.raises(DataError, match=r"shard-000000\.tar"):
        tasks.read_metas(data)


def test_an_id_in_two_shards_is_an_error(data: Path) -> None:
    write(data / "shard-000001.tar", alarms(1))
    with pytest.raises(DataError, match=r"a0.*once"):
        tasks.read_metas(data)


def test_no_shards_and_the_wrong_split(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shards"):
        tasks.read_metas(tmp_path / "none")
    with pytest.raises(ConfigError, match="train"):
        tasks.plan(tasks.read_metas(data), "train", 0, 0)


def test_a_part_of_each_sub_task_has_both_sides(data: Path) -> None:
    metas = tasks.read_metas(data)
    items = tasks.plan(metas, "dev", 2, 0)
    assert sorted(i.respond for i in items) == ["no", "yes"]
    assert items == tasks.plan(metas[::-1], "dev", 2, 0)


def test_the_command_hears_resumes_and_scores_again(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["tasks", str(data), "--out", str(out), "--systems", "always-silent", "--workers", "0"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    lines = (out / "instances.jsonl").read_text().splitlines(keepends=True)
    assert len(lines) == 4
    (out / "instances.jsonl").write_text("".join(lines[:2]))
    assert CliRunner().invoke(app, words).exit_code == 0
    assert {r["id"] for r in instances.read(out)} == {"a0", "a1", "b0", "b1"}
    figures = json.loads((out / "figures.json").read_text())["figures"]
    assert figures["systems"]["always-silent"]["subtasks"]["proactive_hazard"]["silent_recall"][0] == 1.0
    again = CliRunner().invoke(app, ["tasks", "--out", str(out), "--score-only"])
    assert again.exit_code == 0, again.output
    assert json.loads((out / "figures.json").read_text())["figures"] == figures
    assert "proactive" in (out / "report.md").read_text()


def test_options_that_make_no_sense(data: Path, tmp_path: Path) -> None:
    o = Options(tmp_path / "o", systems=("always-silent",), workers=0)
    with pytest.raises(ConfigError, match="rules"):
        tasks.run_tasks(replace(o, systems=("rules",)), data)
    with pytest.raises(ConfigError, match="score-only"):
        tasks.run_tasks(o, None)
    with pytest.raises(ConfigError, match="instances"):
        tasks.run_tasks(replace(o, score_only=True), None)
    tasks.run_tasks(o, data, per_task=2)
    with pytest.raises(DataError, match="configuration"):
        tasks.run_tasks(o, data, per_task=1)
    assert len(instances.read(o.out)) == 2


class ScriptedStream:
    """A stream whose events are given; it keeps what it is told to restore."""

    script: ClassVar[list[list[Event]]] = []

    def __init__(self, *_: object, **__: object) -> None:
        self.chunk, self.reply, self.restored = 0, None, []

    def push(self, pcm: FloatArray) -> list[Event]:
        self.chunk += 1
        return self.script[self.chunk - 1]

    def snapshot(self) -> dict[str, Any]:
        session = {"notes": ("dog",), "fresh": (1,), "replies": 3}
        return {"lalm": self.chunk, "pending": ["x"], "session": session, "reply": self.reply, "tags": ["kept"]}

    def restore(self, saved: dict[str, Any]) -> None:
        self.restored.append((self.chunk, saved))


def test_without_memory_a_new_turn_begins_from_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    began = SpeechStarted(t=0.0, start=0.0)
    partial, closed = (Transcript(t=0.0, text="a", final=f, start=0.0, end=0.0, stable=1) for f in (False, True))
    # The first turn, with a pause in it; the second, while a reply is being made for two chunks; a third.
    ScriptedStream.script = [[began], [partial], [began], [closed], [], [began], [], [closed], [began, partial]]
    monkeypatch.setattr(systems, "Stream", ScriptedStream)
    model: Any = SimpleNamespace(perceiver=SimpleNamespace(labels=[]), chunk_samples=6400)
    listener = Forgetful(model, Ask())
    stream: Any = listener.stream
    for k in range(len(ScriptedStream.script)):
        stream.reply = {"under": "way"} if k in (4, 5) else None
        listener.push(np.zeros(CHUNK, np.float32))
    assert [at for at, _ in stream.restored] == [7, 9]
    saved = stream.restored[0][1]
    assert (saved["lalm"], saved["pending"], saved["tags"]) == (0, [], ["kept"])
    assert saved["session"] == {"notes": (), "fresh": (), "said": (), "replies": 3}
