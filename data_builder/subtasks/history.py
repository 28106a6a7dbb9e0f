"""A conversation that looks back: what is asked at its end was told, or heard, at least three rounds before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from data_builder.sources import Rng, pick
from data_builder.subtasks.bystanders import REPLY, overhear, unalarming
from data_builder.subtasks.rounds import aside, heard_out, second_voice, understood
from data_builder.texts import memory
from data_builder.texts.overheard import NAMES, exchange, to_person
from data_builder.texts.puzzles import Puzzle, puzzle_where
from data_builder.texts.questions import QUESTIONS
from data_builder.texts.rounds import HISTORY_INSTRUCTIONS, REMARKS
from data_builder.texts.sounds import PHRASES, alike
from data_builder.timeline import Item, Say, Scene
from data_builder.world import World

LOOK_BACK: Final = 3  # rounds between what is asked for and the question
BRIEF_WORDS: Final = 7
Draft: TypeAlias = Callable[[], tuple[str, str]]  # draws what is said, and its answer


def question(rng: Rng, brief: bool = False) -> tuple[str, str]:
    """A question or remark and its answer, out of the tables or computed; `brief`: an answer of a few words."""
    if not brief and rng.random() < 0.15:
        asked, answers = pick(rng, REMARKS)
        return str(asked), str(pick(rng, answers))
    if rng.random() < 0.5:
        asked, answer = pick(rng, QUESTIONS)
        if not brief or len(answer.split()) <= BRIEF_WORDS:
            return str(asked), str(answer)
    made = puzzle_where(rng, lambda p: not brief or len(p.answer.split()) <= BRIEF_WORDS)
    return made.question, made.answer


def chat_history(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "chat_history")
    scene.fixed, scene.instruction = True, str(pick(rng, HISTORY_INSTRUCTIONS))
    if negative:
        _told_among_people(rng, world, scene)
        return scene
    draw, who = rng.random(), world.person(rng) if world.cast else ""
    if draw < 0.25 and _memory_game(rng, world, scene, who):
        return scene
    if draw < 0.4:
        _sound_before(rng, world, scene, who)
    elif draw < 0.6:
        _list(rng, world, scene, who)
    else:
        _facts(rng, world, scene, who)
    return scene


def _round(rng: Rng, world: World, scene: Scene, who: str, draft: Draft) -> Item:
    """An utterance of the conversation, after the answer to the one before has been heard."""
    after = heard_out(scene.items[-1].says[0].text) if scene.items and scene.items[-1].says else None
    clip, answer = understood(rng, world, draft, who)
    return scene.talk(clip, say=answer, after=after)


def _noted(rng: Rng) -> str:
    return str(pick(rng, memory.NOTED))


def _telling(rng: Rng, wordings: Sequence[str]) -> Draft:
    return lambda: (str(pick(rng, wordings)), _noted(rng))


def _last(item: Item, refers: list[Item], noted: bool = False) -> None:
    """Make the answer of the last round one that looks back at `refers`."""
    item.says = [Say(item.says[0].text, refers=refers, noted=noted)]


def _facts(rng: Rng, world: World, scene: Scene, who: str) -> None:
    """The fact that is asked for, then at least two other rounds, facts of its kind among them, then the question."""
    found = memory.facts(rng, int(rng.integers(2, 4)))
    wanted, others = found[0], [_telling(rng, f.told) for f in found[1:]]
    rounds = int(rng.integers(LOOK_BACK, LOOK_BACK + 3))  # before the question
    others += [lambda: question(rng, brief=True)] * (rounds - 1 - len(others))
    others = [others[int(k)] for k in rng.permutation(len(others))]
    place = int(rng.integers(0, rounds - LOOK_BACK + 1))
    others.insert(place, _telling(rng, wanted.told))
    items = [_round(rng, world, scene, who, draft) for draft in others]
    asking = _round(rng, world, scene, who, lambda: (str(pick(rng, wanted.asked)), str(pick(rng, wanted.answers))))
    _last(asking, [items[place]])


def _list(rng: Rng, world: World, scene: Scene, who: str) -> None:
    count = int(rng.integers(LOOK_BACK, LOOK_BACK + 3))
    told, ask = memory.ordered(rng, count)
    items = [_round(rng, world, scene, who, _telling(rng, wordings)) for wordings in told]
    k = int(rng.integers(0, count - LOOK_BACK + 1))
    _last(_round(rng, world, scene, who, lambda: ask(k)), [items[k]])


def _memory_game(rng: Rng, world: World, scene: Scene, who: str) -> bool:
    """Recorded single words to be remembered. False where there are too few, and then nothing is added."""
    count = int(rng.integers(LOOK_BACK, LOOK_BACK + 3))
    by_speaker: dict[str, dict[str, list[str]]] = {}
    for row in world.talk.words:
        if row.text.lower() in memory.GAME_WORDS:
            by_speaker.setdefault(row.speaker, {}).setdefault(row.text.lower(), []).append(row.path)
    able = sorted(s for s, words in by_speaker.items() if len(words) >= count)
    if not able:
        return False
    mine = by_speaker[str(pick(rng, able))]
    words = [str(w) for w in rng.choice(sorted(mine), size=count, replace=False)]
    paths = [str(pick(rng, mine[w])) for w in words]
    rows = {row.path: row for row in world.talk.words if row.path in paths}
    scene.instruction = str(pick(rng, memory.MEMORY_GAME))
    items = [scene.talk(world.talk.of(rows[path]), say=_noted(rng)) for path in paths]
    k = int(rng.integers(0, count - LOOK_BACK + 1))
    asking = _round(
        rng, world, scene, who, lambda: memory.by_place(rng, words, k, memory.GAME_QUESTIONS, memory.GAME_ANSWERS)
    )
    _last(asking, [items[k]])
    return True


def _sound_before(rng: Rng, world: World, scene: Scene, who: str) -> None:
    """A sound, three questions, and what the sound was before the first of them; now and then another sound between."""
    scene.neutral = True
    label = world.plausible(rng, unalarming(world))
    asked: list[Puzzle] = []

    def draft() -> tuple[str, str]:
        del asked[done:]  # what nobody understood
        topics = {made.topic for made in asked}
        fits = puzzle_where(rng, lambda p: len(p.answer.split()) <= BRIEF_WORDS and p.topic not in topics)
        asked.append(fits)
        return fits.question, fits.answer

    sound = scene.sound(world.sound(rng, label, 2.5), avoid="asked for later")
    count = LOOK_BACK + int(rng.random() < 0.4)
    between = int(rng.integers(1, count)) if rng.random() < 0.5 else 0
    for done in range(count):
        if between and done == between:
            other = world.plausible(rng, [x for x in unalarming(world) if not alike(x, label)])
            scene.sound(world.sound(rng, other, 2.0), avoid="not what is asked for")
        _round(rng, world, scene, who, draft)

    def look_back() -> tuple[str, str]:
        text = str(pick(rng, memory.SOUND_QUESTIONS)).format(x=asked[0].topic)
        return text, str(pick(rng, memory.SOUND_ANSWERS)).format(noun=PHRASES[label].noun)

    _last(_round(rng, world, scene, who, look_back), [sound], noted=True)


def _told_among_people(rng: Rng, world: World, scene: Scene) -> None:
    """Two people; one asks the other for what was told some rounds before."""
    if not world.cast:
        for _ in range(int(rng.integers(2, 5))):
            overhear(rng, world, scene, "side")
        return
    found, first = memory.facts(rng, 1), world.person(rng)
    name = str(pick(rng, NAMES))
    fact = found[0]
    drafts: list[Draft] = [lambda: (to_person(rng, str(pick(rng, fact.told)), name), _noted(rng))]
    drafts += [lambda: exchange(rng)] * int(rng.integers(1, 3))
    drafts.append(lambda: (to_person(rng, str(pick(rng, fact.asked)), name), str(pick(rng, fact.answers))))
    for k, draft in enumerate(drafts):
        if k == 1:
            aside(rng, world, scene, 0.6, 4.0)
        clip, answer = understood(rng, world, draft, first)
        scene.talk(clip, avoid="said to somebody else")
        scene.talk(second_voice(rng, world, answer, first), avoid="answer of somebody else", after=REPLY)
