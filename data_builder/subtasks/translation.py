"""Streaming translation: to English, from English, simultaneous (before the sentence ends), code-switched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from data_builder.corpora.folder import Row
from data_builder.sources import Clip, Rng, pick
from data_builder.speech.protocol import Stalled
from data_builder.speech.synthesise import Unheard
from data_builder.subtasks.asr import utterance
from data_builder.subtasks.subtask import Subtask
from data_builder.subtasks.tongues import REAL_FOREIGN, Speaker, ended, foreign, interpreted, join, recorded, spoken
from data_builder.subtasks.wordless import add_wordless
from data_builder.texts import translation as words
from data_builder.texts.parallel import COMPOUND, WHOLE
from data_builder.texts.single_words import ENGLISH_WORDS, MANDARIN_WORDS, SPOKEN_DIGITS
from data_builder.texts.translation import LANGUAGES
from data_builder.timeline import Item, Say, Scene
from data_builder.world import World
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

NAMED: Final = 0.45  # share of streams to English in which one language is asked for and others are to be left alone
REAL_ENGLISH: Final = 0.6
TO_ENGLISH: Final = 0.65  # share of simultaneous streams
PAUSE_S: Final = (0.10, 0.25)  # between clauses
APART_S: Final = 0.6  # ends of two clauses that are answered one by one
TRIES: Final = 4  # of an utterance in parts: each must be understood


def sentence(text: str, language: str) -> str:
    """A word or words as an answer: a capital and a full stop, as the language has it."""
    return f"{text}。" if language == "zh" else f"{text[:1].upper()}{text[1:]}."


def _add_other_speech(rng: Rng, world: World, scene: Scene, make: Callable[[], Clip], reason: str) -> None:
    """Speech that is not to be translated, or where there is none, a sound."""
    try:
        scene.talk(make(), avoid=reason)
    except Stalled:  # may be another time: not a fact about the split
        raise
    except DataError:
        add_wordless(rng, world, scene, 1)


def translate_to_english(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "translate_to_english")
    scene.chunks = (10, 14, 24)
    have = {*spoken(world), *(("zh",) if recorded(world) else ()), *interpreted(world)}
    named = rng.random() < NAMED
    if negative:
        asked = str(pick(rng, sorted(have) or list(LANGUAGES)))
        _ask_english(rng, scene, asked if named else "")
        draw = rng.random()
        if named and draw < 0.4:
            others = [x for x in LANGUAGES if x != asked]
            _add_other_speech(rng, world, scene, lambda: foreign(rng, world, others), f"not {LANGUAGES[asked]}")
        elif draw < 0.7:
            _add_other_speech(rng, world, scene, lambda: utterance(rng, world, 5.0), "English already")
        else:
            add_wordless(rng, world, scene, int(rng.integers(1, 3)))
        return scene
    if rng.random() < 0.15:
        _add_other_speech(rng, world, scene, lambda: utterance(rng, world, 3.0), "English already")
    clip, answer = _foreign_pair(rng, world)
    _ask_english(rng, scene, str(clip.extra["language"]) if named else "")
    scene.talk(clip, say=answer)
    return scene


def _ask_english(rng: Rng, scene: Scene, language: str) -> None:
    forms = words.ONLY_TO_ENGLISH if language else words.TO_ENGLISH
    scene.instruction = str(pick(rng, forms)).format(language=LANGUAGES.get(language, ""))


def _foreign_pair(rng: Rng, world: World) -> tuple[Clip, str]:
    """Foreign speech and its English: a recorded sentence, a recorded Mandarin word, or a sentence by a voice.

    Raises DataError without any.
    """
    known, voices, real = recorded(world), spoken(world), interpreted(world)
    if real and (not (known or voices) or rng.random() < REAL_FOREIGN):
        clip, meant = world.talk.pair(rng, str(pick(rng, real)), "en")
        return clip, ended(meant, "en")
    if known and (not voices or rng.random() < REAL_FOREIGN):
        clip = world.talk.other_language(rng, "zh", known)
        return clip, sentence(MANDARIN_WORDS[clip.text], "en")
    if not voices:
        raise DataError("expected recordings or voices of another language in this split, got none")
    language = str(pick(rng, voices))
    said = pick(rng, [s for s in WHOLE if language in s])
    return Speaker(rng, world, language).say(rng, said.text(language), language), said.text("en")


def translate_from_english(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "translate_from_english")
    scene.chunks = (10, 14, 24)
    target = str(pick(rng, list(LANGUAGES)))
    scene.instruction = str(pick(rng, words.FROM_ENGLISH)).format(language=LANGUAGES[target])
    if negative:
        if rng.random() < 0.6:
            _add_other_speech(rng, world, scene, lambda: foreign(rng, world), "not English")
        else:
            add_wordless(rng, world, scene, int(rng.integers(1, 3)))
        return scene
    if rng.random() < 0.15:
        _add_other_speech(rng, world, scene, lambda: foreign(rng, world), "not English")
    clip, answer = _english_pair(rng, world, target)
    scene.talk(clip, say=answer)
    return scene


def _english_pair(rng: Rng, world: World, target: str) -> tuple[Clip, str]:
    """English speech and its translation: a recorded sentence, word or row of digits, or a sentence by a voice."""
    speaks = world.synth is not None and bool(world.cast)
    if not speaks or rng.random() < REAL_ENGLISH:
        for kind in rng.permutation(4):
            try:
                return (_word, _read_digits, _joined_digits, _read_sentence)[int(kind)](rng, world, target)
            except DataError:
                continue
    said = pick(rng, [s for s in WHOLE if target in s])
    return world.say(rng, said.text("en")), said.text(target)


def _read_sentence(rng: Rng, world: World, target: str) -> tuple[Clip, str]:
    clip, meant = world.talk.pair(rng, "en", target)
    return clip, ended(meant, target)


def _word(rng: Rng, world: World, target: str) -> tuple[Clip, str]:
    clip = world.talk.word(rng, tuple(ENGLISH_WORDS))
    return clip, sentence(ENGLISH_WORDS[clip.text.lower()][target], target)


def _digits(text: str, target: str) -> str:
    """ "one oh two" -> "Uno, cero, dos." """
    row = [ENGLISH_WORDS[SPOKEN_DIGITS[word]][target] for word in text.lower().split()]
    return sentence(("、" if target == "zh" else ", ").join(row), target)


def _read_digits(rng: Rng, world: World, target: str) -> tuple[Clip, str]:
    """Four digits and more, read in one go."""
    rows = [
        row
        for _, own in sorted(world.talk.sentences.items())
        for row in own
        if row.seconds <= 6.0 and all(word in SPOKEN_DIGITS for word in row.text.lower().split())
    ]
    if not rows:
        raise DataError("expected recordings of rows of digits in this split, got none")
    clip = world.talk.of(pick(rng, rows))
    return clip, _digits(clip.text, target)


def _joined_digits(rng: Rng, world: World, target: str) -> tuple[Clip, str]:
    """Two to four recordings of single digits by one speaker, as somebody reads out a number."""
    own: dict[str, list[Row]] = {}
    for row in world.talk.words:
        if row.speaker and row.text.lower() in SPOKEN_DIGITS:
            own.setdefault(row.speaker, []).append(row)
    count = int(rng.integers(2, 5))
    able = sorted(w for w, rows in own.items() if len(rows) >= count and len({r.text for r in rows}) >= min(count, 3))
    if not able:
        raise DataError(f"expected {count} recordings of different digits by one speaker in this split, got fewer")
    rows = own[str(pick(rng, able))]
    clips = [world.talk.of(rows[int(k)]) for k in rng.choice(len(rows), size=count, replace=False)]
    clip = join(clips, [float(x) for x in rng.uniform(0.15, 0.4, size=count - 1)])
    return clip, _digits(clip.text, target)


def translate_simultaneous(rng: Rng, world: World, negative: bool) -> Scene:
    """Every clause but the last is answered where it ends, while the speaker goes on."""
    scene = Scene(rng, "translate_simultaneous")
    scene.chunks = (12, 18, 28)
    tongues = spoken(world)
    from_english = not tongues or rng.random() > TO_ENGLISH
    target = str(pick(rng, list(LANGUAGES))) if from_english else "en"
    forms = words.SIMULTANEOUS_FROM_ENGLISH if from_english else words.SIMULTANEOUS_TO_ENGLISH
    scene.instruction = str(pick(rng, forms)).format(language=LANGUAGES.get(target, ""))
    if negative:
        if rng.random() < 0.5:
            make = (lambda: foreign(rng, world)) if from_english else (lambda: utterance(rng, world, 5.0))
            reason = "not English" if from_english else "English already"
            _add_other_speech(rng, world, scene, make, reason)
        else:
            add_wordless(rng, world, scene, int(rng.integers(1, 3)), 5.0)
        return scene
    source = "en" if from_english else str(pick(rng, tongues))
    _add_clauses(rng, world, scene, source, target)
    return scene


def _add_clauses(rng: Rng, world: World, scene: Scene, source: str, target: str) -> Item:
    """One utterance of two or three clauses, and what is said after each of them."""
    said = pick(rng, [s for s in COMPOUND if source in s and target in s])
    clips = _in_parts(rng, world, [(clause, source) for clause in said.clauses[source]])
    pauses = [float(x) for x in rng.uniform(*PAUSE_S, size=len(clips) - 1)]
    item = scene.talk(join(clips, pauses))
    end, answered, waiting = 0, -SR, list[str]()
    for k, (clip, text) in enumerate(zip(clips, said.clauses[target], strict=True)):
        end += (int(pauses[k - 1] * SR) if k else 0) + len(clip.audio)
        waiting.append(text)
        joined = ("" if target == "zh" else " ").join(waiting)
        if k == len(clips) - 1:
            item.says.append(Say(joined))
        elif end - answered >= APART_S * SR:
            item.says.append(Say(joined, clock="clause", at=end / SR))
            answered, waiting = end, []
    return item


def _in_parts(rng: Rng, world: World, parts: list[tuple[str, str]]) -> list[Clip]:
    """Clips of (text, language) by one voice. Raises Unheard where none of TRIES is understood in all of them."""
    tongues = tuple(dict.fromkeys(language for _, language in parts))
    for k in range(TRIES):
        try:
            speaker = Speaker(rng, world, *tongues)
            return [speaker.say(rng, text, language) for text, language in parts]
        except Unheard:
            if k == TRIES - 1:
                raise
    raise AssertionError


def translate_code_switched(rng: Rng, world: World, negative: bool) -> Scene:
    """A frame in one language and its object in another, by one voice."""
    scene = Scene(rng, "translate_code_switched")
    scene.chunks = (10, 14, 24)
    scene.instruction = str(pick(rng, words.CODE_SWITCHED))
    if negative:
        if rng.random() < 0.6:
            _add_other_speech(rng, world, scene, lambda: _plain_english(rng, world), "English only")
        else:
            add_wordless(rng, world, scene, int(rng.integers(1, 3)))
        return scene
    tongues = spoken(world)
    if not tongues:
        raise DataError("expected voices of another language in this split, got none")
    language, tail = str(pick(rng, tongues)), pick(rng, words.TAILS)
    if rng.random() < 0.65:
        frame = str(pick(rng, words.FRAMES))
        parts, meant = [(frame, "en"), (tail[language], language)], frame
    else:
        table = pick(rng, words.FRAMES_ABROAD)
        parts, meant = [(table[language], language), (tail["en"], "en")], table["en"]
    clip = join(_in_parts(rng, world, parts), [float(rng.uniform(0.05, 0.18))])
    mark = "?" if meant.startswith("Could") else "."
    scene.talk(clip, say=f"{meant} {tail['en']}{mark}")
    return scene


def _plain_english(rng: Rng, world: World) -> Clip:
    """English all through: half of the time built like the mixed sentences."""
    if world.synth is not None and world.cast and rng.random() < 0.5:
        return world.say(rng, f"{pick(rng, words.FRAMES)} {pick(rng, words.TAILS)['en']}")
    return utterance(rng, world, 5.0)


TRANSLATION: Final = (
    Subtask(
        name="translate_to_english",
        ability="translation",
        title="Into English",
        build=translate_to_english,
        silent=0.4,
        sources="recorded Mandarin words, recordings with a translation; sentences in five languages by voices",
        timeline="one foreign utterance, now and then after an English one that is left alone",
        label="its English at the endpoint of the utterance",
        negatives="English under the same request, another language than the one asked for, sounds, music, babble",
        example='"Translate what you hear into English." + 熊猫 (recorded) -> Panda.',
    ),
    Subtask(
        name="translate_from_english",
        ability="translation",
        title="From English",
        build=translate_from_english,
        silent=0.4,
        sources="recorded English words, digits and sentences with a translation (60 %), sentences by voices",
        timeline="one English utterance; the instruction names one of five languages",
        label="its translation at the endpoint of the utterance",
        negatives="foreign speech, also in the language asked for; sounds, music, babble",
        example='"Put English speech into Italian for my guest." + a recorded "house" -> Casa.',
    ),
    Subtask(
        name="translate_simultaneous",
        ability="translation",
        title="Before the sentence ends",
        build=translate_simultaneous,
        silent=0.4,
        sources="sentences of two and three clauses by one voice, six languages",
        timeline="clauses with 0.10 to 0.25 s between them, in one utterance",
        label="each clause's translation where the clause ends (clock 'clause'), the last at the endpoint",
        negatives="speech that needs no translation under the same request, sounds, music, babble",
        example='"It is raining outside, / so we are staying at home." -> "Está lloviendo fuera," while it goes on',
    ),
    Subtask(
        name="translate_code_switched",
        ability="translation",
        title="Two languages in one sentence",
        build=translate_code_switched,
        silent=0.4,
        sources="an English frame with a foreign object or the reverse, by one voice that has both languages",
        timeline="both parts in one utterance, 0.05 to 0.18 s apart",
        label="the whole sentence in English at the endpoint",
        negatives="sentences of the same build in English alone, other English speech, sounds, music, babble",
        example='"Could you please bring me un vaso de agua" -> Could you please bring me a glass of water?',
    ),
)
