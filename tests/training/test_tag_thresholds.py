"""Thresholds are found where they are known, on the scale of the model that heard; and go where the model goes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import training.cli
from soundflow.errors import ConfigError, DataError
from soundflow.perceive.tags import TagCalibration
from soundflow.perceive.thresholds import Thresholds
from soundflow.scoring import Outcome
from soundflow.tiers import random
from soundflow.tiers.kit import kit
from soundflow.tiers.pretrained import from_pretrained
from training import heard_by
from training.adapters import AdapterConfig
from training.calibrate import fit_tags
from training.export import export
from training.features import Features
from training.kits import trainable
from training.sequence import SequenceBuilder
from training.tag_groups import columns
from training.tag_thresholds import KEPT, best_floor, fit, hits, speech_segments

CHUNK = 6_400
LABELS = ("Dog", "Bark", "Siren", "Speech", "Whispering", "Silence")
DOG, SIREN, SPEECH = 0, 2, 3
IDENTITY = TagCalibration.identity(len(LABELS))
RUNNER = CliRunner()


def stream(scale: float = 1.0, number: int = 0, labels: tuple[str, ...] = LABELS) -> tuple[dict, Features]:
    """A dog from chunk 5 to 14 with a quiet middle, a siren from 20 to 25, and between them what only sounds alike."""
    dog, siren, speech = (labels.index(LABELS[i]) for i in (DOG, SIREN, SPEECH))
    tags = np.full((40, len(labels)), 0.003)
    tags[5:15, dog], tags[8:11, dog] = 0.62 * scale, 0.2 * scale
    tags[20:26, siren] = 0.7 * scale
    tags[30:34, dog] = tags[14:18, siren] = 0.48 * scale
    tags[0:4, speech] = 0.8 - 0.01 * number  # a segment in which somebody speaks, and one in which nobody does
    tags[34:38, speech] = 0.3 + 0.01 * number
    at = {"dog": (5, 15), "siren": (20, 26), "vacuum": (30, 34)}
    sample = {
        "id": f"s{number}",
        "events": [{"label": k, "onset": a * CHUNK, "offset": b * CHUNK} for k, (a, b) in at.items()],
        "speech": [{"id": "u0", "source": "none", "onset": 0, "offset": 4 * CHUNK}],
    }
    segments = [(0, 4 * CHUNK), (34 * CHUNK, 38 * CHUNK)]
    none = np.zeros((40, 4), np.float16)
    return sample, Features(tags.astype(np.float16), none, none, segments, [3, 37])


@pytest.mark.parametrize(("scale", "on", "off"), [(1.0, (0.48, 0.62), 0.2), (0.1, (0.048, 0.062), 0.02)])
def test_the_fit_finds_the_known_best_on_any_scale(scale, on, off):
    """`on` between what is alike and what is there; `off` below the quiet middle, or one dog is told as two."""
    found = fit([stream(scale, n) for n in range(12)], LABELS, IDENTITY)
    assert on[0] < found.thresholds.on <= on[1]
    assert found.thresholds.off <= off
    assert found.after == 1.0 > found.before
    assert found.events == 24
    assert found.speech == (12, 12)
    assert found.accuracy == 1.0
    assert 0.42 < found.thresholds.speech_floor < 0.68


def test_the_scale_of_the_calibration_is_the_one_that_counts():
    """Scores that are doubled in log-odds: the thresholds move with them, the floor of raw speech does not."""
    items = [stream(1.0, n) for n in range(12)]
    steep = TagCalibration(2 * IDENTITY.a, IDENTITY.b, Thresholds(on=0.9))
    found, plain = fit(items, LABELS, steep), fit(items, LABELS, IDENTITY)
    assert 0.46 < found.thresholds.on <= 0.727
    assert found.thresholds.off <= 0.059
    assert found.after == 1.0
    assert found.thresholds.speech_floor == plain.thresholds.speech_floor


def test_a_floor_is_fitted_on_enough_segments_of_a_model_with_words_only():
    few = fit([stream(1.0, n) for n in range(9)], LABELS, IDENTITY)
    assert (few.thresholds.speech_floor, few.accuracy, few.speech) == (0.25, None, (9, 9))
    silent = fit([stream(1.0, n) for n in range(12)], LABELS, IDENTITY, words=False)
    assert (silent.thresholds.speech_floor, silent.accuracy, silent.speech) == (0.25, None, (0, 0))


def test_a_floor_leaves_nearly_all_speech():
    """Best balanced accuracy would be at 0.55, and lose a tenth of what was said."""
    spoken = [Outcome(True, False, 0.1 + 0.001 * n if n < 10 else 0.6, "speech", str(n)) for n in range(100)]
    other = [Outcome(False, False, 0.5, "other", str(n)) for n in range(100)]
    floor = best_floor([*spoken, *other])
    assert np.mean([o.score >= floor for o in spoken]) >= KEPT
    assert 0.1 < floor < 0.11
    assert 0.5 < best_floor([*spoken[10:], *other]) < 0.6


def test_a_segment_scores_the_mean_of_its_chunks_as_the_words_channel_does():
    sample, features = stream(1.0, 3)
    spoken, other = speech_segments(sample, features, LABELS)
    assert (spoken.respond, other.respond) == (True, False)
    assert spoken.score == pytest.approx(0.77, abs=1e-3)
    assert other.score == pytest.approx(0.33, abs=1e-3)
    open_end = replace(features, segments=[(36 * CHUNK, 10**9)], stop_chunks=[-1])
    assert speech_segments(sample, open_end, LABELS)[0].score == pytest.approx((2 * 0.33 + 2 * 0.003) / 4, abs=1e-3)


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ([(0, 100_000)], 1),
        ([(12_800, 112_800)], 1),
        ([(12_801, 100_000)], 0),
        ([(0, 79_000)], 0),
        ([(0, 50_000), (50_001, 100_000)], 0),
        ([(1_000, 100_000), (401_000, 480_000)], 2),
    ],
)
def test_an_event_is_right_within_its_collar_and_once(told, count):
    """0.8 s, or of the end a fifth of 6.25 s: 20,000 samples."""
    assert hits([(0, 100_000), (400_000, 500_000)], told) == count


def test_without_events_or_known_names_nothing_is_fitted():
    sample, features = stream()
    with pytest.raises(DataError, match=r"events of .*dog"):
        fit([(sample | {"events": []}, features)], LABELS, IDENTITY)
    with pytest.raises(DataError, match="labels of AudioSet"):
        columns(("a", "b"))


def test_the_scale_is_fitted_with_the_classes_that_are_known():
    """A class has the score 0.5 in four fifths of its own clips and in a fifth of the others', and 0.1 elsewhere."""
    groups = ["dog", "siren"] * 100
    scores = np.full((200, len(LABELS)), 0.1)
    for row, group in enumerate(groups):
        right = row % 10 < 8
        scores[row, DOG if (group == "dog") == right else SIREN] = 0.5
    made = fit_tags(scores, LABELS, groups)
    p = made(np.array([0.5, 0.1] * 3, np.float32))
    np.testing.assert_allclose(p[:2], [0.8, 0.2], atol=0.01)


