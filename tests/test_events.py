"""Every event class survives its JSON form, and docs/events.md shows each of them."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from soundflow.events import Event, SoundEvent, event_types, from_dict

DOCS = Path(__file__).parent.parent / "docs" / "events.md"
EXAMPLES: dict[Any, Any] = {
    float: 12.4,
    int: 31,
    str: 'Glüh "x" \\ 警報\n',
    bool: True,
    float | None: 13.2,
    dict[str, float]: {"silent": 0.1, "speak": 0.8, "act": 0.1},
    dict[str, Any]: {"room": "kitchen", "levels": [1, 2.5, None], "on": False},
    list[dict[str, Any]] | None: [{"text": "hello", "start": 12.0, "end": 12.3}],
}


def example(cls: type[Event]) -> Event:
    hints = get_type_hints(cls)
    return cls(**{f.name: EXAMPLES[hints[f.name]] for f in dataclasses.fields(cls)})


@pytest.mark.parametrize("name", sorted(event_types()))
def test_round_trip_through_json(name: str) -> None:
    event = example(event_types()[name])
    line = event.to_json()
    assert "\n" not in line
    body = json.loads(line)
    assert body["type"] == name
    assert from_dict(body) == event


@pytest.mark.parametrize("name", sorted(event_types()))
def test_round_trip_without_optional_fields(name: str) -> None:
    cls = event_types()[name]
    hints = get_type_hints(cls)
    required = [f for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING]
    event = cls(**{f.name: EXAMPLES[hints[f.name]] for f in required})
    assert from_dict(json.loads(event.to_json())) == event
    assert None not in event.to_dict().values()


def test_wire_names_are_unique_and_complete() -> None:
    names = set(event_types())
    assert "" not in names
    assert {
        "decision", "sound", "speech.started", "speech.stopped", "transcript", "reply.started", "reply.delta",
        "reply.done", "reply.cancelled", "action", "note", "error", "summary",
    } <= names  # fmt: skip


def test_unknown_type_and_unknown_field_are_refused() -> None:
    with pytest.raises(KeyError):
        from_dict({"type": "nonsense", "t": 0.0})
    with pytest.raises(TypeError):
        from_dict({"type": "note", "t": 0.0, "text": "", "more": 1})


def test_nan_never_reaches_the_wire() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        SoundEvent(t=0.0, label="Dog", p=float("nan"), onset=0.0).to_json()


def test_the_document_shows_every_event_with_its_fields() -> None:
    shown: dict[str, set[str]] = {}
    for line in re.findall(r"^\{.*\}$", DOCS.read_text("utf-8"), re.MULTILINE):
        body = json.loads(line)
        event = from_dict(body)
        assert event.to_dict() == body, line
        shown.setdefault(body["type"], set()).update(body)
    for name, cls in event_types().items():
        fields = {f.name for f in dataclasses.fields(cls)}
        assert shown.get(name, set()) - {"type"} == fields, f"{name}: the examples must show every field"
