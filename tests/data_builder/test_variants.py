"""Other instructions on the same audio: present ones are answered when due, absent ones never, alerts always."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data_builder.schema import CHUNK, due_chunk, evidence_end
from data_builder.texts.alerts import ALERTS
from data_builder.texts.equipment import EQUIPMENT
from data_builder.texts.sounds import PHRASES, alike
from data_builder.variants import watch_variants

SR = 16_000
Event = tuple[str, float, float, str]  # label, onset and offset in s, policy


def _stream(*events: Event, subtask: str = "proactive_hazard", bed: str = "noise:pink", **mix: Any) -> dict[str, Any]:
    """Its alerting events are answered."""
    made = [
        {"id": f"e{k}", "label": label, "onset": int(on * SR), "offset": int(off * SR),
         "evidence_end": evidence_end(int(on * SR), int(off * SR)), "respond": respond}
        for k, (label, on, off, respond) in enumerate(events)
    ]  # fmt: skip
    answers = [
        {"trigger": e["id"], "kind": "speak", "due_chunk": 7, "text": "Number one."}
        for e in made
        if e["respond"] == "yes"
    ]
    size = 150 * CHUNK
    return {
        "subtask": subtask, "samples": size, "events": made, "speech": [], "responses": answers,
        "mix": {"bed": bed, **mix},
    }  # fmt: skip


def _sample(*labels: str, respond: str = "no", **more: Any) -> dict[str, Any]:
    return _stream(*((x, 1.25 + 2.5 * k, 3.0 + 2.5 * k, respond) for k, x in enumerate(labels)), **more)


def _draws(sample: dict[str, Any], draws: int = 60) -> list[dict[str, Any]]:
    return [v for seed in range(draws) for v in watch_variants(np.random.default_rng(seed), sample)]


def _names(label: str) -> tuple[str, ...]:
    return (PHRASES[label].noun, *PHRASES[label].names)


def _asks(variant: dict[str, Any], label: str) -> bool:
    return any(name in variant["instruction"] for name in _names(label))


def test_the_asked_sound_is_answered_when_it_is_due_and_nothing_else() -> None:
    made = _draws(_sample("rooster", "dog"))
    answered = [v for v in made if v["responses"]]
    assert 0.2 < len(answered) / len(made) < 0.5
    for variant in answered:
        (response,) = variant["responses"]
        label = "rooster" if response["trigger"] == "e0" else "dog"
        assert _asks(variant, label)
        assert response["due_chunk"] == due_chunk(response["evidence_end"], response["delay_ms"], "sound")
    for variant in made:
        if not variant["responses"]:
            assert not any(f" {name}" in variant["instruction"] for name in ("a rooster", "a dog"))


@pytest.mark.parametrize("base", ["proactive_hazard", "narrate_events", "count_events"])
def test_an_alert_stays_in_words_of_its_own_when_something_else_is_asked_for(base: str) -> None:
    made = _draws(_sample("siren", respond="yes", subtask=base))
    texts = [v["responses"][0]["text"] for v in made]
    assert all(len(v["responses"]) == 1 for v in made)
    kept = [text for text in texts if text in ALERTS["siren"]]
    assert len(set(kept)) == len(ALERTS["siren"]) > 1
    for variant, text in zip(made, texts, strict=True):
        assert (text in ALERTS["siren"]) != _asks(variant, "siren")
    assert "Number one." not in texts


def test_a_stream_that_leaves_an_alert_alone_or_tells_it_twice_has_none() -> None:
    sample = _sample("siren", "glass_break", respond="yes")
    assert _draws(sample)
    sample["responses"] = sample["responses"][:1]
    assert _draws(sample) == []
    sample["responses"] *= 2
    sample["responses"][1] = {**sample["responses"][0], "due_chunk": 90}
    sample["events"] = sample["events"][:1]
    assert _draws(sample) == []


def test_a_fault_is_heard_out_whether_it_is_asked_for_or_not() -> None:
    sample = _stream(("dripping", 2.0, 9.0, "yes"), subtask="proactive_equipment")
    made = _draws(sample)
    for variant in made:
        (response,) = variant["responses"]
        assert (response["clock"], response["evidence_end"]) == ("end", 9 * SR)
        assert response["due_chunk"] == due_chunk(9 * SR, response["delay_ms"], "end")
        assert (response["text"] in EQUIPMENT["dripping"]) != _asks(variant, "dripping")
    assert len({_asks(v, "dripping") for v in made}) == 2


@pytest.mark.parametrize(("label", "policy"), [("dog", "no"), ("siren", "yes")])
def test_a_class_is_told_once_in_half_a_minute(label: str, policy: str) -> None:
    sample = _stream(*((label, at, at + 1.5, policy) for at in (1.0, 9.0, 30.9, 31.1, 50.0)))
    told = [tuple(r["trigger"] for r in v["responses"]) for v in _draws(sample)]
    assert set(told) == {("e0", "e3")} | ({()} if policy == "no" else set())


def test_a_sound_that_goes_on_has_none() -> None:
    def stream(second: float) -> dict[str, Any]:
        return _stream(("alarm", 1.0, 34.0, "yes"), ("alarm", second, 38.0, "yes"))

    assert _draws(stream(34.5))
    assert _draws(stream(34.0)) == []


def test_responses_of_a_variant_lie_in_chunks_of_their_own_inside_the_stream() -> None:
    def dues(cow: float) -> list[list[int]]:
        near = _stream(("siren", 0.9, 3.0, "yes"), ("cow", cow, 4.0, "no"), ("scream", 20.0, 22.0, "yes"))
        return [[r["due_chunk"] for r in v["responses"]] for v in _draws(near)]

    assert {len(d) for d in dues(0.95)} == {2}  # siren and cow would fall into one chunk: the cow is not asked for
    assert {len(d) for d in dues(1.6)} == {2, 3}
    assert all(d == sorted(set(d)) for d in dues(1.6))
    late = _stream(("scream", 20.0, 22.0, "yes"))
    assert _draws(late)
    late["samples"] = 21 * SR // CHUNK * CHUNK
    assert _draws(late) == []


def test_nothing_that_could_be_in_the_stream_is_asked_for_as_absent() -> None:
    for variant in _draws(_sample("cat")):
        if not variant["responses"]:
            close = [x for x in PHRASES if alike(x, "cat")]
            assert not any(f" {name}." in variant["instruction"] for x in close for name in _names(x))


@pytest.mark.parametrize(
    "background",
    [
        {"bed": "ambience/1234.ogg"},
        {"bed": "unknown"},
        {"backdrop": {"source": "music:gm-0-0001.flac", "label": "music", "onset": 0, "offset": 90_000}},
        {"gaps": [{"kind": "room_tone", "onset": 0, "offset": 10}, {"kind": "babble", "onset": 90, "offset": 99}]},
    ],
)
def test_where_the_background_may_hold_anything_only_present_sounds_are_asked_for(background: dict[str, Any]) -> None:
    assert any(not v["responses"] for v in _draws(_sample("rooster")))
    made = _draws(_sample("rooster", **background))
    assert made
    assert all(_asks(v, "rooster") and v["responses"] for v in made)


def test_a_sound_that_the_background_holds_too_is_not_asked_for() -> None:
    assert any(_asks(v, "rain") and v["responses"] for v in _draws(_sample("rain")))
    assert _draws(_sample("rain", bed="ambience/1234.ogg")) == []
    assert _draws(_sample("bell", backdrop={"source": "a.ogg", "label": "music", "onset": 0, "offset": 90_000})) == []


@pytest.mark.parametrize(
    "subtask", ["style_format", "translate_to_english", "asr_clean", "change_cancel", "timed", "chat_single", "silence"]
)
def test_streams_of_other_tasks_have_none(subtask: str) -> None:
    assert _draws(_sample("cat", subtask=subtask)) == []


def test_streams_with_speech_or_unnamed_sounds_have_none() -> None:
    spoken = {**_sample("cat"), "speech": [{"id": "s0"}]}
    assert _draws(spoken) == []
    assert _draws(_sample("cat", "no such class")) == []
    assert _draws(_sample()) == []
    assert _draws(_sample("car_crash_skid", respond="yes")) == []  # no words for the alert
