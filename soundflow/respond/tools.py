"""Tools: read from a JSON file, checked, written into the prompt, and calls checked. docs/tools.md is the manual."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import SchemaError, best_match
from jsonschema.validators import extend

from soundflow.errors import ConfigError, DataError
from soundflow.respond.schema import closed
from soundflow.types import ActionCall, Tool

MAX_TOOLS = 64
MAX_SCHEMA_BYTES = 64 * 1024
MAX_FILE_BYTES = 1024 * 1024
MAX_DESCRIPTION = 1024
MAX_PROMPT_VALUES = 12

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEYS = {"type", "name", "description", "parameters", "strict", "confirm"}
_READS = {"get", "list", "read", "is", "has", "check", "query", "show", "search", "find"}
_RISKY_NAME = {
    *("lock", "unlock", "door", "doors", "gate", "garage", "arm", "disarm"),
    *("oven", "stove", "cooker", "heater", "furnace"),
    *("pay", "payment", "buy", "purchase", "order", "transfer", "delete", "erase"),
}
_RISKY_TEXT = re.compile(r"\b(unlocks?|disarms?|garage|ovens?|stoves?|heaters?|payments?|purchases?)\b", re.IGNORECASE)


def load_tools(path: Path) -> tuple[Tool, ...]:
    """Read a tool file: a list of function schemas, or an object with the list under `tools`.

    Raises:
        ConfigError: the file cannot be read, or a tool in it is wrong; file and key are named.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: expected at most {MAX_FILE_BYTES} bytes, got {len(raw)}")
        body = json.loads(raw, parse_constant=_no_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: expected a JSON file of tools: {error}") from error
    return make_tools(body, str(path))


def make_tools(body: Any, where: str) -> tuple[Tool, ...]:
    """Tools from parsed JSON; `where` (a file, a message) begins every error.

    Raises:
        ConfigError: as `load_tools`.
    """
    if isinstance(body, Mapping):
        unknown = sorted(set(body) - {"tools"})
        if unknown or "tools" not in body:
            raise ConfigError(f"{where}: expected a list of tools or {{'tools': [...]}}, got keys {sorted(body)}")
        body = body["tools"]
    if not isinstance(body, list):
        raise ConfigError(f"{where}: expected a list of tools, got {type(body).__name__}")
    if len(body) > MAX_TOOLS:
        raise ConfigError(f"{where}: expected at most {MAX_TOOLS} tools, got {len(body)}")
    tools = tuple(_tool(t, f"{where}: tools[{i}]") for i, t in enumerate(body))
    for i, tool in enumerate(tools):
        if any(t.name == tool.name for t in tools[:i]):
            raise ConfigError(f"{where}: tools[{i}].name: {tool.name!r} is used twice")
    return tools


def _tool(body: Any, where: str) -> Tool:
    if not isinstance(body, Mapping):
        raise ConfigError(f"{where}: expected an object, got {body!r:.80}")
    if body.get("type", "function") != "function":
        raise ConfigError(f"{where}.type: expected 'function', got {body['type']!r}")
    if "function" in body:
        extra = sorted(set(body) - {"type", "function", "confirm"})
        if extra or not isinstance(body["function"], Mapping):
            raise ConfigError(
                f"{where}.{extra[0] if extra else 'function'}: expected {{type, function: {{...}}, confirm}}"
            )
        outer = {"confirm": body["confirm"]} if "confirm" in body else {}
        body, where = {**body["function"], **outer}, f"{where}.function"
    unknown = sorted(set(body) - _KEYS)
    if unknown:
        raise ConfigError(f"{where}.{unknown[0]}: unknown key, expected {', '.join(sorted(_KEYS))}")
    name, text, confirm = body.get("name"), body.get("description", ""), body.get("confirm")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(f"{where}.name: expected 1 to 64 of A-Z a-z 0-9 _ -, got {name!r:.80}")
    if not isinstance(text, str) or len(text) > MAX_DESCRIPTION:
        raise ConfigError(f"{where}.description: expected a string of at most {MAX_DESCRIPTION} characters")
    if confirm is not None and not isinstance(confirm, bool):
        raise ConfigError(f"{where}.confirm: expected true or false, got {confirm!r}")
    parameters = _parameters(body.get("parameters", {"type": "object", "properties": {}}), f"{where}.parameters")
    return Tool(name, text, parameters, risky(name, text) if confirm is None else confirm)


def _parameters(schema: Any, where: str) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        raise ConfigError(f"{where}: expected a JSON schema of type object, got {schema!r:.80}")
    try:
        size = len(json.dumps(schema).encode())
        if size > MAX_SCHEMA_BYTES:
            raise ConfigError(f"{where}: expected at most {MAX_SCHEMA_BYTES} bytes of schema, got {size}")
        Draft202012Validator.check_schema(schema)
    except RecursionError as error:
        raise ConfigError(f"{where}: nested too deep") from error
    except SchemaError as error:
        key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path)
        raise ConfigError(f"{where}{key}: not a JSON schema: {error.message:.200}") from error
    return closed(schema, where)


