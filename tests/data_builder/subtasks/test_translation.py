"""Translations are the right ones, simultaneous ones come before the sentence ends, and what needs none gets none."""

from __future__ import annotations

import re

import numpy as np
import pytest

from data_builder.corpora.folder import Row
from data_builder.schema import CHUNK
from data_builder.subtasks.subtask import Subtask
from data_builder.subtasks.tongues import Speaker, join
from data_builder.subtasks.translation import TRANSLATION
from data_builder.texts import translation as words
from data_builder.texts.alerts import ALERTS
from data_builder.texts.parallel import COMPOUND, LONGEST, ORDER, SENTENCES, SHORT, WHOLE, parse
from data_builder.texts.single_words import DIGITS, ENGLISH_WORDS, MANDARIN_WORDS
from data_builder.timeline import Scene
from soundflow.clock import samples
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import FakeSynth, check_negative, check_timing, fake_world, row

SEEDS = range(40)
BY_NAME = {task.name: task for task in TRANSLATION}
HAN = re.compile(r"[一-鿿]")


def scenes(name: str, negative: bool = False, **kind: bool) -> list[Scene]:
    return [BY_NAME[name].build(np.random.default_rng(seed), fake_world(**kind), negative) for seed in SEEDS]


def asked_language(scene: Scene) -> str:
    """The one language that the instruction names, as its code."""
    (found,) = [code for code, name in words.LANGUAGES.items() if name in scene.instruction]
    return found


def test_the_four_are_complete() -> None:
    wanted = ["translate_to_english", "translate_from_english", "translate_simultaneous", "translate_code_switched"]
    assert list(BY_NAME) == wanted
    for task in TRANSLATION:
        assert task.ability == "translation"
        assert 0 < task.silent < 1
        assert all((task.title, task.sources, task.timeline, task.label, task.negatives, task.example))


@pytest.mark.parametrize("task", TRANSLATION, ids=lambda t: t.name)
def test_responses_keep_their_clock(task: Subtask) -> None:
    clocks = set()
    for scene in scenes(task.name):
        placed = check_timing(scene)
        assert placed
        assert scene.instruction
        for item, say, _, _ in placed:
            clocks.add(item.clock(say))
            assert item.addressed
            assert len(say.text.split()) <= 60
    assert clocks == ({"endpoint", "clause"} if task.name == "translate_simultaneous" else {"endpoint"})


@pytest.mark.parametrize("task", TRANSLATION, ids=lambda t: t.name)
def test_negatives_keep_the_instruction_and_are_silent(task: Subtask) -> None:
    negatives = scenes(task.name, negative=True)
    for scene in negatives:
        check_negative(scene)
        assert scene.items
    assert {s.instruction for s in scenes(task.name)} & {s.instruction for s in negatives}
    speech = [i for s in negatives for i in s.items if i.speech and i.avoid != "babble"]
    sounds = [i for s in negatives for i in s.items if not i.speech]
    assert not {i.clip.label for i in sounds} & set(ALERTS)  # those would be told of elsewhere
    assert speech
    assert sounds


@pytest.mark.parametrize("task", TRANSLATION, ids=lambda t: t.name)
def test_equal_seeds_give_equal_scenes(task: Subtask) -> None:
    for negative in (False, True):
        one, two = (task.build(np.random.default_rng(7), fake_world(), negative) for _ in range(2))
        assert one.layout() == two.layout()
        assert [i.clip.source for i in one.items] == [i.clip.source for i in two.items]
        assert [[s.text for s in i.says] for i in one.items] == [[s.text for s in i.says] for i in two.items]


def test_to_english_is_the_english_of_what_was_said() -> None:
    meant = {s.text(code): s.text("en") for s in SENTENCES for code in words.LANGUAGES if code in s}
    real, tongues = 0, set()
    for scene in scenes("translate_to_english"):
        item = next(i for i in scene.items if i.says)
        language = item.clip.extra["language"]
        tongues.add(language)
        if item.clip.source.startswith("tts:"):
            assert item.says[0].text == meant[item.clip.text]
        else:
            real += 1
            assert item.says[0].text.rstrip(".").lower() == MANDARIN_WORDS[item.clip.text].lower()
        if scene.instruction not in words.TO_ENGLISH:
            assert words.LANGUAGES[language] in scene.instruction
    assert 0 < real < len(SEEDS)
    assert len(tongues) >= 4


def test_to_english_leaves_english_and_other_languages_alone() -> None:
    reasons = set()
    for scene in scenes("translate_to_english", negative=True):
        for item in scene.items:
            if item.avoid == "English already":
                assert item.clip.extra["language"] == "en"
            elif item.avoid.startswith("not "):
                assert item.clip.extra["language"] not in ("en", asked_language(scene))
                assert scene.instruction not in words.TO_ENGLISH
            reasons.add(item.avoid.split()[0])
    assert {"English", "not"} <= reasons


