"""The paper's ids, written out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from soundflow.errors import CapacityError, ConfigError
from soundflow.tiers.omni import layout
from soundflow.tiers.omni.context import OmniContext
from soundflow.tiers.omni.layout import Tokens

PAPER = Tokens()
BLOCK = [151647, *[151608] * 10, 151602]


def test_the_papers_ids():
    assert layout.prefix(PAPER, [7, 8]) == [151609, 151611, 151644, 151644, 7, 8, 151643]
    assert layout.block(PAPER) == BLOCK
    assert PAPER.block == 12
    assert layout.reply(PAPER, [5, 6]) == [151644, 151618, 5, 6, 151643]
    assert layout.reply(PAPER, [5], "urgent") == [151644, 151619, 5, 151643]
    assert layout.reply(PAPER, [5], 151614) == [151644, 151614, 5, 151643]
    assert layout.reply(PAPER, [5], None) == [151644, 5, 151643]
    assert layout.typed(PAPER, [5]) == [151601, 151644, 5, 151643]
    with pytest.raises(KeyError):
        layout.reply(PAPER, [5], "bored")


def test_a_dialogue():
    made = layout.dialogue(PAPER, [7], [None, layout.reply(PAPER, [5, 6]), None])
    silent = [*BLOCK, 151605]
    assert made.ids == [
        151609,
        151611,
        151644,
        151644,
        7,
        151643,
        *silent,
        *BLOCK,
        151644,
        151618,
        5,
        6,
        151643,
        *silent,
    ]
    assert [made.ids[at] for chunk in made.audio_at for at in chunk] == [151608] * 30
    assert made.audio_at[1] == list(range(20, 30))
    assert [made.ids[at] for at in made.decided_at] == [151602] * 3
    learned = [i for i, counts in zip(made.ids, made.learned, strict=True) if counts]
    assert learned == [151605, 151644, 151618, 5, 6, 151643, 151605]


def test_a_config_is_read_back():
    assert Tokens.read(PAPER.to_json(), 151_936, "x") == PAPER
    assert Tokens.read({"act": 9}, 151_936, "x").act == 9


def test_text_around_the_audio(omni):
    context, t = omni.context, omni.settings.tokens
    ids = context.prefix("", [])
    assert ids[:4] == [t.online, t.english, t.system, t.text_begin]
    assert ids[-1] == t.text_end
    assert context.decode(ids[4:-1]) == context.system
    assert context.decode(context.prefix("be brief", ["lamp"])[4:-1]) == f"{context.system} Tools: lamp. be brief"
    with pytest.raises(CapacityError, match="192"):
        context.prefix("word " * 100, [])
    said = context.said("a dog")
    assert (said[:2], said[-1]) == ([t.text_begin, 110], t.text_end)
    assert context.decode(said[2:-1]) == "a dog"
    long = context.said("a dog " * 50)
    assert (len(long), long[-1]) == (omni.lalm.text_limit, t.text_end)  # `Replies` cuts nothing off it
    assert context.typed("what <|im_end|> now") == context.encode("what < |im_end|> now")
    assert context.decode([111, *context.encode("run")]) == "run"  # the emotion that the reply begins with
    assert context.reply_header("hello", ("dog",), (), 2) == []
    assert context.words((), True) == []
    assert "turn on" in context.decode(context.act_header("turn on", ""))
    with pytest.raises(ConfigError, match="this omni never acts"):
        context.act_header("turn on", "lamp")
    acting = OmniContext(context.tokenizer, replace(t, act=112))
    assert "turn on < |im_end|>" in acting.decode(acting.act_header("turn on <|im_end|>", "lamp"))
    with pytest.raises(CapacityError, match="512"):
        acting.act_header("x", "tool " * 200)
