"""A recording through a session of an engine, as fast as the engine takes it."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from serving.handle import Engine, Output, SessionSpec
from soundflow.events import DecisionEvent

CHUNK = 6_400


LISTENS = SessionSpec(proactivity=0.0)
"""Decides and never answers."""


async def play(engine: Engine, spec: SessionSpec, pcm: np.ndarray) -> list[Output]:
    """All that the session gives."""
    handle = await engine.open(spec)
    taken = []

    async def take() -> None:
        async for output in handle.outputs():
            taken.append(output)

    reader = asyncio.create_task(take())
    for start in range(0, len(pcm), CHUNK):
        await handle.room()
        handle.push(pcm[start : start + CHUNK])
    await handle.close(flush=True)
    await reader
    return taken


def plain(outputs: list[Output]) -> list[Any]:
    """Events as dictionaries."""
    return [o.to_dict() for o in outputs if hasattr(o, "to_dict")]


def decisions(outputs: list[Output]) -> list[DecisionEvent]:
    return [o for o in outputs if isinstance(o, DecisionEvent)]
