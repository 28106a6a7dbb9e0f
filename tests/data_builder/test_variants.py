"""Other instructions on the same audio: present ones are answered when due, absent ones never."""

from __future__ import annotations

from typing import Any

import numpy as np

from data_builder.schema import due_chunk
from data_builder.texts.sounds import PHRASES, alike
from data_builder.variants import watch_variants


def _sample(*labels: str, respond: str = "no") -> dict[str, Any]:
    events = [
        {"id": f"e{k}", "label": x, "onset": 20_000 + 40_000 * k, "offset": 50_000 + 40_000 * k,
         "evidence_end": 39_200 + 40_000 * k, "respond": respond}
        for k, x in enumerate(labels)
    ]  # fmt: skip
    return {"events": events, "speech": [], "responses": [], "mix": {"bed": "noise:pink"}}


def _draws(sample: dict[str, Any]) -> list[dict[str, Any]]:
    return [v for seed in range(60) for v in watch_variants(np.random.default_rng(seed), sample)]


def _names(label: str) -> tuple[str, ...]:
    return (PHRASES[label].noun, *PHRASES[label].names)


def test_the_asked_sound_is_answered_when_it_is_due_and_nothing_else() -> None:
    made = _draws(_sample("rooster", "dog"))
    answered = [v for v in made if v["responses"]]
    assert 0.35 < len(answered) / len(made) < 0.65
    for variant in answered:
        (response,) = variant["responses"]
        label = "rooster" if response["trigger"] == "e0" else "dog"
        assert any(name in variant["instruction"] for name in _names(label))
        assert response["due_chunk"] == due_chunk(response["evidence_end"], response["delay_ms"], "sound")
    for variant in made:
        if not variant["responses"]:
            assert not any(f" {name}" in variant["instruction"] for name in ("a rooster", "a dog"))


def test_an_alert_stays_when_something_else_is_asked_for() -> None:
    sample = _sample("siren", respond="yes")
    sample["responses"] = [{"trigger": "e0", "kind": "speak", "due_chunk": 7, "text": "I hear a siren."}]
    made = _draws(sample)
    assert all(len(v["responses"]) == 1 for v in made)
    assert any(v["responses"][0]["text"] == "I hear a siren." for v in made)


def test_nothing_that_could_be_in_the_stream_is_asked_for_as_absent() -> None:
    for variant in _draws(_sample("cat")):
        if not variant["responses"]:
            close = [x for x in PHRASES if alike(x, "cat")]
            assert not any(f" {name}." in variant["instruction"] for x in close for name in _names(x))


def test_streams_with_speech_or_unnamed_sounds_have_none() -> None:
    spoken = {**_sample("cat"), "speech": [{"id": "s0"}]}
    assert _draws(spoken) == []
    assert _draws(_sample("cat", "no such class")) == []
    assert _draws(_sample()) == []
