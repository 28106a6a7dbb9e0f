"""ProVoice-Bench's files (Xu, Wang, Wang 2026, arXiv 2604.15037): data.json, answers of a system, the judge's marks.

Layout as published (overji/ProVoice-Bench @e63a8eb):

    data.json            a list of {"meta": {"uuid", "task_name"}, "audio_filepath", "scenario_cues", "user_states":
                         {"datetime_info", "app_states", ...}, "conversation": {"conversation_list": [{"user",
                         "content", "tool_calls"}, ...]}}; a turn of user "model" is what should be said, without one
                         silence is right
    UUID_response.json   {"interaction_score": 0|1|2, "tool_calls": [...], "agent_response": str}
    judge/UUID_judge_response.json  {"tool_call_score": 0|1|2, "response_score": 0|1|2}, by their language-model judge
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.official.formats import (
    IGNORE,
    MOST_BYTES,
    MOST_ROWS,
    RESPOND,
    Prediction,
    Sample,
    raw_reply,
    relative,
    text,
)
from benchmarks.official.marks import Verdict
from soundflow.errors import ConfigError, DataError

TASKS: Final = ("single_turn_taking", "long_turn_taking", "environment_sensing", "digital_memory")
ENDING: Final = "_response.json"
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


def read_data(path: Path) -> list[Sample]:
    """The samples of data.json in order; `macro` is the task, `answers` the reference reply where there is one.

    As in their eval.py the last turn of user "model" is the reference, and a sample is to be answered where that has
    a tool call or words.

    Raises:
        DataError: no such file or no list; a sample without uuid, a known task, an audio path or turns; a uuid twice.
            The sample is named by its place in the list, from 0.
    """
    body = _json(path)
    if not isinstance(body, list) or not body or len(body) > MOST_ROWS:
        raise DataError(f"expected a list of 1 to {MOST_ROWS} samples, got {type(body).__name__}", str(path))
    found: dict[str, Sample] = {}
    for k, raw in enumerate(body):
        sample = _sample(raw, f"{path}[{k}]")
        if sample.id in found:
            raise DataError(f"expected each uuid once, got {sample.id!r} again", f"{path}[{k}]")
        found[sample.id] = sample
    return list(found.values())


def _sample(raw: Any, where: str) -> Sample:
    meta, cues = _part(raw, "meta", where), _part(raw, "scenario_cues", where)
    name, task = text(meta, "uuid", where), text(meta, "task_name", where)
    if task not in TASKS or not _NAME.fullmatch(name):
        raise DataError(f"expected a task of {TASKS} and a plain uuid, got {task!r}, {name!r}", where)
    _part(raw, "user_states", where)
    turns = _part(raw, "conversation", where).get("conversation_list")
    if not isinstance(turns, list) or not all(isinstance(t, dict) and isinstance(t.get("user"), str) for t in turns):
        raise DataError("expected conversation.conversation_list as a list of turns with a user each", where)
    calls, words = False, ""
    for turn in turns:
        if turn["user"] == "model":
            calls, words = bool(turn.get("tool_calls")), str(turn.get("content") or "")
    file = relative(text(raw, "audio_filepath", where), where)
    about = str(cues.get("description", ""))
    return Sample(name, file, about, RESPOND if calls or words else IGNORE, task, "", (words,) if words else ())


def _part(raw: Any, key: str, where: str) -> Mapping[str, Any]:
    part = raw.get(key) if isinstance(raw, dict) else None
    if not isinstance(part, dict):
        raise DataError(f"expected {key!r} as an object, got {type(part).__name__}", where)
    return part


def _json(path: Path) -> Any:
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise DataError(f"expected a JSON file of at most {MOST_BYTES} bytes, got none", str(path))
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"expected JSON: {error}", str(path)) from error


def read_responses(folder: Path, samples: Sequence[Sample]) -> dict[str, Prediction]:
    """uuid -> answer of any system, out of UUID_response.json files; a response where it has a tool call or words.

    A file that is no such object is kept with decision "": it counts as wrong. (Their own generator writes no file
    then, and their scorer divides by the files that there are.)

    Raises:
        ConfigError: no such folder. DataError: a file whose uuid the data has not.
    """
    if not folder.is_dir():
        raise ConfigError(f"--predictions {folder}: expected a folder of UUID{ENDING} files")
    known, found = {s.id for s in samples}, {}
    for file in sorted(folder.glob(f"*{ENDING}")):
        name = file.name.removesuffix(ENDING)
        if name not in known:
            raise DataError(f"expected a uuid of the data, got {name!r}", str(file))
        try:
            body = _json(file)
        except DataError:
            body = None
        words, calls = (body.get("agent_response"), body.get("tool_calls")) if isinstance(body, dict) else (None, None)
        if not isinstance(words, str | None) or not isinstance(calls, list | None) or not isinstance(body, dict):
            found[name] = Prediction(name, "unreadable", "", "")
            continue
        fires = bool(words or calls)
        found[name] = Prediction(name, raw_reply(fires, words or ""), RESPOND if fires else IGNORE, words or "")
    return found


def write_responses(folder: Path, found: Sequence[Verdict], replies: Mapping[str, str]) -> None:
    """Answers of a system as UUID_response.json; none for a clip that failed, which `read_responses` counts as wrong.

    A response in which nothing was said in words gets "..." as its words, as their scorer takes no words for silence.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for v in found:
        if v.decision:
            said = (replies.get(v.id) or "...") if v.fired else ""
            body = {"interaction_score": int(v.fired), "tool_calls": [], "agent_response": said}
            (folder / f"{v.id}{ENDING}").write_text(json.dumps(body, ensure_ascii=False) + "\n", encoding="utf-8")


def response_accuracy(folder: Path, found: Sequence[Verdict]) -> dict[str, float] | None:
    """Their R_acc by task and "overall", out of the marks of their judge under `folder`/judge; None without any.

    S = (tool score / 2 + reply score / 2) / 2 where a response was due and given, 1 where silence was due and kept,
    else 0; R_acc is its mean over all samples (arXiv 2604.15037). A response without a mark has 0.

    DataError for a mark that is not 0, 1 or 2.
    """
    judge = folder / "judge"
    if not judge.is_dir():
        return None
    marks: dict[str, list[float]] = {}
    for v in found:
        mark = 0.0
        if v.right and not v.respond:
            mark = 1.0
        elif v.right and (file := judge / f"{v.id}_judge_response.json").is_file():
            body = _json(file)
            given = [body.get(k) if isinstance(body, dict) else None for k in ("tool_call_score", "response_score")]
            if any(type(g) is not int or g not in (0, 1, 2) for g in given):
                raise DataError(f"expected tool_call_score and response_score of 0, 1 or 2, got {given}", str(file))
            mark = sum(g / 4 for g in given if g is not None)
        marks.setdefault(v.macro, []).append(mark)
    every = [m for values in marks.values() for m in values]
    return {k: round(sum(v) / len(v), 4) for k, v in [("overall", every), *marks.items()] if v}
