"""One dialogue and what a system did in it -> what was hit, what was right, what was too much."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.instances import Row
from benchmarks.task_content import content as content_words
from benchmarks.task_content import judge, same_call
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_of

LATE: Final = 4  # chunks behind the due one, as training/evaluate.py
LATE_ENDPOINT: Final = 5  # the words channel closes a turn one or two chunks behind the due one
LETTERS: Final = {"S": "speak", "A": "act"}
CHANCE_DRAWS: Final = 8
ASKED: Final = ("chat_emotion",)
APART: Final = ("style_format", "describe_music", "count_events")  # the sound alone does not tell what is to be said
Pool = Mapping[tuple[str, ...], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Want:
    """A wanted response: `first` to `last` are the chunks in which it counts; `tags` say which figures it is in.
    `request`: in which words the sound was asked for, "" where it was not; it may be named as there."""

    kind: str
    first: int
    last: int
    text: str
    call: Mapping[str, Any] | None
    judged: str
    question: str
    about: str
    occasion: tuple[str, ...]
    tags: frozenset[str]
    request: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A decision to respond, and what came of it; `cut`: broken off."""

    kind: str
    chunk: int
    text: str = ""
    call: Mapping[str, Any] | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """`hits`, `right` and `scores`: one entry a wanted response. `extra`: responses that nobody wanted."""

    id: str
    subtask: str
    ability: str
    seconds: float
    wants: tuple[Want, ...]
    hits: tuple[bool, ...]
    right: tuple[bool, ...]
    scores: tuple[float, ...]
    extra: int
    failed: bool = False

    @property
    def exact(self) -> bool:
        """Everything wanted came in time with the right content, and nothing else."""
        return not self.failed and all(self.right) and not self.extra


def wanted(item: Mapping[str, Any]) -> list[Want]:
    """The wanted responses of an item of `benchmarks.tasks`, in order."""
    facts = item["facts"]
    speech = {s["id"]: s for s in facts["speech"]}
    events = {e["id"]: e for e in facts["events"]}
    return [_want(r, item, speech.get(r["trigger"]), events.get(r["trigger"])) for r in facts["responses"]]


def _want(
    response: Mapping[str, Any],
    item: Mapping[str, Any],
    spoken: Mapping[str, Any] | None,
    event: Mapping[str, Any] | None,
) -> Want:
    subtask, ability, clock = str(item["label"]), str(item["group"]), response["clock"]
    after = clock == "end" and ability == "instruction"  # "tell me when it is over": not before
    first = response["evidence_end"] if event is None or after else event["onset"]
    text, call = str(response["text"] or ""), response["call"]
    asked = str(spoken["text"]) if spoken else ""
    asked = asked if len(asked.split()) > 2 else ""  # a recorded word is no question
    if subtask == "describe_music":
        asked += " music"
    language = str(spoken["language"]) if spoken else ""
    occasion: tuple[str, ...] = ()
    if event is not None and subtask not in APART and ability != "translation":
        occasion = (subtask, str(event["label"]), clock)
    elif spoken is not None and (ability == "proactive" or subtask in ASKED):
        occasion = (subtask, asked, str(spoken["emotion"]))
    elif ability == "agent" and subtask not in ("device_state", "addressee") and call is None:
        occasion = (subtask, "no tool")
    tags = {response["kind"], "act " + ("coffee" if "coffee" in item["tools"] else "home") if call else "words"}
    tags |= {"looks back"} if response.get("refers_to") and clock == "endpoint" else set()
    if ability == "translation":
        tags.add("Mandarin" if "zh" in language or any("\u4e00" <= c <= "\u9fff" for c in text) else "European")
    return Want(
        str(response["kind"]),
        chunk_of(first, item["facts"]["chunk"]),
        int(response["due_chunk"]) + (LATE_ENDPOINT if clock == "endpoint" else LATE),
        text,
        call,
        _judged(ability, subtask, event is not None),
        asked if clock == "endpoint" or subtask == "describe_music" else "",
        asked,
        occasion,
        frozenset(tags),
        _request(item, event) if event is not None and ability == "instruction" and subtask not in APART else "",
    )


