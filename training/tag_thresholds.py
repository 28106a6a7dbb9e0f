"""From which probability on a model's sounds count, and speech is believed, fitted on held-out streams with labels.

on, off: the pair of the grid with the highest event F1 (Mesaros, Heittola and Virtanen 2016, Applied Sciences 6:162) of
what `soundflow.perceive.tags.SoundEvents` tells: onset and offset within COLLAR of the true ones, or the offset within
a fifth of the sound's length. It is counted over all events (micro): so do false ones of a class that never came, and
a class of two events does not move it much. Floor of speech: balanced accuracy over the segments of voice activity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from soundflow.clock import samples
from soundflow.errors import DataError
from soundflow.perceive.labels import SPEECH
from soundflow.perceive.tags import SoundEvents, SoundEventsConfig, TagCalibration
from soundflow.perceive.thresholds import Thresholds
from soundflow.scoring import Outcome, balanced_accuracy, best_threshold, refired
from soundflow.types import FloatArray
from training.features import Features
from training.tag_groups import columns

ON: Final = tuple(float(x) for x in np.arange(-4.0, 2.75, 0.25))
OFF: Final = (0.0, 0.5, 1.0, 2.0, 3.0)
"""Log-odds of `on`, and how far below it `off` lies: evenly, whatever the scale."""
COLLAR, SHARE = samples(0.8), 0.2
KEPT: Final = 0.98
"""Share of the segments with speech that the floor leaves, whatever else it lets through: words that are lost cannot be
asked for again, those of a crowd are mostly dropped later."""
LEAST: Final = 10
"""Segments of either kind that a floor is fitted on."""
MOST: Final = 1000
"""Streams of a fit, evenly taken of all."""

Span = tuple[int, int]
Item = tuple[Mapping[str, Any], Features]


@dataclass(frozen=True, slots=True)
class Fit:
    """Thresholds, and what they give on the streams of the fit. `before`: F1 of those of nano, `after`: of these.

    `speech`: segments with and without speech; `accuracy`: of the floor, None where there were too few to fit it.
    """

    thresholds: Thresholds
    before: float
    after: float
    events: int
    speech: tuple[int, int]
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Stream:
    """p [T,L] calibrated, `peak` the highest of a tag that is judged; `truth`: spans of each class, in samples and in
    order."""

    p: FloatArray
    peak: float
    chunk_samples: int
    truth: Mapping[str, list[Span]]


def fit(items: Sequence[Item], labels: Sequence[str], calibration: TagCalibration, words: bool = True) -> Fit:
    """Thresholds of a model whose scores are in cached streams.

    Args:
        labels: of the scores.
        calibration: of the scores, whose own thresholds do not count.
        words: whether the model has a words channel; without one its floor stays as it is.

    DataError where no stream holds an event of a class that the model knows.
    """
    items = items[:: -(-len(items) // MOST)]
    known = columns(labels)
    streams = [spans(s, f, known, calibration(f.tags.astype(np.float32))) for s, f in items]
    count = sum(len(spans) for s in streams for spans in s.truth.values())
    if not count:
        raise DataError(f"held-out streams with events of {', '.join([*known][:3])} ... were expected, none found")
    plain = Thresholds()
    on, off, after = best_events(streams, labels, known)
    before = event_f1(streams, labels, known, plain.on, plain.off)
    segments = [o for sample, features in items for o in speech_segments(sample, features, labels)] if words else []
    spoken = sum(o.respond for o in segments)
    both, accuracy = (spoken, len(segments) - spoken), None
    found = replace(plain, on=on, off=off)
    if min(both) >= LEAST:
        found = replace(found, speech_floor=best_floor(segments))
        accuracy = balanced_accuracy(refired(segments, found.speech_floor))
    return Fit(found, before, after, count, both, accuracy)


def best_events(
    streams: Sequence[Stream], labels: Sequence[str], known: Mapping[str, Sequence[int]]
) -> tuple[float, float, float]:
    """on and off of the highest F1, and that; of several `on` the middle one, then of its `off` likewise."""
    pairs = [[(_p(on), _p(on - below)) for below in OFF] for on in ON]
    table = np.array([[event_f1(streams, labels, known, *pair) for pair in row] for row in pairs])
    top = table >= table.max() - 1e-12
    row = _middle(np.flatnonzero(top.any(1)))
    return *pairs[row][_middle(np.flatnonzero(top[row]))], float(table.max())


def event_f1(
    streams: Sequence[Stream], labels: Sequence[str], known: Mapping[str, Sequence[int]], on: float, off: float
) -> float:
    """F1, 2 tp / (told + true), of the events of all classes that are known; other sounds are not judged."""
    group = {labels[i]: name for name, places in known.items() for i in places}
    right = every = 0
    for stream in streams:
        told: dict[str, list[Span]] = {name: [] for name in known}
        if stream.peak >= on:
            events = SoundEvents(labels, stream.chunk_samples, SoundEventsConfig(on=on, off=off))
            state = events.init_state()
            found = [sound for chunk, p in enumerate(stream.p) for sound in events.step(p, chunk, state)]
            for sound in [*found, *events.flush(len(stream.p) * stream.chunk_samples, state)]:
                if sound.offset is not None and sound.label in group:
                    told[group[sound.label]].append((sound.onset, sound.offset))
        for name in known:
            true, ours = stream.truth[name], _merged(told[name])
            right, every = right + hits(true, ours), every + len(true) + len(ours)
    return 2 * right / max(every, 1)


def hits(true: Sequence[Span], told: Sequence[Span]) -> int:
    """How many true spans have a told one of their own, of spans that are in order and do not overlap."""
    found = at = 0
    for onset, offset in true:
        most = max(COLLAR, SHARE * (offset - onset))
        for place in range(at, len(told)):
            if abs(told[place][0] - onset) <= COLLAR and abs(told[place][1] - offset) <= most:
                found, at = found + 1, place + 1
                break
    return found


def speech_segments(sample: Mapping[str, Any], features: Features, labels: Sequence[str]) -> list[Outcome]:
    """Every segment of voice activity with its mean score of speech, as the words channel takes it; to `respond` to is
    one during which somebody speaks."""
    places = [i for i, label in enumerate(labels) if label in SPEECH]
    scores = features.tags[:, places].astype(np.float64).max(1, initial=0.0)
    found = []
    for (onset, offset), stop in zip(features.segments, features.stop_chunks, strict=True):
        last = stop if stop >= 0 else features.chunks - 1
        heard = scores[onset // features.chunk_samples : last + 1]
        if len(heard):
            spoken = any(item["onset"] < offset and item["offset"] > onset for item in sample["speech"])
            kind = "speech" if spoken else "other"
            found.append(Outcome(spoken, False, float(heard.mean()), kind, str(sample["id"])))
    return found


def best_floor(segments: Sequence[Outcome]) -> float:
    """Floor of the highest balanced accuracy, or as much lower as KEPT asks."""
    spoken = [o.score for o in segments if o.respond]
    return round(float(np.clip(min(best_threshold(segments), np.quantile(spoken, 1 - KEPT)), 0.0, 1.0)), 4)


def spans(sample: Mapping[str, Any], features: Features, known: Mapping[str, Sequence[int]], p: FloatArray) -> Stream:
    """One stream with probabilities p [T,L], and where the events of the `known` classes are in it."""
    end = features.chunks * features.chunk_samples
    truth: dict[str, list[Span]] = {name: [] for name in known}
    for event in sample["events"]:
        onset, offset = int(event["onset"]), min(int(event["offset"]), end)
        if event["label"] in truth and onset < offset:
            truth[event["label"]].append((onset, offset))
    peak = float(p[:, [i for places in known.values() for i in places]].max(initial=0.0))
    return Stream(p, peak, features.chunk_samples, {name: _merged(found) for name, found in truth.items()})


def _merged(spans: Sequence[Span]) -> list[Span]:
    """In order, and one where they touch."""
    found: list[Span] = []
    for onset, offset in sorted(spans):
        if found and onset <= found[-1][1]:
            found[-1] = found[-1][0], max(offset, found[-1][1])
        else:
            found.append((onset, offset))
    return found


def _p(log_odds: float) -> float:
    return round(1.0 / (1.0 + math.exp(-log_odds)), 4)


def _middle(places: Sequence[int] | np.ndarray) -> int:
    return int(places[len(places) // 2])
