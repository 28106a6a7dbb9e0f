"""What is likely to be said: every sound that is expected in a request can be waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundflow.perceive.asked import asked_tags
from soundflow.perceive.expected import SOUNDS, requests
from soundflow.perceive.sound import labels as labels_of
from soundflow.perceive.standing import request


@pytest.fixture(scope="module")
def labels(nano_parts: Path) -> tuple[str, ...]:
    return tuple(labels_of(nano_parts / "sound" / "yamnet.tflite"))


@pytest.mark.weights
def test_every_sound_that_is_expected_points_at_labels(labels: tuple[str, ...]) -> None:
    assert [s for s in SOUNDS if not asked_tags(s, labels).any()] == []


@pytest.mark.weights
def test_what_is_meant_by_a_baby_alone_and_beside_more(labels: tuple[str, ...]) -> None:
    def named(text: str) -> set[str]:
        return {x for x, yes in zip(labels, request(text, labels).named, strict=True) if yes}

    assert "Baby cry, infant cry" in named("Tell me when you hear the baby.")
    assert named("Tell me when you hear a baby laughing.") == {"Baby laughter", "Laughter"}
    assert "Bird" in named("Tell me when you hear birdsong.")


def test_requests_are_few_enough_and_none_stands_twice() -> None:
    phrases = list(requests())
    assert len(set(phrases)) == len(phrases) < 8_000
    assert "listen for an alarm" in phrases
