"""Talk that is not for the system, as a sub-task hears it: exchanges, calls, people alone, books, television."""

from __future__ import annotations

from typing import Final

from data_builder import mix
from data_builder.sources import Clip, Rng, pick
from data_builder.speech.protocol import Stalled
from data_builder.subtasks.rounds import second_voice, understood
from data_builder.texts.overheard import ALONE, PHONE, READ_ALOUD, TELEVISION, exchange
from data_builder.timeline import Scene
from data_builder.world import World
from soundflow.errors import DataError

REPLY: Final = (0.2, 0.45)  # somebody else answers before the question has been closed as an utterance
TRIES: Final = 2
READING_S: Final = 12.0
_SHARES: Final = {"exchange": 0.24, "phone": 0.08, "alone": 0.08, "reading": 0.22, "television": 0.16, "side": 0.22}


def exchanged(rng: Rng, world: World, scene: Scene, asked: str, answer: str) -> None:
    """A question to a person, whom the system leaves to answer."""
    first = world.person(rng)
    clips = world.say(rng, asked, first), second_voice(rng, world, answer, first)
    scene.talk(clips[0], avoid="said to somebody else")
    scene.talk(clips[1], avoid="answer of somebody else", after=REPLY)


def overhear(rng: Rng, world: World, scene: Scene, kind: str = "") -> None:
    """Add something that is said near the system but not to it; recordings where there are no voices.

    Raises DataError where there is no speech at all.
    """
    names = list(_SHARES)
    kind = kind or names[int(rng.choice(len(names), p=list(_SHARES.values())))]
    for _ in range(TRIES):
        try:
            _add(rng, world, scene, kind)
            return
        except Stalled:  # may be another time: not a fact about the words
            raise
        except DataError:
            continue
    clip = world.talk.side(rng, 4.0) if world.talk else world.side_talk(rng, 4.0)
    scene.talk(clip, avoid="side talk")


def _add(rng: Rng, world: World, scene: Scene, kind: str) -> None:
    if kind == "exchange":
        exchanged(rng, world, scene, *exchange(rng))
    elif kind == "phone":
        who = world.person(rng)
        lines: tuple[str, ...] = pick(rng, PHONE)
        calls = [world.say(rng, line, who) for line in lines[: int(rng.integers(2, 4))]]
        for k, clip in enumerate(calls):
            scene.talk(clip, avoid="on the phone", after=(0.8, 2.0) if k else None)
    elif kind == "alone":
        scene.talk(understood(rng, world, lambda: (str(pick(rng, ALONE)), None))[0], avoid="talks to themselves")
    elif kind == "reading":
        real = bool(world.talk.sentences)
        clip = world.talk.sentence(rng, 6.0) if real else world.say(rng, str(pick(rng, READ_ALOUD)))
        scene.talk(clip, avoid="reads aloud")
    elif kind == "television":
        scene.talk(from_screen(rng, world), avoid="television", role="television")
    else:
        scene.talk(world.side_talk(rng, 4.0), avoid="side talk")


def at_length(rng: Rng, world: World, scene: Scene) -> None:
    """Two to four stretches of recorded speech of up to 12 s in a row: somebody reads, or a programme goes on."""
    screen = rng.random() < 0.4
    for k in range(int(rng.integers(2, 5))):
        clip = world.television(rng, READING_S) if screen else world.side_talk(rng, READING_S)
        role = "television" if screen else "bystander"
        scene.talk(clip, avoid="goes on for long", role=role, after=(0.1, 1.2) if k else None)


def from_screen(rng: Rng, world: World) -> Clip:
    """A voice of a television: a recording, or a line of a programme through a small loudspeaker."""
    if world.talk and (not world.others or rng.random() < 0.75):
        return world.television(rng, 5.0)
    clip = world.stranger(rng, str(pick(rng, TELEVISION)))
    clip.audio = mix.band(clip.audio, float(rng.uniform(120, 300)), float(rng.uniform(3500, 7000)))
    return clip


def unalarming(world: World) -> list[str]:
    """Classes of sounds that ask for nothing by themselves."""
    alarming = {*world.sources.alerts, *world.sources.equipment}
    return [label for label in world.sources.all_labels if label not in alarming]
