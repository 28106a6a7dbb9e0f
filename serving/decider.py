"""Perception and decisions of many sessions in one batch, with their replies written in the same passes.

One worker owns a `Decider` and calls it from one thread. A pass takes at most one chunk of each session, runs the LALM
once over all of them and over the open replies, and gives what happened. Rows join and leave at any pass.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

import numpy as np
from torch import Tensor

from serving.handle import Heard, Output, SessionSpec
from serving.work import Command, Frame, Open, Pass, Result, Work
from soundflow.clock import seconds
from soundflow.errors import CapacityError, SoundflowError
from soundflow.events import Action, DecisionEvent, ErrorEvent, NoteEvent, ReplyDelta, SoundEvent, Transcript
from soundflow.memory import recall, remember
from soundflow.respond.playback import Playback
from soundflow.row import Manner, Model, Row, Step
from soundflow.session import SessionConfig
from soundflow.types import AudioChunk, ReplyRequest

PREFILL: Final = 48
"""Tokens of a reply's prompt that one pass reads: a long prompt must not delay the decisions beside it."""
MOST_SAYS: Final = 4
TOP_TAGS: Final = 5

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Seat:
    """A session in a worker. `left`: what its reply wants of the model and was not fed yet. `resumed`: a reply
    that was begun elsewhere."""

    row: Row
    spec: SessionSpec
    says: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_SAYS))
    left: Tensor | None = None
    reply: object = None
    resumed: ReplyRequest | None = None


