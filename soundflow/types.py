"""Values that travel along the one path: AudioChunk -> Perception -> Decision -> Reply. Times are samples at 16 kHz."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """`samples` [N] float32 in [-1, 1], mono 16 kHz, N = chunk size always (the last chunk of a file is
    zero-padded).
    """

    index: int
    start_sample: int
    samples: FloatArray

    @property
    def end_sample(self) -> int:
        return self.start_sample + len(self.samples)


@dataclass(frozen=True, slots=True)
class Vad:
    """Voice activity over one chunk. `probs` holds one value per 32 ms window that ended in this chunk."""

    probs: tuple[float, ...]
    speaking: bool
    started: int | None = None  # sample at which a speech segment was found to start
    stopped: int | None = None  # sample at which it was found to stop


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word; `start` and `end` are samples, `printed` is the sample clock when it became stable."""

    text: str
    start: int
    end: int
    printed: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One finished stretch of speech; said once."""

    text: str
    start: int
    end: int
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What the words channel says after one chunk.

    `new` are words that became stable in this chunk (never taken back), `partial` is the whole current hypothesis of
    the open segment (stable words first), `final` is set in the chunk in which the segment closed.
    """

    new: tuple[Word, ...] = ()
    partial: str = ""
    final: Segment | None = None


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound event. `offset` is None while it goes on; it is reported once at onset and once at offset."""

    label: str
    p: float
    onset: int
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A sound that has ended, or lasted a while, taken as a whole: from `onset` to `offset`, called `label` with
    probability `p`.

    margin: log-odds of its likeliest label that alerts over those of its likeliest other one. alert: mean log-odds of
    the alert branch.
    """

    label: str
    p: float
    onset: int
    offset: int
    margin: float = 0.0
    alert: float = 0.0


@dataclass(frozen=True, slots=True)
class Perception:
    """All that perception knows at the end of one chunk.

    tags: [521] AudioSet probabilities of the chunk (YAMNet order). named: [521] how sure it is that a sound is heard,
    calibrated and with the heads that name sounds (`soundflow.perceive.named`), None without any. sound: [D_a] sound
    embedding. speech: [D_s] mean speech frame of the chunk, zeros where nobody speaks. alert: log-odds of the alert
    branch (0 without one), less what the tags say against it (`soundflow.perceive.rivals`). own: a probability for each
    sound that the user taught (`soundflow.perceive.own`), 0.5 where the dial's middle fires.
    whole: a sound that has ended, under the name that all of it gives it (`soundflow.perceive.whole`). noted: the same
    for what is remembered, and for what somebody waits for, which asks for less.
    """

    chunk: int
    end_sample: int
    tags: FloatArray
    sound: FloatArray
    speech: FloatArray
    vad: Vad
    words: Words
    sounds: tuple[Sound, ...] = ()
    level_db: float = -120.0
    alert: float = 0.0
    own: tuple[float, ...] = ()
    named: FloatArray | None = None
    whole: Whole | None = None
    noted: Whole | None = None

    @property
    def sure(self) -> FloatArray:
        """[521] what is known best of which sounds are heard: `named`, without it `tags`."""
        return self.tags if self.named is None else self.named


class Kind(IntEnum):
    """The three decision tokens, in the order of the decision logits."""

    SILENT = 0
    SPEAK = 1
    ACT = 2

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of one chunk. `p` is calibrated [silent, speak, act] and sums to one."""

    chunk: int
    kind: Kind
    p: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Tool:
    """One function the model may call; `parameters` is a JSON schema of type object. `confirm` marks a risky one."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class ActionCall:
    """A schema-valid tool call."""

    name: str
    arguments: Mapping[str, Any]
    confirm: bool = False


class Telling(Protocol):
    """Something to tell of in known words: a taught sound, or what somebody asked for."""

    @property
    def name(self) -> str: ...

    @property
    def say(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Note:
    """What was heard or said once it leaves the cache: `text` at `sample`. `until`: end of a sound that was named as a
    whole, 0 of others."""

    sample: int
    text: str
    until: int = 0


@dataclass(slots=True)
class ReplyRequest:
    """Everything the responder needs; a snapshot, so that perception goes on beside it. `say`: what to say, word by
    word, where it is known beforehand. `count`: of the sounds that are told each time, with this one; 0 for others.
    `asked_at`: sample before which all was said that came before `heard`."""

    id: str
    generation: int
    kind: Kind
    chunk: int
    sample: int
    heard: str = ""
    sounds: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    instruction: str = ""
    tools: tuple[Tool, ...] = field(default=())
    say: str = ""
    count: int = 0
    asked_at: int = 0
