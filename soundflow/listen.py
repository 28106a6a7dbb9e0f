"""Hear a file, a pipe or the microphone; print, speak and draw what the model decides."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol, TextIO

import typer

from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import seconds
from soundflow.errors import AudioFormatError, ConfigError, SoundflowError, WeightsError
from soundflow.events import ErrorEvent, Event
from soundflow.intake import Decisions, Options, Pace, open_source, pieces
from soundflow.terminal import Interrupt, own_stdout
from soundflow.types import Decision, FloatArray, Perception

REALTIME_PIECE = 1600  # 100 ms: how far realtime input runs ahead of the clock
FAST_PIECE = 16_000


class Stream(Protocol):
    """What is driven: `soundflow.loop.Stream`."""

    def push(self, pcm: FloatArray) -> list[Event]: ...

    def poll(self) -> list[Event]: ...

    def close(self) -> list[Event]: ...


class Watcher(Protocol):
    """What `soundflow.loop` calls an Observer."""

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None: ...

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None: ...

    def on_voice_cancelled(self, sample: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Engine:
    """A loaded tier. `open` starts a stream that reports to a watcher."""

    chunk_ms: float
    labels: tuple[str, ...]
    open: Callable[[Watcher], Stream]


def load_engine(options: Options) -> Engine:
    """Load the tier and what the options name. Raises WeightsError or ConfigError."""
    from soundflow.respond.tools import load_tools

    tools = load_tools(options.tools) if options.tools else ()
    from soundflow import loop, metering

    voice: Any = _voice() if options.voice else None
    model = _model(options)

    def open_stream(watcher: Watcher) -> Stream:
        return loop.Stream(
            model,
            instruction=options.instruction,
            tools=tools,
            proactivity=options.proactivity,
            realtime=options.realtime,
            voice=voice,
            observer=watcher,
            timer=metering.timer,
        )

    return Engine(1000 * model.chunk_samples / SAMPLE_RATE_HZ, tuple(model.perceiver.labels), open_stream)


def _model(options: Options) -> Any:
    """The model that the options name. Raises WeightsError or ConfigError."""
    if options.model is not None:
        from soundflow.tiers.pretrained import from_pretrained

        return from_pretrained(options.model, chunk_ms=options.chunk_ms)
    from soundflow.tiers import nano

    return nano.load(chunk_ms=options.chunk_ms, adapter=options.adapter)


def _voice() -> Any:
    """Piper, or espeak-ng where its voice was not pulled. Raises ConfigError where there is neither."""
    from soundflow.respond.voice import choose_voice
    from soundflow.tiers import weights

    try:
        folder: Path | None = weights.part("voice")
    except WeightsError:
        folder = None
    voice = choose_voice(folder)
    if voice is None:
        raise ConfigError("--voice: no voice: run `soundflow models pull nano`, or install espeak-ng")
    return voice


class _Fan:
    """One watcher made of several."""

    def __init__(self, meter: Any, watchers: list[Watcher], voice_file: Any) -> None:
        self._meter = meter
        self._watchers = watchers
        self._voiced: list[Any] = [*watchers, *([voice_file] if voice_file else [])]

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None:
        self._meter.on_step(step_ms)
        for watcher in self._watchers:
            watcher.on_step(perception, decision, step_ms)

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None:
        for watcher in self._voiced:
            watcher.on_voice(sample, rate_hz, audio)

    def on_voice_cancelled(self, sample: int) -> None:
        for watcher in self._voiced:
            watcher.on_voice_cancelled(sample)


class Run:
    """One `soundflow listen`, from the source to the last line."""

    def __init__(self, options: Options, out: TextIO, err: TextIO, interrupt: Interrupt) -> None:
        self.options = options
        self.out = out
        self.err = err
        self.interrupt = interrupt
        self.heard = 0  # samples
        self._sink: Any = None
        self._recorder: Any = None

    def execute(self) -> int:
        """Exit status: 0, or 2 after bad input. An error of our own is reported, then raised."""
        try:
            self._listen()
        except BrokenPipeError:
            return 0
        except (SoundflowError, KeyboardInterrupt) as error:
            return self._fail(error)
        except Exception as error:
            self._fail(error)
            raise
        return 0

    def _fail(self, error: BaseException) -> int:
        code = getattr(error, "code", "interrupted" if isinstance(error, KeyboardInterrupt) else "internal")
        message = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__
        with suppress(OSError):
            if self.options.json:
                from soundflow.sinks import JsonLines

                JsonLines(self.out).emit(ErrorEvent(t=seconds(self.heard), code=code, message=message))
            else:
                if self._sink is not None:
                    self._sink.close()
                self.err.write(f"error: {message}\n")
                self.err.flush()
        return 130 if isinstance(error, KeyboardInterrupt) else 2

    def _listen(self) -> None:
        from soundflow.metering import Meter
        from soundflow.voicefile import VoiceFile

        options = self.options
        options.check()
        source = open_source(options)
        with self.interrupt.waiting():
            engine = load_engine(options)
        meter = Meter(engine.chunk_ms)
        watchers: list[Watcher] = []
        with ExitStack() as stack:
            voice_file = stack.enter_context(VoiceFile(options.voice)) if options.voice else None
            if options.timeline:
                from soundflow.timeline import Recorder

                self._recorder = Recorder(engine.chunk_ms, engine.labels)
                watchers.append(self._recorder)
            self._sink = self._make_sink(engine.labels, watchers)
            stack.callback(self._sink.close)
            stream = engine.open(_Fan(meter, watchers, voice_file))
            try:
                self._pump(source, stream, meter, voice_file)
            except BaseException:
                with suppress(SoundflowError):
                    stream.close()
                raise
            if self.interrupt.asked < 2:
                with suppress(KeyboardInterrupt), meter.busy():
                    self._deliver(stream.close())
            if not self.heard and not self.interrupt.asked:
                raise AudioFormatError(f"{options.source}: expected audio, got no samples")
            summary = meter.summary(self.heard)
            if voice_file:
                voice_file.close()
            self._draw(summary.rtf)
            self._sink.emit(summary)
            self._tell_files()

    def _make_sink(self, labels: tuple[str, ...], watchers: list[Watcher]) -> Any:
        from soundflow.sinks import JsonLines, PlainLog

        if self.options.json:
            return JsonLines(self.out, all_decisions=self.options.decisions is Decisions.all)
        if not self.out.isatty():
            return PlainLog(self.out)
        from rich.console import Console

        from soundflow.liveview import LiveView

        view = LiveView(Console(file=self.out), f"{self.options.model_name} · {self._name()}", labels)
        watchers.append(view)
        return view

    def _name(self) -> str:
        return (
            Path(self.options.source).name
            if self.options.is_file
            else {"-": "standard input"}.get(self.options.source, "microphone")
        )

    def _pump(self, source: Any, stream: Stream, meter: Any, voice_file: Any) -> None:
        """Audio in, events out, until the source ends or the user does."""
        from soundflow.metering import Pacer

        realtime = self.options.realtime
        paced = Pacer() if realtime and self.options.source != "mic" else None
        incoming = pieces(source, REALTIME_PIECE if realtime else FAST_PIECE)

        def poll() -> None:
            with self.interrupt.held():
                self._deliver(stream.poll())

        with suppress(KeyboardInterrupt):
            while not self.interrupt.asked:
                with self.interrupt.waiting():
                    pcm = next(incoming, None)
                    if pcm is None:
                        return
                    if paced:
                        paced.wait(self.heard + len(pcm), poll)
                self.heard += len(pcm)
                if self._recorder:
                    self._recorder.heard(pcm)
                if voice_file:
                    voice_file.heard(pcm)
                with meter.busy():
                    events = stream.push(pcm)
                self._deliver([*events, *(stream.poll() if realtime else [])])

    def _deliver(self, events: list[Event]) -> None:
        for event in events:
            self._sink.emit(event)
            if self._recorder:
                self._recorder.emit(event)

    def _draw(self, rtf: float) -> None:
        if not self._recorder or not self.options.timeline:
            return
        from soundflow import picture

        caption = picture.Caption(self._name(), self.options.model_name, f"real-time factor {rtf:.2f}")
        picture.save(self._recorder, self.options.timeline, caption)

    def _tell_files(self) -> None:
        if self.options.json:
            return
        for name, path in (("Voice", self.options.voice), ("Picture", self.options.timeline)):
            if path:
                self.out.write(f"{name:<7} {path}\n")
        self.out.flush()


def listen(
    source: Annotated[str, typer.Argument(help="An audio file, - for raw PCM on standard input, or mic.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Events as JSON lines (docs/events.md).")] = False,
    instruction: Annotated[str, typer.Option(help='For example "tell me when you hear a dog".')] = "",
    tools: Annotated[Path | None, typer.Option(help="JSON file of the functions that may be called.")] = None,
    adapter: Annotated[
        Path | None, typer.Option(help="Folder of an adapter, for example with sounds of your own; default: ours.")
    ] = None,
    proactivity: Annotated[float, typer.Option(help="0 says little, 1 says much.")] = 0.5,
    voice: Annotated[Path | None, typer.Option(help="Write the input with spoken replies to this WAV.")] = None,
    timeline: Annotated[Path | None, typer.Option(help="Draw the stream to this picture.")] = None,
    pace: Annotated[
        Pace | None, typer.Option(help="Default: fast for files, realtime for standard input and mic.")
    ] = None,
    chunk_ms: Annotated[int | None, typer.Option(help="Chunk length; it must be one the tier was trained for.")] = None,
    decisions: Annotated[Decisions, typer.Option(help="With --json: every decision, or only changes.")] = Decisions.all,
    rate: Annotated[int | None, typer.Option(help="Hz of standard input or mic (default 16000)")] = None,
    channels: Annotated[int | None, typer.Option(help="Of standard input or mic (default 1)")] = None,
    format: Annotated[
        str | None, typer.Option(help="Of standard input: s16le, s24le, s32le, f32le, u8, mulaw, alaw (default s16le)")
    ] = None,
    tier: Annotated[str, typer.Option(help="Which model.")] = "nano",
    model: Annotated[Path | None, typer.Option(help="Folder of a whole model of any tier, in place of --tier.")] = None,
) -> None:
    """Hear a file, a pipe or the microphone; print, speak and draw what the model decides.

    Ctrl-C ends the stream with its summary. Status 2 after bad input, with an error as the last line.
    """
    options = Options(**locals())
    with own_stdout() as out, Interrupt() as interrupt:
        code = Run(options, out, sys.stderr, interrupt).execute()
    if code:
        raise typer.Exit(code)
