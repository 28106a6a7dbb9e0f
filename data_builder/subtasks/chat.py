"""Voice chatting: one question, a conversation that looks back, a feeling in the voice, and talk that breaks in."""

from __future__ import annotations

from typing import Final

import numpy as np

from data_builder.clips import FloatArray, fade
from data_builder.sources import Clip, Rng, pick
from data_builder.speech.protocol import Stalled
from data_builder.speech.synthesise import Unheard
from data_builder.subtasks.bystanders import REPLY, exchanged, overhear, unalarming
from data_builder.subtasks.history import chat_history, question
from data_builder.subtasks.rounds import DRAFTS, ENDPOINT_S, SECONDS_A_WORD, aside, second_voice, understood
from data_builder.subtasks.subtask import Subtask
from data_builder.texts.moods import FEELINGS, TELLING, feeling, voiced
from data_builder.texts.overheard import exchange, to_person
from data_builder.texts.puzzles import puzzle
from data_builder.texts.questions import HEARD_QUESTIONS
from data_builder.texts.rounds import (
    BACKCHANNELS,
    BREAK_IN,
    CHAT_INSTRUCTIONS,
    EMOTION_INSTRUCTIONS,
    OPENINGS,
    PLAIN_BACKCHANNELS,
    STOP,
    STOPPED,
    long_request,
    lower_first,
)
from data_builder.texts.sounds import HEARD_FORMS, HEARD_NOTHING, alike, listing
from data_builder.timeline import Say, Scene
from data_builder.world import World
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.errors import DataError

DURING: Final = (ENDPOINT_S + 0.7, ENDPOINT_S + 1.8)  # after an utterance, while its reply is spoken
PAUSE_S: Final = (0.26, 0.40)  # inside a turn: shorter than the silence that ends an utterance
FRAME: Final = SR // 100
ASIDE_SHARE: Final = 0.35
PAIRS_SHARE: Final = 0.5  # of the questions, where there are text dialogues
REAL_FEELING: Final = 0.5  # share of feelings in recorded voices, where the split has some
TALE_WORDS: Final = 12  # of an answer that one person gives another


def chat_single(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "chat_single")
    scene.instruction = str(pick(rng, CHAT_INSTRUCTIONS))
    if negative:
        overhear(rng, world, scene)
        return scene
    if rng.random() < 0.12:
        return _heard(rng, world, scene)
    aside(rng, world, scene, ASIDE_SHARE)
    written = bool(world.pairs) and rng.random() < PAIRS_SHARE
    clip, answer = understood(rng, world, lambda: pick(rng, world.pairs) if written else question(rng))
    scene.talk(clip, say=answer)
    return scene


def _heard(rng: Rng, world: World, scene: Scene) -> Scene:
    """None to two sounds, and a question what they were."""
    scene.neutral, scene.fixed = True, True
    labels: list[str] = []
    for _ in range(int(rng.integers(0, 3))):
        fits = [x for x in unalarming(world) if not any(alike(x, y) for y in labels)]
        labels.append(world.plausible(rng, fits))
    sounds = [scene.sound(world.sound(rng, x, 2.5), avoid="asked for later") for x in labels]
    answer = str(pick(rng, HEARD_FORMS)).format(list=listing(labels)) if labels else str(pick(rng, HEARD_NOTHING))
    clip, _ = understood(rng, world, lambda: (str(pick(rng, HEARD_QUESTIONS)), None))
    scene.talk(clip, say=Say(answer, noted=True, refers=sounds))
    return scene


def chat_emotion(rng: Rng, world: World, negative: bool) -> Scene:
    scene = Scene(rng, "chat_emotion")
    scene.instruction = str(pick(rng, EMOTION_INSTRUCTIONS))
    if not negative:
        aside(rng, world, scene, ASIDE_SHARE)
        _felt(rng, world, scene)
        return scene
    if not world.cast or rng.random() < 0.55:
        overhear(rng, world, scene)
        return scene
    mood = str(pick(rng, FEELINGS))
    words, answers = pick(rng, TELLING[mood])
    first = world.person(rng)
    answered = second_voice(rng, world, str(pick(rng, answers)), first) if rng.random() < 0.4 else None
    scene.talk(world.say(rng, to_person(rng, words), first, emotion=mood), avoid="said to somebody else")
    if answered is not None:
        scene.talk(answered, avoid="answer of somebody else", after=REPLY)
    return scene


