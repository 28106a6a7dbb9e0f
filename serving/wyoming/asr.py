"""Speech to text: `transcribe`, audio, then `transcript`, with the growing text before it.

The model owns endpointing: live audio is answered when it closes an utterance, and what follows is dropped until the
next `transcribe` or `audio-start`. Audio that comes faster than it is spoken is a recording: all of it is transcribed,
and answered after `audio-stop`.

    transcript-start, transcript-chunk*, transcript, transcript-stop
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from wyoming.asr import Transcribe, TranscriptChunk, TranscriptStart, TranscriptStop, VadSensitivity
from wyoming.asr import Transcript as WyomingTranscript
from wyoming.event import Event

from serving.handle import Heard, Output
from serving.wyoming.frames import FrameError
from serving.wyoming.opening import Send
from soundflow.events import Event as SoundflowEvent
from soundflow.events import SpeechStarted, SpeechStopped, Transcript

RECORDING_S: Final = 3.0
"""Live audio is no further ahead of the clock than this (what was buffered behind a wake word)."""
RELAXED_S: Final = 1.2
"""With `vad_sensitivity` relaxed, how much silence must follow an utterance."""
UTTERANCE_S: Final = 15.0
"""Where speech never stops (a television), how long after the first utterance live audio is answered."""
LANGUAGE: Final = "en"


def check_language(language: object) -> None:
    """FrameError for a language that the model was not trained for. None is English."""
    if language is None or (isinstance(language, str) and language.lower().replace("_", "-").split("-")[0] == LANGUAGE):
        return
    raise FrameError("bad_request", f"language: expected {LANGUAGE}, got {language!r:.80}")


class Transcription:
    """One `transcribe`. See the module; `now` gives seconds of a clock."""

    def __init__(self, request: Transcribe, send: Send, now: Callable[[], float] = time.monotonic) -> None:
        check_language(request.language)
        self.ended = False
        self._send, self._now = send, now
        self._patience = RELAXED_S if request.vad_sensitivity == VadSensitivity.RELAXED else 0.0
        self._began: float | None = None
        self._recording = False
        self._finals: list[str] = []
        self._shown = 0  # words of the open utterance that were sent
        self._started = False
        self._speaking = False
        self._closed_at = 0.0  # s of audio
        self._first_closed_at: float | None = None

    def heard(self, seconds: float, event: Event) -> None:
        if self._began is None:
            self._began = self._now()
        self._recording = self._recording or seconds - (self._now() - self._began) > RECORDING_S

    async def take(self, output: Output) -> None:
        match output:
            case SpeechStarted():
                self._speaking = True
            case SpeechStopped():
                self._speaking = False
            case Transcript(final=False):
                await self._show(output.text.split()[: output.stable])
            case Transcript(final=True) if output.text.strip():
                await self._show(output.text.split())
                self._finals.append(output.text.strip())
                self._shown = 0
                self._closed_at = output.t
                if self._first_closed_at is None:
                    self._first_closed_at = output.t
            case _:
                pass
        if isinstance(output, SoundflowEvent | Heard) and self._complete(output.t):
            await self.end()

    def _complete(self, t: float) -> bool:
        if self._first_closed_at is None or self._recording:
            return False
        quiet = not self._speaking and t - self._closed_at >= self._patience
        return quiet or t - self._first_closed_at >= UTTERANCE_S

    async def _show(self, words: list[str]) -> None:
        fresh = words[self._shown :]
        if not fresh:
            return
        if not self._started:
            self._started = True
            await self._send(TranscriptStart(language=LANGUAGE))
        apart = " " if self._shown or self._finals else ""
        self._shown = len(words)
        await self._send(TranscriptChunk(apart + " ".join(fresh)))

    async def end(self) -> None:
        self.ended = True
        if not self._started:
            await self._send(TranscriptStart(language=LANGUAGE))
        await self._send(WyomingTranscript(" ".join(self._finals), language=LANGUAGE))
        await self._send(TranscriptStop())