class Decider:
    """Serves up to `seats` sessions of one model.

    Args:
        threads: how many sessions are perceived at once; their encoders leave the interpreter free.
    """

    def __init__(self, model: Model, seats: int, threads: int = 1) -> None:
        self.model = model
        self._most = seats
        self._seats: dict[str, _Seat] = {}
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="perceive") if threads > 1 else None

    @property
    def sessions(self) -> int:
        return len(self._seats)

    def step(self, work: Sequence[Work], texts: bool = True) -> Pass:
        """One pass.

        Args:
            work: in order; at most one `Frame` of each session.
            texts: whether replies go on in this pass, too.
        """
        began = perf_counter()
        results: list[Result] = []
        steps: list[tuple[str, int, Step]] = []
        frames = [w for w in work if isinstance(w, Frame)]
        opened = [w for w in work if isinstance(w, Open)]
        for piece in work:
            if not isinstance(piece, Frame):
                results.append(self._guarded(piece, steps))
        self._replay([p for p in opened if p.session in self._seats], results)
        self._perceive(frames, steps, results)
        tokens = self._decide(steps, results, texts)
        return Pass(results, perf_counter() - began, tokens, len(frames))

    def _guarded(self, piece: Open | Command, steps: list[tuple[str, int, Step]]) -> Result:
        """An error of one session ends that session."""
        try:
            return self._open(piece) if isinstance(piece, Open) else self._command(piece, steps)
        except SoundflowError as error:
            self._seats.pop(piece.session, None)
            return Result(piece.session, failed=f"{error.code}: {error}")
        except Exception as error:
            log.exception("a session failed")
            self._seats.pop(piece.session, None)
            return Result(piece.session, failed=f"internal: {type(error).__name__}")

    def _open(self, piece: Open) -> Result:
        if piece.session not in self._seats and len(self._seats) >= self._most:
            raise CapacityError(f"at most {self._most} sessions of one worker were expected")
        spec = piece.spec
        config = SessionConfig(spec.instruction, spec.tools, spec.cooldown_s, barge_in=spec.barge_in)
        start = (piece.frames[0][0] if piece.frames else piece.chunk) * self.model.chunk_samples
        row = Row(self.model, _manner(spec), config, Playback(), realtime=False, driven=True, start_sample=start)
        request = recall(row, piece.memory) if piece.memory else None
        self._seats[piece.session] = seat = _Seat(row, spec, resumed=request)
        seat.says.extend((piece.memory or {}).get("says", ()))
        return Result(piece.session, memory=None if piece.memory else self._remember(seat), reply=request is not None)

    def _replay(self, opened: Sequence[Open], results: list[Result]) -> None:
        """Hear again what the sessions heard of late elsewhere, side by side, then take their open replies up."""
        for k in range(max((len(piece.frames) for piece in opened), default=0)):
            frames = [Frame(p.session, *p.frames[k]) for p in opened if k < len(p.frames) and p.session in self._seats]
            steps: list[tuple[str, int, Step]] = []
            self._perceive(frames, steps, results)
            deciding = [(c, step.inputs, self._seats[n].row.lalm) for n, c, step in steps if self._seats[n].spec.decide]
            self.model.lalm.step_rows(deciding)
            for name, _, step in steps:
                self._seats[name].row.replay(step)
        for piece in opened:
            seat = self._seats.get(piece.session)
            if seat is not None and seat.resumed is not None:
                seat.row.replies.resume(seat.resumed, piece.said)
                seat.resumed = None

    def _command(self, piece: Command, steps: list[tuple[str, int, Step]]) -> Result:
        seat = self._seats.get(piece.session)
        if seat is None:
            return Result(piece.session)
        row, outputs = seat.row, list[Output]()
        match piece.verb:
            case "update":
                outputs += self._update(seat, piece.value)
            case "commit":
                self._queue(piece.session, row.commit(), steps)
            case "respond":
                step = row.ask(piece.value)
                self._queue(piece.session, step, steps)
                if step is None:
                    why = (
                        "a reply is open" if row.session.state.open_reply else "nothing was said that waits for a reply"
                    )
                    outputs.append(ErrorEvent(t=seconds(row.now), code="cannot_respond", message=why))
            case "say":
                seat.says.append(piece.value)
            case "cancel":
                outputs += row.cancel(piece.value)
            case "voice":
                row.session.state.playing_until = piece.value
            case "close":
                outputs += self._close(seat, piece.value)
                del self._seats[piece.session]
        lasting = bool(outputs) or piece.verb == "say"
        memory = self._remember(seat) if lasting and piece.session in self._seats else None
        return Result(piece.session, outputs=outputs, memory=memory, reply=row.replies.reply is not None)

    def _update(self, seat: _Seat, spec: SessionSpec) -> list[Output]:
        try:
            seat.row.change(_manner(spec))
        except SoundflowError as error:
            return [ErrorEvent(t=seconds(seat.row.now), code=error.code, message=str(error))]
        seat.spec = spec
        seat.row.session.set_manners(spec.barge_in, spec.cooldown_s)
        return []

    def _queue(self, session: str, step: Step | None, steps: list[tuple[str, int, Step]]) -> None:
        if step is not None:
            steps.append((session, -1, step))

    def _close(self, seat: _Seat, flush: bool) -> list[Output]:
        """The last words are decided on, where the session decides; an open reply is finished."""
        outputs: list[Output] = []
        row = seat.row
        step = row.commit() if flush else None
        if step is not None:
            outputs += self._finish(seat, step, self._logits(row, step))
        outputs += row.ended()
        return outputs + (list(row.replies.close(row.now)) if flush else [])

    def _logits(self, row: Row, step: Step) -> Any:
        return self.model.lalm.step_rows([(step.perception.chunk, step.inputs, row.lalm)])[0][0]

    def _perceive(self, frames: Sequence[Frame], steps: list[tuple[str, int, Step]], results: list[Result]) -> None:
        known = [f for f in frames if f.session in self._seats]
        if not known:
            return
        chunks = [AudioChunk(f.chunk, f.chunk * len(f.samples), f.samples) for f in known]
        rows = [self._seats[f.session].row for f in known]
        sounded = self.model.perceiver.sounds(chunks, [row.perception for row in rows])

        def one(k: int) -> Step | str:
            try:
                return rows[k].begin(chunks[k], sounded=sounded[k])
            except SoundflowError as error:
                return f"{error.code}: {error}"
            except Exception as error:
                log.exception("perception failed")
                return f"internal: {type(error).__name__}"

        some = range(len(known))
        found = list(self._pool.map(one, some)) if self._pool and len(known) > 1 else [one(k) for k in some]
        for frame, step in zip(known, found, strict=True):
            if isinstance(step, str):
                del self._seats[frame.session]
                results.append(Result(frame.session, frame.chunk, failed=step))
            else:
                steps.append((frame.session, frame.chunk, step))

    def _decide(self, steps: Sequence[tuple[str, int, Step]], results: list[Result], texts: bool) -> int:
        """Logits of all that decide in one pass, then the events of each; further steps of a session come after."""
        live = [s for s in steps if s[0] in self._seats]
        waiting = [(name, k, step) for name, k, step in live if self._seats[name].spec.decide]
        for name, k, step in live:
            if not self._seats[name].spec.decide:
                seat = self._seats[name]
                results.append(self._result(name, k, [*seat.row.hear_only(step), self._heard(step)], seat))
        tokens, first = 0, True
        while waiting or (first and texts):
            now: dict[str, tuple[int, Step]] = {}
            later = []
            for name, k, step in waiting:
                if name in now:
                    later.append((name, k, step))
                else:
                    now[name] = (k, step)
            tokens += self._pass(now, results, texts and first)
            waiting, first = later, False
        return tokens

    def _pass(self, now: dict[str, tuple[int, Step]], results: list[Result], texts: bool) -> int:
        rows = [(step.perception.chunk, step.inputs, self._seats[name].row.lalm) for name, (_, step) in now.items()]
        told = dict[str, list[Output]]()
        pieces = self._pieces(told) if texts else []
        logits, written = self.model.lalm.step_rows(rows, [(p, s.row.replies.reply.cache) for s, p in pieces])  # type: ignore[union-attr, misc]
        names = {id(seat): name for name, seat in self._seats.items()}
        for (seat, _), after in zip(pieces, written, strict=True):
            if seat.left is None:
                told.setdefault(names[id(seat)], []).extend(seat.row.replies.take(after, seat.row.now))
        for (name, (k, step)), row_logits in zip(now.items(), logits, strict=True):
            results.append(self._told(name, k, step, row_logits, told.pop(name, [])))
        for name, outputs in told.items():
            results.append(self._result(name, -1, outputs, self._seats[name]))
        return sum(len(r[1]) for r in rows) + sum(len(p) for _, p in pieces)

    def _pieces(self, told: dict[str, list[Output]]) -> list[tuple[_Seat, Tensor]]:
        """What the open replies want of this pass; given words are told at once."""
        pieces = []
        for name, seat in self._seats.items():
            row = seat.row
            if row.replies.reply is None and seat.says and not row.session.state.open_reply:
                told.setdefault(name, []).extend(row.say(seat.says.popleft()))
            reply = row.replies.reply
            if reply is None:
                seat.left = seat.reply = None
                continue
            if reply is not seat.reply:
                seat.left, seat.reply = None, reply
            wanted = seat.left if seat.left is not None else reply.wanted()
            if wanted is None:
                told.setdefault(name, []).extend(row.replies.take(None, row.now))
                continue
            seat.left = wanted[PREFILL:] if len(wanted) > PREFILL else None
            pieces.append((seat, wanted[:PREFILL]))
        return pieces

    def _told(self, name: str, k: int, step: Step, logits: Any, before: list[Output]) -> Result:
        """The result of one decided step, behind what its reply said `before`; an error ends this session alone."""
        seat = self._seats[name]
        try:
            outputs = [*before, *self._finish(seat, step, logits), *([self._heard(step)] if k >= 0 else [])]
            return self._result(name, k, outputs, seat)
        except SoundflowError as error:
            failed = f"{error.code}: {error}"
        except Exception as error:
            log.exception("a session failed")
            failed = f"internal: {type(error).__name__}"
        del self._seats[name]
        return Result(name, k, before, failed=failed)

    def _finish(self, seat: _Seat, step: Step, logits: Any) -> list[Output]:
        return list(seat.row.finish(step, np.array(logits, np.float32))[0])

    def _result(self, name: str, chunk: int, outputs: list[Output], seat: _Seat) -> Result:
        lasting = any(not isinstance(o, Heard | DecisionEvent | ReplyDelta) and _lasts(o) for o in outputs)
        memory = self._remember(seat) if lasting else None
        return Result(name, chunk, outputs, memory, seat.row.replies.reply is not None or bool(seat.says))

    def _remember(self, seat: _Seat) -> dict[str, Any]:
        return remember(seat.row) | {"says": list(seat.says)}

    def _heard(self, step: Step) -> Heard:
        p = step.perception
        best = np.argsort(-p.tags, kind="stable")[:TOP_TAGS]
        tags = tuple((self.model.perceiver.labels[i], round(float(p.tags[i]), 4)) for i in best)
        return Heard(seconds(p.end_sample), p.chunk, round(p.level_db, 1), tags)


def _lasts(output: Output) -> bool:
    """Whether it changes what a session remembers."""
    if isinstance(output, Transcript):
        return output.final
    return isinstance(output, SoundEvent | NoteEvent | Action) or type(output).__name__.startswith("Reply")


def _manner(spec: SessionSpec) -> Manner:
    return Manner(spec.instruction, spec.tools, spec.proactivity, spec.manual, spec.muted)
