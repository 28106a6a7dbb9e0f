"""The voice of one session: its text becomes pieces of speech, a sentence at a time, and a cancel ends it at once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from serving.handle import VoicePiece
from serving.voices import Voices
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import SoundflowError
from soundflow.respond.speech_text import sentences

MOST_WAITING: Final = 8
"""Sentences of one session that wait for a voice; what is behind them is written and not spoken."""

log = logging.getLogger(__name__)


class Spoken:
    """Speaks the replies of one session, one after the other.

    Args:
        give: takes each piece.
        until: is told the sample until which the voice plays, if played at once; `now` gives the sample heard by now.
    """

    def __init__(
        self, voices: Voices, give: Callable[[VoicePiece], None], until: Callable[[int], None], now: Callable[[], int]
    ) -> None:
        self._voices, self._give, self._until, self._now = voices, give, until, now
        self._waiting: deque[tuple[str, str, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._reply, self._text, self._given = "", "", 0
        self.playhead = 0  # sample until which the voice plays
        self.playing = ""  # the reply whose pieces were given last
        self.unspoken = 0

    def wrote(self, reply: str, delta: str) -> None:
        """More text of a reply; all its sentences but the last, which may go on, are spoken."""
        if reply != self._reply:
            self._reply, self._text, self._given = reply, "", 0
        self._text += delta
        whole = list(sentences(self._text))
        for sentence in whole[self._given : -1]:
            self._say(reply, sentence, False)
        self._given = max(self._given, len(whole) - 1)

    def done(self, reply: str, text: str) -> None:
        """The reply is written: speak the rest."""
        if reply != self._reply:
            self._reply, self._given = reply, 0
        rest = " ".join(list(sentences(text))[self._given :])
        self._say(reply, rest, True)
        self._reply, self._text, self._given = "", "", 0

    def cancel(self) -> None:
        """Say no more of what was written."""
        self._waiting.clear()
        self._reply, self._text, self._given = "", "", 0
        self.playhead = 0
        if self._task is not None:
            self._task.cancel()
            self._task = None

    @property
    def busy(self) -> bool:
        """Whether something is spoken, waits to be, or still plays."""
        making = self._task is not None and not self._task.done()
        return making or bool(self._waiting) or self.playhead > self._now()

    async def settled(self) -> None:
        """Wait until all was spoken that waits."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _say(self, reply: str, text: str, last: bool) -> None:
        if len(self._waiting) >= MOST_WAITING and not last:
            self.unspoken += 1
            return
        self._waiting.append((reply, text, last))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="spoken")

    async def _run(self) -> None:
        rate = self._voices.rate_hz
        while self._waiting:
            reply, text, last = self._waiting.popleft()
            said = text
            try:
                async for piece in self._voices.speak(text):
                    self.playhead = max(self.playhead, self._now()) + round(len(piece) * SAMPLE_RATE_HZ / rate)
                    self._until(self.playhead)
                    self.playing = reply
                    self._give(VoicePiece(reply, piece, rate, said))
                    said = ""
            except SoundflowError as error:
                log.warning("a reply could not be spoken: %s", error.code)
            except Exception:
                log.exception("a voice failed")
            if last:
                self._give(VoicePiece(reply, np.zeros(0, np.float32), rate, last=True))
