"""The command line: its own commands, commands of other folders, and one-line errors."""

import sys
from importlib import metadata

import pytest
import typer
from typer.testing import CliRunner

from soundflow import __version__, cli
from soundflow.errors import WeightsError
from soundflow.tiers import weights
from soundflow.tiers.stamp import FileStatus

APP = """
'''Count things.

More about it.
'''
import typer
app = typer.Typer()
@app.command()
def one(times: int = 1) -> None:
    print("counted", times)
"""
FUNCTION = """
'''Say a word.'''
def say(word: str) -> None:
    print("said", word)
"""


def run(*arguments: str):
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """Adds commands: source of a module and the name in it -> a command of the entry-point group."""
    found = []
    monkeypatch.setattr(metadata, "entry_points", lambda group: found if group == cli.GROUP else [])
    monkeypatch.syspath_prepend(str(tmp_path))

    def add(name: str, source: str, attribute: str) -> None:
        (tmp_path / f"plug_{name}.py").write_text(source)
        found.append(metadata.EntryPoint(name, f"plug_{name}:{attribute}", cli.GROUP))

    yield add
    for name in [n for n in sys.modules if n.startswith("plug_")]:
        del sys.modules[name]


def test_version():
    assert run("--version").stdout == f"soundflow {__version__}\n"


def test_a_typer_app_of_another_folder_is_a_group(plugins):
    plugins("count", APP, "app")
    assert run("count", "one", "--times", "3").stdout == "counted 3\n"
    assert "one" in run("count", "--help").stdout


def test_a_function_of_another_folder_is_a_command(plugins):
    plugins("say", FUNCTION, "say")
    assert run("say", "hello").stdout == "said hello\n"


def test_help_lists_commands_without_importing_them(plugins):
    plugins("count", APP, "app")
    plugins("broken", "import absent_module", "app")
    shown = run("--help").stdout
    assert "Count things." in shown
    assert "broken" in shown
    assert "plug_count" not in sys.modules


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import absent_module", "ModuleNotFoundError: No module named 'absent_module'"),
        ("1 / 0", "ZeroDivisionError"),
        ("def (", "SyntaxError"),
        ("x = 1", "AttributeError"),
    ],
)
def test_a_broken_command_is_one_clear_line_and_breaks_no_other(plugins, monkeypatch, capsys, source, cause):
    plugins("broken", source, "app")
    plugins("say", FUNCTION, "say")
    monkeypatch.setattr(sys, "argv", ["soundflow", "broken"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: the command 'broken' (plug_broken:app) cannot be loaded: ")
    assert cause in error
    assert run("say", "still").stdout == "said still\n"
    assert run("--help").exit_code == 0


def test_an_unknown_command_is_a_usage_error():
    assert run("nothing").exit_code == 2


def test_listen_is_imported_only_when_called(monkeypatch):
    monkeypatch.setitem(cli.OWN, "listen", "plug_nowhere:listen")
    assert "plug_nowhere" not in str(cli._plugins())
    monkeypatch.setitem(cli.OWN, "listen", "soundflow.errors:SoundflowError")
    assert cli._plugins()["listen"] == "soundflow.errors:SoundflowError"


def test_models_list_names_licences(monkeypatch, tmp_path):
    monkeypatch.setenv("SOUNDFLOW_HOME", str(tmp_path))
    shown = run("models", "list").stdout
    assert "missing" in shown
    assert "Apache-2.0" in shown
    assert "moonshine-voice==0.1.0" in shown


def test_models_verify_fails_when_something_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("SOUNDFLOW_HOME", str(tmp_path))
    done = run("models", "verify", "nano")
    assert done.exit_code == 1
    assert "run `soundflow models pull nano`" in done.stderr


def test_models_verify_and_pull(monkeypatch, tmp_path):
    def pull(tier, report):
        report("ear/ear.onnx", 0, 10)
        report("ear/ear.onnx", 10_000_000, 10_000_000)
        return tmp_path

    monkeypatch.setattr(weights, "pull", pull)
    monkeypatch.setattr(weights, "verify", lambda tier: [FileStatus("ear", "ear.onnx", "ok", 3)])
    done = run("models", "pull")
    assert "ear/ear.onnx  10.0 MB" in done.stderr
    assert done.stdout == f"nano is installed in {tmp_path}\n"
    assert run("models", "verify").exit_code == 0


def test_errors_are_one_line_and_status_2(monkeypatch, capsys):
    def fail(tier, report):
        raise WeightsError("the disk is full")

    monkeypatch.setattr(weights, "pull", fail)
    monkeypatch.setattr(sys, "argv", ["soundflow", "models", "pull"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: the disk is full\n"


def test_exit_status_of_a_command_is_kept(plugins):
    plugins("leave", "import typer\ndef leave() -> None:\n    raise typer.Exit(7)\n", "leave")
    assert run("leave").exit_code == 7
    assert typer.Exit(7).exit_code == 7
