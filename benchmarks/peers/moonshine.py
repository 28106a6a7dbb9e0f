"""moonshine-voice's own streaming transcriber (moonshine-ai/moonshine, MIT) over the tiny-en weights of our nano tier.

The library brings its own voice activity, segmentation and re-recognition of the open line; version 0.1.5 carries no
weights and reads the folder of 0.1.0, which is the one that we pin. It is asked for its lines once a chunk. Its own
pacing (a pass at most so often as the last one took, by the wall clock) is left out: results would depend on the load
of the machine; what a pass costs is in `step_ms`. The library is not reproducible to the bit all the same: now and then
an edge of speech moves by one window of 32 ms, and a partial text with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.peers import catalog
from benchmarks.peers.listener import PeerListener, decided
from benchmarks.systems import CHUNK_MS, Ask, Listener, Setup
from soundflow.clock import chunk_samples, seconds
from soundflow.errors import SoundflowError
from soundflow.events import Event, Transcript
from soundflow.tiers import weights
from soundflow.types import AudioChunk

NAME = "moonshine-stream"
NEVER_S = 1e9
OPTIONS = {"transcription_interval": 0.3}
"""Below a chunk, so that each chunk is recognised; its default of 0.5 s would skip every other one."""


def build(name: str, setup: Setup) -> MoonshineStream:
    return MoonshineStream(weights.part("asr"))


class MoonshineStream:
    """A transcriber for each stream, so that streams share nothing."""

    name = NAME

    def __init__(self, folder: Path, chunk_ms: int = CHUNK_MS) -> None:
        self._library = catalog.package(NAME, "moonshine_voice.transcriber")
        self._api = catalog.package(NAME, "moonshine_voice.moonshine_api")
        self.chunk, self._folder = chunk_samples(chunk_ms), folder
        self._spare: Any = self._transcriber()

    def _transcriber(self) -> Any:
        try:
            return self._library.Transcriber(
                str(self._folder), self._api.ModelArch.TINY, update_interval=NEVER_S, options=OPTIONS
            )
        except Exception as error:
            raise SoundflowError(f"{NAME}: {self._folder} was expected to be its tiny-en model: {error!r}") from error

    def open(self, ask: Ask) -> Listener:
        spare, self._spare = self._spare, None
        return _Stream(spare or self._transcriber(), self.chunk)


class _Stream(PeerListener):
    """A growing line is a partial transcript, a complete one a final."""

    def __init__(self, transcriber: Any, chunk: int) -> None:
        super().__init__(NAME, chunk)
        self._lines: list[Any] = []
        self._last: dict[Any, str] = {}
        self._done: set[Any] = set()
        self._errors: list[Any] = []
        self._transcriber = transcriber
        self._stream: Any = transcriber.create_stream(update_interval=NEVER_S)
        self._stream.add_listener(self._take)
        self._stream.start()

    def _take(self, event: Any) -> None:
        if getattr(event, "line", None) is not None:
            self._lines.append(event.line)
        elif getattr(event, "error", None) is not None:
            self._errors.append(event.error)

    def hear(self, chunk: AudioChunk) -> list[Event]:
        self._stream.add_audio(chunk.samples.tolist(), 16_000)
        self._stream.update_transcription()
        return [*self._told(chunk.end_sample), decided(chunk, 0.0, fires=False)]

    def finish(self, now: int) -> list[Event]:
        self._stream.stop()
        return self._told(now)

    def release(self) -> None:
        self._stream.close()
        self._transcriber.close()

    def _told(self, now: int) -> list[Event]:
        if self._errors:
            raise SoundflowError(f"{NAME}: {self._errors[0]!r}")
        lines, self._lines = self._lines, []
        events: list[Event] = []
        for line in lines:
            text, name = line.text.strip(), line.line_id
            if name in self._done or not text or (not line.is_complete and self._last.get(name) == text):
                continue
            self._last[name] = text
            if line.is_complete:
                self._done.add(name)
                del self._last[name]
            start = round(line.start_time, 3)
            end = round(min(line.start_time + line.duration, seconds(now)), 3)
            events.append(Transcript(t=seconds(now), text=text, final=bool(line.is_complete), start=start, end=end))
        return events
