"""Rows of `bench asr` -> word errors, delays, lagging and stability, by data set and system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.instances import Row
from benchmarks.words.errors import Counts, character_errors, draws_of, mean, normalised, rate, ratio, word_errors
from benchmarks.words.growth import Followed, by_character, folded, follow, units
from benchmarks.words.lag import average_lagging, done_ms, heard_ms, length_adaptive, stream_laal
from benchmarks.words.plan import LONG, WHOLE
from soundflow import SAMPLE_RATE_HZ
from soundflow.scoring import Interval

MS = 1000 / SAMPLE_RATE_HZ


def score(rows: Sequence[Row], seed: int = 0, draws: int = 2_000) -> dict[str, Any]:
    """Group ("all" of the single recordings, each data set, "long-form") -> system -> figures.

    Every item counts in every figure: one that failed has all its reference words wrong; one without a word
    lags as if its first word came at the end of the stream, a failed one at that of the longest stream of the group.
    Intervals: 95 % bootstrap over items.

    - wer, cer: `errors.word_errors`, `character_errors`. against_whole: errors over those of the same recogniser given
      each recording whole. word_delay_ms: from a word's end, by the system's own reckoning, until it was told.
    - al, laal (s; both clocks): `lag`, with the delay until a word was told (named stable or final). shown (s, audio):
      LAAL until a word stood as it stayed, which is knowable only afterwards. Long-form: StreamLAAL in place of LAAL.
    - upwr: words taken back / words of the final hypotheses; upsr: revisions / recordings (Shangguan et al. 2020).
      broken: words that had been named stable and changed.
    - rtf: time of all pushes / audio. cpu: processor seconds / audio, where the system is in this process.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        name = row["item"]["group"]
        groups.setdefault(name, []).append(row)
        if name != LONG:
            groups.setdefault("all", []).append(row)
    order = sorted(groups, key=lambda g: (g == LONG, g != "all", g))
    return {name: _group(groups[name], seed, draws) for name in order}


