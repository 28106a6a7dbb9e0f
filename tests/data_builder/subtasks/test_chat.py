"""Chat: answers come at end points, histories look back three rounds, and what is not for the system stays alone."""

from __future__ import annotations

import numpy as np
import pytest

from data_builder.schema import ENDPOINT
from data_builder.sources import Clip
from data_builder.speech.protocol import Stalled
from data_builder.speech.synthesise import Unheard
from data_builder.subtasks.bystanders import overhear
from data_builder.subtasks.chat import CHAT, DURING, _backchannel, paused
from data_builder.subtasks.history import LOOK_BACK
from data_builder.subtasks.rounds import understood
from data_builder.subtasks.subtask import Subtask
from data_builder.texts import memory
from data_builder.texts.moods import FEELINGS, NEUTRAL, TAILS, TELLING
from data_builder.texts.puzzles import puzzle
from data_builder.texts.questions import QUESTIONS
from data_builder.texts.rounds import BACKCHANNELS, LONG, STOP, STOPPED, long_request
from data_builder.timeline import Scene
from data_builder.world import World
from soundflow.clock import samples
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import StalledSynth, check_negative, check_timing, fake_world, row

SEEDS = range(40)
BY_NAME = {task.name: task for task in CHAT}
WORLD = fake_world()
SR = 16_000


def scenes(name: str, negative: bool = False) -> list[Scene]:
    return [BY_NAME[name].build(np.random.default_rng(seed), WORLD, negative) for seed in SEEDS]


def test_the_four_have_cards() -> None:
    assert list(BY_NAME) == ["chat_single", "chat_history", "chat_emotion", "chat_interruption"]
    for task in CHAT:
        assert task.ability == "chat"
        assert 0.3 < task.silent < 0.6
        assert all((task.title, task.sources, task.timeline, task.label, task.negatives, task.example))


@pytest.mark.parametrize("task", CHAT, ids=lambda t: t.name)
def test_every_answer_waits_for_the_endpoint(task: Subtask) -> None:
    for scene in scenes(task.name):
        placed = check_timing(scene)
        assert placed
        for item, say, _, _ in placed:
            assert item.clock(say) == "endpoint"
            assert item.addressed
            assert 0 < len(say.text.split()) <= 40


@pytest.mark.parametrize("task", CHAT, ids=lambda t: t.name)
def test_negatives_are_left_alone(task: Subtask) -> None:
    for scene in scenes(task.name, negative=True):
        check_negative(scene)
        assert scene.items
        assert not any(item.addressed for item in scene.items)


@pytest.mark.parametrize("task", CHAT, ids=lambda t: t.name)
def test_a_person_answers_before_the_question_is_closed(task: Subtask) -> None:
    found = 0
    for scene in scenes(task.name, negative=True):
        onsets, _ = scene.layout()
        for k, item in enumerate(scene.items):
            if item.avoid == "answer of somebody else":
                found += 1
                before = onsets[k - 1] + len(scene.items[k - 1].clip.audio)
                assert before < onsets[k] < before + ENDPOINT
    assert found


@pytest.mark.parametrize("task", CHAT, ids=lambda t: t.name)
def test_one_seed_one_scene(task: Subtask) -> None:
    for negative in (False, True):
        a, b = (task.build(np.random.default_rng(9), WORLD, negative) for _ in range(2))
        assert [i.clip.text for i in a.items] == [i.clip.text for i in b.items]
        assert a.layout() == b.layout()


def test_tables_are_wide_and_questions_unique() -> None:
    assert len({q for q, _ in QUESTIONS}) == len(QUESTIONS) >= 220
    assert all(len(a.split()) <= 20 for _, a in QUESTIONS)
    assert sum(len(rows) for rows in TELLING.values()) >= 60
    assert all(len(answers) >= 2 for rows in TELLING.values() for _, answers in rows)


def test_puzzles_are_right_and_varied() -> None:
    rng = np.random.default_rng(1)
    made = [puzzle(rng) for _ in range(3000)]
    assert len({p.question for p in made}) > 1000
    names = {
        w: n
        for n, w in enumerate(
            ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
        )
    }
    checked = 0
    for p in made:
        assert p.core.lower() in p.answer.lower()
        words = p.question.rstrip("?.").split()
        if p.value is not None and "plus" in words and words.count("plus") == 1:
            at = words.index("plus")
            a, b = names.get(words[at - 1]), names.get(words[at + 1])
            if a is not None and b is not None and words[at - 2] in ("is", "what", "out"):
                checked += 1
                assert p.value == a + b
        if p.question.startswith("How do you spell"):
            assert p.core.replace(", ", "").lower() == words[-1]
    assert checked > 10


