"""Exports to other libraries, where they are installed."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from data_builder.export import to_lhotse, to_parquet
from data_builder.shards import find
from soundflow.errors import ConfigError
from tests.data_builder import made_samples as made


@pytest.mark.parametrize(("name", "export"), [("datasets", to_parquet), ("lhotse", to_lhotse)])
def test_a_missing_library_is_named(name: str, export: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=f"'{name}'.*pip install {name}"):
        export(made.build(tmp_path / "b"), tmp_path / "out")  # type: ignore[operator]
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore")
def test_parquet_is_read_by_datasets(tmp_path: Path) -> None:
    library = pytest.importorskip("datasets", reason="datasets is not installed")
    folder = made.build(tmp_path / "b")
    paths = to_parquet(folder, tmp_path / "hf")
    assert [p.name for p in paths] == ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet"]
    data = library.load_dataset(str(tmp_path / "hf"), cache_dir=str(tmp_path / "cache"))["train"]
    data = data.cast_column("audio", library.Audio(decode=False))
    assert data["id"][:] == [s.id for s in (made.short(), made.long(), made.quiet())]
    row, meta = data[1], made.long().to_dict()
    assert json.loads(row["json"]) == meta
    assert [s["text"] for s in row["speech"]] == [s["text"] for s in meta["speech"]]
    assert json.loads(row["responses"][0]["call"]) == meta["responses"][0]["call"]
    assert row["audio"]["bytes"][:4] == b"fLaC"


@pytest.mark.filterwarnings("ignore")
def test_cuts_are_read_by_lhotse(tmp_path: Path) -> None:
    library = pytest.importorskip("lhotse", reason="lhotse is not installed")
    folder = made.build(tmp_path / "b")
    recordings, cuts = to_lhotse(folder, tmp_path / "lhotse")
    first = cuts.read_bytes()
    assert to_lhotse(folder, tmp_path / "lhotse")[1].read_bytes() == first
    with gzip.open(recordings) as file:
        assert len(file.readlines()) == 3
    found = list(library.CutSet.from_file(cuts).with_recording_path_prefix(tmp_path / "lhotse"))
    library.RecordingSet.from_file(recordings)
    cut, meta = found[1], made.long().to_dict()
    assert (cut.id, cut.duration, len(cut.supervisions)) == (meta["id"], 60.0, len(meta["speech"]))
    assert cut.supervisions[0].speaker == "an4_fvap"
    assert cut.custom["responses"][0]["due_chunk"] == meta["responses"][0]["due_chunk"]
    _, pcm = find(folder, meta["id"])
    np.testing.assert_allclose(cut.load_audio()[0], pcm / 32768, atol=1e-6)
