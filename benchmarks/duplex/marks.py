"""One row -> what it shows: who took the floor when, on the audio clock and with compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from benchmarks.duplex import behaviour, fdb
from benchmarks.duplex.behaviour import WANTED, Said
from benchmarks.duplex.fdb import Chunk, Span
from benchmarks.instances import Row as Instance
from benchmarks.task_content import content, numbers, says
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import seconds

Mark = dict[str, Any]
REFERENCE_S: Final = 1.0  # a listener may say "mm-hm" so long from the beginning of a gap
LEAST_GAP_S: Final = 0.2


def lateness(row: Instance) -> list[float]:
    """Seconds by which each chunk's output is behind the end of its audio, with compute.

    A chunk is worked on once it was heard and the one before is done, as at a microphone:
    done(k) = max(done(k - 1), heard(k)) + step(k), late(k) = done(k) - heard(k). SimulEval (Ma et al. 2020) calls the
    clocks non-computation-aware and computation-aware.
    """
    size, done, late = row["chunk"] / SAMPLE_RATE_HZ, 0.0, []
    for k, step in enumerate(row["step_ms"]):
        heard = (k + 1) * size
        done = max(done, heard) + step / 1000
        late.append(done - heard)
    return late


def said(row: Instance, compute: bool = False) -> list[Said]:
    """The system's voice; with `compute` each piece, and each cut, is later by the lateness of its chunk."""
    late = lateness(row) if compute else []

    def shift(sample: int) -> float:
        k = min(sample // row["chunk"], len(late)) - 1
        return seconds(sample) + (late[max(0, k)] if late else 0.0)

    found = []
    for p in row["voice"]:
        behind = shift(p["born"]) - seconds(p["born"])
        start, whole = seconds(p["start"]) + behind, seconds(p["whole"]) + behind
        end = whole if p["end"] == p["whole"] else min(whole, max(start, shift(p["end"])))
        if p["end"] <= p["start"]:
            end = start
        found.append(Said(start, end, shift(p["born"]), whole, p["text"]))
    return found


def chunks(pieces: Sequence[Said]) -> list[Chunk]:
    """The words that were heard, each given its share of the piece's time by its letters; those behind a cut are not.

    The paper aligns the output audio with a recogniser (Parakeet); here the words are known.
    """
    found = []
    for piece in pieces:
        words = piece.text.split()
        total = sum(len(w) + 1 for w in words)
        at = piece.start
        for word in words:
            long = (piece.whole - piece.start) * (len(word) + 1) / total
            if at < piece.end - 1e-6:
                found.append(Chunk(word, at, min(at + long, piece.end)))
            at += long
    return sorted(found, key=lambda c: c.start)


def segments(pieces: Sequence[Said], gap: float) -> list[Span]:
    """Stretches of the system's speech, pieces at most `gap` apart made one."""
    return fdb.merged([(p.start, p.end) for p in pieces if p.end > p.start], gap)


def mark(row: Instance, reference: Sequence[float] | None = None) -> Mark:
    """What one row shows. A row with an error has done everything wrong.

    Args:
        reference: human backchannel timing of a published sample; without it that of the composed set.
    """
    scenario = row["item"]["group"]
    if row.get("error"):
        return {"failed": True, "right": False, "takeover": scenario in ("pause", "listening"), "behaviour": "failed"}
    pieces = said(row)
    if scenario in ("pause", "listening", "turn"):
        found = {"pause": _pause, "listening": _listening, "turn": _turn}[scenario](row, pieces, reference)
    else:
        found = _overlap(row, pieces)
    return {"failed": False} | found


def _user_end(row: Instance) -> float:
    return seconds(max(end for _, end in row["user"]))


def _pause(row: Instance, pieces: Sequence[Said], reference: Sequence[float] | None) -> Mark:
    """TOR in a turn with a pause (v1, wanted: low): voice that began before the turn's end; and what came behind it."""
    end = _user_end(row)
    took = fdb.takeover(chunks([p for p in pieces if p.start < end]))
    return {"takeover": took, "right": not took, "any_voice": any(p.start < end for p in pieces)} | _answer(row, pieces)


def _answer(row: Instance, pieces: Sequence[Said]) -> Mark:
    """Behind the user's last word: turn taken, latency on both clocks, and what was answered."""
    end = _user_end(row)
    after = [p for p in pieces if p.start >= end]
    wait = fdb.latency(chunks(after), end)
    compute = [p for p in said(row, True) if p.start >= end]
    return {
        "answered": wait is not None,
        "latency_s": wait,
        "latency_compute_s": fdb.latency(chunks(compute), end) if wait is not None else None,
    } | _content(row, after)


def _content(row: Instance, pieces: Sequence[Said]) -> Mark:
    """Relevance of an answer by rule; the paper asks GPT-4o for 0 to 5.

    On topic: a content stem or number in common with the question or its reference. Correct: `task_content.says`.
    None where nothing was asked, or nothing was answered.
    """
    asked, wanted = row["item"]["facts"].get("text"), row["item"]["facts"].get("reference")
    words = " ".join(p.text for p in pieces if p.end > p.start)
    if not asked or not wanted or not words:
        return {"on_topic": None, "correct": None}
    about = content(asked) | content(wanted) | set(numbers(wanted))
    return {"on_topic": bool(about & (content(words) | set(numbers(words)))), "correct": says(words, wanted, asked)}


def _listening(row: Instance, pieces: Sequence[Said], reference: Sequence[float] | None) -> Mark:
    """The backchannel task (v1): TOR, backchannels a second, divergence of their timing, up to the speech's end."""
    end = _user_end(row)
    mine = [p for p in pieces if p.start < end]
    bins = human_like(row, end) if reference is None else reference
    found = fdb.listening(segments(mine, 0.1), chunks(mine), end, bins)
    return {
        "takeover": found.takeover,
        "any_voice": bool(segments(mine, 0.1)),
        "right": not found.takeover,
        "frequency": found.frequency,
        "divergence": found.divergence,
    }


def human_like(row: Instance, end: float) -> list[float]:
    """Where a listener could say "mm-hm": 1 s from the beginning of each gap of at least 0.2 s, in bins of 0.2 s.

    It stands in for the paper's human distribution, which is of its own recordings: compare systems, not papers. Empty
    where the speech has no such gap.
    """
    bins = [0.0] * (int(end / fdb.BIN_S) + 1)
    for start, stop in row["item"]["facts"].get("gaps", ()):
        if stop - start >= LEAST_GAP_S:
            for k in range(int(start / fdb.BIN_S), min(len(bins), int((start + REFERENCE_S) / fdb.BIN_S) + 1)):
                bins[k] += 1.0
    return bins if any(bins) else []


def _turn(row: Instance, pieces: Sequence[Said], reference: Sequence[float] | None) -> Mark:
    """Smooth turn-taking (v1): TOR and latency of all that was said; early: the turn was taken before its end."""
    end = _user_end(row)
    words = chunks(pieces)
    early = fdb.takeover(chunks([p for p in pieces if p.start < end]))
    took = fdb.takeover(words)
    return {
        "takeover": took,
        "early": early,
        "any_voice": bool(words),
        "right": took and not early,
        **_content(row, [p for p in pieces if p.start >= end]),
        "latency_s": fdb.latency(words, end),
        "latency_compute_s": fdb.latency(chunks(said(row, True)), end) if took else None,
    }


def _late_at(row: Instance, at: float) -> float:
    """Lateness of the chunk that ends at `at`, or that it lies in."""
    late = lateness(row)
    k = -(-round(at * SAMPLE_RATE_HZ) // row["chunk"]) - 1
    return late[min(max(0, k), len(late) - 1)] if late else 0.0


def _overlap(row: Instance, pieces: Sequence[Said]) -> Mark:
    """Speech over a reply. v1.5: category, stop and response latency; v1 (user interruption): TOR and latency of what
    is heard behind its end; ours: time from its onset to silence where the reply was cut (barge-in stop)."""
    over = (seconds(row["over"][0]), seconds(row["over"][1])) if row["over"] else None
    if over is None:
        return {"right": False, "takeover": False, "behaviour": "unknown", "floor": False, "stopped": False}
    user = fdb.merged([(seconds(a), seconds(b)) for a, b in row["user"]], fdb.USER_MERGE_S)
    found = behaviour.classify(pieces, over)
    wanted = WANTED[row["item"]["group"]]
    cut = behaviour.cut_at(pieces, over)
    had = behaviour.floor(pieces, over[0])
    model = segments(pieces, fdb.MODEL_MERGE_S)
    behind = [c for c in chunks(pieces) if c.start >= over[1]]
    new = [p for p in pieces if p.born > over[0] and p.end > p.start]
    return {
        "behaviour": str(found),
        "right": found is wanted,
        "floor": had,
        "stopped": had and cut is not None,
        "stop_s": cut - over[0] if had and cut is not None else None,
        "stop_compute_s": cut - over[0] + _late_at(row, cut) if had and cut is not None else None,
        "overlaps_s": [b - a for a, b in fdb.stop_intervals(user, model)],
        "responses_s": [b - a for a, b in fdb.response_intervals(user, model)],
        "any_voice": bool(new),
        "takeover": fdb.takeover(behind),
        "latency_s": fdb.latency(behind, over[1]),
    } | _content(row, new)
