"""What nobody can write down or translate: human sounds without words, music, other sounds, many voices at once."""

from __future__ import annotations

from typing import Final

from data_builder.sources import Rng
from data_builder.timeline import Item, Scene
from data_builder.world import World
from soundflow.errors import DataError

HUMAN: Final = ("laugh", "sneezing", "snoring", "snore", "hiccup_burp", "applause_clap", "whistle")
"""None that somebody should be told of without having asked: what is left alone here would be an alert elsewhere."""

VOICES: Final = (5, 8)  # least and most + 1 voices of a babble
BABBLE_LONGEST: Final = 4.0


def add_wordless(rng: Rng, world: World, scene: Scene, count: int, longest: float = 3.5) -> None:
    """Add `count` things without words to the scene, none of them to be answered.

    Where the split holds none of a kind, another kind is taken; without any sound the background is all there is.
    """
    for _ in range(count):
        for kind in rng.choice(4, size=4, replace=False, p=(0.4, 0.25, 0.2, 0.15)):
            try:
                (_human, _sound, _music, add_babble)[int(kind)](rng, world, scene, longest)
                break
            except DataError:
                continue


def _human(rng: Rng, world: World, scene: Scene, longest: float) -> None:
    have = [x for x in HUMAN if x in world.sources.all_labels]
    scene.sound(world.sound(rng, world.plausible(rng, have), longest), avoid="a human sound without words")


def _sound(rng: Rng, world: World, scene: Scene, longest: float) -> None:
    have = [x for x in world.sources.benign if x != "music" and x not in HUMAN]
    scene.sound(world.sound(rng, world.plausible(rng, have), longest), avoid="a sound without words")


def _music(rng: Rng, world: World, scene: Scene, longest: float) -> None:
    scene.sound(world.sound(rng, "music", longest + 1.0), avoid="music")


def add_babble(rng: Rng, world: World, scene: Scene, longest: float = BABBLE_LONGEST) -> None:
    """So many voices at once, equally loud, that nobody could follow one of them.

    Raises DataError, with the scene as it was, where the split has no speech.
    """
    clips = [world.talk.side(rng, longest) for _ in range(int(rng.integers(*VOICES)))]
    clips.sort(key=lambda clip: -len(clip.audio))
    first: Item | None = None
    for clip in clips:
        if first is None:
            first = scene.talk(clip, avoid="babble")
            continue
        room = max(0.05, (len(first.clip.audio) - len(clip.audio)) / 16_000)
        into = float(rng.uniform(0.0, room))
        scene.talk(clip, avoid="babble", over=first, into=into, db=float(rng.uniform(-2.0, 1.0)))
