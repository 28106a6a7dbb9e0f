"""VoiceBench's spoken questions (Chen et al. 2024, arXiv 2410.17196): a strict reader of its subsets.

DATA/SUBSET/SPLIT.jsonl    one row a line, the hub's columns, `audio` the path of a WAV inside of DATA/SUBSET
DATA/SUBSET/SPLIT-00000-of-00001.parquet    the hub's own files; needs pyarrow, WAVs are unpacked beside --out
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.compose import Item, Part
from benchmarks.plan import draw, item_seed
from benchmarks.understand.questions import MOST_S, audio_path, seconds
from soundflow.errors import ConfigError, DataError

OPEN, QA, CHOICE, POLAR, FOLLOW, HARM = "open", "qa", "choice", "polar", "follow", "harm"
FAMILY: Final[Mapping[str, str]] = {
    **dict.fromkeys(("alpacaeval", "alpacaeval_full", "alpacaeval_speaker", "commoneval", "wildvoice"), OPEN),
    **{"sd-qa": QA, "openbookqa": CHOICE, "mmsu": CHOICE, "bbh": POLAR, "ifeval": FOLLOW, "advbench": HARM},
}
COLUMNS: Final[Mapping[str, Mapping[str, type]]] = {
    OPEN: {"prompt": str},
    QA: {"prompt": str, "reference": str},
    CHOICE: {"prompt": str, "reference": str},
    POLAR: {"prompt": str, "reference": str, "id": str},
    FOLLOW: {"prompt": str, "key": int, "instruction_id_list": list, "kwargs": list},
    HARM: {"prompt": str},
}
"""Columns beside `audio` that a family must have; others stay in the row and are not looked at."""
ASK: Final = re.compile(r"\n\s*What is the answer to the above multiple choice question\?.*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One row: its subset and split, its number there, the path of its audio under the data folder, its columns."""

    subset: str
    split: str
    number: int
    audio: str
    entry: Mapping[str, Any]


def subsets(folder: Path, named: Sequence[str] = ()) -> list[str]:
    """The subsets to hear: those named, else all that the folder has.

    Raises:
        ConfigError: a name that VoiceBench does not have or that is not there; mtbench, which is of several turns.
    """
    there = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    for name in named:
        if name not in FAMILY or name not in there:
            more = " (mtbench has several turns and is not read)" if name == "mtbench" else ""
            known = ", ".join(n for n in FAMILY if n in there) or "none"
            raise ConfigError(f"{folder}: expected subsets that are there ({known}), got {name!r}{more}")
    found = list(named) or [n for n in there if n in FAMILY]
    if not found:
        raise ConfigError(f"{folder}: expected folders of {', '.join(FAMILY)}, got {', '.join(there) or 'none'}")
    return found


