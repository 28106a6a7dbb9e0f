"""Unpacking of archives that nobody has looked at: nothing is written outside the target, whatever the archive says.

Refused one by one, with a reason, while the rest comes out: absolute paths, "..", drive letters, links, devices, sparse
and encrypted members, members that are too large or inflate like a bomb. Sizes are counted while they are read; what
headers claim is not believed.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from soundflow.errors import DataError

BLOCK: Final = 1 << 20
HEADER_MAX: Final = 4 << 20
TEMPORARY: Final = ".unpacking.part"
BROKEN: Final = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError),
    *(OverflowError, RuntimeError, IndexError, KeyError, AttributeError, TypeError, MemoryError),
)
"""What the standard readers raise on hostile input (RuntimeError covers RecursionError and NotImplementedError)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one archive. `ratio`: bytes out for each byte in, looked at once `ratio_after` bytes came out."""

    members: int = 5_000_000
    member_bytes: int = 8 << 30
    total_bytes: int = 4 << 40
    ratio: float = 200.0
    ratio_after: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Rejected:
    """A member that was left out, "" for the archive itself, and why."""

    name: str
    reason: str


@dataclass(slots=True)
class Unpacked:
    """`files` in the order of the archive; `complete` where the archive was read to its proper end."""

    files: list[Path] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    complete: bool = True


class _Refused(Exception):
    """This member is left out; the archive goes on."""


class _Stop(Exception):
    """The archive is not read further."""


def safe_parts(name: str) -> tuple[str, ...]:
    """The parts of a member's name below the target. Raises _Refused for a name that leads elsewhere or is no name."""
    if not name or any(ord(c) < 32 for c in name):
        raise _Refused("expected a name of visible characters")
    if "\\" in name or name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise _Refused("expected a relative name, got an absolute path, a drive or a backslash")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise _Refused('expected a name inside the archive, got ".."')
    try:
        long = any(len(part.encode()) > 240 for part in parts) or len(name.encode()) > 2000 or len(parts) > 40
    except UnicodeEncodeError:
        raise _Refused("expected a name in UTF-8") from None
    if not parts or long or TEMPORARY in parts:
        raise _Refused("expected an ordinary name, got none or a very long one")
    return parts


class _Meter:
    """Counts what comes out against what goes in. `came_in` tells the compressed bytes read so far."""

    def __init__(self, limits: Limits, came_in: Callable[[], int]) -> None:
        self.limits, self.came_in, self.out = limits, came_in, 0

    def add(self, count: int) -> None:
        """Raises _Stop once the archive as a whole inflates beyond its limits."""
        self.out += count
        if self.out > self.limits.total_bytes:
            raise _Stop(f"more than {self.limits.total_bytes} bytes in all")
        if self.out > self.limits.ratio_after and self.out > self.limits.ratio * max(1, self.came_in()):
            raise _Stop(f"a bomb: more than {self.limits.ratio:g} bytes out for each byte in")


class _Forward:
    """The plain tar inside a (compressed) file: read and forward seek, metered; large reads are refused.

    Only headers are read through `read` in one piece by tarfile, so a large one is a header that lies.
    """

    def __init__(self, stream: IO[bytes], meter: _Meter) -> None:
        self.stream, self.meter, self.at, self.last = stream, meter, 0, b""

    def tell(self) -> int:
        return self.at

    def read(self, count: int = -1) -> bytes:
        if not 0 <= count <= HEADER_MAX:
            raise tarfile.ReadError(f"a header claims {count} bytes")
        pieces = []
        while count > 0:
            piece = self.stream.read(min(count, BLOCK))
            if not piece:
                break
            self.meter.add(len(piece))
            self.at += len(piece)
            count -= len(piece)
            pieces.append(piece)
        self.last = b"".join(pieces)
        return self.last

    def seek(self, to: int, whence: int = 0) -> int:
        if whence or to < self.at:
            raise tarfile.ReadError("a header leads backwards")
        while self.at < to:
            if not self.read(min(to - self.at, BLOCK)):
                break
        return self.at


class _Writer:
    """Writes members below the target by way of one temporary file."""

    def __init__(self, target: Path, limits: Limits) -> None:
        target.mkdir(parents=True, exist_ok=True)
        self.target, self.limits, self.done = target.resolve(), limits, Unpacked()
        self.temporary, self.members = self.target / TEMPORARY, 0
        self.seen: set[int] = set()

    def refuse(self, name: str, reason: str) -> None:
        self.done.rejected.append(Rejected(name.encode("utf-8", "replace").decode()[:300], reason))

    def next_member(self) -> None:
        self.members += 1
        if self.members > self.limits.members:
            raise _Stop(f"more than {self.limits.members} members")

    def folder(self, name: str) -> None:
        self._inside(self.target.joinpath(*safe_parts(name)))

    def file(self, name: str, read: Callable[[int], bytes], size: int) -> None:
        """One member of `size` bytes (as its header says). Raises _Refused; a broken stream raises what it raises."""
        path = self.target.joinpath(*safe_parts(name))
        if hash(path) in self.seen:
            raise _Refused("expected each name once")
        if size > self.limits.member_bytes:
            raise _Refused(f"expected at most {self.limits.member_bytes} bytes, got {size}")
        self._inside(path.parent)
        try:
            with self.temporary.open("wb") as sink:
                count = 0
                while piece := read(BLOCK):
                    count += len(piece)
                    if count > self.limits.member_bytes:
                        raise _Refused(f"expected at most {self.limits.member_bytes} bytes, got more")
                    sink.write(piece)
            if count != size:
                raise _Refused(f"expected {size} bytes as the header says, got {count}")
            if path.is_dir() and not path.is_symlink():
                raise _Refused("expected a new name, got that of a folder")
            os.replace(self.temporary, path)
        finally:
            self.temporary.unlink(missing_ok=True)
        self.seen.add(hash(path))
        self.done.files.append(path)

    def _inside(self, folder: Path) -> None:
        """Make `folder`, once it is sure that no link leads it outside the target."""
        if not folder.resolve().is_relative_to(self.target):
            raise _Refused("a link in the target leads outside it")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            if _disk_trouble(err):
                raise
            raise _Refused(f"expected a folder above it that can be made: {err.strerror}") from None

    def one(self, name: str, write: Callable[[], None]) -> None:
        """`write` a member; what is wrong with it alone is noted and passed over."""
        self.next_member()
        try:
            write()
        except _Refused as err:
            self.refuse(name, str(err))