def test_from_english_is_in_the_language_asked_for() -> None:
    real = joined = 0
    for scene in scenes("translate_from_english"):
        item, target = next(i for i in scene.items if i.says), asked_language(scene)
        text, answer = item.clip.text, item.says[0].text
        assert item.clip.extra["language"] == "en"
        assert bool(HAN.search(answer)) == (target == "zh")
        if item.clip.source.startswith("tts:"):
            assert answer in {s.text(target) for s in WHOLE if target in s and s.text("en") == text}
            continue
        real += 1
        joined += "parts" in item.clip.extra
        assert len({p["speaker"] for p in item.clip.extra.get("parts", ())}) <= 1
        parts = [p.lower() for p in re.split(r"[,、]\s?", answer.rstrip(".。"))]
        said = [ENGLISH_WORDS["zero" if w == "oh" else w][target].lower() for w in text.lower().split()]
        assert parts == said
    assert real > len(SEEDS) // 4
    assert joined


def test_from_english_leaves_other_languages_alone() -> None:
    items = [i for s in scenes("translate_from_english", negative=True) for i in s.items if i.speech]
    foreign = [i for i in items if i.avoid != "babble"]
    assert foreign
    assert all(i.clip.extra["language"] != "en" and i.avoid == "not English" for i in foreign)


def test_a_request_for_english_does_not_ask_for_what_is_english_already() -> None:
    for text in (*words.TO_ENGLISH, *words.SIMULTANEOUS_TO_ENGLISH):
        assert not re.search(r"(whatever|every|any) language", text.lower())


def covost(path: str, text: str, language: str, target: str, meant: str) -> Row:
    more = {"text": text, "language": language, "speaker": f"cv_{path}", "dataset": "covost2"}
    return row(f"{path}_2.5", "speech", f"TRANSLATION:{target} {meant}", **more)


def test_recordings_with_a_translation_are_used() -> None:
    more = [
        covost("de", "Das Haus ist alt.", "de", "en", "The house is old."),
        covost("zh", "\u4ed6\u5728\u5bb6\u3002", "zh", "en", "He is at home"),
        covost("en", "She reads a good book.", "en", "de", "Sie liest ein gutes Buch."),
        covost("long", "No.", "de", "en", " ".join(["very"] * 40)),
    ]
    meant = {"de_2.5": "The house is old.", "zh_2.5": "He is at home.", "en_2.5": "Sie liest ein gutes Buch."}
    seen = set()
    for voices in (True, False):
        world = fake_world(voices=voices, more=more)
        for name in ("translate_to_english", "translate_from_english"):
            for seed in range(60):
                scene = BY_NAME[name].build(np.random.default_rng(seed), world, False)
                item = next(i for i in scene.items if i.says)
                if item.clip.source in meant:
                    seen.add((voices, item.clip.source))
                    assert item.says[0].text == meant[item.clip.source]
                    assert item.clip.source != "en_2.5" or asked_language(scene) == "de"
                assert item.clip.source != "long_2.5"
    assert len(seen) == 6


def test_simultaneous_begins_before_the_sentence_ends() -> None:
    three = 0
    for scene in scenes("translate_simultaneous"):
        placed = check_timing(scene)
        (item,) = scene.items
        assert len(item.says) >= 2
        assert item.clock(item.says[0]) == "clause"
        first, onset, chunk = item.says[0], placed[0][2], placed[0][3]
        assert placed[0][1] is first
        assert item.evidence(first, onset) + samples(0.1) <= onset + len(item.clip.audio)
        assert chunk * CHUNK < onset + len(item.clip.audio) + samples(0.48)  # long before an endpoint could be known
        three += len(item.says) == 3
    assert three


def test_a_clause_ends_where_its_speech_ends() -> None:
    for scene in scenes("translate_simultaneous"):
        (item,) = scene.items
        audio = item.clip.audio
        for say in item.says[:-1]:
            at = samples(say.at)
            assert np.abs(audio[at - 160 : at]).max() > 0.01
            assert not audio[at + 1 : at + samples(0.09)].any()
            assert audio[at + samples(0.26) :].any()


def test_simultaneous_clauses_make_up_the_sentence() -> None:
    both = set()
    for scene in scenes("translate_simultaneous"):
        (item,) = scene.items
        source = item.clip.extra["language"]
        both.add(source == "en")
        target = "en" if source != "en" else asked_language(scene)
        whole = ("" if target == "zh" else " ").join(s.text for s in item.says)
        assert whole in {
            s.text(target) for s in COMPOUND if source in s and target in s and s.text(source) == item.clip.text
        }
    assert both == {True, False}


