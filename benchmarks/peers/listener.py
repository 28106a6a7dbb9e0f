"""What the peers share: audio of any slicing into chunks, one decision a chunk, the time of each step."""

from __future__ import annotations

import time
from collections.abc import Sequence

from soundflow.clock import seconds
from soundflow.errors import SoundflowError
from soundflow.events import DecisionEvent, Event, ReplyDone, ReplyStarted
from soundflow.perceive.chunker import Chunker
from soundflow.types import AudioChunk, FloatArray


class PeerListener:
    """One open stream of a peer: `hear` takes a chunk, `finish` what is left behind the last one.

    What a peer's library raises comes out as a SoundflowError: one item fails, and the run goes on.
    """

    def __init__(self, name: str, chunk: int) -> None:
        self.topics: list[str] = []
        self.likes: list[str] = []
        self.step_ms: list[float] = []
        self._name, self._chunker = name, Chunker(chunk)

    def hear(self, chunk: AudioChunk) -> list[Event]:
        """Everything of one chunk, with exactly one DecisionEvent."""
        raise NotImplementedError

    def finish(self, now: int) -> list[Event]:
        """What comes once the audio has ended at sample `now`; no decision."""
        return []

    def release(self) -> None:
        """Free what the library holds; called once, at the end or behind an error."""

    def push(self, pcm: FloatArray) -> list[Event]:
        return self._all(self._chunker.push(pcm))

    def close(self) -> list[Event]:
        last = self._chunker.flush()
        events = self._all([last] if last else [])
        try:
            return events + self.finish(self._chunker.position)
        except SoundflowError:
            raise
        except Exception as error:
            raise SoundflowError(f"{self._name}: {error!r}") from error
        finally:
            self.release()

    def _all(self, chunks: Sequence[AudioChunk]) -> list[Event]:
        events: list[Event] = []
        for chunk in chunks:
            began = time.perf_counter()
            try:
                events += self.hear(chunk)
            except SoundflowError:
                self.release()
                raise
            except Exception as error:
                self.release()
                raise SoundflowError(f"{self._name}, chunk {chunk.index}: {error!r}") from error
            self.step_ms.append((time.perf_counter() - began) * 1000)
            if len(self.topics) <= chunk.index:
                self.topics.append("")
            self.likes.append("0")
        return events


def decided(chunk: AudioChunk, p: float, fires: bool) -> DecisionEvent:
    """The decision of a peer that knows no acts: it speaks, or not, with p(speak) = `p`."""
    odds = {"silent": round(1 - p, 4), "speak": round(p, 4), "act": 0.0}
    return DecisionEvent(
        t=seconds(chunk.end_sample), decision="speak" if fires else "silent", p=odds, chunk=chunk.index
    )


def said(chunk: AudioChunk, text: str) -> list[Event]:
    """A reply whose words are known at once."""
    t, name = seconds(chunk.end_sample), f"r{chunk.index}"
    return [ReplyStarted(t=t, id=name), ReplyDone(t=t, id=name, text=text)]
