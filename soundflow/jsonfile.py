"""One reader for all files that hold a JSON object: settings, indexes, other people's configs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from soundflow.errors import ConfigError, WeightsError

Kind = type[WeightsError] | type[ConfigError]


def read_object(path: Path, what: str, unread: Kind = WeightsError, other: Kind | None = None) -> dict[str, Any]:
    """The object of a JSON file. `what`: the file is, for the message.

    Raises:
        unread: no such file, or no JSON in it.
        other: JSON, but no object; None is as `unread`.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise unread(f"{path}: {what} was expected ({error})") from error
    if not isinstance(raw, dict):
        raise (other or unread)(f"{path}: a JSON object was expected, got {type(raw).__name__}")
    return raw
