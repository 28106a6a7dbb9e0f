"""The commands of docs/tiers.md, one after another as the page has them, on a tiny corpus and with few steps."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from soundflow.cli import app
from tests.training.test_models import shard

ROOT = Path(__file__).parents[2]
SERVED = "soundflow serve"


def commands() -> list[list[str]]:
    """What the page says behind `soundflow`, without comments."""
    blocks = re.findall(r"^```\n(.*?)^```$", (ROOT / "docs" / "tiers.md").read_text(encoding="utf-8"), re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("soundflow ")]
    return [shlex.split(line, comments=True)[1:] for line in lines if not line.startswith(SERVED)]


@pytest.mark.slow
def test_the_commands_of_the_page_chain(tmp_path, monkeypatch):
    found = commands()
    assert len(found) == 8
    monkeypatch.chdir(tmp_path)
    for name in ("corpus", "held_out"):
        shard(tmp_path / name)
    shutil.copytree(ROOT / "demo", "demo")
    recipe = Path("training/configs/base.yaml")
    recipe.parent.mkdir(parents=True)
    body = yaml.safe_load((ROOT / recipe).read_text()) | {"patience": 0}
    for stage in body["stages"]:
        stage["steps"] = 2
    recipe.write_text(yaml.safe_dump(body))
    for command in found:
        done = CliRunner().invoke(app, command, catch_exceptions=False)
        assert done.exit_code == 0, (command, done.output)
    assert "| step | " in Path("runs/base/export/README.md").read_text()
