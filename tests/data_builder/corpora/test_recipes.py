"""Every recipe on a tiny folder in its own layout: whole, half-finished, with a broken clip, with a bad line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data_builder.corpora.folder import read_index
from data_builder.corpora.recipe import Options, Recipe
from data_builder.corpora.registry import RECIPES
from soundflow.errors import DataError
from tests.data_builder.corpora.layouts import LAYOUTS, Layout
from tests.data_builder.corpora.tones import quarantine

CASES = [pytest.param(name, layout, id=name) for name, layout in LAYOUTS.items()]
SIGNS = list(b'",\t\n{}[]/.9e')
FAST = [case for case in CASES if case.id != "ravdess"]  # 1,440 files: its cases are in test_emotion


def digest(folder: Path) -> dict[str, str]:
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.parametrize(("name", "layout"), FAST)
def test_the_published_layout_becomes_an_index(tmp_path: Path, name: str, layout: Layout) -> None:
    layout.build(tmp_path / "raw")
    before = digest(tmp_path / "raw")
    done = RECIPES[name].prepare(tmp_path / "raw", tmp_path / "out", Options())
    assert digest(tmp_path / "raw") == before
    rows = read_index(tmp_path / "out")
    assert len(rows) == layout.count == sum(done.entries.values())
    assert set(done.entries) == {"train", "dev"}
    for row in rows:
        info = sf.info(tmp_path / "out" / row.path)
        assert (info.samplerate, info.channels, info.subtype, info.format) == (16_000, 1, "PCM_16", "FLAC")
        assert info.frames / 16_000 == pytest.approx(row.seconds, abs=1e-3)
        assert row.dataset == name
        assert row.licence
        assert row.respond in (("",) if row.kind == "speech" else ("yes", "no", "context"))
    by_speaker: dict[str, set[bool]] = {}
    for row in rows:
        if row.speaker:
            by_speaker.setdefault(row.speaker, set()).add(row.split == "dev")
    assert all(len(sides) == 1 for sides in by_speaker.values())
    assert sum(row.seconds for row in rows) / 3600 == pytest.approx(done.hours, abs=1e-5)


@pytest.mark.parametrize(("name", "layout"), FAST)
def test_a_broken_clip_is_left_out_with_its_reason(tmp_path: Path, name: str, layout: Layout) -> None:
    layout.build(tmp_path / "raw")
    whole = RECIPES[name].prepare(tmp_path / "raw", tmp_path / "whole", Options())
    (tmp_path / "raw" / layout.clip).write_bytes(b"RIFF" + b"no audio at all" * 20)
    done = RECIPES[name].prepare(tmp_path / "raw", tmp_path / "out", Options())
    assert sum(done.entries.values()) == sum(whole.entries.values()) - 1 == len(read_index(tmp_path / "out"))
    told = [line for line in quarantine(tmp_path / "out") if line["where"].startswith(layout.clip)]
    assert len(told) == 1
    assert told[0]["reason"].startswith("expected audio")
    assert done.quarantined == whole.quarantined + 1


@pytest.mark.parametrize(("name", "layout"), [case for case in FAST if case.values[1].manifest])
def test_a_bad_line_is_left_out_with_its_place(tmp_path: Path, name: str, layout: Layout) -> None:
    layout.build(tmp_path / "raw")
    whole = RECIPES[name].prepare(tmp_path / "raw", tmp_path / "whole", Options())
    manifest = tmp_path / "raw" / layout.manifest
    lines = manifest.read_text(encoding="utf-8").splitlines()
    manifest.write_text("\n".join([*lines, layout.bad_line]) + "\n", encoding="utf-8")
    done = RECIPES[name].prepare(tmp_path / "raw", tmp_path / "out", Options())
    assert done.entries == whole.entries
    assert done.quarantined == whole.quarantined + 1
    assert len(read_index(tmp_path / "out")) == layout.count
    told = {(line["where"], line["reason"]) for line in quarantine(tmp_path / "out")}
    told -= {(line["where"], line["reason"]) for line in quarantine(tmp_path / "whole")}
    ((where, reason),) = told
    assert where.startswith(f"{layout.manifest}:{len(lines) + 1}")
    assert reason.startswith("expected")


@pytest.mark.parametrize(("name", "layout"), FAST)
def test_a_half_finished_download_says_what_is_missing(tmp_path: Path, name: str, layout: Layout) -> None:
    layout.build(tmp_path / "raw")
    (tmp_path / "raw" / layout.clip).unlink()
    if layout.missing_is_fine:
        done = RECIPES[name].prepare(tmp_path / "raw", tmp_path / "out", Options())
        assert sum(done.entries.values()) == layout.count - 1
        return
    with pytest.raises(DataError) as caught:
        RECIPES[name].prepare(tmp_path / "raw", tmp_path / "out", Options())
    told = str(caught.value)
    assert "missing" in told or "expected the files of all splits" in told
    assert not (tmp_path / "out" / "index.csv").exists()
    if name not in ("aishell", "wham"):
        assert Path(layout.clip).name in told
        done = RECIPES[name].prepare(tmp_path / "raw", tmp_path / "out", Options(partial=True))
        assert sum(done.entries.values()) == layout.count - 1
        assert [line["reason"] for line in quarantine(tmp_path / "out") if line["where"] == layout.clip]


@pytest.mark.parametrize(("name", "layout"), FAST)
def test_garbled_manifests_are_a_data_error_at_most(tmp_path: Path, name: str, layout: Layout) -> None:
    layout.build(tmp_path / "raw")
    texts = [p for p in sorted((tmp_path / "raw").rglob("*")) if p.suffix in (".csv", ".tsv", ".txt", ".json")]
    texts += sorted((tmp_path / "raw").rglob("ANNOTATIONS"))
    rng = np.random.default_rng(len(name))
    for path in texts:
        whole = path.read_bytes()
        for form in range(6):
            body = bytearray(whole[: int(rng.integers(len(whole)))] if form == 0 else whole)
            for at in rng.integers(len(body), size=min(len(body), 2 ** (2 * form))) if body else ():
                body[at] = int(rng.integers(256)) if form % 2 else int(rng.choice(SIGNS))
            path.write_bytes(bytes(body))
            try:
                RECIPES[name].prepare(tmp_path / "raw", tmp_path / "out", Options(partial=True))
            except DataError:
                continue
            read_index(tmp_path / "out")
        path.write_bytes(whole)
    assert not [p for p in tmp_path.iterdir() if p.name not in ("raw", "out")]


@pytest.mark.parametrize("name", list(RECIPES))
def test_nothing_there_is_one_data_error(tmp_path: Path, name: str) -> None:
    for raw in (tmp_path / "none", tmp_path):
        with pytest.raises(DataError, match="expected"):
            RECIPES[name].prepare(raw, tmp_path / "out", Options())
    assert not (tmp_path / "out" / "index.csv").exists()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_says_all_of_itself(recipe: Recipe) -> None:
    assert recipe.name.isidentifier()
    for words in (recipe.title, recipe.licence, recipe.gives, recipe.size, recipe.citation, recipe.layout):
        assert words.strip() == words
        assert words
    assert recipe.homepage.startswith("http")
    assert "http" in recipe.layout
    closed = any(word in recipe.licence.lower() for word in ("-nc", "non-commercial", "unclear", "by clip", "by track"))
    assert not (closed and recipe.open)
    names = [file.filename for file in recipe.files]
    assert len(set(names)) == len(names)
    for file in recipe.files:
        assert file.filename
        kind, _, hexes = file.checksum.partition(":")
        assert len(hexes) == {"": 0, "md5": 32, "sha1": 40, "sha256": 64}[kind]
