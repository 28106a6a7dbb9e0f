"""A block: one day in one household, each moment a dialogue. It depends on the plan and its number alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from data_builder.cleanup import Cleanup
from data_builder.clips import FloatArray
from data_builder.compose import compose
from data_builder.corpora.dialogue_pairs import read_pairs
from data_builder.corpora.folder import SPLITS, Row
from data_builder.plan import Plan, digest, read_removed
from data_builder.retell import retellings
from data_builder.scenario.day import Day
from data_builder.scenario.endpoint import Endpoint
from data_builder.scenario.llm import LlmPlanner
from data_builder.scenario.verify import plan_verified
from data_builder.schema import Sample
from data_builder.sources import Sources, open_sources
from data_builder.speech.engines import engines, offered
from data_builder.speech.protocol import Engine, Stalled
from data_builder.speech.synthesise import Synthesiser
from data_builder.speech.voices import Speaker, draw, speakers
from data_builder.subtasks import CONTROLS, SUBTASKS
from data_builder.talk import read_transcripts
from data_builder.variants import watch_variants
from data_builder.world import World
from soundflow.errors import ConfigError, DataError

TRIES: Final = 8
STALLS: Final = 2
NONCOMMERCIAL: Final = "non-commercial"
Stream = tuple[dict[str, Any], FloatArray]


@dataclass(slots=True)
class Kit:
    """What a process holds open to make blocks: the split's sounds and its voices."""

    sources: Sources
    people: list[Speaker]
    synth: Synthesiser | None
    voices: str = ""  # digest of the speakers of the split, those that were removed too
    pairs: list[tuple[str, str]] = field(default_factory=list)  # questions and answers of text dialogues


@dataclass(slots=True)
class Made:
    """Streams of a block, and what went wrong on the way: {where, sub-task, reason} a try."""

    streams: list[Stream] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)  # plans of a day that the verifier refused, by rule


def open_kit(plan: Plan, rows: list[Row]) -> Kit:
    """Open sources and voices for `rows`, the plan's clips."""
    music = Path(plan.music) if plan.music else None
    transcripts = read_transcripts(Path(plan.transcripts)) if plan.transcripts else None
    cleanup = Cleanup() if plan.clean else None
    sources = open_sources(rows, [Path(a) for a in plan.audio], music, _judge(plan), transcripts, cleanup)
    people, synth = _voices(plan)
    removed = set(read_removed(Path(plan.out)))
    own = not plan.noncommercial
    pairs = [p for file in plan.dialogues for p in read_pairs(Path(file), split=plan.split, open_only=own)]
    return Kit(sources, [s for s in people if s.id not in removed], synth, digest([s.id for s in people]), pairs)


def _voices(plan: Plan) -> tuple[list[Speaker], Synthesiser | None]:
    if not plan.speech:
        return [], None
    try:
        have = engines(Path(plan.piper) if plan.piper else None, Path(plan.kokoro) if plan.kokoro else None)
    except ConfigError:
        if plan.piper or plan.kokoro:
            raise
        return [], None  # no engine on this machine: what recordings alone can say is built
    ear = None
    if plan.ear:
        from data_builder.speech.ear import MoonshineEar

        ear = MoonshineEar(Path(plan.ear))
    people = speakers(plan.split, offered(have))
    if not plan.noncommercial:
        people = [_free(have, speaker) for speaker in people]
    return [s for s in people if s.voices], Synthesiser(have, Path(plan.speech), ear)


def _free(have: Mapping[str, Engine], speaker: Speaker) -> Speaker:
    """The speaker with the voices whose speech may be used for anything."""
    voices = {k: v for k, v in speaker.voices.items() if NONCOMMERCIAL not in have[v.engine].licence(v)}
    return replace(speaker, voices=voices)


def _judge(plan: Plan) -> Callable[[FloatArray, str], bool] | None:
    if not plan.judge:
        return None
    from data_builder.judge import Judge

    return Judge(Path(plan.judge))


def make_block(plan: Plan, kit: Kit, number: int) -> Made:
    """Block `number`. What cannot be made after some tries is left out, with the reasons.

    Raises Stalled where a speech engine hung again and again: without its words the block would be another one.
    """
    made = Made()
    key = [plan.seed, SPLITS.index(plan.split), number]
    slots = plan.slots(number)
    day = _day(plan, kit, key, len(slots), made)
    cast = _cast(kit, key, day)
    for slot, ((name, negative), moment) in enumerate(zip(slots, day.moments, strict=True)):
        sample_id = f"{plan.split}-{plan.seed}-{number:06d}-{slot:03d}"
        world = World(kit.sources, moment, cast, kit.people, kit.synth, kit.pairs)
        attempt = stalls = 0
        while attempt < TRIES:
            rng = np.random.default_rng(np.random.SeedSequence([*key, slot, attempt]))
            task = {**SUBTASKS, **CONTROLS}[name]
            sample = Sample(sample_id, plan.seed, plan.split, name, task.ability, negative, 0)
            try:
                audio = compose(task.build(rng, world, negative), world, sample)
            except Stalled:
                # An engine that hung says nothing of the words: the same attempt again, so that the bytes stay.
                stalls += 1
                if stalls > STALLS:
                    raise
                continue
            except DataError as error:
                made.failed.append({"id": sample_id, "subtask": name, "reason": str(error)[:300]})
                attempt += 1
                continue
            sample.scenario = {"home": day.home.kind, "origin": day.origin, **moment.to_dict()}
            meta = sample.to_dict()
            if asked := watch_variants(np.random.default_rng([*key, slot, 10]), meta):
                meta["variants"] = asked
            if retold := retellings(np.random.default_rng([*key, slot, 12]), meta):
                meta["retold"] = retold
            made.streams.append((meta, audio))
            break
    return made


def _day(plan: Plan, kit: Kit, key: list[int], moments: int, made: Made) -> Day:
    labels = {*kit.sources.all_labels, *(r.label for r in kit.sources.beds)}
    rng = np.random.default_rng([*key, 5])
    if plan.llm:
        endpoint = Endpoint(plan.llm_url, plan.llm, plan.llm_key_env, Path(plan.planner) if plan.planner else None)
        planned = LlmPlanner(endpoint).plan(rng, moments, sorted(labels))
    else:
        planned = plan_verified(rng, moments, sorted(labels))
    made.rejected = planned.counts
    return planned.day


def _cast(kit: Kit, key: list[int], day: Day) -> dict[str, Speaker]:
    """A speaker of the split for each person of the day; nobody sounds like somebody else where there are enough."""
    rng, cast = np.random.default_rng([*key, 7]), dict[str, Speaker]()
    if not any("en" in s.voices for s in kit.people):
        return cast
    for person in day.people:
        for _ in range(6):
            cast[person.name] = draw(kit.people, rng)
            if sum(s.id == cast[person.name].id for s in cast.values()) == 1:
                break
    return cast