def unpack(archive: Path, target: Path, limits: Limits | None = None) -> Unpacked:
    """Unpack a .tar (plain, gzip, bzip2 or xz) or .zip, told by its bytes and not by its name, into `target`.

    Raises DataError where the archive cannot be read at all, or the disk is full or read-only.
    """
    writer = _Writer(target, limits or Limits())
    try:
        with archive.open("rb") as file:
            magic = file.read(6)
    except OSError as err:
        raise DataError(f"expected an archive: {err}", str(archive)) from err
    try:
        if magic[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            _unzip(archive, writer)
        else:
            _untar(archive, magic, writer)
    except _Stop as err:
        writer.refuse("", f"stopped: {err}")
        writer.done.complete = False
    return writer.done


def _disk_trouble(err: BaseException) -> bool:
    return isinstance(err, OSError) and err.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


_OPENERS: Final[dict[bytes, Callable[[Any], Any]]] = {
    b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw),
    b"BZ": bz2.BZ2File,
    b"\xfd7": lzma.LZMAFile,
}
"""By the first two bytes of the file."""


def _untar(archive: Path, magic: bytes, writer: _Writer) -> None:
    with archive.open("rb") as raw:
        stream = _OPENERS.get(magic[:2], lambda plain: plain)(raw)
        plain = _Forward(stream, _Meter(writer.limits, raw.tell))
        try:
            tar = tarfile.TarFile(fileobj=plain, mode="r")
            first = tar.next()
        except BROKEN as err:
            raise DataError(f"expected a tar or zip archive, got none that can be read: {err}", str(archive)) from err
        member, at = first, ""
        try:
            while member is not None:
                at = member.name
                writer.one(at, lambda tar=tar, member=member: _tar_member(tar, member, writer))
                tar.members.clear()  # tarfile keeps every header that it saw
                tar.pax_headers.clear()
                member = tar.next()
            if plain.last.strip(b"\0"):
                raise tarfile.ReadError("a member header is damaged")
            if not plain.last:
                raise tarfile.ReadError("it ends without its end mark")
        except BROKEN as err:
            if _disk_trouble(err):
                raise DataError(f"could not write below {writer.target}: {err}", str(archive)) from err
            writer.refuse("", f"cut or damaged after {at!r}: {err}")
            writer.done.complete = False


def _tar_member(tar: tarfile.TarFile, member: tarfile.TarInfo, writer: _Writer) -> None:
    if member.isdir():
        writer.folder(member.name)
        return
    if not member.isreg() or member.issparse():
        kind = "a link" if member.islnk() or member.issym() else "a device, pipe or sparse file"
        raise _Refused(f"expected an ordinary file, got {kind}")
    if member.size < 0:
        raise tarfile.ReadError("a header claims a negative size")
    source = tar.extractfile(member)
    assert source is not None
    writer.file(member.name, source.read, member.size)


def _unzip(archive: Path, writer: _Writer) -> None:
    try:
        book = zipfile.ZipFile(archive)
    except BROKEN as err:
        raise DataError(f"expected a zip archive that can be read: {err}", str(archive)) from err
    with book:
        spent = _Meter(writer.limits, lambda: archive.stat().st_size)
        for info in book.infolist():
            writer.one(info.filename, lambda info=info: _zip_member(book, info, writer, spent))


def _zip_member(book: zipfile.ZipFile, info: zipfile.ZipInfo, writer: _Writer, spent: _Meter) -> None:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _Refused(f"expected an ordinary file, got {'a link' if mode == stat.S_IFLNK else 'a device or pipe'}")
    if info.is_dir():
        writer.folder(info.filename)
        return
    if info.flag_bits & 1:
        raise _Refused("expected a readable file, got an encrypted one")
    mine = _Meter(writer.limits, lambda: info.compress_size)
    try:
        with book.open(info) as source:

            def read(count: int) -> bytes:
                piece = source.read(count)
                spent.add(len(piece))
                try:
                    mine.add(len(piece))
                except _Stop as err:
                    raise _Refused(str(err)) from None
                return piece

            writer.file(info.filename, read, info.file_size)
    except BROKEN as err:
        if _disk_trouble(err):
            raise DataError(f"could not write below {writer.target}: {err}", info.filename) from err
        raise _Refused(f"damaged: {err}") from err
