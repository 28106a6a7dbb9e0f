"""The house keeps its shape: who may import whom, how long a file is, what is swallowed, what an import downloads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
ROOMS = ("data_builder", "training", "serving", "benchmarks")
# From the top of the path to its bottom; a module imports only what stands to its right.
LAYERS = ("cli", "listen", "tiers", "loop", "session", "respond", "decide", "perceive", "events", "types", "errors")
LONGEST = 400
GRAB_BAGS = {"utils.py", "common.py", "helpers.py", "misc.py"}


def sources(*folders: str) -> list[Path]:
    return sorted(p for f in folders for p in (REPO / f).rglob("*.py"))


def everything() -> list[Path]:
    return sources("soundflow", *ROOMS, "tests", ".ci")


def label(path: Path) -> str:
    return str(path.relative_to(REPO))


def imports(path: Path) -> set[str]:
    """Full names of all modules a file imports, also inside functions."""
    package = path.relative_to(REPO).with_suffix("").parts[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(p for p in (base, node.module or "") if p)
            found.update({module, *(f"{module}.{alias.name}" for alias in node.names)})
    return found


def layer(module: str) -> int | None:
    parts = module.split(".")
    return LAYERS.index(parts[1]) if parts[0] == "soundflow" and len(parts) > 1 and parts[1] in LAYERS else None


def test_the_core_imports_no_room():
    for path in sources("soundflow"):
        wrong = {name for name in imports(path) if name.split(".")[0] in (*ROOMS, "tests")}
        assert not wrong, f"{label(path)} imports {sorted(wrong)}"


def test_rooms_do_not_import_each_other():
    for room in ROOMS:
        for path in sources(room):
            wrong = {name for name in imports(path) if name.split(".")[0] in ROOMS and name.split(".")[0] != room}
            assert not wrong, f"{label(path)} imports {sorted(wrong)}"


def test_data_flows_down_the_path():
    for path in sources("soundflow"):
        own = layer(".".join(path.relative_to(REPO).with_suffix("").parts))
        if own is None:
            continue
        wrong = {name for name in imports(path) if (at := layer(name)) is not None and at < own}
        assert not wrong, f"{label(path)} imports {sorted(wrong)}, which stand above it"


@pytest.mark.parametrize("path", everything(), ids=label)
def test_a_file_is_short_and_named_for_what_it_does(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{label(path)} has {lines} lines, at most {LONGEST}"
    assert path.name not in GRAB_BAGS


@pytest.mark.parametrize("path", everything(), ids=label)
def test_no_error_is_swallowed_whole(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ExceptHandler):
            continue
        names = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"BaseException"}
        broad = bool(names & {"Exception", "BaseException"})
        silent = all(isinstance(s, ast.Pass | ast.Continue) for s in node.body)
        assert not (broad and silent), f"{label(path)}:{node.lineno} swallows every error"


IMPORT_ALL = """
import importlib, pkgutil, socket, sys
asked = []
class NoNetwork(socket.socket):
    def connect(self, address):
        asked.append(address)
        raise OSError("network")
    connect_ex = connect
socket.socket = NoNetwork
def look_up(*a, **k):
    asked.append(a)
    raise OSError("network")
socket.getaddrinfo = socket.create_connection = look_up
import soundflow
names = ["soundflow", *(m.name for m in pkgutil.walk_packages(soundflow.__path__, "soundflow."))]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names), asked)
sys.exit(bool(asked))
"""


@pytest.mark.slow
def test_importing_every_module_downloads_and_writes_nothing(tmp_path):
    home = tmp_path / "home"
    env = {"HOME": str(home), "SOUNDFLOW_HOME": str(home), "PATH": "/usr/bin:/bin", "MPLCONFIGDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=REPO, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = [p for p in home.rglob("*") if p.is_file()] if home.exists() else []
    assert not written


def test_the_command_line_starts_without_the_model():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "soundflow.cli", "--version"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"torch", "transformers", "onnxruntime", "matplotlib", "numpy"}
