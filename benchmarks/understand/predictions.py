"""Files for judges outside: MMAU's own evaluation script and its server, VoiceBench's api_judge.py and evaluate.py."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import files
from benchmarks.instances import Row as Instance
from benchmarks.understand import choices
from benchmarks.understand.spoken import reply

OURS: Final = ("recordings", "source")
MMAU_METHODS: Final = ("text", "open text", "cloze per token", f"cloze {choices.GAIN}", "shown per token")


def mmau(rows: Sequence[Instance], out: Path) -> dict[str, str]:
    """One JSON a system and method in `out`/predictions: the entries with `model_prediction` -> file name to sha256.

    By likelihood the prediction is the picked choice; of an error it is empty, so that the entry is never missing.
    """
    found: dict[str, str] = {}
    by_system = {s: {r["id"]: r for r in rows if r["system"] == s} for s in dict.fromkeys(r["system"] for r in rows)}
    for system, mine in by_system.items():
        blind = by_system.get(f"{system}-blind", {})
        lists: dict[str, list[dict[str, Any]]] = {}
        present = {m for r in mine.values() for m in _predictions(r, blind.get(r["id"]))}
        for name in sorted(mine):
            given = _predictions(mine[name], blind.get(name))
            entry = mine[name]["item"]["facts"]["entry"]
            kept = {k: v for k, v in entry.items() if k not in OURS}
            for method in sorted(present):
                lists.setdefault(method, []).append({**kept, "model_prediction": given.get(method, "")})
        for method, entries in lists.items():
            name = f"{system}-{method.replace(' ', '-')}.json"
            found[name] = _write(out / "predictions" / name, json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
    return found


def _predictions(row: Instance, blind: Instance | None) -> dict[str, str]:
    if row.get("error"):
        return {}
    listed = row["item"]["facts"]["entry"]["choices"]
    picks = choices.methods(row, blind if blind and not blind.get("error") else None)
    named = {m: listed[p[0]] for m, p in picks.items() if p[0] is not None and m in (*MMAU_METHODS, "rule")}
    if "shown" in row:
        named["text"] = row["shown"][0]["text"]
    return named | ({"open text": row["open"]} if "open" in row else {})


def voicebench(rows: Sequence[Instance], out: Path) -> dict[str, str]:
    """SYSTEM-SUBSET-SPLIT-MODALITY.jsonl in `out`/predictions: each row's columns but its audio, and `response`."""
    files: dict[str, list[Mapping[str, Any]]] = {}
    ordered = sorted(rows, key=lambda r: (r["system"], r["item"]["group"], *_place(r["id"])))
    for row in ordered:
        facts = row["item"]["facts"]
        name = f"{row['system']}-{row['item']['group']}-{facts['split']}-{facts['modality']}.jsonl"
        files.setdefault(name.replace("/", "_"), []).append({**facts["entry"], "response": reply(row, "asked")})
    found = {}
    for name, listed in files.items():
        text = "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in listed)
        found[name] = _write(out / "predictions" / name, text)
    return found


def _place(name: str) -> tuple[str, int]:
    _, split, number = name.rsplit("/", 2)
    return split, int(number)


def _write(path: Path, text: str) -> str:
    files.write(path, text)
    return hashlib.sha256(text.encode()).hexdigest()
