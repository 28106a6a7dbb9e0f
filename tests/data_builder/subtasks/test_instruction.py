"""Instructions: the right sound at the right time, in the style that was asked for, and not after it was called off."""

from __future__ import annotations

import re

import numpy as np
import pytest

from data_builder.schema import CHUNK, ENDPOINT, SUSTAINED
from data_builder.subtasks.instruction import INSTRUCTION, styled_question
from data_builder.subtasks.spoken_of import MIXED, name_of
from data_builder.subtasks.subtask import Subtask
from data_builder.texts import requests
from data_builder.texts.numbers import number
from data_builder.texts.sounds import PHRASES, alike
from data_builder.texts.styles import STYLES, Base, drill, style
from data_builder.timeline import Scene
from soundflow.clock import samples
from tests.data_builder.subtasks.scenes import check_negative, check_timing, fake_world, row

SEEDS = range(40)
MANY = range(160)
BY_NAME = {task.name: task for task in INSTRUCTION}
WORLD = fake_world()
FORMS = [value for value in vars(requests).values() if isinstance(value, tuple) and isinstance(value[0], str)]


def scenes(name: str, negative: bool = False, seeds: range = SEEDS) -> list[Scene]:
    return [BY_NAME[name].build(np.random.default_rng(seed), WORLD, negative) for seed in seeds]


def test_the_four_have_cards() -> None:
    assert list(BY_NAME) == ["watch_sound", "style_format", "change_cancel", "timed"]
    for task in INSTRUCTION:
        assert task.ability == "instruction"
        assert 0.3 < task.silent < 0.6
        assert all((task.title, task.sources, task.timeline, task.label, task.negatives, task.example))


@pytest.mark.parametrize("task", INSTRUCTION, ids=lambda t: t.name)
def test_responses_keep_their_clock(task: Subtask) -> None:
    for scene in scenes(task.name):
        assert check_timing(scene)
        for item in scene.items:
            assert bool(item.says) != bool(item.avoid)


@pytest.mark.parametrize("task", INSTRUCTION, ids=lambda t: t.name)
def test_negatives_are_left_alone(task: Subtask) -> None:
    for scene in scenes(task.name, negative=True):
        check_negative(scene)
        assert scene.items
        labels = {item.clip.label for item in scene.items if not item.speech}
        assert not labels & {*WORLD.sources.alerts, *WORLD.sources.equipment}


def test_only_what_is_watched_for_is_told() -> None:
    spoken = twice = 0
    for scene in scenes("watch_sound", seeds=MANY):
        said = [item for item in scene.items if item.says]
        target = said[-1]
        again = [item for item in scene.items if item.avoid == "goes on: announced before"]
        spoken += len(said) == 2
        assert len(said) == 1 + (not scene.instruction)
        if target.speech:
            assert target.clip.text in scene.instruction
            assert target.clip.text in target.says[0].text
            assert all(item.clip.text != target.clip.text for item in scene.items if item is not target)
            continue
        assert target.clock(target.says[0]) == "sound"
        others = [item for item in scene.items if not item.speech and item is not target and item not in again]
        assert not any(alike(item.clip.label, target.clip.label) for item in others)
        twice += bool(again)
        for item in again:
            assert item.like is target
            assert item.clip.source == target.clip.source
            onsets, _ = scene.layout()
            at = onsets[scene.items.index(item)] - onsets[scene.items.index(target)]
            assert samples(3.0) < at < samples(30.0)
    assert spoken > 10
    assert twice > 5


def test_the_watched_sound_is_absent_from_negatives() -> None:
    for seed in MANY:
        scene = BY_NAME["watch_sound"].build(np.random.default_rng(seed), WORLD, True)
        assert scene.instruction
        for item in scene.items:
            if item.avoid.startswith("not ") and not item.speech:
                assert not alike(item.clip.label, item.avoid.removeprefix("not "))
            elif item.avoid.startswith("not "):
                word = item.avoid.removeprefix("not ")
                assert word in scene.instruction
                assert item.clip.text != word


def test_names_of_sounds_are_nouns() -> None:
    for label, phrase in PHRASES.items():
        for seed in range(10):
            name = name_of(np.random.default_rng(seed), label)
            assert name in (phrase.noun, *phrase.names)
            assert not name.startswith(("someone", "it ", "the "))


