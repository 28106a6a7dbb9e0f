"""A session as the journal keeps it: JSON values only."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from serving.handle import SessionSpec
from soundflow.types import FloatArray, Tool

Record = dict[str, Any]


def spec_record(spec: SessionSpec) -> Record:
    """JSON of a spec; `recorded_spec` takes it back."""
    tools = [
        {"name": t.name, "description": t.description, "parameters": t.parameters, "confirm": t.confirm}
        for t in spec.tools
    ]
    return asdict(replace(spec, tools=())) | {"muted": sorted(spec.muted), "tools": tools}


def recorded_spec(record: Record) -> SessionSpec:
    """KeyError or TypeError where the record is not of a spec."""
    tools = tuple(Tool(**tool) for tool in record["tools"])
    return SessionSpec(**record | {"tools": tools, "muted": frozenset(record["muted"])})


def packed(samples: FloatArray) -> str:
    """[n] in [-1, 1] as 16 bits in base64."""
    return base64.b64encode((samples * 32767).astype("<i2").tobytes()).decode()


def unpacked(text: str) -> FloatArray:
    return np.frombuffer(base64.b64decode(text), "<i2").astype(np.float32) / 32767
