"""Files that are there whole or not at all, so that a run that was cut off can go on from what it finds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write(path: Path, data: bytes | str) -> None:
    """Put `data` (text as UTF-8) in the place of what is there, by way of `path`.part; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data if isinstance(data, bytes) else data.encode())
    os.replace(part, path)


def write_json(path: Path, body: Any) -> None:
    """`write` of `body` as JSON to read."""
    write(path, json.dumps(body, indent=1, ensure_ascii=False) + "\n")
