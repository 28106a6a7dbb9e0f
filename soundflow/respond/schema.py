"""JSON schemas of tool arguments, closed and bounded, so that whatever is decoded under them ends and validates.

`closed` resolves local `$ref`s, forbids unnamed properties, gives every string, array and number a bound, and refuses
keywords that the decoder cannot hold. The result is what the prompt shows, what the grammar is built from and what a
call is checked by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soundflow.errors import ConfigError

MAX_DEPTH = 8
MAX_NODES = 1_000  # sub-schemas after `$ref`s are resolved
MAX_CALL_CHARS = 4_096  # the longest call that a schema may allow
STRING_CHARS = 64  # where no maxLength is given
MAX_STRING_CHARS = 256
ARRAY_ITEMS = 8  # where no maxItems is given
MAX_ARRAY_ITEMS = 32
NUMBER_LIMIT = 1_000_000_000
NUMBER_STEP = 0.01  # where no multipleOf is given: two decimals

_CALL_MARKS = 96  # characters of '{"name":"...","arguments":}'
_NUMBER_CHARS = 16
_ALIASES = {"$defs", "definitions", "$schema", "$id", "$comment"}
_LABELS = {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
_OF_TYPE = {
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "array": {"items", "minItems", "maxItems"},
    "object": {"properties", "required", "additionalProperties"},
    "boolean": set(),
    "null": set(),
}
_KEYWORDS = {"type", "enum", "const", "anyOf", "oneOf", "$ref"}.union(*_OF_TYPE.values())


def closed(schema: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The bounded form of a (valid) JSON schema of type object; closing twice changes nothing.

    Raises:
        ConfigError: a keyword, reference, depth or size that cannot be held; the message begins with `where`.
    """
    body = _Closer(schema).close(schema, where, 0)
    if body.get("type") != "object":
        raise ConfigError(f"{where}: expected type object, got {body.get('type')!r}")
    longest = _longest(body) + _CALL_MARKS
    if longest > MAX_CALL_CHARS:
        raise ConfigError(
            f"{where}: a call could be {longest} characters long, expected at most {MAX_CALL_CHARS}: "
            "give enum, maxLength or maxItems"
        )
    return body


@dataclass(slots=True)
class _Closer:
    root: Mapping[str, Any]
    nodes: int = 0

    def close(self, schema: Any, where: str, depth: int) -> dict[str, Any]:
        self.nodes += 1
        if not isinstance(schema, Mapping):
            raise ConfigError(f"{where}: expected a schema object, got {schema!r}")
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise ConfigError(
                f"{where}: expected at most {MAX_DEPTH} levels and {MAX_NODES} sub-schemas (none may refer to itself)"
            )
        if "$ref" in schema:
            return self.close(self._resolve(schema["$ref"], where), where, depth + 1)
        unknown = sorted(set(schema) - _KEYWORDS - _LABELS - _ALIASES)
        if unknown:
            raise ConfigError(f"{where}.{unknown[0]}: this JSON schema keyword is not supported")
        labels = {k: v for k, v in schema.items() if k in _LABELS}
        for key in ("anyOf", "oneOf"):
            if key in schema:
                extra = sorted(set(schema) - _LABELS - _ALIASES - {key})
                if extra:
                    raise ConfigError(f"{where}.{extra[0]}: not supported beside {key}")
                branches = [self.close(s, f"{where}.{key}[{i}]", depth + 1) for i, s in enumerate(schema[key])]
                return {**labels, key: branches}
        if "enum" in schema or "const" in schema:
            return {k: v for k, v in schema.items() if k not in _ALIASES}
        kinds = schema.get("type", "object" if "properties" in schema else None)
        if kinds is None:
            raise ConfigError(f"{where}.type: expected one of {', '.join(_OF_TYPE)}, got nothing")
        if isinstance(kinds, str):
            own = {k: v for k, v in schema.items() if k in _OF_TYPE[kinds]}
            return {**labels, **self._typed(kinds, own, where, depth)}
        branches = [
            self._typed(kind, {k: v for k, v in schema.items() if k in _OF_TYPE[kind]}, where, depth) for kind in kinds
        ]
        return {**labels, "anyOf": branches}

    def _typed(self, kind: str, body: dict[str, Any], where: str, depth: int) -> dict[str, Any]:
        """`body` holds the keywords of that type only."""
        if kind == "object":
            properties = body.get("properties", {})
            body["properties"] = {k: self.close(v, f"{where}.properties.{k}", depth + 1) for k, v in properties.items()}
            missing = sorted(set(body.get("required", ())) - set(properties))
            if missing:
                raise ConfigError(f"{where}.required: {missing[0]!r} is not among the properties")
            body["additionalProperties"] = False
        elif kind == "array":
            body["items"] = self.close(body.get("items", {}), f"{where}.items", depth + 1)
            _cap(body, "Items", ARRAY_ITEMS, MAX_ARRAY_ITEMS, where)
        elif kind == "string":
            usual = MAX_STRING_CHARS if "format" in body else STRING_CHARS
            _cap(body, "Length", usual, MAX_STRING_CHARS, where)
        elif kind in ("integer", "number"):
            if not {"minimum", "exclusiveMinimum"} & set(body):
                body["minimum"] = -NUMBER_LIMIT
            if not {"maximum", "exclusiveMaximum"} & set(body):
                body["maximum"] = NUMBER_LIMIT
            if kind == "number":
                body.setdefault("multipleOf", NUMBER_STEP)
        return {"type": kind, **body}

    def _resolve(self, ref: Any, where: str) -> Any:
        node: Any = self.root
        if not isinstance(ref, str) or not ref.startswith("#/"):
            raise ConfigError(f"{where}.$ref: expected a reference inside the schema (#/...), got {ref!r}")
        for part in ref[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, Mapping) or key not in node:
                raise ConfigError(f"{where}.$ref: {ref!r} is not in the schema")
            node = node[key]
        return node


def _cap(body: dict[str, Any], what: str, usual: int, most: int, where: str) -> None:
    low, high = f"min{what}", f"max{what}"
    body[high] = min(body.get(high, max(usual, body.get(low, 0))), most)
    if body.get(low, 0) > body[high]:
        raise ConfigError(f"{where}.{low}: expected at most {body[high]}, got {body[low]}")


def _longest(schema: Mapping[str, Any]) -> int:
    """Characters of the longest compact JSON value (escapes not counted) that a closed schema allows."""
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return max((_longest(s) for s in schema[key]), default=0)
    if "enum" in schema or "const" in schema:
        values = schema["enum"] if "enum" in schema else [schema["const"]]
        return max((len(json.dumps(v, ensure_ascii=False)) for v in values), default=0)
    kind = schema["type"]
    if kind == "object":
        return 2 + sum(len(k) + 4 + _longest(v) for k, v in schema["properties"].items())
    if kind == "array":
        return 2 + int(schema["maxItems"]) * (1 + _longest(schema["items"]))
    return 2 + int(schema["maxLength"]) if kind == "string" else _NUMBER_CHARS
