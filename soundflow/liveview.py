"""The live terminal view: level, sounds, words, decisions and answers as they happen."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import RLock

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from soundflow.events import (
    Action,
    DecisionEvent,
    ErrorEvent,
    Event,
    ReplyCancelled,
    ReplyDelta,
    ReplyDone,
    ReplyStarted,
    SoundEvent,
    SpeechStarted,
    SpeechStopped,
    Summary,
    Transcript,
)
from soundflow.sinks import EventList, call_text, clock_text, one_line
from soundflow.types import Decision, FloatArray, Kind, Perception

STYLES = {"silent": "grey42", "speak": "bold dodger_blue1", "act": "bold dark_orange", "cut": "grey58"}
STRIP = 60
TAGS = 5
ANSWERS = 4
_LEVELS = " ▁▂▃▄▅▆▇█"
_LOUD_DB, _QUIET_DB = 0.0, -60.0


class LiveView:
    """A sink and an observer; draws itself about ten times a second in a thread of rich."""

    def __init__(self, console: Console, title: str, labels: Sequence[str] = ()) -> None:
        self._console = console
        self._title = title
        self._labels = tuple(labels)
        self._lock = RLock()
        self._t = 0.0
        self._level = -120.0
        self._strip: deque[tuple[Kind, float, float]] = deque(maxlen=STRIP)
        self._tags: list[tuple[str, float]] = []
        self._sounding: dict[str, float] = {}
        self._speaking = False
        self._partial = ("", 0)
        self._said: deque[str] = deque(maxlen=3)
        self._answers: deque[list[str]] = deque(maxlen=ANSWERS)  # id, kind, text
        self._step_ms = 0.0
        self._events = EventList()
        self._live = Live(
            console=console, get_renderable=self.render, refresh_per_second=10, transient=True, redirect_stdout=False
        )
        self._live.start()

    def emit(self, event: Event) -> None:
        with self._lock:
            self._events.emit(event)
            self._t = max(self._t, event.t)
            self._take(event)
        if isinstance(event, Summary):
            self.close()
            for line in self._events.lines(event):
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Give the terminal back. Safe to call twice."""
        self._live.stop()

    def on_step(self, perception: Perception, decision: Decision, step_ms: float) -> None:
        with self._lock:
            self._level = perception.level_db
            self._step_ms = step_ms
            self._strip.append((decision.kind, decision.p[Kind.SPEAK], decision.p[Kind.ACT]))
            if self._labels:
                best = np.argsort(-perception.sure)[:TAGS]
                self._tags = [(self._labels[i], float(perception.sure[i])) for i in best]

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None:
        """The voice is heard, not seen."""

    def on_voice_cancelled(self, sample: int) -> None:
        """Seen as the `reply.cancelled` event."""

    def _take(self, event: Event) -> None:
        match event:
            case SoundEvent(offset=None):
                self._sounding[event.label] = event.p
            case SoundEvent():
                self._sounding.pop(event.label, None)
            case SpeechStarted():
                self._speaking = True
            case SpeechStopped():
                self._speaking = False
            case Transcript(final=True):
                self._partial = ("", 0)
                self._said.append(one_line(event.text))
            case Transcript():
                self._partial = (one_line(event.text), event.stable)
            case ReplyStarted():
                self._answers.append([event.id, "speak", event.text])
            case ReplyDelta():
                for answer in self._answers:
                    if answer[0] == event.id:
                        answer[2] = (answer[2] + event.text)[:400]
            case ReplyDone():
                self._finish(event.id, "speak", event.text)
            case ReplyCancelled():
                self._finish(event.id, "cut", event.text + " —")
            case Action():
                if self._answers and self._answers[-1][1:] == ["speak", ""]:
                    self._answers.pop()
                self._answers.append(["", "act", call_text(event) + ("  (confirm?)" if event.confirm else "")])
            case ErrorEvent():
                self._answers.append(["", "cut", f"{event.code}: {event.message}"])
            case DecisionEvent():
                pass

    def _finish(self, id_: str, kind: str, text: str) -> None:
        for answer in self._answers:
            if answer[0] == id_:
                answer[1:] = [kind, text]
                return
        self._answers.append([id_, kind, text])

    def render(self) -> RenderableType:
        """The view as it stands."""
        with self._lock:
            grid = Table.grid(padding=(0, 2))
            grid.add_column(style="grey62", justify="right", no_wrap=True)
            grid.add_column(ratio=1)
            grid.add_row("level", self._level_row())
            grid.add_row("sound", self._sound_rows())
            grid.add_row("words", self._word_rows())
            grid.add_row("p(speak)", self._curve(1, STYLES["speak"]))
            grid.add_row("p(act)", self._curve(2, STYLES["act"]))
            grid.add_row("decision", self._strip_row())
            grid.add_row("answers", self._answer_rows())
            head = Text.assemble((" SoundFlow ", "bold"), (f"{self._title}  {clock_text(self._t).strip()} ", "grey62"))
            foot = Text(f" step {self._step_ms:.0f} ms   Ctrl-C ends ", style="grey50")
            return Panel(
                grid, title=head, title_align="left", subtitle=foot, subtitle_align="right", border_style="grey35"
            )

    def _level_row(self) -> Text:
        width = 40
        share = min(1.0, max(0.0, (self._level - _QUIET_DB) / (_LOUD_DB - _QUIET_DB)))
        lit = round(share * width)
        row = Text()
        for start, end, style in ((0, 28, "green3"), (28, 35, "gold3"), (35, width, "red1")):
            row.append("━" * max(0, min(lit, end) - start), style)
        row.append("━" * (width - lit), "grey23")
        row.append(f" {max(self._level, -99.0):4.0f} dB", "grey62")
        row.append("  ● speech" if self._speaking else "", "orchid")
        return row

    def _sound_rows(self) -> Group:
        tags = self._tags or sorted(self._sounding.items(), key=lambda item: -item[1])[:TAGS]
        rows = []
        for label, p in [*tags, *[("", 0.0)] * (TAGS - len(tags))]:
            open_ = label in self._sounding
            row = Text("█" * round(p * 12), "spring_green3" if open_ else "grey42", no_wrap=True, overflow="ellipsis")
            row.append(" " * (13 - round(p * 12)))
            row.append(f"{p:.2f} " if label else "", "grey62")
            row.append(label, "bold" if open_ else "grey62")
            rows.append(row)
        return Group(*rows)

    def _word_rows(self) -> Group:
        rows = [Text(said, "grey70", no_wrap=True, overflow="ellipsis") for said in list(self._said)[-2:]]
        text, stable = self._partial
        words = text.split()
        line = Text(" ".join(words[:stable]), "bold", no_wrap=True, overflow="ellipsis")
        line.append(" " if 0 < stable < len(words) else "")
        line.append(" ".join(words[stable:]), "italic grey62")
        return Group(*rows, line, *[Text("")] * (2 - len(rows)))

    def _curve(self, index: int, style: str) -> Text:
        values = [step[index] for step in self._strip]
        drawn = "".join(_LEVELS[min(8, max(0, round(v * 8)))] for v in values)
        row = Text(drawn.ljust(STRIP), style, no_wrap=True, overflow="crop")
        row.append(f" {values[-1]:.2f}" if values else "", "grey62")
        return row

    def _strip_row(self) -> Text:
        row = Text(no_wrap=True, overflow="crop")
        for kind, _, _ in self._strip:
            row.append("·" if kind is Kind.SILENT else "█", STYLES[kind.label])
        return row

    def _answer_rows(self) -> Group:
        rows = []
        for _, kind, text in self._answers:
            row = Text({"speak": "“", "act": "→ ", "cut": "× "}[kind], STYLES[kind], no_wrap=True, overflow="ellipsis")
            row.append(one_line(text), STYLES[kind] if kind != "speak" else "")
            row.append("”" if kind == "speak" else "", STYLES[kind])
            rows.append(row)
        return Group(*rows, *[Text("")] * (ANSWERS - len(rows)))