def test_short_clauses_are_answered_together() -> None:
    class Hasty(FakeSynth):
        def say(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            made = super().say(*args, **kwargs)  # type: ignore[arg-type]
            return type(made)(made.audio[:4000], *(getattr(made, x) for x in list(made.__slots__)[1:]))

    counts = set()
    for seed in SEEDS:
        world = fake_world()
        world.synth = Hasty()  # type: ignore[assignment]
        scene = BY_NAME["translate_simultaneous"].build(np.random.default_rng(seed), world, False)
        check_timing(scene)
        counts.add((len(scene.items[0].clip.extra["parts"]), len(scene.items[0].says)))
    assert counts == {(2, 2), (3, 2)}


def test_code_switched_is_all_in_english_by_one_voice() -> None:
    frames = {f: "en" for f in words.FRAMES} | {f[c]: c for f in words.FRAMES_ABROAD for c in words.LANGUAGES}
    kinds = set()
    for scene in scenes("translate_code_switched"):
        item = scene.items[-1]
        codes = item.clip.extra["language"].split("+")
        assert "en" in codes
        assert len(codes) == 2
        kinds.add(codes[0] == "en")
        frame = next(f for f in sorted(frames, key=len, reverse=True) if item.clip.text.startswith(f))
        tail = item.clip.text.removeprefix(frame).strip()
        english = next(t["en"] for t in words.TAILS if tail in t.values())
        answer = item.says[0].text
        assert answer.rstrip("?.").endswith(english)
        assert not HAN.search(answer)
        assert answer.isascii()
        assert len(item.clip.extra["parts"]) == 2
        assert len({p["speaker"] for p in item.clip.extra["parts"]}) == 1
    assert kinds == {True, False}


def test_one_voice_speaks_all_parts() -> None:
    world = fake_world()
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        speaker = Speaker(rng, world, "en", "zh")
        clips = [speaker.say(rng, "a cup of tea", "en"), speaker.say(rng, "一杯茶", "zh")]
        assert len({c.speaker for c in clips}) == 1
        assert [c.extra["language"] for c in clips] == ["en", "zh"]
    with pytest.raises(DataError, match="expected somebody"):
        Speaker(np.random.default_rng(0), world, "en", "fi")


def test_join_names_every_recording_and_refuses_other_pauses() -> None:
    world, rng = fake_world(), np.random.default_rng(0)
    clips = [world.talk.word(rng) for _ in range(3)]
    clip = join(clips, [0.1, 0.2])
    assert len(clip.audio) == sum(len(c.audio) for c in clips) + samples(0.3)
    assert [p["source"] for p in clip.extra["parts"]] == [c.source for c in clips]
    with pytest.raises(DataError, match="expected 2 pauses"):
        join(clips, [0.1])


@pytest.mark.parametrize("name", ["translate_to_english", "translate_from_english"])
def test_recordings_do_where_there_are_no_voices(name: str) -> None:
    for scene in scenes(name, voices=False):
        check_timing(scene)
        assert all(not i.clip.source.startswith("tts:") for i in scene.items)


@pytest.mark.parametrize("task", TRANSLATION, ids=lambda t: t.name)
def test_without_recordings_voices_do_and_without_either_it_says_so(task: Subtask) -> None:
    for scene in scenes(task.name, speech=False):
        assert all(i.clip.source.startswith("tts:") for i in scene.items if i.says)
    for scene in scenes(task.name, negative=True, speech=False, voices=False):
        check_negative(scene)
    with pytest.raises(DataError):
        task.build(np.random.default_rng(0), fake_world(speech=False, voices=False), False)


def test_streams_are_short() -> None:
    for name in BY_NAME:
        for negative in (False, True):
            assert np.mean([s.layout()[1] / 16_000 for s in scenes(name, negative)]) < 11


def test_parallel_sentences_are_complete() -> None:
    assert len({s.text("en") for s in SENTENCES}) == len(SENTENCES) >= 90
    assert sum("zh" in s for s in SENTENCES) >= 40
    assert all(code in s for s in SENTENCES for code in ORDER[:5])
    assert all(len(s.clauses["en"]) == 1 for s in SHORT)
    assert all(len(s.clauses["en"]) in (2, 3) for s in COMPOUND)
    assert all(3 <= len(s.text("en").split()) <= LONGEST for s in WHOLE)
    for s in SENTENCES:
        for code in s.clauses:
            text = s.text(code)
            assert not re.search(r"\d", text)
            assert text[-1] in ".?!。？！吧"
            assert bool(HAN.search(text)) == (code == "zh")
            assert code == "en" or text != s.text("en")


def test_broken_tables_are_refused() -> None:
    with pytest.raises(DataError, match="as many clauses"):
        parse("A, / b.|a, / b.|a, b.|a, / b.|a, / b.")
    with pytest.raises(DataError, match="5 or 6 languages"):
        parse("A.|b.|c.")


def test_words_and_forms_are_many() -> None:
    assert len(MANDARIN_WORDS) >= 150
    assert all(HAN.match(w) and m and m.isascii() for w, m in MANDARIN_WORDS.items())
    assert set(DIGITS) <= set(ENGLISH_WORDS)
    for table in ENGLISH_WORDS.values():
        assert set(table) == set(words.LANGUAGES)
    for forms in (
        words.TO_ENGLISH, words.ONLY_TO_ENGLISH, words.FROM_ENGLISH, words.SIMULTANEOUS_TO_ENGLISH,
        words.SIMULTANEOUS_FROM_ENGLISH, words.CODE_SWITCHED,
    ):  # fmt: skip
        assert len(set(forms)) >= 8
    for forms in (words.ONLY_TO_ENGLISH, words.FROM_ENGLISH, words.SIMULTANEOUS_FROM_ENGLISH):
        assert all("{language}" in f for f in forms)
