"""What a client did wrong, as an `error` event says it."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ValidationError

MAX_MESSAGE: Final = 500


class Invalid(Exception):
    """An event that cannot be done. `code` is the stable name, `param` the field."""

    def __init__(self, message: str, code: str = "invalid_value", param: str | None = None) -> None:
        super().__init__(message[:MAX_MESSAGE])
        self.code, self.param = code, param


def check(model: type[BaseModel], body: Any, where: str) -> None:
    """Hold the body against one of the SDK's types; unknown fields pass.

    Raises:
        Invalid: the first field that is wrong, without its value.
    """
    try:
        model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        steps = [str(step) for step in first["loc"] if not str(step)[:1].isupper() and "[" not in str(step)]
        param = ".".join([where, *steps]) if where else ".".join(steps)
        raise Invalid(f"{param}: {first['msg']}", "invalid_value", param) from error
    except RecursionError as error:
        raise Invalid(f"{where}: nested too deep", "invalid_value", where) from error


def text_of(body: dict[str, Any], key: str, limit: int, where: str = "") -> str:
    """A required text field of at most `limit` characters. Raises Invalid."""
    value, param = body.get(key), f"{where}.{key}" if where else key
    if not isinstance(value, str):
        raise Invalid(f"{param}: text was expected, got {type(value).__name__}", "invalid_value", param)
    if len(value) > limit:
        raise Invalid(f"{param}: at most {limit} characters were expected, got {len(value)}", "string_too_long", param)
    return value
