"""The set of dev recordings: the same for a seed, dev alone, nothing alike among the choices."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.corpus import Row, read_index
from benchmarks.understand import questions, recipe
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError
from tests.benchmarks.fakes import COLUMNS, beeps, hiss

EVENTS = ("alarm", "siren", "dog", "rooster", "bell", "church_bells", "rain", "home_background")
MUSIC = ("music_cello", "music_flute", "music_hi_hat", "music_violin_or_fiddle")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips a class of both splits; classes of four and more give one to the dial, so three stay in dev."""
    root, lines = tmp_path_factory.mktemp("audio"), []

    def add(split: str, dataset: str, kind: str, label: str, text: str, k: int) -> None:
        name = f"{split}_{dataset}_{label or text}_{k}.wav"
        soundfile.write(root / name, beeps(1.0, 500.0 + 100 * k) + hiss(1.0, k), SAMPLE_RATE_HZ)
        row = dict.fromkeys(COLUMNS, "") | {"path": name, "dataset": dataset, "split": split, "kind": kind}
        lines.append(row | {"label": label, "text": text, "open": "yes", "seconds": "1.0", "speaker": f"s{k}"})

    for split in ("dev", "train"):
        for k in range(3):
            for label in EVENTS:
                add(split, "fake", "event", label, "", k)
            for label in MUSIC:
                add(split, "fake", "music", label, "", k)
            for text in ("one", "left", "cat", "house", "happy"):
                add(split, "speech_commands_subset", "speech", "", text, k)
    with (root / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    return root


def test_the_set_is_in_mmaus_format_and_the_same_for_a_seed(folder: Path, tmp_path: Path) -> None:
    index = read_index(folder)
    paths = [recipe.build(index, folder, tmp_path / name, 5, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    texts = [p.read_text() for p in paths]
    assert texts[0] == texts[1] != texts[2]
    entries = questions.read(paths[0])
    assert [e["sub-category"] for e in entries[::5]] == list(recipe.LABEL.values())
    for entry in entries:
        one, other = (questions.load(p.parent / entry["audio_id"]) for p in paths[:2])
        np.testing.assert_array_equal(one, other)
        assert entry["answer"] in entry["choices"]
        assert questions.answer_index(entry) is not None
        assert len(entry["choices"]) == (2 if entry["sub-category"] == recipe.LABEL["order"] else 4)


def test_dev_recordings_alone_and_no_choices_that_are_alike(folder: Path) -> None:
    rows = read_index(folder)
    dev = {r.path for r in rows if r.split == "dev"}
    made = recipe.entries(rows, 30, 0)
    assert {p for e in made for p in e["recordings"]} <= dev
    names = {recipe.shown(n): n for n in (*EVENTS, *MUSIC)}
    for entry in made:
        labels = [names.get(c, c) for c in entry["choices"]]
        assert not any(recipe.alike(a, b) for i, a in enumerate(labels) for b in labels[:i]), entry["choices"]
        assert "Home background" not in entry["choices"]
    places = [e["choices"].index(e["answer"]) for e in made if len(e["choices"]) == 4]
    assert len(set(places)) == 4, "the right answer stands everywhere"
    firsts = [e["recordings"][0] for e in made if e["sub-category"] == recipe.LABEL["sound"]]
    assert len(firsts) == len(set(firsts)), "a recording is asked about once"


def test_the_first_of_two_sounds_is_first_in_the_audio(folder: Path) -> None:
    entry = next(e for e in recipe.entries(read_index(folder), 3, 0) if len(e["recordings"]) == 2)
    item = recipe.stream(entry)
    assert [p.path for p in item.parts] == entry["recordings"]
    assert entry["answer"] == recipe.shown(entry["recordings"][0].split("_fake_")[1].rsplit("_", 1)[0])


def test_kinds_without_enough_classes_are_left_out(folder: Path) -> None:
    rows = [r for r in read_index(folder) if r.kind == "music"]
    assert {e["sub-category"] for e in recipe.entries(rows, 3, 0)} == {recipe.LABEL["instrument"]}
    some: list[Row] = rows[:1]
    with pytest.raises(DataError, match="at least 4 classes"):
        recipe.entries(some, 3, 0)


def test_a_recording_that_is_gone_keeps_its_question(folder: Path, tmp_path: Path) -> None:
    index = read_index(folder)
    lost = next(e for e in recipe.entries(index, 2, 0))
    audio = tmp_path / "audio"
    audio.mkdir()
    for path in folder.iterdir():
        if path.name != lost["recordings"][0]:
            (audio / path.name).symlink_to(path)
    made = recipe.build(index, audio, tmp_path / "out", 2, 0)
    assert lost["id"] in {e["id"] for e in json.loads(made.read_text())}
    assert not (made.parent / lost["audio_id"]).exists()
