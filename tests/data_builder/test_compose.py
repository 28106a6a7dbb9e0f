"""Scenes in samples: places of items, levels, backgrounds, credits, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from data_builder import mix
from data_builder.check_sample import check_sample
from data_builder.compose import compose
from data_builder.schema import CHUNK, MAX_CHUNKS, Sample
from data_builder.sources import Clip
from data_builder.subtasks import SUBTASKS
from data_builder.timeline import Say, Scene
from data_builder.world import World
from soundflow.errors import DataError
from tests.data_builder.subtasks.scenes import fake_world

SR = 16_000


def tone(seconds: float, hz: float = 440.0, source: str = "a.wav", label: str = "siren") -> Clip:
    audio = np.sin(2 * np.pi * hz * np.arange(int(seconds * SR)) / SR).astype(np.float32)
    return Clip(audio, label, "event", source, "CC0", "yes", dataset="fake")


def talk(seconds: float, source: str = "tts:1") -> Clip:
    return Clip(tone(seconds).audio, "speech", "speech", source, "fake", "", "Hello there.", "ann", dataset="tts")


def scene(seed: int = 0) -> Scene:
    made = Scene(np.random.default_rng(seed), "proactive_hazard")
    made.plain, made.bed = True, "zero"
    return made


def sample(negative: bool = False, subtask: str = "proactive_hazard") -> Sample:
    return Sample("train-0-000000-000", 0, "train", subtask, SUBTASKS[subtask].ability, negative, 0)


def made(given: Scene, world: World | None = None, negative: bool = False) -> tuple[Sample, np.ndarray]:
    body = sample(negative)
    audio = compose(given, world or fake_world(), body)
    pcm = np.round(audio * 32767).astype(np.int16)
    assert check_sample(body.to_dict(), pcm, SR) == []
    return body, audio


def test_an_item_lies_where_its_event_says() -> None:
    given = scene()
    given.sound(tone(2.0), say="A siren.")
    body, audio = made(given)
    (event,) = body.events
    assert mix.db(audio[: event.onset]) < -100
    assert mix.db(audio[event.onset : event.offset]) > -40
    assert mix.db(audio[event.offset :]) < -100
    assert event.evidence_end == event.onset + int(1.2 * SR)
    assert body.responses[0].due_chunk * CHUNK <= event.evidence_end + 240 * 16


def test_overlap_and_near_follow_ups_are_kept_when_the_scene_is_stretched() -> None:
    for seed in range(10):
        given = scene(seed)
        first = given.talk(talk(2.0), say="Yes?")
        given.sound(tone(0.5, source="b.wav", label="dog"), avoid="benign sound", over=first, into=0.7)
        given.talk(talk(1.0, "tts:2"), avoid="side talk", after=(0.3, 0.6))
        body, _ = made(given)
        one, two = body.speech
        assert body.events[0].onset - one.onset == int(0.7 * SR)
        assert 0.3 * SR <= two.onset - one.offset <= 0.6 * SR + 1


def test_each_clock_is_labelled_by_its_rule() -> None:
    given = scene()
    first = given.talk(talk(3.0), say=Say("One.", clock="clause", at=1.0))
    first.says.append(Say("Done.", clock="timer", at=5.0))
    given.sound(tone(2.5, label="rain"), say=Say("Over.", clock="end"))
    body, _ = made(given)
    by_clock = {r.clock: r for r in body.responses}
    speech, event = body.speech[0], body.events[0]
    assert by_clock["clause"].evidence_end == speech.onset + SR
    assert by_clock["timer"].evidence_end == speech.offset + 5 * SR
    assert by_clock["end"].evidence_end == event.offset
    assert [r.due_chunk for r in body.responses] == sorted(r.due_chunk for r in body.responses)


def test_a_response_knows_what_it_refers_to_and_who_cut_it() -> None:
    given = scene()
    heard = given.sound(tone(1.0, label="dog"), avoid="asked for later")
    ask = given.talk(talk(1.0), say=Say("A dog.", noted=True, refers=[heard]))
    ask.says[0].cut_by = given.talk(talk(0.8, "tts:2"), say="Okay.", after=(1.6, 1.7))
    body, _ = made(given)
    response = body.responses[0]
    assert response.refers_to == [body.events[0].id]
    assert response.cancelled_at == body.speech[1].onset
    assert response.notes == [{"sample": body.events[0].onset, "text": "A dog is barking."}]


def test_everything_that_sounds_is_credited() -> None:
    given = Scene(np.random.default_rng(3), "proactive_hazard")
    clip = tone(1.0)
    clip.extra["parts"] = [{"source": "c.wav", "licence": "CC BY 4.0", "dataset": "fake", "speaker": "cy"}]
    given.sound(clip, say="A siren.")
    given.backdrop = tone(3.0, 200.0, "b.wav", "music")
    given.bed = tone(9.0, 100.0, "bed.ogg", "places/cafe")
    body, _ = made(given)
    assert {"a.wav", "b.wav", "c.wav", "bed.ogg"} <= {s["source"] for s in body.sources}
    assert body.licences == sorted({s["licence"] for s in body.sources})
    babble = 0
    for seed in range(60):
        given = Scene(np.random.default_rng(seed), "proactive_hazard")
        given.sound(tone(1.0), say="A siren.")
        body, _ = made(given)
        if any(g["kind"] == "babble" for g in body.mix.get("gaps", ())):
            babble += 1
            assert sum(s["dataset"] not in ("fake", "synth") for s in body.sources) >= 2
    assert babble


def test_a_gap_of_silence_is_zeros_to_the_end() -> None:
    found = 0
    for seed in range(80):
        given = Scene(np.random.default_rng(seed), "proactive_hazard")
        given.sound(tone(1.0), say="A siren.")
        body, audio = made(given)
        for gap in body.mix.get("gaps", ()):
            if gap["kind"] == "silence":
                found += 1
                assert not audio[gap["onset"] : gap["offset"]].any()
    assert found


def test_the_background_keeps_its_distance() -> None:
    for seed in range(12):
        given = scene(seed)
        given.bed, given.noise_db = "drawn", (10.0, 12.0)
        given.sound(tone(2.0), say="A siren.")
        body, audio = made(given)
        event = body.events[0]
        quiet = mix.db(audio[: event.onset]) if event.onset > 3200 else mix.db(audio[event.offset :])
        loud = mix.db(audio[event.onset : event.offset])
        assert 6 < loud - quiet < 18


def test_negatives_may_be_left_out_to_fit_but_nothing_that_others_hang_on() -> None:
    given = scene()
    first = given.sound(tone(25.0, label="rain"), avoid="benign sound")
    given.sound(tone(25.0, source="b.wav", label="wind"), avoid="benign sound")
    given.talk(talk(2.0), say=Say("Rain.", refers=[first]))
    given.sound(tone(15.0, source="c.wav", label="dog"), avoid="benign sound")
    body, audio = made(given)
    assert len(audio) <= MAX_CHUNKS * CHUNK
    assert "a.wav" in {e.source for e in body.events}
    given = scene()
    given.fixed = True
    for k in range(4):
        given.sound(tone(20.0, source=f"{k}.wav"), say="A siren.")
    with pytest.raises(DataError, match="at most 60"):
        made(given)


def test_two_responses_in_one_chunk_are_refused() -> None:
    given = scene()
    first = given.sound(tone(2.0), say="One.")
    given.sound(tone(2.0, source="b.wav", label="alarm"), say="Two.", over=first, into=0.0)
    refused: list[str] = []
    for seed in range(20):
        given.rng = np.random.default_rng(seed)
        try:
            compose(given, fake_world(), sample())
        except DataError as error:
            refused.append(str(error))
    assert refused
    assert all("a chunk for each response" in text for text in refused)
