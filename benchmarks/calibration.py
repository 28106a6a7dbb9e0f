"""Whether the published probabilities mean what they say, and what the dial does; scores rows, hears nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import quiet
from benchmarks.instances import Row as Instance
from benchmarks.proactive import headline, outcomes, window
from benchmarks.task_marks import wanted
from soundflow.clock import chunk_of, samples
from soundflow.decide.policy import dial
from soundflow.errors import ConfigError
from soundflow.scoring import calibration_error, recalls, refired

MASS_BINS: Final = 15
WIDTH_BINS: Final = 10
DELAY_S: Final = 0.18
"""Middle of the 120 to 240 ms after the evidence's end at which a response is due (DESIGN.md section 6)."""
LIKELY: Final = 0.05
"""Chunks of at least this p are also told apart: those below are nearly all of a stream, and easy."""
DIALS: Final = tuple(round(0.05 * k, 2) for k in range(21))
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Points:
    """p [n], right [n] of 0 and 1 (a response was right), source [n] (a number for each recording)."""

    p: Array
    right: Array
    source: NDArray[np.int64]

    def only(self, kept: NDArray[np.bool_]) -> Points:
        return Points(self.p[kept], self.right[kept], self.source[kept])


def plain_chunks(row: Instance) -> list[tuple[float, int]]:
    """(p(speak) + p(act), whether a response is right) of the chunks of a row whose right decision is plain.

    As `training.calibrate` takes them: where nothing is wanted every chunk, with 0; before a wanted response each chunk
    up to the one before the onset, with 0, and the chunk in which it is due (evidence end + 180 ms), with 1. Chunks
    between the onset and the due one are left out (either decision is fine), and all behind it. Where the system has
    answered in its window before the response was due, the chunk of the answer stands for the due one: what is
    published once it has been said is about something else. Rows of errors and of context have none.
    """
    if row.get("error") or row["item"]["respond"] not in ("yes", "no"):
        return []
    p = [s + a for s, a in zip(row["p_speak"], row["p_act"], strict=True)]
    if row["item"]["respond"] == "no":
        return [(x, 0) for x in p]
    first, last = window(row)
    due = min(chunk_of(row["evidence_end"] + samples(DELAY_S), row["chunk"]), last)
    answered = [k for k in range(first, due) if row["decisions"][k] != "s"]
    return [(x, 0) for x in p[:first]] + [(p[(answered or [due])[0]], 1)]


def dialogue_chunks(row: Instance) -> list[tuple[float, int]]:
    """The same for a dialogue of `bench tasks`: the chunks before the first wanted response may come, and the one in
    which it is due.

    An answer to speech is due where the words channel closes the turn, a chunk or two behind the label's due chunk.
    """
    if row.get("error"):
        return []
    p = [s + a for s, a in zip(row["p_speak"], row["p_act"], strict=True)]
    wants = list(zip(wanted(row["item"]), row["item"]["facts"]["responses"], strict=True))
    if not wants:
        return [(x, 0) for x in p]
    want, response = min(wants, key=lambda pair: pair[0].first)
    last = min(want.last, len(p) - 1)
    closed = [chunk_of(samples(t["t"]), row["chunk"]) - 1 for t in row["transcripts"]]
    heard = [k for k in closed if response["clock"] == "endpoint" and want.first <= k <= last]
    due = min((heard or [int(response["due_chunk"])])[0], last)
    answered = [k for k in range(want.first, due) if row["decisions"][k] != "s"]
    return [(x, 0) for x in p[: want.first]] + [(p[(answered or [due])[0]], 1)]


def points(rows: Sequence[Instance], taken: Callable[[Instance], list[tuple[float, int]]] = plain_chunks) -> Points:
    """All chunks that `taken` takes of `rows`."""
    p, right, source = list[float](), list[int](), list[int]()
    names: dict[str, int] = {}
    for row in rows:
        number = names.setdefault(row["item"]["source"], len(names))
        for value, good in taken(row):
            p.append(value)
            right.append(good)
            source.append(number)
    return Points(np.array(p), np.array(right, dtype=float), np.array(source, dtype=np.int64))


def streams(rows: Sequence[Instance]) -> Points:
    """One point a stream: the highest p in its window (`proactive.outcome`), and whether a response was wanted."""
    mine = [r for r in rows if not r.get("error") and r["item"]["respond"] in ("yes", "no")]
    found = outcomes(mine)
    names = {s: k for k, s in enumerate(dict.fromkeys(o.source for o in found))}
    p, right = [o.score for o in found], [float(o.respond) for o in found]
    return Points(np.array(p), np.array(right), np.array([names[o.source] for o in found], dtype=np.int64))


def width_error(p: Array, right: Array, bins: int = WIDTH_BINS) -> float:
    """Expected calibration error with bins of equal width (Naeini et al. 2015; Guo et al. 2017, arXiv 1706.04599)."""
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    gaps = np.abs(np.bincount(place, p, bins) - np.bincount(place, right, bins))
    return float(gaps.sum() / max(1, counts.sum()))


