"""A session in a worker: its row, what it still has to say, and what of it is remembered."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from torch import Tensor

from serving.handle import Heard, Output, SessionSpec
from serving.work import Command, Open
from soundflow.clock import seconds
from soundflow.errors import SoundflowError
from soundflow.events import DecisionEvent, ErrorEvent, Event, ReplyDelta, Transcript
from soundflow.memory import recall, remember
from soundflow.respond.playback import Playback
from soundflow.row import Manner, Model, Row, Step
from soundflow.session import SessionConfig
from soundflow.types import AudioChunk, FloatArray

MOST_SAYS: Final = 8
TOP_TAGS: Final = 5


class Seat:
    """Holds no batch: `serving.decider` asks all seats what they want of a pass and gives each what came out.

    Raises:
        ConfigError, CapacityError, DataError: `piece` asks for what this model cannot do, or remembers what is none.
    """

    def __init__(self, model: Model, piece: Open) -> None:
        spec = self.spec = piece.spec
        config = SessionConfig(spec.instruction, spec.tools, spec.cooldown_s, barge_in=spec.barge_in)
        start = (piece.frames[0][0] if piece.frames else piece.chunk) * model.chunk_samples
        row = Row(model, manner(spec), config, Playback(), realtime=False, driven=True, start_sample=start)
        self.row, self.model = row, model
        self.says: deque[str] = deque()
        self.closing = False
        self._left: Tensor | None = None  # what a reply wants of the model and was not fed yet
        self._reply: object = None
        self._remembered: object = None
        self._resumed = None
        if piece.memory is not None:
            self._resumed = recall(row, piece.memory)
            self.says.extend(piece.memory.get("says", ()))
            row.session.state.stable_words = 0
            row.session.state.playing_until = piece.playing

    def catch_up(self, frames: Sequence[tuple[int, FloatArray]]) -> None:
        """What is heard from here on was heard before; these chunks are skimmed."""
        self.model.perceiver.catch_up(self.row.perception, 2)
        for chunk, samples in frames:
            self.row.skim(AudioChunk(chunk, chunk * len(samples), samples))

    def nearly(self) -> None:
        """From here on an end of speech may not have been told."""
        self.model.perceiver.catch_up(self.row.perception, 1)

    def caught_up(self) -> None:
        """What is heard from here on is new."""
        self.model.perceiver.catch_up(self.row.perception, 0)

    def resume(self, said: str) -> list[Output]:
        """Behind the replay: go on with the reply that was open, and had `said` so much."""
        request, self._resumed = self._resumed, None
        if request is None:
            return []
        try:
            self.row.replies.resume(request, said)
            self.row.session.state.reply_text = said
        except (SoundflowError, ValueError) as error:
            return list(self.row.session.on_failed(request, "not_resumed", str(error), self.row.now))
        return []

    def command(self, piece: Command) -> tuple[list[Output], Step | None]:
        """Obey -> outputs, and a step to decide on."""
        row = self.row
        match piece.verb:
            case "update":
                return self._update(piece.value), None
            case "commit":
                return [], row.commit()
            case "respond":
                return self._respond(piece.value)
            case "say" if len(self.says) >= MOST_SAYS:
                return [self._error("capacity", f"at most {MOST_SAYS} texts wait to be said")], None
            case "say":
                self.says.append(piece.value)
            case "cancel":
                return list(row.cancel(piece.value)), None
            case "voice":
                if piece.value:
                    row.session.on_voice(piece.value, row.now)
                else:
                    row.session.state.playing_until = 0
            case "close":
                self.closing = True
                return [], row.commit()
        return [], None

    def wants(self, most: int) -> tuple[list[Output], Tensor | None]:
        """What this seat's reply says without the model, and the [P,D] embeddings, at most so many, that it wants of
        this pass.
        """
        row, told = self.row, list[Output]()
        if row.replies.reply is None and self.says and not row.session.state.open_reply:
            told += row.say(self.says.popleft())
        reply = row.replies.reply
        if reply is not self._reply:
            self._left, self._reply = None, reply
        if reply is None:
            return told, None
        try:
            wanted = self._left if self._left is not None else reply.wanted()
            if wanted is None:
                return [*told, *row.replies.take(None, row.now)], None
            piece, rest = wanted[:most], wanted[most:]
            assert reply.cache is not None
            reply.cache.check(len(piece))
        except SoundflowError as error:
            self._left = None
            return [*told, *row.replies.fail(error, row.now)], None
        self._left = rest if len(rest) else None
        return told, piece

    def wrote(self, logits: Tensor) -> list[Output]:
        """[V] behind the embeddings that were wanted."""
        return [] if self._left is not None else list(self.row.replies.take(logits, self.row.now))

    def finish(self, step: Step, logits: FloatArray, chunk: int) -> list[Output]:
        """Decide on a step; `chunk` -1 for one that is none."""
        events: list[Output] = list(self.row.finish(step, np.array(logits, np.float32))[0])
        return [*events, self.heard(step)] if chunk >= 0 else events

    def hear_only(self, step: Step, chunk: int) -> list[Output]:
        """`finish` where nothing is decided."""
        events: list[Output] = list(self.row.hear_only(step))
        return [*events, self.heard(step)] if chunk >= 0 else events

    @property
    def writing(self) -> bool:
        """Whether there is something to say or write."""
        return self.row.replies.reply is not None or bool(self.says)

    def memory(self, outputs: list[Output]) -> dict[str, Any] | None:
        """What is remembered, where `outputs` or the state of the reply say that it has changed."""
        reply = self.row.replies.reply
        state = (self.row.session.state.open_reply, reply.request.id if reply else "", tuple(self.says))
        if state == self._remembered and not any(lasts(o) for o in outputs):
            return None
        self._remembered = state
        return remember(self.row) | {"says": list(self.says)}

    def heard(self, step: Step) -> Heard:
        p = step.perception
        best = np.argsort(-p.sure, kind="stable")[:TOP_TAGS]
        tags = tuple((self.model.perceiver.labels[i], round(float(p.sure[i]), 4)) for i in best)
        return Heard(seconds(p.end_sample), p.chunk, round(p.level_db, 1), tags)

    def _update(self, spec: SessionSpec) -> list[Output]:
        try:
            self.row.change(manner(spec))
        except SoundflowError as error:
            return [self._error(error.code, str(error))]
        self.spec = spec
        self.row.session.set_manners(spec.barge_in, spec.cooldown_s)
        return []

    def _respond(self, text: str) -> tuple[list[Output], Step | None]:
        step = self.row.ask(text) if self.spec.decide else None
        if step is not None:
            return [], step
        why = "nothing was said that waits for one"
        if not self.spec.decide:
            why = "this session only hears"
        elif self.row.session.state.open_reply:
            why = "a reply is open"
        return [self._error("cannot_respond", why)], None

    def _error(self, code: str, message: str) -> ErrorEvent:
        return ErrorEvent(t=seconds(self.row.now), code=code, message=message)


def lasts(output: Output) -> bool:
    """Whether it changes what a session remembers."""
    if isinstance(output, Transcript):
        return output.final
    return isinstance(output, Event) and not isinstance(output, DecisionEvent | ReplyDelta)


def manner(spec: SessionSpec) -> Manner:
    return Manner(spec.instruction, spec.tools, spec.proactivity, spec.manual, spec.muted)
