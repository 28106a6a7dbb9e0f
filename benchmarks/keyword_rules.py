"""The fair rule system: tags against a threshold, the sound that is asked for, and device calls by keywords."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Final

from benchmarks import keyword_acts
from benchmarks.gate import COOLDOWN_S
from benchmarks.systems import CHUNK_MS, Ask, Chunked, Listener
from soundflow.clock import chunk_samples, seconds
from soundflow.decide.policy import raised
from soundflow.events import Action, DecisionEvent, Event
from soundflow.perceive.asked import asked_tags
from soundflow.perceive.expected import Expected
from soundflow.perceive.labels import ALERTING, display_name
from soundflow.perceive.normalise import LevelTracker
from soundflow.perceive.perceiver import Perceiver
from soundflow.perceive.sound import SoundEncoder, labels
from soundflow.respond.spoken_values import tool_phrases
from soundflow.session import transcript_events
from soundflow.tiers import nano
from soundflow.types import ActionCall, AudioChunk, FloatArray, Tool, Words

_HEAR: Final = re.compile(r"\bhear (?:the sound of )?([^.,;!?]+)", re.IGNORECASE)


class Rules:
    """The highest AudioSet score of an alerting label (soundflow.perceive.labels.ALERTING) against one threshold fitted
    on train, behind the same level tracker, hold and cool-down as ours.

    With an instruction, the tags that it names count too (soundflow.perceive.asked), against a threshold of their own:
    their log-odds are shifted by what the two thresholds differ, so that one gate serves both. With tools, what is said
    is turned into calls by `benchmarks.keyword_acts`, out of the words of the same recogniser as ours.
    """

    name = "rules"

    def __init__(
        self,
        threshold: float,
        asked_threshold: float | None = None,
        sound: Path | None = None,
        chunk_ms: int = CHUNK_MS,
    ) -> None:
        sound = sound or nano.parts().sound
        self.chunk, self.threshold = chunk_samples(chunk_ms), threshold
        self.shift = _log_odds(asked_threshold or threshold) - _log_odds(threshold)
        self.encoder, self.level = SoundEncoder(sound, self.chunk), LevelTracker(self.chunk)
        self.labels = labels(sound)
        self.alerting = [(self.labels.index(n), group) for group, members in ALERTING.items() for n in members]
        self._perceiver: Perceiver | None = None

    @property
    def perceiver(self) -> Perceiver:
        """All of perception, for streams with tools; made when first used."""
        if self._perceiver is None:
            self._perceiver = Perceiver(nano.parts(), self.chunk)
        return self._perceiver

    def best(self, tags: FloatArray, asked: FloatArray) -> tuple[float, str]:
        """(score, topic) of tags [521], where `asked` [521] is 1 for each tag that the instruction names."""
        alert = max(self.alerting, key=lambda pair: float(tags[pair[0]]))
        found = [(float(tags[alert[0]]), alert[1])]
        if asked.any():
            column = int((tags * asked).argmax())
            found.append((raised(float(tags[column]), -self.shift), display_name(self.labels[column])))
        return max(found)

    def open(self, ask: Ask) -> Listener:
        return _Keywords(self, ask) if ask.tools else _Tags(self, ask)


class _Tags(Chunked):
    """Tags alone."""

    def __init__(self, rules: Rules, ask: Ask) -> None:
        super().__init__(rules.chunk, rules.threshold, COOLDOWN_S)
        self._rules = rules
        self._asked = asked_tags(ask.instruction, rules.labels)
        named = _HEAR.search(ask.instruction)
        self._wanted = named.group(1).strip() if named else ""
        self._level, self._sound = rules.level.init_state(), rules.encoder.init_state()

    def score(self, pcm: FloatArray) -> tuple[float, str, FloatArray]:
        levelled = self._rules.level.step(pcm, self._level).samples
        frames = self._rules.encoder.step(levelled, self._sound)
        return (*self._rules.best(frames.scores.max(axis=0), self._asked), frames.embeddings.mean(axis=0))

    def announce(self, topic: str) -> str:
        return f"I hear {self._wanted if self._wanted and topic not in ALERTING else topic}."


class _Keywords(_Tags):
    """Tags, and calls out of final transcripts."""

    def __init__(self, rules: Rules, ask: Ask) -> None:
        super().__init__(rules, ask)
        self._tools: tuple[Tool, ...] = ask.tools
        self._perception = rules.perceiver.init_state(Expected(tool_phrases(ask.tools), requests=True))
        self._chunks = self._stable = self._began = 0
        self._words = Words()

    def score(self, pcm: FloatArray) -> tuple[float, str, FloatArray]:
        chunk = AudioChunk(self._chunks, self._chunks * self._rules.chunk, pcm)
        heard = self._rules.perceiver.step(chunk, self._perception)
        self._chunks += 1
        self._words = heard.words
        self._began = heard.vad.started if heard.vad.started is not None else self._began
        return (*self._rules.best(heard.tags, self._asked), heard.sound)

    def step(self, index: int, end: int, pcm: FloatArray) -> list[Event]:
        events = super().step(index, end, pcm)
        return self._said(self._words, index, end, events)

    def close(self) -> list[Event]:
        events = super().close()
        words = self._rules.perceiver.flush(self._perception)
        end = (self._chunks + 1) * self._rules.chunk
        return events + (self._said(words, self._chunks, end, []) if words.final else [])

    def _said(self, words: Words, index: int, end: int, events: list[Event]) -> list[Event]:
        """The events of a chunk with its transcript in front, and with the call if one was asked for in place of the
        decision about sounds."""
        self._stable += len(words.new)
        heard = transcript_events(words, seconds(end), self._began, self._stable)
        found: ActionCall | None = None
        if words.final is not None:
            self._stable = 0
            found = keyword_acts.call(words.final.text, self._tools)
        if found is None:
            return [*heard, *events]
        odds, t = {"silent": 0.0, "speak": 0.0, "act": 1.0}, seconds(end)
        decided = DecisionEvent(t=t, decision="act", p=odds, chunk=index)
        return [*heard, decided, Action(t=t, name=found.name, arguments=dict(found.arguments), confirm=found.confirm)]


def _log_odds(p: float) -> float:
    """log(p / (1 - p)), bounded away from the ends."""
    bounded = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))
