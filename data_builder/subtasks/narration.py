"""Event narration. Sources: all event classes. Instruction: one of "Describe every sound you hear." and its like.

Timeline: one to three sounds, each answered by one short sentence. Negatives: a sixth of the streams holds only a bed.
"""

from __future__ import annotations

from data_builder.sources import Rng, Sources, pick
from data_builder.texts.sounds import NARRATION_FORMS, NARRATION_INSTRUCTIONS, PHRASES
from data_builder.timeline import Scene


def phrase(rng: Rng, forms: tuple[str, ...], label: str) -> str:
    """One of `forms` about `label`."""
    words = PHRASES[label]
    return str(pick(rng, forms)).format(noun=words.noun, event=words.event, bare=words.bare)


def narration(rng: Rng, sources: Sources) -> Scene:
    scene = Scene(rng, "narration")
    scene.instruction, scene.neutral = str(pick(rng, NARRATION_INSTRUCTIONS)), True
    if rng.random() < 0.16:
        return scene
    count = min(int(rng.integers(1, 4)), len(sources.all_labels))
    for label in rng.choice(sources.all_labels, size=count, replace=False):
        scene.sound(sources.event(rng, str(label)), say=phrase(rng, NARRATION_FORMS, str(label)))
    return scene
