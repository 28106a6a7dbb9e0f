"""Fixtures of the tiers' tests."""

from pathlib import Path

import pytest

from tests.tiers.shelf import FakePip, set_up


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePip:
    """An empty home, a catalogue with the tier `tiny`, and a pip that serves it."""
    (tmp_path / "shelf").mkdir()
    return set_up(tmp_path / "home", tmp_path / "shelf", monkeypatch.setattr)
