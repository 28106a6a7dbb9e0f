"""Wyoming events on a stream, read and written under bounds.

    event   = header NEWLINE [data] [payload]
    header  = JSON object: type (string), data (object), data_length, payload_length (integers >= 0)
    data    = JSON object of data_length bytes, merged over the header's
    payload = payload_length bytes

The library's own reader has no bounds and ends in silence where it cannot parse.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Final

from wyoming.error import Error
from wyoming.event import Event, async_write_event

from serving.wyoming.bounds import Bounds
from soundflow.errors import SoundflowError

MAX_TYPE: Final = 64
LINGER_S: Final = 1.0
LINGER_BYTES: Final = 8 * 1024 * 1024


class FrameError(Exception):
    """What came is no event. `code`: bad_frame, too_large, timeout, bad_request, bad_audio, capacity, ..."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def read_event(reader: asyncio.StreamReader, bounds: Bounds) -> Event | None:
    """The next event, or None where the stream ended between two.

    Raises:
        FrameError: it is malformed, too large, cut off, or took too long; nothing more can be read.
    """
    try:
        async with asyncio.timeout(bounds.idle_s):
            first = await reader.read(1)
    except TimeoutError:
        raise FrameError("timeout", f"expected an event within {bounds.idle_s:g} s") from None
    if not first:
        return None
    try:
        async with asyncio.timeout(bounds.frame_s):
            return await _rest(first, reader, bounds)
    except TimeoutError:
        raise FrameError("timeout", f"expected the rest of an event within {bounds.frame_s:g} s") from None
    except asyncio.IncompleteReadError as error:
        wanted = f"{error.expected} bytes" if error.expected else "a line"
        raise FrameError("bad_frame", f"cut off: expected {wanted}, got {len(error.partial)}") from None


async def _rest(first: bytes, reader: asyncio.StreamReader, bounds: Bounds) -> Event:
    line = first if first == b"\n" else first + await _line(reader, bounds)
    header = _object(line, "header")
    kind = header.get("type")
    if not isinstance(kind, str) or not 0 < len(kind) <= MAX_TYPE:
        raise FrameError("bad_frame", f"header.type: expected 1 to {MAX_TYPE} characters, got {kind!r:.80}")
    data = header.get("data")
    if data is not None and not isinstance(data, dict):
        raise FrameError("bad_frame", f"header.data: expected an object, got {type(data).__name__}")
    data = dict(data or {})
    data_length = _length(header, "data_length", bounds.data_bytes)
    payload_length = _length(header, "payload_length", bounds.payload_bytes)
    if data_length:
        data.update(_object(await reader.readexactly(data_length), "data"))
    payload = await reader.readexactly(payload_length) if payload_length else None
    return Event(kind, data, payload)


async def _line(reader: asyncio.StreamReader, bounds: Bounds) -> bytes:
    """The stream's own limit is `header_bytes` (see `WyomingServer`), so that no more is ever buffered."""
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError:
        line = b"-" * (bounds.header_bytes + 1)
    if len(line) > bounds.header_bytes:
        raise FrameError("too_large", f"header: expected at most {bounds.header_bytes} bytes")
    return line


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise FrameError("bad_frame", f"{what}: expected JSON, got {len(raw)} bytes that are not ({error})") from None
    if not isinstance(body, dict):
        raise FrameError("bad_frame", f"{what}: expected a JSON object, got {type(body).__name__}")
    return body


def _length(header: dict[str, Any], key: str, most: int) -> int:
    value = header.get(key)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise FrameError("bad_frame", f"header.{key}: expected an integer of at least 0, got {value!r:.80}")
    if value > most:
        raise FrameError("too_large", f"header.{key}: expected at most {most} bytes, got {value}")
    return value


async def write_event(event: Event, writer: asyncio.StreamWriter, bounds: Bounds) -> None:
    """Send an event. FrameError("timeout") where the client does not read; ConnectionError where it is gone."""
    try:
        async with asyncio.timeout(bounds.write_s):
            await async_write_event(event, writer)
    except TimeoutError:
        raise FrameError("timeout", f"the client read nothing for {bounds.write_s:g} s") from None


async def refuse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, error: FrameError | SoundflowError, bounds: Bounds
) -> None:
    """Send the error as the last event, and see that it arrives: input that is never read would reset the connection
    before the client has read it. Takes `LINGER_S` at most beyond the writing.
    """
    with suppress(FrameError, OSError):
        await write_event(Error(str(error), error.code).event(), writer, bounds)
        writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                left = LINGER_BYTES
                while left > 0 and (data := await reader.read(64 * 1024)):
                    left -= len(data)


async def close(writer: asyncio.StreamWriter) -> None:
    """Close the socket; what the client does not read within `LINGER_S` is lost."""
    writer.close()
    try:
        async with asyncio.timeout(LINGER_S):
            await writer.wait_closed()
    except (TimeoutError, OSError):
        writer.transport.abort()
