"""A scene: items in order of time are laid out on the sample clock, labelled and mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from data_builder import mix
from data_builder.clips import FloatArray
from data_builder.schema import (
    CHUNK,
    DELAY_MS,
    ENDPOINT,
    MAX_CHUNKS,
    MIN_CHUNKS,
    Response,
    Sample,
    SoundEvent,
    Speech,
    due_chunk,
    evidence_end,
)
from data_builder.sources import Clip, Rng, Sources, pick
from data_builder.texts.sounds import PHRASES
from soundflow import SAMPLE_RATE_HZ as SR
from soundflow.clock import samples, seconds
from soundflow.errors import DataError

LEVEL_DB = (-35.0, -12.0)
GAP = samples(0.9)  # between items: responses of two neighbours fall into different chunks
AFTER_ADDRESSED = ENDPOINT + samples(0.9)
TAIL = samples(0.7)  # from the last evidence to the end of the stream


@dataclass(slots=True)
class Item:
    """A clip on its way into the stream. `say` or `call` is the response to it; `avoid` why there is none."""

    clip: Clip
    speech: bool
    addressed: bool = False
    say: str = ""
    call: dict[str, Any] | None = None
    avoid: str = ""
    noted: bool = False  # the response is answered from notes of the sounds before

    @property
    def room(self) -> int:
        """Samples that the item needs, with the quiet after it."""
        return len(self.clip.audio) + (AFTER_ADDRESSED if self.addressed else GAP)


class Scene:
    """Collects what happens in one stream; `compose` makes the sample of it."""

    def __init__(self, rng: Rng, subtask: str) -> None:
        self.rng, self.subtask = rng, subtask
        self.instruction, self.tools = "", ""
        self.items: list[Item] = []
        self.neutral = False  # only beds in which there is nothing to name
        self.fixed = False  # no item may be dropped to make the scene fit
        self.backdrop: Clip | None = None  # side talk or music behind the items
        self.bed = ""  # "" = drawn; "room" or "zero"
        self.plain = False  # no room, codec or gaps, and a bed 8 to 28 dB under the items

    def sound(self, clip: Clip, say: str = "", avoid: str = "") -> None:
        """Add a sound, answered by `say` or, with `avoid`, by silence."""
        self.items.append(Item(clip, False, say=say, avoid=avoid))

    def talk(
        self, clip: Clip, say: str = "", call: dict[str, Any] | None = None, avoid: str = "", noted: bool = False
    ) -> None:
        """Add speech; it is addressed to the system unless there is a reason to `avoid` an answer."""
        self.items.append(Item(clip, True, not avoid, say, call, avoid, noted))

    def compose(self, sources: Sources, sample_id: str, seed: int, split: str) -> tuple[Sample, FloatArray]:
        """The sample and its audio [N] in [-1, 1], N a whole number of chunks. Raises DataError if it does not fit."""
        onsets, n = self._layout()
        sample = Sample(sample_id, seed, split, self.subtask, n, self.instruction, self.tools)
        front, quietest = self._place(sample, onsets, n)
        licences = {i.clip.licence for i in self.items}
        audio, facts = self._mix(sources, front, quietest, onsets, licences)
        sample.mix, sample.licences = facts, sorted(licences)
        return sample, audio

    def _layout(self) -> tuple[list[int], int]:
        lead = samples(0.3)
        most = MAX_CHUNKS * CHUNK - TAIL - lead
        while sum(i.room for i in self.items) > most:
            droppable = [k for k, i in enumerate(self.items) if i.avoid and not self.fixed]
            if not droppable or len(self.items) == 1:
                raise DataError(
                    f"expected items of at most {seconds(most)} s, got {seconds(sum(i.room for i in self.items))}"
                )
            del self.items[pick(self.rng, droppable)]
        need = lead + TAIL + sum(i.room for i in self.items)
        drawn = int(self.rng.triangular(MIN_CHUNKS, 26, 38))
        chunks = min(MAX_CHUNKS, max(drawn, -(-need // CHUNK) + int(self.rng.integers(0, 4))))
        slack = chunks * CHUNK - need
        shares = self.rng.dirichlet(np.ones(len(self.items) + 1)) if self.items else np.ones(1)
        at, onsets = lead, []
        for item, share in zip(self.items, shares, strict=False):
            at += int(slack * share)
            onsets.append(at)
            at += item.room
        return onsets, chunks * CHUNK

    def _place(self, sample: Sample, onsets: list[int], n: int) -> tuple[FloatArray, float]:
        """Sum of the items at their levels, and the lowest level in dBFS; fills events, speech, responses, avoid."""
        front = np.zeros(n, dtype=np.float32)
        centre = float(self.rng.uniform(-31, -14))
        quietest = 0.0
        for k, (item, onset) in enumerate(zip(self.items, onsets, strict=True)):
            level = float(np.clip(centre + self.rng.uniform(-5, 5), *LEVEL_DB))
            crest = 20 * float(np.log10(max(1e-6, float(np.abs(item.clip.audio).max())))) - mix.db(item.clip.audio)
            level = max(LEVEL_DB[0], min(level, -1.0 - crest))  # an impulsive clip is not pushed over full scale
            audio, gain = mix.to_db(item.clip.audio, level)
            quietest = min(quietest, level)
            offset = onset + len(audio)
            front[onset:offset] += audio
            clip, name = item.clip, f"{'s' if item.speech else 'e'}{k}"
            evidence = offset if item.speech else evidence_end(onset, offset)
            if item.speech:
                who = (clip.text, clip.source, item.addressed, clip.speaker)
                sample.speech.append(Speech(name, onset, offset, *who, round(gain, 2), clip.licence))
            else:
                what = (round(gain, 2), clip.source, clip.licence, clip.respond)
                sample.events.append(SoundEvent(name, clip.label, clip.kind, onset, offset, evidence, *what))
            if item.avoid:
                sample.avoid.append({"id": name, "onset": onset, "offset": offset, "reason": item.avoid})
            elif item.say or item.call:
                self._respond(sample, item, name, evidence)
        return front, quietest

    def _respond(self, sample: Sample, item: Item, name: str, evidence: int) -> None:
        delay, clock = int(self.rng.integers(DELAY_MS[0], DELAY_MS[1] + 1)), "endpoint" if item.speech else "sound"
        notes: list[dict[str, Any]] = []
        if item.noted:
            notes = [{"sample": e.onset, "text": PHRASES[e.label].event} for e in sample.events]
        kind = "act" if item.call else "speak"
        due = due_chunk(evidence, delay, clock)
        sample.responses.append(Response(kind, evidence, due, delay, name, clock, item.say, item.call, notes))

    def _mix(
        self, sources: Sources, front: FloatArray, quietest: float, onsets: list[int], licences: set[str]
    ) -> tuple[FloatArray, dict[str, Any]]:
        rng, n = self.rng, len(front)
        facts: dict[str, Any] = {}
        if self.backdrop is not None:
            audio, _ = mix.to_db(self.backdrop.audio, (quietest if self.items else -24.0) - float(rng.uniform(6, 14)))
            start = int(rng.integers(max(1, n - len(audio))))
            front[start : start + len(audio)] += audio[: n - start]
            licences.add(self.backdrop.licence)
            facts["backdrop"] = {"source": self.backdrop.source, "onset": start, "offset": min(n, start + len(audio))}
        if self.items and not self.plain and rng.random() < 0.3:
            response, rt60 = mix.room(rng)
            front = mix.convolve(front, response)
            facts["rt60_s"] = round(rt60, 3)
        bed, name, level = self._bed(sources, n, quietest, licences)
        facts |= {"bed": name, "bed_db": round(level, 1)}
        if not self.plain and rng.random() < 0.15:
            facts["zero_gaps"] = self._gaps(bed, onsets)
        audio = front + bed
        if not self.plain and rng.random() < 0.2:
            audio, facts["colour"] = mix.colour(rng, audio)
        audio, lowered = mix.limit(audio)
        facts["limit_db"] = round(lowered, 2)
        return audio, facts

    def _bed(self, sources: Sources, n: int, quietest: float, licences: set[str]) -> tuple[FloatArray, str, float]:
        rng = self.rng
        kind = self.bed or ("room" if rng.random() < 0.2 else "drawn")
        if kind == "zero":
            return np.zeros(n, dtype=np.float32), "zero", -120.0
        if kind == "room":
            level = float(rng.uniform(-70, -45))
            if self.items:
                level = min(level, quietest - 5)
            return mix.to_db(mix.noise(rng, n, float(rng.uniform(-6, -2))), level)[0], "room_tone", level
        audio, name, licence = sources.bed(rng, n, self.neutral)
        licences.add(licence)
        least, most = (8, 28) if self.plain else (5, 30)
        level = quietest - float(rng.uniform(least, most)) if self.items else float(rng.uniform(-60, -18))
        return mix.to_db(audio, level)[0], name, level

    def _gaps(self, bed: FloatArray, onsets: list[int]) -> list[list[int]]:
        """Set one or two stretches of the bed to digital zero, outside the items; in place."""
        busy = [(o - 800, o + len(i.clip.audio) + 800) for o, i in zip(onsets, self.items, strict=True)]
        made: list[list[int]] = []
        for _ in range(int(self.rng.integers(1, 3))):
            length = int(self.rng.uniform(0.3, 2.0) * SR)
            start = int(self.rng.integers(len(bed) - length))
            if all(start + length <= a or start >= b for a, b in busy):
                bed[start : start + length] = 0
                made.append([start, start + length])
        return made
