"""The check, the retries and the cache."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from data_builder.speech.protocol import Stalled, Voice
from data_builder.speech.synthesise import Synthesiser, Unheard, cleaned, spoken_line
from soundflow.errors import ConfigError, DataError
from tests.data_builder.speech.conftest import FakeEar, FakeEngine

TEXT = "Turn on the kitchen light at 7:30."
RIGHT = "turn on the kitchen light at seven thirty"
VOICES = [Voice("fake", "ann"), Voice("fake", "ann", 0.9), Voice("fake", "bob", 0.8), Voice("fake", "bob", 0.5)]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_first_that_is_understood_is_taken(engine: FakeEngine, tmp_path: Path) -> None:
    ear = FakeEar(lambda seconds: RIGHT if seconds > 4 else "turn on the chicken light")
    said = Synthesiser({"fake": engine}, tmp_path, ear).say(TEXT, VOICES)
    assert (said.voice, said.heard, said.wer, said.text) == (VOICES[2], RIGHT, 0.0, TEXT)
    assert said.licence == "made up (bob)"
    assert said.source.startswith("tts:")
    assert [v for _, v in engine.calls] == VOICES[:3]
    assert engine.calls[0][0] == "Turn on the kitchen light at 7 30."


def test_speech_is_trimmed_and_levelled(engine: FakeEngine, tmp_path: Path) -> None:
    said = Synthesiser({"fake": engine}, tmp_path, None).say("hello there", VOICES)
    assert said.seconds == pytest.approx(1.1, abs=0.03)
    assert len(said.audio) == round(said.seconds * 16_000)
    assert np.abs(said.audio).max() == pytest.approx(0.7, abs=1e-3)
    assert said.audio.dtype == np.float32
    assert (said.wer, said.heard) == (None, "")


def test_nobody_understood_drops_the_dialogue(engine: FakeEngine, tmp_path: Path) -> None:
    ear = FakeEar(lambda _: "turn on a chicken light")
    speech = Synthesiser({"fake": engine}, tmp_path, ear)
    candidates = [Voice("fake", "broken"), *VOICES]
    for _ in range(2):  # the second time from the cache
        with pytest.raises(Unheard, match=r"WER of at most 0\.1.*broken.*chicken") as error:
            speech.say(TEXT, candidates)
        assert error.value.sample_id == TEXT
    assert len(engine.calls) == 3
    assert ear.calls == 2
    assert not list(tmp_path.rglob("*.flac"))


def test_one_error_in_ten_words_passes_and_more_does_not(engine: FakeEngine, tmp_path: Path) -> None:
    ten = "a b c d e f g h i j"
    passes = Synthesiser({"fake": engine}, tmp_path / "a", FakeEar(lambda _: "x b c d e f g h i j")).say(ten, VOICES)
    assert passes.wer == pytest.approx(0.1)
    with pytest.raises(Unheard):
        Synthesiser({"fake": engine}, tmp_path / "b", FakeEar(lambda _: "x b c d e f g h i y")).say(ten, VOICES)


def test_cached_speech_equals_new_speech(engine: FakeEngine, tmp_path: Path) -> None:
    ear = FakeEar(lambda _: RIGHT)
    first = Synthesiser({"fake": engine}, tmp_path / "a", ear).say(TEXT, VOICES)
    again = Synthesiser({"fake": engine}, tmp_path / "a", ear).say(TEXT, VOICES)
    other = Synthesiser({"fake": FakeEngine()}, tmp_path / "b", ear).say(TEXT, VOICES)
    assert len(engine.calls) == 1
    assert ear.calls == 2
    for said in (again, other):
        assert (said.source, said.heard, said.wer, said.seconds) == (first.source, RIGHT, 0.0, first.seconds)
        np.testing.assert_array_equal(said.audio, first.audio)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    row = json.loads(next((tmp_path / "a").rglob("*.json")).read_text())
    assert row["text"] == "Turn on the kitchen light at 7 30."
    assert (row["heard"], row["wer"], row["seconds"]) == (RIGHT, 0.0, first.seconds)


@pytest.mark.parametrize("ending", ["flac", "json"])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "other"])
def test_a_damaged_file_is_made_anew(engine: FakeEngine, tmp_path: Path, ending: str, damage: str) -> None:
    speech = Synthesiser({"fake": engine}, tmp_path, FakeEar(lambda _: RIGHT))
    before = speech.say(TEXT, VOICES)
    whole = files(tmp_path)
    path = next(tmp_path.rglob(f"*.{ending}"))
    body = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": body[: len(body) // 2], "other": b'{"text": 3}'}[damage])
    after = speech.say(TEXT, VOICES)
    np.testing.assert_array_equal(after.audio, before.audio)
    assert files(tmp_path) == whole
    assert len(engine.calls) == 2


def test_workers_that_share_a_folder_leave_what_one_leaves(tmp_path: Path) -> None:
    texts = [f"Turn on light number {n}." for n in (7, 8, 9)]

    def work(folder: Path) -> list[str]:
        speech = Synthesiser({"fake": FakeEngine()}, folder, FakeEar(lambda _: "turn on light number 8"))
        sources = []
        for text in texts:
            try:
                sources.append(speech.say(text, VOICES).source)
            except Unheard as error:
                sources.append(str(error))
        return sources

    alone = work(tmp_path / "one")
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, [tmp_path / "eight"] * 8))
    assert together == [alone] * 8
    assert files(tmp_path / "one") == files(tmp_path / "eight")
    assert len(files(tmp_path / "one")) == 2 * 3 + 2


def test_what_changes_the_speech_changes_the_key(engine: FakeEngine, tmp_path: Path) -> None:
    speech = Synthesiser({"fake": engine}, tmp_path, None)
    said = [speech.say(TEXT, [v]).source for v in VOICES]
    said.append(speech.say(TEXT, [Voice("fake", "ann", pitch=60)]).source)
    sad = speech.say(TEXT, VOICES, emotion="sad")
    said += [sad.source, speech.say("Another line.", VOICES).source]
    heard = Synthesiser({"fake": engine}, tmp_path, FakeEar(lambda _: RIGHT)).say(TEXT, VOICES)
    said.append(heard.source)
    assert len(set(said)) == len(said)
    assert sad.voice.emotion == "sad"
    assert sad.seconds > heard.seconds


def test_other_languages_are_not_checked(engine: FakeEngine, tmp_path: Path) -> None:
    ear = FakeEar(lambda _: "nonsense")
    said = Synthesiser({"fake": engine}, tmp_path, ear).say("¿Qué hora es, 20%?", VOICES, language="es")
    assert (said.wer, said.heard, ear.calls) == (None, "", 0)
    assert engine.calls[0][0] == "¿Qué hora es, 20%?"


def test_a_hanging_engine_leaves_nothing_behind(engine: FakeEngine, tmp_path: Path) -> None:
    def hang(text: str, voice: Voice) -> None:
        raise Stalled("expected speech within 60 s, got none", text)

    engine.say = hang  # type: ignore[method-assign, assignment]
    with pytest.raises(Stalled):
        Synthesiser({"fake": engine}, tmp_path, None).say(TEXT, VOICES)
    assert files(tmp_path) == {}


def test_what_cannot_be_said_is_refused(engine: FakeEngine, tmp_path: Path) -> None:
    speech = Synthesiser({"fake": engine}, tmp_path, None)
    with pytest.raises(DataError, match="expected words"):
        speech.say("...!", VOICES)
    with pytest.raises(DataError, match="600 characters"):
        speech.say("word " * 200, VOICES)
    with pytest.raises(ConfigError, match="expected a voice"):
        speech.say(TEXT, [])
    with pytest.raises(ConfigError, match="expected an engine of"):
        speech.say(TEXT, [Voice("piper", "joe")])
    for stranger in ("eve", "ann+f3"):
        with pytest.raises(ConfigError, match=r"installed voice of fake, got (eve|\+f3)$"):
            speech.say(TEXT, [Voice("fake", stranger)])
    with pytest.raises(ConfigError, match="emotion"):
        speech.say(TEXT, VOICES, emotion="bored")
    with pytest.raises(Unheard, match=r"0\.2 to 30 s"):
        speech.say("a", VOICES)
    assert engine.calls


def test_marks_that_engines_read_as_commands_are_dropped() -> None:
    assert spoken_line("[[x]] hello") == "x hello"
    assert spoken_line("[[x]] <b>hola</b>  amigo", "es") == "x b hola /b amigo"
    assert not spoken_line("--voice hi", "es").startswith("-")


def test_clean_up_refuses_silence_and_length() -> None:
    with pytest.raises(DataError, match="silence"):
        cleaned(np.zeros(16_000, dtype=np.float32))
    with pytest.raises(DataError, match=r"0\.2 to 30 s"):
        cleaned(np.sin(np.arange(31 * 16_000) * 0.1).astype(np.float32))
