"""Streaming instruction following: watch for a sound, keep a style, change or cancel mid-stream, and keep a time."""

from __future__ import annotations

from typing import Final

from data_builder.sources import Rng, pick
from data_builder.subtasks.bystanders import overhear, unalarming
from data_builder.subtasks.rounds import aside, understood
from data_builder.subtasks.spoken_of import form, name_of, once_more, other, spoken, targets, the
from data_builder.subtasks.subtask import Subtask
from data_builder.subtasks.timing import timed
from data_builder.texts import requests as words
from data_builder.texts.alerts import ALERTS
from data_builder.texts.overheard import to_person
from data_builder.texts.puzzles import puzzle_where
from data_builder.texts.questions import QUESTIONS
from data_builder.texts.sounds import PHRASES, WATCH_FORMS, WATCH_INSTRUCTIONS, alike
from data_builder.texts.styles import Base, Style, drill, style
from data_builder.timeline import Scene
from data_builder.world import World

SPOKEN_SHARE: Final = 0.35  # of the requests to watch that are spoken; the others stand in the instruction
KEYWORD_SHARE: Final = 0.2
ASIDE_SHARE: Final = 0.25
AGAIN_SHARE: Final = 0.15
DRILL_SHARE, ALERT_SHARE = 0.3, 0.15
UNSPOKEN_STYLES: Final = frozenset({"spelled", "question", "key value", "json", "foreign numbers", "number"})
UNALERTED_STYLES: Final = frozenset({"question", "five words"})
_ACK: Final = Base("Okay.", "okay")


def told(rng: Rng, label: str) -> str:
    """That the sound which was asked for is there."""
    phrase = PHRASES[label]
    return str(pick(rng, WATCH_FORMS)).format(noun=phrase.noun, bare=phrase.bare, event=phrase.event)


def watch_sound(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "watch_sound")
    scene.neutral = True
    if world.talk.words and rng.random() < KEYWORD_SHARE:
        return _keyword(rng, world, scene, negative)
    target = world.plausible(rng, targets(unalarming(world) if negative else world.sources.all_labels))
    name = name_of(rng, target)
    if not negative and world.cast and rng.random() < SPOKEN_SHARE:
        scene.talk(spoken(rng, world, words.ASK_SPOKEN, name), say=form(rng, words.ACKS, name))
    else:
        scene.instruction = form(rng, WATCH_INSTRUCTIONS, name)
    for _ in range(int(rng.integers(1, 3)) if negative else int(rng.integers(0, 2))):
        other(rng, world, scene, target)
    aside(rng, world, scene, ASIDE_SHARE)
    if negative:
        return scene
    found = scene.sound(world.sound(rng, target, 3.0), say=told(rng, target))
    draw = rng.random()
    if draw < 0.15:
        other(rng, world, scene, target)
    elif draw < 0.15 + AGAIN_SHARE:
        once_more(rng, scene, found)
    return scene


def _keyword(rng: Rng, world: World, scene: Scene, negative: bool) -> Scene:
    """A recorded word to watch for, among other words."""
    heard = sorted({row.text.lower() for row in world.talk.words})
    target = str(pick(rng, heard))
    others = [word for word in heard if word != target]
    scene.instruction = form(rng, words.KEYWORDS, target)
    for _ in range(int(rng.integers(1, 4)) if negative else int(rng.integers(0, 3))):
        scene.talk(world.talk.word(rng, [str(pick(rng, others))] if others else ()), avoid=f"not {target}")
    if not negative:
        scene.talk(world.talk.word(rng, [target]), say=form(rng, words.KEYWORD_FOUND, target))
    return scene


def style_format(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "style_format")
    if world.talk.words and rng.random() < DRILL_SHARE:
        return _drill(rng, world, scene, negative)
    alert = not negative and (not world.cast or rng.random() < ALERT_SHARE)
    chosen = style(rng)
    if alert:
        label = world.plausible(rng, world.sources.alerts)
        base = Base(str(pick(rng, ALERTS[label])), PHRASES[label].bare)
        while chosen.name in UNALERTED_STYLES or not chosen.fits(base):
            chosen = style(rng)
        scene.instruction = chosen.instruction
        scene.sound(world.sound(rng, label, 3.0), say=chosen.put(base))
        return scene
    if negative:
        scene.instruction = chosen.instruction
        if rng.random() < 0.2:
            scene.sound(world.sound(rng, world.plausible(rng, unalarming(world)), 3.0), avoid="benign sound")
        else:
            overhear(rng, world, scene)
        return scene
    who = world.person(rng)
    if _can_be_spoken(chosen) and rng.random() < 0.2:
        scene.talk(world.say(rng, chosen.instruction, who), say=chosen.put(_ACK))
    else:
        scene.instruction = chosen.instruction
    for _ in range(1 + int(rng.random() < 0.2)):
        clip, base = understood(rng, world, lambda: styled_question(rng, chosen), who)
        scene.talk(clip, say=chosen.put(base))
    return scene


def _can_be_spoken(chosen: Style) -> bool:
    quoted = any(mark in chosen.instruction for mark in '":')
    return not quoted and chosen.name not in UNSPOKEN_STYLES and chosen.fits(_ACK)


