"""Vosk (Apache-2.0): Kaldi's online decoder, truly streaming, with the small en-us model that lies in the wheel of
zoom-audio-transcribe."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.peers import catalog
from benchmarks.peers.listener import PeerListener, decided
from benchmarks.peers.sphinx import pcm16
from benchmarks.systems import CHUNK_MS, Ask, Listener, Setup
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_samples, seconds
from soundflow.errors import SoundflowError
from soundflow.events import Event, Transcript
from soundflow.types import AudioChunk

NAME = "vosk"


def build(name: str, setup: Setup) -> Vosk:
    return Vosk()


class Vosk:
    """One model, a recogniser of it for each stream."""

    name = NAME

    def __init__(self, chunk_ms: int = CHUNK_MS) -> None:
        self._library = catalog.package(NAME, "vosk")
        self.chunk = chunk_samples(chunk_ms)
        folder = catalog.folder(NAME, "zoom_audio_transcribe") / "model"
        self._library.SetLogLevel(-1)
        try:
            self._model: Any = self._library.Model(str(folder))
        except Exception as error:
            raise SoundflowError(f"{NAME}: {folder} was expected to be a Vosk model: {error!r}") from error

    def open(self, ask: Ask) -> Listener:
        return _Stream(self._library.KaldiRecognizer(self._model, SAMPLE_RATE_HZ), self.chunk)


class _Stream(PeerListener):
    """Its partial results as they come, its results as finals with the times of their words."""

    def __init__(self, recogniser: Any, chunk: int) -> None:
        super().__init__(NAME, chunk)
        self._recogniser, self._last, self._since = recogniser, "", 0.0
        recogniser.SetWords(True)

    def hear(self, chunk: AudioChunk) -> list[Event]:
        t = seconds(chunk.end_sample)
        events: list[Event] = []
        if self._recogniser.AcceptWaveform(pcm16(chunk.samples)):
            events += self._final(self._recogniser.Result(), t)
        text = json.loads(self._recogniser.PartialResult()).get("partial", "")
        if text and text != self._last:
            events.append(Transcript(t=t, text=text, final=False, start=self._since, end=t))
        self._last = text
        return [*events, decided(chunk, 0.0, fires=False)]

    def finish(self, now: int) -> list[Event]:
        return self._final(self._recogniser.FinalResult(), seconds(now))

    def _final(self, result: str, t: float) -> list[Event]:
        body = json.loads(result)
        words = body.get("result") or []
        start, end = (words[0]["start"], words[-1]["end"]) if words else (self._since, t)
        self._since, self._last = t, ""
        text = body.get("text", "").strip()
        if not text:
            return []
        listed = [{"text": w["word"], "start": round(w["start"], 3), "end": round(w["end"], 3)} for w in words]
        return [Transcript(t=t, text=text, final=True, start=round(start, 3), end=round(end, 3), words=listed)]
