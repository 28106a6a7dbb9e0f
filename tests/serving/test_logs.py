"""Logs hold no audio, no words, no secrets."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving import logs
from serving.logs import LOUD, REQUEST_ID, new_request_id, redact
from soundflow.errors import ConfigError, DataError

SECRET = "sesame-sesame-sesame"


@pytest.fixture
def lines() -> Iterator[Any]:
    """Logs at debug as JSON into a buffer -> a function that reads them. Puts the loggers back."""
    root = logging.getLogger()
    names = ("serving", "soundflow", *LOUD)
    before = (
        root.handlers[:],
        root.level,
        {n: (logging.getLogger(n).level, logging.getLogger(n).handlers[:]) for n in names},
    )
    out = io.StringIO()
    logs.setup("json", "debug", [SECRET], out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    logging.captureWarnings(False)
    root.handlers[:], level, others = before[0], before[1], before[2]
    root.setLevel(level)
    for name, (old, handlers) in others.items():
        logging.getLogger(name).setLevel(old)
        logging.getLogger(name).handlers[:] = handlers


def test_fields_and_request(lines: Any) -> None:
    token = REQUEST_ID.set("req_1")
    logging.getLogger("serving.x").info(
        "opened %s", "s1", extra={"session": "s1", "seconds": 0.5, "transcript": "hello"}
    )
    REQUEST_ID.reset(token)
    (row,) = lines()
    assert row["message"] == "opened s1"
    assert (row["session"], row["seconds"], row["request"], row["level"]) == ("s1", 0.5, "req_1", "info")
    assert "transcript" not in row


def test_audio_and_payloads_are_only_sized(lines: Any) -> None:
    log = logging.getLogger("serving.x")
    log.info("got %s %s %s %s", b"RIFF1234", np.ones(3), [0.25, 0.5], {"text": "words"}, extra={"count": b"abc"})
    log.info("got %s", "x" * 5000)
    first, second = lines()
    assert first["message"] == "got <bytes of 8> <ndarray of 3> <list of 2> <dict of 1>"
    assert first["count"] == "<bytes of 3>"
    assert len(second["message"]) < 400


@pytest.mark.parametrize(
    "text",
    [
        f"a {SECRET} b",
        "Authorization: Bearer abcdef123456",
        "GET /v1/realtime?model=x&token=abcdef123456 HTTP/1.1",
        "realtime, openai-insecure-api-key.abcdef123456",
        "mqtt://me:abcdef123456@broker:1883",
        "password=abcdef123456",
        '{"token": "abcdef123456"}',
        "--token abcdef123456".replace(" ", "="),
        "redis://:abcdef123456@cache/0",
    ],
)
def test_secrets_are_masked(lines: Any, text: str) -> None:
    log = logging.getLogger("serving.x")
    log.warning(text)
    log.warning("%s", text, extra={"reason": text})
    logging.getLogger("uvicorn.error").warning("%s", text)
    found = lines()
    assert len(found) == 3
    assert "abcdef123456" not in str(found)
    assert SECRET not in str(found)


def test_what_is_no_secret_stays() -> None:
    assert redact("mqtt://broker:1883 tokens 12 in 3 s") == "mqtt://broker:1883 tokens 12 in 3 s"


def test_libraries_cannot_write_payloads(lines: Any) -> None:
    for name in LOUD:
        logging.getLogger(f"{name}.server").debug("< TEXT 'words that were said'")
        logging.getLogger(f"{name}.server").info("words that were said")
    assert lines() == []


def test_exceptions_show_type_and_place_but_quote_nobody(lines: Any) -> None:
    log = logging.getLogger("serving.x")
    for error in (ValueError("words that were said"), DataError("words that were said"), ConfigError("set host")):
        try:
            raise error
        except (ValueError, DataError, ConfigError):
            log.exception("failed")
    first, second, third = lines()
    assert (first["error"], second["error"], third["error"]) == ("ValueError", "DataError", "ConfigError: set host")
    assert "test_logs.py" in first["where"][-1]
    assert "words" not in json.dumps([first, second])


def test_a_broken_call_does_not_raise(lines: Any) -> None:
    logging.getLogger("serving.x").info("%d of %d", *[1])
    assert len(lines()) == 1


def test_a_line_stays_a_line(lines: Any) -> None:
    logging.getLogger("serving.x").info("a\nb %s", "c\nd")
    assert lines()[0]["message"] == "a b c d"


def test_a_flood_is_cut_short_and_counted() -> None:
    calm = logs.Calm(most=3, window_s=10.0)

    def at(second: float, line: int = 1, text: str = "bad") -> logging.LogRecord:
        record = logging.LogRecord("uvicorn.error", logging.WARNING, "f", line, text, (), None)
        record.created = second
        return record

    assert [calm.filter(at(i / 10)) for i in range(8)] == [True] * 3 + [False] * 5
    assert calm.filter(at(0.5, line=2))
    later = at(11.0)
    assert calm.filter(later)
    assert later.msg == "bad (5 more were left out)"
    assert not calm.filter(at(20.0, 3, logs.REFUSED_SOCKET))


def test_plain_lines() -> None:
    out = io.StringIO()
    clean = logs.Clean([SECRET])
    record = logging.LogRecord("serving", logging.INFO, "f", 1, "hi %s", (SECRET,), None)
    assert clean.filter(record)
    out.write(logs.Plain(clean).format(record))
    assert "info    serving: hi ***" in out.getvalue()


def test_request_ids() -> None:
    assert new_request_id("abc-1") == "abc-1"
    assert new_request_id("a b").startswith("req_")
    assert new_request_id("x" * 65).startswith("req_")
    assert new_request_id() != new_request_id()


TOLD = {
    "text",
    "words",
    "transcript",
    "audio",
    "pcm",
    "token",
    "secret",
    "password",
    "instruction",
    "arguments",
    "payload",
}


def test_no_call_of_a_logger_names_words_audio_or_secrets() -> None:
    found = []
    for path in sorted(Path(logs.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = node.func.value
            if not (isinstance(owner, ast.Name) and owner.id.lower().strip("_") in {"log", "logger"}):
                continue
            for inner in [*node.args[1:], *(k.value for k in node.keywords)]:
                names = {n.id for n in ast.walk(inner) if isinstance(n, ast.Name)}
                names |= {n.attr for n in ast.walk(inner) if isinstance(n, ast.Attribute)}
                if names & TOLD:
                    found.append(f"{path.name}:{node.lineno}: {sorted(names & TOLD)}")
    assert found == []
