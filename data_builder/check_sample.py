"""Checks of one sample: its JSON against its audio, and every rule of `data_builder.schema`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_builder.schema import (
    CHUNK,
    CLOCKS,
    DELAY_MS,
    MAX_CHUNKS,
    MIN_CHUNKS,
    SCHEMA,
    Sample,
    due_chunk,
    evidence_end,
)
from data_builder.texts.devices import TOOL_SETS
from soundflow import SAMPLE_RATE_HZ

ROLES: Final = ("user", "bystander", "television", "backchannel")
MOST_WORDS, MOST_WORDS_VERBATIM = 40, 60
VERBATIM: Final = ("asr", "translation")
ROUNDS_BACK: Final = 3
_KEYS: Final = frozenset(Sample.__dataclass_fields__)


def check_sample(meta: dict[str, Any], audio: NDArray[np.int16], rate: int) -> list[str]:
    """What is wrong with one sample; empty where it is right. Audio is [N] int16."""
    missing = sorted(_KEYS - set(meta))
    if missing:
        return [f"expected the keys of schema {SCHEMA}, missing: {', '.join(missing)}"]
    try:
        return _check(meta, audio, rate)
    except (KeyError, TypeError, ValueError) as error:
        return [f"expected a sample of schema {SCHEMA}: {type(error).__name__} {error}"]


def _check(meta: dict[str, Any], audio: NDArray[np.int16], rate: int) -> list[str]:
    bad: list[str] = []

    def need(ok: bool, what: str) -> None:
        if not ok:
            bad.append(what)

    n = meta["samples"]
    need(meta["schema"] == SCHEMA, f"schema: expected {SCHEMA}, got {meta['schema']}")
    need(rate == SAMPLE_RATE_HZ and audio.ndim == 1, f"expected 16 kHz mono, got {rate} Hz, {audio.ndim} axes")
    need(len(audio) == n, f"expected {n} samples of audio, got {len(audio)}")
    whole = n % CHUNK == 0 and MIN_CHUNKS <= n // CHUNK <= MAX_CHUNKS
    need(whole, f"length {n}: expected {MIN_CHUNKS} to {MAX_CHUNKS} whole chunks")
    need(meta["tools"] in ("", *TOOL_SETS), f"tools: got {meta['tools']!r}")
    things = {t["id"]: t for t in (*meta["events"], *meta["speech"])}
    need(len(things) == len(meta["events"]) + len(meta["speech"]), "an id is used twice")
    for t in things.values():
        need(0 <= t["onset"] < t["offset"] <= n, f"{t['id']}: onset and offset outside the stream")
    for e in meta["events"]:
        need(e["evidence_end"] == evidence_end(e["onset"], e["offset"]), f"{e['id']}: wrong evidence_end")
    for s in meta["speech"]:
        need(s["role"] in ROLES, f"{s['id']}: role {s['role']!r}")
        need(not s["addressed"] or s["role"] == "user", f"{s['id']}: only a user is addressed to the system")
    avoided, answered = {a["id"] for a in meta["avoid"]}, {r["trigger"] for r in meta["responses"]}
    need(not avoided & answered, f"a negative is answered: {sorted(avoided & answered)}")
    need(
        avoided | answered == set(things),
        f"neither answered nor to be avoided: {sorted(set(things) - avoided - answered)}",
    )
    need(not (meta["negative"] and answered), "a negative stream has a response")
    need(meta["negative"] or bool(answered), "a stream that is not negative has no response")
    for r in meta["responses"]:
        bad += _response(meta, r, things.get(r["trigger"]), things)
    dues = [r["due_chunk"] for r in meta["responses"]]
    need(len(set(dues)) == len(dues), "two responses in one chunk")
    need(dues == sorted(dues), "responses are not in order of time")
    credited = {s["source"]: s["licence"] for s in meta["sources"]}
    uncredited = sorted({t["source"] for t in things.values()} - set(credited))
    need(not uncredited, f"not among the sources: {uncredited}")
    need(sorted(set(credited.values())) == meta["licences"], "licences differ from those of the sources")
    for gap in meta["mix"].get("gaps", ()):
        if gap["kind"] == "silence":
            heard = any(t["onset"] < gap["offset"] and gap["onset"] < t["offset"] for t in things.values())
            need(not heard, f"a gap of silence at {gap['onset']} lies under an item")
    for variant in meta.get("variants", ()):
        for r in variant["responses"]:
            bad += [
                f"variant {variant['instruction']!r}: {b}" for b in _response(meta, r, things.get(r["trigger"]), things)
            ]
    if meta["subtask"] == "chat_history":
        bad += _history(meta, things)
    return bad


def _response(
    meta: dict[str, Any], r: dict[str, Any], trigger: dict[str, Any] | None, things: dict[str, Any]
) -> list[str]:
    if trigger is None:
        return [f"response to unknown {r['trigger']!r}"]
    bad: list[str] = []
    name, speech = r["trigger"], "addressed" in trigger
    onset, offset, evidence = trigger["onset"], trigger["offset"], r["evidence_end"]
    right = {
        "sound": not speech and evidence == trigger.get("evidence_end"),
        "endpoint": speech and evidence == offset,
        "clause": speech and onset < evidence <= offset,
        "end": evidence == offset,
        "timer": evidence > offset,
    }
    if r["clock"] not in CLOCKS or not right[r["clock"]]:
        bad.append(f"{name}: clock {r['clock']!r} does not go with evidence {evidence} of [{onset}, {offset})")
    if not DELAY_MS[0] <= r["delay_ms"] <= DELAY_MS[1]:
        bad.append(f"{name}: delay {r['delay_ms']} ms outside {DELAY_MS}")
    expected = due_chunk(evidence, r["delay_ms"], r["clock"])
    if r["due_chunk"] != expected or expected >= meta["samples"] // CHUNK:
        bad.append(f"{name}: due_chunk {r['due_chunk']}, expected {expected}, inside the stream")
    most = MOST_WORDS_VERBATIM if meta["ability"] in VERBATIM else MOST_WORDS
    if r["kind"] == "act":
        names = [t["name"] for t in TOOL_SETS.get(meta["tools"], ())]
        if not r["call"] or r["call"]["name"] not in names or r["text"]:
            bad.append(f"{name}: call {r['call']} not of tool set {meta['tools']!r}")
    elif r["kind"] != "speak" or not r["text"].strip() or r["call"] or len(r["text"].split()) > most:
        bad.append(f"{name}: expected a text of 1 to {most} words to speak, got {r['text']!r}")
    if speech and not trigger["addressed"]:
        bad.append(f"{name}: answers speech that is not addressed")
    for other in r["refers_to"]:
        if other not in things or things[other]["onset"] >= evidence:
            bad.append(f"{name}: refers to {other!r}, which is not before it")
    if r["cancelled_at"] is not None and r["cancelled_at"] < evidence:
        bad.append(f"{name}: cancelled before its evidence was there")
    return bad


def _history(meta: dict[str, Any], things: dict[str, Any]) -> list[str]:
    """The last answer lies at least three rounds back: answered utterances between it and its source."""
    if meta["negative"]:
        return []
    last = meta["responses"][-1]
    if not last["refers_to"]:
        return ["chat_history: the last answer refers to nothing"]
    back = min(things[i]["offset"] for i in last["refers_to"])
    between = {r["trigger"] for r in meta["responses"] if things[r["trigger"]]["onset"] >= back}
    if len(between) < ROUNDS_BACK:
        return [f"chat_history: expected {ROUNDS_BACK} rounds from its source to the answer, got {len(between)}"]
    return []
