"""Audio sources: a file, a raw byte stream or a microphone, of any rate, channels and sample format, in bounded blocks.

A source yields [n, channels] float32 blocks at its own rate; `to_mono` and `resample.StreamResampler` bring them to
16 kHz mono. Nothing here holds more than one block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import numpy as np
import soundfile

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.pcm import SAMPLE_BYTES, decode
from soundflow.types import FloatArray

MIN_RATE_HZ: Final = 4_000
MAX_RATE_HZ: Final = 384_000
MAX_CHANNELS: Final = 64
MAX_SECONDS: Final = 24 * 3600.0
BLOCK_FRAMES: Final = 4_096
_PEAK_LIMIT = 16.0  # float files from a studio may pass 1.0; beyond +24 dBFS they are integers in float clothes
_UNKNOWN_FRAMES = 1 << 60
_STREAMED_BYTES = 0x7FFF_0000  # writers into a pipe put 0x7FFFFFFF or 0xFFFFFFFF for a size that they do not know
_DECLARED = re.compile(r"^\s*(?:data|SSND|Data Size|riff|Riff size)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE)
_OGG_TAIL = 65_536


class AudioSource(Protocol):
    """Where audio comes from."""

    @property
    def rate_hz(self) -> int:
        """Frames a second of every block."""

    @property
    def channels(self) -> int:
        """Width of every block."""

    def blocks(self) -> Iterator[FloatArray]:
        """[n, channels] float32, n bounded, until the source ends."""


def to_mono(block: FloatArray) -> FloatArray:
    """[n, channels] -> [n], the mean of the channels."""
    if block.ndim != 2 or block.shape[1] < 1:
        raise AudioFormatError(f"expected a block of [n, channels], got {block.shape}")
    mono: FloatArray = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
    return mono


class FileSource:
    """An audio file. Its header is checked at once, its samples while they are read; `blocks` may be called again."""

    def __init__(self, path: Path, max_seconds: float = MAX_SECONDS, block_frames: int = BLOCK_FRAMES) -> None:
        self.path = path
        self._max_seconds = max_seconds
        self._block_frames = _checked_block(block_frames)
        if not path.exists():
            raise AudioFormatError(f"{path}: no such file")
        if not path.is_file():
            raise AudioFormatError(f"{path}: expected an audio file, got a folder or device (pipe raw audio instead)")
        if path.stat().st_size == 0:
            raise AudioFormatError(f"{path}: expected an audio file, got an empty file")
        with self._open() as handle:
            self.rate_hz, self.channels = int(handle.samplerate), int(handle.channels)
            self._frames = int(handle.frames)
            _check_format(self.rate_hz, self.channels, str(path))
            _check_complete(path, str(handle.extra_info))
        if self._frames == 0:
            raise AudioFormatError(f"{path}: expected audio, got a header with no samples")
        if self._frames < _UNKNOWN_FRAMES:
            self._check_length(self._frames)

    def blocks(self) -> Iterator[FloatArray]:
        """[n, channels], n <= `block_frames`.

        Raises:
            AudioFormatError: damaged, truncated, longer than the bound, or a sample that is no number.
        """
        read = 0
        with self._open() as handle:
            while True:
                try:
                    block: FloatArray = handle.read(self._block_frames, dtype="float32", always_2d=True)
                except (soundfile.LibsndfileError, RuntimeError) as error:
                    raise AudioFormatError(f"{self.path}: cannot be decoded after frame {read}: {error}") from error
                if not len(block):
                    break
                _check_samples(block, read, str(self.path))
                read += len(block)
                self._check_length(read)
                yield block
        if self._frames < _UNKNOWN_FRAMES and read < self._frames:
            raise AudioFormatError(f"{self.path}: truncated: expected {self._frames} frames, got {read}")

    def _open(self) -> Any:
        try:
            return soundfile.SoundFile(self.path)
        except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
            raise AudioFormatError(f"{self.path}: not audio, or truncated, or damaged: {error}") from error

    def _check_length(self, frames: int) -> None:
        if frames > self._max_seconds * self.rate_hz:
            raise AudioFormatError(
                f"{self.path}: expected at most {self._max_seconds:g} s, got {frames / self.rate_hz:.1f} s"
            )


class RawSource:
    """Headerless PCM out of a blocking binary file object: standard input, a socket, a pipe. It has no length bound."""

    def __init__(
        self, fileobj: BinaryIO, rate_hz: int, channels: int, sample_format: str, block_frames: int = BLOCK_FRAMES
    ) -> None:
        if sample_format not in SAMPLE_BYTES:
            raise ConfigError(f"raw audio: expected sample_format in {sorted(SAMPLE_BYTES)}, got {sample_format!r}")
        _check_format(rate_hz, channels, "raw audio")
        self.rate_hz = rate_hz
        self.channels = channels
        self._fileobj = fileobj
        self._format = sample_format
        self._block_frames = _checked_block(block_frames)

    def blocks(self) -> Iterator[FloatArray]:
        """[n, channels], n <= `block_frames`, as soon as whole frames are there.

        Raises:
            AudioFormatError: the stream ended inside a frame, or a sample is no number.
        """
        frame_bytes = SAMPLE_BYTES[self._format] * self.channels
        rest = b""
        taken = 0
        while data := self._read(self._block_frames * frame_bytes - len(rest)):
            data = rest + data
            whole = len(data) - len(data) % frame_bytes
            rest = data[whole:]
            if whole:
                block = decode(data[:whole], self._format).reshape(-1, self.channels)
                _check_samples(block, taken // frame_bytes, "raw audio")
                taken += whole
                yield block
        if rest:
            raise AudioFormatError(
                f"raw audio: truncated at byte {taken + len(rest)}: the frame at byte {taken} has {len(rest)} of"
                f" {frame_bytes} bytes ({self._format}, {self.channels} channels)"
            )

    def _read(self, size: int) -> bytes:
        reader = getattr(self._fileobj, "read1", self._fileobj.read)  # what is there now, not a full block later
        data = reader(size)
        if data is None:
            raise ConfigError("raw audio: expected a blocking file object, got a non-blocking one")
        return bytes(data)


class MicSource:
    """A microphone through PortAudio. `overflows` counts the blocks before which the device had dropped audio."""

    def __init__(
        self,
        rate_hz: int = SAMPLE_RATE_HZ,
        channels: int = 1,
        device: int | str | None = None,
        block_frames: int = BLOCK_FRAMES,
    ) -> None:
        _check_format(rate_hz, channels, "microphone")
        try:
            import sounddevice
        except ImportError as error:
            raise ConfigError("microphone: needs sounddevice: pip install 'soundflow[mic]'") from error
        except OSError as error:  # the package is there, PortAudio is not
            raise ConfigError(f"microphone: PortAudio not found ({error}): install libportaudio2") from error
        self.rate_hz = rate_hz
        self.channels = channels
        self.overflows = 0
        self._sounddevice = sounddevice
        self._device = device
        self._block_frames = _checked_block(block_frames)

    def blocks(self) -> Iterator[FloatArray]:
        """[block_frames, channels] for as long as the caller takes them. ConfigError where the device fails."""
        failure = self._sounddevice.PortAudioError
        try:
            with self._sounddevice.InputStream(
                samplerate=self.rate_hz, channels=self.channels, device=self._device, dtype="float32"
            ) as stream:
                while True:
                    block, overflowed = stream.read(self._block_frames)
                    self.overflows += bool(overflowed)
                    yield np.asarray(block, dtype=np.float32)
        except failure as error:
            raise ConfigError(f"microphone {self._device!r} at {self.rate_hz} Hz: {error}") from error


def file_source(path: Path | str, max_seconds: float = MAX_SECONDS) -> FileSource:
    """Source of an audio file. AudioFormatError says what is wrong with it."""
    return FileSource(Path(path), max_seconds)


def raw_source(fileobj: BinaryIO, rate_hz: int, channels: int, sample_format: str) -> RawSource:
    """Source of headerless PCM; `sample_format` is s16le, s24le, s32le, f32le, u8, mulaw or alaw."""
    return RawSource(fileobj, rate_hz, channels, sample_format)


def mic_source(rate_hz: int = SAMPLE_RATE_HZ, channels: int = 1, device: int | str | None = None) -> MicSource:
    """Source of a microphone. ConfigError names what to install where it cannot be used."""
    return MicSource(rate_hz, channels, device)


def _check_format(rate_hz: int, channels: int, where: str) -> None:
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise AudioFormatError(f"{where}: expected a rate of {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz, got {rate_hz}")
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioFormatError(f"{where}: expected 1 to {MAX_CHANNELS} channels, got {channels}")


def _check_samples(block: FloatArray, first_frame: int, where: str) -> None:
    bad = ~(np.abs(block) <= _PEAK_LIMIT)  # NaN compares false
    if bad.any():
        frame, channel = (int(i) for i in np.argwhere(bad)[0])
        raise AudioFormatError(
            f"{where}: expected samples in [-1, 1], got {block[frame, channel]} at frame {first_frame + frame},"
            f" channel {channel}"
        )


def _check_complete(path: Path, log: str) -> None:
    """Refuse a file whose header promises more than there is; libsndfile would shorten it in silence."""
    for declared, actual in ((int(d), int(a)) for d, a in _DECLARED.findall(log)):
        if actual + 1 < declared < _STREAMED_BYTES:
            raise AudioFormatError(f"{path}: truncated: the header promises {declared} bytes of audio, got {actual}")
    with path.open("rb") as handle:
        if handle.read(4) != b"OggS":
            return
        size = path.stat().st_size
        handle.seek(max(0, size - _OGG_TAIL))
        tail = handle.read(_OGG_TAIL)
    last = tail[tail.rfind(b"OggS") :]  # a page: 27 bytes, one length a segment, the segments
    whole = len(last) > 27 and len(last) >= 27 + last[26] + sum(last[27 : 27 + last[26]])
    if not whole or not last[5] & 4:
        raise AudioFormatError(f"{path}: truncated: byte {size} is not the end of an Ogg stream")


def _checked_block(block_frames: int) -> int:
    if not 1 <= block_frames <= MAX_RATE_HZ:
        raise ConfigError(f"expected block_frames of 1 to {MAX_RATE_HZ}, got {block_frames}")
    return block_frames
