"""What is asked for by its time: reminders, timers, the end of a sound, a look after a time, the second of its kind."""

from __future__ import annotations

from typing import Final

from data_builder import mix
from data_builder.clips import fade
from data_builder.sources import Clip, Rng, pick
from data_builder.subtasks.bystanders import unalarming
from data_builder.subtasks.rounds import ENDPOINT_S, aside, second_voice, understood
from data_builder.subtasks.spoken_of import form, name_of, other, spoken
from data_builder.texts import requests as words
from data_builder.texts.overheard import to_person
from data_builder.timeline import Say, Scene
from data_builder.world import World
from soundflow import SAMPLE_RATE_HZ as SR

TIMES: Final = (4, 4, 5, 5, 6, 6, 7, 8, 9, 10, 12, 15)
ASIDE_SHARE: Final = 0.25
INTO_S: Final = 0.8  # of a sound that goes on, before it is spoken of


def timed(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "timed")
    scene.neutral, scene.fixed = True, True
    aside(rng, world, scene, ASIDE_SHARE)
    if negative:
        _no_time(rng, world, scene)
        return scene
    draw = rng.random()
    if draw < 0.45:
        _reminder(rng, world, scene, timer=draw < 0.15)
    elif draw < 0.62:
        _until_over(rng, world, scene)
    elif draw < 0.82:
        _still_there(rng, world, scene)
    else:
        _second_time(rng, world, scene)
    return scene


def _reminder(rng: Rng, world: World, scene: Scene, timer: bool) -> None:
    """A time that was asked for; now and then it is called off, and only the two confirmations are said."""
    n, who = int(pick(rng, TIMES)), world.person(rng)
    if timer:
        ack, due = form(rng, words.TIMER_ACKS, n=n), form(rng, words.TIMER_OVER, n=n)
        request = scene.talk(spoken(rng, world, words.TIMER, n=n, who=who), say=ack)
    else:
        clip, reminders = understood(rng, world, lambda: _task(rng, n), who)
        request, due = scene.talk(clip, say=form(rng, words.REMIND_ACKS, n=n)), str(pick(rng, reminders))
    if n >= 7 and rng.random() < 0.25:
        off = spoken(rng, world, words.CANCEL_TIME, who=who)
        if len(off.audio) / SR + 3.0 + 2 * ENDPOINT_S < n:
            scene.talk(off, say=form(rng, words.CANCEL_ACKS), after=(2.0, 3.0))
            scene.chunks = (10, 18, 40)
            return
    request.says.append(Say(due, clock="timer", at=float(n)))
    if rng.random() < 0.4:
        label = world.plausible(rng, unalarming(world))
        scene.sound(world.sound(rng, label, 2.0), avoid="benign sound", after=(1.5, max(1.6, n - 2.5)))


def _task(rng: Rng, n: int) -> tuple[str, tuple[str, ...]]:
    task, reminders = pick(rng, words.TASKS)
    return form(rng, words.REMIND, n=n, t=str(task)), reminders


def _lasting(rng: Rng, world: World, label: str, seconds: float) -> Clip:
    """A continuous sound of that length."""
    clip = world.sound(rng, label, seconds)
    n = int(seconds * SR)
    audio = clip.audio if len(clip.audio) >= n else mix.loop(rng, clip.audio, n)
    clip.audio = fade(audio[:n].copy(), 480)
    return clip


def _going_on(world: World) -> list[str]:
    able = set(unalarming(world))  # nobody has to ask for an alarm
    return [label for label in words.CONTINUOUS if label in able]


def _until_over(rng: Rng, world: World, scene: Scene) -> None:
    """A sound that goes on is spoken of, and its end is told."""
    label = world.plausible(rng, _going_on(world))
    name, ends = words.CONTINUOUS[label], words.end_of(label)
    asked = spoken(rng, world, words.WHEN_OVER, name, t=ends)
    seconds = INTO_S + len(asked.audio) / SR + ENDPOINT_S + float(rng.uniform(1.5, 4.0))
    over = Say(form(rng, words.OVER, name, t=ends), clock="end")
    sound = scene.sound(_lasting(rng, world, label, seconds), say=over, db=-8.0)
    scene.talk(asked, say=form(rng, words.ACKS, name), over=sound, into=INTO_S)


