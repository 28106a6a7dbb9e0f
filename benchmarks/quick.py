"""The ten-minute benchmark: sixty single events, ten minutes of quiet, words, step latency; one page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks import report
from benchmarks.cost.runs import run_latency
from benchmarks.report import Section
from benchmarks.runs import Options, Result, run_proactive, run_quiet
from benchmarks.tables import Table, interval, num
from benchmarks.words.plan import OWN, WHOLE, WORDS
from benchmarks.words.run import run_asr

THIN = {
    ("event", "yes"): 3,
    ("event", "no"): 1,
    ("event", "context"): 1,
    ("ambience", "no"): 5,
    ("music", "no"): 1,
    ("speech", "no"): 2,
}
FIT_PER_CLASS = 4
QUIET_MINUTES = 10.0
CLIPS, LONGEST_S = 60, 16.0


def run_quick(o: Options) -> dict[str, Result]:
    """All four parts under `o.out`, and report.html, report.md and figures.json of all."""
    began = time.monotonic()
    results: dict[str, Result] = {}
    took: dict[str, float] = {}
    plain = replace(o, per_class=3)

    def part(name: str, make: Any, options: Options, *arguments: Any, **more: Any) -> None:
        start = time.monotonic()
        results[name] = make(replace(options, out=o.out / name), *arguments, **more)
        took[name] = round(time.monotonic() - start, 1)

    part("latency", run_latency, plain, 1.0, replies=4)
    part("proactive", run_proactive, plain, (20.0,), thin=THIN, fit=FIT_PER_CLASS)
    part("quiet", run_quiet, plain, QUIET_MINUTES)
    part("asr", run_asr, replace(plain, systems=OWN), None, CLIPS, LONGEST_S)
    sections = [Section("Summary", [summary(results)]), *(r.section for r in results.values())]
    figures = {name: r.figures for name, r in results.items()}
    about = report.facts({"seed": o.seed, "workers": o.workers}) | {"took_s": took}
    about["took_s"] = {**took, "all": round(time.monotonic() - began, 1)}
    report.write(o.out, "SoundFlow: quick benchmark", sections, figures, about)
    return results


def summary(results: dict[str, Result]) -> Table:
    """One table: ours and the baselines, a row each."""
    events = next(iter(results["proactive"].figures.values()))
    quiet, latency, words = (results[n].figures for n in ("quiet", "latency", "asr"))
    rows: list[Sequence[str]] = []
    for system, body in events.items():
        f, calm = body.get("all", {}), quiet.get(system, {})
        ours = system == "nano"
        timed = ours and "step_ms" in latency["realtime"]
        step = latency["realtime"]["step_ms"] if timed else {}
        rows.append(
            [
                *(system, interval(f.get("balanced_accuracy"), 2), interval(f.get("respond_recall"), 2)),
                *(interval(f.get("silent_recall"), 2), interval(calm.get("false_alarms_hour"), 0 if not ours else 1)),
                str(calm.get("invented_words", "-")) if ours else "-",
                f"{num(words['all'][WORDS]['wer'][0])} ({num(words['all'][WHOLE]['wer'][0])})" if ours else "-",
                f"{step['p50']:.0f} / {step['p99']:.0f}" if timed else "-",
                f"{latency['realtime']['deadline_misses']}" if timed else "-",
                num(latency["quiet"].get("rtf")) if timed else "-",
                num(latency["realtime"]["peak_rss_mb"], 0) if timed else "-",
            ]
        )
    columns = [
        *("system", "balanced\naccuracy", "respond-\nrecall", "silent-\nrecall", "false\nalarms/h", "invented\nwords"),
        *("WER\n(whole clip)", "step ms\np50 / p99", "deadlines\nmissed", "quiet\nRTF", "peak RSS\nMiB"),
    ]
    note = "Intervals 95 %. A quick look: few clips a class; the figures that count come from the long commands."
    return Table("SoundFlow quick benchmark", columns, rows, note)
