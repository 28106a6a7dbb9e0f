"""Voices beside the decisions: text in, pieces of speech out, made ahead of nobody's deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from soundflow.niceness import VOICES, give_way
from soundflow.respond.voice import Voice
from soundflow.types import FloatArray


class Voices(Protocol):
    """A pool of voices; `rate_hz` 0 where there is none."""

    @property
    def name(self) -> str: ...

    @property
    def rate_hz(self) -> int: ...

    def speak(self, text: str) -> AsyncIterator[FloatArray]:
        """Pieces [n] of one text. SoundflowError where it cannot be spoken. Ending the iteration early cancels."""
        ...

    async def close(self) -> None: ...


class LocalVoices:
    """A voice in threads of this process.

    Args:
        voice: None is silence.
        workers: texts that are spoken at once; more wait their turn.
    """

    def __init__(self, voice: Voice | None, workers: int = 1) -> None:
        self._voice = voice
        self._pool = ThreadPoolExecutor(workers, "voice", give_way, (VOICES,))

    @property
    def name(self) -> str:
        return self._voice.name if self._voice else ""

    @property
    def rate_hz(self) -> int:
        return self._voice.rate_hz if self._voice else 0

    async def speak(self, text: str) -> AsyncIterator[FloatArray]:
        if self._voice is None or not text.strip():
            return
        loop, pieces = asyncio.get_running_loop(), self._voice.speak(text)
        while (piece := await loop.run_in_executor(self._pool, _next, pieces)) is not None:
            yield piece

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _next(pieces: Iterator[FloatArray]) -> FloatArray | None:
    return next(pieces, None)
