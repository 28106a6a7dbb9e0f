"""Streams of N spoken questions: does the twentieth question of a stream get the answer that it gets alone?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.compose import Bed, Item, Part
from benchmarks.instances import Row as Instance
from benchmarks.plan import draw, item_seed
from benchmarks.stream.events import ALONE
from benchmarks.stream.heard import lateness
from benchmarks.stream.kept import binned, drawn, shown, weights_of
from benchmarks.stream.voices import Spoken
from benchmarks.stream.words import QUESTIONS
from benchmarks.task_content import WER, judge, wer
from benchmarks.task_marks import Said, responses
from soundflow.clock import chunk_of, samples, seconds
from soundflow.errors import ConfigError

INSTRUCTION: Final = "Answer my questions in a few words."
GAPS: Final = "spoken"
LEAD_S, PAUSE_S, TAIL_S = 1.6, 6.0, 5.2  # a reply of a few words is said in the pause
DB, BED_DB = -24.0, -58.0
LATE_S: Final = 3.0  # from the end of the question to the decision: 0.7 s to close the turn, and what `tasks` allows


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one question. `delay_s`: from its end to the end of the chunk of the decision, `late_s`: what
    compute adds to it; `heard`: the words were recognised."""

    stream: int
    question: int
    position: int
    hit: bool
    right: bool
    heard: bool = False
    delay_s: float | None = None
    late_s: float = 0.0


def plan(voices: Mapping[str, Spoken], rounds: Sequence[int], streams: int, seed: int) -> list[Item]:
    """`streams` draws of max(rounds) different questions in random order, each N cut out of them, and each alone.

    ConfigError where N is under 1 or there are not so many questions.
    """
    most = max(rounds, default=0)
    if not 1 <= most <= len(QUESTIONS) or min(rounds) < 1 or streams < 1:
        raise ConfigError(f"rounds: expected 1 to {len(QUESTIONS)} questions and a stream, got {rounds} and {streams}")
    found = []
    for k in range(streams):
        order = [int(x) for x in draw(seed, f"questions/{k}").permutation(len(QUESTIONS))[:most]]
        for n in sorted({1, *rounds}):
            for start in range(0, most - n + 1, n):
                name = f"questions/{k:03d}/{start}+{n}"
                told = [{"question": q, "event": start + j} for j, q in enumerate(order[start : start + n])]
                parts = tuple(
                    Part(voices[QUESTIONS[t["question"]].text].path, PAUSE_S if j else LEAD_S, 0.0, 15.0, DB)
                    for j, t in enumerate(told)
                )
                gaps = ALONE if n == 1 else GAPS
                facts = {"rounds": n, "gaps": gaps, "stream": k, "events": told}
                where = ("questions", f"{n} {gaps}", "yes", f"questions/{k:03d}", item_seed(seed, name))
                bed = Bed("room", BED_DB)
                found.append(Item(name, *where, parts, bed, TAIL_S, instruction=INSTRUCTION, facts=facts))
    return found


def reply_to(row: Instance, end: int) -> Said | None:
    """The decision to speak in the `LATE_S` behind sample `end` of a row, with what was said; None without one."""
    first, last = chunk_of(end, row["chunk"]), chunk_of(end + samples(LATE_S), row["chunk"])
    return next((s for s in responses(row) if s.kind == "speak" and first <= s.chunk <= last), None)


def recognised(row: Instance, span: Sequence[int], text: str) -> bool:
    """Whether what was recognised of the speech at `span` (samples) is `text` within a word error rate of 0.2."""
    first, last = seconds(span[0]) - 0.5, seconds(span[1]) + LATE_S
    said = " ".join(t["text"] for t in row["transcripts"] if first <= t["t"] <= last)
    return wer(said, text) <= WER


