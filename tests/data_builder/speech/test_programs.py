"""How each program is called, and what those that are installed make."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data_builder.speech import engines, programs
from data_builder.speech.engines import offered
from data_builder.speech.programs import PROGRAMS, Espeak, installed
from data_builder.speech.protocol import EMOTIONS, Voice
from soundflow.errors import ConfigError

TEXT = "Please turn on the light; rm -rf $(HOME) & then stop."
LANGUAGES = {"en", "en-gb", "fr", "fr-fr"}  # two of them are names of others, without variants
FIRST = {"espeak": "en-us+f3", "flite": "rms", "pico": "en-GB", "rhvoice": "bdl", "mbrola": "mb-us1"}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_text_reaches_a_program_as_one_argument_or_as_its_input(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def record(command: list[str], what: str, stdin: bytes | None = None) -> bytes:
        seen.extend(command)
        out = next(c for c in command if c.endswith(".wav")).removeprefix("--wave=")
        sf.write(out, np.full(4_800, 0.5, dtype=np.float32), 48_000)
        words = Path(out).with_name("a.txt")
        said = stdin.decode() if stdin else words.read_text() if words.is_file() else " ".join(command)
        assert "$(HOME)" in said
        return b""

    monkeypatch.setattr(programs, "run", record)
    voice = Voice(name, FIRST.get(name, "kal_diphone"), rate=1.25, emotion="sad")
    audio = PROGRAMS[name]().say(TEXT, voice)
    assert audio.shape == (1_600,)
    assert audio.dtype == np.float32
    assert any(voice.name in c for c in seen)
    slower = {"espeak": "177", "mbrola": "177", "rhvoice": "108", "pico": 'level="108"'}
    assert any(slower.get(name, f"{1 / 1.075:.3f}") in c for c in seen)
    assert voice.name in PROGRAMS[name]().licence(voice) or name in ("espeak", "pico", "mbrola")


def test_voices_that_may_not_be_sold_say_so() -> None:
    for engine, name in (("festival", "rab_diphone"), ("rhvoice", "lyubov"), ("mbrola", "mb-us1")):
        assert "non-commercial" in PROGRAMS[engine]().licence(Voice(engine, name))
    for engine, name in (("festival", "kal_diphone"), ("rhvoice", "bdl"), ("espeak", "en-us"), ("flite", "slt")):
        assert "commercial" not in PROGRAMS[engine]().licence(Voice(engine, name))


def test_what_is_not_installed_is_not_offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed() == {}
    with pytest.raises(ConfigError, match="expected a speech engine"):
        engines.engines()
    with pytest.raises(ConfigError, match="Piper voices"):
        engines.engines(piper=tmp_path)
    with pytest.raises(ConfigError, match=r"got one without the other|espeak-ng"):
        engines.engines(kokoro=tmp_path)


@pytest.mark.skipif(not installed(), reason="no speech program on the PATH (apt install espeak-ng flite)")
def test_installed_voices_speak_the_same_twice() -> None:
    have = installed()
    names = offered(have)
    for name, engine in have.items():
        mine = sorted(v.partition(":")[2] for v in names if v.startswith(f"{name}:") and ":+" not in v)
        if not mine:
            continue
        voice = Voice(name, FIRST[name] if name in FIRST and FIRST[name] in mine else mine[0])
        first, again, slow = (engine.say("Hello there.", v) for v in (voice, voice, Voice(name, voice.name, 0.7)))
        np.testing.assert_array_equal(first, again)
        assert len(first) > 4_000
        assert len(slow) > 1.1 * len(first)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng on the PATH (apt install espeak-ng)")
def test_espeak_has_emotions_and_voices() -> None:
    espeak = Espeak()
    said = {e: espeak.say("What a day.", Voice("espeak", "en-us+f3", emotion=e)) for e in EMOTIONS}
    assert len({a.tobytes() for a in said.values()}) == len(EMOTIONS)
    assert len(said["sad"]) > len(said["neutral"]) > len(said["happy"])
    names = espeak.names()
    assert {"en-us", "es", "de", "it", "cmn-latn-pinyin", "+f3", "+Annie"} <= names
    spoken = [espeak.say("Hi.", Voice("espeak", f"{n}{v}")).tobytes() for n in LANGUAGES & names for v in ("", "+f3")]
    assert len(set(spoken)) == len(spoken)