_LOOKS: Final = (
    (words.STILL, words.GOES_ON, words.GONE),
    (words.WHETHER, words.GOES_ON, words.GONE),
    (words.STILL_THERE, words.STILL_THERE_YES, words.STILL_THERE_NO),
)
"""How one asks, and what is said where it goes on and where it is gone: yes and no only where they are clear."""


def _still_there(rng: Rng, world: World, scene: Scene) -> None:
    """A look at a sound after a time: it goes on or has stopped; of an "if" only the first is told."""
    label = world.plausible(rng, _going_on(world))
    name, ends, n = words.CONTINUOUS[label], words.end_of(label), int(rng.integers(5, 9))
    lasts, whether = rng.random() < 0.55, rng.random() < 0.5
    asks, goes_on, gone = _LOOKS[int(rng.integers(1, 3)) if whether else 0]
    asked = spoken(rng, world, asks, name, n, t=ends)
    end = INTO_S + len(asked.audio) / SR
    seconds = end + (n + float(rng.uniform(1.0, 2.0)) if lasts else float(rng.uniform(1.2, n - 1.5)))
    sound = scene.sound(_lasting(rng, world, label, seconds), avoid="asked about", db=-8.0)
    request = scene.talk(asked, say=form(rng, words.REMIND_ACKS, n=n), over=sound, into=INTO_S)
    if lasts or whether:
        text = form(rng, goes_on if lasts else gone, name, t=ends)
        request.says.append(Say(text, clock="timer", at=float(n), refers=[sound]))
    else:
        scene.chunks = (10 + int(2.5 * n), 14 + int(2.5 * n), 18 + int(2.5 * n))


def _second_time(rng: Rng, world: World, scene: Scene) -> None:
    """The first sound of a class is left alone, the second is told."""
    label = world.plausible(rng, [x for x in words.SEPARATE if x in unalarming(world)])
    name = name_of(rng, label)
    if world.cast and rng.random() < 0.4:
        scene.talk(spoken(rng, world, words.SECOND_TIME, name), say=form(rng, words.ACKS, name))
    else:
        scene.instruction = form(rng, words.SECOND_TIME, name)
    first = scene.sound(world.sound(rng, label, 1.5), avoid="only the first time")
    if rng.random() < 0.3:
        other(rng, world, scene, label)
    answer = Say(form(rng, words.SECOND, name), refers=[first])
    scene.sound(world.sound(rng, label, 1.5), say=answer, after=(2.0, 3.5))


def _no_time(rng: Rng, world: World, scene: Scene) -> None:
    """Only one of the two sounds that were asked for; or people who talk of times and reminders."""
    if not world.cast or rng.random() < 0.4:
        label = world.plausible(rng, [x for x in words.SEPARATE if x in unalarming(world)])
        scene.instruction = form(rng, words.SECOND_TIME, name_of(rng, label))
        sounds = [label] + ["other"] * int(rng.random() < 0.5)
        for k in rng.permutation(len(sounds)):
            if sounds[k] == label:
                scene.sound(world.sound(rng, label, 1.5), avoid="only the first time")
            else:
                other(rng, world, scene, label)
        return
    first = world.person(rng)
    asks = rng.random() < 0.5

    def line() -> tuple[str, None]:
        text = _task(rng, int(pick(rng, TIMES)))[0] if asks else str(pick(rng, words.ABOUT_REMINDERS))
        return to_person(rng, text), None

    scene.talk(understood(rng, world, line, first)[0], avoid="said to somebody else")
    if rng.random() < 0.4:
        reply = second_voice(rng, world, str(pick(rng, words.PEOPLE_REPLY)), first)
        scene.talk(reply, avoid="answer of somebody else", after=(0.2, 0.45))
    scene.chunks = (18, 26, 40)  # long enough for a reminder to be missed
