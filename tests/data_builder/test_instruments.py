"""Notes of a package become pieces of a fixed length, the same for the same seed."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data_builder.corpora.instruments import INSTRUMENTS, make, piece, read_notes
from soundflow.errors import DataError


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    for instrument in INSTRUMENTS["cal"]:
        with tarfile.open(folder / f"tonejs-instrument-{instrument}-mp3-1.0.0.tgz", "w:gz") as tar:
            for name, hz in (("C4", 261.6), ("Fs4", 370.0), ("A2", 110.0)):
                body = io.BytesIO()
                wave = np.sin(2 * np.pi * hz * np.arange(44_100) / 44_100).astype(np.float32)
                sf.write(body, wave * 0.3, 44_100, format="MP3")
                info = tarfile.TarInfo(f"package/{name}.mp3")
                info.size = body.tell()
                body.seek(0)
                tar.addfile(info, body)
    return folder


def test_notes_are_read_lowest_first(packages: Path) -> None:
    notes = read_notes(sorted(packages.iterdir())[0])
    assert [n.key for n in notes] == [45, 60, 66]
    assert all(abs(float(np.abs(n.audio).max()) - 0.8) < 1e-3 for n in notes)


def test_pieces_are_repeatable_and_bounded(packages: Path, tmp_path: Path) -> None:
    names = make(packages, tmp_path / "a", "cal", 3, 7)
    again = make(packages, tmp_path / "b", "cal", 3, 7)
    assert names == again
    assert len(names) == 3 * len(INSTRUMENTS["cal"])
    for name in names:
        first, second = (sf.read(tmp_path / d / name, dtype="float32")[0] for d in "ab")
        np.testing.assert_array_equal(first, second)
        assert len(first) == 96_000
        assert 0.5 < np.abs(first).max() <= 0.81


def test_splits_share_no_instrument() -> None:
    assert not set(INSTRUMENTS["train"]) & set(INSTRUMENTS["cal"])


def test_a_package_without_notes_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "tonejs-instrument-x-mp3-1.tgz"
    with tarfile.open(empty, "w:gz"):
        pass
    with pytest.raises(DataError, match="notes named like"):
        read_notes(empty)
    with pytest.raises(DataError, match="expected split"):
        make(tmp_path, tmp_path, "dev", 1, 0)


def test_a_piece_ends_inside_its_slot(packages: Path) -> None:
    notes = read_notes(sorted(packages.iterdir())[0])
    for seed in range(30):
        assert len(piece(notes, np.random.default_rng(seed))) == 96_000
