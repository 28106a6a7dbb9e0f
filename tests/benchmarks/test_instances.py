"""Rows survive a run that was cut off; nothing is counted twice or under another configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import instances
from soundflow.errors import DataError


def write(folder: Path, *names: str) -> None:
    with instances.open_for_append(folder) as file:
        for name in names:
            instances.write({"id": name, "system": "x"}, file)


def test_append_and_read(tmp_path: Path) -> None:
    assert instances.read(tmp_path) == []
    write(tmp_path, "a", "b")
    write(tmp_path, "c")
    assert [r["id"] for r in instances.read(tmp_path)] == ["a", "b", "c"]


def test_a_line_that_was_cut_off_is_dropped_and_written_over(tmp_path: Path) -> None:
    write(tmp_path, "a")
    path = tmp_path / instances.NAME
    path.write_text(path.read_text() + '{"id": "b", "sys')
    assert [r["id"] for r in instances.read(tmp_path)] == ["a"]
    write(tmp_path, "c")
    assert [r["id"] for r in instances.read(tmp_path)] == ["a", "c"]


def test_a_broken_line_or_a_duplicate_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "a", "a")
    with pytest.raises(DataError, match=r"instances\.jsonl:2.*again"):
        instances.read(tmp_path)
    (tmp_path / instances.NAME).write_text('{"system": "x"}\n')
    with pytest.raises(DataError, match=r"instances\.jsonl:1"):
        instances.read(tmp_path)


def test_rows_of_another_configuration_are_not_mixed(tmp_path: Path) -> None:
    instances.check_config(tmp_path, {"seed": 0})
    write(tmp_path, "a")
    instances.check_config(tmp_path, {"seed": 0})
    with pytest.raises(DataError, match="another --out"):
        instances.check_config(tmp_path, {"seed": 1})


def test_digest_does_not_depend_on_order_or_clock(tmp_path: Path) -> None:
    for k, names in enumerate((("a", "b"), ("b", "a"))):
        with instances.open_for_append(tmp_path / str(k)) as file:
            for name in names:
                instances.write({"id": name, "system": "x", "wall_s": k}, file)
    assert instances.digest(tmp_path / "0") == instances.digest(tmp_path / "1")
