"""Tool files: the forms that are read, what is refused and how it says so, the confirm rule, the prompt."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundflow.errors import ConfigError, DataError
from soundflow.respond.schema import closed
from soundflow.respond.tools import MAX_TOOLS, load_tools, make_tools, risky, tools_prompt, validate_call
from soundflow.types import ActionCall

DEMO = Path(__file__).parents[2] / "demo"
LIGHT = {
    "type": "function",
    "name": "set_light",
    "description": "Light.",
    "parameters": {
        "type": "object",
        "properties": {
            "room": {"enum": ["kitchen", "hall"]},
            "brightness": {"type": "integer"},
            "note": {"type": "string"},
        },
        "required": ["room"],
    },
}


def with_parameters(parameters: object) -> list[object]:
    return [{**LIGHT, "parameters": parameters}]


def of(properties: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": properties}


def test_demo_files() -> None:
    home, coffee = load_tools(DEMO / "tools.json"), load_tools(DEMO / "coffee_tools.json")
    assert [t.name for t in home] == ["set_light", "set_timer", "cancel_timer", "set_lock", "set_thermostat"]
    assert [t.confirm for t in home] == [False, False, False, True, False]
    assert [t.name for t in coffee] == ["order_coffee"]
    assert coffee[0].confirm
    assert len(coffee[0].parameters["properties"]["milkAmount"]["enum"]) == 36


def test_three_forms_are_one(tmp_path: Path) -> None:
    nested = {"type": "function", "function": {k: v for k, v in LIGHT.items() if k != "type"}}
    flat = make_tools([LIGHT], "x")
    assert make_tools([nested], "x") == flat == make_tools({"tools": [LIGHT]}, "x")
    path = tmp_path / "t.json"
    path.write_text(json.dumps([LIGHT]))
    assert load_tools(path) == flat
    assert make_tools([{**nested, "confirm": True}], "x")[0].confirm


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("x", "expected a list"),
        ({"functions": []}, "expected a list of tools or"),
        ([1], r"tools\[0\]: expected an object"),
        ([{**LIGHT, "type": "web"}], r"tools\[0\]\.type"),
        ([{**LIGHT, "name": "a b"}], r"tools\[0\]\.name"),
        ([{**LIGHT, "name": None}], r"tools\[0\]\.name"),
        ([{**LIGHT, "nmae": 1}], r"tools\[0\]\.nmae: unknown key"),
        ([{**LIGHT, "confirm": "yes"}], r"tools\[0\]\.confirm"),
        ([{**LIGHT, "description": "x" * 2000}], r"tools\[0\]\.description"),
        ([{"type": "function", "function": 3}], r"tools\[0\]\.function"),
        ([LIGHT, LIGHT], r"tools\[1\]\.name: 'set_light' is used twice"),
        ([LIGHT] * (MAX_TOOLS + 1), "at most 64 tools"),
        (with_parameters([]), r"parameters: expected a JSON schema of type object"),
        (with_parameters({"type": "string"}), r"parameters: expected a JSON schema of type object"),
        (with_parameters(of({"a": {"type": "colour"}})), r"parameters\.properties\.a\.type: not a JSON schema"),
        (with_parameters(of({"a": {"enum": ["x" * 70_000]}})), "at most 65536 bytes"),
        (with_parameters(of({"a": {}})), r"properties\.a\.type: expected one of"),
        (with_parameters(of({"a": True})), r"properties\.a: expected a schema object"),
        (with_parameters(of({"a": {"not": {}}})), r"properties\.a\.not: .*not supported"),
        (
            with_parameters(of({"a": {"anyOf": [{"type": "null"}], "type": "null"}})),
            r"a\.type: not supported beside anyOf",
        ),
        (with_parameters(of({"a": {"$ref": "#/$defs/b"}})), r"a\.\$ref: '#/\$defs/b' is not in the schema"),
        (with_parameters(of({"a": {"$ref": "http://x/y"}})), "inside the schema"),
        (with_parameters({**of({"a": {"$ref": "#"}})}), r"a\.\$ref"),
        (
            with_parameters({**of({"a": {"$ref": "#/$defs/a"}}), "$defs": {"a": {"$ref": "#/$defs/a"}}}),
            "refer to itself",
        ),
        (with_parameters({**of({}), "required": ["a"]}), "required: 'a' is not among"),
        (with_parameters(of({"a": {"type": "string", "minLength": 999}})), r"a\.minLength: expected at most 256"),
        (
            with_parameters(of({"a": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}})),
            "could be 4\\d\\d\\d characters long",
        ),
    ],
)
def test_a_wrong_file_names_file_and_key(body: object, says: str, tmp_path: Path) -> None:
    path = tmp_path / "my_tools.json"
    path.write_text(json.dumps(body))
    with pytest.raises(ConfigError, match=says) as error:
        load_tools(path)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[NaN]", b"[" * 100_000, b" " * 2_000_000])
def test_not_json(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_bytes(raw)
    with pytest.raises(ConfigError):
        load_tools(tmp_path / "t.json")
    with pytest.raises(ConfigError):
        load_tools(tmp_path / "missing.json")


def test_references_that_multiply_are_refused() -> None:
    defs = {f"d{i}": of({f"p{j}": {"$ref": f"#/$defs/d{i + 1}"} for j in range(30)}) for i in range(6)}
    body = {**of({"a": {"$ref": "#/$defs/d0"}}), "$defs": {**defs, "d6": {"type": "null"}}}
    with pytest.raises(ConfigError, match="sub-schemas"):
        closed(body, "x")


def test_closing_bounds_everything_and_is_idempotent() -> None:
    schema = {
        **of(
            {
                "s": {"type": "string"},
                "long": {"type": "string", "maxLength": 10_000},
                "n": {"type": ["integer", "null"]},
                "f": {"type": "number", "minimum": 0},
                "l": {"type": "array", "items": {"$ref": "#/$defs/e"}},
            }
        ),
        "$defs": {"e": {"enum": ["a", "b"]}},
    }
    body = closed(schema, "x")
    p = body["properties"]
    assert body["additionalProperties"] is False
    assert p["s"]["maxLength"] == 64
    assert p["long"]["maxLength"] == 256
    assert p["n"]["anyOf"][0]["maximum"] == 1_000_000_000
    assert p["f"] == {"type": "number", "minimum": 0, "maximum": 1_000_000_000, "multipleOf": 0.01}
    assert p["l"] == {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 8}
    assert closed(body, "x") == body


@pytest.mark.parametrize(
    ("name", "text", "is_risky"),
    [
        ("lock_door", "", True),
        ("openGarage", "", True),
        ("oven", "", True),
        ("arm_alarm", "", True),
        ("order_coffee", "", True),
        ("do_it", "Unlocks the front.", True),
        ("get_door_state", "", False),
        ("set_light", "In order to see.", False),
        ("set_clock", "", False),
        ("set_thermostat", "", False),
    ],
)
def test_confirm_rule(name: str, text: str, is_risky: bool) -> None:
    assert risky(name, text) is is_risky
    assert make_tools([{"name": name, "description": text}], "x")[0].confirm is is_risky
    assert make_tools([{"name": name, "description": text, "confirm": not is_risky}], "x")[0].confirm is not is_risky


def test_validate_call() -> None:
    tools = make_tools([{**LIGHT, "confirm": True}], "x")
    assert validate_call(ActionCall("set_light", {"room": "hall"}), tools) == ActionCall(
        "set_light", {"room": "hall"}, True
    )
    for call, says in [
        (ActionCall("set_lamp", {}), "expected one of"),
        (ActionCall("set_light", {}), "'room' is a required"),
        (ActionCall("set_light", {"room": "moon"}), r"set_light\.room: 'moon'"),
        (ActionCall("set_light", {"room": "hall", "brightness": True}), r"\.brightness"),
        (ActionCall("set_light", {"room": "hall", "x": 1}), "unexpected"),
        (ActionCall("set_light", {"room": "hall", "note": "x" * 65}), "too long"),
    ]:
        with pytest.raises(DataError, match=says):
            validate_call(call, tools)


@given(st.integers(-(10**9), 10**9))
def test_two_decimals_are_two_decimals(hundredths: int) -> None:
    tools = make_tools([{"name": "t", "parameters": of({"f": {"type": "number"}})}], "x")
    validate_call(ActionCall("t", {"f": hundredths / 100}), tools)
    with pytest.raises(DataError, match="multiple of"):
        validate_call(ActionCall("t", {"f": hundredths / 100 + 0.003}), tools)


def test_prompt() -> None:
    tools = make_tools(
        [
            LIGHT,
            {
                "name": "plan",
                "parameters": of(
                    {
                        "days": {"type": "array", "items": {"enum": list("abcdefghijklmno")}},
                        "at": {"type": ["number", "null"]},
                        "who": {**of({"me": {"type": "boolean"}}), "required": ["me"]},
                        "k": {"const": 3},
                    }
                ),
            },
            {"name": "stop"},
        ],
        "x",
    )
    assert tools_prompt(tools).splitlines() == [
        "set_light(room: kitchen|hall, brightness?: int, note?: text)",
        "plan(days?: [a|b|c|d|e|f|g|h|i|j|k|l|...], at?: number|null, who?: {me: true|false}, k?: 3)",
        "stop()",
    ]
