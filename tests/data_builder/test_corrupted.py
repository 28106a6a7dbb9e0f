"""A thousand damaged sound files: each is usable or quarantined, none raises, nothing is written beside the cache."""

from __future__ import annotations

import io
import os
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data_builder.catalog import build_catalog
from data_builder.clips import ClipStore, decode
from data_builder.corpora.folder import Row
from soundflow.errors import DataError

from .conftest import babble

SR, SECONDS, COUNT = 16_000, 0.6, 1_000
FORMATS = {"wav": ("WAV", "PCM_16"), "float.wav": ("WAV", "FLOAT"), "flac": ("FLAC", "PCM_16"),
           "ogg": ("OGG", "VORBIS"), "opus.ogg": ("OGG", "OPUS")}  # fmt: skip
Rng = np.random.Generator


def encode(kind: str, rng: Rng, rate: int = SR, channels: int = 1) -> bytes:
    """Bytes of a good clip of SECONDS."""
    out = io.BytesIO()
    x = babble(rng, SECONDS * rate / SR) / 3.0
    name, subtype = FORMATS[kind]
    sf.write(out, np.tile(x[:, None], (1, channels)), rate, format=name, subtype=subtype)
    return out.getvalue()


def truncated(raw: bytes, rng: Rng) -> bytes:
    return raw[: int(rng.integers(1, len(raw)))]


def bad_header(raw: bytes, rng: Rng) -> bytes:
    n = min(len(raw), int(rng.integers(4, 60)))
    return rng.bytes(n) + raw[n:]


def flipped(raw: bytes, rng: Rng) -> bytes:
    data = np.frombuffer(raw, np.uint8).copy()
    at = rng.integers(0, len(data), int(rng.integers(1, 200)))
    data[at] ^= (1 << rng.integers(0, 8, len(at))).astype(np.uint8)
    return data.tobytes()


def huge_claim(raw: bytes, rng: Rng) -> bytes:
    """Sizes of a WAV's RIFF and data chunks, or the sample count of a FLAC, made as large as they can be."""
    data = bytearray(raw)
    if data[:4] == b"fLaC":
        data[21] |= 0x0F  # low half of byte 13 of the STREAMINFO block: top of the 36-bit number of samples
        data[22:26] = b"\xff" * 4
    elif (at := data.find(b"data")) > 0:
        data[at + 4 : at + 8] = struct.pack("<I", int(rng.choice([0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFE])))
        data[4:8] = b"\xff" * 4
    else:
        data[6:14] = b"\xff" * 7 + b"\x7f"  # granule position of the first Ogg page
    return bytes(data)


def not_sound(_: bytes, rng: Rng) -> bytes:
    kinds = [
        b"<!doctype html><html><title>404</title></html>", b"version https://git-lfs.github.com/spec/v1\n",
        b"\0" * 5_000, b"", "Tonspur folgt \u2013 morgen".encode("utf-16"),
        rng.bytes(3_000), b"PK\x03\x04" + rng.bytes(500),
    ]  # fmt: skip
    return kinds[int(rng.integers(len(kinds)))]


def not_finite(_: bytes, rng: Rng) -> bytes:
    raw = bytearray(encode("float.wav", rng))
    at = raw.find(b"data") + 8 + 4 * int(rng.integers(0, 9_000))
    raw[at : at + 4] = struct.pack("<f", float(rng.choice([np.nan, np.inf, -np.inf, 3e38])))
    return bytes(raw)


def no_data(raw: bytes, rng: Rng) -> bytes:
    return raw[: raw.find(b"data") + 8] if b"data" in raw[:200] else raw[: int(rng.integers(4, 42))]


def wrong_rate(raw: bytes, rng: Rng) -> bytes:
    """A WAV whose header tells another rate, or a good clip of an odd rate."""
    if raw[:4] != b"RIFF":
        return raw[:100]
    rate = int(rng.choice([0, 1, 100, 8_000, 96_000, 384_000, 2**31 - 1]))
    return raw[:24] + struct.pack("<I", rate) + raw[28:]


def odd_but_good(_: bytes, rng: Rng) -> bytes:
    rate, channels = int(rng.choice([8_000, 22_050, 44_100, 48_000, 96_000])), int(rng.choice([1, 2, 8]))
    out = io.BytesIO()
    x = np.interp(np.arange(int(SECONDS * rate)) / rate, np.arange(int(SECONDS * SR)) / SR, babble(rng, SECONDS)) / 3.0
    sf.write(out, np.tile(x[:, None], (1, channels)), rate, format="WAV", subtype="PCM_24")
    return out.getvalue()


