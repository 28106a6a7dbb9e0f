"""Streaming audio understanding: narrate events, count events, scene and ambience, music."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from data_builder.clips import FloatArray, burst, fade
from data_builder.sources import Clip, Rng, pick
from data_builder.subtasks.bystanders import unalarming
from data_builder.subtasks.spoken_of import targets
from data_builder.subtasks.subtask import Subtask
from data_builder.texts import scenes as words
from data_builder.texts.numbers import number
from data_builder.texts.sounds import NARRATION_FORMS, NARRATION_INSTRUCTIONS, PHRASES, alike
from data_builder.timeline import Item, Say, Scene
from data_builder.world import World
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

QUESTION_SHARE: Final = 0.5
COUNTED: Final = (
    "dog", "car_horn", "rooster", "sneezing", "cow", "beep", "cat_meow", "owl", "crow", "whistle",
)  # fmt: skip
"""Sounds that come one by one, so that people would agree on their number."""
KNOWN_AFTER_S: Final = (4.0, 6.0)  # of ambience that a place takes to be told
GOES_ON_S: Final = 5.0  # the same, where it is not told by the end of the recording
GOES_ON_SHARE, DOOR_SHARE = 0.6, 0.3


def phrase(rng: Rng, forms: tuple[str, ...], label: str) -> str:
    """One of `forms` about `label`."""
    said = PHRASES[label]
    return str(pick(rng, forms)).format(noun=said.noun, event=said.event, bare=said.bare)


def unlike(labels: list[str], rng: Rng, count: int) -> list[str]:
    """`count` of `labels`, no two of which can be taken for each other."""
    chosen: list[str] = []
    for k in rng.permutation(len(labels)):
        if len(chosen) < count and not any(alike(labels[k], other) for other in chosen):
            chosen.append(labels[k])
    return chosen


def narrate_events(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "narrate_events")
    scene.instruction, scene.neutral = str(pick(rng, NARRATION_INSTRUCTIONS)), True
    if negative:
        scene.bed = str(pick(rng, ("room", "drawn", "drawn", "zero")))
        return scene
    for label in unlike(world.sources.all_labels, rng, int(rng.integers(1, 4))):
        scene.sound(world.sound(rng, label, 3.0), say=phrase(rng, NARRATION_FORMS, label))
    return scene


def count_events(rng: Rng, world: World, negative: bool) -> Scene:
    """Either each is counted aloud, or the count is asked for by voice."""
    scene = Scene(rng, "count_events")
    scene.neutral = scene.fixed = True
    quiet = unalarming(world)
    labels = [x for x in COUNTED if x in quiet] or targets(quiet)
    target = str(pick(rng, labels))
    others = [x for x in quiet if not alike(x, target)]  # a scream would be told of, whatever is counted
    noun = PHRASES[target].noun
    asked = not negative and bool(world.cast) and rng.random() < QUESTION_SHARE
    times = 0 if negative else int(rng.integers(1, 4))
    order = [target] * times + [str(pick(rng, others)) for _ in range(int(rng.integers(negative, 3)))]
    if not asked:
        scene.instruction = str(pick(rng, words.COUNT_INSTRUCTIONS)).format(x=noun)
    heard: list[Item] = []
    for k in rng.permutation(len(order)):
        clip = world.sound(rng, order[k], 2.0)
        if order[k] == target:
            clip.audio = burst(clip.audio)
        if order[k] != target:
            scene.sound(clip, avoid=f"not {target}")
        elif asked:
            heard.append(scene.sound(clip, avoid="asked for later"))
        else:
            heard.append(scene.sound(clip, say=_nth(rng, len(heard) + 1)))
    if asked:
        form = str(pick(rng, words.COUNT_ANSWERS))
        count = words.TIMES[times]
        answer = form.format(times=count, Times=count.capitalize(), bare=noun)
        question = str(pick(rng, words.COUNT_QUESTIONS)).format(x=noun)
        scene.talk(world.say(rng, question), say=Say(answer, noted=True, refers=heard))
    return scene


def _nth(rng: Rng, n: int) -> str:
    return str(pick(rng, words.COUNT_FORMS)).format(number=number(n), Number=number(n).capitalize())


def describe_scene(rng: Rng, world: World, negative: bool) -> Scene:
    """The background is the subject: told once, or when somebody asks."""
    scene = Scene(rng, "describe_scene")
    scene.fixed = scene.neutral = True
    if negative:
        scene.instruction, scene.bed = str(pick(rng, words.SCENE_INSTRUCTIONS)), "room"
        if rng.random() < 0.5:
            scene.talk(world.side_talk(rng, 3.0), avoid="says nothing of the place")
        return scene
    labels = [x for x in words.PLACES if any(r.label == x for r in world.sources.beds)]
    if not labels:
        raise DataError("expected ambience of known places in this split, got none")
    label = str(pick(rng, labels))
    about = words.PLACES[label]
    ambience = world.sources.ambience(rng, 14.0, (label,))
    if len(ambience.audio) < KNOWN_AFTER_S[1] * SR:
        raise DataError(f"expected {KNOWN_AFTER_S[1]:g} s of {label!r}, got {len(ambience.audio) / SR:.1f} s")
    if world.cast and rng.random() < QUESTION_SHARE:
        scene.bed = ambience
        scene.chunks = (18, 24, 34)
        question, answer = _asked_of_place(rng, about)
        scene.talk(world.say(rng, question), say=answer, after=(KNOWN_AFTER_S[0], KNOWN_AFTER_S[0] + 3.0))
        return scene
    scene.instruction, scene.bed = str(pick(rng, words.SCENE_INSTRUCTIONS)), "room"
    say = Say(_form(rng, words.SCENE_ANSWERS, about), clock="end")
    rest = ambience.audio[int(GOES_ON_S * SR) :]
    if len(rest) < SR or rng.random() >= GOES_ON_SHARE:
        ambience.audio = fade(ambience.audio[: int(float(rng.uniform(*KNOWN_AFTER_S)) * SR)].copy(), 240)
        scene.sound(ambience, say=say)
        return scene
    more = replace(ambience, audio=fade_out(rest[: int(float(rng.uniform(1.0, 4.0)) * SR)].copy()))
    ambience.audio = ambience.audio[: int(GOES_ON_S * SR)].copy()
    first = scene.sound(ambience, say=say)
    scene.sound(more, avoid="goes on: told before", after=(0.0, 0.0), like=first)
    return scene


def _asked_of_place(rng: Rng, about: words.Ambience) -> tuple[str, str]:
    """(question, answer) about a place, or about whether it is one indoors."""
    if about.indoors is not None and rng.random() < DOOR_SHARE:
        answers = words.INDOORS if about.indoors else words.OUTDOORS
        return str(pick(rng, words.DOOR_QUESTIONS)), _form(rng, answers, about)
    return str(pick(rng, words.SCENE_QUESTIONS)), _form(rng, words.SCENE_ANSWERS, about)


def _form(rng: Rng, forms: tuple[str, ...], about: words.Ambience) -> str:
    return str(pick(rng, forms)).format(place=about.place, clue=about.clue)


def fade_out(audio: FloatArray, n: int = 240) -> FloatArray:
    """`audio` with `n` samples of fade at its end alone, in place: its beginning joins what came before."""
    n = min(n, len(audio))
    audio[len(audio) - n :] *= np.linspace(1.0, 0.0, n, dtype=np.float32)
    return audio


def describe_music(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "describe_music")
    scene.neutral = scene.fixed = True
    sounds = [x for x in world.sources.benign if x != "music" and not alike(x, "music")]
    if negative:
        scene.instruction = str(pick(rng, words.MUSIC_INSTRUCTIONS))
        for label in unlike(sounds, rng, int(rng.integers(1, 3))):
            scene.sound(world.sound(rng, label, 3.0), avoid="no music")
        return scene
    if world.cast and rng.random() < QUESTION_SHARE:
        if rng.random() < 0.2:
            scene.sound(world.sound(rng, str(pick(rng, sounds)), 2.5), avoid="no music")
            question, answer, heard = str(pick(rng, words.MUSIC_QUESTIONS)), str(pick(rng, words.NO_MUSIC)), []
        else:
            clip = world.sources.music_piece(rng, 4.0)
            heard = [scene.sound(clip, avoid="asked for later")]
            question, answer = str(pick(rng, words.MUSIC_QUESTIONS)), _plays(rng, clip)
        scene.talk(world.say(rng, question), say=Say(answer, noted=True, refers=heard))
        return scene
    scene.instruction = str(pick(rng, words.MUSIC_INSTRUCTIONS))
    if rng.random() < 0.4:
        scene.sound(world.sound(rng, str(pick(rng, sounds)), 2.5), avoid="no music")
    clip = world.sources.music_piece(rng, 5.0)
    scene.sound(clip, say=_plays(rng, clip))
    return scene


def _plays(rng: Rng, clip: Clip) -> str:
    name = str(clip.extra["instrument"])
    plural = name in ("drums", "bells", "strings")
    article = "" if plural or name in ("brass",) else "an " if name[0] in "aeiou" else "a "
    return str(pick(rng, words.MUSIC_ANSWERS)).format(a=f"{article}{name}")


UNDERSTANDING: Final = (
    Subtask(
        "narrate_events",
        "understanding",
        "Narrate events",
        narrate_events,
        0.4,
        "every class of sounds",
        "a standing request to describe sounds; one to three sounds",
        "one sentence for each sound, when it was heard for 1.2 s or is over",
        "the same request over an empty room",
        "[a rooster crows] -> A rooster is crowing.",
    ),
    Subtask(
        "count_events",
        "understanding",
        "Count events",
        count_events,
        0.4,
        "sounds that come one by one (barks, horns, beeps), each cut to a single burst; others between",
        "counted aloud by a standing request, or asked for by voice at the end",
        "the running number at each sound, or the count once the question is endpointed",
        "the same request over other sounds only, none of which anybody would be warned of",
        "[bark] [bark] How often did you hear a dog? -> Twice, as far as I could hear.",
    ),
    Subtask(
        "describe_scene",
        "understanding",
        "Scene and ambience",
        describe_scene,
        0.4,
        "recorded ambience of about 40 kinds of places",
        "the place is the background all along, or an ambience that sets in",
        "once: when 4 to 6 s of it were heard, or when the question is endpointed; no more exactly than one can hear",
        "the same request over a plain room or talk that gives nothing away",
        "[a cafe] Are we indoors or outdoors? -> Indoors, I think. I hear people talking and dishes clinking.",
    ),
    Subtask(
        "describe_music",
        "understanding",
        "Music",
        describe_music,
        0.4,
        "music of which the instrument is known: recorded notes, drums, rendered melodies",
        "music after or among other sounds; a standing request, or a question about it",
        "the instrument, when it was heard for 1.2 s, or when the question is endpointed",
        "the same request over sounds that are no music",
        "[a flute plays] What instrument is that? -> I hear a flute.",
    ),
)
