"""The commands: names, defaults, and what they hand on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.duplex import cli, plan, run, stage, texts

app = typer.Typer()
app.command("duplex")(cli.duplex)
app.command("duplex-lines")(cli.duplex_lines)


def test_lines_are_printed_once() -> None:
    printed = CliRunner().invoke(app, ["duplex-lines"]).stdout.splitlines()
    assert set(printed) == set(texts.lines())
    assert len(printed) == len(set(printed))


def test_options_are_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got: dict[str, Any] = {}

    def heard(o: Any, *rest: Any) -> None:
        got.update({"o": o, "rest": rest})

    monkeypatch.setattr(run, "run_duplex", heard)
    monkeypatch.setattr(cli, "show", lambda result, out: None)
    asked = ["duplex", "--out", str(tmp_path), "--each", "3", "--scenarios", "turn, pause", "--systems", "vad-400"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    assert got["o"].systems == ("vad-400",)
    assert got["rest"] == (3, ("turn", "pause"), None, None, None, False, 2)


def test_defaults_are_those_of_the_package() -> None:
    assert tuple(cli.DEFAULT.split(",")) == stage.SYSTEMS
    assert tuple(cli.ALL.split(",")) == plan.SCENARIOS
