"""Event and segment counts, merging, delays: by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.sounds import counts
from benchmarks.sounds.counts import Collar, Span, alarms, event_counts, merged, overlapping, segment_counts
from benchmarks.sounds.delays import delays, figures_of, lateness

DCASE = Collar(0.2, 0.2)


def test_onset_within_the_collar_and_offset_within_a_fifth_of_the_length() -> None:
    true = Span(1.0, 6.0)
    assert DCASE.fits(true, Span(1.2, 7.0))  # 0.2 s late, and 1.0 s is a fifth of 5 s
    assert not DCASE.fits(true, Span(1.201, 6.0))
    assert not DCASE.fits(true, Span(1.0, 7.01))
    short = Span(0.4, 0.6)
    assert DCASE.fits(short, Span(0.6, 0.8))  # in floating point 0.6 - 0.4 > 0.2
    assert not DCASE.fits(short, Span(0.4, 0.81))
    assert Collar(0.2, offset=False).fits(short, Span(0.4, 9.0))


def test_matching_is_the_largest_there_is() -> None:
    """A greedy pairing in order gives the told event at 1.1 to the truth at 1.0 and leaves the one at 1.25 alone."""
    true = [Span(1.0, 2.0), Span(1.25, 2.0)]
    told = [Span(1.1, 2.0), Span(0.85, 2.0)]
    assert counts.matched(true, told, DCASE) == [(0, 1), (1, 0)]
    assert event_counts(true, told, DCASE) == (2, 2, 2)
    assert event_counts(true, told[:1] * 3, DCASE) == (2, 2, 3)


def test_a_told_event_serves_one_true_event() -> None:
    assert event_counts([Span(1.0, 2.0), Span(1.1, 2.1)], [Span(1.05, 2.05)], DCASE) == (1, 2, 1)
    assert event_counts([Span(1.0, 2.0)], [Span(1.0, 2.0), Span(1.1, 2.0)], DCASE) == (1, 1, 2)
    assert event_counts([], [Span(0.0, 1.0)], DCASE) == (0, 0, 1)


def test_segments_are_touched_not_filled() -> None:
    """True 0.9 to 2.0 s is in seconds 0 and 1; told 2.0 to 3.1 s in 2 and 3: nothing in common."""
    assert segment_counts([Span(0.9, 2.0)], [Span(2.0, 3.1)], 5.0) == (0, 2, 2)
    assert segment_counts([Span(0.9, 2.1)], [Span(2.0, 9.0)], 4.2) == (1, 3, 3)  # the stream has five seconds
    assert len(counts.segments([], 4.2)) == 5
    assert len(counts.segments([], 4.0)) == 4


def test_f1_is_twice_the_hits_over_both() -> None:
    f1 = counts.f1(np.array([2.0, 0.0, 0.0]), np.array([4.0, 0.0, 3.0]), np.array([3.0, 0.0, 0.0]))
    assert f1[0] == pytest.approx(4 / 7)
    assert np.isnan(f1[1])
    assert f1[2] == 0.0


def test_tags_of_one_class_are_one_event_told_when_the_first_was() -> None:
    """Dog from 1 to 2 s, told at 1.6; bark from 1.6 to 3, told at 2; howl touches; another bark is apart."""
    found = merged([Span(4.0, 5.0, 4.4), Span(1.6, 3.0, 2.0), Span(1.0, 2.0, 1.6), Span(3.0, 3.2, 3.6)])
    assert [(s.onset, s.offset, s.t) for s in found] == [(1.0, 3.2, 1.6), (4.0, 5.0, 4.4)]


def test_pairs_share_time_and_false_alarms_share_none() -> None:
    true, told = [Span(5.0, 6.0), Span(1.0, 2.0)], [Span(1.5, 1.6), Span(0.0, 1.0), Span(1.9, 5.5)]
    assert overlapping(true, told) == [(1, 0), (0, 2)]
    assert alarms(true, told) == 1


def test_lateness_queues_as_at_a_microphone() -> None:
    """Steps of 100, 900 and 100 ms in chunks of 400: done at 0.5, 1.7 and 1.8 s, chunks end at 0.4, 0.8 and 1.2."""
    assert lateness([100.0, 900.0, 100.0], 6400) == pytest.approx([0.1, 0.9, 0.6])


def test_delay_on_both_clocks() -> None:
    truth = {"dog": [Span(0.5, 1.5), Span(9.0, 9.5)], "cat": [Span(0.1, 0.4)]}
    told = {"dog": [Span(0.4, 1.6, 1.2)], "cat": []}
    (only,) = delays(truth, told, [100.0, 900.0, 100.0], 6400)
    assert (only.audio_s, only.onset_s) == pytest.approx((0.7, -0.1))
    assert only.compute_s == pytest.approx(0.7 + 0.6)
    figures = figures_of([only], 3)
    assert figures["told_share"] == pytest.approx(0.3333)
    assert figures["audio_s"] == {"median": 0.7, "p90": 0.7}
    assert figures_of([], 3)["audio_s"] == {"median": None, "p90": None}
