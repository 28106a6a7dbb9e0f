"""The tiny corpus, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.fakes import make_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with index.csv and WAV files of both splits."""
    return make_corpus(tmp_path_factory.mktemp("corpus"))
