"""One sound in a plain bed, as a benchmark of single events plays it. For calibration; no share of the default mix.

Half of the streams hold an alerting sound, the others a benign one (0.5), music (0.2), ambience (0.2) or side talk
(0.1). The bed lies 8 to 28 dB under the sound; no room, codec or backdrop.
"""

from __future__ import annotations

from data_builder.sources import Rng, Sources, pick
from data_builder.subtasks.proactive import alert
from data_builder.timeline import Scene


def single(rng: Rng, sources: Sources) -> Scene:
    scene = Scene(rng, "single")
    scene.plain = True
    draw = rng.random()
    if draw < 0.5:
        label = str(pick(rng, sources.alerts))
        scene.sound(sources.event(rng, label, 5.0), say=alert(rng, label))
    elif draw < 0.6 and sources.beds:
        scene.sound(sources.ambience(rng, 8.0), avoid="ambience")
    elif draw < 0.85 or not sources.talk:
        scene.sound(sources.event(rng, str(pick(rng, sources.benign)), 5.0), avoid="benign sound")
    elif draw < 0.95:
        scene.sound(sources.event(rng, "music", 5.0), avoid="music")
    else:
        scene.talk(sources.side_talk(rng, 5.0), avoid="side talk")
    return scene
