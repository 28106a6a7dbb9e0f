"""Download of a published file by HTTP: resumed where it was cut, checked where its size or checksum is known.

A file lies at its name only once it is whole and checked; until then it is NAME.part.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from data_builder.corpora.recipe import RemoteFile
from soundflow.errors import DataError

BLOCK: Final = 1 << 20
TIMEOUT_S: Final = 30.0
TRIES: Final = 5
"""In a row without one new byte."""
MOST_TRIES: Final = 50
LARGEST: Final = 2 << 40
AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
PASSING: Final = (urllib.error.URLError, http.client.HTTPException, OSError, ValueError)

Open = Callable[[urllib.request.Request, float], Any]
Progress = Callable[[str, int, int], None]
"""Called with the file's name, the bytes here and the bytes in all (0: unknown)."""


def _open(request: urllib.request.Request, timeout_s: float) -> Any:
    return urllib.request.urlopen(request, timeout=timeout_s)


def quiet(name: str, done: int, total: int) -> None:
    pass


def fetch(
    file: RemoteFile,
    folder: Path,
    progress: Progress = quiet,
    open_url: Open = _open,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """The file in `folder`, downloaded unless it is there; what an earlier call left unfinished is gone on with.

    Raises DataError: no network, gone, another size or checksum than published, disk full. The message names the
    address and where a copy that was fetched by hand has to be put.
    """
    if not file.url.startswith(("https://", "http://")):
        raise DataError("expected an http or https address", file.url)
    target = folder / file.filename
    part = folder / f"{file.filename}.part"
    if target.is_file():
        got = target.stat().st_size
        if file.size and got != file.size:
            raise DataError(f"expected {file.size} bytes, got {got}: remove it and download again", str(target))
        return target
    folder.mkdir(parents=True, exist_ok=True)
    idle, wait_s = 0, 1.0
    for _ in range(MOST_TRIES):
        before = part.stat().st_size if part.is_file() else 0
        try:
            if _continue(file, part, progress, open_url):
                break
        except urllib.error.HTTPError as err:
            err.close()
            reason: object = f"the server answers {err.code}"
            if err.code not in AGAIN:
                raise _failed(file, target, part, reason) from err
        except PASSING as err:
            if isinstance(err, OSError) and err.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
                raise DataError(f"could not write: {err}; what is here is kept", str(part)) from err
            reason = getattr(err, "reason", None) or str(err) or type(err).__name__
        else:
            reason = "the connection was cut"
        grown = part.is_file() and part.stat().st_size > before
        idle, wait_s = (0, 1.0) if grown else (idle + 1, min(30.0, 2 * wait_s))
        if idle >= TRIES:
            raise _failed(file, target, part, reason)
        sleep(wait_s)
    else:
        raise _failed(file, target, part, f"{MOST_TRIES} tries were not enough")
    _check(file, part)
    part.replace(target)
    _tag(part).unlink(missing_ok=True)
    return target


def _failed(file: RemoteFile, target: Path, part: Path, reason: object) -> DataError:
    kept = f" ({part.stat().st_size} bytes are kept in {part.name})" if part.is_file() else ""
    return DataError(
        f"{file.url} could not be fetched: {reason}{kept}. Run it again, or fetch the file by hand and put it"
        f" at {target}"
    )


def _tag(part: Path) -> Path:
    """Beside the part: what the server called this version of the file."""
    return part.with_name(f"{part.name}.tag")


def _continue(file: RemoteFile, part: Path, progress: Progress, open_url: Open) -> bool:
    """Ask for what is missing and append it; whether the file is whole now."""
    have = part.stat().st_size if part.is_file() else 0
    if have and file.size and have >= file.size:
        if have == file.size:
            return True
        part.unlink()
        have = 0
    request = urllib.request.Request(file.url, headers={"User-Agent": "soundflow-data", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        if _tag(part).is_file():
            request.add_header("If-Range", _tag(part).read_text(encoding="utf-8"))
    try:
        response = open_url(request, TIMEOUT_S)
    except urllib.error.HTTPError as err:
        if err.code != 416:
            raise
        err.close()
        if err.headers and err.headers.get("Content-Range") == f"bytes */{have}":
            return True  # nothing is missing
        part.unlink(missing_ok=True)
        return False
    with response:
        start = have if _resumes(response, have) else 0
        total = start + int(response.headers.get("Content-Length") or 0)
        if file.size and total > start and total != file.size:
            raise DataError(f"expected a file of {file.size} bytes, the server has one of {total}", file.url)
        tag = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        if tag and not tag.startswith("W/") and tag.isprintable():
            _tag(part).write_text(tag, encoding="utf-8")
        else:
            _tag(part).unlink(missing_ok=True)
        with part.open("ab" if start else "wb") as sink:
            done = _copy(file, response, sink, start, total, progress)
    return done >= total if total > start else not file.size or done == file.size


def _resumes(response: Any, have: int) -> bool:
    return bool(
        have
        and getattr(response, "status", 200) == 206
        and str(response.headers.get("Content-Range") or "").startswith(f"bytes {have}-")
    )


def _copy(file: RemoteFile, response: Any, sink: IO[bytes], done: int, total: int, progress: Progress) -> int:
    most = file.size or LARGEST
    while piece := response.read(BLOCK):
        done += len(piece)
        if done > most:
            raise DataError(f"expected at most {most} bytes, the server sends more", file.url)
        sink.write(piece)
        progress(file.filename, done, total or file.size)
    return done


def _check(file: RemoteFile, part: Path) -> None:
    """Size and checksum of a whole part. Raises DataError and removes the part where they differ."""
    got_size = part.stat().st_size if part.is_file() else 0
    wrong = f"{file.size} bytes, got {got_size}" if file.size and got_size != file.size else ""
    if not wrong and file.checksum:
        name, _, expected = file.checksum.partition(":")
        with part.open("rb") as source:
            got = hashlib.file_digest(source, name).hexdigest()
        wrong = f"{name} {expected}, got {got}" if got != expected else ""
    if wrong:
        part.unlink(missing_ok=True)
        _tag(part).unlink(missing_ok=True)
        raise DataError(f"expected {wrong}; it was removed, download again", file.url)
