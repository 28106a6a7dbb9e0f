"""A scene: what happens in one stream, in order, with what is to be said about it; and its layout in samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data_builder.schema import CHUNK, ENDPOINT, MAX_CHUNKS, MIN_CHUNKS, due_chunk, evidence_end
from data_builder.sources import Clip, Rng
from soundflow.clock import samples, seconds
from soundflow.errors import DataError

LEAD = samples(0.3)
GAP = samples(0.9)  # between items: responses of two neighbours fall into different chunks
TAIL = samples(0.7)  # from the last evidence to the end of the stream
LATEST_DELAY = 240 * 16
BACKGROUND_DB = -6.0


@dataclass(slots=True)
class Say:
    """A response to an item: `text` is said, or `call` is made.

    clock: of `data_builder.schema.CLOCKS`; "" = endpoint for speech, sound for a sound.
    at: seconds. For "clause": from the item's onset to where the clause ends. For "timer": from the item's offset.
    noted: it is answered from notes of the sounds before. refers: items before that hold the answer.
    cut_by: the item with which the user cuts the reply short.
    """

    text: str = ""
    call: dict[str, Any] | None = None
    clock: str = ""
    at: float = 0.0
    noted: bool = False
    refers: list[Item] = field(default_factory=list)
    cut_by: Item | None = None


@dataclass(slots=True, eq=False)
class Item:
    """A clip on its way into the stream, answered by `says` or left alone for the reason in `avoid`.

    after: seconds of (least, most) from the end of the item before; None = what the responses need, and a share of the
    stream's slack. over, into: it begins `into` seconds after the onset of another item and overlaps it.
    db: level against the foreground.
    like: an item before, of the same recording: it plays at the same gain and from the same place.
    """

    clip: Clip
    speech: bool
    says: list[Say] = field(default_factory=list)
    avoid: str = ""
    role: str = "user"
    after: tuple[float, float] | None = None
    over: Item | None = None
    into: float = 0.0
    db: float = 0.0
    like: Item | None = None
    spread: float = 0.5  # where in `after` the gap lies, 0 to 1

    @property
    def addressed(self) -> bool:
        """Meant for the system: answered speech, or a speech item that says so by its role."""
        return self.speech and self.role == "user" and not self.avoid

    def clock(self, say: Say) -> str:
        return say.clock or ("endpoint" if self.speech else "sound")

    def evidence(self, say: Say, onset: int) -> int:
        """Sample at which the evidence of `say` is complete, for an item at `onset`."""
        offset, clock = onset + len(self.clip.audio), self.clock(say)
        if clock == "sound":
            return evidence_end(onset, offset)
        if clock == "clause":
            return min(offset, onset + samples(say.at))
        return offset + (samples(say.at) if clock == "timer" else 0)

    def needs(self) -> int:
        """Samples from the onset that the item, its responses and the quiet after them need."""
        last = len(self.clip.audio) + GAP
        for say in self.says:
            wait = ENDPOINT if self.clock(say) == "endpoint" else 0
            last = max(last, self.evidence(say, 0) + wait + GAP)
        return last


class Scene:
    """Collects what happens in one stream. `data_builder.compose.compose` makes the sample of it."""

    def __init__(self, rng: Rng, subtask: str) -> None:
        self.rng, self.subtask = rng, subtask
        self.instruction, self.tools = "", ""
        self.items: list[Item] = []
        self.neutral = False  # only beds in which there is nothing to name
        self.fixed = False  # no item may be dropped to make the scene fit
        self.backdrop: Clip | None = None  # side talk, television or music behind the items
        self.bed: Clip | str = ""  # "" = drawn; "room" or "zero"; or a recording that is the background itself
        self.noise_db: tuple[float, float] = (5.0, 30.0)  # of the background under the quietest item
        self.plain = False  # no room, channel or gaps
        self.chunks = (MIN_CHUNKS, 18, 32)  # least, likeliest and most chunks of a stream that needs no more

    def sound(self, clip: Clip, say: str | Say = "", avoid: str = "", **place: Any) -> Item:
        """Add a sound, answered by `say` or, with `avoid`, by silence."""
        return self._add(Item(clip, False, avoid=avoid, **place), say)

    def talk(
        self, clip: Clip, say: str | Say = "", call: dict[str, Any] | None = None, avoid: str = "", **place: Any
    ) -> Item:
        """Add speech; it is addressed to the system unless there is a reason to `avoid` an answer."""
        if avoid:
            place.setdefault("role", "bystander")
        return self._add(Item(clip, True, avoid=avoid, **place), Say(call=call) if call else say)

    def _add(self, item: Item, say: str | Say) -> Item:
        if say:
            item.says.append(Say(say) if isinstance(say, str) else say)
        item.spread = float(self.rng.random())
        self.items.append(item)
        return item

    def layout(self) -> tuple[list[int], int]:
        """(onset of each item, samples of the stream), whole chunks. Raises DataError where the scene does not fit."""
        while True:
            onsets, need = self._pack(np.zeros(len(self.items) + 1))
            if need <= MAX_CHUNKS * CHUNK:
                break
            droppable = [k for k, i in enumerate(self.items) if i.avoid and not self.fixed and not self._held(i)]
            if not droppable or len(self.items) == 1:
                raise DataError(f"expected a scene of at most {seconds(MAX_CHUNKS * CHUNK)} s, got {seconds(need)}")
            del self.items[droppable[int(self.rng.integers(len(droppable)))]]
        drawn = int(self.rng.triangular(*self.chunks))
        chunks = min(MAX_CHUNKS, max(drawn, -(-need // CHUNK) + int(self.rng.integers(0, 3))))
        shares = self.rng.dirichlet(np.ones(len(self.items) + 1))
        onsets, end = self._pack(shares * (chunks * CHUNK - need))
        return onsets, max(chunks, -(-end // CHUNK)) * CHUNK

    def _held(self, item: Item) -> bool:
        """Something else depends on where this item is."""
        return any(
            item in (o.over, o.like) or any(item in s.refers or s.cut_by is item for s in o.says) for o in self.items
        )

    def _pack(self, slack: Any) -> tuple[list[int], int]:
        """Onsets with `slack` samples before each item that may be moved, and the samples that are needed in all."""
        at: dict[int, int] = {}
        free, offset, end = LEAD, LEAD, LEAD
        for k, item in enumerate(self.items):
            if item.over is not None:
                onset = at[id(item.over)] + samples(item.into)
            elif item.after is not None:
                onset = offset + samples(item.after[0] + item.spread * (item.after[1] - item.after[0]))
            else:
                onset = free + int(slack[k])
            at[id(item)] = onset
            length = len(item.clip.audio)
            offset = max(offset, onset + length) if item.over is not None else onset + length
            free = max(free, onset + item.needs())
            for say in item.says:
                wait = ENDPOINT if item.clock(say) == "endpoint" else 0
                end = max(end, item.evidence(say, onset) + wait + LATEST_DELAY + CHUNK)
            end = max(end, onset + length + TAIL)
        return [at[id(i)] for i in self.items], end


def due(item: Item, say: Say, onset: int, delay_ms: int) -> tuple[int, int]:
    """(evidence end in samples, due chunk) of a response."""
    evidence = item.evidence(say, onset)
    return evidence, due_chunk(evidence, delay_ms, item.clock(say))
