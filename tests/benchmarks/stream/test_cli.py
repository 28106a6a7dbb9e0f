"""The command lines: options are checked before anything is heard, and sentences are listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.stream.cli import app
from benchmarks.stream.words import sentences
from soundflow.errors import ConfigError
from tests.benchmarks.stream.fakes import make_voices


def test_sentences_one_a_line() -> None:
    found = CliRunner().invoke(app, ["sentences"])
    assert found.exit_code == 0
    assert found.output.splitlines() == list(sentences())


@pytest.mark.parametrize(
    "words",
    [
        ["retention", "--rounds", "1,x"],
        ["retention", "--gaps", "none"],
        ["retention", "--what", "songs"],
        ["review", "--lags", "soon"],
        ["needle", "--depths", "deep"],
    ],
)
def test_what_cannot_be_is_said(words: list[str], tmp_path: Path) -> None:
    found = CliRunner().invoke(app, [*words, "--out", str(tmp_path)])
    assert isinstance(found.exception, ConfigError)
    assert "expected" in str(found.exception)


def test_a_run_from_the_command_line(corpus: Path, tmp_path: Path) -> None:
    spoken = make_voices(tmp_path / "voices")
    words = ["needle", "--out", str(tmp_path / "out"), "--audio", str(corpus), "--systems", "always-silent"]
    words += ["--minutes", "1", "--streams", "1", "--depths", "0.5", "--workers", "0", "--spoken", str(spoken)]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    assert "Needles in a long stream" in found.output
    assert (tmp_path / "out" / "figures.json").is_file()
