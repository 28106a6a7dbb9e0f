"""Proactive response. Sources: alerting classes (recordings and synthetic) and benign sounds, music, side talk.

Timeline: none to two alerting sounds of different classes among one to three that are not. Label: a short alert with a
next step, 120 to 240 ms after the evidence (1.2 s of a sustained sound). Negatives: benign sounds, speech and music;
context sounds (dog, thunder, ...) in half of the streams without an instruction; a fifth of the streams has no alert.
"""

from __future__ import annotations

from data_builder.sources import Clip, Rng, Sources, pick
from data_builder.texts.alerts import ALERTS, GENERAL_INSTRUCTIONS
from data_builder.timeline import Scene


def alert(rng: Rng, label: str) -> str:
    """What to say about an alerting sound."""
    return str(pick(rng, ALERTS[label]))


def random_tools(rng: Rng) -> str:
    """A tool set that has nothing to do with what happens."""
    return str(pick(rng, ("", "", "", "home", "coffee")))


def random_instruction(rng: Rng) -> str:
    """Mostly none, else one that asks for nothing beyond the default policy."""
    return str(pick(rng, GENERAL_INSTRUCTIONS)) if rng.random() < 0.2 else ""


def add_negative(rng: Rng, sources: Sources, scene: Scene, context: bool) -> None:
    """One thing that deserves no answer: benign sound 0.5, music 0.17, side talk 0.33."""
    draw = rng.random()
    if draw < 0.33 and sources.talk:
        scene.talk(sources.side_talk(rng, 4.0), avoid="side talk")
        return
    labels = sources.benign + (sources.context if context else [])
    label = "music" if draw < 0.5 else str(pick(rng, labels))
    scene.sound(sources.event(rng, label, 3.0), avoid="context sound" if label in sources.context else "benign sound")


def backdrop(rng: Rng, sources: Sources) -> Clip | None:
    """Side talk or music behind everything, in a sixth of the streams."""
    draw = rng.random()
    if draw < 0.1 and sources.talk:
        return sources.side_talk(rng, 8.0)
    return sources.event(rng, "music", 6.0) if draw < 0.16 else None


def proactive(rng: Rng, sources: Sources) -> Scene:
    scene = Scene(rng, "proactive")
    scene.instruction, scene.tools = random_instruction(rng), random_tools(rng)
    context = not scene.instruction and rng.random() < 0.5
    positives = int(rng.choice([0, 1, 2], p=[0.2, 0.62, 0.18]))
    negatives = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    labels = [str(x) for x in rng.choice(sources.alerts, size=min(positives, len(sources.alerts)), replace=False)]
    order = [*labels, *[""] * negatives]
    for k in rng.permutation(len(order)):
        if order[k]:
            scene.sound(sources.event(rng, order[k]), say=alert(rng, order[k]))
        else:
            add_negative(rng, sources, scene, context)
    scene.backdrop = backdrop(rng, sources)
    return scene