def risky(name: str, description: str) -> bool:
    """The rule for tools that do not say `confirm`: doors, alarms, heat, money, deletion, unless it only reads."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    lower = [w.lower() for w in words]
    if lower and lower[0] in _READS:
        return False
    return bool(_RISKY_NAME & set(lower)) or _RISKY_TEXT.search(description) is not None


def find(name: str, tools: Iterable[Tool]) -> Tool | None:
    """The tool of that name."""
    return next((t for t in tools if t.name == name), None)


def validate_call(call: ActionCall, tools: Sequence[Tool]) -> ActionCall:
    """The call, with `confirm` as its tool says.

    Raises:
        DataError: no such tool, or arguments that its schema does not allow.
    """
    tool = find(call.name, tools)
    if tool is None:
        raise DataError(f"expected one of {[t.name for t in tools]}, got a call of {call.name!r:.80}")
    error = best_match(_CallValidator(tool.parameters).iter_errors(dict(call.arguments)))
    if error is not None:
        raise DataError(f"{tool.name}{error.json_path[1:]}: {error.message:.200}")
    return ActionCall(tool.name, dict(call.arguments), tool.confirm)


def tools_prompt(tools: Sequence[Tool], max_values: int = MAX_PROMPT_VALUES) -> str:
    """One line a tool, e.g. `set_light(room: kitchen|bedroom, state: on|off, level?: int)`; long enums end in `...`."""
    return "\n".join(f"{t.name}({_fields(t.parameters, max_values)})" for t in tools)


def _fields(schema: Mapping[str, Any], most: int) -> str:
    required = schema.get("required", ())
    items = schema.get("properties", {}).items()
    return ", ".join(f"{k}{'' if k in required else '?'}: {_kind(v, most)}" for k, v in items)


def _kind(schema: Mapping[str, Any], most: int) -> str:
    if "enum" in schema or "const" in schema:
        values = schema["enum"] if "enum" in schema else [schema["const"]]
        shown = [v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values[:most]]
        return "|".join(shown + (["..."] if len(values) > most else []))
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return "|".join(_kind(s, most) for s in schema[key])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"[{_kind(schema.get('items', {}), most)}]"
    if kind == "object":
        return "{" + _fields(schema, most) + "}"
    return {"integer": "int", "boolean": "true|false", "string": "text"}.get(kind, kind)


def _multiple_of(_: Any, step: float, value: Any, __: Any) -> Iterator[ValidationError]:
    """In decimals: in binary 0.07 is no multiple of 0.01."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and Decimal(str(value)) % Decimal(str(step)):
        yield ValidationError(f"{value} is not a multiple of {step}")


_CallValidator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"multipleOf": _multiple_of}
)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
