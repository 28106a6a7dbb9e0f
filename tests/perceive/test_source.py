"""Any audio in; what cannot be read is refused with the reason and the place."""

from __future__ import annotations

import io
import struct
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.pcm import decode
from soundflow.perceive.source import AudioSource, FileSource, RawSource, file_source, mic_source, raw_source, to_mono
from soundflow.types import FloatArray
from tests.conftest import MakeAudio

FORMATS = [
    ("wav", "WAV", "PCM_16"),
    ("f.wav", "WAV", "FLOAT"),
    ("u.wav", "WAV", "ULAW"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
    ("aiff", "AIFF", "PCM_16"),
    ("au", "AU", "PCM_16"),
    ("caf", "CAF", "PCM_16"),
    ("w64", "W64", "PCM_16"),
    ("rf64", "RF64", "PCM_16"),
]


@pytest.fixture
def stereo(noise: MakeAudio) -> FloatArray:
    return np.stack([noise(1, rate=48_000), noise(1, seed=1, rate=48_000)], axis=1)


def _all(source: AudioSource) -> FloatArray:
    return np.concatenate(list(source.blocks()))


@pytest.mark.parametrize(("suffix", "container", "codec"), FORMATS)
def test_formats(tmp_path: Path, stereo: FloatArray, suffix: str, container: str, codec: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, stereo, 48_000, format=container, subtype=codec)
    source = file_source(path)
    assert (source.rate_hz, source.channels) == (48_000, 2)
    blocks = list(source.blocks())
    assert max(len(block) for block in blocks) <= 4096
    assert np.concatenate(blocks).shape == (48_000, 2)
    if codec in {"PCM_16", "FLOAT"}:
        np.testing.assert_allclose(np.concatenate(blocks), stereo, atol=1e-4)
    assert len(_all(source)) == 48_000, "blocks() may be called again"


@pytest.mark.parametrize(("suffix", "container", "codec"), FORMATS)
def test_a_truncated_file_is_refused(
    tmp_path: Path, stereo: FloatArray, suffix: str, container: str, codec: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, stereo, 48_000, format=container, subtype=codec)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(AudioFormatError, match=f"a.{suffix}.*(truncated|cannot be decoded)"):
        _all(file_source(path))


def _wav(tmp_path: Path, patch: dict[int, bytes], samples: int = 100, name: str = "patched") -> Path:
    path = tmp_path / f"{name}.wav"
    soundfile.write(path, np.zeros(samples, np.float32), 16_000, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    for at, new in patch.items():
        data[at : at + len(new)] = new
    path.write_bytes(data)
    return path


def test_what_is_no_audio_file(tmp_path: Path) -> None:
    empty, junk = tmp_path / "empty.wav", tmp_path / "junk.wav"
    empty.write_bytes(b"")
    junk.write_bytes(b"hello world" * 100)
    for path, reason in (
        (tmp_path / "none.wav", "no such file"),
        (tmp_path, "folder"),
        (empty, "empty file"),
        (junk, "not audio"),
        (_wav(tmp_path, {}, samples=0, name="a"), "no samples"),
        (_wav(tmp_path, {22: b"\0\0"}, name="b"), "(?i)channel"),
        (_wav(tmp_path, {24: struct.pack("<I", 1_000_000)}, name="c"), "got 1000000"),
        (_wav(tmp_path, {24: struct.pack("<I", 3_000)}, name="d"), "got 3000"),
    ):
        with pytest.raises(AudioFormatError, match=reason):
            file_source(path)


def test_a_wav_that_was_piped_has_no_size_and_is_read(tmp_path: Path) -> None:
    path = _wav(tmp_path, {4: b"\xff" * 4, 40: b"\xff" * 4})
    assert len(_all(file_source(path))) == 100


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 20_000.0])
def test_what_is_no_sample_is_named(tmp_path: Path, value: float) -> None:
    samples = np.zeros((9000, 2), np.float32)
    samples[8123, 1] = value
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    with pytest.raises(AudioFormatError, match="at frame 8123, channel 1"):
        _all(file_source(path))


def test_longer_than_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(16_000, np.float32), 16_000)
    with pytest.raises(AudioFormatError, match=r"at most 0\.5 s, got 1\.0 s"):
        file_source(path, max_seconds=0.5)
    assert len(_all(file_source(path, max_seconds=1.0))) == 16_000


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Blocks are read lazily: the first comes after a few kilobytes."""
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(16_000 * 60, np.float32), 16_000)
    assert next(FileSource(path, block_frames=128).blocks()).shape == (128, 1)


class _Dribble(io.RawIOBase):
    """Gives at most 5 bytes a read, as a pipe may."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        taken, self._data = self._data[: min(size, 5)], self._data[min(size, 5) :]
        return taken


