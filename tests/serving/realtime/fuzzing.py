"""Malformed frames for either wire, out of a seed. Every one must leave the socket up, or be answered by an error."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

JUNK: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        1.5,
        10**30,
        -(10**30),
        "",
        "x",
        "\u0000",
        "\ud800",
        "é" * 50,
        "A" * 5000,
        "=",
        "AAAA",
        "root",
    ),
    *([], {}, [[]], [{}], {"type": None}, {"type": "x"}, [None] * 70, {"a": {"b": {"c": [1, 2, {"d": None}]}}}),
    *("audio/pcm", "function", "message", "function_call_output", "user", "session.update", "none", "auto", "text"),
)
RAW: tuple[str, ...] = (
    *("", "{", "}", "[]", "null", "3", '"x"', "{}", '{"type": null}', '{"type": 3}', '{"type": "x", "type": "y"}'),
    *('{"type": "session.update", "session": NaN}', '{"type": "x", "n": 1e999}', '{"type": "x", "n": -Infinity}'),
    *("[" * 5000, '{"a":' * 3000, '{"type": "x", "n": ' + "9" * 6000 + "}", '{"type": "x\\ud800"}', "\ufeff{}", "\x00"),
)
KEYS = (
    *("event_id", "session", "audio", "item", "item_id", "response", "response_id", "content_index", "audio_end_ms"),
    *("previous_item_id", "content", "delegation_id", "type"),
)
DEEP = (
    *("type", "audio", "input", "output", "format", "rate", "turn_detection", "transcription", "tools", "tool_choice"),
    *("instructions", "output_modalities", "soundflow", "include", "proactivity", "muted", "confirm", "id", "role"),
    *("content", "text", "call_id", "output", "metadata", "input", "conversation", "delegation", "responses", "model"),
)


_TOOL = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}
_HEARD = {
    "format": {"type": "audio/pcm", "rate": 24_000},
    "turn_detection": {"type": "server_vad", "create_response": True, "threshold": 0.5},
    "transcription": {"model": "m", "language": "en"},
    "noise_reduction": {"type": "near_field"},
}
_TEXT = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
_OURS = {"include": ["decisions"], "proactivity": 0.5, "muted": ["Dog"], "confirm": ["f"]}
_BACKEND = {"type": "responses", "responses": {"model": "x", "tools": [_TOOL], "instructions": "y"}}
RIGHT: tuple[dict[str, Any], ...] = (
    {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "instructions": "x",
            "output_modalities": ["text"],
            "tools": [_TOOL],
            "tool_choice": {"type": "function", "name": "f"},
            "audio": {"input": _HEARD, "output": {"format": {"type": "audio/pcmu"}, "voice": "v", "speed": 1.0}},
            "soundflow": _OURS,
        },
    },
    {"type": "input_audio_buffer.append", "audio": "AAAA"},
    {"type": "conversation.item.create", "item": _TEXT, "previous_item_id": "root", "event_id": "e"},
    {"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "c", "output": "o"}},
    {
        "type": "conversation.item.create",
        "item": {"type": "function_call", "name": "f", "call_id": "c", "arguments": ""},
    },
    {"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 5},
    {
        "type": "response.create",
        "response": {
            "instructions": "x",
            "metadata": {"a": "b"},
            "tools": [_TOOL],
            "tool_choice": "auto",
            "input": [_TEXT],
            "conversation": "none",
            "output_modalities": ["text"],
        },
    },
    {
        "type": "session.update",
        "session": {"delegation": _BACKEND, "triggers": [], "soundflow": {**_OURS, "tools": [_TOOL]}},
    },
    {"type": "session.input_audio.append", "audio": "AAAA"},
    {"type": "session.thinking.append", "content": "x", "delegation_id": None},
    {"type": "response.item.create", "item": _TEXT},
)


def spoilt(rng: random.Random, body: Any) -> Any:
    """A copy with one value, at any depth, replaced by junk or left out."""
    if isinstance(body, dict) and body and rng.random() < 0.85:
        key = rng.choice(list(body))
        if rng.random() < 0.1:
            return {k: v for k, v in body.items() if k != key}
        return {**body, key: spoilt(rng, body[key])}
    if isinstance(body, list) and body and rng.random() < 0.85:
        return [spoilt(rng, body[0]), *body[1:]]
    return rng.choice(JUNK)


def frames(kinds: Sequence[str], count: int, seed: int = 0) -> Iterator[str | bytes]:
    """`count` frames: broken JSON, wrong fields of real events, bytes."""
    rng = random.Random(seed)
    for _ in range(count):
        dice = rng.random()
        if dice < 0.15:
            yield rng.choice(RAW)
        elif dice < 0.2:
            yield rng.randbytes(rng.randrange(64))
        elif dice < 0.25:
            yield "".join(chr(rng.choice((rng.randrange(32, 127), rng.randrange(0x100, 0xD7FF)))) for _ in range(40))
        elif dice < 0.7:
            whole = rng.choice(RIGHT)
            kind = whole["type"]
            rest = spoilt(rng, {k: v for k, v in whole.items() if k != "type"})
            yield json.dumps({**(rest if isinstance(rest, dict) else {"session": rest}), "type": kind})
        else:
            yield json.dumps(_event(rng, kinds))


def _event(rng: random.Random, kinds: Sequence[str]) -> dict[str, Any]:
    body: dict[str, Any] = {"type": rng.choice(kinds) if rng.random() < 0.9 else rng.choice(JUNK)}
    for key in rng.sample(KEYS, rng.randrange(5)):
        if key != "type":
            body[key] = _value(rng, 3)
    return body


def _value(rng: random.Random, depth: int) -> Any:
    if depth and rng.random() < 0.5:
        return {key: _value(rng, depth - 1) for key in rng.sample(DEEP, rng.randrange(1, 6))}
    if depth and rng.random() < 0.15:
        return [_value(rng, depth - 1) for _ in range(rng.randrange(3))]
    return rng.choice(JUNK)
