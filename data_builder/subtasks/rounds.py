"""What the rounds of a conversation need: words that are understood, a second voice, and time to hear an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from data_builder.schema import ENDPOINT
from data_builder.sources import Clip, Rng
from data_builder.speech.synthesise import Unheard
from data_builder.timeline import Scene
from data_builder.world import World
from soundflow.clock import seconds
from soundflow.errors import DataError

T = TypeVar("T")
ENDPOINT_S: Final = seconds(ENDPOINT)
SECONDS_A_WORD: Final = 0.33
DRAFTS: Final = 3


def understood(rng: Rng, world: World, draw: Callable[[], tuple[str, T]], person: str = "") -> tuple[Clip, T]:
    """What `draw` gives, its words spoken; drawn anew, three times at most, where nobody understands them.

    So one word that a voice cannot say does not end a long conversation. Raises Unheard for the last draft.
    """
    for _ in range(DRAFTS - 1):
        text, rest = draw()
        try:
            return world.say(rng, text, person), rest
        except Unheard:
            continue
    text, rest = draw()
    return world.say(rng, text, person), rest


def second_voice(rng: Rng, world: World, text: str, first: str) -> Clip:
    """`text` by another voice than that of `first`: of the household, or a visitor where nobody understands them.

    Two names may share a speaker, so that voices are told apart by their ids. Raises DataError where there is one only.
    """
    voice = world.cast[first].id if first in world.cast else ""
    same = [name for name, speaker in world.cast.items() if speaker.id == voice]
    if len(same) < len(world.cast):
        try:
            return world.say(rng, text, world.person(rng, but=same))
        except Unheard:
            pass
    visitors = [speaker for speaker in world.others if speaker.id != voice and "en" in speaker.voices]
    if not visitors:
        raise DataError("expected a second voice in this split, got one only")
    return World(world.sources, world.moment, {}, visitors, world.synth).stranger(rng, text)


def aside(rng: Rng, world: World, scene: Scene, share: float, longest: float = 3.0) -> None:
    """In a `share` of the streams talk of others, before anybody speaks to the system; recordings where they can be."""
    if not world.talk or rng.random() >= share:
        return
    try:
        clip = world.side_talk(rng, longest)
    except Unheard:
        clip = world.talk.side(rng, longest)
    scene.talk(clip, avoid="side talk")


def heard_out(answer: str) -> tuple[float, float]:
    """Seconds after an utterance by which its `answer` is over, for `Item.after`."""
    least = max(ENDPOINT_S + 0.4 + SECONDS_A_WORD * len(answer.split()), ENDPOINT_S + 0.9)
    return least, least + 0.8
