"""`soundflow talk`: options, what is printed, what is answered, how it ends."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json as json_module
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer

from serving.talk.audio import Speaker, open_input, stream
from serving.talk.reading import Reader
from serving.talk.wire import Wire, target
from soundflow.errors import AudioFormatError, ConfigError, DataError, SoundflowError
from soundflow.events import Action, DecisionEvent, ErrorEvent, Event, SpeechStarted, SpeechStopped
from soundflow.sinks import JsonLines, PlainLog, Sink
from soundflow.terminal import own_stdout

LAST_S: Final = 15.0
"""How long the server may take to hear and answer the rest, once all audio was sent."""
STEP_S: Final = 0.05
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
OK, BAD_INPUT, NO_CONNECTION, INTERRUPTED = 0, 2, 3, 130


@dataclass(slots=True)
class Options:
    """What was asked for. `allow`: risky calls are confirmed; else they are declined."""

    url: str
    file: str = ""
    token: str = ""
    rate_hz: int = 16_000
    instruction: str = ""
    tools: Path | None = None
    proactivity: float | None = None
    allow: bool = False
    voice: bool = True
    retry_s: float = 30.0

    def session(self, voiced: bool) -> dict[str, Any]:
        """The session's settings as session.update has them; what was not asked for is the server's choice.

        Raises:
            ConfigError: the dial is out of range, or the tool file is wrong.
        """
        body: dict[str, Any] = {"type": "realtime", "output_modalities": ["audio" if voiced else "text"]}
        if self.instruction:
            body["instructions"] = self.instruction
        if self.tools is not None:
            from soundflow.respond.tools import load_tools

            load_tools(self.tools)
            body["tools"] = json_module.loads(self.tools.read_text(encoding="utf-8"))
        if self.proactivity is not None:
            if not 0 <= self.proactivity <= 1:
                raise ConfigError(f"--proactivity: a number in [0, 1] was expected, got {self.proactivity:g}")
            body["soundflow"] = {"proactivity": self.proactivity}
        return body


@dataclass(slots=True)
class Talk:
    """One run. `say` writes a line for people, beside the events."""

    options: Options
    sink: Sink
    err: TextIO
    speaker: Speaker | None = None
    reader: Reader = field(default_factory=Reader)
    opened: bool = False
    owes: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    wire: Wire | None = None
    items: dict[str, str] = field(default_factory=dict)

    async def run(self) -> None:
        """Raises SoundflowError; returns when the audio or the session is over, or on Ctrl-C."""
        url = target(self.options.url)
        source = open_input(self.options.file, self.options.rate_hz)
        self.settings = self.options.session(self.speaker is not None)
        self.wire = wire = Wire(
            url, self.options.token, source.live, self._on_event, self._on_session, self._on_lost, self.options.retry_s
        )
        with _on_interrupt(wire.finish):
            feeding = asyncio.ensure_future(self._feed(wire, source))
            try:
                reason = await _first_error(asyncio.ensure_future(wire.run()), feeding)
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
        if reason and reason != "ended":
            self._say(reason)
        if wire.dropped:
            self._say(f"{wire.dropped / 10:.1f} s of audio were dropped while the server was away")

    async def _feed(self, wire: Wire, source: Any) -> None:
        """Audio into the wire; at its end wait until all of it was heard and answered, then end the session."""
        async with aclosing(stream(source)) as audio:
            async for piece in audio:
                await wire.audio(piece)
        try:
            async with asyncio.timeout(LAST_S):
                while wire.waiting or self.reader.t < wire.sent_s - 1.0 or self.reader.active or self.owes:
                    await asyncio.sleep(STEP_S)
                while self.speaker is not None and not self.speaker.idle:
                    await asyncio.sleep(STEP_S)
        except TimeoutError:
            self._say(f"the server has not heard all of it after {LAST_S:g} s")
        wire.finish()

    def _say(self, text: str) -> None:
        with suppress(OSError):
            self.err.write(f"talk: {text}\n")
            self.err.flush()

    def _on_session(self, resumed: bool) -> None:
        assert self.wire is not None
        if self.opened:
            self._say("the session goes on" if resumed else "the session was lost; a new one begins")
        if not resumed:
            self.reader.fresh()
            self.wire.sent_s = 0.0
        self.opened = True
        self.wire.send({"type": "session.update", "session": self.settings})

    def _on_lost(self, why: str) -> None:
        for event in self.reader.lost():
            self.sink.emit(event)
        self._say(f"{why}; trying to go on")

    def _on_event(self, event: dict[str, Any]) -> None:
        try:
            events = self.reader.feed(event)
        except DataError as error:
            events = [ErrorEvent(t=self.reader.t, code=error.code, message=str(error))]
        for each in events:
            self._show(each)
        kind = event["type"]
        if kind == "response.output_audio.delta":
            self._hear(event)
        elif kind == "response.done":
            self._over(event)
        elif kind == "response.output_item.done" and any(isinstance(e, Action) for e in events):
            self._answer(event["item"])

    def _show(self, event: Event) -> None:
        silent = isinstance(event, DecisionEvent) and event.decision == "silent"
        if not silent and not isinstance(event, SpeechStarted | SpeechStopped):
            self.sink.emit(event)

    def _hear(self, event: dict[str, Any]) -> None:
        if self.speaker is None:
            return
        try:
            pcm = base64.b64decode(event.get("delta", ""), validate=True)
        except (binascii.Error, TypeError, ValueError):
            self._say("the server sent audio that cannot be read")
            return
        item, response = str(event.get("item_id")), str(event.get("response_id"))
        self.items = {item: response}
        self.speaker.put(item, pcm[: len(pcm) - len(pcm) % 2])

    def _over(self, event: dict[str, Any]) -> None:
        """A response has ended: its voice stops where it was cancelled; what is owed is asked for."""
        assert self.wire is not None
        response = event.get("response") or {}
        cut = response.get("status") == "cancelled" and response.get("id") in self.items.values()
        if cut and self.speaker is not None and (stopped := self.speaker.stop()) is not None:
            item, ms = stopped
            place = {"item_id": item, "content_index": 0, "audio_end_ms": ms}
            self.wire.send({"type": "conversation.item.truncate", **place})
        if self.owes and not self.reader.active:
            self.owes = False
            self.wire.send({"type": "response.create"})

    def _answer(self, item: dict[str, Any]) -> None:
        """A call: done where it is harmless, else only with --allow. This client moves no device."""
        assert self.wire is not None
        allowed = item.get("confirm") is not True or self.options.allow
        output = {"ok": True} if allowed else {"ok": False, "error": "declined: it needs a confirmation"}
        if not allowed:
            self._say(f"{str(item.get('name'))[:80]!r} was declined; --allow confirms such calls")
        result = {"type": "function_call_output", "call_id": item.get("call_id"), "output": json_module.dumps(output)}
        self.wire.send({"type": "conversation.item.create", "item": result})
        self.owes = self.reader.active
        if not self.owes:
            self.wire.send({"type": "response.create"})


async def _first_error(talking: asyncio.Future[str], feeding: asyncio.Future[None]) -> str:
    """The reason that the wire ended with. An error of the source ends the wire."""
    both: set[asyncio.Future[Any]] = {talking, feeding}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if feeding.done() and not feeding.cancelled() and (error := feeding.exception()) is not None:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
        raise error
    return await talking


@contextmanager
def _on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM calls `stop`, the second one ends the program. Only in the main thread."""
    loop = asyncio.get_running_loop()

    def remove() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    def once() -> None:
        stop()
        remove()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in _SIGNALS:
        loop.add_signal_handler(number, once)
    try:
        yield
    finally:
        remove()


