"""What the recipes of sounds make of labels, licences, splits and reserved parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile as sf

from data_builder.corpora.folder import Row, read_index
from data_builder.corpora.recipe import Options, Prepared
from data_builder.corpora.registry import RECIPES
from tests.data_builder.corpora.layouts import LAYOUTS
from tests.data_builder.corpora.tones import quarantine

Run = Callable[[str], tuple[dict[str, Row], Prepared]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run(name)`: rows by the last part of their path, and the summary."""

    def prepare(name: str) -> tuple[dict[str, Row], Prepared]:
        LAYOUTS[name].build(tmp_path / "raw")
        done = RECIPES[name].prepare(tmp_path / "raw", tmp_path / "out", Options())
        return {Path(row.path).stem: row for row in read_index(tmp_path / "out")}, done

    return prepare


def test_esc50_fold_5_is_dev_and_esc10_is_open(run: Run) -> None:
    rows, _ = run("esc50")
    dog, glass, reserved = rows["1-100032-A-0"], rows["3-98869-A-38"], rows["5-9032-A-0"]
    assert (dog.label, dog.respond, dog.open, dog.speaker) == ("dog", "context", True, "freesound:100032")
    assert (glass.label, glass.respond, glass.open) == ("glass_break", "yes", False)
    assert glass.licence == "CC BY-NC 3.0 (ESC-50)"
    assert [row.split == "dev" for row in (dog, glass, reserved)] == [False, False, True]


def test_urbansound8k_fold_10_is_dev_with_all_of_its_recordings(run: Run) -> None:
    rows, done = run("urbansound8k")
    assert rows["100648-1-0-0"].split == "dev"
    assert "100648-1-1-0" not in rows  # fold 9, but cut from a recording of fold 10
    assert rows["102105-3-0-0"].label == "gunshot"
    assert rows["102105-3-0-0"].respond == "yes"
    assert not any(row.open for row in rows.values())
    (told,) = quarantine(done.folder)
    assert "fold 10" in told["reason"]


def test_audioset_strong_events_are_cut_out_and_alone(run: Run) -> None:
    rows, done = run("audioset")
    bark, thunder, weak = rows["b0RFKhbpFJA_30000-000"], rows["s9d-2nhuJCQ_30000-000"], rows["--PJHxphWEs_30000"]
    assert (bark.label, bark.kind, bark.respond) == ("dog", "event", "context")
    assert bark.seconds == pytest.approx(0.4, abs=0.01)
    assert bark.source == "https://youtu.be/b0RFKhbpFJA"
    assert (thunder.label, thunder.split) == ("thunder", "dev")
    assert thunder.seconds == pytest.approx(0.61, abs=0.01)
    assert (weak.label, weak.seconds) == ("dog", 3.0)
    reasons = [line["reason"] for line in quarantine(done.folder)]
    assert sum("alone, got it with" in reason for reason in reasons) == 2
    assert "expected a clip of one sound, got dog, thunder" in reasons


def test_fsd50k_licence_by_clip_and_uploaders_on_one_side(run: Run) -> None:
    rows, done = run("fsd50k")
    assert (rows["64760"].label, rows["64760"].open, rows["64760"].licence) == ("dog", True, "CC0 1.0")
    assert (rows["16399"].label, rows["16399"].open, rows["16399"].licence) == ("car_horn", False, "CC BY-NC 3.0")
    assert (rows["21914"].label, rows["21914"].split) == ("footsteps", "dev")
    assert (rows["37199"].kind, rows["37199"].split) == ("music", "dev")
    assert rows["64760"].speaker == "freesound:ann"
    reasons = sorted(line["reason"] for line in quarantine(done.folder))
    assert reasons[0] == "expected a clip of one sound, got siren, scream"
    assert "uploader" in reasons[1]


def test_fma_rows_span_lines_and_artists_stay_on_one_side(run: Run) -> None:
    rows, done = run("fma")
    assert (rows["000002"].label, rows["000002"].open) == ("music_hip_hop", False)
    assert (rows["000005"].open, rows["000005"].kind, rows["000005"].respond) == (True, "music", "no")
    assert {stem for stem, row in rows.items() if row.split == "dev"} == {"000141", "001048"}
    assert rows["001048"].label == "music"
    (told,) = quarantine(done.folder)
    assert "artist" in told["reason"]


def test_musan_kinds(run: Run) -> None:
    rows, _ = run("musan")
    assert {row.kind for row in rows.values()} == {"music", "ambience", "speech"}
    assert rows["noise-free-sound-0003"].label == "noise/free_sound"
    assert rows["music-fma-0003"].label == "music_pop"
    assert rows["music-fma-0003"].speaker == "musan_fma_artist_3"
    assert rows["speech-librivox-0003"].label == ""


def test_wham_is_ambience_in_one_channel(run: Run) -> None:
    rows, done = run("wham")
    assert done.entries == {"dev": 2, "train": 1}
    for row in rows.values():
        assert (row.kind, row.respond, row.open) == ("ambience", "no", False)
        assert sf.info(done.folder / row.path).channels == 1


def test_dns_noise_tells_freesound_from_videos(run: Run) -> None:
    rows, _ = run("dns_noise")
    door, fan, video = (
        rows["door_Freesound_validated_425390_0"],
        rows["fan_Freesound_validated_361354_1"],
        rows["0HmXmVgPSVQ"],
    )
    assert (door.kind, door.label, door.respond, door.open) == ("event", "door", "context", True)
    assert (fan.kind, fan.label, fan.licence) == ("ambience", "fan", "CC0 1.0 (Freesound)")
    assert (video.kind, video.label, video.open) == ("ambience", "noise", False)