def _group(rows: Sequence[Row], seed: int, draws: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    by_system = {
        s: sorted((r for r in rows if r["system"] == s), key=lambda r: r["id"])
        for s in dict.fromkeys(r["system"] for r in rows)
    }
    errors = {s: _errors(mine, word_errors) for s, mine in by_system.items()}
    for system, mine in by_system.items():
        drawn = draws_of(len(mine), seed, draws)
        body: dict[str, Any] = {
            "clips": len(mine),
            "failed": sum(bool(r.get("error")) for r in mine),
            "words": int(errors[system][:, 1].sum()),
            "wer": rounded(rate(errors[system], drawn)),
            "cer": rounded(rate(_errors(mine, character_errors), drawn)),
        }
        if system != WHOLE:
            if WHOLE in errors and len(errors[WHOLE]) == len(mine):
                body["against_whole"] = rounded(ratio(errors[system], errors[WHOLE], drawn))
            body |= timing(mine, drawn)
        found[system] = body
    return found


def _errors(rows: Sequence[Row], count: Any) -> Counts:
    found = []
    for row in rows:
        facts = row["item"]["facts"]
        found.append(count(facts["text"], text_of(row), facts["language"]))
    return np.array(found, dtype=np.float64)


def text_of(row: Row) -> str:
    """What a system said in the end; nothing where it failed."""
    if row.get("error"):
        return ""
    return str(row["text"]) if "text" in row else follow(row["said"]).text


def timing(rows: Sequence[Row], drawn: Any) -> dict[str, Any]:
    """Lagging on both clocks, word delay, stability, cost."""
    longest = max(max(row.get("samples", 0) / SAMPLE_RATE_HZ, float(row["item"]["seconds"])) for row in rows)
    clips = [lags(row, longest) for row in rows]
    known = [f for f, _ in clips if f is not None]
    delays = [d for row in rows for d in word_delays(row)]
    words = sum(len(f.words) for f in known)
    utterances = sum(max(1, len(row["item"]["parts"])) for row in rows)
    audio = sum(row.get("samples", 0) for row in rows) / SAMPLE_RATE_HZ
    measures = {name: rounded(mean([lag[name] for _, lag in clips], drawn)) for name in clips[0][1]}
    return {
        **measures,
        "no_words": sum(f is None or not f.words for f, _ in clips),
        "word_delay_ms": {"median": _percentile(delays, 50), "p90": _percentile(delays, 90)},
        "upwr": round(sum(f.unstable for f in known) / max(words, 1), 4),
        "upsr": round(sum(f.revisions for f in known) / max(utterances, 1), 4),
        "broken": sum(f.broken for f in known),
        "rtf": round(sum(sum(row.get("step_ms", ())) for row in rows) / 1000 / audio, 4) if audio else None,
        "cpu": round(sum(row.get("cpu_s", 0.0) for row in rows) / audio, 4) if audio else None,
    }


def lags(row: Row, longest_s: float) -> tuple[Followed | None, dict[str, float]]:
    """What came out, and its lagging in s: al, laal (audio clock), al_compute, laal_compute, shown.

    Delays run from the first sample of the recording; nothing comes before it. A failed row has `longest_s`.
    """
    if row.get("error"):
        names = ("laal", "laal_compute", "shown") + (() if row["item"]["group"] == LONG else ("al", "al_compute"))
        return None, dict.fromkeys(names, longest_s)
    characters = by_character(row["item"]["facts"].get("target") or row["item"]["facts"]["language"])
    out = follow(row["said"], characters)
    heard = heard_ms(row["chunk"], row["samples"], len(row["step_ms"]) - 1)
    done = done_ms(heard, row["step_ms"])
    origin, source = row["origin"] * MS, row["source"] * MS
    told = [max(0.0, heard[k] - origin) for k in out.told] or [heard[-1] - origin]
    watch = [max(0.0, done[k] - origin) for k in out.told] or [done[-1] - origin]
    shown = [max(0.0, heard[k] - origin) for k in out.shown] or [heard[-1] - origin]
    target = max(1, len(units(row["item"]["facts"]["text"], characters)))
    if row["item"]["group"] != LONG:
        return out, _measures(told, watch, shown, source, target)
    return out, _streams(row["item"], row["places"], out, {"": told, "_compute": watch, "shown": shown}, heard[-1])


def _measures(
    told: Sequence[float], watch: Sequence[float], shown: Sequence[float], source: float, target: int
) -> dict[str, float]:
    return {
        "al": average_lagging(told, source, target) / 1000,
        "al_compute": average_lagging(watch, source, target) / 1000,
        "laal": length_adaptive(told, source, target) / 1000,
        "laal_compute": length_adaptive(watch, source, target) / 1000,
        "shown": length_adaptive(shown, source, target) / 1000,
    }


def _streams(
    item: Mapping[str, Any],
    places: Sequence[Sequence[int]],
    out: Followed,
    delays: Mapping[str, Sequence[float]],
    end: float,
) -> dict[str, float]:
    """StreamLAAL for `laal`; AL is not defined on a stream of many recordings."""
    characters = by_character(item["facts"]["language"])
    reference = [[folded(w) for w in units(t, characters)] for t in item["facts"]["texts"]]
    said = [folded(w) for w in out.words]
    origin = places[0][0]
    spans = [((start - origin) * MS, size * MS) for start, size in places]

    def measure(name: str) -> float:
        times = delays[name] if said else []
        return stream_laal(reference, said, times, spans, end - origin * MS) / 1000

    return {"laal": measure(""), "laal_compute": measure("_compute"), "shown": measure("shown")}


def word_delays(row: Row) -> list[float]:
    """ms from the end of each word, as the system itself places it, to the audio at whose end it was told."""
    if row.get("error") or "said" not in row:
        return []
    out = follow(row["said"])
    heard = heard_ms(row["chunk"], row["samples"], len(row["step_ms"]) - 1)
    return [float(heard[k]) - end * 1000 for k, end in zip(out.told, out.ends, strict=True) if end is not None]


def worst(rows: Sequence[Row], count: int = 3) -> list[dict[str, Any]]:
    """The recordings with most errors of each system: reference and what was said, normalised, for a reader."""
    found = []
    for row in rows:
        facts = row["item"]["facts"]
        wrong, words = word_errors(facts["text"], text_of(row), facts["language"])
        shown = {"wanted": normalised(facts["text"], facts["language"])[:300]}
        shown |= {"said": row.get("error") or normalised(text_of(row), facts["language"])[:300]}
        found.append({"system": row["system"], "id": row["id"], "errors": wrong, "words": words} | shown)
    found.sort(key=lambda f: (-f["errors"], f["id"], f["system"]))
    systems = dict.fromkeys(f["system"] for f in found)
    return [f for s in systems for f in [g for g in found if g["system"] == s and g["errors"]][:count]]


def _percentile(values: Sequence[float], at: float) -> float | None:
    return round(float(np.percentile(values, at)), 1) if len(values) else None


def rounded(interval: Interval) -> list[float | None]:
    """Value, low and high; None for nan."""
    values = (interval.value, interval.low, interval.high)
    return [None if np.isnan(v) else round(float(v), 4) for v in values]
