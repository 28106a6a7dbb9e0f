"""Acts decoded under the JSON schema of the tools, by llguidance: what comes out parses, names a tool, fits its schema.

The text of an act is compact JSON, `{"name":"set_light","arguments":{"room":"kitchen","state":"on"}}`, its arguments
in the order of the schema.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from numpy.typing import NDArray
from tokenizers import Tokenizer

from soundflow.errors import CapacityError, ConfigError, DataError
from soundflow.respond.schema import closed
from soundflow.respond.tools import find, validate_call
from soundflow.types import ActionCall, FloatArray, Tool

MAX_TEXT = 16_384  # characters of an act that is parsed


class ActGrammar:
    """The grammar of all calls of some tools, over one tokenizer. Serves any number of matchers.

    Args:
        tokenizer: a tokenizer.json, or a Tokenizer.
        tools: at least one.
        eos_id: the token that ends a turn.

    Raises:
        ConfigError: no tools, a tokenizer that cannot be read or has no `eos_id`, or a schema that cannot be decoded
            under.
    """

    def __init__(self, tokenizer: Path | str | Tokenizer, tools: Sequence[Tool], eos_id: int) -> None:
        if isinstance(tokenizer, Tokenizer) and tokenizer.id_to_token(eos_id) is None:
            size = tokenizer.get_vocab_size()
            raise ConfigError(f"act grammar: a tokenizer with the end token {eos_id} was expected, got {size} tokens")
        try:
            text = tokenizer.to_str() if isinstance(tokenizer, Tokenizer) else Path(tokenizer).read_text("utf-8")
            self._vocab: Any = LLTokenizer(text, eos_token=eos_id)
        except (OSError, ValueError) as error:
            raise ConfigError(f"act grammar: expected a tokenizer.json: {error}") from error
        self._set(tools)

    def with_tools(self, tools: Sequence[Tool]) -> ActGrammar:
        """The grammar of other tools over the same tokenizer (a millisecond instead of a third of a second)."""
        other = object.__new__(ActGrammar)
        other._vocab = self._vocab
        other._set(tools)
        return other

    def _set(self, tools: Sequence[Tool]) -> None:
        if not tools:
            raise ConfigError("act grammar: expected at least one tool, got none")
        self.tools = tuple(tools)
        for tool in tools:
            problem = LLMatcher.validate_grammar(_grammar([tool]), self._vocab)
            if problem:
                raise ConfigError(f"tool {tool.name}: its parameters cannot be decoded under: {problem:.300}")
        self._grammar = _grammar(tools)

    def matcher(self) -> ActMatcher:
        """A matcher at the start of an act."""
        return ActMatcher(self._vocab, self._grammar)


class ActMatcher:
    """One act being decoded: `forced()` until it gives nothing, then `mask`, sample and `advance`, until `finished`."""

    def __init__(self, vocab: Any, grammar: str) -> None:
        self._vocab = vocab
        self._matcher: Any = LLMatcher(vocab, grammar)
        self._tokens: list[int] = []

    @property
    def finished(self) -> bool:
        """The act is complete. The end-of-turn token need not be sampled."""
        return bool(self._matcher.is_stopped())

    @property
    def text(self) -> str:
        """The act so far."""
        return str(self._vocab.decode_str(self._tokens))

    def forced(self) -> list[int]:
        """Tokens that the grammar leaves no choice about, taken as if sampled: one prefill of the model."""
        if self.finished:
            return []
        tokens = [int(t) for t in self._matcher.compute_ff_tokens()]
        if tokens:
            self._take(tokens)
        return tokens

    def mask(self, logits: FloatArray) -> FloatArray:
        """A copy of logits [V] with -inf where the grammar does not go on; rows beyond the tokenizer's are masked too.

        Raises:
            CapacityError: the act is already finished.
        """
        if self.finished:
            raise CapacityError("act: expected an act that goes on, got one that is finished")
        bits = np.unpackbits(np.frombuffer(self._matcher.compute_bitmask(), np.uint8), bitorder="little")
        allowed: NDArray[np.bool_] = np.zeros(len(logits), np.bool_)
        size = min(len(logits), self._vocab.vocab_size)
        allowed[:size] = bits[:size]
        return np.where(allowed, logits, np.float32(-np.inf)).astype(np.float32)

    def advance(self, token_id: int) -> None:
        """Take a sampled token.

        Raises:
            DataError: the grammar does not allow it here; the matcher is as it was.
        """
        if self.finished or not self._matcher.try_consume_tokens([token_id]):
            raise DataError(
                f"act: token {token_id} ({self._vocab.dbg_tokens([token_id])}) is not allowed after {self.text!r}"
            )
        self._tokens.append(token_id)

    def _take(self, tokens: list[int]) -> None:
        done = self._matcher.try_consume_tokens(tokens)
        assert done == len(tokens), self._matcher.get_error()
        self._tokens.extend(tokens)


def _grammar(tools: Sequence[Tool]) -> str:
    """llguidance's form of `anyOf` over the tools, `name` a constant in each."""
    calls = [
        {
            "type": "object",
            "properties": {"name": {"const": t.name}, "arguments": closed(t.parameters, f"tool {t.name}: parameters")},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for t in tools
    ]
    compact = {"item_separator": ",", "key_separator": ":", "whitespace_flexible": False}
    schema = {"x-guidance": compact, "anyOf": calls}
    return str(LLMatcher.grammar_from_json_schema(json.dumps(schema)))


def parse_act(text: str, tools: Sequence[Tool]) -> ActionCall:
    """The checked call that an act's text means.

    Raises:
        DataError: not JSON, not a call, no such tool, or arguments that its schema does not allow.
    """
    if len(text) > MAX_TEXT:
        raise DataError(f"act: expected at most {MAX_TEXT} characters, got {len(text)}")
    try:
        body = json.loads(text)
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise DataError(f"act: expected JSON, got {text!r:.120}: {error}") from error
    if not isinstance(body, dict) or set(body) != {"name", "arguments"} or not isinstance(body["arguments"], dict):
        raise DataError(f"act: expected {{name, arguments: {{...}}}}, got {text!r:.120}")
    return validate_call(ActionCall(str(body["name"]), body["arguments"]), tools)


def act_text(call: ActionCall, tools: Sequence[Tool]) -> str:
    """The one text of a call, as the grammar writes it: what training labels hold.

    Raises:
        DataError: as `validate_call`.
    """
    checked = validate_call(call, tools)
    tool = find(checked.name, tools)
    assert tool is not None
    body = {"name": checked.name, "arguments": _ordered(checked.arguments, tool.parameters)}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _ordered(value: Any, schema: Any) -> Any:
    if isinstance(value, dict) or hasattr(value, "keys"):
        properties = schema.get("properties", {})
        return {k: _ordered(value[k], s) for k, s in properties.items() if k in value}
    if isinstance(value, list):
        return [_ordered(v, schema.get("items", {})) for v in value]
    return value
