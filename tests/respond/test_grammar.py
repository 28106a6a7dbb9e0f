"""Acts decoded under a schema: random logits cannot make one that does not parse."""

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from soundflow.errors import CapacityError, ConfigError, DataError
from soundflow.respond.grammar import ActGrammar, ActMatcher, act_text, parse_act
from soundflow.respond.tools import load_tools, make_tools
from soundflow.types import ActionCall, Tool

DEMO = Path(__file__).parents[2] / "demo"
EOS = 2


def tool(name: str, properties: dict[str, object], required: tuple[str, ...] = ()) -> Tool:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return make_tools([{"name": name, "description": "d", "parameters": schema}], "test")[0]


HARD = (
    tool(
        "limits",
        {"n": {"type": "integer", "minimum": -3, "maximum": 17, "description": "count"}, "f": {"type": "number"}},
    ),
    tool("words", {"text": {"type": "string"}, "two": {"type": "string", "minLength": 2, "maxLength": 2}}, ("text",)),
    tool(
        "pick",
        {"a": {"enum": ['say "hi"', "é\n", 3, None, True]}, "b": {"type": ["boolean", "null"], "default": None}},
        ("a",),
    ),
    tool(
        "lists",
        {
            "rows": {
                "type": "array",
                "minItems": 1,
                "maxItems": 3,
                "items": {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 4}},
            },
            "who": {
                "type": "object",
                "properties": {"x": {"type": "boolean"}, "y": {"type": "null"}},
                "required": ["x"],
            },
        },
        ("rows",),
    ),
    tool(
        "when",
        {"date": {"type": "string", "format": "date"}, "code": {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"}},
    ),
    tool("either", {"v": {"anyOf": [{"type": "integer", "minimum": 0}, {"const": "off"}], "title": "V"}}, ("v",)),
    tool("nothing", {}),
)


@pytest.fixture(scope="module")
def bytes_tokenizer() -> Tokenizer:
    """A token a byte, and a few longer ones, so that the tests need no pulled weights."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {"<|endoftext|>": 0, "<|im_start|>": 1, "<|im_end|>": 2}
    merges = [("k", "i"), ("ki", "t"), ("o", "n"), ("o", "f"), ("of", "f"), ("n", "a"), ("na", "m"), ("nam", "e")]
    for piece in alphabet + [a + b for a, b in merges]:
        vocab[piece] = len(vocab)
    made = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return made


@pytest.fixture
def tokenizer_json(nano_parts: Path) -> Path:
    path = nano_parts / "lm" / "tokenizer.json"
    if not path.is_file():
        pytest.skip(f"no {path}: run `soundflow models pull nano`")
    return path


def decode(matcher: ActMatcher, rng: np.random.Generator, vocab: int) -> str:
    for _ in range(6000):
        if matcher.finished:
            return matcher.text
        if not matcher.forced():
            matcher.advance(int(matcher.mask(rng.standard_normal(vocab).astype(np.float32)).argmax()))
    raise AssertionError(f"no end: {matcher.text[:200]}")


def test_random_decodes_always_validate(bytes_tokenizer: Tokenizer) -> None:
    tools = (*HARD, *load_tools(DEMO / "tools.json"), *load_tools(DEMO / "coffee_tools.json"))
    grammar = ActGrammar(bytes_tokenizer, tools, EOS)
    rng = np.random.default_rng(7)
    seen = set()
    for _ in range(200):
        text = decode(grammar.matcher(), rng, bytes_tokenizer.get_vocab_size() + 3)
        call = parse_act(text, tools)
        seen.add(call.name)
        assert json.loads(act_text(call, tools)) == json.loads(text)
    assert len(seen) >= 10


@pytest.mark.parametrize("one", HARD, ids=lambda t: t.name)
def test_each_schema_alone(one: Tool, bytes_tokenizer: Tokenizer) -> None:
    grammar = ActGrammar(bytes_tokenizer, [one], EOS)
    rng = np.random.default_rng(1)
    texts = {decode(grammar.matcher(), rng, bytes_tokenizer.get_vocab_size()) for _ in range(30)}
    assert all(parse_act(t, [one]).name == one.name for t in texts)
    assert len(texts) > 1 or one.name == "nothing"


@pytest.mark.weights
def test_random_decodes_with_the_real_tokenizer(tokenizer_json: Path) -> None:
    tools = (*HARD, *load_tools(DEMO / "tools.json"))
    grammar = ActGrammar(tokenizer_json, tools, EOS)
    rng = np.random.default_rng(3)
    for _ in range(60):
        parse_act(decode(grammar.matcher(), rng, 49_155), tools)


@pytest.mark.weights
def test_forced_tokens_are_the_tokenizers_own(tokenizer_json: Path) -> None:
    """A label tokenised whole and an act decoded with fast-forward are the same tokens, so training fits decoding."""
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    tools = load_tools(DEMO / "tools.json")
    grammar = ActGrammar(tokenizer, tools, EOS)
    call = ActionCall("set_light", {"state": "off", "room": "living room"})
    wanted = tokenizer.encode(act_text(call, tools)).ids
    matcher, taken, steps = grammar.matcher(), [], 0
    while not matcher.finished:
        forced = matcher.forced()
        taken += forced
        if not forced:
            assert matcher.mask(np.zeros(49_152, np.float32))[wanted[len(taken)]] == 0
            matcher.advance(wanted[len(taken)])
            taken.append(wanted[len(taken)])
            steps += 1
    assert taken == wanted
    assert steps <= 8


def test_act_text_is_compact_and_in_schema_order() -> None:
    tools = load_tools(DEMO / "tools.json")
    call = ActionCall("set_light", {"brightness": 5, "state": "on", "room": "kitchen"})
    text = '{"name":"set_light","arguments":{"room":"kitchen","state":"on","brightness":5}}'
    assert act_text(call, tools) == text
    assert parse_act(text, tools) == call
    assert parse_act('{"name":"set_lock","arguments":{"door":"front door","state":"locked"}}', tools).confirm


def test_with_tools_shares_the_tokenizer(bytes_tokenizer: Tokenizer) -> None:
    first = ActGrammar(bytes_tokenizer, HARD[:1], EOS)
    other = first.with_tools(HARD[-1:])
    assert decode(other.matcher(), np.random.default_rng(0), 300) == '{"name":"nothing","arguments":{}}'
    assert first.tools == HARD[:1]


def test_matchers_do_not_share_state(bytes_tokenizer: Tokenizer) -> None:
    grammar = ActGrammar(bytes_tokenizer, HARD[:2], EOS)
    a, b = grammar.matcher(), grammar.matcher()
    a.forced()
    assert a.text
    assert b.text == ""


def test_what_is_refused(bytes_tokenizer: Tokenizer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least one tool"):
        ActGrammar(bytes_tokenizer, [], EOS)
    with pytest.raises(ConfigError, match=r"tokenizer\.json"):
        ActGrammar(tmp_path / "missing.json", HARD, EOS)
    with pytest.raises(ConfigError, match="a tokenizer with the end token 9999 was expected"):
        ActGrammar(bytes_tokenizer, HARD, 9999)
    empty = tool("empty", {"n": {"type": "integer", "minimum": 5, "maximum": 2}}, ("n",))
    with pytest.raises(ConfigError, match="tool empty"):
        ActGrammar(bytes_tokenizer, [*HARD, empty], EOS)
    matcher = ActGrammar(bytes_tokenizer, HARD, EOS).matcher()
    matcher.forced()
    before = matcher.text
    with pytest.raises(DataError, match="not allowed"):
        matcher.advance(EOS)
    assert matcher.text == before
    decode(matcher, np.random.default_rng(0), 300)
    with pytest.raises(CapacityError):
        matcher.mask(np.zeros(300, np.float32))
    assert matcher.forced() == []


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"name":"set_light"}', '{"name":"x","arguments":{}}',
        '{"name":["set_light"],"arguments":{}}', '{"name":"set_light","arguments":[]}',
        '{"name":"set_timer","arguments":{"seconds":1,"label":"\\ud800"}}',
        '{"name":"set_timer","arguments":{"seconds":NaN}}', '{"name":"set_timer","arguments":{"seconds":1e999}}',
        '{"name":"set_timer","arguments":{"seconds":1},"more":1}', "[" * 9_000, "x" * 20_000,
    ],
)  # fmt: skip
def test_parse_refuses(text: str) -> None:
    with pytest.raises(DataError):
        parse_act(text, load_tools(DEMO / "tools.json"))