def answered(row: Instance) -> list[Answered]:
    """One a question of the row; a failed row has missed all of them."""
    facts = row["item"]["facts"]
    found = []
    late = lateness(row.get("step_ms") or [], row["chunk"]) if not row.get("error") else []
    for j, told in enumerate(facts["events"]):
        where = (facts["stream"], told["event"], j)
        if row.get("error"):
            found.append(Answered(*where, False, False))
            continue
        question, span = QUESTIONS[told["question"]], row["spans"][j]
        said = reply_to(row, span[1])
        heard = recognised(row, span, question.text)
        if said is None:
            found.append(Answered(*where, False, False, heard))
            continue
        right, _ = judge("says", said.text, question.answers, question.text, "", said.cut)
        delay = seconds((said.chunk + 1) * row["chunk"] - span[1])
        more = late[said.chunk] if said.chunk < len(late) else 0.0
        found.append(Answered(*where, True, right, heard, delay, more))
    return found


def score(rows: Sequence[Instance], draws: int = 2000, seed: int = 0) -> dict[str, Any]:
    """System -> "N gaps" -> share of questions answered in time, and answered right, and what is kept of N = 1.

    right = questions answered in time with the right content (`benchmarks.task_content`) over questions; retention =
    right in streams of N over right of the same questions alone. Intervals: percentile bootstrap over streams (cluster
    bootstrap, Field and Welsh 2007), N and 1 drawn together (paired, Koehn 2004).
    """
    found: dict[str, Any] = {}
    for system in dict.fromkeys(r["system"] for r in rows):
        by: dict[tuple[int, str], list[Instance]] = {}
        for r in (r for r in rows if r["system"] == system):
            by.setdefault((r["item"]["facts"]["rounds"], r["item"]["facts"]["gaps"]), []).append(r)
        every = {key: [a for r in mine for a in answered(r)] for key, mine in by.items()}
        alone = {(a.stream, a.question): a for (n, _), many in every.items() if n == 1 for a in many}
        found[system] = {}
        for (n, gaps), many in every.items():
            body = _figures(many, alone if n > 1 else {}, draws, seed)
            body["failed"] = sum(bool(r.get("error")) for r in by[n, gaps])
            found[system][f"{n} {gaps}"] = body
    return found


def _figures(
    many: Sequence[Answered], alone: Mapping[tuple[int, int], Answered], draws: int, seed: int
) -> dict[str, Any]:
    streams = sorted({a.stream for a in many})
    weights = weights_of(len(streams), draws, seed)
    waits = [(a.delay_s, a.late_s) for a in many if a.delay_s is not None]
    body: dict[str, Any] = {
        "streams": len(streams),
        "questions": len(many),
        "heard": round(sum(a.heard for a in many) / len(many), 4),
        "answered": shown(_shares(many, streams, weights, "hit")),
        "right": shown(_shares(many, streams, weights, "right")),
        "delay_s": _medians(waits),
    }
    if not alone or any((a.stream, a.question) not in alone for a in many):
        return body

    def kept(part: Sequence[Answered]) -> list[float | None]:
        same = [alone[a.stream, a.question] for a in part]
        a, b = (_shares(x, streams, weights, "right") for x in (part, same))
        return shown(np.where(b > 0, a / np.maximum(b, 1e-9), np.nan))

    body["retention"] = kept(many)
    body["by_position"] = [
        {"positions": name, "right": shown(_shares(part, streams, weights, "right")), "retention": kept(part)}
        for name, part in binned(many, lambda a: a.position)
    ]
    return body


def _shares(
    many: Sequence[Answered], streams: Sequence[int], weights: NDArray[np.float64], what: str
) -> NDArray[np.float64]:
    """[1 + draws] share of `what`."""
    place = {name: k for k, name in enumerate(streams)}
    tally = np.zeros((len(streams), 2))
    for a in many:
        tally[place[a.stream]] += (getattr(a, what), 1)
    return drawn(tally, weights)


def _medians(waits: Sequence[tuple[float, float]]) -> dict[str, float | None]:
    """Median delay on both clocks: audio heard, and with compute."""
    if not waits:
        return {"audio": None, "with_compute": None}
    audio, late = np.array(waits).T
    return {"audio": round(float(np.median(audio)), 3), "with_compute": round(float(np.median(audio + late)), 3)}
