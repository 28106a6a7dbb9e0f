"""Streaming instruction: "tell me when you hear X". Sources: all event classes; X by its noun or another name for it.

Timeline: X is present in 70 % of the streams, among none to two other sounds and now and then side talk. Label: "I hear
the rooster now." Negatives: every other sound that cannot be taken for X; an alerting one still gets its alert.
"""

from __future__ import annotations

from data_builder.sources import Rng, Sources, pick
from data_builder.subtasks.narration import phrase
from data_builder.subtasks.proactive import alert
from data_builder.texts.sounds import PHRASES, WATCH_FORMS, WATCH_INSTRUCTIONS, alike
from data_builder.timeline import Scene


def watch_instruction(rng: Rng, label: str) -> str:
    """A request to be told of `label`."""
    words = PHRASES[label]
    name = words.noun if not words.names or rng.random() < 0.5 else pick(rng, words.names)
    return str(pick(rng, WATCH_INSTRUCTIONS)).format(x=name)


def watch(rng: Rng, sources: Sources) -> Scene:
    scene = Scene(rng, "watch")
    target = str(pick(rng, sources.all_labels))
    scene.instruction, scene.neutral = watch_instruction(rng, target), True
    present = rng.random() < 0.7
    others = [label for label in sources.all_labels if not alike(label, target)]
    count = min(len(others), int(rng.integers(0, 3)) if present else int(rng.integers(1, 4)))
    order = [str(x) for x in rng.choice(others, size=count, replace=False)] if count else []
    if present:
        order.append(target)
    for k in rng.permutation(len(order)):
        label = order[k]
        clip = sources.event(rng, label)
        if label == target:
            scene.sound(clip, say=phrase(rng, WATCH_FORMS, label))
        elif label in sources.alerts:
            scene.sound(clip, say=alert(rng, label))
        else:
            scene.sound(clip, avoid=f"not {target}")
        if sources.talk and rng.random() < 0.15:
            scene.talk(sources.side_talk(rng, 3.5), avoid="side talk")
    return scene
