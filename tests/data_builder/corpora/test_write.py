"""Preparation as a whole: resumed, limited, on several processes, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data_builder.corpora.convert import Job, convert, convert_all
from data_builder.corpora.esc50 import RECIPE
from data_builder.corpora.folder import read_index
from data_builder.corpora.recipe import Bad, Clip, Entry, Options
from data_builder.corpora.write import prepare
from soundflow.errors import DataError
from tests.data_builder.corpora.tones import quarantine, tone


def entries_of(count: int, **other: object) -> object:
    def entries(raw: Path) -> Iterator[Entry]:
        for k in range(count):
            yield Clip(raw / f"{k}.wav", f"{k:03d}", "train" if k % 2 else "dev", "event", "dog", **other)  # type: ignore[arg-type]

    return entries


def job(
    tmp_path: Path, audio: Path, start: float = 0.0, end: float = 0.0, longest: float = 60.0, whole: bool = False
) -> Job:
    return Job(audio, tmp_path / "out.flac", start, end, longest, whole)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".opus"])
def test_every_format_becomes_16_khz_mono_with_its_pitch(tmp_path: Path, suffix: str) -> None:
    audio = tone(tmp_path / f"a{suffix}", 1000.0, 1.0, rate=48_000, channels=2)
    seconds = convert(job(tmp_path, audio))
    data, rate = sf.read(tmp_path / "out.flac")
    assert (rate, data.ndim) == (16_000, 1)
    assert seconds == pytest.approx(1.0, abs=0.1)
    assert np.argmax(np.abs(np.fft.rfft(data))) * rate / len(data) == pytest.approx(1000.0, abs=3)
    assert np.abs(data[2000:-2000]).max() == pytest.approx(0.3, abs=0.03)


def test_a_stretch_is_cut_out_and_a_sound_at_its_longest(tmp_path: Path) -> None:
    audio = tmp_path / "a.wav"
    sf.write(audio, np.concatenate([np.full(16_000, 0.1), np.full(16_000, 0.5), np.full(16_000, 0.9)]), 16_000)
    assert convert(job(tmp_path, audio, 1.0, 2.0)) == 1.0
    data, _ = sf.read(tmp_path / "out.flac")
    assert np.allclose(data, 0.5, atol=1e-3)
    (tmp_path / "out.flac").unlink()
    assert convert(job(tmp_path, audio, longest=1.5)) == 1.5
    (tmp_path / "out.flac").unlink()
    for broken in (
        {"longest": 1.5, "whole": True},
        {"start": 9.0, "end": 10.0},
        {"end": 2.5, "longest": 1.5, "whole": True},
    ):
        with pytest.raises(DataError, match="expected"):
            convert(job(tmp_path, audio, **broken))  # type: ignore[arg-type]
    assert convert(job(tmp_path, audio, longest=3.0, whole=True)) == 3.0


def test_audio_that_is_none_is_refused(tmp_path: Path) -> None:
    good = tone(tmp_path / "good.flac", seconds=2.0)
    cases = {
        "text.wav": b"not audio",
        "empty.wav": b"",
        "html.mp3": b"<html>",
        "cut.flac": good.read_bytes()[: len(good.read_bytes()) // 3],
    }
    for name, body in cases.items():
        (tmp_path / name).write_bytes(body)
    sf.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    sf.write(tmp_path / "nan.wav", np.full(16_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    sf.write(tmp_path / "short.wav", np.full(100, 0.1), 16_000)
    (tmp_path / "folder.wav").mkdir()
    for name in (*cases, "silent.wav", "nan.wav", "short.wav", "folder.wav", "none.wav"):
        with pytest.raises(DataError, match="expected") as caught:
            convert(job(tmp_path, tmp_path / name))
        assert name in str(caught.value)
        assert not (tmp_path / "out.flac").exists()
    assert not list(tmp_path.glob("*.part"))


def test_a_preparation_that_was_cut_goes_on(tmp_path: Path) -> None:
    for k in range(4):
        tone(tmp_path / f"{k}.wav", 300 + k)
    done = prepare(RECIPE, entries_of(4), tmp_path, tmp_path / "out", Options())  # type: ignore[arg-type]
    first = (tmp_path / "out" / "index.csv").read_bytes()
    kept = tmp_path / "out" / "esc50" / "000.flac"
    stamp = kept.stat().st_mtime_ns
    (tmp_path / "out" / "esc50" / "001.flac").unlink()
    (tmp_path / "out" / "esc50" / "002.flac").write_bytes(b"broken")
    (tmp_path / "out" / "index.csv").unlink()
    assert prepare(RECIPE, entries_of(4), tmp_path, tmp_path / "out", Options()) == done  # type: ignore[arg-type]
    assert (tmp_path / "out" / "index.csv").read_bytes() == first
    assert kept.stat().st_mtime_ns == stamp
    assert len(read_index(tmp_path / "out")) == 4
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_limit_is_spread_evenly_over_each_split(tmp_path: Path) -> None:
    for k in range(40):
        tone(tmp_path / f"{k}.wav", seconds=0.1)
    done = prepare(RECIPE, entries_of(40), tmp_path, tmp_path / "out", Options(limit=4))  # type: ignore[arg-type]
    assert done.entries == {"dev": 4, "train": 4}
    numbers = sorted(int(Path(row.path).stem) for row in read_index(tmp_path / "out") if row.split == "dev")
    assert [number // 10 for number in numbers] == [0, 1, 2, 3]


def test_rows_that_would_not_read_back_are_left_out(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav")
    bad = [
        {"key": "../evil"},
        {"key": "a//b"},
        {"key": "x" * 300},
        {"key": "line\nend"},
        {"split": "cal"},
        {"split": "test"},
        {"kind": "noise"},
        {"label": ""},
        {"start": -1.0},
        {"start": 2.0, "end": 1.0},
        {"text": "x" * 30_000, "kind": "speech"},
        {"label": "x" * 30_000},
        {"start": float("nan")},
        {"start": 0.0, "end": float("inf")},
        {"key": "lone\ud800"},
        {"key": "good"},  # the second of that name
    ]
    base = {"audio": tmp_path / "a.wav", "key": "good", "split": "train", "kind": "event", "label": "dog"}

    def entries(raw: Path) -> Iterator[Entry]:
        yield Clip(**base, text='a "quoted", text\nin lines \ud800')  # type: ignore[arg-type]
        yield Bad(f"{raw}/manifest:3", "expected better")
        for k, other in enumerate(bad):
            yield Clip(**{**base, "key": f"k{k}", **other})  # type: ignore[arg-type]

    done = prepare(RECIPE, entries, tmp_path, tmp_path / "out", Options())
    (row,) = read_index(tmp_path / "out")
    assert row.text == 'a "quoted", text in lines ?'
    assert done.quarantined == len(bad) + 1
    assert quarantine(tmp_path / "out")[0] == {"recipe": "esc50", "where": "manifest:3", "reason": "expected better"}
    assert not (tmp_path / "evil.flac").exists()


def test_two_processes_give_the_same_bytes_as_one(tmp_path: Path) -> None:
    for k in range(6):
        tone(tmp_path / f"{k}.wav", 300 + k, rate=22_050)
    (tmp_path / "3.wav").write_bytes(b"broken")
    for name, workers in (("one", 1), ("two", 2)):
        prepare(RECIPE, entries_of(6), tmp_path, tmp_path / name, Options(workers=workers))  # type: ignore[arg-type]
    for path in sorted((tmp_path / "one").rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_none_is_no_job() -> None:
    assert list(convert_all([None, None])) == [0.0, 0.0]


def test_a_half_finished_part_is_hinted_at(tmp_path: Path) -> None:
    (tmp_path / "ESC-50-master.zip.part").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"half-finished there \(ESC-50-master\.zip\.part\)"):
        RECIPE.prepare(tmp_path, tmp_path / "out", Options())
