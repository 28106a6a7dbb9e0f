"""WebDataset shards: tar of `ID.flac` and `ID.json`, same bytes for same samples; written whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from data_builder.clips import FloatArray
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError


def flac(audio: FloatArray) -> bytes:
    """16-bit FLAC of [N] float in [-1, 1]. Raises DataError for a value that is not finite."""
    if not np.isfinite(audio).all():
        raise DataError("expected finite samples, got NaN or infinity in a mix")
    out = io.BytesIO()
    data = np.clip(np.round(audio * 32767.0), -32768, 32767).astype(np.int16)
    sf.write(out, data, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16", compression_level=0.3)
    return out.getvalue()


def write_shard(path: Path, samples: Iterable[tuple[dict[str, Any], FloatArray]]) -> None:
    """Write a shard to `path` by way of `path`.part."""
    part = path.with_name(path.name + ".part")
    with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
        for meta, audio in samples:
            body = json.dumps(meta, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
            for suffix, data in (("flac", flac(audio)), ("json", body)):
                info = tarfile.TarInfo(f"{meta['id']}.{suffix}")
                info.size, info.mode = len(data), 0o644
                tar.addfile(info, io.BytesIO(data))
    os.replace(part, path)


def read_shard(path: Path) -> Iterator[tuple[dict[str, Any], NDArray[np.int16], int]]:
    """(meta, int16 [N], sample rate) of each sample. Raises DataError where the shard is not whole."""
    try:
        with tarfile.open(path) as tar:
            found: dict[str, bytes] = {}
            for member in tar:
                file = tar.extractfile(member)
                if file is None:
                    raise DataError(f"expected plain files, got {member.name!r}", str(path))
                found[member.name] = file.read()
                name = member.name.rsplit(".", 1)[0]
                if f"{name}.flac" in found and f"{name}.json" in found:
                    meta = json.loads(found.pop(f"{name}.json"))
                    audio, rate = sf.read(io.BytesIO(found.pop(f"{name}.flac")), dtype="int16")
                    yield meta, audio, rate
            if found:
                raise DataError(f"expected .flac and .json of each sample, got only {sorted(found)[:3]}", str(path))
    except (tarfile.TarError, json.JSONDecodeError, sf.LibsndfileError) as err:
        raise DataError(f"expected a whole shard: {err}", str(path)) from err


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, body: dict[str, Any]) -> None:
    """Write `body` whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    os.replace(part, path)


def shard_paths(folder: Path) -> list[Path]:
    """Shards of a folder in order. Raises DataError where there is none."""
    paths = sorted(folder.glob("shard-*.tar"))
    if not paths:
        raise DataError(f"expected shard-*.tar in {folder}, got none")
    return paths


def find(folder: Path, sample_id: str = "") -> tuple[dict[str, Any], NDArray[np.int16]]:
    """One sample by id, or the first one. Raises DataError where it is not there."""
    for path in shard_paths(folder):
        for meta, audio, _ in read_shard(path):
            if sample_id in ("", meta["id"]):
                return meta, audio
    raise DataError(f"expected the sample in {folder}, got none", sample_id)
