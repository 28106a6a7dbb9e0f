"""Voices refuse what must not reach an engine; programs fail with reasons."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from data_builder.speech import protocol
from data_builder.speech.protocol import EMOTIONS, Stalled, Voice, read, run
from soundflow.errors import ConfigError, DataError


@pytest.mark.parametrize("name", ["", "-v", "../up", "a b", 'x)(system "ls")', "a/b", "a\n"])
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="voice name"):
        Voice("festival", name)


@pytest.mark.parametrize("wrong", [{"rate": 0.4}, {"rate": 2.1}, {"pitch": -1}, {"pitch": 100}, {"emotion": "bored"}])
def test_a_setting_outside_its_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        Voice("espeak", "en-us", **wrong)  # type: ignore[arg-type]


def test_emotions_differ_and_stay_in_range() -> None:
    moods = {e: Voice("espeak", "en-us+f3", emotion=e).prosody for e in EMOTIONS}
    assert len(set(moods.values())) == len(EMOTIONS)
    assert moods["sad"].rate < moods["neutral"].rate < moods["happy"].rate
    assert Voice("espeak", "en-us", pitch=99, emotion="afraid").prosody.pitch == 99
    assert Voice("espeak", "en-us", 1.15, 35).id == "espeak:en-us:1.15:35"


def test_a_program_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"hello: .*exit code 0, got 3: oops"):
        run([sys.executable, "-c", "import sys; sys.exit((sys.stderr.write('oops'), 3)[1])"], "hello")
    with pytest.raises(Stalled, match="expected a program"):
        run(["no-such-engine"], "hello")
    with pytest.raises(Stalled, match="signal 9"):
        run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], "hello")
    monkeypatch.setattr(protocol, "TIME_LIMIT_S", 0.1)
    with pytest.raises(Stalled, match="within"):
        run([sys.executable, "-c", "import time; time.sleep(9)"], "hello")


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF no")
    with pytest.raises(DataError, match="sound file"):
        read(tmp_path / "a.wav", "hello")
