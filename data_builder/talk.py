"""Real speech of one split: sentences, single words, other languages, translations, feelings, orders, side talk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from data_builder.clips import ClipStore, FloatArray, audible, fade
from data_builder.corpora.folder import Row
from data_builder.speech.protocol import EMOTIONS
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

Rng = np.random.Generator
SIDE_TALK_WEIGHTS: Final = {
    "librispeech_train-clean-100_3spk": 0.20,
    "librispeech_train-clean-100_resemblyzer": 0.25,
    "an4_train": 0.12,
    "an4_test": 0.12,
    "speech_commands_subset": 0.08,
    "fsdd": 0.03,
    "audio_cmn_hsk": 0.10,
    "mfa_tests": 0.06,
}
INTENT_PREFIX: Final = "INTENT:"
DRINK: Final = "INTENT:orderDrink "
EMOTION_PREFIX: Final = "EMOTION:"
TRANSLATION_PREFIX: Final = "TRANSLATION:"
WAKE_WORD: Final = "wakeword"  # in the name of a dataset
SENTENCE_WORDS: Final = 4
MOST_WORDS: Final = 30  # of a translation
LONGEST_S: Final = 8.0


@dataclass(slots=True)
class Clip:
    """Audio [N] whose whole length is audible, with what is known about it."""

    audio: FloatArray
    label: str
    kind: str
    source: str
    licence: str
    respond: str = ""
    text: str = ""
    speaker: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    dataset: str = ""

    def credit(self) -> dict[str, str]:
        """Where it comes from; `extra["parts"]` holds such rows for the other recordings that were joined into it."""
        return {"source": self.source, "licence": self.licence, "dataset": self.dataset, "speaker": self.speaker}


def pick(rng: Rng, values: Sequence[Any]) -> Any:
    """One of `values`, uniformly. Raises DataError where there is none."""
    if not len(values):
        raise DataError("expected something to choose from in this split, got nothing")
    return values[int(rng.integers(len(values)))]


def readable(text: str) -> str:
    """A transcript in capitals (LibriSpeech, AN4) as a sentence; others as they are."""
    text = " ".join(text.split())
    if not text.isupper():
        return text
    words = text.split()
    spelled = sum(len(w) == 1 for w in words) > 2
    joined = " ".join(w if w == "I" or (spelled and len(w) == 1) else w.lower() for w in words)
    return joined[:1].upper() + joined[1:]


class Talk:
    """Speech rows sorted by what they are good for. `transcripts`: path -> what the recogniser hears in a clip.

    orders: coffee orders. requests: other requests to a machine (Fluent Speech Commands); no sub-task has tools for
    them, and they are no side talk either, so that nothing plays them. emotional: feeling -> acted recordings. pairs:
    (language, language of the translation) -> short recordings with a translation. by_dataset: whatever may be heard as
    side talk. Wake words of other assistants are left out of everything: they are meant for a machine.
    """

    def __init__(self, rows: Sequence[Row], store: ClipStore, transcripts: dict[str, str] | None = None) -> None:
        self.store, self.transcripts = store, transcripts or {}
        self.orders: list[Row] = []
        self.requests: list[Row] = []
        self.emotional: dict[str, list[Row]] = {}
        self.pairs: dict[tuple[str, str], list[Row]] = {}
        self.sentences: dict[str, list[Row]] = {}  # by speaker, or by recording where the speaker is not known
        self.words: list[Row] = []
        self.foreign: dict[str, list[Row]] = {}
        self.by_dataset: dict[str, list[Row]] = {}
        for row in rows:
            if WAKE_WORD in row.dataset.lower():
                continue
            if row.label.startswith(INTENT_PREFIX):
                (self.orders if row.label.startswith(DRINK) else self.requests).append(row)
                continue
            self.by_dataset.setdefault(row.dataset, []).append(row)
            self._sort_in(row)

    def _sort_in(self, row: Row) -> None:
        language = row.language or "en"
        if row.label.startswith(EMOTION_PREFIX):  # a handful of sentences, said over and over: nothing to write down
            self.emotional.setdefault(row.label.removeprefix(EMOTION_PREFIX), []).append(row)
            return
        target, _, meant = row.label.removeprefix(TRANSLATION_PREFIX).partition(" ")
        brief = row.seconds <= LONGEST_S and 0 < len(meant.split()) <= MOST_WORDS
        if row.label.startswith(TRANSLATION_PREFIX) and row.text and brief:
            self.pairs.setdefault((language, target), []).append(row)
        if language != "en":
            if row.text:
                self.foreign.setdefault(language, []).append(row)
        elif len(row.text.split()) >= SENTENCE_WORDS:
            self.sentences.setdefault(row.speaker or row.path, []).append(row)
        elif len(row.text.split()) == 1:
            self.words.append(row)

    def __bool__(self) -> bool:
        return bool(self.by_dataset)

    def of(self, row: Row, cap: bool = False) -> Clip:
        """The clip of a row. Raises DataError where it cannot be read."""
        audio = self.store.clip(row.path, cap=cap)
        more = {"language": row.language or "en", "heard": self.transcripts.get(row.path, ""), "label": row.label}
        feeling = row.label.removeprefix(EMOTION_PREFIX)
        if feeling in EMOTIONS:
            more["emotion"] = feeling
        words = readable(row.text)
        return Clip(audio, "speech", "speech", row.path, row.licence, "", words, row.speaker, more, row.dataset)

    def sentence(self, rng: Rng, longest: float = 8.0, speaker: str = "") -> Clip:
        """A read English sentence with its words, of one `speaker` where given."""
        names = [speaker] if speaker else sorted(self.sentences)
        for _ in range(20 if self.sentences else 0):
            fit = [r for r in self.sentences.get(pick(rng, names), ()) if r.seconds <= longest]
            if fit:
                return self.of(pick(rng, fit))
        raise DataError(f"expected real sentences with words of at most {longest:g} s in this split, got none")

    def reader(self, rng: Rng, least: int, longest: float) -> str:
        """A speaker with at least `least` sentences of at most `longest` seconds."""
        fit = [s for s, rows in self.sentences.items() if sum(r.seconds <= longest for r in rows) >= least]
        if not fit:
            raise DataError(f"expected a speaker with {least} sentences of at most {longest:g} s, got none")
        return str(pick(rng, sorted(fit)))

    def word(self, rng: Rng, among: Sequence[str] = ()) -> Clip:
        """A single English word; one of `among` where given."""
        rows = [r for r in self.words if not among or r.text.lower() in among]
        if not rows:
            raise DataError("expected recordings of single words in this split, got none")
        return self.of(pick(rng, rows))

    def other_language(self, rng: Rng, language: str, among: Sequence[str] = ()) -> Clip:
        """Speech in `language` (ISO 639-1) with its words; one of `among` where given."""
        rows = [r for r in self.foreign.get(language, []) if not among or r.text in among]
        if not rows:
            raise DataError(f"expected recordings in {language!r} with words in this split, got none")
        return self.of(pick(rng, rows))

    def pair(self, rng: Rng, language: str, target: str) -> tuple[Clip, str]:
        """Recorded speech in `language` (ISO 639-1) and its translation into `target`."""
        rows = self.pairs.get((language, target))
        if not rows:
            raise DataError(f"expected recordings in {language!r} with a translation into {target!r}, got none")
        row: Row = pick(rng, rows)
        return self.of(row), row.label.split(maxsplit=1)[1].strip()

    def felt(self, rng: Rng, emotion: str) -> Clip:
        """A recording of somebody who speaks in that feeling, with its words."""
        rows = [r for r in self.emotional.get(emotion, ()) if r.text]
        if not rows:
            raise DataError(f"expected {emotion} recordings with words in this split, got none")
        return self.of(pick(rng, rows))

    def side(self, rng: Rng, longest: float = 6.0) -> Clip:
        """Speech that is not meant for the system, at most `longest` seconds."""
        names = sorted(self.by_dataset)
        if not names:
            raise DataError("expected speech rows for side talk in this split, got none")
        weights = np.array([SIDE_TALK_WEIGHTS.get(n, 0.05) for n in names])
        rows = self.by_dataset[names[int(rng.choice(len(names), p=weights / weights.sum()))]]
        row: Row = pick(rng, rows)
        clip = self.of(row)
        while len(clip.audio) < 1.2 * SR and rng.random() < 0.6:
            mine = [r for r in rows if r.speaker == row.speaker] or rows
            more = self.of(pick(rng, mine))
            rest = np.zeros(int(rng.uniform(0.08, 0.4) * SR), dtype=np.float32)
            clip.audio = np.concatenate([clip.audio, rest, more.audio])
            clip.text = f"{clip.text} {more.text}".strip()
            clip.extra["heard"] = ""
            clip.extra.setdefault("parts", []).append(more.credit())
        n = int(longest * rng.uniform(0.5, 1.0) * SR)
        if len(clip.audio) > n:
            clip.audio, clip.text, clip.extra["heard"] = fade(clip.audio[:n].copy(), 480), "", ""
            clip.audio = clip.audio[: audible(clip.audio, cap=False)[1]]
        return clip

    def order(self, rng: Rng) -> Clip:
        """A real coffee order; `extra["label"]` holds intent and slots."""
        if not self.orders:
            raise DataError("expected coffee orders in this split, got none")
        return self.of(pick(rng, self.orders))


def read_transcripts(path: Path) -> dict[str, str]:
    """Clip path -> text, out of JSON lines {path, text}. DataError for a broken line other than the last."""
    found: dict[str, str] = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            found[row["path"]] = row["text"]
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):
                break
            raise DataError(f"line {number}: expected a transcript, got {line[:60]!r} ({error})", str(path)) from error
    return found