def test_history_looks_back_three_rounds() -> None:
    sounds = 0
    for scene in scenes("chat_history"):
        rounds = [item for item in scene.items if item.says]
        assert len(rounds) >= 4
        last = rounds[-1].says[0]
        (told,) = last.refers
        at = [item is told for item in scene.items].index(True)
        after = [item for item in scene.items[at + (not told.speech) :] if item.says]
        assert len(after) - 1 >= LOOK_BACK
        if not told.speech:
            sounds += 1
            assert last.noted
            assert told.clip.label not in WORLD.sources.alerts
    assert sounds


def test_facts_of_a_history_differ_in_key_and_value() -> None:
    for seed in range(200):
        found = memory.facts(np.random.default_rng(seed), 3)
        assert len(found) == 3
        for wordings in zip(*(f.told for f in found), strict=True):
            assert len(set(wordings)) == 3
        assert not set(found[0].asked) & set(found[1].asked)
        for told, answer in zip(found[0].told, found[0].answers, strict=False):
            assert plain(told) & plain(answer)


def plain(text: str) -> set[str]:
    return set(text.lower().rstrip(".").replace(",", "").split())


def test_a_list_is_asked_by_place() -> None:
    for seed in range(30):
        told, ask = memory.ordered(np.random.default_rng(seed), 5)
        for k, place in enumerate(("first", "second", "third", "fourth", "fifth")):
            asked, answer = ask(k)
            assert place in asked
            assert all(plain(wording) & plain(answer) for wording in told[k])


def test_words_that_nobody_understands_are_drawn_anew() -> None:
    world = fake_world()
    say = world.synth.say  # type: ignore[union-attr]
    calls = iter(range(1000))

    def deaf(text: str, *args: object, **more: object) -> object:
        if next(calls) % 3 == 1:
            raise Unheard("nobody", text)
        return say(text, *args, **more)  # type: ignore[arg-type]

    world.synth.say = deaf  # type: ignore[union-attr,assignment,method-assign]
    for seed in range(20):
        scene = BY_NAME["chat_history"].build(np.random.default_rng(seed), world, False)
        check_timing(scene)
        if not scene.items[0].speech:
            rounds = [item for item in scene.items if item.says]
            topic = scene.items[0].clip.label
            assert topic
            assert len(rounds) >= 4
    with pytest.raises(Unheard):
        understood(np.random.default_rng(0), always_deaf(), lambda: ("hello there", None))


def always_deaf() -> World:
    world = fake_world()

    def deaf(text: str, *_: object, **__: object) -> object:
        raise Unheard("nobody", text)

    world.synth.say = deaf  # type: ignore[union-attr,assignment,method-assign]
    return world


def test_emotion_is_in_the_voice_and_taken_up() -> None:
    plain = {text for text, _ in NEUTRAL}
    tailed = 0
    for seed in range(200):
        scene = BY_NAME["chat_emotion"].build(np.random.default_rng(seed), WORLD, False)
        item = scene.items[-1]
        mood = item.clip.extra["emotion"]
        assert mood in FEELINGS
        if item.clip.text in plain:
            tailed += 1
            assert any(item.says[0].text.endswith(tail) for tail in TAILS[mood])
            others = [tail for other in FEELINGS if other != mood for tail in TAILS[other]]
            assert not any(item.says[0].text.endswith(tail) for tail in others)
        else:
            assert item.clip.text in {text for text, _ in TELLING[mood]}
    assert tailed > 20


