"""Two hundred files that are not the audio that they claim to be. Deterministic; made in memory."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import numpy as np
import soundfile

from soundflow.types import FloatArray

RATE = 16_000


def tone(seconds: float = 0.6) -> FloatArray:
    times = np.arange(int(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)


def encoded(kind: str, subtype: str, audio: FloatArray | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, tone() if audio is None else audio, RATE, format=kind, subtype=subtype)
    return buffer.getvalue()


def wav(
    *, rate: int = RATE, channels: int = 1, bits: int = 16, tag: int = 1, claim: int | None = None, frames: int = 64
) -> bytes:
    """A WAV whose header says what it is told to say; the data are `frames` zeros of two bytes."""
    data = bytes(2 * frames)
    align = max(1, channels * bits // 8) & 0xFFFF
    size = len(data) if claim is None else claim
    byte_rate = (rate * align) & 0xFFFFFFFF
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels & 0xFFFF, rate & 0xFFFFFFFF, byte_rate, align, bits)
    return (
        b"RIFF" + struct.pack("<I", (36 + size) & 0xFFFFFFFF) + b"WAVE" + fmt + b"data" + struct.pack("<I", size) + data
    )


def _poisoned(value: float, at: float) -> bytes:
    audio = tone()
    audio[int(at * (len(audio) - 1))] = value
    return encoded("WAV", "FLOAT", audio)


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.wav", wav())
    return buffer.getvalue()


def _not_audio() -> dict[str, bytes]:
    return {
        "text.wav": b"hello, this is not audio\n" * 40,
        "json.wav": b'{"a": [1, 2, 3]}' * 60,
        "html.ogg": b"<!doctype html><html><body>404</body></html>" * 20,
        "zip.wav": _zip(),
        "zip.flac": _zip(),
        "gzip.wav": gzip.compress(wav(), mtime=0),
        "png.wav": b"\x89PNG\r\n\x1a\n" + bytes(500),
        "pdf.wav": b"%PDF-1.7\n" + bytes(500),
        "elf.wav": b"\x7fELF\x02\x01\x01" + bytes(500),
        "pointer.ogg": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
        "utf16.wav": "no audio here".encode("utf-16") * 30,
        "zeros.wav": bytes(4000),
        "ones.flac": b"\xff" * 4000,
        "text.raw": b"hello" * 100,
        "text": b"hello" * 100,
    }


def malformed() -> dict[str, bytes]:
    """File name -> content."""
    made: dict[str, bytes] = _not_audio()
    for suffix in ("wav", "flac", "ogg", "mp3", "aiff"):
        made[f"empty.{suffix}"] = b""
    rng = np.random.default_rng(2)
    for index in range(36):
        suffix = ("wav", "flac", "ogg", "aiff")[index % 4]
        made[f"random{index}.{suffix}"] = rng.bytes(int(rng.integers(1, 6000)))
    for suffix, magic in (("wav", b"RIFF"), ("flac", b"fLaC"), ("ogg", b"OggS"), ("aiff", b"FORM"), ("rf64", b"RF64")):
        for index in range(3):
            made[f"magic{index}.{suffix}"] = magic + rng.bytes(400)
    pcm = encoded("WAV", "PCM_16")
    for cut in range(1, 44):
        made[f"header{cut}.wav"] = pcm[:cut]
    for kind, subtype in (
        ("WAV", "PCM_16"),
        ("WAV", "FLOAT"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("AIFF", "PCM_16"),
    ):
        whole = encoded(kind, subtype)
        for share in (0.02, 0.15, 0.4, 0.6, 0.75, 0.9, 0.97):
            made[f"cut_{subtype}_{share}.{kind.lower()}"] = whole[: int(len(whole) * share)]
    for value in (np.nan, np.inf, -np.inf, 1e30, -40.0):
        for at in (0.0, 0.1, 0.5, 1.0):
            made[f"value_{value}_{at}.wav"] = _poisoned(float(value), at)
    for rate in (0, 1, 100, 3999, 384_001, 1_000_000, 2**31 - 1, 2**31, 2**32 - 1):
        made[f"rate{rate}.wav"] = wav(rate=rate)
    for channels in (0, 65, 255, 1024, 65_535):
        made[f"channels{channels}.wav"] = wav(channels=channels, frames=70_000)
    for claim in (1_000, 2**20, 2**30, 2**31 - 2**20, 200, 130):
        made[f"claim{claim}.wav"] = wav(claim=claim)
    for tag in (0, 99, 0x1234, 0xFFFF):
        made[f"tag{tag}.wav"] = wav(tag=tag)
    for bits in (0, 33, 200, 65_535):
        made[f"bits{bits}.wav"] = wav(bits=bits)
    made["nodata.wav"] = wav(frames=0)
    for suffix, subtype in (("flac", "PCM_16"), ("aiff", "PCM_16"), ("wav", "FLOAT")):
        made[f"nothing.{suffix}"] = encoded(suffix.upper(), subtype, np.zeros(0, np.float32))
    flac = bytearray(encoded("FLAC", "PCM_16"))
    for index in range(8):
        body = bytearray(flac)
        body[200 + 40 * index : 230 + 40 * index] = rng.bytes(30)
        made[f"damaged{index}.flac"] = bytes(body)
    return made
