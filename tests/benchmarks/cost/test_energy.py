"""RAPL counters out of a made-up sysfs: sums, a counter that starts again, and what is not told."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cost import energy


def zone(root: Path, folder: str, name: str, uj: int, most: int = 999_999) -> Path:
    made = root / folder
    made.mkdir(parents=True)
    for file, value in (("name", name), ("energy_uj", str(uj)), ("max_energy_range_uj", str(most))):
        (made / file).write_text(f"{value}\n")
    return made


def test_packages_are_summed_and_their_parts_are_not_counted_again(tmp_path: Path) -> None:
    first, second = zone(tmp_path, "intel-rapl:0", "package-0", 100), zone(tmp_path, "intel-rapl:1", "package-1", 50)
    core = zone(tmp_path, "intel-rapl:0:0", "core", 0)
    whole = zone(tmp_path, "intel-rapl:2", "psys", 0)
    (tmp_path / "intel-rapl").mkdir()
    meter = energy.find(tmp_path)
    assert [z.name for z in meter.zones] == ["package-0", "package-1"]
    meter.begin()
    for folder, uj in ((first, 400_100), (second, 200_050), (core, 5_000_000), (whole, 9_000_000)):
        (folder / "energy_uj").write_text(str(uj))
    assert meter.joules() == pytest.approx(0.6)
    assert meter.facts(2.0) == {"energy_j": 0.6, "energy_wall_s": 2.0}


def test_a_counter_that_started_again(tmp_path: Path) -> None:
    folder = zone(tmp_path, "intel-rapl:0", "package-0", 900_000)
    meter = energy.find(tmp_path)
    meter.begin()
    (folder / "energy_uj").write_text("100000")
    assert meter.joules() == pytest.approx(0.2)  # 100,000 to the end of the range and 100,000 behind it


def test_what_may_not_be_read_is_not_told_and_never_half_a_figure(tmp_path: Path) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 5)
    locked = zone(tmp_path, "intel-rapl:1", "package-1", 5)
    (locked / "energy_uj").unlink()
    (locked / "energy_uj").mkdir()  # reading it is an OSError, for root too
    meter = energy.find(tmp_path)
    meter.begin()
    assert meter.joules() is None
    facts = meter.facts(1.0)
    assert set(facts) == {"energy"}
    assert facts["energy"].startswith("not told by this machine: intel-rapl:1")


def test_no_counters_at_all(tmp_path: Path) -> None:
    assert energy.find(tmp_path / "none").facts(1.0)["energy"] == f"not told by this machine: no {tmp_path / 'none'}"
    (tmp_path / "intel-rapl:0").mkdir()
    (tmp_path / "intel-rapl:0" / "name").write_text("package-0")
    (tmp_path / "intel-rapl:0" / "max_energy_range_uj").write_text("many")
    assert "many" in energy.find(tmp_path).why
