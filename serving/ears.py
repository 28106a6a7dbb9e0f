"""Perception in a process of its own, behind the calls of `soundflow.perceive.perceiver.Perceiver`.

Threads of one process wait for each other's hold of the interpreter, and encoders take it thousands of times a second.
Two pipes lead to the process, so that what is heard ahead of a pass stands in no one's way; of nano about 25 KB go in
and 11 KB come out a chunk of a stream. The results are those of the perceiver itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
from typing import Any, Final
from weakref import finalize, ref

from serving import heap
from serving.work import WorkerLost
from soundflow.errors import SoundflowError
from soundflow.perceive.expected import ANYTHING, Expected
from soundflow.perceive.own import OwnSounds
from soundflow.perceive.perceiver import Frames, Perceiver, PerceiverState, check
from soundflow.types import AudioChunk, Perception, Sound, Words

MAKE_S: Final = 120.0
TIDY_S: Final = 5.0  # in a server where nobody speaks, the states of those who left wait no longer
MAPPED_BYTES: Final = 8 * 1024 * 1024  # a recogniser's blocks are smaller: mapped apart they cost a tenth of its time

_numbers = count()


class FarState:
    """Stands for a `PerceiverState` of the other process. `position`: the sample up to which it has heard."""

    def __init__(self, position: int, left: deque[int]) -> None:
        self.number, self.position = next(_numbers), position
        finalize(self, left.append, self.number).atexit = False


class _Line:
    """One end of a pipe: a question and its answer, one at a time. WorkerLost where the other end is gone."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock = pipe, threading.Lock()

    def ask(self, verb: str, *values: Any) -> Any:
        with self._lock:
            try:
                self._pipe.send((verb, values))
            except OSError as error:
                raise WorkerLost("the hearing process is gone") from error
            return self.answer()

    def answer(self) -> Any:
        try:
            found = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise WorkerLost("the hearing process is gone") from error
        if isinstance(found, Exception):
            raise found
        return found

    def first_answer(self, within_s: float) -> None:
        """What says that the process is ready. SoundflowError where it does not come."""
        if not self._pipe.poll(within_s):
            raise SoundflowError(f"a process that hears was expected within {within_s:g} s")
        self.answer()


class FarPerceiver:
    """A perceiver that `make` makes in a process of its own, once `start` is called. One thread may `hear` while
    another one does all else.

    Args:
        make: can be pickled; runs over there.
        labels, own, headed: those of the perceiver that it makes.
        chunk_samples: of a chunk.
    """

    def __init__(
        self,
        make: Callable[[], Perceiver],
        labels: tuple[str, ...],
        own: OwnSounds,
        chunk_samples: int,
        headed: frozenset[str] = frozenset(),
    ) -> None:
        self.labels, self.own, self.headed = labels, own, headed
        self._make, self._chunk_samples = make, chunk_samples
        self._process: Any = None
        self._closed = threading.Event()
        self._left: deque[int] = deque()  # states that nobody holds any more

    def start(self) -> FarPerceiver:
        """One like this, with its process (seconds). What `make` raises; SoundflowError where that dies at once."""
        started = FarPerceiver(self._make, self.labels, self.own, self._chunk_samples, self.headed)
        started._start()
        return started

    def _start(self) -> None:
        spawning = multiprocessing.get_context("spawn")
        mine_ahead, ahead = spawning.Pipe()
        mine_now, now = spawning.Pipe()
        self._ahead, self._now = _Line(mine_ahead), _Line(mine_now)
        self._process = spawning.Process(target=_hear, args=(self._make, ahead, now), name="ears")
        self._process.start()
        for theirs in (ahead, now):
            theirs.close()
        Finalize(self, self._process.kill, exitpriority=1)  # before multiprocessing waits for its children
        try:
            self._now.first_answer(MAKE_S)
        except BaseException as error:
            self.close()
            if isinstance(error, WorkerLost):
                raise SoundflowError("the process that hears died as it began; is there memory for it?") from error
            raise
        threading.Thread(target=_tidy, args=(ref(self), self._closed), name="ears", daemon=True).start()

    @property
    def pid(self) -> int:
        """Of the process."""
        return int(self._process.pid)

    def close(self) -> None:
        """End the process at once; it holds nothing that is not elsewhere."""
        self._closed.set()
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def init_state(self, expected: Expected = ANYTHING, start_sample: int = 0) -> FarState:
        state = FarState(start_sample, self._left)
        self._now.ask("open", self._gone(), state.number, expected, start_sample)
        return state

    def expect(self, state: FarState, expected: Expected) -> None:
        self._now.ask("of", "expect", state.number, expected)

    def catch_up(self, state: FarState, how: int) -> None:
        self._now.ask("of", "catch_up", state.number, how)

    def skim(self, chunk: AudioChunk, state: FarState) -> None:
        self._now.ask("skim", state.number, chunk)
        state.position = chunk.end_sample

    def flush(self, state: FarState) -> Words:
        found: Words = self._now.ask("flush", state.number)
        return found

    def ended(self, end_sample: int, state: FarState) -> tuple[Sound, ...]:
        found: tuple[Sound, ...] = self._now.ask("ended", state.number, end_sample)
        return found

    def check(self, chunk: AudioChunk, state: FarState) -> None:
        check(chunk, state.position, self._chunk_samples)

    def hear(
        self, chunks: Sequence[AudioChunk], states: Sequence[FarState], pool: Executor | None = None
    ) -> list[Frames | None]:
        """The frames stay over there, until `step_rows` wants them."""
        self._ahead.ask("hear", [(s.number, c) for s, c in zip(states, chunks, strict=True)])
        for state, chunk in zip(states, chunks, strict=True):
            state.position = chunk.end_sample
        return [None] * len(states)

    def step_rows(
        self, chunks: Sequence[AudioChunk], states: Sequence[FarState], frames: Sequence[Frames | None]
    ) -> list[Perception | Exception]:
        found: list[Perception | Exception] = self._now.ask("step", self._gone(), [s.number for s in states])
        return found

    def forget(self) -> None:
        """Let go of the states that nobody holds any more; `init_state` and `step_rows` do so, too."""
        if self._left:
            self._now.ask("forget", self._gone())

    def _gone(self) -> list[int]:
        found: list[int] = []
        with suppress(IndexError):  # two threads may ask
            while True:
                found.append(self._left.popleft())
        return found


