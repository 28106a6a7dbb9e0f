"""A laid-out scene becomes a sample: items at their levels in one room, labelled, over one background, through one
microphone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from data_builder import channel, gaps, mix
from data_builder.clips import FloatArray
from data_builder.rooms import Room
from data_builder.schema import CHUNK, DELAY_MS, Response, Sample, SoundEvent, Speech, evidence_end
from data_builder.sources import Clip
from data_builder.texts.sounds import PHRASES
from data_builder.timeline import BACKGROUND_DB, Item, Scene, due
from data_builder.world import World
from soundflow.errors import DataError

LEVEL_DB: Final = (-35.0, -12.0)
ROOM_SHARE, CHANNEL_SHARE, GAPS_SHARE = 0.5, 0.3, 0.3
BUSY_MARGIN: Final = 800


@dataclass(slots=True)
class _Placed:
    items: list[tuple[Item, int, str]]  # item, onset, id
    quietest: float  # dBFS


def compose(scene: Scene, world: World, sample: Sample) -> FloatArray:
    """Fill `sample` (its id, split and names are set) from the scene; returns its audio [N] in [-1, 1].

    Raises DataError where the scene does not fit into a stream.
    """
    onsets, n = scene.layout()
    sample.samples, sample.instruction, sample.tools = n, scene.instruction, scene.tools
    names = _names(scene)
    placed = _Placed(list(zip(scene.items, onsets, names, strict=True)), 0.0)
    front = _front(scene, world, placed, sample, n)
    _label(scene, placed, sample)
    audio = _mix(scene, world, placed, sample, front)
    clips = [i.clip for i in scene.items]
    clips += [c for c in (scene.backdrop, scene.bed) if isinstance(c, Clip)]
    _credit(sample, clips)
    return audio


def _names(scene: Scene) -> list[str]:
    return [f"{'s' if item.speech else 'e'}{k}" for k, item in enumerate(scene.items)]


def _front(scene: Scene, world: World, placed: _Placed, sample: Sample, n: int) -> FloatArray:
    """[n] sum of the items at their levels and places in the room; fills events and speech."""
    rng = scene.rng
    front = np.zeros(n, dtype=np.float32)
    centre = float(rng.uniform(-31, -14))
    room = None
    if placed.items and not scene.plain and rng.random() < ROOM_SHARE:
        room = Room.draw(rng, world.moment.rt60)
        sample.mix["room"] = room.facts()
    places: dict[str, FloatArray] = {}
    gains: dict[int, tuple[str, float]] = {}
    for item, onset, name in placed.items:
        clip = item.clip
        wanted = centre + item.db + (BACKGROUND_DB if item.role == "television" else 0.0)
        level = float(np.clip(wanted + rng.uniform(-3, 3), *LEVEL_DB))
        crest = 20 * float(np.log10(max(1e-6, float(np.abs(clip.audio).max())))) - mix.db(clip.audio)
        level = max(LEVEL_DB[0], min(level, -1.0 - crest))  # an impulsive clip is not pushed over full scale
        where = clip.speaker or name  # a talker stays where they are
        if item.like is None:
            audio, gain = mix.to_db(clip.audio, level)
        else:
            where, gain = gains[id(item.like)]
            audio = clip.audio * np.float32(10 ** (gain / 20))
            level = mix.db(audio)
        gains[id(item)] = where, gain
        placed.quietest = min(placed.quietest, level)
        offset = onset + len(audio)
        if room is not None:
            if where not in places:
                places[where] = room.response(rng)
            audio = mix.tail(audio, places[where], n - onset)
        front[onset : onset + len(audio)] += audio
        if item.speech:
            sample.speech.append(_speech(item, name, onset, offset, round(gain, 2)))
        else:
            what = (round(gain, 2), clip.source, clip.licence, clip.respond)
            where_in = (onset, offset, evidence_end(onset, offset))
            sample.events.append(SoundEvent(name, clip.label, clip.kind, *where_in, *what))
    return front


def _speech(item: Item, name: str, onset: int, offset: int, gain: float) -> Speech:
    clip, more = item.clip, item.clip.extra
    return Speech(
        name,
        onset,
        offset,
        clip.text,
        clip.source,
        item.addressed,
        clip.speaker,
        gain,
        clip.licence,
        language=str(more.get("language", "en")),
        heard=str(more.get("heard", "")),
        emotion=str(more.get("emotion", "neutral")),
        role=item.role,
    )


def _label(scene: Scene, placed: _Placed, sample: Sample) -> None:
    """Responses and what is to be left alone. Raises DataError where two responses fall into one chunk."""
    ids = {id(item): name for item, _, name in placed.items}
    starts = {id(item): onset for item, onset, _ in placed.items}
    events = {e.id: e for e in sample.events}
    for item, onset, name in placed.items:
        if item.avoid:
            offset = onset + len(item.clip.audio)
            sample.avoid.append({"id": name, "onset": onset, "offset": offset, "reason": item.avoid})
        for say in item.says:
            delay = int(scene.rng.integers(DELAY_MS[0], DELAY_MS[1] + 1))
            evidence, chunk = due(item, say, onset, delay)
            kind = "act" if say.call else "speak"
            response = Response(kind, evidence, chunk, delay, name, item.clock(say), say.text, say.call)
            if say.noted:
                heard = [e for e in events.values() if e.onset < onset]
                response.notes = [
                    {"sample": e.onset, "text": PHRASES[e.label].event} for e in heard if e.label in PHRASES
                ]
            response.refers_to = [ids[id(other)] for other in say.refers]
            response.cancelled_at = None if say.cut_by is None else starts[id(say.cut_by)]
            sample.responses.append(response)
    sample.responses.sort(key=lambda r: (r.due_chunk, r.trigger))
    dues = [r.due_chunk for r in sample.responses]
    if len(set(dues)) < len(dues):
        raise DataError(f"expected a chunk for each response, got two in one: {dues}", sample.id)
    if dues and dues[-1] >= sample.samples // CHUNK:
        raise DataError(f"expected every response inside {sample.samples // CHUNK} chunks, got {dues[-1]}", sample.id)


def _mix(scene: Scene, world: World, placed: _Placed, sample: Sample, front: FloatArray) -> FloatArray:
    rng, n, facts = scene.rng, len(front), sample.mix
    if scene.backdrop is not None:
        level = (placed.quietest if placed.items else -24.0) - float(rng.uniform(6, 14))
        audio, _ = mix.to_db(scene.backdrop.audio, level)
        start = int(rng.integers(max(1, n - len(audio))))
        front[start : start + len(audio)] += audio[: n - start]
        end = min(n, start + len(audio))
        facts["backdrop"] = {"source": scene.backdrop.source, "label": scene.backdrop.label}
        facts["backdrop"] |= {"onset": start, "offset": end}
    bed, name, level = _bed(scene, world, sample, n, placed.quietest)
    facts |= {"bed": name, "bed_db": round(level, 1)}
    if not scene.plain and not isinstance(scene.bed, Clip) and rng.random() < GAPS_SHARE:
        busy = [(o - BUSY_MARGIN, o + len(i.clip.audio) + BUSY_MARGIN) for i, o, _ in placed.items]
        babble = None if scene.neutral else world.babble(lambda clips: _credit(sample, clips))
        facts["gaps"] = gaps.fill(rng, bed, busy, babble, loudest_db=placed.quietest - 3)
    audio = front + bed
    if not scene.plain and rng.random() < CHANNEL_SHARE:
        audio, facts["channel"] = channel.apply(rng, audio)
    gaps.mute(audio, facts.get("gaps", []))
    audio, lowered = mix.limit(audio)
    facts["limit_db"] = round(lowered, 2)
    return audio


def _bed(scene: Scene, world: World, sample: Sample, n: int, quietest: float) -> tuple[FloatArray, str, float]:
    rng = scene.rng
    if isinstance(scene.bed, Clip):
        level = quietest + BACKGROUND_DB if scene.items else float(rng.uniform(-45, -20))
        return mix.to_db(mix.loop(rng, scene.bed.audio, n), level)[0], scene.bed.source, level
    kind = scene.bed or ("room" if rng.random() < 0.2 else "drawn")
    if kind == "zero":
        return np.zeros(n, dtype=np.float32), "zero", -120.0
    if kind == "room":
        level = float(rng.uniform(-70, -45))
        if scene.items:
            level = min(level, quietest - 5)
        return mix.to_db(mix.noise(rng, n, float(rng.uniform(-6, -2))), level)[0], "room_tone", level
    clip = world.bed(rng, n, scene.neutral)
    _credit(sample, [clip])
    level = quietest - float(rng.uniform(*scene.noise_db)) if scene.items else float(rng.uniform(-60, -18))
    return mix.to_db(clip.audio, level)[0], clip.source, level


def _credit(sample: Sample, clips: list[Clip]) -> None:
    """Add the recordings to the sample's sources and licences, each once; a joined clip is all of its parts."""
    known = {s["source"] for s in sample.sources}
    rows = [row for clip in clips for row in (clip.credit(), *clip.extra.get("parts", ()))]
    for row in rows:
        if row["source"] not in known:
            known.add(row["source"])
            sample.sources.append(row)
    sample.sources.sort(key=lambda s: s["source"])
    sample.licences = sorted({s["licence"] for s in sample.sources})