def _request(item: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """What was said to us last before a sound, else the instruction."""
    before = [s for s in item["facts"]["speech"] if s["addressed"] and s["offset"] <= event["onset"]]
    return str(max(before, key=lambda s: s["offset"])["text"] if before else item["instruction"])


def _judged(ability: str, subtask: str, sound: bool) -> str:
    kinds = {"asr": "transcript", "translation": "translation"}
    return kinds.get(ability) or ("style" if subtask == "style_format" else "sound" if sound else "says")


def pool_of(items: Iterable[Mapping[str, Any]]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Occasion -> every reference for it: the same sound, or the same sentence, in the same sub-task."""
    found: dict[tuple[str, ...], set[str]] = {}
    for item in items:
        for want in wanted(item):
            if want.occasion:
                found.setdefault(want.occasion, set()).add(want.text)
    return {k: tuple(sorted(v)) for k, v in found.items()}


def content(want: Want, said: Said, pool: Pool) -> tuple[bool, float]:
    """(right, score) of what was said or called for a wanted response."""
    if want.call is not None:
        right = same_call(said.call, want.call)
        return right, float(right)
    references = [want.text, *(r for r in pool.get(want.occasion, ()) if r != want.text)]
    references += [want.request] if content_words(want.request) else []
    return judge(want.judged, said.text, references, want.question, want.about, said.cut)


def responses(row: Row) -> list[Said]:
    """Decisions to respond with what came of each: what is out between it and the next one is its own."""
    made = [k for k, letter in enumerate(row["decisions"]) if letter in LETTERS]
    times = [(k + 1) * row["chunk"] / SAMPLE_RATE_HZ for k in made]
    texts, cuts = [""] * len(made), [False] * len(made)
    calls: list[dict[str, Any] | None] = [None] * len(made)

    def place(t: float, later: float) -> int:
        return int(np.searchsorted(times, t - later)) - 1

    for body in row["replies"]:
        if (n := place(body["t"], -1e-3)) >= 0:
            texts[n] = texts[n] or body["text"]
    for body in row["cancelled"]:  # in the chunk that breaks it off another one may begin
        if (n := place(body["t"], 1e-3)) >= 0:
            texts[n], cuts[n] = texts[n] or body["text"], not texts[n]
    for body in row["actions"]:
        if (n := place(body["t"], -1e-3)) >= 0:
            calls[n] = calls[n] or {"name": body["name"], "arguments": body["arguments"]}
    letters = [LETTERS[row["decisions"][k]] for k in made]
    return [Said(*x) for x in zip(letters, made, texts, calls, cuts, strict=True)]


def match(wants: Sequence[Want], said: Sequence[Said]) -> list[int | None]:
    """For each wanted response the decision that answers it, of its kind and in its chunks; each decision once.

    Each decision goes to the open response that closes first, which hits as many as can be hit.
    """
    found: list[int | None] = [None] * len(wants)
    for n, one in enumerate(said):
        fits = [k for k, w in enumerate(wants) if found[k] is None and w.kind == one.kind]
        fits = [k for k in fits if wants[k].first <= one.chunk <= wants[k].last]
        if fits:
            found[min(fits, key=lambda k: (wants[k].last, k))] = n
    return found


def mark(row: Row, pool: Pool) -> Mark:
    """What a system did in a dialogue. One that failed has missed everything, and has not been silent."""
    item = row["item"]
    wants = tuple(wanted(item))
    where = (str(row["id"]), str(item["label"]), str(item["group"]), float(item["seconds"]), wants)
    if row.get("error"):
        no = (False,) * len(wants)
        return Mark(*where, no, no, (0.0,) * len(wants), 1, failed=True)
    said = responses(row)
    found = match(wants, said)
    judged = [(False, 0.0) if n is None else content(w, said[n], pool) for w, n in zip(wants, found, strict=True)]
    hits = tuple(n is not None for n in found)
    return Mark(*where, hits, tuple(r for r, _ in judged), tuple(s for _, s in judged), len(said) - sum(hits))


def chance(items: Sequence[Mapping[str, Any]], pool: Pool, seed: int = 0) -> dict[str, dict[str, tuple[float, float]]]:
    """Sub-task -> tag ("all" and those of `Want`) -> (right, mean score) of the reference of another dialogue.

    The other one is of the same sub-task and tags, `CHANCE_DRAWS` of them drawn for each wanted response.
    """
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for subtask in sorted({i["label"] for i in items}):
        mine = [(i["id"], w) for i in items if i["label"] == subtask for w in wanted(i)]
        rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(subtask.encode())]))
        tally: dict[str, list[tuple[bool, float]]] = {}
        for name, want in mine:
            others = [w for n, w in mine if n != name and w.tags == want.tags]
            for k in rng.integers(len(others), size=CHANCE_DRAWS) if others else ():
                other = others[int(k)]
                judged = content(want, Said(want.kind, 0, other.text, other.call), pool)
                for tag in ("all", *want.tags):
                    tally.setdefault(tag, []).append(judged)
        found[subtask] = {tag: (float(v[:, 0].mean()), float(v[:, 1].mean())) for tag, v in _arrays(tally)}
    return found


def _arrays(tally: Mapping[str, Sequence[tuple[bool, float]]]) -> list[tuple[str, Any]]:
    return [(tag, np.array(v, dtype=float)) for tag, v in tally.items()]
