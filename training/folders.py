"""Folders of a run that are never half written, and the recipe that lies in each."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

from soundflow.perceive.tags import TagCalibration
from soundflow.tiers import nano
from training.stages import RunConfig


def resolved(config: RunConfig) -> str:
    """The recipe with every default, and the commit of the code, as JSON that `stages.load` reads again."""
    here = Path(__file__).parent
    found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False, cwd=here)
    return json.dumps({**asdict(config), "commit": found.stdout.strip()}, indent=1) + "\n"


def tag_calibration(adapter: Path, labels: int = 0) -> TagCalibration:
    """How surely a tag is heard, as the perceiver will have it beside this adapter: its own, else the shipped one.

    `labels`: of a sound encoder that is not nano's, whose scores count as they are where there is none of its own.
    """
    own = adapter / "tags.json"
    if labels and not own.is_file():
        return TagCalibration.identity(labels)
    return TagCalibration.load(own if own.is_file() else nano.ADAPTER / "tags.json")


def replace_folder(source: Path, target: Path) -> None:
    """Copy a folder over another; at no time is the target half written."""
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, part)
    move_folder(part, target)


def move_folder(part: Path, target: Path) -> None:
    """Put a finished folder in the place of another."""
    old = target.with_name(f"{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    part.rename(target)
    shutil.rmtree(old, ignore_errors=True)