def test_training_notes_the_sounds_that_the_model_would_tell_of():
    """Of a question's history: what the siren's tag says at 0.48 is noted by a model that tells of it."""
    _, features = stream()
    noted = []
    for on in (0.3, 0.6):
        thresholds = replace(IDENTITY, thresholds=Thresholds(on=on))
        made = SequenceBuilder(None, {}, LABELS, calibration=thresholds)
        noted.append([chunk for chunk, _ in made.sound_notes(features, 7)])
    assert noted == [[7 + 5, 7 + 14, 7 + 20, 7 + 30], [7 + 5, 7 + 20]]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return random.write("base", tmp_path_factory.mktemp("tags") / "base")


def cached(folder, model, scale, confused=False):
    """Streams as `soundflow train features --model` would leave them; `confused`: every fourth dog is a siren's."""
    folder.mkdir()
    arrays, rows = {}, []
    for number in range(12):
        sample, heard = stream(scale, number, random.LABELS)
        if confused and number % 4 == 0:
            for event in sample["events"]:
                event["label"] = {"dog": "siren", "siren": "dog"}.get(event["label"], event["label"])
        rows.append(json.dumps(sample | {"vad": {"segments": heard.segments, "stop_chunks": heard.stop_chunks}}))
        arrays |= {f"{n}_{number}": getattr(heard, n) for n in ("tags", "sound", "speech")}
    np.savez(folder / "0.npz", **arrays)
    (folder / "0.jsonl").write_text("\n".join(rows) + "\n")
    heard_by.mark(folder, model)
    return folder


