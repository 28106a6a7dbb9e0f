"""Text made speakable; voices that stream, stop, and fail clearly."""

import logging
import os
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundflow.errors import ConfigError, SoundflowError, WeightsError
from soundflow.respond import voice as voices
from soundflow.respond.speech_text import MAX_PIECE_CHARS, MAX_TEXT_CHARS, sentences, speakable
from soundflow.respond.voice import EspeakVoice, PiperVoice, choose_voice


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("It is 23°C and 45%.", "It is 23 degrees Celsius and 45 percent."),
        ("Turn it by 90°", "Turn it by 90 degrees"),
        ("-3 to 5, 10-20", "minus 3 to 5, 10 to 20"),
        ("At 14:05, 9:00 and 07:30", "At 14 oh 5, 9 o'clock and 7 30"),
        ("$5.50 & €3", "5.50 dollars and 3 euros"),
        ("**Done**: the `set_light` is on 😀", "Done: the set light is on"),
        ("See https://a.b/c?d now", "See a link now"),
        ("1,200 kg at 50 km/h", "1200 kilograms at 50 kilometers per hour"),
        ("- one\n- two\n\nthree", "one two. three"),
        ("a/b [[h@l'oU]] <speak>x</speak>", "a or b h@l'oU speak x or speak"),
        ("😀 …!", ""),
        ("", ""),
    ],
)
def test_speakable(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


def test_sentences() -> None:
    assert list(sentences("Dr. Smith is at 3.14 Main. Go! Now?")) == ["Dr. Smith is at 3.14 Main.", "Go!", "Now?"]
    long = list(sentences("word, " * 100))
    assert all(len(p) <= MAX_PIECE_CHARS for p in long)
    assert " ".join(long).split() == ("word, " * 100).split()


@given(st.text(max_size=3 * MAX_TEXT_CHARS))
def test_any_text_is_bounded(text: str) -> None:
    line = speakable(text)
    pieces = list(sentences(line))
    assert "\n" not in line
    assert "[[" not in line
    assert len(line) <= 8 * MAX_TEXT_CHARS
    assert all(0 < len(p) <= MAX_PIECE_CHARS for p in pieces)
    assert "".join("".join(pieces).split()) == "".join(line.split())


@pytest.fixture
def fake_espeak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An espeak-ng that writes a WAV of unknown length, 100 samples a character it was given; `mode` changes it."""
    program = tmp_path / "espeak-ng"
    program.write_text(
        f"""#!{sys.executable}
import pathlib, struct, sys, time
here = pathlib.Path(__file__).parent
text = sys.stdin.buffer.read().decode()
with open(here / "said", "a") as f: f.write(text + "\\n")
mode = (here / "mode").read_text() if (here / "mode").exists() else ""
if mode == "fail": sys.exit(3)
if mode == "hang": time.sleep(20)
if mode == "junk": sys.stdout.buffer.write(b"hello"); sys.exit(0)
rate = 8000 if mode == "rate" else 22050
fmt = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
sys.stdout.buffer.write(b"RIFF\\x24\\xf0\\xff\\x7fWAVEfmt \\x10\\0\\0\\0" + fmt + b"data\\0\\xf0\\xff\\x7f")
sys.stdout.buffer.write(struct.pack("<h", 1000) * (100 * len(text)))
"""
    )
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    return tmp_path


def test_espeak_streams_a_sentence_at_a_time(fake_espeak: Path) -> None:
    voice = EspeakVoice()
    pieces = voice.speak("One two. Three 4%. -v five.")
    first = next(pieces)
    assert first.dtype == np.float32
    assert len(first) == 100 * len("One two.")
    assert float(np.abs(first).max()) == pytest.approx(voices.PEAK)
    assert (fake_espeak / "said").read_text() == "One two.\n"
    pieces.close()  # type: ignore[attr-defined]
    assert (fake_espeak / "said").read_text() == "One two.\n"
    assert len(list(voice.speak("One two. Three 4%. -v five."))) == 3
    assert list(voice.speak("😀")) == []


@pytest.mark.parametrize("mode", ["fail", "hang", "junk", "rate"])
def test_espeak_that_fails_is_a_clear_error(mode: str, fake_espeak: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "ESPEAK_TIMEOUT_S", 0.5)
    (fake_espeak / "mode").write_text(mode)
    with pytest.raises(SoundflowError, match="espeak-ng"):
        list(EspeakVoice().speak("Hello."))


def test_choice_without_any_voice_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        assert choose_voice(tmp_path) is None
        assert choose_voice(None) is None
    assert "no Piper voice" in caplog.text
    assert "espeak-ng is not on the PATH" in caplog.text


def test_choice_falls_back_to_espeak(fake_espeak: Path) -> None:
    (fake_espeak / "v.onnx").write_bytes(b"not onnx")
    (fake_espeak / "v.onnx.json").write_text("{}")
    with pytest.raises(WeightsError, match="a Piper voice was expected"):
        PiperVoice(fake_espeak / "v.onnx")
    voice = choose_voice(fake_espeak)
    assert voice is not None
    assert voice.name.startswith("espeak-ng")


def test_piper_names_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(ConfigError, match=r"soundflow\[voice\]"):
        PiperVoice(tmp_path / "v.onnx")


@pytest.mark.weights
def test_piper_speaks(nano_parts: Path) -> None:
    pytest.importorskip("piper")
    if not list((nano_parts / "voice").glob("*.onnx")):
        pytest.skip(f"no voice in {nano_parts}: run `soundflow models pull nano`")
    voice = choose_voice(nano_parts / "voice")
    assert voice is not None
    assert voice.name.startswith("piper:")
    pieces = voice.speak("The light is on. It is 23°C. " + "This is never made. " * 50)
    started = time.process_time()
    one, two = next(pieces), next(pieces)
    assert time.process_time() - started < 2.0
    assert one.dtype == np.float32
    assert 0.5 < len(one) / voice.rate_hz < 3.0
    assert 0.8 < len(two) / voice.rate_hz < 4.0
    assert float(np.abs(two).max()) == pytest.approx(voices.PEAK, abs=0.01)
