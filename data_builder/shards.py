"""WebDataset shards: tar of `ID.flac` and `ID.json`, same bytes for same samples; written whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from data_builder.clips import FloatArray
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError

BIGGEST_MEMBER: Final = 64 << 20


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
                _add(tar, f"{meta['id']}.{suffix}", data)
    os.replace(part, path)


def copy_members(
    sources: Iterable[Path], path: Path, keep: Callable[[dict[str, Any]], bool] = lambda meta: True
) -> None:
    """Write to `path` the samples of other shards, in order, for which `keep(meta)`; their bytes stay as they are."""
    part = path.with_name(path.name + ".part")
    with tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as out:
        for source in sources:
            for meta, files in _members(source):
                if keep(meta):
                    for suffix in ("flac", "json"):
                        _add(out, f"{meta['id']}.{suffix}", files[suffix])
    os.replace(part, path)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    tar.addfile(info, io.BytesIO(data))


def members(path: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(name without suffix, {suffix: bytes}) of each sample of a shard. Raises DataError where it is not whole."""
    try:
        with tarfile.open(path, "r:") as tar:
            found: dict[str, dict[str, bytes]] = {}
            for member in tar:
                stem, _, suffix = member.name.rpartition(".")
                if suffix not in suffixes:
                    continue
                file = tar.extractfile(member) if member.isfile() else None
                if file is None or member.size > BIGGEST_MEMBER:
                    raise DataError(
                        f"expected plain files of at most {BIGGEST_MEMBER} bytes, got {member.name!r}", str(path)
                    )
                parts = found.setdefault(stem, {})
                parts[suffix] = file.read()
                if len(parts) == len(suffixes):
                    yield stem, found.pop(stem)
                elif len(found) > 2:
                    break
    except (tarfile.TarError, OSError, EOFError) as err:
        raise DataError(f"expected a whole shard: {err}", str(path)) from err
    if found:
        raise DataError(f"expected .{' and .'.join(suffixes)} of each sample, got only {sorted(found)[:3]}", str(path))


def parse_meta(body: bytes, where: str) -> dict[str, Any]:
    """JSON of a sample. Raises DataError where it is not an object."""
    try:
        meta = json.loads(body)
    except ValueError as err:
        raise DataError(f"expected the JSON of a sample: {err}", where) from err
    if not isinstance(meta, dict):
        raise DataError(f"expected a JSON object, got {type(meta).__name__}", where)
    return meta


def _members(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, bytes]]]:
    """(meta, bytes of its flac and json) of each sample. Raises DataError where the shard is not whole."""
    for stem, files in members(path, ("flac", "json")):
        yield parse_meta(files["json"], f"{path}: {stem}"), files


def read_metas(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON of each sample; its audio is not read. Raises DataError where the shard is not whole."""
    for stem, files in members(path, ("json",)):
        yield parse_meta(files["json"], f"{path}: {stem}")


def read_shard(path: Path) -> Iterator[tuple[dict[str, Any], NDArray[np.int16], int]]:
    """(meta, int16 [N], sample rate) of each sample. Raises DataError where the shard is not whole."""
    for meta, files in _members(path):
        try:
            audio, rate = sf.read(io.BytesIO(files["flac"]), dtype="int16")
        except sf.LibsndfileError as err:
            raise DataError(f"expected FLAC: {err}", f"{path}:{meta.get('id')}") from err
        yield meta, audio, rate


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, body: Any) -> None:
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