@pytest.mark.parametrize("make", STYLES, ids=lambda f: f.__name__)
def test_answers_obey_their_style(make: object) -> None:
    asked: dict[str, set[str]] = {}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        chosen = make(rng)  # type: ignore[operator]
        question, base = styled_question(rng, chosen)
        assert chosen.fits(base), question
        answer = chosen.put(base)
        assert chosen.kept(answer), f"{chosen.name}: {chosen.instruction} -> {answer!r}"
        assert len(answer.split()) <= 40
        asked.setdefault(chosen.instruction, set()).add(answer)
    assert len(asked) >= 8


def test_a_style_is_not_kept_by_another_answer() -> None:
    plain = "The capital of France is Paris in the middle of the country"
    for seed in range(200):
        chosen = style(np.random.default_rng(seed))
        assert not chosen.kept(plain) or chosen.name in ("dash",), chosen.name


def test_one_question_in_other_styles_gets_other_words() -> None:
    base = Base("Two plus two is four.", "four", 4)
    answers = {}
    for make in STYLES:
        chosen = make(np.random.default_rng(0))
        assert chosen.fits(base)
        answers[chosen.name] = chosen.put(base)
        assert chosen.kept(answers[chosen.name])
    assert len(set(answers.values())) >= len(STYLES) - 1  # "Four." is both one word and a number
    assert answers["one word"] == "Four."
    assert answers["spelled"] == "F, O, U, R."


def test_styles_are_kept_in_scenes() -> None:
    kinds = set()
    for scene in scenes("style_format", seeds=MANY):
        for item in scene.items:
            if item.says:
                kinds.add("sound" if not item.speech else "real" if item.clip.dataset != "tts" else "spoken")
    assert kinds == {"sound", "real", "spoken"}


def test_drills_compute() -> None:
    seen = {}
    for seed in range(100):
        task = drill(np.random.default_rng(seed))
        for word in task.words:
            answer = task.answer(word)
            assert answer.endswith(".")
            assert answer[0].isupper()
        seen[task.name] = task
    assert seen["spell"].answer("cat") == "C, A, T."
    assert seen["double"].answer("eight") == "Sixteen."
    assert seen["next"].answer("nine") == "Ten."
    assert seen["opposite"].answer("left") == "Right."
    assert seen["length"].answer("house") == "Five."
    step = next(n for n in range(1, 10) if f"add {number(n)} " in seen["add"].instruction.lower())
    assert seen["add"].answer("four").lower() == f"{number(4 + step)}."


def test_after_a_change_only_the_new_sound_is_told() -> None:
    reasons = set()
    for scene in scenes("change_cancel", seeds=MANY):
        sounds = [item for item in scene.items if not item.speech]
        turns = [k for k, item in enumerate(scene.items) if item.speech and item.says]
        left = [item for item in sounds if item.avoid]
        told = [item for item in sounds if item.says]
        reasons |= {item.avoid for item in left}
        for item in left:
            assert item.avoid in ("changed", "cancelled")
            assert scene.items.index(item) > turns[-1]
            late = [t for t in told if scene.items.index(t) > turns[-1]]
            assert not any(alike(item.clip.label, t.clip.label) for t in late)
            early = [t for t in told if scene.items.index(t) < turns[-1]]
            assert all(t.clip.label == item.clip.label for t in early)
        if any(item.avoid == "cancelled" for item in left):
            assert all(scene.items.index(t) < turns[-1] for t in told)
    assert reasons == {"changed", "cancelled"}


def test_times_are_kept_to_the_second() -> None:
    clocks = set()
    for scene in scenes("timed", seeds=MANY):
        for item, say, onset, chunk in check_timing(scene):
            clock = item.clock(say)
            clocks.add(clock)
            offset = onset + len(item.clip.audio)
            if clock == "timer":
                assert 4 <= say.at <= 15
                assert number(int(say.at)) in item.clip.text.lower()
                assert (chunk + 1) * CHUNK > offset + samples(say.at)
                assert item.says[0].clock == ""  # the confirmation comes first
            elif clock == "end":
                assert not item.speech
                assert (chunk + 1) * CHUNK > offset
            elif clock == "endpoint":
                assert (chunk + 1) * CHUNK > offset + ENDPOINT
            else:
                assert item.says[0].refers[0].clip.label == item.clip.label
    assert clocks == {"timer", "end", "endpoint", "sound"}


