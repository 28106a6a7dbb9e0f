"""`make setup`: the choice of torch, and the torchaudio that cannot be imported beside a CPU torch."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / ".ci" / "setup.py"


@pytest.fixture(scope="module")
def setup():
    spec = importlib.util.spec_from_file_location("ci_setup", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site(tmp_path) -> Path:
    lib = tmp_path / "torchaudio" / "lib"
    lib.mkdir(parents=True)
    for name in ("_torchaudio.so", "libtorchaudio.so", "__init__.py"):
        (lib / name).write_text("")
    return tmp_path


def left(site: Path) -> set[str]:
    return {p.name for p in (site / "torchaudio" / "lib").iterdir()}


def test_compiled_libraries_go_when_torchaudio_cannot_be_imported(setup, site, capsys):
    removed = setup.mend_torchaudio(site, False, lambda: "libtorchaudio.so" not in left(site))
    assert [p.name for p in removed] == ["_torchaudio.so", "libtorchaudio.so"]
    assert left(site) == {"__init__.py"}
    assert "removed its compiled libraries" in capsys.readouterr().out


def test_a_torchaudio_that_works_is_left_alone(setup, site):
    assert setup.mend_torchaudio(site, False, lambda: True) == []
    assert len(left(site)) == 3


def test_a_cuda_install_is_left_alone(setup, site, capsys):
    assert setup.mend_torchaudio(site, True, lambda: False) == []
    assert len(left(site)) == 3
    assert "left alone" in capsys.readouterr().out


def test_no_torchaudio_is_fine(setup, tmp_path):
    assert setup.mend_torchaudio(tmp_path, False, lambda: pytest.fail("asked")) == []


def test_which_torch(setup):
    assert setup.torch_specs("torch==2.9.1", True) == ["torch==2.9.1"]
    assert setup.torch_specs("", True) == ["torch"]
    assert setup.torch_specs("", False) == [setup.CPU_TORCH, setup.ANY_TORCH]


def test_fingerprint_follows_the_torch(setup):
    assert setup.fingerprint("a") == setup.fingerprint("a") != setup.fingerprint("b")
