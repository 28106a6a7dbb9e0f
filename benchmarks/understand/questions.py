"""Multiple-choice questions about recordings, in MMAU's published JSON (Sakshi et al. 2024, arXiv 2410.19168)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import soundfile
import soxr

from benchmarks.compose import Item, Part
from benchmarks.plan import draw, item_seed
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError
from soundflow.types import FloatArray

REQUIRED: Final = ("id", "audio_id", "question", "choices")
TEXTS: Final = ("id", "audio_id", "question", "dataset", "task", "split", "category", "sub-category", "difficulty")
MOST_CHOICES: Final = 26
MOST_S: Final = 300.0


def find_json(where: Path, name: str = "") -> Path:
    """The JSON of a folder (the only one there, or `name`), or `where` itself where it is a file.

    Raises:
        ConfigError: no such file, or several and no name.
    """
    if where.is_file():
        return where
    if name:
        found = [where / name]
    else:
        found = sorted(p for p in where.glob("*.json") if p.name not in ("config.json", "figures.json"))
    if len(found) != 1 or not found[0].is_file():
        names = ", ".join(p.name for p in found) or "none"
        raise ConfigError(f"{where}: expected one JSON in MMAU's format, or --name of one; got {names}")
    return found[0]


def read(path: Path) -> list[dict[str, Any]]:
    """The entries of an MMAU file (mmau-test-mini.json, mmau-test.json) as they are, in its order.

    `answer` may be missing or empty: the answers of the test split are withheld. Keys that are not known stay in the
    entry and are not looked at; `source` (ours) names the recordings that a bootstrap draws as one.

    Raises:
        DataError: not a JSON list of objects; a missing key, a text that is none, fewer than two choices, two alike,
            an id twice, an audio path that leaves the folder. The entry is named by its number from 0.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"expected a JSON list of questions: {error}", str(path)) from error
    if not isinstance(body, list) or not body:
        raise DataError(f"expected a JSON list of questions, got {type(body).__name__} of nothing usable", str(path))
    seen: set[str] = set()
    for number, entry in enumerate(body):
        _check(entry, f"{path}[{number}]")
        if entry["id"] in seen:
            raise DataError(f"expected each id once, got {entry['id']!r} again", f"{path}[{number}]")
        seen.add(entry["id"])
    return body


def _check(entry: Any, where: str) -> None:
    if not isinstance(entry, dict):
        raise DataError(f"expected an object, got {type(entry).__name__}", where)
    if missing := [k for k in REQUIRED if not entry.get(k)]:
        raise DataError(f"expected {', '.join(REQUIRED)}; missing or empty: {', '.join(missing)}", where)
    for key in TEXTS:
        if not isinstance(entry.get(key, ""), str):
            raise DataError(f"expected {key} as text, got {entry[key]!r}", where)
    if not isinstance(entry.get("answer") or "", str):
        raise DataError(f"expected answer as text, got {entry['answer']!r}", where)
    choices = entry["choices"]
    if not isinstance(choices, list) or not all(isinstance(c, str) and c.strip() for c in choices):
        raise DataError(f"expected choices as a list of texts, got {choices!r}", where)
    if not 2 <= len(choices) <= MOST_CHOICES or len(set(choices)) != len(choices):
        raise DataError(f"expected 2 to {MOST_CHOICES} different choices, got {choices}", where)
    audio_path(entry["audio_id"], where)


def audio_path(name: str, where: str) -> str:
    """`name` as a path inside of the folder; DataError where it is not."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise DataError(f"expected a path inside of the data folder, got {name!r}", where)
    return str(path)


def answer_index(entry: Mapping[str, Any]) -> int | None:
    """Which choice is the answer: the same text, else the same but for case and space; None where there is none."""
    answer, choices = entry.get("answer") or "", entry["choices"]
    if answer in choices:
        return int(choices.index(answer))
    folded = [" ".join(c.lower().split()) for c in choices]
    same = [i for i, c in enumerate(folded) if c == " ".join(answer.lower().split())]
    return same[0] if len(same) == 1 else None


def plan(
    entries: Sequence[Mapping[str, Any]], folder: Path, seed: int, most: int = 0, circular: bool = False
) -> list[Item]:
    """One item a question; `most` of them (0 = all), drawn by the seed over tasks in turn.

    `circular`: it is asked in every rotation of its choices. A recording that is not there is no error yet: its row
    will be one.
    """
    found = []
    for entry in _drawn(entries, seed, most):
        path = audio_path(entry["audio_id"], entry["id"])
        facts: dict[str, Any] = {"entry": dict(entry), "right": answer_index(entry), "circular": circular}
        facts["orders"] = orders(len(entry["choices"]), circular)
        part = Part(path, 0.0, 0.0, MOST_S, None)
        source = str(entry.get("source") or path)
        label = entry.get("sub-category") or entry.get("dataset") or ""
        length = max(0.4, seconds(folder / path))
        where = (entry["id"], entry.get("task") or "", label, "", source, item_seed(seed, entry["id"]))
        found.append(Item(*where, (part,), seconds=length, facts=facts))
    return found


def orders(count: int, circular: bool) -> list[list[int]]:
    """The orders in which the choices are shown: as published, and for CircularEval every rotation of it.

    Circular evaluation as in MMBench (Liu et al. 2023, arXiv 2307.06281): a question is right if it is right in all
    N rotations of its N choices.
    """
    return [[(i + r) % count for i in range(count)] for r in range(count if circular else 1)]


def _drawn(entries: Sequence[Mapping[str, Any]], seed: int, most: int) -> list[Mapping[str, Any]]:
    if not most or most >= len(entries):
        return list(entries)
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        groups.setdefault(str(entry.get("task") or ""), []).append(entry)
    for name, members in sorted(groups.items()):
        draw(seed, "understand", name).shuffle(members)
    turns = [g[k] for k in range(max(map(len, groups.values()))) for _, g in sorted(groups.items()) if k < len(g)]
    return turns[:most]


def seconds(path: Path) -> float:
    """Length of a recording by its header; 0 where it cannot be read."""
    try:
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError):
        return 0.0
    return float(info.frames / info.samplerate)


def load(path: Path) -> FloatArray:
    """[n] at 16 kHz, channels averaged, any rate. DataError, naming the file: unreadable, empty, over `MOST_S`."""
    try:
        data, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"expected audio, got an unreadable file: {error}", str(path)) from error
    if not 0 < len(data) <= MOST_S * rate or not np.isfinite(data).all():
        raise DataError(f"expected finite audio of at most {MOST_S:g} s, got {len(data) / rate:.1f} s", str(path))
    mono = data.mean(axis=1)
    if rate != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate, SAMPLE_RATE_HZ)
    return np.ascontiguousarray(mono, np.float32)
