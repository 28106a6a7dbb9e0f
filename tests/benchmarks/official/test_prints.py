"""Fingerprints: planted copies are found through gain and codecs, others are not taken for copies, the store holds."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from benchmarks.corpus import Clips, read_index
from benchmarks.official import check, contamination
from benchmarks.official.lookup import LEAST_BITS, Prints, bits_of
from benchmarks.official.mini import read_mini
from benchmarks.official.prints import PHASES, code
from benchmarks.runs import Options
from soundflow.errors import ConfigError, DataError
from soundflow.types import FloatArray
from tests.benchmarks.fakes import make_corpus

RATE = 16_000


def take(seed: int, seconds: float = 4.0) -> FloatArray:
    """A recording of its own: coloured noise in bursts, with gliding tones."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / RATE)
    noise = np.fft.irfft(spectrum / np.maximum(hz, 100.0) ** 0.5, count)
    steps = np.repeat(rng.uniform(0.05, 1.0, -(-count // 1600)), 1600)[:count]
    glide = np.cumsum(np.repeat(rng.uniform(300, 3000, -(-count // 4000)), 4000)[:count])
    whole = steps * noise / np.abs(noise).max() + 0.3 * np.sin(2 * np.pi * glide / RATE)
    return (0.5 * whole / np.abs(whole).max()).astype(np.float32)


@pytest.fixture(scope="module")
def store() -> Prints:
    found = [code(take(seed)) for seed in range(40)]
    return Prints([f"r{k}" for k in range(40)], [f.words for f in found], [f.heard for f in found])


def through(form: str, subtype: str) -> Callable[[FloatArray], FloatArray]:
    def coded(audio: FloatArray) -> FloatArray:
        file = io.BytesIO()
        soundfile.write(file, audio, RATE, format=form, subtype=subtype)
        file.seek(0)
        back, rate = soundfile.read(file, dtype="float32")
        return np.ascontiguousarray(back if rate == RATE else soxr.resample(back, rate, RATE), np.float32)

    return coded


def noisy(audio: FloatArray) -> FloatArray:
    drawn = np.random.default_rng(9).standard_normal(len(audio)).astype(np.float32)
    return (audio + drawn * np.sqrt(np.mean(audio**2)) * 0.1).astype(np.float32)


WAYS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "as it is": lambda a: a,
    "26 dB less": lambda a: a * np.float32(0.05),
    "opus": through("OGG", "OPUS"),
    "vorbis": through("OGG", "VORBIS"),
    "mp3": through("MP3", "MPEG_LAYER_III"),
    "44.1 kHz and back": lambda a: soxr.resample(soxr.resample(a, RATE, 44_100), 44_100, RATE),
    "a part": lambda a: a[17_777:50_000],
    "within silence": lambda a: np.concatenate([np.zeros(7_001, np.float32), a, np.zeros(9_999, np.float32)]),
    "behind another": lambda a: np.concatenate([take(99, 3.03), a]),
    "noise at 20 dB": noisy,
    "opus, a part, 20 dB less": lambda a: through("OGG", "OPUS")(a[12_345:58_000] * np.float32(0.1)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_is_found(store: Prints, way: str) -> None:
    for seed in (3, 17, 39):
        match = store.best(np.ascontiguousarray(WAYS[way](take(seed)), np.float32))
        assert match is not None
        assert (match.recording, match.same) == (f"r{seed}", True), match


def test_where_it_lies_is_told(store: Prints) -> None:
    audio = np.concatenate([take(99, 2.0), take(5)[RATE : 3 * RATE]])
    match = store.best(audio)
    assert match is not None
    assert match.recording == "r5"
    assert match.in_s - match.at_s == pytest.approx(1.0 - 2.0, abs=0.06)


def test_other_recordings_are_not_taken_for_copies(store: Prints) -> None:
    nearest = [store.best(take(seed)) for seed in range(100, 125)]
    assert all(m is not None and not m.same for m in nearest)
    assert max(m.z for m in nearest if m) < 7.5


def test_silence_steady_tones_and_snippets_cannot_be_told(tone: Callable[..., FloatArray]) -> None:
    assert bits_of(np.zeros(RATE, np.float32)) == 0
    assert bits_of(take(0)[:1500]) == 0
    assert bits_of(np.zeros(0, np.float32)) == 0
    assert bits_of(take(0)) > 400
    assert len(code(take(0), (PHASES - 1) * 320).words) > 30
    assert bits_of(tone(2.0, 1000.0)) < LEAST_BITS


def test_gain_does_not_change_a_word() -> None:
    loud, quiet = code(take(1)), code(take(1) * np.float32(0.01))
    assert np.array_equal(loud.words, quiet.words)


def save(path: Path, seeds: range = range(3)) -> None:
    found = [code(take(s, 1.0)) for s in seeds]
    names = [f"r{s}" for s in seeds]
    contamination.save(path, names, [f.words for f in found], [f.heard for f in found], {"hours": 1})


def test_a_store_is_written_and_read(tmp_path: Path) -> None:
    save(tmp_path / "p.npz")
    store, about = contamination.load(tmp_path / "p.npz")
    assert (store.names, about["recordings"]) == (["r0", "r1", "r2"], 3)
    match = store.best(take(2, 1.0))
    assert match is not None
    assert match.recording == "r2"
    assert match.same
    assert match.errors == 0.0


def test_a_store_that_is_broken_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    with pytest.raises(DataError, match="expected fingerprints"):
        contamination.load(path)
    save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="expected fingerprints"):
        contamination.load(path)
    path.write_bytes(b"no zip at all")
    with pytest.raises(DataError, match="expected fingerprints"):
        contamination.load(path)
    np.savez(path, words=np.array([object()], dtype=object))
    with pytest.raises(DataError, match="expected fingerprints"):
        contamination.load(path)
    np.savez(path, words=np.zeros(5, np.uint32), counts=np.array([4]), names=np.zeros(1, np.uint8))
    with pytest.raises(DataError, match="expected fingerprints"):
        contamination.load(path)


def test_a_folder_against_training(tmp_path: Path) -> None:
    audio = make_corpus(tmp_path / "audio")
    planted = take(77)
    row = (audio / "index.csv").read_text().splitlines()[1].split(",")
    soundfile.write(audio / row[0], planted, RATE)
    out, test = tmp_path / "out", tmp_path / "test"
    (test / "a b").mkdir(parents=True)
    soundfile.write(test / "a b" / "copy.ogg", planted * np.float32(0.3), RATE, format="OGG", subtype="OPUS")
    soundfile.write(test / "other.wav", take(78), RATE)
    soundfile.write(test / "nothing.wav", np.zeros(RATE), RATE)
    (test / "broken.flac").write_bytes(b"no")
    result = check.run_contamination(Options(out, audio), test)
    states = {r["clip"]: r["state"] for r in result.rows}
    expected = {"a b/copy.ogg": "same", "other.wav": "other", "nothing.wav": "too little", "broken.flac": "unreadable"}
    assert states == expected
    assert next(r for r in result.rows if r["state"] == "same")["recording"] == row[0]
    assert "a b/copy.ogg" in (out / "report.md").read_text()
    about = check.write_prints(audio, tmp_path / "p.npz")
    assert about["recordings"] == result.figures["about"]["recordings"]
    same = check.run_contamination(Options(tmp_path / "out2"), test, tmp_path / "p.npz")
    assert same.rows == result.rows
    with pytest.raises(ConfigError, match="audio files"):
        check.run_contamination(Options(tmp_path / "out3"), tmp_path / "out2", tmp_path / "p.npz")


def test_the_store_that_ships_is_whole_and_small() -> None:
    assert contamination.SHIPPED.stat().st_size < 1_500_000
    store, about = contamination.load(contamination.SHIPPED)
    assert len(store.names) == about["recordings"] == len(set(store.names)) > 8000
    assert about["hours"] > 7


@pytest.mark.skipif(not os.environ.get("SOUNDFLOW_AUDIO"), reason="SOUNDFLOW_AUDIO names no audio folder")
def test_recordings_of_training_are_found_again_in_the_store_that_ships() -> None:
    """One of each kind, softer and through Opus; and none of the mini set's clips that it was compared with here."""
    folder = Path(os.environ["SOUNDFLOW_AUDIO"])
    store, _ = contamination.load(contamination.SHIPPED)
    clips = Clips(folder)
    known = [r for r in read_index(folder) if r.split == "train" and r.open and r.seconds >= 2.0]
    for path in (next(r.path for r in known if r.dataset == d) for d in ("esc10", "debian_events", "an4_train")):
        assert path in store.names
        match = store.best(through("OGG", "OPUS")(clips.read(path) * np.float32(0.2)))
        assert match is not None
        assert match.same, match
        assert match.recording == path
    for entry in read_mini()[::40]:
        match = store.best(clips.read(entry.path))
        assert match is None or not match.same