def _felt(rng: Rng, world: World, scene: Scene) -> None:
    """Words in a feeling, and the answer that takes it up; other words where nobody understands them.

    Half of the time a recording, whose words tell nothing of what is felt.
    """
    able = [mood for mood in FEELINGS if any(row.text for row in world.talk.emotional.get(mood, ()))]
    if able and (not world.cast or rng.random() < REAL_FEELING):
        mood = str(pick(rng, able))
        scene.talk(world.talk.felt(rng, mood), say=voiced(rng, mood))
        return
    for draft in range(DRAFTS):
        words, mood, answer = feeling(rng)
        try:
            scene.talk(world.say(rng, words, emotion=mood), say=answer)
            return
        except Unheard:
            if draft == DRAFTS - 1:
                raise


def chat_interruption(rng: Rng, world: World, negative: bool) -> Scene:
    """Breaking in. A reply that is told to stop ends, and only one or two words confirm it."""
    scene = Scene(rng, "chat_interruption")
    scene.fixed, scene.instruction = True, str(pick(rng, CHAT_INSTRUCTIONS))
    if negative:
        _among_people(rng, world, scene)
        return scene
    aside(rng, world, scene, ASIDE_SHARE)
    draw, who = rng.random(), world.person(rng)
    if draw < 0.22:
        clip, (share, answer) = understood(rng, world, lambda: _opened(rng), who)
        scene.talk(paused(rng, clip, share), say=answer)
        return scene
    clip, answer = understood(rng, world, lambda: long_request(rng), who)
    first = scene.talk(clip, say=answer)
    if draw < 0.47:
        for k in range(1 + int(len(answer.split()) * SECONDS_A_WORD > 8.0 and rng.random() < 0.5)):
            clip = _backchannel(rng, world, who)
            scene.talk(clip, avoid="backchannel", role="backchannel", after=(0.8, 1.6) if k else DURING)
        return scene
    clip, answer = understood(rng, world, lambda: _stop(rng) if draw < 0.67 else _break_in(rng), who)
    first.says[0].cut_by = scene.talk(clip, say=answer, after=DURING)
    return scene


def _opened(rng: Rng) -> tuple[str, tuple[float, str]]:
    """A question after an opening, the share of the words that is the opening, and the answer."""
    asked, answer = question(rng)
    opening = str(pick(rng, OPENINGS)).removesuffix("{q}")
    text = opening + lower_first(asked)
    return text, (len(opening) / len(text), answer)


def _stop(rng: Rng) -> tuple[str, str]:
    return str(pick(rng, STOP)), str(pick(rng, STOPPED))


def _break_in(rng: Rng) -> tuple[str, str]:
    asked, answer = question(rng, brief=rng.random() < 0.5)
    return str(pick(rng, BREAK_IN)).format(q=lower_first(asked)), answer


def _to_somebody(rng: Rng, words: str, answer: str) -> tuple[str, str]:
    return to_person(rng, words), answer


def _backchannel(rng: Rng, world: World, who: str) -> Clip:
    """A short sign of listening; words where the recogniser makes nothing of a murmur."""
    try:
        return world.say(rng, str(pick(rng, BACKCHANNELS)), who)
    except Stalled:
        raise
    except DataError:
        return world.say(rng, str(pick(rng, PLAIN_BACKCHANNELS)), who)