def run(*arguments):
    return RUNNER.invoke(training.cli.app, ["calibrate-tags", *(str(x) for x in arguments)])


def test_the_command_fits_what_any_model_heard(model, tmp_path):
    train, dev = cached(tmp_path / "train", model, 0.3, confused=True), cached(tmp_path / "dev", model, 0.3)
    made = run(train, tmp_path / "tags.json", "--model", model, "--dev", dev)
    assert made.exit_code == 0, made.exception
    assert "F1 1.000" in made.output
    assert "speech from 0.25 on (as of nano: 0 segments" in made.output  # this model reads no words
    found = TagCalibration.load(tmp_path / "tags.json")
    assert len(found.a) == len(random.LABELS)
    low, high = found(np.array([0.48 * 0.3, 0.62 * 0.3] * (len(found.a) // 2 + 1), np.float32)[: len(found.a)])[:2]
    assert low < found.thresholds.on <= high
    assert found.thresholds != Thresholds()
    scale_only = run(train, tmp_path / "scale.json", "--model", model)
    assert scale_only.exit_code == 0
    assert TagCalibration.load(tmp_path / "scale.json").thresholds == Thresholds()
    np.testing.assert_array_equal(TagCalibration.load(tmp_path / "scale.json").a, found.a)


def test_the_command_refuses_what_another_model_heard(model, tmp_path):
    train = cached(tmp_path / "train", model, 1.0)
    other = cached(tmp_path / "other", random.write("base", tmp_path / "m", seed=1), 1.0)
    for arguments in ((other, "--model", model), (train, "--model", model, "--dev", other), (train,)):
        refused = run(arguments[0], tmp_path / "tags.json", *arguments[1:])
        assert isinstance(refused.exception, ConfigError)
        assert "heard by" in str(refused.exception)
    assert not (tmp_path / "tags.json").exists()


@pytest.mark.parametrize("where", ["model", "run"])
def test_an_export_takes_them_along(model, tmp_path, where):
    """Of the model folder, as they belong to its encoders; or of the run, where some were fitted since."""
    folder, best = shutil.copytree(model, tmp_path / "m"), tmp_path / "run" / "best"
    own = kit(folder)
    trainable(own, AdapterConfig(rank=2, alpha=4, dropout=0.0), torch.float32).save(best, 400, {})
    (best / "config.json").write_text(json.dumps({"model": str(folder)}))
    (best / "gate.json").write_text("{}")
    plain, fitted = (
        replace(TagCalibration.identity(len(own.labels)), thresholds=t)
        for t in (Thresholds(0.6), Thresholds(0.1, 0.05))
    )
    plain.save(folder / "tags.json")
    if where == "run":
        fitted.save(best / "tags.json")
    export(tmp_path / "run", tmp_path / "made")
    made = from_pretrained(tmp_path / "made", dtype=torch.float32).perceiver.calibration
    assert made.thresholds == (fitted if where == "run" else plain).thresholds