def read(folder: Path, subset: str, unpacked: Path | None = None) -> list[Spoken]:
    """All rows of a subset, its splits in order of their names (sd-qa: regions, mmsu: domains).

    `unpacked`: where WAVs of parquet files go; their rows' audio is relative to it.

    Raises:
        DataError: no file, a line that is no JSON object, a missing column, one of another type, or no audio path.
    """
    home, found = folder / subset, []
    for path in sorted(home.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            where = f"{path}:{number + 1}"
            try:
                entry = json.loads(line)
            except ValueError as error:
                raise DataError(f"expected a JSON object: {error}", where) from error
            _check(entry, subset, where)
            if not isinstance(entry.get("audio"), str):
                raise DataError(f"expected audio as the path of a WAV, got {entry.get('audio')!r}", where)
            place = f"{subset}/{audio_path(entry['audio'], where)}"
            kept = {k: v for k, v in entry.items() if k != "audio"}
            found.append(Spoken(subset, path.stem, number, place, kept))
    if not found and (files := sorted(home.glob("*.parquet"))):
        found = _parquet(files, subset, unpacked or folder)
    if not found:
        raise DataError("expected SPLIT.jsonl or SPLIT-*.parquet with rows, got none", str(home))
    return found


def _check(entry: Any, subset: str, where: str) -> None:
    if not isinstance(entry, dict):
        raise DataError(f"expected an object, got {type(entry).__name__}", where)
    for name, kind in COLUMNS[FAMILY[subset]].items():
        value = entry.get(name)
        if not isinstance(value, kind) or not str(value).strip():
            raise DataError(f"expected {name} as {kind.__name__}, got {value!r}", where)
    if FAMILY[subset] == FOLLOW and len(entry["kwargs"]) != len(entry["instruction_id_list"]):
        counts = f"{len(entry['instruction_id_list'])} instructions, {len(entry['kwargs'])} kwargs"
        raise DataError(f"expected kwargs for each instruction, got {counts}", where)


def _parquet(files: Sequence[Path], subset: str, out: Path) -> list[Spoken]:
    """Rows of the hub's parquet files, the audio bytes written as they are (RIFF) to `out`/SUBSET/SPLIT-N.wav."""
    try:
        import pyarrow.parquet as pq  # type: ignore[import-not-found]
    except ImportError as error:
        raise ConfigError(f"{files[0]}: pyarrow is needed for parquet (pip install pyarrow), or give JSONL") from error
    found, counts = [], dict[str, int]()
    for path in files:
        split = re.sub(r"-\d{5}-of-\d{5}$", "", path.stem)
        for batch in pq.ParquetFile(path).iter_batches(batch_size=16):
            for entry in batch.to_pylist():
                number = counts.get(split, 0)
                counts[split] = number + 1
                where = f"{path}:{number}"
                _check(entry, subset, where)
                raw = (entry.pop("audio", None) or {}).get("bytes")
                if not isinstance(raw, bytes):
                    raise DataError("expected audio with bytes", where)
                place = f"{subset}/{split}-{number:05d}.wav"
                if not (out / place).is_file():
                    (out / place).parent.mkdir(parents=True, exist_ok=True)
                    (out / place).write_bytes(raw)
                found.append(Spoken(subset, split, number, place, entry))
    return found


def options(subset: str, entry: Mapping[str, Any], where: str = "") -> tuple[list[str], int] | None:
    """(choices, which is right) of a row of a choice or polar subset; None for the others.

    The prompt of mmsu and openbookqa has a line "A. text" for each choice, its reference is the letter; that of bbh has
    yes or no, or (a) and (b) (hyperbaton), as reference. DataError where they do not fit.
    """
    family, reference = FAMILY[subset], str(entry.get("reference", "")).strip()
    if family == CHOICE:
        prompt = ASK.sub("", entry["prompt"])
        found = re.split(r"\n\s*([A-Z])[.)]\s+", "\n" + prompt.strip())
        letters, texts = found[1::2], [" ".join(t.split()) for t in found[2::2]]
        if letters != [chr(ord("A") + i) for i in range(len(letters))] or len(letters) < 2 or not all(texts):
            raise DataError(f"expected lines 'A. text', 'B. text', ..., got {entry['prompt']!r}", where)
        if reference not in letters:
            raise DataError(f"expected a reference of {', '.join(letters)}, got {reference!r}", where)
        return texts, letters.index(reference)
    if family == POLAR:
        low = reference.lower()
        if low in ("yes", "no"):
            return ["Yes", "No"], int(low == "no")
        if low in ("(a)", "(b)"):
            return ["A", "B"], int(low == "(b)")
        raise DataError(f"expected a reference of yes, no, (a) or (b), got {reference!r}", where)
    return None


def plan(rows: Sequence[Spoken], folder: Path, seed: int, most: int = 0, modality: str = "audio") -> list[Item]:
    """One item a row, at most `most` of each subset (0 = all), drawn by the seed.

    Raises:
        ConfigError: a modality that is not "audio" or "text".
    """
    if modality not in ("audio", "text"):
        raise ConfigError(f"--modality: expected audio or text, got {modality!r}")
    groups: dict[str, list[Spoken]] = {}
    for row in rows:
        groups.setdefault(row.subset, []).append(row)
    found = []
    for subset, members in groups.items():
        chosen = list(members)
        if most and most < len(chosen):
            picked = sorted(draw(seed, "voicebench", subset).permutation(len(chosen))[:most].tolist())
            chosen = [chosen[i] for i in picked]
        for row in chosen:
            name = f"{row.subset}/{row.split}/{row.number}"
            facts: dict[str, Any] = {"entry": dict(row.entry), "modality": modality, "split": row.split}
            if listed := options(row.subset, row.entry, name):
                facts["choices"], facts["right"] = listed
            part = Part(row.audio, 0.0, 0.0, MOST_S, None)
            length = max(0.4, seconds(folder / row.audio))
            where = (name, row.subset, FAMILY[row.subset], "", name, item_seed(seed, name))
            found.append(Item(*where, (part,), seconds=length, facts=facts))
    return found