def execute(options: Options, out: TextIO, err: TextIO, *, as_json: bool = False) -> int:
    """Talk -> exit status. An error is one line: an `error` event with `as_json`, else on `err`."""
    sink: Sink = JsonLines(out) if as_json else PlainLog(out)
    talk = Talk(options, sink, err)
    with ExitStack() as stack:
        try:
            if options.voice:
                with suppress(ConfigError):  # no loudspeaker: replies are printed only
                    talk.speaker = Speaker()
                    stack.callback(talk.speaker.close)
            asyncio.run(talk.run())
        except BrokenPipeError:
            return OK
        except KeyboardInterrupt:
            return INTERRUPTED
        except (SoundflowError, OSError) as error:
            code = getattr(error, "code", "io")
            with suppress(OSError):
                if as_json:
                    sink.emit(ErrorEvent(t=talk.reader.t, code=code, message=str(error)))
                else:
                    err.write(f"error: {error}\n")
                    err.flush()
            return BAD_INPUT if isinstance(error, ConfigError | AudioFormatError) else NO_CONNECTION
        return OK if talk.opened else INTERRUPTED


def talk(
    url: Annotated[str, typer.Argument(help="The server, for example ws://127.0.0.1:8080.")],
    *,
    file: Annotated[
        str, typer.Option(help="An audio file, or - for raw PCM on standard input; default: the microphone.")
    ] = "",
    token: Annotated[str, typer.Option(envvar="SOUNDFLOW_TOKEN", help="The server's token.", show_default=False)] = "",
    json: Annotated[bool, typer.Option("--json", help="Events as JSON lines (docs/events.md).")] = False,
    instruction: Annotated[str, typer.Option(help='For example "tell me when you hear a dog".')] = "",
    tools: Annotated[Path | None, typer.Option(help="JSON file of the functions that may be called.")] = None,
    proactivity: Annotated[
        float | None, typer.Option(help="0 says little, 1 says much; default: the server's.")
    ] = None,
    allow: Annotated[bool, typer.Option("--allow", help="Confirm calls that ask for it; default: decline.")] = False,
    voice: Annotated[bool, typer.Option(help="Play replies, where there is a loudspeaker (use headphones).")] = True,
    rate: Annotated[int, typer.Option(help="Hz of raw PCM on standard input (16-bit, mono).")] = 16_000,
    retry_s: Annotated[float, typer.Option(help="Seconds to look for a lost server.")] = 30.0,
) -> None:
    """Talk to a running server: microphone, file or pipe in; words, sounds, decisions, replies and acts out.

    Ctrl-C ends the session. A lost connection is resumed, and at most 10 s of audio wait for it. Status 0: the audio,
    the session or you ended it; 2: bad input or options; 3: the server cannot be reached, refused, or was lost;
    130: Ctrl-C before the session began.
    """
    options = Options(url, file, token, rate, instruction, tools, proactivity, allow, voice, retry_s)
    with own_stdout() as out:
        code = execute(options, out, sys.stderr, as_json=json)
    if code:
        raise typer.Exit(code)
