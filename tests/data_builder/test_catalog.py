"""The catalog of clips: facts, quarantine, what is kept between passes, processes, duplicates."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr

from data_builder import catalog as module
from data_builder.catalog import Catalog, Entry, build_catalog, likely_pairs, near_duplicates, without_duplicates
from data_builder.clip_facts import Limits, measure
from data_builder.clips import FloatArray, audible
from data_builder.corpora.folder import Row, read_index
from data_builder.crew import examine_all
from data_builder.mix import noise
from soundflow.errors import ConfigError, DataError

from .conftest import row, write_index

SR = 16_000


def sound(seed: int, seconds: float = 1.0, slope: float = -3.0) -> FloatArray:
    """Bursts of noise at places that the seed draws, so that each is its own recording."""
    rng = np.random.default_rng(seed)
    n = int(seconds * SR)
    knots = rng.uniform(0.02, 1.0, 14)
    x = noise(rng, n, slope) * np.interp(np.linspace(0, 13, n), np.arange(14), knots)
    return np.asarray(0.5 * x / np.abs(x).max(), dtype=np.float32)


def rows_of(root: Path, seconds: dict[str, float], **other: str) -> list[Row]:
    write_index(root, [row(path, "event", "dog", seconds=str(s), **other) for path, s in seconds.items()])
    return read_index(root, check_files=False)


@pytest.fixture
def folder(tmp_path: Path) -> tuple[Path, list[Row]]:
    """Twelve good clips of one second."""
    root = tmp_path / "clips"
    root.mkdir()
    for k in range(12):
        sf.write(root / f"{k:02d}.wav", sound(k), SR)
    return root, rows_of(root, {f"{k:02d}.wav": 1.0 for k in range(12)})


def by_path(found: Catalog) -> dict[str, str]:
    return {q.path: q.reason for q in found.quarantined}


def test_facts_are_the_clips(tmp_path: Path) -> None:
    x = np.zeros(SR, dtype=np.float32)
    x[4_000:12_000] = 0.5 * np.sin(np.arange(8_000) * 0.3)
    sf.write(tmp_path / "a.wav", x, SR)
    facts = measure(tmp_path / "a.wav", Limits())
    assert (facts.rate, facts.channels, facts.seconds) == (SR, 1, 1.0)
    assert (facts.onset, facts.offset) == audible(sf.read(tmp_path / "a.wav", dtype="float32")[0])
    assert abs(facts.peak - 0.5) < 1e-3
    assert abs(facts.rms_db - 20 * np.log10(0.5 / 2)) < 0.05  # a sine over half of the clip
    assert facts.floor_db == -120.0
    assert facts.clipped == 0.0
    loud = np.clip(4 * x, -1, 1)
    sf.write(tmp_path / "loud.wav", np.stack([loud, x], axis=1), SR)
    assert 0.3 < measure(tmp_path / "loud.wav", Limits()).clipped < 0.36  # |2 sin| >= 1, half of the time


@pytest.mark.parametrize(("rate", "channels"), [(SR, 1), (44_100, 2), (8_000, 1), (48_000, 8)])
def test_any_rate_and_channels_are_measured_alike(tmp_path: Path, rate: int, channels: int) -> None:
    x = sound(3, 2.0)
    sf.write(tmp_path / "plain.wav", x, SR, subtype="FLOAT")
    other = soxr.resample(x, SR, rate) if rate != SR else x
    sf.write(tmp_path / "other.wav", np.tile(other[:, None], (1, channels)), rate, subtype="FLOAT")
    a, b = (measure(tmp_path / name, Limits()) for name in ("plain.wav", "other.wav"))
    assert (b.rate, b.channels) == (rate, channels)
    assert abs(a.seconds - b.seconds) < 0.01
    assert abs(a.onset - b.onset) <= 320
    assert abs(a.offset - b.offset) <= 320
    assert (a.sha256 == b.sha256) == (rate == SR)


def test_same_samples_have_one_hash_in_any_container(tmp_path: Path) -> None:
    x = np.round(32767 * sound(4)).astype(np.int16)
    sf.write(tmp_path / "a.wav", x, SR)
    sf.write(tmp_path / "a.flac", x, SR)
    assert measure(tmp_path / "a.wav", Limits()).sha256 == measure(tmp_path / "a.flac", Limits()).sha256


def test_long_files_are_measured_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = sound(5, 9.0)
    sf.write(tmp_path / "a.wav", x, SR)
    whole = measure(tmp_path / "a.wav", Limits())
    monkeypatch.setattr("data_builder.clips.BLOCK", 7_001)
    monkeypatch.setattr("data_builder.clip_facts.PIECE", 1_003)
    assert measure(tmp_path / "a.wav", Limits()) == whole
    with pytest.raises(DataError, match="at most 5 s"):
        measure(tmp_path / "a.wav", Limits(max_s=5.0))
    with pytest.raises(DataError, match="1000 bytes"):
        measure(tmp_path / "a.wav", Limits(max_bytes=1_000))


def test_second_pass_reads_only_what_changed(folder: tuple[Path, list[Row]], tmp_path: Path) -> None:
    root, rows = folder
    first = build_catalog(root, rows, tmp_path / "cache")
    assert (first.measured, len(first.entries), first.quarantined) == (12, 12, ())
    assert [e.row for e in first.entries] == rows
    again = build_catalog(root, rows, tmp_path / "cache")
    assert again == replace(first, measured=0)
    sf.write(root / "03.wav", sound(99), SR)
    os.utime(root / "03.wav", ns=(1, 1))
    changed = build_catalog(root, rows, tmp_path / "cache")
    assert changed.measured == 1
    assert changed.entries[3].facts != first.entries[3].facts
    cache = next((tmp_path / "cache").iterdir())
    assert len(cache.read_bytes().splitlines()) == 12
    assert build_catalog(root, rows, tmp_path / "cache", limits=Limits(max_s=9.0)).measured == 12


def test_damaged_lines_cost_only_their_clips(folder: tuple[Path, list[Row]], tmp_path: Path) -> None:
    root, rows = folder
    first = build_catalog(root, rows, tmp_path / "cache")
    cache = next((tmp_path / "cache").iterdir())
    lines = cache.read_bytes().splitlines()
    lines[2] = lines[2].replace(b'"rate":16000', b'"rate":16001')
    lines[5] = b"\xff\xfe not JSON"
    lines[7] = b'["a list"]'
    cache.write_bytes(b"\n".join([*lines[:11], lines[11][:40]]))
    again = build_catalog(root, rows, tmp_path / "cache")
    assert again == replace(first, measured=4)
    assert len(cache.read_bytes().splitlines()) == 12
    assert build_catalog(root, rows, tmp_path / "cache").measured == 0
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [cache.name]


def test_every_bad_clip_is_quarantined_with_its_reason(tmp_path: Path) -> None:
    root = tmp_path / "clips"
    root.mkdir()
    good = sound(1)
    sf.write(root / "good.wav", good, SR)
    sf.write(root / "silent.wav", np.zeros(SR), SR)
    sf.write(root / "level.wav", np.full(SR, 0.3), SR)
    sf.write(root / "nan.wav", np.where(np.arange(SR) == 900, np.nan, good), SR, subtype="FLOAT")
    sf.write(root / "huge.wav", 1e20 * good, SR, subtype="FLOAT")
    sf.write(root / "square.wav", np.sign(good), SR)
    sf.write(root / "short.wav", good[:100], SR)
    sf.write(root / "none.wav", good[:0], SR)
    sf.write(root / "longer.wav", sound(1, 2.0), SR)
    (root / "empty.wav").touch()
    (root / "page.wav").write_text("<html>not found</html>")
    (root / "dir.wav").mkdir()
    (root / "link.wav").symlink_to(root / "nowhere.wav")
    (root / "device.wav").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.wav")
    with (root / "sparse.wav").open("wb") as file:
        file.truncate(600 << 20)
    names = sorted([*(p.name for p in root.iterdir()), "gone.wav"])
    rows = rows_of(root, dict.fromkeys(names, 1.0))
    rows += [replace(rows[0], path=path) for path in ("../good.wav", "/etc/hostname", "a\0b.wav", "x" * 300)]
    found = build_catalog(root, rows, tmp_path / "cache")
    assert [e.row.path for e in found.entries] == ["good.wav"]
    expected = {
        "silent.wav": "silence", "level.wav": "constant level", "nan.wav": "NaN", "huge.wav": "within",
        "square.wav": "full scale", "short.wav": "at least 0.02 s", "none.wav": "got none",
        "longer.wav": "of the index", "empty.wav": "got 0", "page.wav": "decoded", "dir.wav": "regular file",
        "link.wav": "got none", "device.wav": "regular file", "pipe.wav": "regular file", "sparse.wav": "629145600",
        "gone.wav": "got none", "../good.wav": "inside", "/etc/hostname": "inside", "a\0b.wav": "name of a file",
        "x" * 300: "got none",
    }  # fmt: skip
    reasons = by_path(found)
    assert reasons.keys() == expected.keys()
    for path, word in expected.items():
        assert word in reasons[path], (path, reasons[path])
    assert by_path(build_catalog(root, rows, tmp_path / "cache")) == reasons


def test_two_processes_find_the_same(folder: tuple[Path, list[Row]], tmp_path: Path) -> None:
    root, rows = folder
    (root / "05.wav").write_bytes(b"RIFF" + bytes(400))
    told: list[tuple[int, int]] = []
    alone = build_catalog(root, rows, tmp_path / "one", progress=lambda *at: told.append(at))
    assert told == [(k, 12) for k in range(1, 13)]
    assert build_catalog(root, rows, tmp_path / "two", workers=2) == alone
    assert list(by_path(alone)) == ["05.wav"]
    with pytest.raises(ConfigError, match="workers"):
        build_catalog(root, rows, tmp_path / "two", workers=-1)


class Deadly(str):
    """A path that kills the process that it is sent to."""

    __slots__ = ()

    def __reduce__(self) -> tuple[object, ...]:
        return signal.raise_signal, (signal.SIGKILL,)


def test_a_file_that_kills_its_process_costs_only_itself(folder: tuple[Path, list[Row]]) -> None:
    root, rows = folder
    paths = [Deadly(r.path) if r.path == "07.wav" else r.path for r in rows]
    found = {f.path: f for f in examine_all(root, Limits(), paths, 1)}
    assert sorted(found) == paths
    bad = [f for f in found.values() if isinstance(f.outcome, str)]
    assert [f.path for f in bad] == ["07.wav"]
    assert "crashes" in str(bad[0].outcome)
    assert not bad[0].lasting


KILLED = """
import os, signal, sys
from pathlib import Path
from data_builder.catalog import build_catalog
from data_builder.corpora.folder import read_index
root, cache = map(Path, sys.argv[1:])
def die(done, of):
    if done == 7:
        os.kill(os.getpid(), signal.SIGKILL)
