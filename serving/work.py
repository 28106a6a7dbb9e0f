"""What an engine's front sends to a worker, and what comes back. Plain values: they cross threads, processes, nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from serving.handle import Output, SessionSpec
from soundflow.types import FloatArray


@dataclass(frozen=True, slots=True)
class Open:
    """A session begins, or goes on with `memory` (`soundflow.memory`) and the `said` part of its open reply.

    `frames` are replayed first, without outputs: (chunk, [N] samples), in order. `chunk` is the first that was not
    decided on; `playing` the sample until which the voice of a reply plays.
    """

    session: str
    spec: SessionSpec
    memory: dict[str, Any] | None = None
    said: str = ""
    frames: tuple[tuple[int, FloatArray], ...] = ()
    chunk: int = 0
    playing: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """One chunk [N] of a session, in order."""

    session: str
    chunk: int
    samples: FloatArray


@dataclass(frozen=True, slots=True)
class Command:
    """Something other than audio. verb: update (spec), commit, respond (text), say (text), cancel (reason), voice
    (sample until which the reply's voice plays, 0: it was stopped), close (flush).
    """

    session: str
    verb: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Result:
    """Of one piece of work, or (chunk -1) of replies that went on. `memory`: what to go on from elsewhere, where it has
    changed. `reply`: the session has something to write or say. `failed`: the session is over, and why. `ended`: it is
    over as it was asked to be. `spec`: what it goes by now.
    """

    session: str
    chunk: int = -1
    outputs: list[Output] = field(default_factory=list)
    memory: dict[str, Any] | None = None
    reply: bool = False
    failed: str = ""
    ended: bool = False
    spec: SessionSpec | None = None


Work = Open | Frame | Command


@dataclass(frozen=True, slots=True)
class Pass:
    """What one step of a worker did: `tokens` read by the LALM, `seconds` it took, decisions made."""

    results: list[Result]
    seconds: float
    tokens: int
    frames: int


class WorkerLost(Exception):
    """The worker's process is gone; nothing of the pass was done as far as anybody can know."""
