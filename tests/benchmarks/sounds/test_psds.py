"""PSDS by hand; against sed_scores_eval in test_reference.py."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.sounds.counts import Span
from benchmarks.sounds.psds import SCENARIOS, Curve, Heard, Scenario, over_classes, psds, tally

STRICT = Scenario(0.7, 0.7, None, 0.0, 0.0, 100.0)


def heard(columns: Sequence[Sequence[float]], truth: Sequence[Sequence[Span]], seconds: float = 360.0) -> Heard:
    """Chunks of one second from 0 on; the stream lasts a tenth of an hour, so that one false positive is 10 an hour."""
    scores = np.array(columns, float).T
    return Heard(scores, np.arange(len(scores) + 1, dtype=float), truth, seconds)


def test_one_class_by_hand() -> None:
    """Truth 1 to 3 s. At 0.9 chunks 1, 2 are on: found, nothing false. At 0.5 chunk 4 is false, too.

    tpr = 1 from 0 an hour on: PSDS 1. With the scores swapped the false one comes first: tpr 0 up to 10 an hour,
    then 1: 0.9.
    """
    good = heard([[0.1, 0.9, 0.9, 0.1, 0.5]], [[Span(1.0, 3.0)]])
    assert psds(tally([good], STRICT))[0] == pytest.approx(1.0)
    swapped = heard([[0.1, 0.5, 0.5, 0.1, 0.9]], [[Span(1.0, 3.0)]])
    value, curve, _ = psds(tally([swapped], STRICT))
    assert value == pytest.approx(0.9)
    assert curve.at(np.array([0.0, 9.99, 10.0, 50.0])).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_tolerance_and_coverage() -> None:
    """A detection of 4 s over a truth of 2 s is half true: false at dtc 0.7, right at 0.5. One of 1 s covers half."""
    long = heard([[0.9, 0.9, 0.9, 0.9, 0.0]], [[Span(1.0, 3.0)]])
    assert psds(tally([long], STRICT))[0] == 0.0
    assert psds(tally([long], Scenario(0.5, 0.7, None, 0.0, 0.0)))[0] == pytest.approx(1.0)
    short = heard([[0.0, 0.9, 0.0, 0.0, 0.0]], [[Span(1.0, 3.0)]])
    assert psds(tally([short], STRICT))[0] == 0.0
    assert psds(tally([short], Scenario(0.7, 0.5, None, 0.0, 0.0)))[0] == pytest.approx(1.0)


def test_two_relevant_detections_find_one_event_together() -> None:
    """0.6 s of gap in a truth of 5 s: 4 of 5 s are covered, each piece lies inside."""
    both = heard([[0.9, 0.9, 0.1, 0.9, 0.9]], [[Span(0.0, 5.0)]])
    assert psds(tally([both], STRICT))[0] == pytest.approx(1.0)


def test_cross_triggers_cost_alpha_times_their_rate() -> None:
    """A dog told in 2 s of cat: one false positive (10 an hour) and one cross trigger in 2 s of truth of the one other
    class (1,800 an hour), half of it counts: 910. Without alpha_ct: 10.
    """
    truth = [[Span(6.0, 8.0)], [Span(1.0, 3.0)]]
    off = -np.inf  # at 0 one detection of 10 s would hold the dog, and be relevant
    dog = [off, 0.9, 0.9, off, off, off, 0.5, 0.5, off, off]
    stream = heard([dog, [off] * 10], truth)
    crossed = psds(tally([stream], Scenario(0.1, 0.1, 0.3, 0.5, 0.0, 2000.0)))[2][0]
    assert crossed.efpr[-1] == pytest.approx(10 + 0.5 * 1800)
    free = psds(tally([stream], Scenario(0.1, 0.1, None, 0.0, 0.0, 2000.0)))[2][0]
    assert free.efpr[-1] == pytest.approx(10.0)


def test_classes_are_the_mean_less_their_deviation() -> None:
    """One class with tpr 1, one with 0: mean 0.5, deviation 0.5."""
    curves = [Curve(np.array([0.0]), np.array([1.0])), Curve(np.array([0.0]), np.array([0.0]))]
    assert over_classes(curves, Scenario(0.7, 0.7, None, 0.0, 1.0)).area(100.0) == 0.0
    assert over_classes(curves, Scenario(0.7, 0.7, None, 0.0, 0.5)).area(100.0) == pytest.approx(0.25)


def test_the_area_ends_at_the_most() -> None:
    curve = Curve(np.array([0.0, 50.0, 150.0]), np.array([0.2, 0.6, 1.0]))
    assert curve.area(100.0) == pytest.approx(0.4)


def test_what_is_never_on_finds_nothing_and_its_events_stay() -> None:
    """Of a stream that failed: -inf. Its event is missed at every threshold: half of all."""
    good = heard([[0.1, 0.9, 0.9, 0.1, 0.5]], [[Span(1.0, 3.0)]])
    lost = Heard(np.full((1, 1), -np.inf), np.array([0.0, 5.0]), [[Span(1.0, 3.0)]], 360.0)
    assert psds(tally([good, lost], STRICT))[0] == pytest.approx(0.5)


def random_streams(seed: int) -> list[Heard]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(5):
        truth = []
        for _ in range(3):
            edges = np.sort(rng.uniform(0, 20, 4))
            truth.append([Span(float(edges[0]), float(edges[1])), Span(float(edges[2]), float(edges[3]))])
        scores = np.round(rng.uniform(0, 1, (20, 3)), 1)
        for c, spans in enumerate(truth):
            for s in spans:
                scores[int(s.onset) : int(s.offset) + 1, c] += 0.3
        found.append(Heard(scores, np.arange(21.0), truth, 20.0))
    return found


@pytest.mark.parametrize(
    "scenario", [Scenario(s.dtc, s.gtc, s.cttc, s.alpha_ct, 1.0, 3000.0) for s in SCENARIOS.values()]
)
def test_weights_are_streams_over_and_over(scenario: Scenario) -> None:
    streams = random_streams(3)
    weighted, *_ = psds(tally(streams, scenario), np.array([3.0, 0.0, 1.0, 0.0, 1.0]))
    again, *_ = psds(tally([streams[i] for i in (0, 0, 0, 2, 4)], scenario))
    assert weighted == pytest.approx(again, abs=1e-9)
    assert 0.0 < weighted < 1.0


def slow_psds(streams: Sequence[Heard], scenario: Scenario, levels: Sequence[float]) -> float:
    """The same by counting runs at each threshold in turn, without steps, sums or arrays of thresholds."""
    curves = []
    hours = sum(s.seconds for s in streams) / 3600
    count = len(streams[0].truth)
    for c in range(count):
        points = [(0.0, 0.0)]
        for level in levels:
            tp, fp, ct = 0, 0, [0] * count
            for s in streams:
                on = [k for k in range(len(s.scores)) if s.scores[k, c] >= level]
                runs = [k for k in on if k - 1 not in on]
                dets = []
                for k in runs:
                    end = k
                    while end in on:
                        end += 1
                    dets.append((s.edges[k], s.edges[end]))

                def inside(a: float, b: float, spans: Sequence[Span]) -> float:
                    return sum(max(0.0, min(b, x.offset) - max(a, x.onset)) for x in spans)

                right = [d for d in dets if inside(*d, s.truth[c]) >= scenario.dtc * (d[1] - d[0]) - 1e-7]
                fp += len(dets) - len(right)
                for x in s.truth[c]:
                    tp += sum(inside(*d, [x]) for d in right) >= scenario.gtc * (x.offset - x.onset) - 1e-7
                if scenario.cttc is not None:
                    for o in range(count):
                        wrong = [d for d in dets if d not in right and o != c]
                        ct[o] += sum(inside(*d, s.truth[o]) >= scenario.cttc * (d[1] - d[0]) - 1e-7 for d in wrong)
            held = [sum(x.offset - x.onset for s in streams for x in s.truth[o]) / 3600 for o in range(count)]
            rates = [ct[o] / held[o] for o in range(count) if o != c]
            true = sum(len(s.truth[c]) for s in streams)
            points.append((fp / hours + scenario.alpha_ct * float(np.mean(rates)), tp / true))
        curves.append(points)
    xs = sorted({x for points in curves for x, _ in points if x <= scenario.max_efpr})
    area = 0.0
    for x, after in zip(xs, [*xs[1:], scenario.max_efpr], strict=True):
        each = [max(y for at, y in points if at <= x + 1e-9) for points in curves]
        area += max(0.0, float(np.mean(each) - scenario.alpha_st * np.std(each))) * (after - x)
    return area / scenario.max_efpr


@pytest.mark.parametrize(
    "scenario", [Scenario(s.dtc, s.gtc, s.cttc, s.alpha_ct, 1.0, 3000.0) for s in SCENARIOS.values()]
)
def test_as_counted_one_threshold_after_the_other(scenario: Scenario) -> None:
    streams = random_streams(5)
    levels = sorted({float(x) for s in streams for x in s.scores.ravel()}, reverse=True)
    assert psds(tally(streams, scenario))[0] == pytest.approx(slow_psds(streams, scenario, levels), abs=1e-6)


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"stream 0: expected scores \[5, 2\], got \(5, 1\)"):
        tally([heard([[0.1] * 5], [[], []])], STRICT)
