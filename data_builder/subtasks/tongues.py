"""Speech in other languages: who can speak which, recorded Mandarin words, and parts of an utterance joined."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from data_builder.sources import Clip, Rng, pick
from data_builder.speech.voices import draw
from data_builder.texts.parallel import WHOLE
from data_builder.texts.single_words import MANDARIN_WORDS
from data_builder.texts.translation import LANGUAGES
from data_builder.world import World
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

VOICE_CODES: Final = {"zh": "cmn"}
"""Corpora and texts name Mandarin "zh" (ISO 639-1), the speech engines "cmn"."""
REAL_FOREIGN: Final = 0.5
MARKS: Final = (".", "?", "!", "。", "？", "！", '"', "”", "»", "…")


def code(language: str) -> str:
    return VOICE_CODES.get(language, language)


def spoken(world: World) -> list[str]:
    """Languages other than English for which there is a voice."""
    if world.synth is None:
        return []
    people = (*world.cast.values(), *world.others)
    return [x for x in LANGUAGES if any(code(x) in p.voices for p in people)]


def recorded(world: World) -> list[str]:
    """Mandarin words of which the split has a recording and we a translation."""
    return [word for word in dict.fromkeys(r.text for r in world.talk.foreign.get("zh", ())) if word in MANDARIN_WORDS]


def interpreted(world: World) -> list[str]:
    """Languages of recordings whose English the corpus tells."""
    return [x for x in LANGUAGES if (x, "en") in world.talk.pairs]


def ended(text: str, language: str) -> str:
    """A sentence of a corpus with a mark at its end."""
    return text if text.endswith(MARKS) else f"{text}{'。' if language == 'zh' else '.'}"


class Speaker:
    """One person who speaks all `languages`, through every utterance the same voice.

    Raises DataError where nobody does.
    """

    def __init__(self, rng: Rng, world: World, *languages: str) -> None:
        codes = [code(x) for x in languages]
        people = {p.id: p for p in (*world.others, *world.cast.values())}
        able = [people[k] for k in sorted(people) if all(c in people[k].voices for c in codes)]
        if not able or world.synth is None:
            raise DataError(f"expected somebody who speaks {' and '.join(languages)}, got no such voice in this split")
        who = draw(able, rng, codes[0])
        self.id = who.id
        self._world = World(world.sources, world.moment, {who.id: who}, [who], world.synth)

    def say(self, rng: Rng, text: str, language: str) -> Clip:
        clip = self._world.say(rng, text, self.id, code(language))
        clip.extra["language"] = language
        return clip


def foreign(rng: Rng, world: World, among: Collection[str] = tuple(LANGUAGES)) -> Clip:
    """Something said in one of the languages `among`: a recorded Mandarin word, or a sentence by a voice.

    `extra["language"]` says which. Raises DataError where there is neither.
    """
    words = recorded(world) if "zh" in among else []
    voices = [x for x in spoken(world) if x in among]
    if words and (not voices or rng.random() < REAL_FOREIGN):
        return world.talk.other_language(rng, "zh", words)
    if not voices:
        raise DataError(f"expected speech in {' or '.join(sorted(among))} in this split, got none")
    language = str(pick(rng, voices))
    text = pick(rng, [s for s in WHOLE if language in s]).text(language)
    return Speaker(rng, world, language).say(rng, text, language)


def join(clips: Sequence[Clip], pauses: Sequence[float]) -> Clip:
    """One utterance of the clips of one speaker, with `pauses` seconds of silence between them (one fewer than clips).

    `source` and `licence` are those of the first; `extra["parts"]` names every recording in it. Raises DataError where
    the number of pauses is another one.
    """
    if len(pauses) != len(clips) - 1:
        raise DataError(f"expected {len(clips) - 1} pauses between {len(clips)} clips, got {len(pauses)}")
    pieces = [clips[0].audio]
    for clip, pause in zip(clips[1:], pauses, strict=True):
        level = np.sqrt(np.mean(np.square(clips[0].audio)) / max(1e-9, float(np.mean(np.square(clip.audio)))))
        pieces += [np.zeros(int(pause * SR), dtype=np.float32), clip.audio * np.float32(level)]
    first, tongues = clips[0], dict.fromkeys(str(c.extra.get("language", "en")) for c in clips)
    space = "" if list(tongues) == ["zh"] else " "
    text = space.join(c.text for c in clips)
    heard = [str(c.extra.get("heard", "")) for c in clips]
    parts = [{"source": c.source, "licence": c.licence, "dataset": c.dataset, "speaker": c.speaker} for c in clips]
    more = {**first.extra, "language": "+".join(tongues), "parts": parts}
    more["heard"] = " ".join(heard) if all(heard) else ""
    audio = np.concatenate(pieces)
    return Clip(audio, "speech", "speech", first.source, first.licence, "", text, first.speaker, more, first.dataset)