@pytest.mark.parametrize(
    ("name", "codec", "tolerance"),
    [
        ("s16le", "PCM_16", 0.0),
        ("s24le", "PCM_24", 0.0),
        ("s32le", "PCM_32", 0.0),
        ("f32le", "FLOAT", 0.0),
        ("u8", "PCM_U8", 0.0),
        ("mulaw", "ULAW", 0.0),
        ("alaw", "ALAW", 0.0),
    ],
)
def test_raw_formats_equal_libsndfile(stereo: FloatArray, name: str, codec: str, tolerance: float) -> None:
    stereo = stereo[:5000] * 3
    raw = io.BytesIO()
    soundfile.write(raw, stereo, 48_000, format="RAW", subtype=codec, endian="LITTLE" if "le" in name else "FILE")
    expected, _ = soundfile.read(
        io.BytesIO(raw.getvalue()), dtype="float32", format="RAW", subtype=codec, samplerate=48_000, channels=2
    )
    for source in (
        raw_source(io.BytesIO(raw.getvalue()), 48_000, 2, name),
        raw_source(_Dribble(raw.getvalue()), 48_000, 2, name),  # type: ignore[arg-type]
    ):
        np.testing.assert_allclose(_all(source), expected, atol=tolerance)


@pytest.mark.parametrize("name", ["mulaw", "alaw"])
def test_every_companded_byte(name: str) -> None:
    every = bytes(range(256))
    codec = {"mulaw": "ULAW", "alaw": "ALAW"}[name]
    expected, _ = soundfile.read(
        io.BytesIO(every), dtype="float32", format="RAW", subtype=codec, samplerate=8_000, channels=1
    )
    np.testing.assert_array_equal(decode(every, name), expected)


def test_an_odd_tail_is_truncated_and_named() -> None:
    source = RawSource(io.BytesIO(bytes(4 * 10 + 3)), 16_000, 2, "s16le", block_frames=4)
    got: list[FloatArray] = []
    with pytest.raises(AudioFormatError, match=r"truncated at byte 43: the frame at byte 40 has 3 of 4 bytes"):
        got.extend(source.blocks())
    assert sum(len(block) for block in got) == 10


def test_raw_nan_is_named() -> None:
    data = np.zeros(100, "<f4")
    data[70] = np.nan
    with pytest.raises(AudioFormatError, match="at frame 70, channel 0"):
        _all(RawSource(io.BytesIO(data.tobytes()), 16_000, 1, "f32le", block_frames=32))


def test_raw_settings() -> None:
    for rate, channels, name, error in (
        (16_000, 1, "s16be", ConfigError),
        (1_000, 1, "s16le", AudioFormatError),
        (16_000, 0, "s16le", AudioFormatError),
        (16_000, 65, "s16le", AudioFormatError),
    ):
        with pytest.raises(error):
            raw_source(io.BytesIO(), rate, channels, name)
    with pytest.raises(ConfigError, match="block_frames"):
        RawSource(io.BytesIO(), 16_000, 1, "s16le", block_frames=0)
    assert list(raw_source(io.BytesIO(), 16_000, 1, "s16le").blocks()) == []
    with pytest.raises(AudioFormatError, match="of 2 bytes"):
        decode(b"abc", "s16le")
    with pytest.raises(ConfigError):
        decode(b"ab", "s16be")


def test_to_mono() -> None:
    block = np.array([[0.5, -0.5], [0.2, 0.4]], np.float32)
    np.testing.assert_allclose(to_mono(block), [0.0, 0.3], atol=1e-7)
    np.testing.assert_array_equal(to_mono(block[:, :1]), block[:, 0])
    with pytest.raises(AudioFormatError):
        to_mono(block[:, 0])


def test_microphone_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ConfigError, match=r"pip install 'soundflow\[mic\]'"):
        mic_source()


def test_microphone(monkeypatch: pytest.MonkeyPatch) -> None:
    class PortAudioError(Exception):
        pass

    class InputStream:
        def __init__(self, **settings: Any) -> None:
            if settings["device"] == "gone":
                raise PortAudioError("no such device")
            self.settings = settings
            self.reads = 0

        def __enter__(self) -> InputStream:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read(self, frames: int) -> tuple[FloatArray, bool]:
            self.reads += 1
            return np.zeros((frames, self.settings["channels"]), np.float32), self.reads == 2

    fake = types.ModuleType("sounddevice")
    fake.__dict__.update(InputStream=InputStream, PortAudioError=PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    source = mic_source(channels=2)
    blocks = source.blocks()
    assert [next(blocks).shape for _ in range(3)] == [(4096, 2)] * 3
    assert source.overflows == 1
    with pytest.raises(ConfigError, match=r"gone.*no such device"):
        next(mic_source(device="gone").blocks())
