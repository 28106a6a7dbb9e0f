"""Calibration, and onset and offset of sounds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.labels import (
    ALERTING,
    GENERIC,
    MUSIC,
    NOT_OF_YAMNET,
    SPEECH,
    UNREPORTED,
    display_name,
    group_of,
)
from soundflow.perceive.names import _NAMES
from soundflow.perceive.sound import labels
from soundflow.perceive.tags import SoundEvents, SoundEventsConfig, TagCalibration
from soundflow.types import FloatArray, Sound

N = 6400
LABELS = (
    *("Animal", "Dog", "Bark", "Glass", "Chink, clink", "Shatter", "Silence", "Smoke detector, smoke alarm"),
    *("Rain", "Wind", "Clapping", "Typing"),
)


def _p(**values: float) -> FloatArray:
    """Probabilities by the first word of the label."""
    first = {label.split(",")[0].split()[0].lower(): i for i, label in enumerate(LABELS)}
    p = np.full(len(LABELS), 0.01, np.float32)
    for name, value in values.items():
        p[first[name]] = value
    return p


def _run(chunks: list[FloatArray], config: SoundEventsConfig | None = None) -> list[tuple[Sound, ...]]:
    events = SoundEvents(LABELS, N, config)
    state = events.init_state()
    return [events.step(p, i, state) for i, p in enumerate(chunks)]


def _say(found: list[tuple[Sound, ...]]) -> list[tuple[int, str, int, int | None]]:
    return [
        (i, s.label, s.onset // N, None if s.offset is None else s.offset // N)
        for i, sounds in enumerate(found)
        for s in sounds
    ]


def test_onset_is_back_dated_and_offset_after_two_chunks() -> None:
    found = _run([_p(rain=x) for x in (0.1, 0.25, 0.3, 0.6, 0.8, 0.1, 0.3, 0.1, 0.1, 0.0)])
    assert _say(found) == [(3, "Rain", 1, None), (8, "Rain", 1, 7)]
    assert found[3][0].p == pytest.approx(0.6)
    assert found[8][0].p == pytest.approx(0.8), "the highest"


def test_back_dating_is_bounded() -> None:
    found = _run([_p(rain=0.3)] * 50 + [_p(rain=0.9)])
    assert _say(found) == [(50, "Rain", 40, None)]


def test_a_rise_that_never_passes_on_is_nothing() -> None:
    assert _say(_run([_p(rain=0.39)] * 10)) == []


def test_scenes_are_never_reported() -> None:
    assert _say(_run([_p(silence=1.0)] * 3)) == []


def test_a_child_silences_its_parent_until_it_is_quiet_itself() -> None:
    found = _run(
        [
            _p(animal=0.9),
            *[_p(animal=0.9, dog=0.8)] * 2,
            *[_p(animal=0.9)] * 4,
            *[_p()] * 2,
            _p(animal=0.9),
            *[_p()] * 2,
        ]
    )
    assert _say(found) == [
        (0, "Animal", 0, None),
        (1, "Animal", 0, 1),
        (1, "Dog", 1, None),
        (4, "Dog", 1, 3),
        (9, "Animal", 9, None),
        (11, "Animal", 9, 10),
    ]


def test_an_alerting_parent_yields_only_to_an_alerting_child() -> None:
    assert [row[1] for row in _say(_run([_p(glass=0.9, chink=0.8)]))] == ["Glass", "Chink, clink"]
    assert [row[1] for row in _say(_run([_p(glass=0.9, shatter=0.8)]))] == ["Shatter"]


def test_places_are_bounded_and_an_alarm_takes_one() -> None:
    config = SoundEventsConfig(max_active=2)
    found = _run(
        [
            _p(rain=0.9, wind=0.5, typing=0.45),
            _p(rain=0.9, wind=0.5, typing=0.45, smoke=0.6),
            *[_p(rain=0.9, wind=0.5, typing=0.45, smoke=0.6)] * 2,
            *[_p(wind=0.5, smoke=0.6)] * 2,
        ],
        config,
    )
    assert _say(found) == [
        (0, "Rain", 0, None),
        (0, "Wind", 0, None),
        (1, "Wind", 0, 1),
        (1, "Smoke detector, smoke alarm", 1, None),
        (5, "Rain", 0, 4),
    ], "the weakest made room, what waited got none, and wind does not come back in the same run"


def test_flush_ends_what_goes_on() -> None:
    events = SoundEvents(LABELS, N)
    state = events.init_state()
    events.step(_p(rain=0.9, wind=0.6), 0, state)
    events.step(_p(rain=0.9), 1, state)
    assert events.going_on(state) == ("Rain", "Wind")
    assert [(s.label, s.offset) for s in events.flush(2 * N, state)] == [("Rain", 2 * N), ("Wind", N)]
    assert events.going_on(state) == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(5, 40))
def test_every_onset_has_one_offset_and_places_are_kept(seed: int, places: int, chunks: int) -> None:
    rng = np.random.default_rng(seed)
    events = SoundEvents(LABELS, N, SoundEventsConfig(max_active=places))
    state, twin = events.init_state(), events.init_state()
    open_: dict[str, int] = {}
    for i in range(chunks):
        p = rng.choice([0.05, 0.25, 0.5, 0.9], len(LABELS)).astype(np.float32)
        twin.restore(state.snapshot())
        found = events.step(p, i, state)
        assert found == events.step(p, i, twin), "a restored state goes on alike"
        for sound in found:
            if sound.offset is None:
                assert sound.label not in open_
                assert sound.onset <= i * N
                open_[sound.label] = sound.onset
            else:
                assert open_.pop(sound.label) == sound.onset <= sound.offset <= i * N
        assert len(state.active) <= places
    for sound in events.flush(chunks * N, state):
        assert open_.pop(sound.label) == sound.onset
    assert not open_
    state.reset()
    assert not state.active
    assert (state.run_start == -1).all()


def test_bad_events_input() -> None:
    events = SoundEvents(LABELS, N)
    with pytest.raises(AudioFormatError, match=r"\[12\]"):
        events.step(np.zeros(521, np.float32), 0, events.init_state())
    with pytest.raises(AudioFormatError, match="finite"):
        events.step(np.full(len(LABELS), np.nan, np.float32), 0, events.init_state())
    with pytest.raises(ConfigError):
        SoundEvents(LABELS, 0)
    for bad in ({"on": 0.1}, {"off": 0.0}, {"max_active": 0}, {"offset_chunks": 0}, {"backdate_chunks": -1}):
        with pytest.raises(ConfigError):
            SoundEventsConfig(**bad)  # type: ignore[arg-type]


def test_identity_calibration_keeps_scores_within_half_a_step() -> None:
    scores = np.tile(np.linspace(0, 1, 257, dtype=np.float32)[:, None], (1, 521))
    np.testing.assert_allclose(TagCalibration.identity()(scores), scores, atol=1 / 512 + 1e-6)


def test_calibration_is_monotonic_and_survives_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made = TagCalibration(
        rng.uniform(0.5, 2, 521).astype(np.float32).round(4), rng.normal(0, 1, 521).astype(np.float32).round(4)
    )
    path = tmp_path / "tags.json"
    made.save(path)
    read = TagCalibration.load(path)
    np.testing.assert_array_equal(read.a, made.a)
    np.testing.assert_array_equal(read.b, made.b)
    p = read(np.tile(np.linspace(0, 1, 50, dtype=np.float32)[:, None], (1, 521)))
    assert (np.diff(p, axis=0) >= 0).all()
    assert read(np.full(521, 0.5, np.float32))[0] == pytest.approx(1 / (1 + np.exp(-made.b[0])), abs=1e-6)


def test_a_wrong_calibration_file_names_itself_and_the_key(tmp_path: Path) -> None:
    path = tmp_path / "tags.json"
    good = {"format": "soundflow-tag-calibration-1", "a": [1.0] * 521, "b": [0.0] * 521}
    for wrong, reason in (
        ({**good, "extra": 1}, "extra"),
        ({k: v for k, v in good.items() if k != "a"}, "expected the keys"),
        ({**good, "format": "other"}, "format"),
        ({**good, "a": [1.0] * 520}, "520"),
        ({**good, "a": [-1.0] * 521}, "a >= 0"),
        ({**good, "b": [None] * 521}, "a, b"),
        ({**good, "b": ["x"] * 521}, "a, b"),
        ([], "list"),
    ):
        path.write_text(json.dumps(wrong))
        with pytest.raises(ConfigError, match=rf"tags\.json.*{reason}"):
            TagCalibration.load(path)
    path.write_text("{")
    with pytest.raises(ConfigError, match="JSON"):
        TagCalibration.load(path)


@pytest.mark.weights
def test_every_name_is_a_label(nano_parts: Path) -> None:
    known = set(labels(nano_parts / "sound" / "yamnet.tflite"))
    alerting = {label for group in ALERTING.values() for label in group}
    children = {label for below in GENERIC.values() for label in below}
    named = alerting | children | set(GENERIC) | MUSIC | SPEECH | UNREPORTED | set(_NAMES)
    assert named - known == NOT_OF_YAMNET
    for label in known:
        said = display_name(label)
        assert said
        assert len(said) <= 45
        assert "(" not in said


def test_groups_do_not_overlap() -> None:
    every = [label for group in ALERTING.values() for label in group]
    assert len(every) == len(set(every))
    assert not set(every) & UNREPORTED
    assert group_of("Smoke detector, smoke alarm") == "alarm"
    assert group_of("Dog") is None


def test_parents_hold_the_children_of_their_children_and_no_circle() -> None:
    for parent, children in GENERIC.items():
        assert parent not in children
        for child in children:
            assert set(GENERIC.get(child, ())) <= set(children), (parent, child)


def test_names() -> None:
    assert display_name("Smoke detector, smoke alarm") == "a smoke alarm"
    assert display_name("Bark") == "a dog barking"
    assert display_name("Shatter") == "glass breaking"
    assert display_name("Kettle (whistling), pot") == "the sound of kettle"
    known = {label for parent, children in GENERIC.items() for label in (parent, *children)}
    assert not {label for label in known - NOT_OF_YAMNET if label not in _NAMES}
    assert sum(label in _NAMES for group in ALERTING.values() for label in group) == sum(map(len, ALERTING.values()))
