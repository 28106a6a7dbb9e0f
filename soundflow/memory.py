"""What a stream remembers, as JSON: enough to go on elsewhere, once the last seconds of audio were heard again.

Sound and words live in the LALM's cache and come back by `Row.replay`; what is here cannot be heard again: turns,
notes, announcements, what is asked for, and the reply that is open.
"""

from __future__ import annotations

import base64
from collections import deque
from dataclasses import asdict, fields
from typing import Any, Final

import numpy as np

from soundflow.errors import DataError
from soundflow.row import Row
from soundflow.types import Kind, Note, ReplyRequest

FORMAT: Final = 4
MOST_SOUNDED: Final = 8  # embeddings of announced sounds; two kilobytes each


def remember(row: Row) -> dict[str, Any]:
    """A JSON value; `recall` of another row of the same model takes it."""
    s = row.session.state
    plain = {f.name: getattr(s, f.name) for f in fields(s) if not isinstance(getattr(s, f.name), deque)}
    announced = row.session.announced
    sounded = [[at, _packed(unit)] for at, unit in list(announced.sounded)[-MOST_SOUNDED:]]
    reply = row.replies.reply
    return {
        "format": FORMAT,
        "now": row.now,
        "turn": plain,
        "heard": [list(item) for item in s.heard],
        "said": [asdict(note) for note in s.said],
        "fresh": [[chunk, asdict(note)] for chunk, note in s.fresh],
        "notes": [asdict(note) for note in s.notes],
        "announced": dict(announced.at),
        "sounded": sounded,
        "asked": row.watch.memory(),
        "hold": [row.hold.until, row.hold.wary_until],
        "reply": _request(reply.request) if reply else None,
    }


def recall(row: Row, memory: dict[str, Any]) -> ReplyRequest | None:
    """Put `memory` into a fresh row -> the request of the reply that was open, which is not begun yet.

    DataError where it is no memory of this format; the row is then not to be used.
    """
    if memory.get("format") != FORMAT:
        raise DataError(f"a memory of format {FORMAT} was expected, got {memory.get('format')!r}")
    try:
        return _recall(row, memory)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"a whole memory was expected ({type(error).__name__}: {error})") from error


def _recall(row: Row, memory: dict[str, Any]) -> ReplyRequest | None:
    s = row.session.state
    for name, value in memory["turn"].items():
        getattr(s, name)
        setattr(s, name, value)
    s.heard.extend((at, text) for at, text in memory["heard"])
    s.said.extend(Note(**note) for note in memory["said"])
    s.fresh.extend((chunk, Note(**note)) for chunk, note in memory["fresh"])
    s.notes.extend(Note(**note) for note in memory["notes"])
    row.ask_for(memory["asked"])
    announced = row.session.announced
    announced.at = dict(memory["announced"])
    announced.sounded.extend((at, _unpacked(text)) for at, text in memory["sounded"])
    row.hold.until, row.hold.wary_until = memory["hold"]
    row.now = memory["now"]
    saved = memory["reply"]
    if saved is None:
        return None
    notes = tuple(Note(**note) for note in saved["notes"])
    tools = row.manner.tools if saved["kind"] == int(Kind.ACT) else ()
    own = {"kind": Kind(saved["kind"]), "notes": notes, "sounds": tuple(saved["sounds"]), "tools": tools}
    return ReplyRequest(**saved | own)


def _request(request: ReplyRequest) -> dict[str, Any]:
    body = asdict(request)
    del body["tools"]
    return body | {"kind": int(request.kind)}


def _packed(unit: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(unit.astype("<f2").tobytes()).decode()


def _unpacked(text: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32)
