"""Tag-only streams: alerts are answered in time and benign names never, and the drawn tags are what the event says."""

from __future__ import annotations

import random

import numpy as np
import pytest

from soundflow.perceive.labels import ALERTING
from soundflow.perceive.sound import labels
from tests.training.streams import silence
from training.augment import perturbed, without_embedding
from training.features import Features
from training.tag_streams import ALERTS, TagStreams

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def drawn(nano_parts):
    names = labels(nano_parts / "sound" / "yamnet.tflite")
    made = TagStreams(names, [silence(chunks=30, seed=s) for s in range(3)])
    rng = random.Random(0)
    return names, made, [made.draw(rng, 2 * n) for n in range(200)]


def test_half_hold_one_alert_and_the_rest_none(drawn):
    _, _, streams = drawn
    counts = [len(s["responses"]) for s, _ in streams]
    assert set(counts) == {0, 1}
    assert 0.3 < np.mean(counts) < 0.6


def test_the_alert_is_due_when_its_evidence_has_ended_and_its_tags_are_up(drawn):
    names, _, streams = drawn
    for sample, features in streams:
        for response in sample["responses"]:
            event = next(e for e in sample["events"] if e["id"] == response["trigger"])
            assert response["due_chunk"] * 6400 > event["offset"] - 6400
            columns = [names.index(t) for t in ALERTING[event["label"]]]
            first = event["onset"] // 6400
            assert features.tags[first : first + 3, columns].max() > 0.12
            assert response["text"] in ALERTS[event["label"]]


def test_benign_labels_hold_no_alert_and_no_parent_of_one(drawn):
    _, made, _ = drawn
    alerting = {t for tags in ALERTING.values() for t in tags}
    assert not alerting & set(made.benign)
    assert "Cat" in made.benign or "Meow" in made.benign
    assert len(made.benign) > 150


def test_no_sound_embedding_and_the_background_is_not_changed(drawn):
    _, made, streams = drawn
    assert all(not f.sound.any() for _, f in streams)
    assert made.quiet[0].sound.any()
    assert not without_embedding(made.quiet[0]).sound.any()
    assert made.quiet[0].tags.max() < 0.05


def test_perturbing_changes_the_features_a_little_and_nothing_else():
    rng = np.random.default_rng(0)
    tags = rng.random((9, 521)).astype(np.float16)
    before = Features(tags, np.ones((9, 1024), np.float16), np.ones((9, 288), np.float16), [(1, 2)], [3])
    after = perturbed(before, np.random.default_rng(1))
    assert np.corrcoef(after.tags.ravel().astype(float), tags.ravel().astype(float))[0, 1] > 0.9
    assert ((after.tags >= 0) & (after.tags <= 1)).all()
    assert 0.1 < float((after.sound == 0).mean()) < 0.2
    assert after.segments == before.segments
    np.testing.assert_array_equal(after.speech, before.speech)
    same = perturbed(before, np.random.default_rng(1))
    np.testing.assert_array_equal(after.tags, same.tags)


def test_asked_for_sounds_are_answered_by_name(drawn):
    _, made, _ = drawn
    rng = random.Random(3)
    answered = 0
    for number in range(1, 121, 2):
        sample, features = made.draw(rng, number)
        assert (sample["subtask"], bool(sample["instruction"])) == ("watch", True)
        answered += bool(sample["responses"])
        for response in sample["responses"]:
            event = next(e for e in sample["events"] if e["id"] == response["trigger"])
            assert features.tags[event["onset"] // 6400 : event["offset"] // 6400 + 1].max() > 0.1
            assert response["due_chunk"] >= event["offset"] // 6400
    assert 20 < answered < 45
