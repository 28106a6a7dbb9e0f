"""Sounds out of pinned packages: what the table wants is taken and labelled, events are cut, licences go along."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest
import soundfile as sf

from data_builder.corpora import package_sounds
from data_builder.corpora.folder import read_index
from data_builder.corpora.package_pins import LEFT_OUT, PINS
from data_builder.corpora.package_sounds_table import WANTED
from data_builder.corpora.registry import RECIPES
from data_builder.texts.sounds import ALERT_LABELS
from soundflow.errors import DataError

RESERVED = (
    *("scratch", "brainparty", "minetest-mod-homedecor", "gcompris", "openttd-opensfx", "supertuxkart", "flightgear"),
    *("asterisk", "acm", "amphetamine", "bambam", "blocks-of-the-undead", "caveexpress", "crossfire", "csoundqt"),
    *("endless-sky", "heroes-sound", "naev", "openarena", "simutrans-pak64", "unknown-horizons", "warmux"),
)


def tone(path: Path, hz: float, seconds: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, 0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * 22_050)) / 22_050), 22_050)
    return path


def test_events_are_cut_and_backgrounds_are_not(tmp_path: Path) -> None:
    root = tmp_path / "raw" / "sounds"
    tone(root / "a" / "alarm" / "aaaaaaaaaaaa.wav", 900, 14)
    tone(root / "a" / "ambience" / "night" / "bbbbbbbbbbbb.wav", 300, 14)
    tone(root / "a" / "music" / "cccccccccccc.wav", 440, 1)
    (root / "a" / "copyright").write_text("CC0")
    tone(root / "b" / "door" / "dddddddddddd.wav", 100, 1)
    shutil.copyfile(root / "a" / "music" / "cccccccccccc.wav", tone(root / "b" / "music" / "cccccccccccc.wav", 1, 1))
    done = RECIPES["package_sounds"].prepare(tmp_path / "raw", tmp_path / "out", package_sounds.Options())
    rows = {row.label: row for row in read_index(tmp_path / "out")}
    assert done.entries == {"train": 4}
    assert {label: (row.kind, row.respond, round(row.seconds)) for label, row in rows.items()} == {
        "alarm": ("event", "yes", 12),
        "night": ("ambience", "no", 14),
        "music": ("music", "no", 1),
        "door": ("event", "context", 1),
    }
    assert rows["alarm"].path == "package_sounds/a-aaaaaaaaaaaa.flac"
    assert all(row.open and row.licence.endswith(f"copyright/{row.source[8:]}") for row in rows.values())
    assert (tmp_path / "out" / "copyright" / "a").read_text() == "CC0"


def test_a_folder_without_sounds_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a folder sounds"):
        package_sounds.prepare_sounds(tmp_path, tmp_path / "out")


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")
def test_only_wanted_files_are_taken_out_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"horns": {"horn": "car_*.wav", "ambience:night": "beds/*.wav"}}
    monkeypatch.setattr(package_sounds, "WANTED", wanted)
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = "Package: horns\nVersion: 1.0\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: test\n"
    (tree / "DEBIAN" / "control").write_text(control)
    tone(tree / "usr/x/car_1.wav", 400, 0.2)
    tone(tree / "usr/beds/night.wav", 200, 0.2)
    tone(tree / "usr/x/other.wav", 300, 0.2)
    bad = tone(tree / "usr/x/car_bad.wav", 500, 0.2)
    (tree / "usr/x/car_2.txt").write_text("no sound")
    (tree / "usr/share/doc/horns").mkdir(parents=True)
    (tree / "usr/share/doc/horns/copyright").write_text("CC-BY")
    monkeypatch.setattr(package_sounds, "LEFT_OUT", {package_sounds.hashlib.sha256(bad.read_bytes()).hexdigest()[:12]})
    subprocess.run(["dpkg-deb", "-b", str(tree), str(tmp_path / "horns.deb")], check=True, capture_output=True)
    assert package_sounds.unpack("horns", tmp_path / "horns.deb", tmp_path / "sounds") == 2
    assert package_sounds.unpack("horns", tmp_path / "gone.deb", tmp_path / "sounds") == 2
    taken = sorted((path.parent.name, path.suffix) for path in (tmp_path / "sounds").rglob("*.wav"))
    assert taken == [("horn", ".wav"), ("night", ".wav")]
    assert (tmp_path / "sounds" / "horns" / "copyright").read_text() == "CC-BY"


def test_the_table_is_pinned_and_takes_nothing_that_is_reserved() -> None:
    names = [Path(urlparse(url).path).name.partition("_")[0] for url, _, _ in PINS]
    assert sorted(names) == sorted(WANTED) == sorted(set(names))
    assert not [name for name in names if name.startswith(RESERVED)]
    assert all(size > 0 and len(digest) == 64 for _, size, digest in PINS)
    assert all(len(digest) == 12 for digest in LEFT_OUT)
    labels = {label for table in WANTED.values() for label in table}
    assert {"alarm", "siren", "glass_break", "scream", "coughing", "doorbell", "phone_ring"} <= labels & {*ALERT_LABELS}