def _among_people(rng: Rng, world: World, scene: Scene) -> None:
    """One person tells another something long; the other breaks in or signals to listen. Or a plain exchange."""
    if not world.cast or rng.random() < 0.4:
        overhear(rng, world, scene, "" if world.cast else "side")
        return
    if rng.random() < 0.35:
        exchanged(rng, world, scene, *exchange(rng))
        return
    first = world.person(rng)
    question_clip, answer = understood(rng, world, lambda: _to_somebody(rng, *long_request(rng)), first)
    told = " ".join(answer.split()[:TALE_WORDS]).rstrip(",.") + "."
    tale = second_voice(rng, world, told, first)
    if rng.random() < 0.5:
        reaction, role = _backchannel(rng, world, first), "backchannel"
    else:
        reaction, _ = understood(rng, world, lambda: _to_somebody(rng, puzzle(rng).question, ""), first)
        role = "bystander"
    scene.talk(question_clip, avoid="said to somebody else")
    spoken = scene.talk(tale, avoid="answer of somebody else", after=REPLY)
    into = float(rng.uniform(0.5, 0.9)) * len(tale.audio) / SR
    scene.talk(reaction, avoid="said to somebody else", role=role, over=spoken, into=into)


def paused(rng: Rng, clip: Clip, share: float) -> Clip:
    """`clip` with a pause near `share` of its length, where it is quietest; no silence in it ends the turn."""
    audio = clip.audio
    frames = len(audio) // FRAME
    if frames < 40:
        return clip
    level = np.sqrt(np.mean(audio[: frames * FRAME].reshape(frames, FRAME) ** 2, axis=1))
    low, high = max(8, int((share - 0.15) * frames)), min(frames - 8, int((share + 0.15) * frames) + 1)
    low = min(low, high - 1)
    at = low + int(np.argmin(level[low:high]))
    quiet = level < 0.05 * float(level.max())
    start, end = at, at
    while start > 0 and quiet[start - 1]:
        start -= 1
    while end < frames and quiet[end]:
        end += 1
    rest = int(float(rng.uniform(*PAUSE_S)) * SR) - (end - start) * FRAME
    if rest <= 0:
        return clip
    cut = at * FRAME
    silence: FloatArray = np.zeros(rest, dtype=np.float32)
    clip.audio = np.concatenate([fade(audio[:cut].copy(), 80), silence, fade(audio[cut:].copy(), 80)])
    clip.extra["pause"] = [cut, cut + rest]
    return clip


CHAT: Final = (
    Subtask(
        "chat_single", "chat", "Single question or remark", chat_single, 0.42,
        "270 written questions, remarks, and computed ones (sums, days, spelling, opposites); side talk",
        "one utterance, now and then after side talk or after sounds that it asks for",
        "the answer, once the utterance is over and closed", "questions that a person answers, calls, self-talk, "
        "books, television: nothing is said",
        'user: "What day comes after Monday?" -> "Tuesday comes after Monday."',
    ),
    Subtask(
        "chat_history", "chat", "Conversation with review of its history", chat_history, 0.40,
        "facts, lists, recorded single words, and sounds, each drawn from slots; short questions between",
        "at least four rounds; what the last one asks for lies at least three rounds back, with others of its kind "
        "between", "short confirmations; at the end the answer, which refers to the item that holds it",
        "two people who tell and ask each other the same things",
        '"My cat is called Ruby." "Noted." ... "What is my cat called?" -> "Your cat is called Ruby."',
    ),
    Subtask(
        "chat_emotion", "chat", "Emotion in words and voice", chat_emotion, 0.42,
        "65 utterances in five feelings, 20 that only the voice colours; acted recordings where there are some",
        "one utterance in a feeling",
        "an answer that takes the feeling up, once the utterance is over and closed",
        "the same words, as deeply felt, said to a person by name; side talk and television",
        'sad voice: "I just came home." -> "Welcome home. You sound sad. Do you want to talk?"',
    ),
    Subtask(
        "chat_interruption", "chat", "Interruption, backchannel and pause", chat_interruption, 0.40,
        "requests with long answers, ways to break in, signs of listening, openings before a pause",
        "an utterance, and 0.7 to 1.8 s into its reply another; or one utterance with a pause of up to 0.4 s",
        "the reply that is cut is marked with the onset that cut it; the new request is answered; after a bare stop "
        "one or two words; a turn with a pause is answered once, at its end",
        "backchannels during a reply; people who break in on each other",
        '"Tell me a story." (reply) "Hold on, what is two plus two?" -> "It is four."',
    ),
)  # fmt: skip
