"""Proactive response: bodily distress, hazard and callers, failing equipment, comfort. Nobody asks; somebody should be
told. Silence is right for everything else that is heard in a home.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from data_builder.sources import Clip, Rng, pick
from data_builder.speech.protocol import Stalled
from data_builder.subtasks.rounds import second_voice, understood
from data_builder.subtasks.spoken_of import once_more
from data_builder.subtasks.subtask import Subtask
from data_builder.texts.alerts import ALERTS, GENERAL_INSTRUCTIONS, STILL
from data_builder.texts.equipment import EQUIPMENT
from data_builder.texts.feelings import CALM_TALK, COMFORT, DISTRESS
from data_builder.texts.sounds import alike
from data_builder.timeline import Say, Scene
from data_builder.world import World
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

BODILY: Final = ("coughing", "scream", "crying_baby")
BODILY_NEAR: Final = ("sneezing", "laugh", "snore", "hiccup_burp", "children_playing", "whistle", "applause_clap")
LONG_SHARE, AGAIN_SHARE = 0.05, 0.15  # of the hazards: they go on, they come again
COOL_DOWN_S: Final = 31.0  # what goes on is announced again after 30 s, whatever the delays of the two are
FAULT_NEAR: Final = (
    "beep",
    "water",
    "washing_machine",
    "vacuum_fan",
    "fan",
    "hum",
    "clock_tick",
    "click",
    "wind",
    "rain",
)


def alert(rng: Rng, label: str) -> str:
    """What to say about an alerting sound."""
    return str(pick(rng, ALERTS[label]))


def random_tools(rng: Rng) -> str:
    """A tool set that has nothing to do with what happens."""
    return str(pick(rng, ("", "", "", "home", "coffee")))


def random_instruction(rng: Rng) -> str:
    """Mostly none, else one that asks for nothing beyond the default policy."""
    return str(pick(rng, GENERAL_INSTRUCTIONS)) if rng.random() < 0.2 else ""


def add_negative(rng: Rng, world: World, scene: Scene, context: bool = False) -> None:
    """One thing that deserves no answer: benign sound 0.5, music 0.17, side talk 0.33."""
    draw, sources = rng.random(), world.sources
    if draw < 0.33:
        try:
            scene.talk(world.side_talk(rng, 4.0), avoid="side talk")
            return
        except Stalled:  # may be another time: not a fact about the corpus
            raise
        except DataError:
            pass  # nobody talks in this corpus: a sound instead
    labels = sources.benign + (sources.context if context else [])
    label = "music" if draw < 0.5 else world.plausible(rng, labels)
    reason = "context sound" if label in sources.context else "benign sound"
    scene.sound(world.sound(rng, label, 3.0), avoid=reason)


def backdrop(rng: Rng, world: World) -> Clip | None:
    """Television talk or music behind everything, in a sixth of the streams."""
    draw = rng.random()
    if draw < 0.1 and world.talk:
        return world.television(rng)
    return world.sound(rng, "music", 6.0) if draw < 0.16 else None


def _scene(rng: Rng, name: str) -> Scene:
    scene = Scene(rng, name)
    scene.instruction, scene.tools = random_instruction(rng), random_tools(rng)
    return scene


def _near(rng: Rng, world: World, scene: Scene, labels: tuple[str, ...], targets: tuple[str, ...]) -> None:
    """A sound near the alerting ones that deserves no answer; anything benign where the corpus has none."""
    sources = world.sources
    ok = [x for x in labels if x in sources.benign or (x in sources.context and not scene.instruction)]
    rest = [x for x in sources.benign if not any(alike(x, t) for t in targets)]
    label = str(pick(rng, ok)) if ok and rng.random() < 0.6 else world.plausible(rng, rest)
    reason = "context sound" if label in sources.context else "benign sound"
    scene.sound(world.sound(rng, label, 3.0), avoid=reason)


def proactive_distress(rng: Rng, world: World, negative: bool) -> Scene:
    scene = _scene(rng, "proactive_distress")
    if negative:
        for _ in range(int(rng.integers(1, 3))):
            if rng.random() < 0.4 and world.cast:
                clip, _ = understood(rng, world, lambda: (str(pick(rng, CALM_TALK)), None))
                scene.talk(clip, avoid="self-talk that needs nobody")
            else:
                _near(rng, world, scene, BODILY_NEAR, BODILY)
        return scene
    if rng.random() < 0.5:
        add_negative(rng, world, scene)
    if world.cast and rng.random() < 0.35:
        cry, answers = DISTRESS[int(rng.integers(len(DISTRESS)))]
        scene.talk(world.say(rng, cry, emotion="afraid"), say=str(pick(rng, answers)))
    else:
        label = str(pick(rng, [x for x in BODILY if x in world.sources.alerts]))
        scene.sound(world.sound(rng, label), say=alert(rng, label))
    scene.backdrop = backdrop(rng, world)
    return scene


def proactive_hazard(rng: Rng, world: World, negative: bool) -> Scene:
    scene = _scene(rng, "proactive_hazard")
    hazards = [x for x in world.sources.alerts if x not in BODILY]
    draw = 1.0 if negative else rng.random()
    if draw < LONG_SHARE and any(x in STILL for x in hazards):
        _long_alarm(rng, world, scene, str(pick(rng, [x for x in hazards if x in STILL])))
        return scene
    for _ in range(int(rng.integers(1, 3))):
        if negative or rng.random() < 0.6:
            add_negative(rng, world, scene, context=not scene.instruction and rng.random() < 0.5)
    if not negative and draw < LONG_SHARE + AGAIN_SHARE:
        label = str(pick(rng, hazards))
        once_more(rng, scene, scene.sound(world.sound(rng, label, 3.0), say=alert(rng, label)))
    elif not negative:
        first = str(pick(rng, hazards))
        chosen = [first]
        if rng.random() < 0.25:
            chosen += [x for x in (str(pick(rng, hazards)),) if not alike(x, first)]
        for label in chosen:
            item = scene.sound(world.sound(rng, label), say=alert(rng, label))
            if rng.random() < 0.3:  # not always the last thing that happens
                scene.items.remove(item)
                scene.items.insert(0, item)
    scene.backdrop = backdrop(rng, world)
    return scene


def _long_alarm(rng: Rng, world: World, scene: Scene, label: str) -> None:
    """A sound without a pause of 34 s and more: announced, and once more, as "still", after the cool-down.

    In two items, one right after the other, as each announcement has evidence of its own.
    """
    clip = world.sound(rng, label)
    least = -(-int(COOL_DOWN_S * SR) // len(clip.audio))
    more = replace(clip, audio=np.resize(clip.audio, int(float(rng.uniform(3.0, 5.0)) * SR)))
    clip.audio = np.tile(clip.audio, least)
    first = scene.sound(clip, say=alert(rng, label))
    scene.sound(more, say=str(pick(rng, STILL[label])), after=(0.0, 0.0), like=first)
    scene.fixed, scene.chunks = True, (85, 90, 100)


def proactive_equipment(rng: Rng, world: World, negative: bool) -> Scene:
    scene = _scene(rng, "proactive_equipment")
    if negative or rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 3))):
            _near(rng, world, scene, FAULT_NEAR, tuple(EQUIPMENT))
    if not negative:
        label = str(pick(rng, world.sources.equipment))
        # A fault is a pattern in time: it is told when it was heard whole.
        scene.sound(world.sound(rng, label), say=Say(str(pick(rng, EQUIPMENT[label])), clock="end"))
    return scene


def proactive_comfort(rng: Rng, world: World, negative: bool) -> Scene:
    scene = _scene(rng, "proactive_comfort")
    scene.tools = ""
    if negative:
        if rng.random() < 0.4:
            scene.talk(world.say(rng, str(pick(rng, CALM_TALK)), emotion="calm"), avoid="self-talk that needs nobody")
        else:
            sad, _ = COMFORT[int(rng.integers(len(COMFORT)))]
            one = world.person(rng)
            scene.talk(world.say(rng, sad, one, emotion="sad"), avoid="told to somebody who answers")
            reply = str(pick(rng, _BY_SOMEBODY))
            scene.talk(second_voice(rng, world, reply, one), avoid="people among themselves", after=(0.2, 0.7))
            scene.fixed = True
        return scene
    if rng.random() < 0.3:
        add_negative(rng, world, scene)
    sad, answers = COMFORT[int(rng.integers(len(COMFORT)))]
    scene.talk(world.say(rng, sad, emotion="sad"), say=str(pick(rng, answers)))
    return scene


_BY_SOMEBODY: Final = (
    "Come here, let me give you a hug.",
    "Oh dear, I am so sorry to hear that.",
    "I know, my love. We will get through this.",
    "You are not alone, you have me.",
    "Sit down with me and tell me everything.",
    "I will make us some tea and we talk.",
)
PROACTIVE: Final = (
    Subtask(
        "proactive_distress",
        "proactive",
        "Bodily distress",
        proactive_distress,
        0.5,
        "coughs, screams, crying babies; cries for help spoken by the household",
        "one such sound among what else is heard; often something benign before it, a television behind it",
        "an alert with one next step: at 1.2 s of the sound, or at the end point of the cry",
        "sneezes, laughter, snoring; talk about illness and accidents that needs nobody",
        "[a bout of coughing] -> That is a bad cough. Would you like some water?",
    ),
    Subtask(
        "proactive_hazard",
        "proactive",
        "Hazards and callers",
        proactive_hazard,
        0.5,
        "alarms, sirens, breaking glass, shots, explosions; door bell, knock, telephone; recorded and synthetic",
        "one or two among benign sounds, music and side talk; some come again, some go on for more than 30 s",
        "an alert with one next step, 120 to 240 ms after 1.2 s of the sound (or its end), once in 30 s",
        "benign sounds, music, side talk; dogs, doors and thunder where no instruction asks for more",
        "[a smoke alarm] -> A smoke alarm is sounding. Check for fire and get ready to leave.",
    ),
    Subtask(
        "proactive_equipment",
        "proactive",
        "Equipment failure",
        proactive_equipment,
        0.5,
        "synthetic faults: battery chirps, drips, grinding motors, thumping washers, hisses, arcing, open doors",
        "a fault after none to two ordinary household sounds",
        "what it is and one next step, when the pattern has been heard whole",
        "the same machines in good order: fans, hums, running water, single beeps",
        "[drip, drip, drip] -> Water is dripping. Please check under the sink.",
    ),
    Subtask(
        "proactive_comfort",
        "proactive",
        "Emotional comfort",
        proactive_comfort,
        0.5,
        "sad lines spoken into the room by the household",
        "one such line, now and then after something benign",
        "one kind sentence, once the line is endpointed",
        "the same lines told to somebody who answers; contented self-talk",
        "I feel so alone in this house. -> I am here with you. Would you like to talk?",
    ),
)