build_catalog(root, read_index(root), cache, progress=die)
"""


def test_a_killed_pass_is_resumed(folder: tuple[Path, list[Row]], tmp_path: Path) -> None:
    root, rows = folder
    command = [sys.executable, "-c", KILLED, str(root), str(tmp_path / "cache")]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    resumed = build_catalog(root, rows, tmp_path / "cache")
    assert resumed.measured == 5
    assert replace(resumed, measured=12) == build_catalog(root, rows, tmp_path / "fresh")


def entries_of(root: Path, clips: dict[str, tuple[FloatArray, int, str]]) -> list[Entry]:
    """Entries of clips: name -> samples, rate, split."""
    entries = []
    base = Row("", "d", "train", "event", "dog", "", "", "en", 1.0, "CC0", "s", True, "no")
    for name, (x, rate, split) in clips.items():
        if name.endswith(".opus"):
            sf.write(root / name, x, rate, format="OGG", subtype="OPUS")
        else:
            sf.write(root / name, x, rate)
        entries.append(Entry(replace(base, path=name, split=split), measure(root / name, Limits())))
    return entries


def test_duplicates_are_found_and_others_are_not(tmp_path: Path) -> None:
    x, y = sound(20, 1.5), sound(21, 1.5)
    padded = np.concatenate([np.zeros(4_000), 0.4 * x, np.zeros(1_000)]).astype(np.float32)
    entries = entries_of(
        tmp_path,
        {
            "b.wav": (x, SR, "train"), "a.wav": (y, SR, "train"), "c.wav": (y, SR, "train"),
            "quiet.wav": (padded, SR, "train"), "z_dev.opus": (x, SR, "dev"),
            "cd.wav": (soxr.resample(x, SR, 44_100), 44_100, "cal"),
            **{f"other{k}.wav": (sound(30 + k, 1.5), SR, "train") for k in range(8)},
            **{f"rain{k}.wav": (0.1 * noise(np.random.default_rng(k), 3 * SR, -3.0), SR, "train") for k in range(6)},
            "rain0_loud.wav": (0.2 * noise(np.random.default_rng(0), 3 * SR, -3.0), SR, "train"),
        },
    )  # fmt: skip
    groups = near_duplicates(entries)
    found = {g.keep.row.path: [e.row.path for e in g.drop] for g in groups}
    assert found == {
        "z_dev.opus": ["cd.wav", "b.wav", "quiet.wav"],
        "a.wav": ["c.wav"],
        "rain0.wav": ["rain0_loud.wav"],
    }
    assert {g.keep.row.path: g.likeness == 1.0 for g in groups}["a.wav"]
    assert all(module.LIKENESS <= g.likeness <= 1.0 for g in groups)
    left = [e.row.path for e in without_duplicates(entries, groups)]
    assert left == [e.row.path for e in entries if e.row.path not in {p for drop in found.values() for p in drop}]
    assert near_duplicates(without_duplicates(entries, groups)) == []
    assert near_duplicates([]) == []


def test_tiles_find_what_all_pairs_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = {k: 1.0 + 0.1 * (k % 3) for k in range(12)}
    clips = {f"{k}{v}.wav": (v * sound(k, s), SR, "train") for k, s in spans.items() for v in (1.0, 0.3)}
    facts = [e.facts for e in entries_of(tmp_path, clips)]
    whole = {frozenset((i, j)): how for i, j, how in likely_pairs(facts, 0.9)}
    monkeypatch.setattr(module, "_ROWS", 5)
    monkeypatch.setattr(module, "_COLUMNS", 3)
    tiled = {frozenset((i, j)): how for i, j, how in likely_pairs(facts, 0.9)}
    assert tiled == pytest.approx(whole, abs=1e-5)
    assert tiled.keys() == {frozenset((2 * k, 2 * k + 1)) for k in range(12)}
