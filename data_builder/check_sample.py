"""Checks of one sample: its JSON against its audio, and every rule of `data_builder.schema`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_builder.mix import db
from data_builder.schema import (
    CHUNK,
    CLOCKS,
    COOL_DOWN,
    DELAY_MS,
    MAX_CHUNKS,
    MIN_CHUNKS,
    SCHEMA,
    Sample,
    due_chunk,
    evidence_end,
)
from data_builder.speech.ear import wer
from data_builder.speech.protocol import EMOTIONS
from data_builder.speech.synthesise import MAX_WER
from data_builder.subtasks import CONTROLS, SUBTASKS
from data_builder.texts.devices import TOOL_SETS
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError
from soundflow.respond.tools import make_tools, validate_call
from soundflow.types import ActionCall, Tool

ROLES: Final = ("user", "bystander", "television", "backchannel")
MOST_WORDS, MOST_WORDS_VERBATIM = 40, 60
VERBATIM: Final = ("asr", "translation")
ROUNDS_BACK: Final = 3
AUDIBLE_DB: Final = -70.0  # dBFS: the level of what is answered
CLIPPED: Final = 0.5  # share of samples at full scale
ONCE: Final = ("proactive_", "watch_sound")  # sub-tasks in which a class is announced once in COOL_DOWN
FOREIGN: Final = "paper_layout"  # origin of streams whose sub-tasks are named by somebody else
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(\+[a-z]{2,3})*")  # of ISO 639; several where somebody switches
_KEYS: Final = frozenset(Sample.__dataclass_fields__)


def check_sample(meta: dict[str, Any], audio: NDArray[np.int16], rate: int) -> list[str]:
    """What is wrong with one sample; empty where it is right. Audio is [N] int16."""
    missing = sorted(_KEYS - set(meta))
    if missing:
        return [f"expected the keys of schema {SCHEMA}, missing: {', '.join(missing)}"]
    try:
        return _check(meta, audio, rate)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
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
    need(isinstance(meta["instruction"], str), f"instruction: expected a text, got {meta['instruction']!r}")
    if meta["scenario"].get("origin") != FOREIGN:
        task = SUBTASKS.get(meta["subtask"]) or CONTROLS.get(meta["subtask"])
        need(task is not None, f"unknown sub-task {meta['subtask']!r}")
        need(task is None or task.ability == meta["ability"], f"ability {meta['ability']!r} of {meta['subtask']!r}")
    things = {t["id"]: t for t in (*meta["events"], *meta["speech"])}
    need(len(things) == len(meta["events"]) + len(meta["speech"]), "an id is used twice")
    for t in things.values():
        need(0 <= t["onset"] < t["offset"] <= n, f"{t['id']}: onset and offset outside the stream")
    for e in meta["events"]:
        need(e["evidence_end"] == evidence_end(e["onset"], e["offset"]), f"{e['id']}: wrong evidence_end")
    for s in meta["speech"]:
        bad += _speech(s)
    for a in meta["avoid"]:
        span = things.get(a["id"], a)
        same = (a["onset"], a["offset"]) == (span["onset"], span["offset"])
        need(same, f"{a['id']}: avoided at [{a['onset']}, {a['offset']}), where it is not")
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
    bad += _order(meta["responses"])
    if meta["subtask"].startswith(ONCE):
        bad += _again(meta["responses"], things)
    bad += _audible(meta, audio, [t for t in things.values() if t["id"] in answered or t.get("addressed")])
    credited = {s["source"]: s["licence"] for s in meta["sources"]}
    uncredited = sorted({t["source"] for t in things.values()} - set(credited))
    need(not uncredited, f"not among the sources: {uncredited}")
    need(sorted(set(credited.values())) == meta["licences"], "licences differ from those of the sources")
    for t in things.values():
        licence = credited.get(t["source"], t["licence"])
        need(t["licence"] == licence, f"{t['id']}: licence {t['licence']!r}, its source has {licence!r}")
    for gap in meta["mix"].get("gaps", ()):
        if gap["kind"] == "silence":
            onset, offset = gap["onset"], gap["offset"]
            heard = any(t["onset"] < offset and onset < t["offset"] for t in things.values())
            need(not heard, f"a gap of silence at {onset} lies under an item")
            need(0 <= onset < offset <= n, f"a gap of silence [{onset}, {offset}) outside the stream")
            need(not audio[max(0, onset) : offset].any(), f"a gap of silence at {onset} is not silent")
    for variant in meta.get("variants", ()):
        found = _order(variant["responses"]) + _again(variant["responses"], things)
        for r in variant["responses"]:
            found += _response(meta, r, things.get(r["trigger"]), things)
        bad += [f"variant {variant['instruction']!r}: {b}" for b in found]
    for other in meta.get("retold", ()):
        if other["call"] is not None:
            bad += _call(other["call"], meta["tools"])
        need(other["speech"] in things and other["text"], f"retold: no words or no utterance in {other}")
    if meta["subtask"] == "chat_history":
        bad += _history(meta, things)
    return bad


def _speech(s: dict[str, Any]) -> list[str]:
    bad = []
    if s["role"] not in ROLES:
        bad.append(f"role {s['role']!r}")
    if s["addressed"] and s["role"] != "user":
        bad.append("only a user is addressed to the system")
    if s["emotion"] not in EMOTIONS:
        bad.append(f"emotion {s['emotion']!r}")
    if not LANGUAGE.fullmatch(s["language"]):
        bad.append(f"language {s['language']!r}")
    if s["heard"] and s["language"] == "en" and s["source"].startswith("tts:"):
        wrong = wer(s["text"], s["heard"])
        if wrong > MAX_WER:
            bad.append(f"WER {wrong:.2f}: {s['text']!r} was heard as {s['heard']!r}")
    return [f"{s['id']}: {b}" for b in bad]


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
        bad += [f"{name}: {b}" for b in _call(r["call"], meta["tools"])]
        if r["text"]:
            bad.append(f"{name}: an act with a text")
    elif r["kind"] != "speak" or not r["text"].strip() or r["call"] or len(r["text"].split()) > most:
        bad.append(f"{name}: expected a text of 1 to {most} words to speak, got {r['text']!r}")
    if speech and not trigger["addressed"]:
        bad.append(f"{name}: answers speech that is not addressed")
    for other in r["refers_to"]:
        if other not in things or things[other]["onset"] >= evidence:
            bad.append(f"{name}: refers to {other!r}, which is not before it")
    for note in r["notes"]:
        if note["sample"] > onset:
            bad.append(f"{name}: a note of {note['sample']}, after its trigger began at {onset}")
    if r["cancelled_at"] is not None and not evidence <= r["cancelled_at"] < meta["samples"]:
        bad.append(f"{name}: cancelled before its evidence was there, or after the end")
    return bad


def _call(call: dict[str, Any] | None, tools: str) -> list[str]:
    if not call or call["name"] not in [t["name"] for t in TOOL_SETS.get(tools, ())]:
        return [f"call {call} not of tool set {tools!r}"]
    try:
        validate_call(ActionCall(call["name"], call["arguments"]), _tools(tools))
    except DataError as error:
        return [f"call of {error}"]
    return []


@cache
def _tools(name: str) -> tuple[Tool, ...]:
    return make_tools(list(TOOL_SETS[name]), f"tool set {name!r}")


def _order(responses: Sequence[dict[str, Any]]) -> list[str]:
    dues = [r["due_chunk"] for r in responses]
    bad = ["two responses in one chunk"] if len(set(dues)) < len(dues) else []
    return bad + (["responses are not in order of time"] if dues != sorted(dues) else [])


def _again(responses: Sequence[dict[str, Any]], things: dict[str, Any]) -> list[str]:
    """A class of sounds is not announced twice within the cool-down."""
    bad: list[str] = []
    last: dict[str, int] = {}
    for r in sorted(responses, key=lambda r: int(r["evidence_end"])):
        label, at = things.get(r["trigger"], {}).get("label"), r["evidence_end"]
        if label is None:
            continue
        if at - last.get(label, at - COOL_DOWN) < COOL_DOWN:
            bad.append(f"{r['trigger']}: {label!r} is announced again within {COOL_DOWN / SAMPLE_RATE_HZ:g} s")
        last[label] = at
    return bad


def _audible(meta: dict[str, Any], audio: NDArray[np.int16], told: Sequence[dict[str, Any]]) -> list[str]:
    """The audio is a recording, and holds what is answered or addressed (`told`)."""
    if audio.ndim != 1 or not len(audio):
        return []
    bad: list[str] = []
    empty = meta["mix"].get("bed") == "zero" and not meta["events"] and not meta["speech"]
    if (audio == audio[0]).all() and not (empty and not audio[0]):
        bad.append(f"the audio is {audio[0]} throughout")
    elif np.mean((audio == 32767) | (audio <= -32767)) > CLIPPED:
        bad.append("the audio is at full scale")
    for t in told:
        level = db(audio[max(0, t["onset"]) : t["offset"]].astype(np.float32) / np.float32(32768))
        if level <= AUDIBLE_DB:
            bad.append(f"{t['id']}: expected a level above {AUDIBLE_DB:g} dBFS, got {level:.1f}")
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
