"""The parts of `bench all`, the most important first, each with what it takes and its full size."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Final

from benchmarks import runs
from benchmarks.corpus import audio_folder
from benchmarks.options import listed
from benchmarks.runs import Options, Result
from benchmarks.suite import headlines
from benchmarks.suite.budget import Size, of
from benchmarks.suite.run import Part
from benchmarks.systems import NAMES
from soundflow.errors import ConfigError, SoundflowError

OURS_AND_RULES: Final = ("nano", "rules", "always-silent", "always-respond")


def _proactive(o: Options, scale: float) -> Result:
    return runs.run_proactive(replace(o, per_class=of(12, scale), systems=NAMES), (20.0,), fit=of(24, scale, 4))


def _quiet(o: Options, scale: float) -> Result:
    return runs.run_quiet(replace(o, systems=NAMES), round(60.0 * scale))


def _asr(o: Options, scale: float) -> Result:
    from benchmarks.words.run import run_asr

    o = replace(o, systems=("nano", "words", "whole"))
    return run_asr(o, None, of(60, scale, 12), streams=of(2, scale), minutes=3.0)


def _events(o: Options, scale: float) -> Result:
    from benchmarks.sounds.bench import run_events
    from benchmarks.sounds.heard import NAMES as HEARING

    return run_events(replace(o, per_class=0, systems=HEARING), round(45 * scale), train_minutes=of(20, scale, 8))


def _understand(o: Options, scale: float) -> Result:
    from benchmarks.understand.run import run_understand

    return run_understand(replace(o, systems=NAMES), per_kind=of(30, scale, 4))


def _latency(o: Options, scale: float) -> Result:
    from benchmarks.cost.runs import run_latency

    return run_latency(o, 5.0 * scale, 0.0, of(12, scale, 3))


COST_CURVES = ("context", "sessions", "chunk", "history")


def _cost(o: Options, scale: float) -> Result:
    from benchmarks.cost.curves import LARGE, SMALL
    from benchmarks.cost.runs import Wanted, run_cost

    if scale >= 1:
        return run_cost(o, Wanted(LARGE, curves=COST_CURVES))
    return run_cost(o, Wanted(SMALL, of(5, scale, 2), ("int8", "bf16"), curves=COST_CURVES, history_numbers=("int8",)))


def _capacity(o: Options, scale: float) -> Result:
    from benchmarks.cost.runs import run_capacity_small

    return run_capacity_small(replace(o, adapter=None), (1, 4, 8, 12, 16) if scale >= 0.5 else (1, 8))


def _watch(o: Options, scale: float) -> Result:
    return runs.run_watch(replace(o, per_class=of(12, scale), systems=OURS_AND_RULES))


def _acts(o: Options, scale: float) -> Result:
    return runs.run_acts(replace(o, per_class=of(18, scale, 3), systems=("nano", "rules")))


def _tasks(o: Options, scale: float) -> Result:
    from benchmarks import tasks

    data = o.out.parent / "dialogues"  # a build that was broken off goes on, one that is whole stays
    hours = f"{max(0.1, 0.75 * scale):.2f}"
    built = ["data", "build", "--audio", str(audio_folder(o.audio)), "--out", str(data), "--hours", hours]
    words = [sys.executable, "-m", "soundflow.cli", *built, "--seed", "28", "--split", "dev"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SoundflowError(f"dialogues were expected from `soundflow {' '.join(built)}`: {done.stderr[-300:]}")
    return tasks.run_tasks(replace(o, systems=tasks.SYSTEMS), data)


def _retention(o: Options, scale: float) -> Result:
    from benchmarks.stream.run import run_retention

    o = replace(o, systems=("nano", "rules", "always-silent"))
    rounds = (1, 3, 5, 10) if scale >= 0.5 else (1, 3, 5)
    return run_retention(o, rounds, of(12, scale, 3), gaps=("short gaps",))


def _review(o: Options, scale: float) -> Result:
    from benchmarks.stream.run import run_review

    return run_review(replace(o, systems=("nano", "nano-no-memory", "always-silent")), of(8, scale, 2))


def _needle(o: Options, scale: float) -> Result:
    from benchmarks.stream.run import run_needle

    o = replace(o, systems=("nano", "nano-no-memory", "always-silent"))
    return run_needle(o, max(6.0, 20.0 * scale), of(2, scale))


def _duplex(o: Options, scale: float) -> Result:
    from benchmarks.duplex.run import run_duplex
    from benchmarks.duplex.stage import SYSTEMS

    return run_duplex(replace(o, systems=SYSTEMS), of(12, scale, 2), alerts=of(3, scale))


def _mini(o: Options, scale: float) -> Result:
    from benchmarks.official.run import run_mini

    return run_mini(replace(o, systems=NAMES), per_side=of(54, scale, 8))


def _peers(o: Options, scale: float) -> Result:
    from benchmarks.peers.runs import run_peers

    return run_peers(o, of(4, scale), 20.0 * scale, of(60, scale, 10), of(24, scale, 4), fit=of(24, scale, 4))


PARTS: Final = (
    Part("proactive", Size(3.0, 12.0, 0.4), _proactive, headlines.proactive),
    Part("quiet", Size(0.5, 11.0, 0.3), _quiet, headlines.quiet),
    Part("latency", Size(1.0, 7.0, 0.15), _latency, headlines.latency),
    Part("asr", Size(0.5, 5.0, 0.2), _asr, headlines.asr),
    Part("peers", Size(4.0, 30.0, 0.1), _peers, headlines.peers),
    Part("events", Size(1.0, 14.0, 0.2), _events, headlines.events),
    Part("duplex", Size(0.5, 6.0, 0.15), _duplex, headlines.duplex),
    Part("tasks", Size(2.0, 22.0, 0.2), _tasks, headlines.tasks),
    Part("acts", Size(5.0, 3.0, 0.15), _acts, headlines.acts),
    Part("watch", Size(1.0, 8.0, 0.1), _watch, headlines.watch),
    Part("retention", Size(1.0, 20.0, 0.2), _retention, headlines.retention),
    Part("review", Size(0.5, 12.0, 0.2), _review, headlines.review),
    Part("needle", Size(1.0, 16.0, 0.2), _needle, headlines.needle),
    Part("understand", Size(0.5, 6.0, 0.15), _understand, headlines.understand),
    Part("mini", Size(0.5, 4.0, 0.15), _mini, headlines.mini),
    Part("capacity", Size(0.5, 1.5, 0.3), _capacity, headlines.capacity),
    Part("cost", Size(0.5, 6.0, 0.25), _cost, headlines.nothing),
)


def named(names: str) -> tuple[Part, ...]:
    """The parts of a comma-separated list, in the order of the suite. ConfigError for one that is not there."""
    wanted = set(listed(names))
    known = [p.name for p in PARTS]
    if not wanted or wanted - set(known):
        raise ConfigError(f"--only: expected some of {', '.join(known)}, got {names!r}")
    return tuple(p for p in PARTS if p.name in wanted)
