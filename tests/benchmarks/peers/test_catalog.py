"""The peers by name: what is missing is said with pip's line, nothing is imported before it is asked for."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.peers import catalog
from benchmarks.peers.catalog import BY_NAME, NAMES
from benchmarks.systems import KNOWN, PEERS, Setup, check, make
from soundflow.errors import ConfigError


def test_all_peers_are_known_systems_and_a_setup_travels() -> None:
    assert set(NAMES) == set(PEERS) <= set(KNOWN)
    for name in KNOWN:
        check(name)
    for name in ("nano2", "", "ws:/v1/realtime", "ftp://h/v1/realtime"):
        with pytest.raises(ConfigError, match=r"cascade.*ws://HOST/v1/realtime"):
            check(name)
        with pytest.raises(ConfigError, match="cascade"):
            make(Setup(Path(), (name,)))
    setup = Setup(Path("/a"), NAMES, thresholds=Path("/b"))
    assert pickle.loads(pickle.dumps(setup)) == setup


def test_licences_are_stated_and_the_non_commercial_one_is_told_apart() -> None:
    assert all(p.code and p.weights and p.what for p in BY_NAME.values())
    assert [p.name for p in BY_NAME.values() if not p.commercial] == ["openwakeword"]
    assert all(bool(p.packages) == bool(p.install) for p in BY_NAME.values())


@pytest.mark.parametrize("name", [p.name for p in BY_NAME.values() if p.packages and p.name != "cascade-voice"])
def test_a_missing_package_is_an_error_with_the_line_that_installs_it(
    name: str, monkeypatch: pytest.MonkeyPatch, nano_parts: Path
) -> None:
    for package, _ in BY_NAME[name].packages:
        monkeypatch.setitem(sys.modules, package, None)
        monkeypatch.setattr(catalog.importlib.util, "find_spec", lambda n: None)
    with pytest.raises(ConfigError, match="pip install") as error:
        make(Setup(Path(), (name,)))
    assert BY_NAME[name].install in str(error.value)
    assert catalog.installed()[name] is False


def test_the_catalogue_imports_no_peer() -> None:
    packages = [n for p in BY_NAME.values() for n, _ in p.packages]
    code = f"import sys, benchmarks.peers.catalog; print([m for m in {[*packages, 'torch']!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
