"""Environment-aware agent: device acts, acts under noise, questions about a device's state, and whom is spoken to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from data_builder.sources import Clip, Rng, pick
from data_builder.subtasks.bystanders import REPLY, at_length
from data_builder.subtasks.proactive import add_negative, random_instruction
from data_builder.subtasks.rounds import second_voice, understood
from data_builder.subtasks.subtask import Subtask
from data_builder.texts.devices import NO_TOOL, coffee_call
from data_builder.texts.home_requests import request
from data_builder.texts.questions import QUESTIONS
from data_builder.texts.side_talk import MENTIONS, SIDE_TALK
from data_builder.texts.states import ACTS, Act, Answer, state_question
from data_builder.timeline import Say, Scene
from data_builder.world import World
from soundflow.errors import DataError

REAL_ORDERS: Final = 0.45
NO_TOOL_SHARE: Final = 0.15
AT_LENGTH: Final = 0.5  # share of what nobody answers that goes on and on


def _spoken_request(rng: Rng, world: World) -> tuple[Clip, dict[str, Any], str]:
    """A request, its call, and the tool set that has it: a real coffee order or one spoken for the home."""
    if world.talk.orders and (not world.cast or rng.random() < REAL_ORDERS):
        clip = world.talk.order(rng)
        return clip, coffee_call(str(clip.extra["label"])), "coffee"
    clip, call = understood(rng, world, lambda: request(rng))
    return clip, call, "home"


def _act(rng: Rng, world: World, scene: Scene) -> None:
    clip, call, tools = _spoken_request(rng, world)
    if rng.random() < NO_TOOL_SHARE:
        scene.tools = str(pick(rng, ("", "", "home" if tools == "coffee" else "coffee")))
        scene.talk(clip, say=str(pick(rng, NO_TOOL)))
    else:
        scene.tools = tools
        scene.talk(clip, call=call)


def _mention(rng: Rng, world: World, scene: Scene) -> None:
    """Talk about devices that asks nobody for anything."""
    clip, _ = understood(rng, world, lambda: (str(pick(rng, MENTIONS)), None))
    scene.talk(clip, avoid="mention of a device")


def device_act(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "device_act")
    scene.instruction, scene.tools = random_instruction(rng), str(pick(rng, ("home", "home", "coffee")))
    if negative:
        _mention(rng, world, scene)
        if rng.random() < 0.3:
            add_negative(rng, world, scene)
        return scene
    if rng.random() < 0.25:
        add_negative(rng, world, scene)
    _act(rng, world, scene)
    return scene


def device_act_noisy(rng: Rng, world: World, negative: bool) -> Scene:
    """As `device_act`, with a loud background, a television behind it, or something that falls into the words."""
    scene = Scene(rng, "device_act_noisy")
    scene.noise_db, scene.tools, scene.bed = (2.0, 12.0), str(pick(rng, ("home", "home", "coffee"))), "drawn"
    if negative:
        _mention(rng, world, scene)
    else:
        _act(rng, world, scene)
    spoken = scene.items[-1]
    draw = rng.random()
    if draw < 0.4 and world.talk:
        scene.backdrop = world.television(rng)
    elif draw < 0.8:
        label = world.plausible(rng, world.sources.benign)
        clip = world.sound(rng, label, 2.0)
        into = float(rng.uniform(0.1, 0.6)) * len(spoken.clip.audio) / 16_000
        scene.sound(clip, avoid="benign sound", over=spoken, into=into, db=-8.0)
    return scene


def device_state(rng: Rng, world: World, negative: bool) -> Scene:
    """A device is set, then asked about: the state is known from what was done before."""
    scene = Scene(rng, "device_state")
    scene.tools, scene.fixed = "home", True
    act = ACTS[int(rng.integers(len(ACTS)))]
    one = world.person(rng)
    if negative:
        _asked_of_somebody(rng, world, scene, one, lambda: _state_between(rng, act))
        return scene

    def told_first() -> tuple[str, tuple[dict[str, Any], Answer]]:
        text, call, answer = state_question(rng, act)
        return text, (call, answer)

    clip, (call, answer) = understood(rng, world, told_first, one)
    told = scene.talk(clip, call=call)
    if rng.random() < 0.3:
        add_negative(rng, world, scene)
    asking, _ = understood(rng, world, lambda: (_question(rng, act, answer), None), world.person(rng))
    scene.talk(asking, say=Say(answer.answer, refers=[told]))
    return scene


def _question(rng: Rng, act: Act, answer: Answer) -> str:
    return str(pick(rng, act.questions)).format(**answer.slots)


def _state_between(rng: Rng, act: Act) -> tuple[str, str]:
    """(question, answer) of people about a device."""
    _, _, answer = state_question(rng, act)
    return _question(rng, act, answer), answer.by_somebody


def _asked_of_somebody(rng: Rng, world: World, scene: Scene, one: str, draw: Callable[[], tuple[str, str]]) -> None:
    """A question to a person by name, who answers before the system could."""
    other = world.person(rng, but=[one])

    def named() -> tuple[str, str]:
        question, answer = draw()
        return f"{other}, {question[0].lower()}{question[1:]}", answer

    clip, answer = understood(rng, world, named, one)
    scene.talk(clip, avoid="asked of somebody else")
    scene.talk(second_voice(rng, world, answer, one), avoid="people among themselves", after=REPLY)


def addressee(rng: Rng, world: World, negative: bool) -> Scene:
    """People talk to each other, the television talks, and now and then somebody talks to the system."""
    scene = Scene(rng, "addressee")
    scene.tools = str(pick(rng, ("", "home")))
    long = world.talk and rng.random() < (AT_LENGTH if negative else AT_LENGTH / 3)
    if long:
        at_length(rng, world, scene)
    for _ in range(0 if long else int(rng.integers(1, 4)) if negative else int(rng.integers(0, 3))):
        draw = rng.random()
        if draw < 0.3:
            _asked_of_somebody(
                rng, world, scene, world.person(rng), lambda: (_any_question(rng), str(pick(rng, _SHRUGS)))
            )
        elif draw < 0.55:
            scene.talk(world.television(rng, 5.0), avoid="television", role="television")
        elif draw < 0.8:
            scene.talk(world.side_talk(rng, 5.0), avoid="side talk")
        else:
            clip, _ = understood(rng, world, lambda: (str(pick(rng, (*SIDE_TALK, *MENTIONS))), None))
            scene.talk(clip, avoid="side talk")
    if not negative:
        if scene.tools == "home" and rng.random() < 0.5:
            clip, call = understood(rng, world, lambda: request(rng))
            scene.talk(clip, call=call)
        else:
            clip, answer = understood(rng, world, lambda: QUESTIONS[int(rng.integers(len(QUESTIONS)))])
            scene.talk(clip, say=answer)
    if not scene.items:
        raise DataError("expected somebody to talk in this split, got nobody")
    return scene


def _any_question(rng: Rng) -> str:
    return QUESTIONS[int(rng.integers(len(QUESTIONS)))][0]


_SHRUGS: Final = (
    "I have no idea, to be honest.",
    "Good question, ask me something easier.",
    "I do not know, let me think about it.",
    "You asked me that yesterday already.",
    "Look it up in the big book.",
    "Well, your father would know that.",
)
AGENT: Final = (
    Subtask(
        "device_act",
        "agent",
        "Device act",
        device_act,
        0.45,
        "requests to lights, timers, locks and heating by the household; real coffee orders",
        "a request, now and then after something benign",
        "the exact call once the request is endpointed; a short apology where no tool fits",
        "talk that only mentions devices",
        'Lock the back door. -> set_lock {"door": "back door", "state": "locked"}',
    ),
    Subtask(
        "device_act_noisy",
        "agent",
        "Device act under noise",
        device_act_noisy,
        0.45,
        "as device_act",
        "background 2 to 12 dB under the voice; a television, or a sound that falls into the words",
        "as device_act",
        "as device_act, in the same noise",
        'Lights off in the [crash] kitchen. -> set_light {"room": "kitchen", "state": "off"}',
    ),
    Subtask(
        "device_state",
        "agent",
        "Device-state question",
        device_state,
        0.45,
        "requests and questions by the household",
        "a device is set by voice, and asked about later, perhaps by somebody else",
        "the call, then the answer out of what was done, each at its end point",
        "the same question put to a person, who answers it",
        "Lock the back door. ... Is the back door locked? -> Yes, I locked the back door.",
    ),
    Subtask(
        "addressee",
        "agent",
        "Addressee detection",
        addressee,
        0.6,
        "side talk (mostly recordings), television, questions between people; questions and requests to the system",
        "none to three stretches of such talk, then perhaps one turn to the system",
        "only the turn to the system is answered, once it is endpointed",
        "the same kinds of talk, and nothing for the system",
        "Anna, what is two plus two? - I have no idea. -> (silence)",
    ),
)
