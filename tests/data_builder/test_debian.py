"""Sounds and drums out of Debian packages: what is wanted is taken, what cannot be read is told, nothing is run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data_builder.corpora import debian, drums
from data_builder.corpora.folder import read_index
from soundflow.errors import DataError

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")


def package(folder: Path, name: str, files: dict[str, bytes | float]) -> None:
    """NAME_1.0_all.deb in `folder`: bytes as they are, a number as a tone of so many hertz."""
    root = folder / f"tree-{name}"
    (root / "DEBIAN").mkdir(parents=True)
    control = f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: test\n"
    (root / "DEBIAN" / "control").write_text(control)
    for path, body in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(body, bytes):
            (root / path).write_bytes(body)
        else:
            sf.write(root / path, 0.3 * np.sin(2 * np.pi * body * np.arange(22_050) / 44_100), 44_100)
    subprocess.run(["dpkg-deb", "-b", str(root), str(folder / f"{name}_1.0_all.deb")], check=True, capture_output=True)


def test_wanted_files_become_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"horns": {"horn": "car_*.wav", "alarm": "bad.wav"}, "winds": {"ambience:wind": "far/wind.wav"}}
    monkeypatch.setattr(debian, "WANTED", wanted)
    package(
        tmp_path,
        "horns",
        {"usr/x/car_1.wav": 400.0, "usr/x/car_2.wav": 500.0, "usr/y/car_copy.wav": 400.0, "usr/x/other.wav": 300.0}
        | {"usr/x/bad.wav": b"no audio", "usr/share/doc/horns/copyright": b"CC0"},
    )
    package(tmp_path, "winds", {"usr/far/wind.wav": 200.0, "usr/near/wind.wav": 210.0})
    told: list[str] = []
    assert debian.make(tmp_path, tmp_path / "out", told.append) == 3
    rows = read_index(tmp_path / "out")
    assert sorted((r.kind, r.label, r.respond) for r in rows) == [
        ("ambience", "wind", "no"),
        ("event", "horn", "context"),
        ("event", "horn", "context"),
    ]
    assert all(abs(r.seconds - 0.5) < 0.02 and r.open and "copyright/" in r.licence for r in rows)
    assert (tmp_path / "out" / "copyright" / "horns").read_bytes() == b"CC0"
    assert len(told) == 1
    assert "bad.wav" in told[0]


def test_a_package_that_is_none_is_told_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "WANTED", {"broken": {"horn": "*.wav"}})
    (tmp_path / "broken_1.0_all.deb").write_bytes(b"not a package")
    told: list[str] = []
    assert debian.make(tmp_path, tmp_path / "out", told.append) == 0
    assert len(told) == 1
    assert told[0].startswith("broken left out")


def test_no_recipe_takes_from_an_evaluation_package() -> None:
    reserved = {"scratch", "brainparty-data", "minetest-mod-homedecor", "gcompris-qt-data", "openttd-opensfx"}
    reserved |= {"supertuxkart-data", "flightgear-data-base", "asterisk-core-sounds-en-wav", "caveexpress-data"}
    assert not reserved & set(debian.WANTED)


def test_drum_pieces_are_repeatable_and_divided_by_kit(tmp_path: Path) -> None:
    kits = {
        f"usr/kits/{kit}/{hit}.wav": hz for kit in ("Mine", drums.CAL_KITS[0]) for hit, hz in (("a", 90.0), ("b", 2e3))
    }
    package(tmp_path, drums.PACKAGE, dict(kits))
    read = drums.read_kits(debian.fetch(drums.PACKAGE, tmp_path))
    train = drums.make(read, tmp_path / "a", "train", 4, 1)
    assert train == drums.make(read, tmp_path / "b", "train", 4, 1)
    assert train == [f"drums-Mine-{k:03d}.flac" for k in range(4)]
    assert not set(train) & set(drums.make(read, tmp_path / "a", "cal", 4, 1))
    for name in train:
        one, two = (sf.read(tmp_path / d / name, dtype="float32")[0] for d in "ab")
        np.testing.assert_array_equal(one, two)
        assert len(one) == 96_000
        assert 0.5 < np.abs(one).max() <= 0.81


def test_a_package_without_drums_is_named(tmp_path: Path) -> None:
    package(tmp_path, "empty", {"usr/readme.txt": b"x"})
    with pytest.raises(DataError, match="drum kits"):
        drums.read_kits(tmp_path / "empty_1.0_all.deb")
