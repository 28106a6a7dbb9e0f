"""The published layouts, and what is wrong with a folder that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.corpus import read_index
from benchmarks.words import layouts
from soundflow.errors import ConfigError, DataError
from tests.benchmarks.words.talkers import clips, librispeech

CV = "client_id\tpath\tsentence\tup_votes\tlocale\n"
COVOST = "path\tsentence\ttranslation\tclient_id\n"


def test_index_rows_of_dev_in_turn(corpus: Path) -> None:
    found = layouts.of_index(read_index(corpus), 0, 30.0)
    assert {u.group for u in found} == set(layouts.DATASETS)
    assert all(u.text == "one two" and u.speaker == "deva" and "/dev_" in u.path for u in found)
    assert [u.group for u in found[:2]] == list(layouts.DATASETS)
    with pytest.raises(DataError, match="expected dev rows with text"):
        layouts.of_index(read_index(corpus), 0, 0.1)


def test_librispeech(tmp_path: Path) -> None:
    folder = librispeech(tmp_path / "dev-clean", {"84": [("HELLO THERE", 1.0), ("BYE", 0.5)], "9": [("YES", 0.5)]})
    found = layouts.librispeech(folder)
    assert [(u.path, u.text, u.speaker) for u in found] == [
        ("84/7/84-7-0000.flac", "HELLO THERE", "84"),
        ("84/7/84-7-0001.flac", "BYE", "84"),
        ("9/7/9-7-0000.flac", "YES", "9"),
    ]
    assert {u.group for u in found} == {"librispeech dev-clean"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("84-7-0000\n", "84-7-NNNN TEXT"),
        ("84-7-x HELLO\n", "84-7-NNNN TEXT"),
        ("85-7-0000 HELLO\n", "84-7-NNNN TEXT"),
        ("84-7-0000 A\n84-7-0000 B\n", r"84-7-0000 again.*trans.txt:2|trans.txt:2.*again"),
        ("84-7-0001 HELLO\n", "none of 84-7-0000"),
    ],
)
def test_broken_librispeech(tmp_path: Path, lines: str, message: str) -> None:
    folder = librispeech(tmp_path, {"84": [("HELLO", 0.5)]})
    (folder / "84/7/84-7.trans.txt").write_text(lines)
    with pytest.raises(DataError, match=message):
        layouts.librispeech(folder)


def test_librispeech_without_transcripts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"trans\.txt"):
        layouts.librispeech(tmp_path)
    (tmp_path / "1/2").mkdir(parents=True)
    (tmp_path / "1/2/9-9.trans.txt").write_text("9-9-0000 X\n")
    with pytest.raises(DataError, match=r"expected 1-2\.trans\.txt"):
        layouts.librispeech(tmp_path)


def test_common_voice(tmp_path: Path) -> None:
    clips(tmp_path, "a.mp3", "b.mp3")
    (tmp_path / "test.tsv").write_text(CV + 'x\ta.mp3\tHe said "yes".\t2\ten\ny\tb\tNon.\t2\tfr\n')
    a, b = layouts.commonvoice(tmp_path, "test")
    assert (a.path, a.text, a.speaker, a.language) == ("clips/a.mp3", 'He said "yes".', "x", "en")
    assert (b.path, b.language, b.group) == ("clips/b.mp3", "fr", "commonvoice test")
    (tmp_path / "dev.tsv").write_text("client_id\tpath\tsentence\nx\ta.mp3\tJa.\n")
    assert layouts.commonvoice(tmp_path, "dev", "de")[0].language == "de"
    with pytest.raises(ConfigError, match=r"train\.tsv"):
        layouts.commonvoice(tmp_path, "train")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("client_id\tpath\nx\ta\n", r"sentence missing.*:1|:1.*sentence missing"),
        (CV, "expected rows"),
        (CV + "x\ta.mp3\tYes.\n", r"expected 5 fields, got 3"),
        (CV + "x\ta.mp3\t \t2\ten\n", "expected a value of sentence"),
        (CV + "x\ta.mp3\tYes.\t2\ten\ny\ta.mp3\tNo.\t2\ten\n", r"'a.mp3' again"),
        (CV + "x\t../a.mp3\tYes.\t2\ten\n", "name of a file in clips"),
    ],
)
def test_broken_common_voice(tmp_path: Path, body: str, message: str) -> None:
    (tmp_path / "test.tsv").write_text(body)
    with pytest.raises(DataError, match=message):
        layouts.commonvoice(tmp_path, "test")


def test_covost(tmp_path: Path) -> None:
    (tmp_path / "covost_v2.fr_en.test.tsv").write_text(COVOST + 'a.mp3\tDit \\"oui\\".\tSays "yes".\tx\n')
    (one,) = layouts.covost(tmp_path, "test", "fr", "en")
    assert (one.path, one.text, one.translation) == ("clips/a.mp3", 'Dit "oui".', 'Says "yes".')
    assert (one.language, one.target, one.group) == ("fr", "en", "covost2 fr_en test")
    with pytest.raises(ConfigError, match=r"covost_v2\.de_en\.test\.tsv"):
        layouts.covost(tmp_path, "test", "de", "en")
    (tmp_path / "covost_v2.de_en.test.tsv").write_text(COVOST + "a.mp3\tJa.\t\tx\n")
    with pytest.raises(DataError, match="expected a value of translation"):
        layouts.covost(tmp_path, "test", "de", "en")
