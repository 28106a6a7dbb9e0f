"""Two kinds of streams beside the 28: nothing at all to be answered, and one sound in a plain bed.

They have no share of a corpus unless it is asked for; calibration and checks use them.
"""

from __future__ import annotations

from typing import Final

from data_builder.sources import Rng, pick
from data_builder.subtasks.proactive import alert, random_instruction, random_tools
from data_builder.subtasks.subtask import Subtask
from data_builder.timeline import Scene
from data_builder.world import World


def silence(rng: Rng, world: World, negative: bool) -> Scene:
    """Room tone, digital zero, ambience, music, benign sounds or talk that is not for the system."""
    scene, sources = Scene(rng, "silence"), world.sources
    scene.tools, scene.instruction = random_tools(rng), random_instruction(rng)
    draw = rng.random()
    labels: list[str] = []
    if draw < 0.14 and sources.beds:
        scene.sound(sources.ambience(rng, 10.0), avoid="ambience")
    elif draw < 0.28:
        scene.bed = str(pick(rng, ("room", "room", "drawn", "drawn", "drawn", "drawn", "zero")))
    elif draw < 0.42:
        labels = ["music"] * int(rng.integers(1, 3))
    elif draw < 0.85 and world.talk:
        for _ in range(int(rng.integers(1, 4))):
            scene.talk(world.side_talk(rng), avoid="side talk")
    else:
        labels = [str(x) for x in rng.choice(sources.benign, size=min(3, int(rng.integers(1, 4))))]
    for label in labels:
        scene.sound(world.sound(rng, label, 6.0 if label == "music" else 4.0), avoid="benign sound")
    return scene


def single(rng: Rng, world: World, negative: bool) -> Scene:
    """As a benchmark of single events plays it: the bed 8 to 28 dB under the sound, no room and no channel."""
    scene, sources = Scene(rng, "single"), world.sources
    scene.plain, scene.noise_db = True, (8.0, 28.0)
    draw = rng.random()
    if not negative:
        label = str(pick(rng, sources.alerts))
        scene.sound(world.sound(rng, label, 5.0), say=alert(rng, label))
    elif draw < 0.2 and sources.beds:
        scene.sound(sources.ambience(rng, 8.0), avoid="ambience")
    elif draw < 0.7 or not world.talk:
        scene.sound(world.sound(rng, str(pick(rng, sources.benign)), 5.0), avoid="benign sound")
    elif draw < 0.9:
        scene.sound(world.sound(rng, "music", 5.0), avoid="music")
    else:
        scene.talk(world.side_talk(rng, 5.0), avoid="side talk")
    return scene


CONTROLS: Final = {
    "silence": Subtask(
        "silence",
        "control",
        "Nothing to answer",
        silence,
        1.0,
        "room tone, digital zero, ambience, music, benign sounds, talk among people",
        "one kind of these",
        "none",
        "every stream",
        "[a conversation] -> (silence)",
    ),
    "single": Subtask(
        "single",
        "control",
        "One sound",
        single,
        0.5,
        "alerting and benign classes, music, ambience, side talk",
        "one sound in a plain bed",
        "an alert, 120 to 240 ms after 1.2 s of the sound (or its end)",
        "one benign thing in a plain bed",
        "[a siren] -> A siren is sounding. Let emergency vehicles pass.",
    ),
}
