"""Where events go: JSON lines, the plain log, the closing event list."""

from __future__ import annotations

import textwrap
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TextIO

from soundflow.events import (
    Action,
    DecisionEvent,
    ErrorEvent,
    Event,
    NoteEvent,
    ReplyCancelled,
    ReplyDelta,
    ReplyDone,
    ReplyStarted,
    SoundEvent,
    SoundWhole,
    SpeechStarted,
    SpeechStopped,
    Summary,
    Transcript,
)

WIDTH = 90


class Sink(Protocol):
    """Takes every event in order. `emit` may raise BrokenPipeError when nobody reads any more."""

    def emit(self, event: Event) -> None: ...

    def close(self) -> None: ...


class DecisionFilter:
    """Drops decisions that repeat the kind before them; the first one passes."""

    def __init__(self) -> None:
        self._last = ""

    def passes(self, event: Event) -> bool:
        if not isinstance(event, DecisionEvent):
            return True
        changed = event.decision != self._last
        self._last = event.decision
        return changed


class JsonLines:
    """One event a line, flushed at once so that a reader never waits."""

    def __init__(self, out: TextIO, *, all_decisions: bool = True) -> None:
        self._out = out
        self._keep: Callable[[Event], bool] = (lambda _: True) if all_decisions else DecisionFilter().passes

    def emit(self, event: Event) -> None:
        if self._keep(event):
            self._out.write(event.to_json() + "\n")
            self._out.flush()

    def close(self) -> None:
        self._out.flush()


def one_line(text: str, limit: int = 400) -> str:
    """`text` without line breaks or control characters, cut at `limit` characters."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def call_text(event: Action) -> str:
    """`set_light(room="kitchen", on=true)`, as a person reads a call."""
    arguments = ", ".join(f"{k}={_value(v)}" for k, v in event.arguments.items())
    return one_line(f"{event.name}({arguments})")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def describe(event: Event) -> tuple[str, str] | None:
    """(heading, text) of an event for people, or None where it says nothing new to them."""
    match event:
        case DecisionEvent(decision="silent") | ReplyDelta():
            return None
        case DecisionEvent():
            return "DECIDE", f"{event.decision} {event.p.get(event.decision, 0.0):.2f}"
        case SoundEvent(offset=None):
            return "SOUND", f"{event.label} {event.p:.2f}"
        case SoundEvent():
            return "ENDED", f"{event.label} after {max(0.0, (event.offset or 0.0) - event.onset):.1f} s"
        case SoundWhole():
            return "WHOLE", f"{event.label}, {event.offset - event.onset:.1f} s"
        case Transcript(final=True):
            return "WORDS", f'"{one_line(event.text)}"'
        case ReplyDone():
            return "SPEAK", f'"{one_line(event.text)}"'
        case ReplyCancelled():
            cut = f'"{one_line(event.text, 60)}" ' if event.text else ""
            return "CUT", f"{cut}({event.reason.replace('_', ' ')})"
        case Action():
            return "ACT", call_text(event) + ("  asks for confirmation" if event.confirm else "")
        case NoteEvent():
            return "NOTE", one_line(event.text)
        case ErrorEvent():
            return "ERROR", f"{event.code}: {one_line(event.message)}"
    return None


def clock_text(t: float) -> str:
    """Seconds, or h:mm:ss from one hour on, right-aligned in nine columns."""
    if t < 3600:
        return f"{t:7.1f} s"
    return f"{int(t // 3600)}:{int(t // 60 % 60):02d}:{t % 60:04.1f}".rjust(9)


class PlainLog:
    """One line an event; of the decisions only changes towards speaking or acting."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._changes = DecisionFilter()
        self._events = EventList()

    def emit(self, event: Event) -> None:
        self._events.emit(event)
        if isinstance(event, Summary):
            for line in self._events.lines(event):
                self._out.write(line + "\n")
        elif self._changes.passes(event) and (said := describe(event)):
            self._out.write(f"{clock_text(event.t)}  {said[0]:<6}  {said[1]}\n")
        self._out.flush()

    def close(self) -> None:
        self._out.flush()


