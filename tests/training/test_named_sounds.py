"""Heads learn what the tags do not say, keep what they do, and are shifted to where they are told of best."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import training.cli
from soundflow.errors import DataError
from soundflow.perceive.named import FILE, NamedSounds, Naming
from soundflow.perceive.tags import TagCalibration
from training import heard_by
from training.features import Features
from training.named_classes import CALLED, CLASSES, UNSURE, class_of, known
from training.named_sounds import NamingConfig, answers, fit, surely

CHUNK = 6_400
LABELS = ("Whistle", "Owl", "Rain", "Speech", "Animal")
IDENTITY = TagCalibration.identity(len(LABELS))


def stream(seed: int, labels: tuple[str, ...] = LABELS, width: int = 16) -> tuple[dict, Features]:
    """A whistle that the tags take for an owl, an owl that they know, and an embedding that tells them apart."""
    rng, owl = np.random.default_rng(seed), labels.index("Owl")
    tags, sound = np.full((30, len(labels)), 0.01), rng.uniform(0, 0.4, (30, width))
    tags[5:9, owl], tags[15:19, owl] = 0.5, 0.7
    sound[5:11, 3] += 3.0  # the windows of two chunks behind it hold some of it
    sound[15:21, 7] += 3.0
    at = {"whistle": (5, 9), "owl": (15, 19)}
    events = [{"label": k, "onset": a * CHUNK, "offset": b * CHUNK} for k, (a, b) in at.items()]
    sample = {"id": f"s{seed}", "events": events, "speech": []}
    return sample, Features(tags.astype(np.float16), sound.astype(np.float16), np.zeros((30, 4), np.float16), [], [])


def test_a_sound_that_the_tags_miss_is_named_by_its_embedding():
    found = fit([stream(k) for k in range(20)], [stream(k) for k in range(50, 55)], LABELS, IDENTITY)
    assert found.classes == 2
    assert found.events == 40
    assert found.before < 0.75  # every owl, and none of the whistles
    assert found.after > 0.95
    _, heard = stream(99)
    p = Naming(found.heads, LABELS)(IDENTITY(heard.tags.astype(np.float32)), heard.sound.astype(np.float32))
    assert p[5:9, 0].min() > 0.3 > p[12:, 0].max()
    assert p[15:19, 1].min() > 0.3 > p[5:9, 1].max()
    assert p[:, 2:].max() < 0.02


def test_a_high_penalty_leaves_the_tags_as_they_are_but_for_the_shift():
    streams = [stream(k) for k in range(20)]
    heads = fit(streams, streams[:5], LABELS, IDENTITY, NamingConfig(penalty=1e3)).heads
    assert np.abs(heads.weight).max() < 0.01
    assert heads.gain == pytest.approx(1.0, abs=0.01)


def test_a_branch_that_knows_more_is_weighed_on_the_other_streams():
    def branched(seed: int, sure: float) -> tuple[dict, Features]:
        sample, heard = stream(seed)
        names = np.full((30, len(CLASSES)), -sure)
        names[5:11, [*CLASSES].index("whistle")] = names[15:21, [*CLASSES].index("owl")] = sure
        tags, sound = np.full_like(heard.tags, 0.01), np.zeros_like(heard.sound)
        return sample, replace(heard, tags=tags, sound=sound, names=names.astype(np.float16))

    train, others = [branched(k, 6.0) for k in range(20)], [branched(k, 2.0) for k in range(50, 55)]
    found = fit(train, others, LABELS, IDENTITY)
    assert found.before == 0.0
    assert found.after > 0.95
    assert found.heads.branch[0] > 1
    assert len({*found.heads.branch.tolist()}) == 1
    assert not fit(train, [stream(50)], LABELS, IDENTITY).heads.branch.any()


def test_chunks_of_which_nothing_is_known_do_not_count():
    sample, heard = stream(0)
    sample["events"] = [
        {"label": "dripping", "onset": 10 * CHUNK, "offset": 14 * CHUNK},
        {"label": "rain", "onset": 20 * CHUNK, "offset": 20 * CHUNK + 900},
    ]
    truth, told = answers(sample, heard, ["water", "rain", "owl"])
    assert truth[:, 0].nonzero()[0].tolist() == [10, 11, 12, 13, 14, 15]  # 0.3 s of it are in the windows behind it
    assert truth[:, 1].nonzero()[0].tolist() == [20, 21]  # all of a short sound
    assert told[:16, 0].all()  # what is held is known
    assert told[20:23, [0, 1]].tolist() == [[0, 1], [0, 1], [0, 0]]  # rain may be water
    assert told[:, 2].all()


def test_too_few_events_are_refused_and_labels_of_another_world_named():
    with pytest.raises(DataError, match="at least 12 events of one of airplane"):
        fit([stream(0)], [stream(1)], LABELS, IDENTITY)
    with pytest.raises(DataError, match=r"labels of AudioSet were expected, such as 'Dog', got \['Hund'\]"):
        known(["Hund"])


def test_no_label_is_in_two_classes_and_every_name_leads_to_one():
    labels = [label for group in CLASSES.values() for label in group]
    assert len(set(labels)) == len(labels)
    assert set(CALLED.values()) <= set(CLASSES)
    assert {name for group in UNSURE.values() for name in group} <= set(CLASSES)
    assert class_of("snoring") == "snore"
    assert class_of("elephant") is None


def test_cached_streams_are_as_sure_as_the_perceiver(tmp_path):
    assert surely(tmp_path, LABELS) is None
    heads = fit([stream(k) for k in range(12)], [stream(50)], LABELS, IDENTITY).heads
    heads.save(tmp_path / FILE)
    IDENTITY.save(tmp_path / "tags.json")
    sure = surely(tmp_path, LABELS)
    _, heard = stream(60)
    half = replace(heads, weight=heads.weight.astype(np.float16).astype(np.float32))
    p = Naming(half, LABELS)(IDENTITY(heard.tags.astype(np.float32)), heard.sound.astype(np.float32))
    assert sure is not None
    assert sure(heard) == pytest.approx(p, abs=1e-6)


def cached(folder, labels: tuple[str, ...], seeds: range):
    """Streams as `soundflow train features` leaves them."""
    folder.mkdir()
    arrays, rows = {}, []
    for number, seed in enumerate(seeds):
        sample, heard = stream(seed, labels, 1024)
        rows.append(json.dumps(sample | {"vad": {"segments": [], "stop_chunks": []}}))
        arrays |= {f"{n}_{number}": getattr(heard, n) for n in ("tags", "sound", "speech")}
    np.savez(folder / "0.npz", **arrays)
    (folder / "0.jsonl").write_text("\n".join(rows) + "\n")
    heard_by.mark(folder, None)
    return folder


@pytest.mark.weights
def test_the_command_writes_heads_that_nano_loads(nano_parts, tmp_path):
    labels = training.cli.nano_labels()
    train, held = cached(tmp_path / "train", labels, range(14)), cached(tmp_path / "held", labels, range(50, 54))
    arguments = ["names", str(train), "--held", str(held), "--out", str(tmp_path / FILE), "--penalty", "1e-5"]
    made = CliRunner().invoke(training.cli.app, arguments)
    assert made.exit_code == 0, made.exception
    assert "2 classes of 28 events" in made.output
    found = NamedSounds.load(tmp_path)
    assert found is not None
    assert [*found.classes] == ["owl", "whistle"]
    assert found.weight.shape == (2, 1024)
