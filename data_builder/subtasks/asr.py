"""Real-time ASR: clean, noisy, long-form and speaker-attributed. Each utterance is written down at its endpoint."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from data_builder.corpora.folder import Row
from data_builder.sources import Clip, Rng, pick
from data_builder.speech.protocol import Stalled
from data_builder.subtasks.subtask import Subtask
from data_builder.subtasks.tongues import foreign
from data_builder.subtasks.wordless import add_babble, add_wordless
from data_builder.texts import dictation as words
from data_builder.texts.single_words import ENGLISH_WORDS
from data_builder.timeline import Say, Scene
from data_builder.world import World
from soundflow.errors import DataError

REAL: Final = 0.7  # share of utterances that are recordings, where the split has some
NATURAL: Final = 0.35  # of these, ordinary sentences; any other read speech (numbers, spelling) is as common as it is
SINGLE_WORD: Final = 0.2
ONLY_ENGLISH: Final = 0.4  # share of clean streams in which other languages are to be left alone
LONGEST_S: Final = 6.5
LETTERS: Final = frozenset("AIO")  # single letters that are words
_NUMBERS: Final = """
zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred enter repeat yes no
"""
NUMBERS: Final = frozenset(_NUMBERS.split())


def transcript(text: str) -> str:
    """A text as it is to be written: sentence case, one mark at its end."""
    parts = text.split()
    letters = {p for p in parts if len(p) == 1}
    if letters <= LETTERS:  # nothing is spelt: a capital A is the article
        parts = [p.lower() if p == "A" else p for p in parts]
    line = re.sub(r"\bi\b(?=$|[ ',.?!])", "I", " ".join(parts))
    line = line[:1].upper() + line[1:]
    return line if line.endswith((".", "?", "!")) else f"{line}."


def natural(text: str) -> bool:
    """An ordinary sentence: mostly words that are no letters or numbers."""
    parts = text.lower().split()
    return len(parts) >= 5 and sum(len(p) > 1 and p not in NUMBERS for p in parts) >= 0.8 * len(parts)


def readers(world: World, least: int, longest: float, fits: Callable[[str], bool] = bool) -> dict[str, list[Row]]:
    """Speaker -> recorded sentences of at most `longest` seconds that fit, for those who have at least `least`."""
    chosen = {
        who: [r for r in rows if r.seconds <= longest and fits(r.text)]
        for who, rows in sorted(world.talk.sentences.items())
    }
    return {who: rows for who, rows in chosen.items() if len(rows) >= least}


def _speaks(world: World) -> bool:
    return world.synth is not None and bool(world.cast)


def _sentence(rng: Rng, world: World, longest: float) -> Clip:
    """A recorded sentence, ordinary ones more often than their share. Raises DataError where there is none."""
    rows = [r for own in readers(world, 1, longest).values() for r in own]
    plain = [r for r in rows if natural(r.text)]
    if not rows:
        return world.talk.sentence(rng, longest)
    return world.talk.of(pick(rng, plain if plain and rng.random() < NATURAL else rows))


def utterance(rng: Rng, world: World, longest: float = LONGEST_S) -> Clip:
    """Something said in English with known words: a recording seven times in ten, else a voice of the household."""
    if rng.random() < REAL or not _speaks(world):
        for kind in ("word", "sentence") if rng.random() < SINGLE_WORD else ("sentence", "word"):
            try:
                word = kind == "word"
                return world.talk.word(rng, tuple(ENGLISH_WORDS)) if word else _sentence(rng, world, longest)
            except DataError:
                continue
    return world.say(rng, words.dictation(rng))


def _only_english(rng: Rng, scene: Scene) -> bool:
    """Choose the instruction: whether it asks for English only."""
    only = rng.random() < ONLY_ENGLISH
    scene.instruction = str(pick(rng, words.ONLY_ENGLISH if only else words.TRANSCRIBE))
    return only


def _add_foreign(rng: Rng, world: World, scene: Scene) -> None:
    try:
        scene.talk(foreign(rng, world), avoid="not English")
    except Stalled:
        raise
    except DataError:
        add_wordless(rng, world, scene, 1)


def asr_clean(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "asr_clean")
    scene.noise_db, scene.chunks = (25.0, 40.0), (10, 14, 24)
    only = _only_english(rng, scene)
    if negative:
        if only and rng.random() < 0.6:
            _add_foreign(rng, world, scene)
        else:
            add_wordless(rng, world, scene, int(rng.integers(1, 3)))
        return scene
    if rng.random() < 0.2:
        if only and rng.random() < 0.5:
            _add_foreign(rng, world, scene)
        else:
            add_wordless(rng, world, scene, 1, 2.0)
    clip = utterance(rng, world)
    scene.talk(clip, say=transcript(clip.text))
    return scene


def asr_noisy(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "asr_noisy")
    scene.noise_db, scene.chunks = (0.0, 12.0), (10, 15, 26)
    scene.instruction = str(pick(rng, words.IN_NOISE))
    if negative:
        draw = rng.random()
        if draw < 0.4 and world.talk:
            scene.talk(world.television(rng, 5.0), avoid="television", role="television")
        elif draw < 0.6 and world.talk:
            add_babble(rng, world, scene)
        else:
            add_wordless(rng, world, scene, int(rng.integers(1, 3)))
        return scene
    if rng.random() < 0.4 and world.talk:
        scene.backdrop = world.television(rng, 6.0)
    elif rng.random() < 0.3:
        add_wordless(rng, world, scene, 1, 2.0)
    clip = utterance(rng, world)
    scene.talk(clip, say=transcript(clip.text), db=float(rng.uniform(-8.0, 0.0)))
    return scene


def asr_long(rng: Rng, world: World, negative: bool) -> Scene:
    """Three to five sentences of one reader, each written after its own pause."""
    scene = Scene(rng, "asr_long")
    scene.noise_db, scene.chunks, scene.fixed = (12.0, 35.0), (50, 52, 62), True
    scene.instruction = str(pick(rng, words.LONG))
    if negative:
        scene.chunks, scene.fixed = (30, 40, 60), False
        add_wordless(rng, world, scene, int(rng.integers(3, 6)))
        return scene
    for k, clip in enumerate(_reading(rng, world)):
        scene.talk(clip, say=Say(transcript(clip.text)), after=(1.0, 2.0) if k else None)
    return scene


def _reading(rng: Rng, world: World) -> list[Clip]:
    """Three to five different utterances of one person; five where they are short."""
    count = int(rng.integers(3, 6))
    if rng.random() < REAL or not _speaks(world):
        plain = readers(world, 3, 8.0, natural)
        own = plain if plain and rng.random() < NATURAL else readers(world, count, 8.0)
        if own:
            rows = own[str(pick(rng, sorted(own)))]
            chosen: list[Row] = []
            for k in rng.permutation(len(rows)):
                if len(chosen) < count or (len(chosen) < 5 and sum(r.seconds for r in chosen) < 11.0):
                    chosen.append(rows[int(k)])
            return [world.talk.of(row) for row in chosen]
    if not _speaks(world):
        raise DataError("expected a reader with three sentences or a voice in this split, got neither")
    person = world.person(rng)
    return [world.say(rng, text, person) for text in words.told(rng, max(4, count))]


def asr_speakers(rng: Rng, world: World, negative: bool) -> Scene:
    """Two or three people in turn. A number belongs to whoever first spoke under it."""
    scene = Scene(rng, "asr_speakers")
    scene.noise_db, scene.chunks, scene.fixed = (15.0, 35.0), (20, 26, 36), True
    scene.instruction = str(pick(rng, words.SPEAKERS))
    if negative:
        scene.fixed = False
        add_wordless(rng, world, scene, int(rng.integers(1, 4)))
        return scene
    order = _turns(rng)
    number: dict[int, int] = {}
    for k, (who, clip) in enumerate(zip(order, _voices(rng, world, order), strict=True)):
        mine = number.setdefault(who, len(number) + 1)
        scene.talk(clip, say=f"Speaker {mine}: {transcript(clip.text)}", after=(0.95, 1.8) if k else None)
    return scene


def _turns(rng: Rng) -> list[int]:
    """Who speaks, turn by turn: everybody once at least, nobody twice running, somebody again."""
    people = int(rng.integers(2, 4))
    order = list(range(people))
    while len(order) < int(rng.integers(3, 5)) or len(order) == people:
        order.append(int(pick(rng, [p for p in range(people) if p != order[-1]])))
    return order


def _voices(rng: Rng, world: World, order: Sequence[int]) -> list[Clip]:
    """An utterance for each turn, of as many people as `order` names. Raises DataError where there are not so many."""
    people = max(order) + 1
    named = {who: rows for who, rows in readers(world, len(order), 4.0).items() if rows[0].speaker}
    household = sorted({world.cast[n].id: n for n in sorted(world.cast)}.values()) if _speaks(world) else []
    if len(named) >= people and (rng.random() < REAL or len(household) < people):
        weights = np.sqrt([len(rows) for rows in named.values()])
        chosen = rng.choice(sorted(named), size=people, replace=False, p=weights / weights.sum())
        left = {p: list(rng.permutation(len(named[str(chosen[p])]))) for p in range(people)}
        return [world.talk.of(named[str(chosen[p])][int(left[p].pop())]) for p in order]
    if len(household) < people:
        raise DataError(f"expected {people} speakers with sentences or voices in this split, got {len(household)}")
    people_at = [str(x) for x in rng.choice(household, size=people, replace=False)]
    lines = words.told(rng, len(order))
    return [world.say(rng, line, people_at[p]) for p, line in zip(order, lines, strict=True)]


ASR: Final = (
    Subtask(
        name="asr_clean",
        ability="asr",
        title="Clean dictation",
        build=asr_clean,
        silent=0.4,
        sources="recorded sentences, numbers, spelling and single words (70 %), else voices of the household",
        timeline="one utterance over a background 25 to 40 dB below it, now and then after a sound or foreign speech",
        label="the words in sentence case, at the endpoint of the utterance",
        negatives="laughter, sneezes, music, babble under the same request; foreign speech under 'only English'",
        example='"Write down what you hear." + a recorded "enter five six eight" -> Enter five six eight.',
    ),
    Subtask(
        name="asr_noisy",
        ability="asr",
        title="Dictation in noise and from afar",
        build=asr_noisy,
        silent=0.4,
        sources="as asr_clean; ambience and noise; television and radio voices",
        timeline="one utterance, up to 8 dB quieter, over a background 0 to 12 dB below it, often a television behind",
        label="the words of the speaker in the room alone, at the endpoint",
        negatives="the television alone, many voices at once, human sounds, music",
        example='"Transcribe me through the noise." + a speaker, television behind -> the speaker\'s words.',
    ),
    Subtask(
        name="asr_long",
        ability="asr",
        title="Long dictation",
        build=asr_long,
        silent=0.4,
        sources="three to five recordings of one reader (70 %), else one voice of the household",
        timeline="utterances with pauses of 1 to 2 s, 20 s and more in all",
        label="every utterance at its own endpoint, while the next may already have begun",
        negatives="three to five sounds without words in a row",
        example='"Write down everything I read to you." + four sentences -> four lines, one after each.',
    ),
    Subtask(
        name="asr_speakers",
        ability="asr",
        title="Who said what",
        build=asr_speakers,
        silent=0.4,
        sources="two or three speakers with several recordings each (70 %), else people of the household",
        timeline="three or four turns about a second apart; nobody speaks twice running",
        label="'Speaker N: words' at each endpoint; N counts people by their first turn and stays with them",
        negatives="human sounds, music, sounds, babble of many people at once",
        example='A, B and A again speak -> "Speaker 1: ...", "Speaker 2: ...", "Speaker 1: ...".',
    ),
)
