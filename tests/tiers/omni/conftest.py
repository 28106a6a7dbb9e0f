"""One converted folder for all tests that only read it."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from soundflow.tiers.omni.convert import convert
from soundflow.tiers.omni.settings import Settings
from tests.tiers.omni.tiny import TOKENS, Omni, hub_folder, load


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    return hub_folder(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="session")
def converted(hub, tmp_path_factory):
    target = tmp_path_factory.mktemp("omni")
    convert(hub, target, TOKENS)
    return target


@pytest.fixture(scope="session")
def omni(converted, tmp_path_factory) -> Omni:
    """Loaded, with a short system text: the small tokenizer has a token for each letter."""
    folder = shutil.copytree(converted, tmp_path_factory.mktemp("short") / "omni")
    replace(Settings.read(folder), system="Listen.", context_tokens=256).save(folder)
    return load(folder)