def test_an_end_is_not_told_while_the_sound_goes_on() -> None:
    ends = 0
    for scene in scenes("timed", seeds=MANY):
        for item, say, onset, chunk in check_timing(scene):
            if item.clock(say) == "end":
                ends += 1
                assert len(item.clip.audio) > SUSTAINED
                assert chunk * CHUNK >= onset + len(item.clip.audio) - CHUNK
    assert ends > 5


def test_a_look_after_a_time_fits_what_is_heard() -> None:
    still, over, silent, clear = 0, 0, 0, 0
    for scene in scenes("timed", seeds=range(400)):
        onsets, _ = scene.layout()
        for sound, onset in zip(scene.items, onsets, strict=True):
            if sound.avoid != "asked about":
                continue
            item = next(i for i in scene.items if i.over is sound)
            offset = onsets[scene.items.index(item)] + len(item.clip.audio)
            timers = [say for say in item.says if say.clock == "timer"]
            if not timers:
                silent += 1
                assert re.search(r"\b(if|should)\b", item.clip.text.lower())
                continue
            goes_on = onset + len(sound.clip.audio) > offset + samples(timers[0].at)
            says_no = bool(re.search(r"^No,|has stopped|not there|is gone|any more", timers[0].text))
            assert goes_on != says_no
            if timers[0].text.startswith(("Yes,", "No,")):
                assert re.search(r"\bis the [a-z ]+ still there\b", item.clip.text.lower())
                clear += 1
            still, over = still + goes_on, over + (not goes_on)
    assert min(still, over, silent, clear) > 3


def test_yes_and_no_answer_only_a_plain_question() -> None:
    for forms in (requests.GOES_ON, requests.GONE):
        assert not any(text.startswith(("Yes", "No,")) for text in forms)
    assert all("is {x} still there" in text.lower() for text in requests.STILL_THERE)
    assert not any("is {x} still there" in text for text in requests.WHETHER)


def test_a_sound_ends_as_such_a_sound_does() -> None:
    assert requests.end_of("airplane") == "is gone"
    assert requests.end_of("drilling") == "has stopped"
    for label, name in requests.CONTINUOUS.items():
        assert label not in WORLD.sources.alerts  # an alarm is told of without being asked for
        assert not name.endswith("s")
        for forms in (requests.OVER, requests.WHEN_OVER, requests.GONE, requests.STILL_THERE_NO):
            for text in forms:
                assert not re.search(r"\bis over\b|\bhas ended\b|\bends\b", text)
                text.format(x=name, X=name, t=requests.end_of(label), n="five")


@pytest.mark.parametrize("name", ["watch_sound", "change_cancel", "timed"])
def test_classes_of_two_things_are_not_asked_for(name: str) -> None:
    more = [row(f"event/{x}-{k}_1.5", "event", x, respond="no") for x in sorted(MIXED) for k in range(2)]
    mixed = fake_world(more=more)
    heard = 0
    for seed in range(120):
        for negative in (False, True):
            for item in BY_NAME[name].build(np.random.default_rng(seed), mixed, negative).items:
                if item.clip.label in MIXED:
                    heard += 1
                    assert item.avoid.startswith(("not ", "benign sound"))
                if not item.speech and item.avoid.startswith("not "):
                    assert item.avoid.removeprefix("not ") not in MIXED
    assert heard or name == "change_cancel"
    assert not set(requests.SEPARATE) & MIXED


def test_wordings_are_many() -> None:
    assert len(FORMS) > 15
    for forms in FORMS:
        assert len(set(forms)) == len(forms) >= 5
    for name in (
        "ASK_SPOKEN",
        "CHANGES",
        "CANCELS",
        "MUTED",
        "REMIND",
        "TIMER",
        "WHEN_OVER",
        "STILL",
        "STILL_THERE",
        "WHETHER",
        "SECOND_TIME",
    ):
        assert len(getattr(requests, name)) >= 8