def test_a_recorded_feeling_is_heard_in_the_voice_alone() -> None:
    said = "It is eleven o'clock."
    more = [
        row(f"felt/{mood}{k}_2.0", "speech", f"EMOTION:{mood}", text=said, speaker="actor", dataset="crema_d")
        for mood in ("sad", "angry", "disgust")
        for k in range(2)
    ] + [row("felt/mute_2.0", "speech", "EMOTION:happy", speaker="actor", dataset="crema_d")]
    real = 0
    for voices in (True, False):
        world = fake_world(voices=voices, more=more)
        for seed in range(100):
            scene = BY_NAME["chat_emotion"].build(np.random.default_rng(seed), world, False)
            check_timing(scene)
            item = scene.items[-1]
            if item.clip.text == said:
                real += voices
                mood = item.clip.extra["emotion"]
                assert f"felt/{mood}" in item.clip.source
                assert item.says[0].text in TAILS[mood]
            else:
                assert voices
                assert item.clip.source.startswith("tts:")
    assert 30 < real < 70


def test_an_engine_that_hangs_is_not_taken_for_words_that_fail() -> None:
    world, rng = fake_world(), np.random.default_rng(0)
    for kind in ("exchange", "phone", "alone"):
        world.synth = StalledSynth(times=1)  # type: ignore[assignment]
        with pytest.raises(Stalled):
            overhear(rng, world, Scene(rng, "x"), kind)
    world.synth = StalledSynth(times=1)  # type: ignore[assignment]
    with pytest.raises(Stalled):
        _backchannel(rng, world, "Anna")


def test_interruptions_cut_and_backchannels_do_not() -> None:
    seen = set()
    for seed in range(120):
        scene = BY_NAME["chat_interruption"].build(np.random.default_rng(seed), WORLD, False)
        onsets, _ = scene.layout()
        starts = dict(zip(map(id, scene.items), onsets, strict=True))
        for item in scene.items:
            end = starts[id(item)] + len(item.clip.audio)
            for say in item.says:
                if say.cut_by is not None:
                    seen.add("cut")
                    wait = starts[id(say.cut_by)] - end
                    assert samples(DURING[0]) <= wait <= samples(DURING[1]) + 1
                    assert wait > ENDPOINT + samples(0.6)  # the reply has begun
                    assert say.cut_by.says
                    assert len(say.text.split()) >= 12
            if item.clip.text in BACKCHANNELS:
                seen.add("backchannel")
                assert item.role == "backchannel"
                assert item.avoid == "backchannel"
                assert not item.says
            if item.clip.text in STOP:
                seen.add("stop")
                assert item.says[0].text in STOPPED
            if "pause" in item.clip.extra:
                seen.add("pause")
                assert len(item.says) == 1
    assert seen == {"cut", "backchannel", "stop", "pause"}


def test_long_answers_are_long_enough_to_be_cut() -> None:
    rng = np.random.default_rng(2)
    for _ in range(300):
        asked, answer = long_request(rng)
        assert 2 <= len(asked.split()) <= 14
        assert 12 <= len(answer.split()) <= 40
    assert all(20 <= len(a.split()) <= 40 for _, answers in LONG for a in answers)


def test_a_pause_is_put_into_a_quiet_place_and_ends_no_turn() -> None:
    rng = np.random.default_rng(4)
    voice = 0.3 * rng.standard_normal(2 * SR, dtype=np.float32)
    voice[15_200:16_000] = 0.0  # 50 ms between two words
    for seed in range(20):
        clip = Clip(voice.copy(), "speech", "speech", "tts:x", "fake")
        made = paused(np.random.default_rng(seed), clip, 0.5)
        quiet = np.abs(made.audio) < 1e-4
        edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
        longest = int(np.max(edges[1::2] - edges[::2]))
        assert 0.2 * SR < longest < 0.45 * SR
        assert 15_000 < made.extra["pause"][0] < 16_200


@pytest.mark.parametrize("task", CHAT, ids=lambda t: t.name)
def test_without_voices_it_is_recordings_or_an_error(task: Subtask) -> None:
    mute = fake_world(voices=False)
    for seed in range(10):
        try:
            scene = task.build(np.random.default_rng(seed), mute, True)
        except DataError:
            continue
        check_negative(scene)


def test_written_dialogues_are_asked_where_there_are_some() -> None:
    world = fake_world()
    world.pairs = [("What makes bread rise?", "Yeast makes it rise.")]
    made = [BY_NAME["chat_single"].build(np.random.default_rng(seed), world, False) for seed in range(40)]
    said = [(i.clip.text, i.says[0].text) for scene in made for i in scene.items if i.says]
    written = [pair for pair in said if pair == world.pairs[0]]
    assert 0.2 < len(written) / len(said) < 0.8