def crossed(raw: bytes, rng: Rng) -> bytes:
    """The beginning of one file and the end of another format's."""
    other = encode(str(rng.choice(list(FORMATS))), rng)
    return raw[: int(rng.integers(20, len(raw)))] + other[int(rng.integers(0, len(other))) :]


DAMAGE: list[Callable[[bytes, Rng], bytes]] = [
    truncated, truncated, bad_header, flipped, flipped, huge_claim, not_sound, not_finite, no_data, wrong_rate,
    odd_but_good, crossed,
]  # fmt: skip
ALWAYS_BAD = {"not_sound", "not_finite", "no_data", "strange"}


def strange(path: Path, k: int) -> None:
    """What is in the place of a file: a folder, a dangling link, a loop, a pipe, a device, nothing."""
    match k % 6:
        case 0:
            path.mkdir()
        case 1:
            path.symlink_to("not-there.wav")
        case 2:
            path.symlink_to(path.name)
        case 3:
            os.mkfifo(path)
        case 4:
            path.symlink_to("/dev/urandom")


def damaged_folder(root: Path) -> dict[str, str]:
    """COUNT damaged files under `root`: path -> what was done."""
    made: dict[str, str] = {}
    good = {kind: [encode(kind, np.random.default_rng([8, k])) for k in range(8)] for kind in FORMATS}
    for k in range(COUNT):
        rng = np.random.default_rng([7, k])
        kind = list(FORMATS)[k % len(FORMATS)]
        path = root / f"{k:04d}.{kind}"
        if k % 20 == 19:
            strange(path, k // 20)
            made[path.name] = "strange"
            continue
        damage = DAMAGE[int(rng.integers(len(DAMAGE)))]
        path.write_bytes(damage(good[kind][int(rng.integers(8))], rng))
        if k % 97 == 0:
            path.chmod(0)
        made[path.name] = damage.__name__
    return made


def files_below(folder: Path) -> set[tuple[str, int, int]]:
    return {(str(p), p.lstat().st_size, p.lstat().st_mtime_ns) for p in folder.rglob("*")}


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    root = tmp_path_factory.mktemp("damaged") / "clips"
    root.mkdir()
    return root, damaged_folder(root)


def test_a_thousand_damaged_files_end_no_pass(damaged: tuple[Path, dict[str, str]]) -> None:
    root, made = damaged
    base = Row("", "d", "train", "event", "dog", "", "", "en", SECONDS, "CC0", "s", True, "no")
    rows = [Row(path, *astuple(base)[1:]) for path in made]
    before = files_below(root.parent)
    cache = root.parent / "cache"
    found = build_catalog(root, rows, cache, workers=2)
    after = {item for item in files_below(root.parent) if not item[0].startswith(str(cache))}
    assert after == before
    assert len(found.entries) + len(found.quarantined) == COUNT
    assert all(q.reason.startswith("expected ") for q in found.quarantined)
    bad = Counter(made[q.path] for q in found.quarantined)
    good = Counter(made[e.row.path] for e in found.entries)
    assert not good.keys() & ALWAYS_BAD, good
    assert bad["odd_but_good"] == 0
    assert bad["truncated"] > good["truncated"] > 0
    assert len({q.reason for q in found.quarantined}) > 10
    for entry in found.entries:
        f = entry.facts
        assert np.isfinite([f.seconds, f.peak, f.rms_db, f.floor_db, f.clipped]).all()
        assert 0 <= f.onset < f.offset <= (f.seconds + 0.1) * SR
        assert 1e-4 <= f.peak <= 4.0
        assert abs(f.seconds - SECONDS) <= 0.3
        samples, _ = sf.read(root / entry.row.path, frames=SR * 10, dtype="float32")
        assert np.isfinite(samples).all()
    again = build_catalog(root, rows, cache)
    assert again.entries == found.entries
    assert again.quarantined == found.quarantined


def test_the_readers_of_the_builder_only_raise_data_errors(damaged: tuple[Path, dict[str, str]]) -> None:
    root, made = damaged
    store = ClipStore(root, max_bytes=1 << 20)
    for path, what in made.items():
        if what == "strange" or not os.access(root / path, os.R_OK):
            continue
        for read in (lambda p: decode((root / p).read_bytes(), 5.0), store.read):
            try:
                samples = read(path)
            except DataError:
                continue
            assert samples.dtype == np.float32
            assert np.isfinite(samples).all(), (path, what)