class EventList:
    """What a person wants to read at the end: sounds with their span, sentences, replies, acts. The last `limit`."""

    def __init__(self, limit: int = 60) -> None:
        self._rows: deque[tuple[float, float | None, str, str]] = deque(maxlen=limit)
        self._open: dict[str, SoundEvent] = {}
        self._seen = 0
        self._speech_s = 0.0
        self._speech_from: float | None = None
        self._started = ("", 0.0)

    def emit(self, event: Event) -> None:
        match event:
            case SoundEvent(offset=None):
                self._open[event.label] = event
            case SoundEvent():
                self._open.pop(event.label, None)
                self._add(event.onset, event.offset, "sound", f"{event.label} {event.p:.2f}")
            case SpeechStarted():
                self._speech_from = event.start
            case SpeechStopped():
                self._speech_s += max(0.0, event.end - (event.end if self._speech_from is None else self._speech_from))
                self._speech_from = None
            case Transcript(final=True):
                self._add(event.start, event.end, "words", f'"{one_line(event.text)}"')
            case ReplyStarted():
                self._started = (event.id, event.t)
            case ReplyDone() | ReplyCancelled():
                self._answered(event.id, event.t, event.text, cut=isinstance(event, ReplyCancelled))
            case Action():
                self._add(event.t, None, "act", (describe(event) or ("", ""))[1])

    def _answered(self, id_: str, t: float, text: str, *, cut: bool) -> None:
        start = self._started[1] if self._started[0] == id_ else t
        if cut and self._rows and self._rows[-1][2:] == ("speak", f'"{one_line(text)}"'):
            start = self._rows.pop()[0]  # made in full, cut while it was played
            self._seen -= 1
        self._add(start, t, "cut" if cut else "speak", f'"{one_line(text)}"' if text else "before a word was said")

    def _add(self, start: float, end: float | None, kind: str, text: str) -> None:
        self._rows.append((start, end, kind, text))
        self._seen += 1

    def rows(self, end: float) -> list[tuple[float, float | None, str, str]]:
        """(start, end, kind, text) in order of start; a sound that still goes on ends at `end`."""
        still = [(s.onset, end, "sound", f"{s.label} {s.p:.2f} (goes on)") for s in self._open.values()]
        return sorted([*self._rows, *still], key=lambda row: row[0])

    def lines(self, summary: Summary) -> Iterator[str]:
        """The list and the summary as text lines."""
        rows = self.rows(summary.t)
        hidden = self._seen + len(self._open) - len(rows)
        yield ""
        yield "Events" + (f" (the last {len(rows)}; {hidden} before them)" if hidden > 0 else "")
        if not rows:
            yield "  none"
        for start, end, kind, text in rows:
            span = clock_text(start) + (f" - {clock_text(end).strip():<9}" if end is not None else " " * 12)
            first, *rest = textwrap.wrap(text, WIDTH) or [""]
            yield f"{span}  {kind:<6}  {first}"
            yield from (" " * (len(span) + 10) + line for line in rest)
        yield ""
        yield from summary_lines(summary, self._speech_s)


def summary_lines(summary: Summary, speech_s: float | None = None) -> Iterable[str]:
    """The closing figures in two lines."""
    step = summary.step_ms
    heard = f"{summary.seconds:.1f} s of audio, {summary.chunks} chunks"
    if speech_s:
        heard += f", {speech_s:.1f} s of speech"
    return (
        f"Heard   {heard}",
        f"Cost    {summary.rtf:.3f} of real time; step p50 {step['p50']:.0f} ms, p95 {step['p95']:.0f} ms, "
        f"p99 {step['p99']:.0f} ms; {summary.deadline_misses} missed deadlines; peak {summary.peak_rss_mb:.0f} MiB",
    )
