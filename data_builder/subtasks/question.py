"""Spoken question. Sources: the utterance bank; sounds of all classes before questions about what was heard.

Timeline: two thirds ask about the world, after nothing, a benign sound or side talk; a third asks what was heard, after
none to three sounds, and is answered from them (`notes`). Label: the answer, once the utterance has been endpointed.
Negatives: the sounds and the side talk before; alerting sounds get their alert.
"""

from __future__ import annotations

from data_builder.sources import Rng, Sources, pick
from data_builder.subtasks.proactive import add_negative, alert, random_instruction, random_tools
from data_builder.texts.sounds import HEARD_FORMS, HEARD_NOTHING, listing
from data_builder.timeline import Scene


def question(rng: Rng, sources: Sources) -> Scene:
    scene = Scene(rng, "question")
    scene.instruction, scene.tools = random_instruction(rng), random_tools(rng)
    if rng.random() < 0.33:
        return _heard(rng, sources, scene)
    if rng.random() < 0.45:
        add_negative(rng, sources, scene, context=False)
    clip = sources.utterance(rng, "question")
    scene.talk(clip, say=clip.extra["answer"])
    if rng.random() < 0.2:
        second = sources.utterance(rng, "question")
        scene.talk(second, say=second.extra["answer"])
    return scene


def _heard(rng: Rng, sources: Sources, scene: Scene) -> Scene:
    scene.neutral, scene.fixed = True, True
    count = min(len(sources.all_labels), int(rng.choice([0, 1, 2, 3], p=[0.15, 0.4, 0.3, 0.15])))
    labels = [str(x) for x in rng.choice(sources.all_labels, size=count, replace=False)]
    for label in labels:
        clip = sources.event(rng, label, 3.0)
        if label in sources.alerts:
            scene.sound(clip, say=alert(rng, label))
        else:
            scene.sound(clip, avoid="asked for later")
    answer = str(pick(rng, HEARD_FORMS)).format(list=listing(labels)) if labels else str(pick(rng, HEARD_NOTHING))
    clip = sources.utterance(rng, "heard")
    scene.talk(clip, say=answer, noted=True)
    return scene