def styled_question(rng: Rng, chosen: Style) -> tuple[str, Base]:
    """A question and what is to be said, fit for the style."""
    asked, answer = pick(rng, QUESTIONS)
    base = Base(str(answer), "")
    if chosen.fits(base) and rng.random() < 0.4:
        return str(asked), base
    made = puzzle_where(rng, lambda p: chosen.fits(Base(p.answer, p.core, p.value)))
    return made.question, Base(made.answer, made.core, made.value)


def _drill(rng: Rng, world: World, scene: Scene, negative: bool) -> Scene:
    """A standing task on recorded words."""
    task = drill(rng)
    scene.instruction = task.instruction
    if negative:
        for _ in range(int(rng.integers(1, 3))):
            scene.sound(world.sound(rng, world.plausible(rng, unalarming(world)), 3.0), avoid="no word")
        return scene
    for _ in range(int(rng.integers(1, 4))):
        clip = world.talk.word(rng, task.words)
        scene.talk(clip, say=task.answer(clip.text.lower()))
    return scene


def change_cancel(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "change_cancel")
    scene.neutral, scene.fixed = True, True
    old = world.plausible(rng, targets(unalarming(world)))
    name = name_of(rng, old)
    aside(rng, world, scene, ASIDE_SHARE)
    if negative:
        _nothing_armed(rng, world, scene, old)
        return scene
    who = world.person(rng)
    if rng.random() < 0.5:
        scene.talk(spoken(rng, world, words.ASK_SPOKEN, name, who=who), say=form(rng, words.ACKS, name))
    else:
        scene.instruction = form(rng, WATCH_INSTRUCTIONS, name)
    if rng.random() < 0.35:
        scene.sound(world.sound(rng, old, 2.0), say=told(rng, old))
    if rng.random() < 0.45:
        scene.talk(spoken(rng, world, words.CANCELS, the(old), who=who), say=form(rng, words.CANCEL_ACKS, name))
        scene.sound(world.sound(rng, old, 2.5), avoid="cancelled")
        return scene
    new = world.plausible(rng, [x for x in targets(world.sources.all_labels) if not alike(x, old)])
    new_name = name_of(rng, new)
    scene.talk(spoken(rng, world, words.CHANGES, new_name, who=who), say=form(rng, words.CHANGE_ACKS, new_name))
    order = [old] if rng.random() < 0.2 else [new] if rng.random() < 0.2 else [old, new]
    for k in rng.permutation(len(order)):
        if order[k] == old:
            scene.sound(world.sound(rng, old, 2.0), avoid="changed")
        else:
            scene.sound(world.sound(rng, new, 2.5), say=told(rng, new))
    return scene


def _nothing_armed(rng: Rng, world: World, scene: Scene, label: str) -> None:
    """A sound that a standing instruction calls off, or a request to a person who is let off again."""
    if not world.cast or rng.random() < 0.55:
        scene.instruction = form(rng, words.MUTED, the(label))
        for _ in range(int(rng.integers(1, 3))):
            scene.sound(world.sound(rng, label, 2.5), avoid="cancelled")
        return
    first = world.person(rng)
    asked, _ = understood(rng, world, lambda: (to_person(rng, str(pick(rng, words.AMONG_PEOPLE))), None), first)
    scene.talk(asked, avoid="said to somebody else")
    changed = spoken(rng, world, words.MINDS_CHANGED, who=first)
    scene.talk(changed, avoid="said to somebody else", after=(0.8, 1.8))
    if rng.random() < 0.5:
        scene.sound(world.sound(rng, label, 2.0), avoid="nobody asked for it")


INSTRUCTION: Final = (
    Subtask(
        "watch_sound", "instruction", "Tell me when you hear it", watch_sound, 0.45,
        "all classes of one thing by their noun or another name; recorded single words",
        "the request stands or is spoken; none to two other sounds, side talk, then the one that was asked for",
        "that it is there, when it was heard for 1.2 s or is over, once in 30 s; a word at its end point",
        "only sounds that cannot be taken for it; other words; alerting classes are kept out",
        '"Tell me when you hear a rooster." [rooster] -> "I hear the rooster now."',
    ),
    Subtask(
        "style_format", "instruction", "Style and format", style_format, 0.42,
        "18 styles with slots on questions and alerts; eight tasks on recorded words and digits",
        "the style stands or is spoken, then one or two questions, an alerting sound or some words",
        "the answer in the style, made by code out of a plain one",
        "the same instruction, and talk among people, television, or a sound that needs nothing",
        '"Answer in one word." "What is the opposite of hot?" -> "Cold."',
    ),
    Subtask(
        "change_cancel", "instruction", "Change or cancel mid-stream", change_cancel, 0.40,
        "classes of sounds; requests, changes and cancellations in ten wordings each",
        "a request is armed by voice or stands, perhaps answered once, then changed or cancelled, then the sounds come",
        "confirmations at the end points; before the change the old sound is told, after it only the new one",
        "sounds that a standing instruction calls off; requests to people that are taken back",
        '"Listen for a dog." "No, listen for a cat instead." [dog] (silence) [cat] -> "I hear the cat now."',
    ),
    Subtask(
        "timed", "instruction", "Timed and delayed", timed, 0.40,
        "reminders, timers, and continuous or repeated sounds", "a request with a time of 4 to 15 s, with the end of "
        "a sound, or with its second time", "the confirmation at the end point; then when the time has come, the sound "
        "is over, or has come again", "people who talk of reminders and times; a sound that comes only once",
        '"Remind me in five seconds to check the oven." "Okay." (5 s) -> "Please check the oven."',
    ),
)  # fmt: skip
