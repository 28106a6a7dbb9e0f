"""Ours without a memory: what was heard and noted before the turn that is being spoken is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.systems import NO_MEMORY, Ask, Nano, OurListener
from soundflow.events import Event, SpeechStarted, Transcript
from soundflow.loop import Model
from soundflow.types import FloatArray


class Forgetful(OurListener):
    """Whenever speech begins after a turn was closed, the LALM starts again from its prefix and the notes are gone.

    Perception, cool-down, words of the turn and all weights stay as they are. The forgetting waits for a reply that is
    being made; the chunk in which the speech begins is forgotten with the rest.
    """

    def __init__(self, model: Model, ask: Ask, **options: Any) -> None:
        super().__init__(model, ask, **options)
        self._blank: Any = self.stream.snapshot()["lalm"]
        self._closed = self._due = False

    def push(self, pcm: FloatArray) -> list[Event]:
        events = super().push(pcm)
        self._forget(events)
        return events

    def _forget(self, events: Sequence[Event]) -> None:
        self._due |= self._closed and any(isinstance(e, SpeechStarted) for e in events)
        self._closed |= any(isinstance(e, Transcript) and e.final for e in events)
        if not self._due:
            return
        saved = self.stream.snapshot()
        if saved["reply"] is None:
            saved["session"] |= {"notes": (), "fresh": (), "said": ()}
            self.stream.restore(saved | {"lalm": self._blank, "pending": []})
            self._closed = self._due = False


class NoMemory(Nano):
    """The nano tier with `Forgetful` streams."""

    def __init__(self, adapter: Path | None = None, proactivity: float = 0.5) -> None:
        super().__init__(adapter, proactivity, NO_MEMORY)

    def open(self, ask: Ask, **options: Any) -> OurListener:
        return Forgetful(self.model, ask, **{"proactivity": self.proactivity, **options})
