"""What a system did about speech over its reply: Full-Duplex-Bench v1.5's categories, by rule.

The paper (Lin et al. 2025, arXiv 2507.23159) has GPT-4o tag the transcripts as respond, resume, uncertain or unknown.
There is no such judge here; the rule reads the same from what was said when, so shares are comparable between systems
of one report, not to the decimal with the paper's table. `--keep` writes what the official judge reads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchmarks.task_content import content

RESPONSE_S: Final = 4.0  # an answer begins within this time behind the end of the overlap
_ASKS_BACK: Final = re.compile(
    r"\b(sorry|pardon|excuse me|say that again|repeat|come again|what do you mean|not sure|unsure"
    r"|(?:did not|didn't|could not|couldn't|do not|don't) (?:quite )?(?:catch|hear|understand|get))\b",
    re.IGNORECASE,
)


class Behaviour(StrEnum):
    """Answers the overlap; goes on with what it was saying; hesitates or asks back; none of these."""

    RESPOND = "respond"
    RESUME = "resume"
    UNCERTAIN = "uncertain"
    UNKNOWN = "unknown"


WANTED: Final = {
    "interruption": Behaviour.RESPOND,
    "backchannel": Behaviour.RESUME,
    "others": Behaviour.RESUME,
    "background": Behaviour.RESUME,
}
"""What v1.5 wants in each of its scenarios."""


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the system's voice as it was heard, seconds. `born`: when it was made; `whole`: when it would have
    ended had nobody cut it."""

    start: float
    end: float
    born: float
    whole: float
    text: str


def floor(said: Sequence[Said], at: float) -> bool:
    """Whether the system was in the middle of a reply at `at`: voice heard or still to come of what was made before."""
    return any(s.born <= at < s.whole and s.start <= at for s in said) or (
        any(s.end <= at for s in said) and any(s.born <= at < s.start for s in said)
    )


def cut_at(said: Sequence[Said], over: tuple[float, float]) -> float | None:
    """When a reply that was going on at the overlap's onset was cut; None where it was heard to its end."""
    going = [s for s in said if s.born <= over[0] < s.whole]
    short = [s for s in going if s.end < s.whole - 1e-6]
    if not short:
        return None
    return max((s.end for s in going if s.end > s.start), default=over[0])


def classify(said: Sequence[Said], over: tuple[float, float]) -> Behaviour:
    """The category of one sample.

    New = voice made after the overlap's onset and begun at most 4 s behind its end. New words that ask back are
    uncertain; new words half of whose content was still to be said in a reply that was cut take it up again (resume),
    as do words of which nothing is new where none was cut (it goes on as before); any other new words respond.
    Without new words a reply that was heard to its end resumes. All else, a system that was not speaking at the onset
    too, is unknown.
    """
    if not floor(said, over[0]):
        return Behaviour.UNKNOWN
    cut = cut_at(said, over)
    new = [s for s in said if s.born > over[0] and s.start <= over[1] + RESPONSE_S and s.end > s.start]
    if not new:
        return Behaviour.RESUME if cut is None else Behaviour.UNKNOWN
    words = " ".join(s.text for s in new)
    if _ASKS_BACK.search(words):
        return Behaviour.UNCERTAIN
    old = [s for s in said if s.born <= over[0]]
    left, fresh = content(" ".join(unsaid(s) for s in old)), content(words)
    if cut is None and fresh and fresh <= content(" ".join(s.text for s in old)):
        return Behaviour.RESUME
    if cut is not None and fresh and len(fresh & left) * 2 >= len(fresh):
        return Behaviour.RESUME
    return Behaviour.RESPOND


def unsaid(piece: Said) -> str:
    """The words of a piece that were cut off, by its share of time."""
    words = piece.text.split()
    share = (piece.end - piece.start) / max(1e-9, piece.whole - piece.start)
    return " ".join(words[round(len(words) * min(1.0, max(0.0, share))) :])
