"""A sample: a dialogue on one sample clock, its JSON form, and the rule for the chunk of a response."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from soundflow.clock import chunk_of, chunk_samples, samples

SCHEMA: Final = 2
CHUNK: Final = chunk_samples(400)
DELAY_MS: Final = (120, 240)
SUSTAINED: Final = samples(1.2)  # the evidence of a sound is complete at the latest this long after its onset
ENDPOINT: Final = samples(0.48) + samples(0.40)  # silence after speech, and one chunk until the segment is closed
MIN_CHUNKS, MAX_CHUNKS = 10, 150  # 4 to 60 s
COOL_DOWN: Final = samples(30.0)  # from one announcement of a sound to the next
CLOCKS: Final = ("sound", "endpoint", "clause", "end", "timer")
"""What completes the evidence of a response.

sound: its trigger was heard for 1.2 s, or is over. endpoint: an utterance is over and was closed. clause: a part of an
utterance is over (simultaneous work does not wait for the endpoint). end: a sound is over. timer: a time that was asked
for has come.
"""


def evidence_end(onset: int, offset: int) -> int:
    """Sample at which a sound with this audible part has been heard well enough."""
    return min(offset, onset + SUSTAINED)


def due_chunk(evidence: int, delay_ms: int, clock: str) -> int:
    """Chunk of a response: floor((evidence + delay) / chunk); an utterance is known only after its endpoint."""
    return chunk_of(evidence + (ENDPOINT if clock == "endpoint" else 0) + delay_ms * 16, CHUNK)


@dataclass(slots=True)
class SoundEvent:
    """A sound in the stream; `onset` and `offset` bound its audible part. `respond` is the corpus' policy for it."""

    id: str
    label: str
    kind: str
    onset: int
    offset: int
    evidence_end: int
    gain_db: float
    source: str
    licence: str
    respond: str


@dataclass(slots=True)
class Speech:
    """An utterance. `text` is "" where it is not known, `heard` what the recogniser makes of it alone ("" = not asked).

    `addressed`: meant for the system. `role`: user, bystander, television or backchannel.
    """

    id: str
    onset: int
    offset: int
    text: str
    source: str
    addressed: bool
    speaker: str
    gain_db: float
    licence: str
    language: str = "en"
    heard: str = ""
    emotion: str = "neutral"
    role: str = "user"


@dataclass(slots=True)
class Response:
    """What is to be said (`text`) or called (`call`) in chunk `due_chunk`; `trigger`: id of an event or utterance.

    `refers_to`: ids of earlier items that hold the answer. `cancelled_at`: sample at which the user cut it short.
    """

    kind: str
    evidence_end: int
    due_chunk: int
    delay_ms: int
    trigger: str
    clock: str
    text: str = ""
    call: dict[str, Any] | None = None
    notes: list[dict[str, Any]] = field(default_factory=list)
    refers_to: list[str] = field(default_factory=list)
    cancelled_at: int | None = None


@dataclass(slots=True)
class Sample:
    """The JSON of a sample. `avoid` lists what must not be answered: {id, onset, offset, reason}.

    `negative`: nothing in it is to be answered. `scenario`: who, where, when (data_builder.scenario). `sources`: every
    recording in it, {source, licence, dataset, speaker}.
    """

    id: str
    seed: int
    split: str
    subtask: str
    ability: str
    negative: bool
    samples: int
    instruction: str = ""
    tools: str = ""
    events: list[SoundEvent] = field(default_factory=list)
    speech: list[Speech] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    avoid: list[dict[str, Any]] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    sources: list[dict[str, str]] = field(default_factory=list)
    mix: dict[str, Any] = field(default_factory=dict)
    scenario: dict[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA
    chunk: int = CHUNK

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
