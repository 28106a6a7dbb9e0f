"""Retention, history review and needles from plan to report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks import instances, runs
from benchmarks.compose import Item
from benchmarks.corpus import Row, read_index
from benchmarks.instances import Row as Instance
from benchmarks.report import Picture
from benchmarks.runs import Options, Result
from benchmarks.stream import events, heard, kept, needle, probes, questions, review, shown
from benchmarks.stream.voices import voiced
from benchmarks.stream.words import sentences
from soundflow.errors import ConfigError

BOTH: Final = ("events", "questions")
SAID: Final = "sentences"  # folder under --out


def run_retention(
    o: Options,
    rounds: Sequence[int] = events.ROUNDS,
    streams: int = 12,
    gaps: Sequence[str] = events.GAPS,
    what: Sequence[str] = BOTH,
    spoken: Path | None = None,
) -> Result:
    """Sounds and spoken questions at N rounds a stream against the same alone.

    A draw of max(rounds) events is heard once whole for every N: with (1, 3, 5, 10, 20) and short gaps that is some
    20 minutes of audio a draw and system, with long gaps 110; 20 questions are some 15 minutes.
    """
    if not what or set(what) - set(BOTH):
        raise ConfigError(f"expected some of {', '.join(BOTH)}, got {', '.join(what)}")
    if o.score_only:
        rows = instances.read(o.out)
    else:
        setup = runs.setup_of(o)
        index = read_index(setup.audio)
        if "rules" in setup.systems and "events" in what:
            setup = replace(setup, threshold=runs.fitted(o, index, setup, runs.RULES_PER_CLASS))
        items: list[Item] = []
        if "events" in what:
            items += events.plan(index, rounds, streams, o.seed, gaps=gaps)
        if "questions" in what:
            items += questions.plan(_voices(o, spoken), rounds, streams, o.seed)
        rows = runs.heard("retention", o, items, setup, heard.hear, rounds=list(rounds), streams=streams)
    by = {name: [r for r in rows if r["item"]["group"] == name] for name in BOTH}
    figures: dict[str, Any] = {}
    if by["events"]:
        figures["events"] = kept.score(by["events"])
    if by["questions"]:
        figures["questions"] = questions.score(by["questions"])
    pictures = []
    if rows:
        bars = "95 % bootstrap over streams; dotted: nothing lost"
        png = shown.curve(shown.kept_series(figures), "events in one stream", "kept of alone", 1.0)
        caption = "Share kept of the same events alone, by how many a stream holds"
        pictures.append(Picture("retention", f"{caption}; {bars}", png))
        png = shown.curve(shown.place_series(figures), "position in the longest streams", "kept of alone", 1.0)
        caption = "Share kept of the same events alone, by position in the stream"
        pictures.append(Picture("retention_positions", f"{caption}; {bars}", png))
    return runs.finish("retention", o, rows, figures, pictures, shown=shown.kept_tables(figures))


def run_review(o: Options, streams: int = 24, lags: Sequence[int] = review.LAGS, spoken: Path | None = None) -> Result:
    """What was told and heard 1, 3, 5 and 10 rounds ago; about 4 minutes of audio a conversation of ours."""
    rows = _asked("review", o, lambda index, o: review.plan(index, _voices(o, spoken), streams, o.seed, lags),
                  streams=streams, lags=list(lags))  # fmt: skip
    figures = review.score(rows) if rows else {}
    pictures = []
    if rows:
        caption = "Share right by how many rounds ago; 95 % intervals over conversations"
        png = shown.curve(shown.lag_series(figures), "rounds ago", "right", figures["chance"]["before"])
        pictures = [Picture("review_lags", f"{caption}; dotted: chance of a sound", png)]
    return runs.finish("review", o, rows, figures, pictures, shown=shown.review_tables(figures) if rows else ())


def run_needle(
    o: Options,
    minutes: float = 10.0,
    streams: int = 2,
    depths: Sequence[float] = needle.DEPTHS,
    spoken: Path | None = None,
) -> Result:
    """Needles in streams of `minutes`; 20 questions at five depths add about 3 minutes of audio a stream of ours."""
    rows = _asked(
        "needle",
        o,
        lambda index, o: needle.plan(index, _voices(o, spoken), minutes, streams, o.seed, depths),
        minutes=minutes,
        streams=streams,
        depths=list(depths),
    )
    figures = needle.score(rows) if rows else {}
    pictures = []
    if rows:
        caption = f"Share right by where the needle was in {figures['minutes']:g} minutes; 95 % intervals over streams"
        png = shown.curve(shown.depth_series(figures), "needle at", "right", figures["chance"]["before"])
        pictures = [Picture("needle_depths", f"{caption}; dotted: chance of a sound", png)]
    return runs.finish("needle", o, rows, figures, pictures, shown=shown.needle_tables(figures) if rows else ())


def _asked(name: str, o: Options, planned: Any, **config: Any) -> list[Instance]:
    if o.score_only:
        return instances.read(o.out)
    if "rules" in o.systems:
        raise ConfigError(f"--systems: {name} asks questions about what was heard, which rules have no answer to")
    setup = runs.setup_of(o)
    index: list[Row] = read_index(setup.audio)
    return runs.heard(name, o, planned(index, o), setup, probes.hear, **config)


def _voices(o: Options, spoken: Path | None) -> Any:
    return voiced(sentences(), o.out / SAID, spoken)
