"""`soundflow train`: a path is a recipe, a folder that holds a run is not overwritten, an export is an adapter."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import training.cli
import training.features
from soundflow.errors import ConfigError, WeightsError
from soundflow.tiers import checkpoint
from tests.training.tiny import ITEMS, trained
from training.export import export

RUNNER = CliRunner()
RECIPE = "out: {out}\ntrain: [a]\ncal: [b]\n"


@pytest.fixture
def started(monkeypatch):
    found = []
    monkeypatch.setattr(training.cli, "_start", lambda *args, **named: found.append((*args, *named.values())))
    return found


def test_a_path_is_a_recipe(tmp_path, started):
    path = tmp_path / "mine.yaml"
    path.write_text(RECIPE.format(out=tmp_path / "run"))
    for arguments in ([str(path), "--workers", "2"], ["run", str(path), "--workers", "2"]):
        assert RUNNER.invoke(training.cli.app, arguments).exit_code == 0
    assert started[0] == started[1]
    settings, again, workers, resume = started[0]
    assert (settings.out, again, workers, resume) == (str(tmp_path / "run"), ["train", "run", str(path)], 2, False)


def test_a_wrong_command_is_still_one():
    result = RUNNER.invoke(training.cli.app, ["calibrat"])
    assert result.exit_code == 2
    assert "No such command" in result.output


def test_a_run_is_not_overwritten(tmp_path, started):
    path = tmp_path / "mine.yaml"
    path.write_text(RECIPE.format(out=tmp_path))
    (tmp_path / "last.pt").touch()
    result = RUNNER.invoke(training.cli.app, [str(path)])
    assert isinstance(result.exception, ConfigError)
    assert "resume" in str(result.exception)
    assert not started


def test_tools_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = training.cli.tool_sets()
    assert found.keys() == {"home", "coffee"}
    assert all(found.values())
    monkeypatch.setitem(training.cli.TOOL_FILES, "home", tmp_path / "tools.json")
    with pytest.raises(ConfigError, match=r"tools\.json: expected a tool file of the demo; train from a checkout"):
        training.cli.tool_sets()


@pytest.mark.weights
def test_an_export_is_an_adapter_with_a_card(folder, names, tmp_path):
    trained(folder, names, tmp_path / "run")
    branch = tmp_path / "b.safetensors"
    branch.write_bytes(b"x")
    out = tmp_path / "shared"
    written = export(tmp_path / "run", out, branch)
    assert sorted(written) == sorted(p.name for p in out.iterdir())
    assert checkpoint.load(out).chunk_ms == 400
    card = (out / "README.md").read_text()
    assert "always silent" in card
    assert json.loads((out / "config.json").read_text())["commit"] in card
    assert "not calibrated" in card
    assert export(tmp_path / "run", out) == [n for n in written if n != "alert.safetensors"]
    assert not (out / "alert.safetensors").exists()


@pytest.mark.weights
def test_the_gate_of_any_adapter_on_any_features(folder, names, tmp_path, monkeypatch):
    trained(folder, names, tmp_path / "run")
    monkeypatch.setattr(training.cli.weights, "part", lambda name: folder)
    monkeypatch.setattr(training.cli, "nano_labels", lambda: names)
    monkeypatch.setattr(training.features, "load_all", lambda path, heard: ITEMS[:10])
    figures = tmp_path / "gate.json"
    arguments = ["gate", str(tmp_path / "run" / "best"), "one", "two", "--json", str(figures)]
    result = RUNNER.invoke(training.cli.app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "always respond" in result.output
    assert json.loads(figures.read_text())["figures"]["all"]["streams"] == 20
    deaf = RUNNER.invoke(training.cli.app, [*arguments, "--without", "sound", "--without", "tags"])
    assert deaf.exit_code == 0
    assert deaf.output != result.output


def test_an_export_needs_a_best_adapter_and_room(tmp_path):
    with pytest.raises(WeightsError, match=r"adapter\.json"):
        export(tmp_path, tmp_path / "out")
