"""YAMNet (Google Research, Apache-2.0) and one threshold a class: what one would build first.

An alert is told where the score of any alerting label (soundflow.perceive.labels.ALERTING) reaches its threshold; then
there is silence for HOLD_CHUNKS. Without the rule system's level tracker, cool-down and likeness. `p_speak` is
r / (1 + r) with r the highest ratio of score to threshold, so that 0.5 is where it fires.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.peers.listener import PeerListener, decided, said
from benchmarks.systems import CHUNK_MS, Ask, Listener, Setup
from soundflow.clock import chunk_samples, seconds
from soundflow.errors import ConfigError
from soundflow.events import Event, SoundEvent
from soundflow.perceive.labels import ALERTING, UNREPORTED
from soundflow.perceive.sound import SoundEncoder, labels
from soundflow.tiers import weights
from soundflow.types import AudioChunk, FloatArray

NAME = "yamnet-threshold"
HOLD_CHUNKS: Final = 5
"""2 s."""
OTHERS: Final = 0.5
"""Threshold of the labels that alert nobody, for sound events."""
FITTED = Path(__file__).parent / "yamnet_thresholds.json"
GROUP_OF = {label: group for group, members in ALERTING.items() for label in members}


def build(name: str, setup: Setup) -> YamnetThreshold:
    return YamnetThreshold(read(setup.thresholds or FITTED))


def read(path: Path) -> dict[str, float]:
    """Label -> threshold of a file that `benchmarks.peers.thresholds` wrote. ConfigError names file and key."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        found = {str(k): float(v) for k, v in body["thresholds"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: thresholds of {NAME} were expected ({error!r})") from error
    for label in GROUP_OF:
        if not 0.0 < found.get(label, 0.0) <= 1.0:
            raise ConfigError(f"{path}: thresholds[{label!r}] in (0, 1] was expected, got {found.get(label)}")
    return found


class YamnetThreshold:
    """Holds the network; `thresholds` by label, of all that alert."""

    name = NAME

    def __init__(self, thresholds: Mapping[str, float], sound: Path | None = None, chunk_ms: int = CHUNK_MS) -> None:
        sound = sound or weights.part("sound") / "yamnet.tflite"
        self.chunk = chunk_samples(chunk_ms)
        self.encoder, self.labels = SoundEncoder(sound, self.chunk), labels(sound)
        self.alerting = [(self.labels.index(label), label, thresholds[label]) for label in GROUP_OF]
        self.thresholds = [thresholds.get(label, OTHERS) for label in self.labels]

    def open(self, ask: Ask) -> Listener:
        return _Tags(self)


class _Tags(PeerListener):
    """Tags, their events, and alerts."""

    def __init__(self, parts: YamnetThreshold) -> None:
        super().__init__(NAME, parts.chunk)
        self._parts, self._state = parts, parts.encoder.init_state()
        self._until = 0
        self._on: dict[int, tuple[float, float]] = {}  # label -> (onset, highest score)

    def hear(self, chunk: AudioChunk) -> list[Event]:
        scores: FloatArray = self._parts.encoder.step(chunk.samples, self._state).scores.max(axis=0)
        ratio, label = max((float(scores[i]) / limit, name) for i, name, limit in self._parts.alerting)
        fires = ratio >= 1.0 and chunk.index >= self._until
        topic = GROUP_OF[label]
        self.topics.append(topic)
        events = self._sounds(scores, chunk)
        events.append(decided(chunk, ratio / (1.0 + ratio), fires))
        if fires:
            self._until = chunk.index + 1 + HOLD_CHUNKS
            events += said(chunk, f"I hear {topic}.")
        return events

    def _sounds(self, scores: FloatArray, chunk: AudioChunk) -> list[Event]:
        """Onset in the chunk in which a label reaches its threshold, offset where it is below it again."""
        start, t = seconds(chunk.start_sample), seconds(chunk.end_sample)
        events: list[Event] = []
        for i, limit in enumerate(self._parts.thresholds):
            p, name = float(scores[i]), self._parts.labels[i]
            if p >= limit and name not in UNREPORTED:
                onset, best = self._on.get(i, (start, p))
                if i not in self._on:
                    events.append(SoundEvent(t=t, label=name, p=round(p, 4), onset=onset))
                self._on[i] = (onset, max(best, p))
            elif i in self._on:
                onset, best = self._on.pop(i)
                events.append(SoundEvent(t=t, label=name, p=round(best, 4), onset=onset, offset=start))
        return events

    def finish(self, now: int) -> list[Event]:
        t, on = seconds(now), self._on
        self._on = {}
        return [
            SoundEvent(t=t, label=self._parts.labels[i], p=round(best, 4), onset=onset, offset=t)
            for i, (onset, best) in on.items()
        ]
