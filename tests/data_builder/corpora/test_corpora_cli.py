"""`corpora`, `prepare`, `download` and `unpack` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from data_builder.corpora.cli import app
from data_builder.corpora.registry import RECIPES
from tests.data_builder.corpora.layouts import LAYOUTS
from tests.data_builder.corpora.test_unpack import tar_of

RUNNER = CliRunner()


def test_the_list_names_every_corpus() -> None:
    shown = RUNNER.invoke(app, ["corpora"])
    assert shown.exit_code == 0
    assert all(name in shown.output and recipe.licence in shown.output for name, recipe in RECIPES.items())
    listed = json.loads(RUNNER.invoke(app, ["corpora", "--json"]).output)
    assert [entry["name"] for entry in listed] == list(RECIPES)


def test_prepare_says_what_it_did(tmp_path: Path) -> None:
    LAYOUTS["esc50"].build(tmp_path / "raw")
    done = RUNNER.invoke(app, ["prepare", "ESC50", "--raw", str(tmp_path / "raw"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert "1 dev, 2 train" in done.output
    assert (tmp_path / "out" / "index.csv").is_file()


def test_errors_are_one_line_and_exit_code_2(tmp_path: Path) -> None:
    for arguments in (
        ["prepare", "nothing", "--raw", str(tmp_path), "--out", str(tmp_path / "o")],
        ["prepare", "wham", "--raw", str(tmp_path), "--out", str(tmp_path / "o")],
        ["download", "gigaspeech", "--out", str(tmp_path)],
        ["download", "crema-d", "--out", str(tmp_path)],
        ["unpack", str(tmp_path / "none"), "--out", str(tmp_path / "o")],
    ):
        done = RUNNER.invoke(app, arguments)
        assert done.exit_code == 2
        assert done.output.startswith("bad_data: ")
        assert len(done.output.splitlines()) == 1


def test_unpack_tells_what_it_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_of([("good", b"1"), ("../evil", b"2")]))
    done = RUNNER.invoke(app, ["unpack", str(tmp_path / "a.tar"), "--out", str(tmp_path / "o")])
    assert done.exit_code == 0
    assert "../evil" in done.output
    assert "1 files" in done.output
    (tmp_path / "a.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:1100])
    assert RUNNER.invoke(app, ["unpack", str(tmp_path / "a.tar"), "--out", str(tmp_path / "p")]).exit_code == 1
