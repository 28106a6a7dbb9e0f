"""What a whole sound is, learned from recordings by themselves and from events of streams."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import soundfile as sf
from typer.testing import CliRunner

import training.cli
from soundflow.errors import DataError
from soundflow.perceive.among import seen
from soundflow.perceive.named import FILE, NamedSounds
from soundflow.tiers import nano
from tests.training.test_named_sounds import CHUNK, stream
from training import whole_names
from training.features import Features
from training.own_clips import Ear

RATE = 16_000


def examples(count: int, seed: int = 0) -> list[tuple[str, np.ndarray]]:
    """A whistle is high in one number and an owl in another."""
    rng = np.random.default_rng(seed)
    return [
        (name, seen((rng.uniform(0, 0.3, (3, 8)) + np.eye(8)[k]).astype(np.float32)))
        for _ in range(count)
        for name, k in (("whistle", 1), ("owl", 4))
    ]


def test_it_tells_them_apart_and_leaves_out_what_is_rare():
    among = whole_names.fit([*examples(20), ("rain", np.ones(8, np.float32))])
    assert among.classes == ("owl", "whistle")
    for name, x in examples(10, seed=1):
        assert np.exp(among.log_p(x))[among.classes.index(name)] > 0.9


def test_one_class_is_none_to_choose_from():
    with pytest.raises(DataError, match="two classes with 6 examples"):
        whole_names.fit([x for x in examples(20) if x[0] == "owl"])


def test_events_of_streams_are_taken_where_nothing_else_sounds():
    sample, heard = stream(0)
    found = list(whole_names.events([(sample, heard)], {"whistle", "owl"}))
    assert [name for name, _ in found] == ["whistle", "owl"]
    assert [int(x.argmax()) for _, x in found] == [3, 7]
    assert [name for name, _ in whole_names.events([(sample, heard)], {"owl"})] == ["owl"]
    sample["events"].append({"label": "rain", "onset": 6 * CHUNK, "offset": 7 * CHUNK})
    assert [name for name, _ in whole_names.events([(sample, heard)], {"whistle", "owl"})] == ["owl"]


def test_a_long_event_counts_by_its_first_chunks_as_a_whole_sound_does():
    sound = np.zeros((40, 4), np.float16)
    sound[:12, 0], sound[12:, 1] = 1.0, 1.0
    heard = Features(np.zeros((40, 5), np.float16), sound, np.zeros((40, 4), np.float16), [], [])
    sample = {"events": [{"label": "owl", "onset": 0, "offset": 40 * CHUNK}]}
    ((_, x),) = whole_names.events([(sample, heard)], {"owl"})
    assert x.tolist() == [1, 0, 0, 0]


@pytest.fixture
def folder(tmp_path):
    """Two train events, one of them too short, and rows that are not to be heard."""
    rows = [("a.wav", "train", "event", "owl", "yes"), ("b.wav", "train", "event", "rain", "yes")]
    rows += [("c.wav", "dev", "event", "owl", "yes"), ("d.wav", "train", "event", "owl", "no")]
    rows += [("e.wav", "train", "music", "flute", "yes"), ("f.wav", "train", "event", "spaceship", "yes")]
    rng = np.random.default_rng(0)
    for name, *_ in rows:
        sf.write(tmp_path / name, 0.1 * rng.standard_normal(800 if name == "b.wav" else RATE), RATE)
    with (tmp_path / "index.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([("path", "split", "kind", "label", "open"), *rows])
    return tmp_path


@pytest.mark.weights
def test_recordings_are_heard_in_several_takes(folder):
    said: list[str] = []
    found = list(whole_names.recordings(folder, Ear(nano.parts().sound), {"owl", "rain", "music"}, said.append))
    assert sorted(name for name, _ in found) == ["music"] * 3 + ["owl"] * 3
    assert all(x.shape == (1024,) for _, x in found)
    (line,) = said
    assert "b.wav" in line
    with pytest.raises(DataError, match="openly licensed train events"):
        list(whole_names.recordings(folder, Ear(nano.parts().sound), {"dog"}, said.append))


@pytest.mark.weights
def test_the_command_needs_heads_and_keeps_them(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(whole_names, "LEAST", 2)
    out, run = tmp_path / FILE, CliRunner().invoke
    command = ["whole-names", "--audio", str(folder), "--out", str(out), "--heads"]
    empty = tmp_path / "none"
    empty.mkdir()
    assert "a named.safetensors was expected" in str(
        run(training.cli.app, [*command, str(empty), str(tmp_path)]).exception
    )
    monkeypatch.setattr("training.features.load_all", lambda *_: [])
    done = run(training.cli.app, [*command, str(nano.ADAPTER), str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "2 classes; 0 events of streams, 6 takes" in done.output
    made, before = NamedSounds.load(tmp_path), NamedSounds.load(nano.ADAPTER)
    assert made is not None
    assert before is not None
    assert made.among is not None
    assert made.among.classes == ("music", "owl")
    assert np.array_equal(made.weight, before.weight)
