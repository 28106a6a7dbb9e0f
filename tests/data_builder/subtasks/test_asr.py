"""Transcripts are what was said, at the endpoint; nothing is invented where nobody speaks to be written down."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from data_builder.subtasks.asr import ASR, natural, transcript
from data_builder.subtasks.subtask import Subtask
from data_builder.subtasks.wordless import add_babble
from data_builder.texts import dictation
from data_builder.texts.alerts import ALERTS
from data_builder.timeline import Scene
from soundflow.clock import samples
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import check_negative, check_timing, fake_world

SEEDS = range(30)
BY_NAME = {task.name: task for task in ASR}


def scenes(name: str, negative: bool = False, **kind: bool) -> list[Scene]:
    return [BY_NAME[name].build(np.random.default_rng(seed), fake_world(**kind), negative) for seed in SEEDS]


def plain(text: str) -> str:
    return re.sub(r"[^\w ]", "", text).lower()


def length(scene: Scene) -> float:
    return scene.layout()[1] / 16_000


def test_the_four_are_complete() -> None:
    assert list(BY_NAME) == ["asr_clean", "asr_noisy", "asr_long", "asr_speakers"]
    for task in ASR:
        assert task.ability == "asr"
        assert 0 < task.silent < 1
        assert all((task.title, task.sources, task.timeline, task.label, task.negatives, task.example))


@pytest.mark.parametrize("task", ASR, ids=lambda t: t.name)
def test_responses_wait_for_the_endpoint(task: Subtask) -> None:
    for scene in scenes(task.name):
        placed = check_timing(scene)
        assert placed
        assert scene.instruction
        for item, say, _, _ in placed:
            assert item.clock(say) == "endpoint"
            assert item.addressed


@pytest.mark.parametrize("task", ASR, ids=lambda t: t.name)
def test_a_transcript_has_the_words_and_no_others(task: Subtask) -> None:
    for scene in scenes(task.name):
        for item in scene.items:
            for say in item.says:
                text = re.sub(r"^Speaker \d: ", "", say.text)
                assert plain(text) == plain(item.clip.text)
                assert text[0].isupper()
                assert text[-1] in ".?"
                assert len(say.text.split()) <= 60


@pytest.mark.parametrize("task", ASR, ids=lambda t: t.name)
def test_negatives_keep_the_instruction_and_are_silent(task: Subtask) -> None:
    asked = {s.instruction for s in scenes(task.name)}
    negatives = scenes(task.name, negative=True)
    for scene in negatives:
        check_negative(scene)
        assert scene.items
    assert asked & {s.instruction for s in negatives}
    assert not {item.clip.label for s in negatives for item in s.items} & set(ALERTS)
    reasons = {item.avoid for s in negatives for item in s.items}
    assert {"a human sound without words", "music"} <= reasons
    assert "babble" in reasons


@pytest.mark.parametrize("task", ASR, ids=lambda t: t.name)
def test_equal_seeds_give_equal_scenes(task: Subtask) -> None:
    for negative in (False, True):
        one, two = (task.build(np.random.default_rng(7), fake_world(), negative) for _ in range(2))
        assert one.layout() == two.layout()
        assert [i.clip.source for i in one.items] == [i.clip.source for i in two.items]
        assert [[s.text for s in i.says] for i in one.items] == [[s.text for s in i.says] for i in two.items]


def test_most_dictation_is_recorded() -> None:
    said = [i.clip for name in BY_NAME for s in scenes(name) for i in s.items if i.says]
    real = sum(not c.source.startswith("tts:") for c in said) / len(said)
    assert 0.55 < real < 0.85


def test_clean_is_clean_and_noisy_is_noisy() -> None:
    assert all(s.noise_db[0] >= 25 for s in scenes("asr_clean"))
    noisy = scenes("asr_noisy")
    assert all(s.noise_db == (0.0, 12.0) for s in noisy)
    behind = [s for s in noisy if s.backdrop is not None]
    assert 0 < len(behind) < len(noisy)
    assert all(min(i.db for i in s.items) < 0 for s in noisy)


def test_foreign_speech_is_left_alone_only_where_english_is_asked_for() -> None:
    found = 0
    for negative in (False, True):
        for scene in scenes("asr_clean", negative):
            for item in scene.items:
                if item.speech and item.clip.extra["language"] != "en" and item.avoid != "babble":
                    found += 1
                    assert item.avoid == "not English"
                    assert scene.instruction in dictation.ONLY_ENGLISH
    assert found


def test_the_television_is_not_written_down() -> None:
    items = [i for s in scenes("asr_noisy", negative=True) for i in s.items if i.role == "television"]
    assert items
    assert all(i.avoid == "television" and not i.addressed for i in items)


def test_long_dictation_is_one_reader_with_pauses() -> None:
    for scene in scenes("asr_long"):
        onsets, n = scene.layout()
        assert 3 <= len(scene.items) <= 5
        assert 20 <= n / 16_000 <= 40
        assert len({i.clip.speaker for i in scene.items}) == 1
        assert len({i.clip.source for i in scene.items}) == len(scene.items)
        ends = [o + len(i.clip.audio) for o, i in zip(onsets, scene.items, strict=True)]
        for end, onset in zip(ends, onsets[1:], strict=False):
            assert samples(1.0) <= onset - end <= samples(2.0)


def test_a_speaker_keeps_the_number() -> None:
    counts = set()
    for scene in scenes("asr_speakers"):
        number: dict[str, str] = {}
        turns = [i.clip.speaker for i in scene.items]
        assert all(a != b for a, b in pairwise(turns))
        assert len(set(turns)) < len(turns)
        for item in scene.items:
            label = item.says[0].text.split(":")[0]
            if item.clip.speaker not in number:
                assert label == f"Speaker {len(number) + 1}"
            assert number.setdefault(item.clip.speaker, label) == label
        counts.add(len(number))
    assert counts == {2, 3}


def test_babble_is_many_voices_at_once() -> None:
    rng = np.random.default_rng(1)
    scene = Scene(rng, "x")
    add_babble(rng, fake_world(), scene)
    onsets, _ = scene.layout()
    first = len(scene.items[0].clip.audio) + onsets[0]
    assert len(scene.items) >= 5
    assert all(o < first for o in onsets)


@pytest.mark.parametrize("task", ASR, ids=lambda t: t.name)
def test_without_recordings_voices_speak_and_the_reverse(task: Subtask) -> None:
    for scene in scenes(task.name, speech=False):
        assert all(i.clip.source.startswith("tts:") for i in scene.items if i.says)
    for scene in scenes(task.name, voices=False):
        assert all(not i.clip.source.startswith("tts:") for i in scene.items)
    for scene in scenes(task.name, negative=True, speech=False, voices=False):
        check_negative(scene)
    with pytest.raises(DataError):
        task.build(np.random.default_rng(0), fake_world(speech=False, voices=False), False)


def test_streams_are_short() -> None:
    for name in ("asr_clean", "asr_noisy"):
        for negative in (False, True):
            assert np.mean([length(s) for s in scenes(name, negative)]) < 10
    assert np.mean([length(s) for s in scenes("asr_speakers")]) < 20


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("He saw A man and A dog when I came", "He saw a man and a dog when I came."),
        ("B R E N T W O O D", "B R E N T W O O D."),
        ("well i'll go if i can", "Well I'll go if I can."),
        ("Is it late?", "Is it late?"),
        ("house", "House."),
    ],
)
def test_transcript_is_sentence_case(text: str, written: str) -> None:
    assert transcript(text) == written


def test_natural_sentences_are_told_from_numbers_and_spelling() -> None:
    assert natural("THE WIND WAS COLD AND THE NIGHT WAS LONG")
    assert not natural("ENTER FIVE SIX EIGHT NINE")
    assert not natural("B R E N T W O O D")


def test_dictated_sentences_are_plain_and_many() -> None:
    rng = np.random.default_rng(0)
    lines = {dictation.dictation(rng) for _ in range(1000)}
    assert len(lines) > 700
    assert all(3 <= len(line.split()) <= 14 and re.fullmatch(r"[A-Za-z ,']+[.?]", line) for line in lines)
    for forms in (dictation.TRANSCRIBE, dictation.ONLY_ENGLISH, dictation.IN_NOISE, dictation.LONG, dictation.SPEAKERS):
        assert len(set(forms)) >= 8
