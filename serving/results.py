"""What a function call gave, in words. Plain rules: the small model was never trained to read JSON."""

from __future__ import annotations

import json
from typing import Any, Final

MOST_CHARS: Final = 300
SAID_KEYS: Final = ("speech", "message", "text", "result", "answer", "state")
FAILED_KEYS: Final = ("error", "errors", "exception")


def spoken_result(name: str, output: str) -> str:
    """One sentence for the outcome of function `name`.

    Args:
        output: what the client sent back: JSON or plain text, of any size.
    """
    try:
        value: Any = json.loads(output) if len(output) <= 16_384 else None
    except (ValueError, RecursionError):
        value = output
    task = name.replace("_", " ").strip() or "that"
    if isinstance(value, dict):
        if any(value.get(key) for key in FAILED_KEYS) or value.get("ok") is False or value.get("success") is False:
            why = next((str(value[k]) for k in (*FAILED_KEYS, *SAID_KEYS) if isinstance(value.get(k), str)), "")
            return _short(f"That did not work: {why}" if why else f"The {task} did not work.")
        value = next((value[k] for k in SAID_KEYS if isinstance(value.get(k), str | int | float)), None)
    if isinstance(value, bool) or value is None or value == "":
        return "That did not work." if value is False else "Done."
    if isinstance(value, str | int | float):
        return _short(str(value))
    return "Done."


def _short(text: str) -> str:
    words = " ".join(text.split())
    whole = words if len(words) <= MOST_CHARS else words[:MOST_CHARS].rsplit(" ", 1)[0] + " and more"
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."
