"""Settings that cannot work: one line with file and key, before anything is heard."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from soundflow.errors import CapacityError, ConfigError
from soundflow.loop import Stream
from soundflow.respond.tools import load_tools
from soundflow.tiers import base, card, random
from soundflow.tiers.base_config import BaseConfig
from soundflow.tiers.pretrained import from_pretrained, save_pretrained
from tests.tiers.whole import DEMO

TOOLS = load_tools(DEMO.parent / "tools.json")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("random")
    return {tier: random.write(tier, root / tier) for tier in ("base", "omni")}


def put(folder, section="", file="config.json", **changes):
    raw = json.loads((folder / file).read_text())
    (raw[section] if section else raw).update(changes)
    (folder / file).write_text(json.dumps(raw))


@pytest.mark.parametrize(("tier", "key"), [("base", "cache_tokens"), ("omni", "context_tokens")])
def test_a_cache_that_holds_no_prompt_or_no_reply_is_refused(folders, tmp_path, tier, key):
    folder = shutil.copytree(folders[tier], tmp_path / "m")
    context = from_pretrained(folder, dtype=torch.float32).context
    least = 2 * len(context.prefix("", ()))
    for given in (1, least - 1, 4_096 - 703):
        put(folder, **{key: given})
        said = rf"m/config\.json: {key}: {least} to 3392 was expected, .* got {given}$"
        with pytest.raises(ConfigError, match=said) as caught:
            from_pretrained(folder)
        assert "\n" not in str(caught.value)
    for given in (least, 4_096 - 704):
        put(folder, **{key: given})
        Stream(from_pretrained(folder, dtype=torch.float32)).close()
    put(folder, **{key: least})
    with pytest.raises(CapacityError, match=r"prefix \(instruction and tool names\) of at most .* the cache"):
        Stream(from_pretrained(folder, dtype=torch.float32), instruction="Tell me of dogs.")


@pytest.mark.parametrize("tier", ["base", "omni"])
def test_a_language_model_of_few_positions_is_named(folders, tmp_path, tier):
    folder = shutil.copytree(folders[tier], tmp_path / "m")
    put(folder, file="lm/config.json", max_position_embeddings=256)
    with pytest.raises(ConfigError, match=r"m/lm: a language model that knows \d+ positions was expected.*knows 256$"):
        from_pretrained(folder)


@pytest.mark.parametrize(
    ("section", "changes", "said"),
    [
        ("speech", {"left_ms": 90_000}, "speech: left_ms: at most 5600 was expected, got 90000"),
        ("speech", {"left_ms": 5_601}, "speech: left_ms: at most 5600 was expected, got 5601"),
        ("speech", {"look_ahead_ms": 500}, "speech: whisper: look_ahead_ms expected 0"),
        ("sound", {"left_ms": 5}, "sound: beats: left_ms: a multiple of 160 ms"),
    ],
)
def test_times_of_an_encoder_name_file_and_key(folders, tmp_path, section, changes, said):
    folder = shutil.copytree(folders["base"], tmp_path / "m")
    put(folder, section, **changes)
    config = BaseConfig.read(folder)
    for read in (from_pretrained, lambda x: base.outline(x, config)):
        with pytest.raises(ConfigError, match=rf"m/config\.json: {said}"):
            read(folder)
    put(folder, section, left_ms=4_800, look_ahead_ms=0)
    base.outline(folder, BaseConfig.read(folder))


def test_an_omni_that_never_acts_is_given_no_tools(folders, tmp_path):
    model = from_pretrained(folders["omni"], dtype=torch.float32)
    Stream(model).close()
    with pytest.raises(ConfigError, match=r"tools: none were expected: this omni never acts.*tokens\.act"):
        Stream(model, tools=TOOLS)
    Stream(from_pretrained(folders["base"], dtype=torch.float32), tools=TOOLS).close()
    folder = shutil.copytree(folders["omni"], tmp_path / "m")
    put(folder, "tokens", act=2)
    Stream(from_pretrained(folder, dtype=torch.float32), tools=TOOLS).close()


def test_the_layout_of_a_random_omni_lies_in_its_tokenizer(folders):
    context = from_pretrained(folders["omni"], dtype=torch.float32).context
    raw = json.loads((folders["omni"] / "config.json").read_text())
    ids = {k: v for k, v in raw["tokens"].items() if k not in ("act", "audio", "emotions")} | raw["tokens"]["emotions"]
    named = {name: context.tokenizer.id_to_token(token) for name, token in ids.items()}
    assert named == {name: f"<|{'system' if name == 'text_begin' else name}|>" for name in ids}
    assert context.tokenizer.get_vocab_size() == raw["vocab"]
    assert context.decode(list(ids.values())) == ""


def test_licences_of_an_omni_are_those_of_its_config(folders, tmp_path):
    folder = shutil.copytree(folders["omni"], tmp_path / "m")
    put(folder, licences={"tower": "MIT", "lm": "MIT"})
    saved = save_pretrained(folder, tmp_path / "n")
    told = (saved / "README.md").read_text()
    assert "license: mit\n" in told
    assert all(line.endswith("| MIT |") for line in told.splitlines() if line.startswith(("| tower", "| lm")))
    raw = json.loads((folder / "config.json").read_text())
    del raw["licences"]  # as older folders have it
    (folder / "config.json").write_text(json.dumps(raw))
    from_pretrained(folder, dtype=torch.float32)
    assert f"| {card.UNKNOWN} |" in card.text(folder)
