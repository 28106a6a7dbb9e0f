"""The summary of `bench quick` reads the words of `bench asr`."""

from __future__ import annotations

from benchmarks.quick import summary
from benchmarks.report import Section
from benchmarks.runs import Result


def test_the_summary_has_both_error_rates() -> None:
    words = {"all": {"words": {"wer": [0.0595, 0.03, 0.09]}, "whole": {"wer": [0.0646, 0.04, 0.1]}}}
    real = {"step_ms": {"p50": 80.0, "p99": 120.0}, "deadline_misses": 0, "peak_rss_mb": 700.0}
    figures = {
        "proactive": {"20": {"nano": {}, "rules": {}}},
        "quiet": {"nano": {"false_alarms_hour": [1.0, 0.0, 3.0]}},
        "latency": {"realtime": real, "quiet": {"rtf": 0.1}},
        "asr": words,
    }
    table = summary({name: Result(body, Section(name, []), []) for name, body in figures.items()})
    ours, rules = table.rows
    assert "0.059 (0.065)" in ours or "0.060 (0.065)" in ours
    assert "-" in rules
