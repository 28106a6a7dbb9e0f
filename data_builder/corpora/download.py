"""Packages of public registries, fetched by the registry's own tool into a folder and kept there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from soundflow.errors import DataError

TIMEOUT_S: Final = 1800


def download(command: Sequence[str], folder: Path, pattern: str) -> Path:
    """The first file of `pattern` in `folder`; run `command` there where there is none yet.

    Raises DataError where the tool is missing, fails, or leaves no such file.
    """
    found = sorted(folder.glob(pattern))
    if found:
        return found[0]
    if shutil.which(command[0]) is None:
        raise DataError(f"expected {command[0]} on the path to fetch packages, got none", pattern)
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    found = sorted(folder.glob(pattern))
    if done.returncode or not found:
        told = done.stderr.strip()[-200:]
        raise DataError(f"{' '.join(command[:2])} failed with code {done.returncode}: {told}", pattern)
    return found[0]
