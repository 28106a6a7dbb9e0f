"""Systems beside ours: a sense taken away, and the rule system with its asked-for sounds and its calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ablations import Ablated, Deprived, deprive
from benchmarks.acts import tool_file
from benchmarks.hear import drive, record
from benchmarks.keyword_rules import Rules
from benchmarks.systems import KNOWN, Ask, OurListener, Setup, make
from soundflow.errors import ConfigError
from soundflow.perceive.asked import asked_tags
from soundflow.respond.tools import load_tools
from soundflow.types import AudioChunk, Perception, Segment, Vad, Word, Words
from tests.conftest import MakeAudio
from tests.tiny_model import tiny_model

CHUNK = 6400
WORDS = Words((Word("hello", 0, 100, 200),), "hello", Segment("hello", 0, 100))


class _Everything:
    """A perceiver that perceives something with every sense."""

    labels = ("Siren", "Dog")

    def step(self, chunk: AudioChunk, state: object, words: Words | None = None, frames: object = None) -> Perception:
        ones = np.ones(4, np.float32)
        return Perception(chunk.index, chunk.end_sample, ones, ones, ones, Vad((), False), WORDS, alert=2.0)

    def flush(self, state: object) -> Words:
        return WORDS


def test_one_sense_is_gone_and_the_others_stay() -> None:
    chunk = AudioChunk(0, 0, np.zeros(CHUNK, np.float32))
    for sense, gone in {"sound": {"sound", "alert"}, "tags": {"tags"}, "words": {"words"}}.items():
        deprived = Deprived(_Everything(), sense)  # type: ignore[arg-type]
        heard = deprived.step(chunk, None)  # type: ignore[arg-type]
        for field in ("tags", "sound", "speech", "alert"):
            assert bool(np.any(getattr(heard, field))) is (field not in gone), (sense, field)
        assert heard.words == (Words() if sense == "words" else WORDS)
        assert deprived.labels == ("Siren", "Dog")
        assert (deprived.flush(None) == Words()) is (sense == "words")  # type: ignore[arg-type]


def test_unknown_systems_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nano-no-sound"):
        make(Setup(tmp_path, ("nano-no-taste",)))
    with pytest.raises(ConfigError, match="one of sound, tags, words"):
        Ablated("nano-no-taste")
    assert {"nano-no-sound", "nano-no-tags", "nano-no-words"} <= set(KNOWN)


@pytest.mark.weights
def test_a_deprived_model_still_runs(nano_parts: Path, noise: MakeAudio) -> None:
    whole = tiny_model(nano_parts)
    audio = noise(0.8)
    said = {}
    for sense in ("", "sound", "tags"):
        model = deprive(whole, sense) if sense else whole
        said[sense] = record(drive(OurListener(model, Ask()), audio, CHUNK))["p_speak"]
    assert len(said["sound"]) == len(said[""]) == 2
    assert said["tags"] != said[""], "the model hears its tags"
    weights = deprive(whole, "sound").calibration
    assert weights.branch_weight == 0.0


@pytest.mark.weights
def test_rules_count_the_asked_tag_against_its_own_threshold(nano_parts: Path) -> None:
    rules = Rules(0.4, 0.1, nano_parts / "sound" / "yamnet.tflite")
    tags = np.zeros(521, np.float32)
    tags[rules.labels.index("Siren")] = 0.3
    tags[rules.labels.index("Dog")] = 0.2
    nothing, dog = (asked_tags(text, rules.labels) for text in ("", "Tell me when you hear a dog."))
    assert rules.best(tags, nothing) == (pytest.approx(0.3), "siren")
    p, topic = rules.best(tags, dog)
    assert topic == "a dog"
    assert p > 0.4, "0.2 is over 0.1, so the shifted score is over 0.4"
    tags[rules.labels.index("Dog")] = 0.1
    assert rules.best(tags, dog)[0] == pytest.approx(0.4, abs=1e-5), "at its threshold, at the gate's"


@pytest.mark.weights
def test_rules_announce_what_was_asked(nano_parts: Path) -> None:
    rules = Rules(0.4, None, nano_parts / "sound" / "yamnet.tflite")
    listener = rules.open(Ask("Tell me when you hear church bells."))
    assert listener.announce("a church bell") == "I hear church bells."  # type: ignore[attr-defined]
    assert listener.announce("siren") == "I hear siren."  # type: ignore[attr-defined]


@pytest.mark.weights
def test_rules_turn_words_into_calls(nano_parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rules(0.9, None, nano_parts / "sound" / "yamnet.tflite")
    final = Words((), "", Segment("Turn on the light in the kitchen.", 0, 6400))

    class Told(_Everything):
        def init_state(self, phrases: Sequence[str] = ()) -> None:
            return None

        def step(
            self, chunk: AudioChunk, state: object, words: Words | None = None, frames: object = None
        ) -> Perception:
            heard = final if chunk.index == 2 else Words()
            zeros = np.zeros(521, np.float32)
            return Perception(chunk.index, chunk.end_sample, zeros, zeros, zeros, Vad((), False), heard)

        def flush(self, state: object) -> Words:
            return Words((), "", Segment("Lock the back door.", 0, 6400))

    monkeypatch.setattr(Rules, "perceiver", Told())
    tools = load_tools(Path(tool_file("tools.json")))
    row = record(drive(rules.open(Ask(tools=tools)), np.zeros(4 * CHUNK, np.float32), CHUNK))
    assert row["decisions"] == "ssAsA"
    assert [(a["name"], a["t"], a["confirm"]) for a in row["actions"]] == [
        ("set_light", 1.2, False),
        ("set_lock", 2.0, True),
    ]
    assert [t["text"] for t in row["transcripts"]] == ["Turn on the light in the kitchen.", "Lock the back door."]
