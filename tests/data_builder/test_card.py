"""The dataset card and the Croissant file of a build."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import yaml

from data_builder import attribution, card, croissant
from data_builder.card import Facts, licence_id
from data_builder.schema import Sample
from data_builder.stats import Stats, of_folders
from soundflow.errors import ConfigError, DataError
from tests.data_builder import made_samples as made

FACTS = Facts(
    "streams-test", "soundflow data build --audio clips --out b --hours 1 --seed 1", "aa6e352", date="2026-11-21"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made.build(tmp_path / "b")


def head(text: str) -> dict[str, object]:
    assert text.startswith("---\n")
    return dict(yaml.safe_load(text.split("---\n")[1]))


def test_card_says_what_there_is(folder: Path) -> None:
    stats = of_folders(folder)
    text = card.write(folder, stats, FACTS, {"hazard": "alarms | and such"}).read_text()
    meta = head(text)
    assert meta["license"] == "other"
    assert meta["license_link"] == "attribution.csv"
    assert meta["language"] == ["de", "en"]
    assert meta["size_categories"] == ["n<1K"]
    assert meta["configs"] == [{"config_name": "default", "data_files": [{"split": "train", "path": "shard-*.tar"}]}]
    assert "synthetic" in meta["tags"]  # type: ignore[operator]
    assert "audio-classification" in meta["task_categories"]  # type: ignore[operator]
    assert FACTS.command in text
    assert "(`aa6e352`), seed 1" in text
    assert "| hazard | proactive response | 2 | 0.00 | 50% | 1 | 0 | alarms \\| and such |" in text
    assert "soundflow data remove" in text
    assert "[CC BY 4.0 (Speech Commands)](https://creativecommons.org/licenses/by/4.0/)" in text
    assert "41% of the speech is spoken by synthesis" in text
    for part in ("Sub-tasks", "Statistics", "Licences", "Known limits", "Intended use", "removed", "Citation"):
        assert any(line.startswith("## ") and part in line for line in text.splitlines())


def test_one_licence_and_noncommercial() -> None:
    stats = Stats()
    stats.add(made.short().to_dict())
    index = {"split": "dev", "seed": 0}
    assert card.front_matter(stats, index, FACTS)["license"] == "cc0-1.0"
    closed = made.quiet()
    closed.licences = ["CC BY-NC 3.0 (ESC-50)"]  # that of the background counts as well
    stats.add(closed.to_dict())
    assert card.front_matter(stats, index, FACTS)["license"] == "other"
    assert "**Not for commercial use**" in card.card(stats, index, FACTS)
    assert "Not for commercial" not in card.card(Stats(), index, FACTS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CC BY 4.0", "cc-by-4.0"),
        ("CC BY 3.0 (ESC-10; clips CC0/CC BY)", "cc-by-3.0"),
        ("CC BY-NC 3.0 (UrbanSound8K)", "cc-by-nc-3.0"),
        ("CC BY-SA 4.0", "cc-by-sa-4.0"),
        ("CC BY-SA", "other"),
        ("Apache-2.0 (repo)", "apache-2.0"),
        ("ODbL 1.0 / DbCL 1.0", "odbl"),
        ("CC BY 4.0 set / Freesound clip CC (not stated in repo)", "other"),
        ("not stated in repo", "other"),
    ],
)
def test_licences_of_the_corpora(text: str, name: str) -> None:
    assert licence_id(text)[0] == name


def test_a_name_is_a_file_name() -> None:
    with pytest.raises(ConfigError, match="name"):
        Facts("a b", "", "")


def test_croissant_lists_every_shard_with_its_hash(folder: Path) -> None:
    attribution.write(folder / "attribution.csv", folder)
    body = json.loads(croissant.write(folder, of_folders(folder), FACTS).read_text())
    assert body["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert body["@context"]["cr"] == "http://mlcommons.org/croissant/"
    assert {"name", "description", "license", "url", "datePublished", "creator", "citeAs"} <= set(body)
    files = {d["@id"]: d for d in body["distribution"] if d["@type"] == "cr:FileObject"}
    assert set(files) == {"shard-000000.tar", "shard-000001.tar", "index.json", "attribution.csv", "labels.jsonl"}
    for name, entry in files.items():
        data = (folder / name).read_bytes()
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert entry["contentSize"] == f"{len(data)} B"
    sets = {d["@id"]: d for d in body["distribution"] if d["@type"] == "cr:FileSet"}
    assert {e["@id"] for e in sets["audio"]["containedIn"]} == {"shard-000000.tar", "shard-000001.tar"}
    fields = {f["name"]: f for f in body["recordSet"][0]["field"]}
    assert {"id", "audio", "subtask", "instruction", "events", "speech", "responses"} <= set(fields)
    known = set(Sample("", 0, "", "", "", True, 0).to_dict()) | {"audio", "file"}
    assert set(fields) <= known
    sample = made.long().to_dict()
    for name in ("events", "speech", "responses"):
        assert fields[name]["repeated"] is True
        assert {f["name"] for f in fields[name]["subField"]} <= set(sample[name][0])


def test_croissant_refuses_a_changed_shard(folder: Path) -> None:
    with (folder / "shard-000001.tar").open("ab") as file:
        file.write(b"\0" * 512)
    with pytest.raises(DataError, match=r"shard-000001\.tar: expected sha256"):
        croissant.write(folder, Stats(), FACTS)
    (folder / "shard-000001.tar").unlink()
    with pytest.raises(DataError, match="got none"):
        croissant.write(folder, Stats(), FACTS)


def test_croissant_is_read_by_its_own_library(folder: Path) -> None:
    library = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    path = croissant.write(folder, of_folders(folder), FACTS)
    data = library.Dataset(jsonld=str(path))
    assert not data.metadata.ctx.issues.errors
    records = {r["streams/id"].decode(): r for r in data.records(record_set="streams")}
    samples = {s.id: s for s in (made.short(), made.long(), made.quiet())}
    assert set(records) == set(samples)
    for name, record in records.items():
        labels = [e["streams/events/label"].decode() for e in record["streams/events"]]
        assert labels == [e.label for e in samples[name].events]
        pcm, rate = sf.read(io.BytesIO(record["streams/audio"]), dtype="int16")
        np.testing.assert_array_equal(pcm, made.pcm(samples[name]))
        assert rate == 16_000
