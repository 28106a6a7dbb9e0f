"""Silence: nothing in these streams is to be answered.

Sources: room tone, digital zero, ambience, music, benign sounds, and speech that is not for the system: read speech,
single words, Mandarin, wake words of other assistants, synthesised talk among people and television. A fifth of the
streams has a "tell me when" instruction for a sound that does not come.
"""

from __future__ import annotations

from data_builder.sources import Rng, Sources, pick
from data_builder.subtasks.proactive import random_instruction, random_tools
from data_builder.subtasks.watch import watch_instruction
from data_builder.texts.sounds import alike
from data_builder.timeline import Scene


def silence(rng: Rng, sources: Sources) -> Scene:
    scene = Scene(rng, "silence")
    scene.tools, scene.instruction = random_tools(rng), random_instruction(rng)
    draw = rng.random()
    labels: list[str] = []
    if draw < 0.14 and sources.beds:
        scene.sound(sources.ambience(rng, 10.0), avoid="ambience")
    elif draw < 0.28:
        scene.bed = str(pick(rng, ("room", "room", "drawn", "drawn", "drawn", "drawn", "zero")))
    elif draw < 0.42:
        labels = ["music"] * int(rng.integers(1, 3))
    elif draw < 0.85 and sources.talk:
        for _ in range(int(rng.integers(1, 4))):
            scene.talk(sources.side_talk(rng), avoid="side talk")
    else:
        labels = [str(x) for x in rng.choice(sources.benign, size=min(3, int(rng.integers(1, 4))))]
    for label in labels:
        scene.sound(sources.event(rng, label, 6.0 if label == "music" else 4.0), avoid="benign sound")
    if rng.random() < 0.2:
        absent = [x for x in sources.all_labels if not any(alike(x, label) for label in labels)]
        scene.instruction, scene.neutral = watch_instruction(rng, str(pick(rng, absent))), True
    return scene
