"""What sub-tasks are made of: kinds of recorded speech, a sound that goes on, and backgrounds with nothing to name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data_builder.compose import compose
from data_builder.corpora.folder import Row
from data_builder.schema import Sample
from data_builder.sources import Clip
from data_builder.subtasks import SUBTASKS
from data_builder.talk import Talk
from data_builder.timeline import Scene
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import FakeStore, fake_world, row

SR = 16_000


def talk(*rows: Row) -> Talk:
    return Talk(rows, FakeStore())


def heard(found: Talk) -> int:
    """Rows that something may play."""
    kinds = (found.sentences, found.foreign, found.by_dataset, found.emotional, found.pairs)
    return len(found.words) + len(found.orders) + sum(len(rows) for kind in kinds for rows in kind.values())  # type: ignore[attr-defined]


def test_wake_words_are_for_a_machine() -> None:
    found = talk(
        row("a_1.0", "speech", text="jarvis", dataset="picovoice_wakeword"),
        row("b_1.0", "speech", text="hey you there computer", dataset="Other_WakeWords"),
    )
    assert not found
    assert not heard(found)
    with pytest.raises(DataError, match="side talk"):
        found.side(np.random.default_rng(0))


def test_requests_to_another_machine_are_kept_apart() -> None:
    found = talk(
        row("a_2.0", "speech", "INTENT:activate object=lights", text="Turn on the lights please", dataset="fluent"),
        row("b_2.0", "speech", "INTENT:orderDrink coffeeDrink=latte", dataset="picovoice_s2i"),
    )
    assert [r.path for r in found.requests] == ["a_2.0"]
    assert [r.path for r in found.orders] == ["b_2.0"]
    assert heard(found) == 1


def test_acted_speech_is_side_talk_but_not_dictation() -> None:
    text = "Kids are talking by the door."
    found = talk(*(row(f"{m}_2.0", "speech", f"EMOTION:{m}", text=text, dataset="ravdess") for m in ("sad", "disgust")))
    assert not found.sentences
    assert len(found.by_dataset["ravdess"]) == 2
    rng = np.random.default_rng(0)
    assert found.felt(rng, "sad").extra["emotion"] == "sad"
    assert "emotion" not in found.felt(rng, "disgust").extra  # none that a sample may name
    with pytest.raises(DataError, match="happy"):
        found.felt(rng, "happy")


def test_pairs_are_short_and_have_both_texts() -> None:
    found = talk(
        row("a_3.0", "speech", "TRANSLATION:en The sea is calm.", text="Das Meer ist ruhig.", language="de"),
        row("b_3.0", "speech", "TRANSLATION:en The sea is calm.", language="de"),
        row("c_9.0", "speech", "TRANSLATION:en The sea is calm.", text="Das Meer ist ruhig.", language="de"),
        row("d_3.0", "speech", "TRANSLATION:en", text="Das Meer ist ruhig.", language="de"),
    )
    assert [r.path for r in found.pairs["de", "en"]] == ["a_3.0"]
    clip, meant = found.pair(np.random.default_rng(0), "de", "en")
    assert (clip.text, meant) == ("Das Meer ist ruhig.", "The sea is calm.")
    assert [r.path for r in found.foreign["de"]] == ["a_3.0", "c_9.0", "d_3.0"]
    with pytest.raises(DataError, match="'en' with a translation"):
        found.pair(np.random.default_rng(0), "en", "de")


def made(scene: Scene) -> tuple[Sample, np.ndarray]:
    body = Sample("train-0-000000-000", 0, "train", scene.subtask, SUBTASKS[scene.subtask].ability, False, 0)
    return body, compose(scene, fake_world(), body)


def siren(seconds: float, at: float = 0.0) -> Clip:
    """A tone of 440 Hz that begins `at` seconds into its period."""
    audio = np.sin(2 * np.pi * 440.0 * (at + np.arange(int(seconds * SR)) / SR)).astype(np.float32)
    return Clip(audio, "siren", "event", "a.wav", "CC0", "yes", dataset="fake")


def test_a_sound_that_goes_on_keeps_its_level_and_place() -> None:
    roomy = 0
    for seed in range(30):
        scene = Scene(np.random.default_rng(seed), "proactive_hazard")
        scene.bed = "zero"
        first = scene.sound(siren(2.0), say="A siren.")
        again = replace(first.clip, audio=first.clip.audio * np.float32(0.5))
        scene.sound(again, avoid="goes on: announced before", after=(0.0, 0.0), like=first)
        body, _ = made(scene)
        one, two = body.events
        assert two.onset == one.offset
        assert two.gain_db == one.gain_db
        roomy += "room" in body.mix
    assert roomy


def test_no_seam_is_heard_in_a_sound_of_two_items() -> None:
    for seed in range(10):
        scene = Scene(np.random.default_rng(seed), "proactive_hazard")
        scene.bed, scene.plain = "zero", True
        first = scene.sound(siren(2.0), say="A siren.")
        scene.sound(siren(2.0, at=2.0), avoid="goes on: announced before", after=(0.0, 0.0), like=first)
        body, audio = made(scene)
        seam = body.events[1].onset
        step = np.abs(np.diff(audio[seam - 2 : seam + 2])).max()
        assert step <= 1.01 * np.abs(np.diff(audio[body.events[0].onset + 100 : seam - 100])).max()


def test_a_background_with_nothing_to_name_has_no_babble() -> None:
    kinds: dict[bool, set[str]] = {True: set(), False: set()}
    for neutral, found in kinds.items():
        for seed in range(120):
            scene = Scene(np.random.default_rng(seed), "proactive_hazard")
            scene.neutral = neutral
            scene.sound(siren(1.0), say="A siren.")
            found |= {g["kind"] for g in made(scene)[0].mix.get("gaps", ())}
    assert "babble" in kinds[False]
    assert kinds[True] == kinds[False] - {"babble"}
