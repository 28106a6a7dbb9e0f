"""What the recipes of speech make of words, speakers, splits, emotions and intents."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_builder.corpora.commands import intent
from data_builder.corpora.folder import read_index
from data_builder.corpora.recipe import Options
from data_builder.corpora.registry import RECIPES
from data_builder.texts.devices import coffee_call
from soundflow.errors import DataError
from tests.data_builder.corpora.layouts import LAYOUTS
from tests.data_builder.corpora.test_sound_corpora import Run, run
from tests.data_builder.corpora.tones import quarantine, tone

__all__ = ["run"]


def test_librispeech(run: Run) -> None:
    rows, _ = run("librispeech")
    row = rows["19-198-0000"]
    assert (row.text, row.speaker, row.language, row.open) == ("NORTHANGER ABBEY", "librispeech_19", "en", True)
    assert {r.speaker for r in rows.values() if r.split == "dev"} == {"librispeech_84", "librispeech_61"}
    assert row.path == "librispeech/train-clean-100/19-198-0000.flac"


def test_librispeech_without_the_words_of_a_chapter_is_unfinished(tmp_path: Path) -> None:
    LAYOUTS["librispeech"].build(tmp_path)
    (tmp_path / "LibriSpeech/train-clean-100/19/198/19-198.trans.txt").unlink()
    with pytest.raises(DataError, match=r"19-198\.trans\.txt"):
        RECIPES["librispeech"].prepare(tmp_path, tmp_path / "out", Options())


def test_common_voice_keeps_quotes_and_needs_all_tables(run: Run, tmp_path: Path) -> None:
    rows, done = run("common_voice")
    row = rows["common_voice_de_5116"]
    assert (row.text, row.language) == ('Sie sagte "Guten Tag", dann ging sie.', "de")
    assert done.entries == {"dev": 2, "train": 1}
    (tmp_path / "raw" / "cv-corpus-17.0-2024-03-15" / "de" / "test.tsv").unlink()
    with pytest.raises(DataError, match=r"missing: test\.tsv"):
        RECIPES["common_voice"].prepare(tmp_path / "raw", tmp_path / "out2", Options())


def test_gigaspeech_segments_are_cut_and_marks_become_punctuation(run: Run) -> None:
    rows, _ = run("gigaspeech")
    row = rows["POD0000000001_S0000000"]
    assert row.text == "AS THEY'RE LEAVING, CAN KASH PULL."
    assert row.seconds == pytest.approx(0.5, abs=0.01)
    assert row.split != "dev"
    assert rows["POD0000000002_S0000000"].split == "dev"
    assert not row.open


def test_a_gigaspeech_manifest_that_is_cut_is_told(tmp_path: Path) -> None:
    LAYOUTS["gigaspeech"].build(tmp_path)
    raw = (tmp_path / "GigaSpeech.json").read_text()
    (tmp_path / "GigaSpeech.json").write_text(raw[: len(raw) * 2 // 3])
    with pytest.raises(DataError, match=r"item \d: .*cut or broken"):
        RECIPES["gigaspeech"].prepare(tmp_path, tmp_path / "out", Options())


def test_voxpopuli_and_aishell(run: Run, tmp_path: Path) -> None:
    rows, done = run("voxpopuli")
    assert done.entries == {"dev": 2, "train": 1}
    assert {row.text for row in rows.values()} == {"Mr President, thank you."}
    LAYOUTS["aishell"].build(tmp_path / "zh")
    RECIPES["aishell"].prepare(tmp_path / "zh", tmp_path / "zh-out", Options())
    row = read_index(tmp_path / "zh-out")[0]
    assert (row.text, row.language) == ("而对楼市成交抑制作用最大的限购", "zh")


def test_covost_holds_the_translation_and_no_speaker_of_dev_in_train(run: Run) -> None:
    rows, done = run("covost2")
    row = rows["common_voice_fr_1"]
    assert (row.language, row.text) == ("fr", "Bonjour common_voice_fr_1.mp3")
    assert row.label == 'TRANSLATION:en Hello "common_voice_fr_1.mp3"'
    assert not row.open
    (told,) = quarantine(done.folder)
    assert "speaker" in told["reason"]


def test_ravdess_expects_all_of_24_actors_and_holds_four_out(tmp_path: Path) -> None:
    LAYOUTS["ravdess"].build(tmp_path / "raw")
    done = RECIPES["ravdess"].prepare(tmp_path / "raw", tmp_path / "out", Options(limit=48))
    rows = read_index(tmp_path / "out")
    assert done.entries == {"dev": 48, "train": 48}
    assert {row.speaker for row in rows if row.split == "dev"} == {f"ravdess_{k}" for k in (21, 22, 23, 24)}
    feelings = {row.path.split("-")[2]: row.label for row in rows}
    assert (feelings["05"], feelings["06"]) == ("EMOTION:angry", "EMOTION:afraid")
    assert {row.path.split("-")[4]: row.text[:4] for row in rows} == {"01": "Kids", "02": "Dogs"}
    (tmp_path / "raw" / "Actor_03" / "03-01-05-02-01-01-03.wav").unlink()
    with pytest.raises(DataError, match=r"1440 audio files .*, 1 are missing: Actor_03/03-01-05-02-01-01-03\.wav"):
        RECIPES["ravdess"].prepare(tmp_path / "raw", tmp_path / "out2", Options())


def test_crema_d_and_a_pointer_of_git_lfs(tmp_path: Path) -> None:
    LAYOUTS["crema_d"].build(tmp_path / "raw")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (tmp_path / "raw" / "AudioWAV" / "1001_IEO_HAP_LO.wav").write_text(pointer)
    tone(tmp_path / "raw" / "AudioWAV" / "1002_XYZ_HAP_LO.wav")
    done = RECIPES["crema_d"].prepare(tmp_path / "raw", tmp_path / "out", Options())
    rows = {Path(row.path).stem: row for row in read_index(tmp_path / "out")}
    assert (rows["1001_DFA_ANG_XX"].label, rows["1091_WSI_SAD_XX"].split) == ("EMOTION:angry", "dev")
    assert done.quarantined == 2
    assert any("git lfs pull" in line["reason"] for line in quarantine(tmp_path / "out"))


def test_intents_read_back_as_calls(run: Run) -> None:
    rows, _ = run("picovoice_s2i")
    row = next(iter(rows.values()))
    assert row.label == "INTENT:orderDrink coffeeDrink=mocha;sugarAmount=brown sugar"
    assert coffee_call(row.label)["arguments"] == {"coffeeDrink": "mocha", "sugarAmount": "brown sugar"}
    assert intent("increase", {"object": "", "location": " "}) == "INTENT:increase"


def test_fluent_speech_commands(run: Run) -> None:
    rows, done = run("fluent_speech_commands")
    labels = {row.label for row in read_index(done.folder)}
    assert labels == {
        "INTENT:activate location=kitchen;object=lights",
        "INTENT:activate object=music",
        "INTENT:change_language",
    }
    assert not any(row.open for row in rows.values())
