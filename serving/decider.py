"""Perception and decisions of many sessions in one batch, with their replies written in the same passes.

One worker owns a `Decider` and calls it from one thread. A pass takes at most one chunk of each session, runs the LALM
once over all of them and over the open replies, and gives what happened. Rows join and leave at any pass; an error of
one session ends that session.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Final, Never, TypeVar

from torch import Tensor

from serving.handle import Output
from serving.seat import Seat
from serving.work import Command, Frame, Open, Pass, Result, Work, WorkerLost
from soundflow.errors import CapacityError, SoundflowError
from soundflow.perceive.perceiver import Frames
from soundflow.row import Model, Step
from soundflow.types import AudioChunk, Perception

REPLAYED: Final = 6
"""Chunks that are heard again in full, which fills all encoders. What is older is skimmed for its speech."""
UNTOLD: Final = 2
"""Of these: the last ones, whose words may not have come out yet."""
PREFILL: Final = 48
PREFILL_OF_MANY: Final = 16
"""Tokens of the replies' prompts that one pass reads: a long prompt must not delay the decisions beside it."""
FEW: Final = 4

T = TypeVar("T")
Steps = list[tuple[str, int, Step]]  # session, chunk (-1: none), step

log = logging.getLogger(__name__)


class Decider:
    """Serves up to `seats` sessions of one model.

    Args:
        threads: of how many sessions the speech is encoded at once; encoders leave the interpreter free.
    """

    def __init__(self, model: Model, seats: int, threads: int = 1) -> None:
        self.model = model
        self._most = seats
        self._seats: dict[str, Seat] = {}
        self._results: list[Result] = []
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="perceive") if threads > 1 else None
        self._heard: dict[str, tuple[Frame, Frames | SoundflowError]] = {}  # of sessions, ahead of their pass

    @property
    def sessions(self) -> int:
        return len(self._seats)

    def hear(self, frames: Sequence[Frame]) -> None:
        """Hear frames whose pass is still to come, at most one of each session; may run beside `step` in another thread
        while that has no work of these sessions.
        """
        known: list[tuple[Frame, Seat]] = []
        for frame in frames:
            if (seat := self._seats.get(frame.session)) is None:
                continue
            try:
                self.model.perceiver.check(_chunk(frame), seat.row.perception)
                known.append((frame, seat))
            except SoundflowError as error:
                self._heard[frame.session] = frame, error
        if not known:
            return
        chunks, states = [_chunk(f) for f, _ in known], [s.row.perception for _, s in known]
        found = self.model.perceiver.hear(chunks, states, self._pool)
        for (frame, _), heard in zip(known, found, strict=True):
            self._heard[frame.session] = frame, heard

    def step(self, work: Sequence[Work], texts: bool = True) -> Pass:
        """One pass.

        Args:
            work: in order; at most one `Frame` of each session.
            texts: whether replies go on in this pass, too.
        """
        began = perf_counter()
        self._results = []
        steps: Steps = []
        self._open([w for w in work if isinstance(w, Open)])
        for piece in work:
            if isinstance(piece, Command):
                self._command(piece, steps)
        frames = [w for w in work if isinstance(w, Frame)]
        steps += self._perceive(frames)
        tokens = self._decide(steps, texts)
        self._end()
        return Pass(self._results, perf_counter() - began, tokens, len(frames))

    def _guarded(self, name: str, work: Callable[[], T], chunk: int = -1) -> T | None:
        """`work` of one session; where it fails the session is over and there is None."""
        try:
            return work()
        except WorkerLost:
            raise
        except SoundflowError as error:
            failed = f"{error.code}: {error}"
        except Exception as error:
            log.exception("a session failed")
            failed = f"internal: {type(error).__name__}"
        self._leave(name)
        self._results.append(Result(name, chunk, failed=failed))
        return None

    def _leave(self, name: str) -> None:
        self._seats.pop(name, None)
        self._heard.pop(name, None)

    def _tell(self, name: str, chunk: int, outputs: list[Output]) -> None:
        seat = self._seats.get(name)
        if seat is not None:
            self._results.append(Result(name, chunk, outputs, seat.memory(outputs), seat.writing, spec=seat.spec))

    def _open(self, pieces: Sequence[Open]) -> None:
        """Seat new sessions. Those that come from elsewhere hear again what they heard of late, side by side."""
        opened = []
        for piece in pieces:
            if (seat := self._guarded(piece.session, lambda p=piece: self._seated(p))) is not None:  # type: ignore[misc]
                self._seats[piece.session] = seat
                opened.append(piece)
        for piece in opened:
            seat = self._seats[piece.session]
            self._guarded(piece.session, lambda s=seat, p=piece: s.catch_up(p.frames[:-REPLAYED]))  # type: ignore[misc]
        for k in range(REPLAYED):
            frames = [Frame(p.session, *p.frames[-REPLAYED:][k]) for p in opened if k < len(p.frames[-REPLAYED:])]
            for piece in opened:
                if len(piece.frames[-REPLAYED:]) - k <= UNTOLD and piece.session in self._seats:
                    self._seats[piece.session].nearly()
            steps = self._perceive(frames)
            heard = [(chunk, step.inputs, self._seats[n].row.lalm) for n, chunk, step in steps if self._decides(n)]
            self.model.lalm.step_rows(heard)
            for name, _, step in steps:
                self._guarded(name, lambda n=name, s=step: self._seats[n].row.replay(s))  # type: ignore[misc]
        for piece in opened:
            if (seat := self._seats.get(piece.session)) is not None:
                seat.caught_up()
                outputs = self._guarded(piece.session, lambda s=seat, p=piece: s.resume(p.said))  # type: ignore[misc]
                self._tell(piece.session, -1, outputs or [])

    def _seated(self, piece: Open) -> Seat:
        if piece.session not in self._seats and len(self._seats) >= self._most:
            raise CapacityError(f"at most {self._most} sessions of one worker were expected")
        return Seat(self.model, piece)

    def _decides(self, name: str) -> bool:
        return self._seats[name].spec.decide

    def _command(self, piece: Command, steps: Steps) -> None:
        seat = self._seats.get(piece.session)
        if seat is None:
            return
        if piece.verb == "close" and not piece.value:
            self._leave(piece.session)
            self._results.append(Result(piece.session, ended=True))
            return
        done = self._guarded(piece.session, lambda: seat.command(piece))
        if done is not None:
            if done[1] is not None:
                steps.append((piece.session, -1, done[1]))
            self._tell(piece.session, -1, done[0])

    def _perceive(self, frames: Sequence[Frame]) -> Steps:
        """Begin a step with each frame, as it was heard ahead or as it is heard now."""
        self.hear([f for f in frames if not self._is_heard(f)])
        taken: list[tuple[Frame, Seat, Frames]] = []
        for frame in frames:
            seat, ahead = self._seats.get(frame.session), self._heard.pop(frame.session, None)
            if seat is None or ahead is None:
                continue
            if isinstance(heard := ahead[1], SoundflowError):
                self._guarded(frame.session, lambda e=heard: _raise(e), frame.chunk)  # type: ignore[misc]
            else:
                taken.append((frame, seat, heard))
        chunks, states = [_chunk(f) for f, _, _ in taken], [s.row.perception for _, s, _ in taken]
        found = self.model.perceiver.step_rows(chunks, states, [h for _, _, h in taken]) if taken else []
        steps: Steps = []
        for (frame, seat, _), chunk, perception in zip(taken, chunks, found, strict=True):
            step = self._guarded(frame.session, lambda s=seat, c=chunk, p=perception: _begun(s, c, p), frame.chunk)  # type: ignore[misc]
            if step is not None:
                steps.append((frame.session, frame.chunk, step))
        return steps

    def _is_heard(self, frame: Frame) -> bool:
        ahead = self._heard.get(frame.session)
        return ahead is not None and ahead[0] is frame

    def _decide(self, steps: Steps, texts: bool) -> int:
        """One pass over all that decide and the open replies; further steps of a session come after."""
        waiting: Steps = []
        for name, chunk, step in steps:
            seat = self._seats.get(name)
            if seat is None:
                continue
            if seat.spec.decide:
                waiting.append((name, chunk, step))
            else:
                heard = self._guarded(name, lambda s=seat, x=step, k=chunk: s.hear_only(x, k), chunk)  # type: ignore[misc]
                self._tell(name, chunk, heard or [])
        tokens, first = 0, True
        while waiting or (first and texts):
            now: dict[str, tuple[int, Step]] = {}
            later: Steps = []
            for name, chunk, step in waiting:
                if name in now:
                    later.append((name, chunk, step))
                elif name in self._seats:
                    now[name] = (chunk, step)
            tokens += self._pass(now, texts and first)
            waiting, first = later, False
        return tokens

    def _pass(self, now: dict[str, tuple[int, Step]], texts: bool) -> int:
        told: dict[str, list[Output]] = {}
        pieces = self._pieces(told) if texts else []
        now = {name: item for name, item in now.items() if self._fits(name, *item)}
        rows = [(step.perception.chunk, step.inputs, self._seats[name].row.lalm) for name, (_, step) in now.items()]
        logits, written = self.model.lalm.step_rows(rows, [(p, s.row.replies.reply.cache) for _, s, p in pieces])  # type: ignore[union-attr, misc]
        for (name, seat, _), after in zip(pieces, written, strict=True):
            more = self._guarded(name, lambda s=seat, a=after: s.wrote(a))  # type: ignore[misc]
            told.setdefault(name, []).extend(more or [])
        for (name, (chunk, step)), row_logits in zip(now.items(), logits, strict=True):
            seat_now = self._seats.get(name)
            if seat_now is None:
                continue
            decided = self._guarded(name, lambda s=seat_now, x=step, y=row_logits, k=chunk: s.finish(x, y, k), chunk)  # type: ignore[misc]
            if decided is not None:
                self._tell(name, chunk, [*told.pop(name, []), *decided])
        for name, outputs in told.items():
            self._tell(name, -1, outputs)
        return sum(len(r[1]) for r in rows) + sum(len(p) for _, _, p in pieces)

    def _pieces(self, told: dict[str, list[Output]]) -> list[tuple[str, Seat, Tensor]]:
        """What the open replies want of this pass; given words are told at once."""
        pieces = []
        left = PREFILL if len(self._seats) <= FEW else PREFILL_OF_MANY
        for name, seat in list(self._seats.items()):
            if not seat.writing:
                continue
            most = max(1, left)
            wanted = self._guarded(name, lambda s=seat, n=most: s.wants(n))  # type: ignore[misc]
            if wanted is None:
                continue
            told.setdefault(name, []).extend(wanted[0])
            if wanted[1] is not None:
                pieces.append((name, seat, wanted[1]))
                left -= len(wanted[1])
        return pieces

    def _fits(self, name: str, chunk: int, step: Step) -> bool:
        """A chunk that cannot be fed ends its session, before the pass of all."""
        lalm = self._seats[name].row.lalm

        def check() -> bool:
            self.model.lalm.check(0, len(step.inputs), lalm)
            return True

        return bool(self._guarded(name, check, chunk))

    def _end(self) -> None:
        """Sessions that close, once they have said all."""
        for name, seat in list(self._seats.items()):
            if seat.closing and not seat.writing:
                self._leave(name)
                self._results.append(Result(name, outputs=list(seat.row.ended()), ended=True))
        for name in list(self._heard):
            if name not in self._seats:  # it left while another thread heard it
                self._heard.pop(name, None)


def _chunk(frame: Frame) -> AudioChunk:
    return AudioChunk(frame.chunk, frame.chunk * len(frame.samples), frame.samples)


def _begun(seat: Seat, chunk: AudioChunk, perception: Perception | Exception) -> Step:
    if isinstance(perception, Exception):
        raise perception
    return seat.row.begin(chunk, perception=perception)


def _raise(error: Exception) -> Never:
    raise error