def reliability(found: Points, bins: int = WIDTH_BINS) -> list[dict[str, float]]:
    """Bins of equal width that hold something: mean p, share right, number."""
    place = np.minimum((found.p * bins).astype(np.int64), bins - 1)
    made = []
    for k in np.unique(place):
        own = place == k
        made.append(
            {
                "from": round(float(k) / bins, 3),
                "p": round(float(found.p[own].mean()), 4),
                "right": round(float(found.right[own].mean()), 4),
                "count": int(own.sum()),
            }
        )
    return made


def errors(found: Points, draws: int = 300, seed: int = 0) -> dict[str, Any]:
    """Both errors with 95 % bootstrap intervals over sources, and the reliability diagram's points.

    Equal-mass bins (Nguyen and O'Connor 2015) put most of their bins where most p are, near 0; equal-width bins show
    the middle of the scale. Both are given, as each hides what the other shows. A bootstrap sample has a somewhat
    higher error than its origin, as bins get noisier: the interval errs upwards.
    """
    if not len(found.p):
        return {}
    order = np.argsort(found.source, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(found.source[order])) + 1)
    rng = np.random.default_rng(seed)
    kinds: Mapping[str, Callable[[Array, Array], float]] = {
        "equal_mass": lambda p, right: calibration_error(p, right, MASS_BINS),
        "equal_width": width_error,
    }
    drawn: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(draws):
        picked = np.concatenate([parts[k] for k in rng.integers(len(parts), size=len(parts))])
        for name, error in kinds.items():
            drawn[name].append(error(found.p[picked], found.right[picked]))
    body: dict[str, Any] = {
        "points": len(found.p),
        "sources": len(parts),
        "right": round(float(found.right.mean()), 4),
        "mean_p": round(float(found.p.mean()), 4),
        "bins": {"equal_mass": MASS_BINS, "equal_width": WIDTH_BINS},
        "reliability": reliability(found),
    }
    for name, error in kinds.items():
        low, high = np.percentile(drawn[name], [2.5, 97.5])
        body[name] = [round(float(x), 4) for x in (error(found.p, found.right), low, high)]
    return body


def dial_curve(
    events: Sequence[Instance], still: Sequence[Instance], threshold: float, answer: float = 0.0
) -> list[dict[str, Any]]:
    """The proactivity dial 0 to 1: threshold (None: never), respond-recall, silent-recall, false alarms an hour.

    `threshold` is the speak threshold of the dial's middle, `answer` as in `quiet.alarms_at`. The rows are fired anew
    at each threshold (`quiet.alarms_at`, `scoring.refired`): what would have been said then is not in the context of
    what was heard after it. Rows that were heard without answering (`--proactivity 0`) are exact up to each stream's
    first response; in rows of the default dial every p behind an answer is too low, and with it the recall of high
    thresholds.
    """
    scored = outcomes([r for r in events if headline(r)])
    calm = [r for r in still if r["item"]["respond"] == "no"]
    hours = sum(r["item"]["seconds"] for r in calm) / 3600
    made = []
    for at in DIALS:
        cut = dial(threshold, at)
        respond, silent = recalls(refired(scored, cut))
        alarms = sum(quiet.alarms_at(r, cut, answer) for r in calm) / hours if hours else math.nan
        point = {"dial": at, "threshold": None if math.isinf(cut) else round(cut, 5)}
        shares = {"respond_recall": respond, "silent_recall": silent, "false_alarms_hour": alarms}
        made.append(point | {k: None if math.isnan(v) else round(v, 4) for k, v in shares.items()})
    return made


def score(
    events: Sequence[Instance],
    still: Sequence[Instance],
    tasks: Sequence[Instance],
    threshold: float,
    system: str = "nano",
    draws: int = 300,
    answer: float = 0.0,
) -> dict[str, Any]:
    """Errors by chunk, by likely chunk and by stream, and the dial's curve, of one system.

    By chunk: plain chunks of single events (all groups) and of quiet streams, and of the dialogues of `tasks` if there
    are any. By stream: single events of the headline, for each SNR, which are to a third sounds to answer: in a home
    they are rarer, and a share of right answers by stream is of this mixture.

    Raises:
        ConfigError: no rows of the system.
    """
    mine = [[r for r in rows if r["system"] == system] for rows in (events, still, tasks)]
    if not mine[0] or not mine[1]:
        raise ConfigError(
            f"calibration: expected rows of {system} in --proactive and in --quiet, "
            f"got {len(mine[0])} and {len(mine[1])}"
        )
    heard = points([*mine[0], *mine[1]])
    parts = {
        "chunk": heard,
        "likely chunk": heard.only(heard.p >= LIKELY),
        "dialogue chunk": points(mine[2], dialogue_chunks),
    }
    for snr in _snrs(mine[0]):
        here = [r for r in mine[0] if headline(r) and r["item"]["facts"]["snr"] == snr]
        parts[f"stream, {snr:g} dB"] = streams(here)
    body: dict[str, Any] = {name: errors(part, draws) for name, part in parts.items() if len(part.p)}
    curves = {f"{snr:g}": [r for r in mine[0] if r["item"]["facts"]["snr"] == snr] for snr in _snrs(mine[0])}
    body["dial"] = {snr: dial_curve(rows, mine[1], threshold, answer) for snr, rows in curves.items()}
    return body


def _snrs(rows: Sequence[Instance]) -> list[float]:
    return sorted({float(r["item"]["facts"]["snr"]) for r in rows}, reverse=True)
