"""Ends a task for certain. On Python 3.11 `asyncio.wait_for` and some libraries may swallow one cancellation."""

from __future__ import annotations

import asyncio
from typing import Final

CANCEL_S: Final = 5.0


async def ended(task: asyncio.Task[None], every_s: float = CANCEL_S) -> None:
    """Cancel the task, again after `every_s`, until it has ended; then raise what it raised, but for CancelledError."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=every_s)
    if not task.cancelled():
        task.result()
