"""The reader of index.csv is strict; clips are checked."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.corpus import ENVIRONMENT, Clips, audio_folder, read_index
from soundflow.errors import ConfigError, DataError


def test_reads_all_rows(corpus: Path) -> None:
    rows = read_index(corpus)
    assert {r.split for r in rows} == {"train", "dev"}
    assert sum(r.label == "siren" and not r.open for r in rows) == 6


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("respond\n", "answer\n", 1).replace("respond\r\n", "answer\r\n", 1), "columns"),
        (lambda text: text.replace(",yes\r\n", ",perhaps\r\n", 1), "respond of"),
        (lambda text: text + text.splitlines()[1] + "\r\n", "twice"),
        (lambda text: text.replace("1.000", "one", 1), "seconds as a number"),
    ],
)
def test_wrong_index_names_the_line(corpus: Path, tmp_path: Path, change: object, says: str) -> None:
    text = (corpus / "index.csv").read_bytes().decode()
    (tmp_path / "index.csv").write_bytes(change(text).encode())  # type: ignore[operator]
    with pytest.raises(DataError, match=says) as caught:
        read_index(tmp_path)
    assert "index.csv" in str(caught.value)


def test_folder_from_option_or_environment(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    with pytest.raises(ConfigError, match=ENVIRONMENT):
        audio_folder(None)
    with pytest.raises(ConfigError, match=r"no index\.csv"):
        audio_folder(tmp_path)
    monkeypatch.setenv(ENVIRONMENT, str(corpus))
    assert audio_folder(None) == corpus


def test_clips_refuse_what_is_not_sound(corpus: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "fast.wav", np.zeros(100, np.float32), 44_100)
    soundfile.write(tmp_path / "zero.wav", np.zeros(16_000, np.float32), 16_000)
    (tmp_path / "text.wav").write_text("no audio")
    clips = Clips(tmp_path)
    for name in ("fast.wav", "text.wav", "none.wav"):
        with pytest.raises(DataError, match=name):
            clips.read(name)
    with pytest.raises(DataError, match="silence"):
        clips.audible("zero.wav")


def test_audible_part_has_no_quiet_ends(corpus: Path, tmp_path: Path) -> None:
    quiet = np.zeros(8000, np.float32)
    tone = np.full(3200, 0.5, np.float32)
    soundfile.write(tmp_path / "a.wav", np.concatenate([quiet, tone, quiet]), 16_000)
    assert len(Clips(tmp_path).audible("a.wav")) == 3200
    shutil.rmtree(tmp_path)