def _tidy(far: ref[FarPerceiver], closed: threading.Event) -> None:
    while not closed.wait(TIDY_S):
        if (held := far()) is None:
            return
        try:
            held.forget()
        except WorkerLost:
            return
        del held


class _Ears:
    """The other process's side: a verb is a method."""

    def __init__(self, perceiver: Perceiver) -> None:
        self._perceiver = perceiver
        self._states: dict[int, PerceiverState] = {}
        self._heard: dict[int, tuple[AudioChunk, Frames]] = {}
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="perceive")

    def open(self, left: Sequence[int], number: int, expected: Expected, start_sample: int) -> None:
        self.forget(left)
        self._states[number] = self._perceiver.init_state(expected, start_sample)

    def forget(self, left: Sequence[int]) -> None:
        for number in left:
            self._states.pop(number, None)
            self._heard.pop(number, None)

    def of(self, verb: str, number: int, value: Any) -> None:
        getattr(self._perceiver, verb)(self._states[number], value)

    def skim(self, number: int, chunk: AudioChunk) -> None:
        self._perceiver.skim(chunk, self._states[number])

    def flush(self, number: int) -> Words:
        return self._perceiver.flush(self._states[number])

    def ended(self, number: int, end_sample: int) -> tuple[Sound, ...]:
        return self._perceiver.ended(end_sample, self._states[number])

    def hear(self, rows: Sequence[tuple[int, AudioChunk]]) -> None:
        found = self._perceiver.hear([c for _, c in rows], [self._states[n] for n, _ in rows], self._pool)
        for (number, chunk), frames in zip(rows, found, strict=True):
            self._heard[number] = chunk, frames

    def step(self, left: Sequence[int], numbers: Sequence[int]) -> list[Perception | Exception]:
        self.forget(left)
        heard = [self._heard.pop(n) for n in numbers]
        states = [self._states[n] for n in numbers]
        found = self._perceiver.step_rows([c for c, _ in heard], states, [f for _, f in heard])
        return [_portable(x) if isinstance(x, Exception) else x for x in found]


def _hear(make: Callable[[], Perceiver], ahead: Connection, now: Connection) -> None:
    """The process: one thread a pipe. It ends with the server, whose signals are not its affair."""
    import torch

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    heap.settle(mapped_bytes=MAPPED_BYTES)
    torch.set_num_threads(1)
    try:
        ears = _Ears(make())
    except Exception as error:  # noqa: BLE001 - raised where it was asked for
        now.send(_portable(error))
        return
    heap.lasting()
    now.send(None)
    threading.Thread(target=_obey, args=(ears, ahead), daemon=True).start()
    _obey(ears, now)


def _obey(ears: _Ears, pipe: Connection) -> None:
    while True:
        try:
            verb, values = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)  # the server is gone
        try:
            found = getattr(ears, verb)(*values)
        except Exception as error:  # noqa: BLE001 - as above
            found = _portable(error)
        try:
            pipe.send(found)
        except OSError:
            os._exit(0)


def _portable(error: Exception) -> Exception:
    """As it is where it is ours; others may hold what cannot be pickled."""
    return error if isinstance(error, SoundflowError) else RuntimeError(f"{type(error).__name__}: {error}")
