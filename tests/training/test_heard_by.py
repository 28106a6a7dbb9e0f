"""Whose features a cache holds: where a part's file and names lie does not matter, what is in the file does."""

from __future__ import annotations

import json
import shutil

import torch

from soundflow.perceive.beats import Beats, BeatsConfig
from soundflow.tiers import random
from soundflow.tiers.base_config import BaseConfig
from training import heard_by


def saved(path, seed):
    made = Beats.random(BeatsConfig.tiny(2), seed, ("/m/1", "/m/2"))
    torch.save({"cfg": made.config.values(), "model": made.state_dict()}, path)


def test_a_cache_knows_the_weights_and_not_where_they_lie(tmp_path):
    folder = random.write("base", tmp_path / "m")
    (folder / "sound" / "beats.safetensors").unlink()
    saved(folder / "sound" / "best.pth", 0)
    (folder / "names.csv").write_text("index,mid,display_name\n0,/m/1,Speech\n1,/m/2,Animal\n")
    raw = BaseConfig.read(folder).to_json()

    def digest(**sound):
        (folder / "config.json").write_text(json.dumps(raw | {"sound": raw["sound"] | sound}))
        return heard_by.identity(folder)["digest"]

    first = digest()
    assert digest(file="best.pth", labels="names.csv") == first
    (folder / "more").mkdir()
    shutil.copyfile(folder / "sound" / "best.pth", folder / "more" / "x.pth")
    assert digest(path=".", file="more/x.pth") == first
    saved(folder / "sound" / "best.pth", 1)
    assert digest() != first
    assert digest(file="best.pth") != first
