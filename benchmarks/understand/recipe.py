"""A multiple-choice set in MMAU's format out of the dev rows of an index.csv, by a published seed.

Four kinds of question: what sound, which instrument, which word, which of two sounds came first. Recordings of the
`dial` quarter and of train are never used. The same index and seed give the same JSON and the same samples.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from benchmarks import files
from benchmarks.compose import Bed, Item, Part, render
from benchmarks.corpus import Clips, Row
from benchmarks.plan import draw
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_samples
from soundflow.errors import DataError

NAME: Final = "dev.json"
KINDS: Final = ("sound", "instrument", "word", "order")
CHOICES: Final = 4
LEVEL_DB, BED_DB = -24.0, -64.0
LEAD_S, EVENT_S, GAP_S, TAIL_S = 0.8, 5.0, 1.2, 0.4
SHORT_S: Final = 3.0  # of each of two sounds

# Classes that are not told apart by ear, or of which one is a kind of the other, are never choices beside each other.
ALIKE: Final = (
    ("alarm", "siren"),
    ("bird", "chirping_birds"),
    ("bell", "church_bells", "doorbell"),
    ("car_horn", "horn"),
    ("car_engine", "engine_idling", "air_conditioner", "airplane", "helicopter", "wind"),
    ("thunder", "thunderstorm", "rain", "water", "sea_waves", "wind"),
    ("saw_drill_tools", "drilling", "jackhammer", "chainsaw"),
    ("gunshot", "explosion"),
    ("crying_baby", "children_playing", "laugh"),
    ("knock", "footsteps", "horse", "clock_tick"),
    ("coins", "swords_metal", "glass_break"),
)
NO_CLASS: Final = ("home_background", "street_music")  # not one sound
WORDS: Final = ("speech_commands_subset", "fsdd", "picovoice_wakeword")
QUESTION: Final = {
    "sound": "What sound is this?",
    "instrument": "Which instrument is played?",
    "word": "Which word was said?",
    "order": "Which sound came first?",
}
TASK: Final = {"sound": "sound", "instrument": "music", "word": "speech", "order": "sound"}
LABEL: Final = {
    "sound": "Sound naming",
    "instrument": "Instrument naming",
    "word": "Word recognition",
    "order": "Order of two sounds",
}


def shown(label: str) -> str:
    """ "crying_baby" -> "Crying baby"; "music_violin_or_fiddle" -> "Violin"."""
    name = label.removeprefix("music_").removesuffix("_or_fiddle").replace("_", " ")
    return name[:1].upper() + name[1:]


def alike(a: str, b: str) -> bool:
    """Whether two classes may not stand beside each other."""
    return a == b or any(a in group and b in group for group in ALIKE)


def classes(rows: Sequence[Row], kind: str) -> dict[str, list[Row]]:
    """Class -> dev recordings that questions of a kind are made of."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.split != "dev":
            continue
        if kind == "word":
            fits, name = row.dataset in WORDS and bool(row.text), row.text.lower()
        elif kind == "instrument":
            fits, name = row.kind == "music" and row.label.startswith("music_"), row.label
        else:
            fits, name = row.kind == "event" and row.label not in NO_CLASS, row.label
        if fits:
            found.setdefault(name, []).append(row)
    return dict(sorted(found.items()))


def entries(rows: Sequence[Row], per_kind: int, seed: int) -> list[dict[str, Any]]:
    """Questions in MMAU's keys, `per_kind` of each kind while there are recordings, classes in turn.

    Three keys are ours: `recordings` (paths in the index), `source` (what a bootstrap draws as one) and `starts_s`.
    A recording is used once as a right answer of a kind. Kinds of fewer than four classes are left out (the report has
    a column for each kind that is in). DataError where that leaves none.
    """
    made: list[dict[str, Any]] = []
    for kind in KINDS:
        groups = classes(rows, kind)
        if len(groups) < CHOICES:
            continue
        rng = draw(seed, "understand", kind)
        for row, name in _turns(groups, per_kind, rng):
            one = _order(row, name, groups, rng) if kind == "order" else _one(row, name, kind, groups, rng)
            made.append(one)
    if not made:
        raise DataError(f"expected dev rows of at least {CHOICES} classes of sounds, instruments or words, got none")
    return made


def _turns(groups: dict[str, list[Row]], count: int, rng: np.random.Generator) -> list[tuple[Row, str]]:
    """`count` (recording, class): classes in turn, in a drawn order, recordings of a class without replacement."""
    names = sorted(groups)
    rng.shuffle(names)
    mixed = {}
    for name in names:
        ordered = sorted(groups[name], key=lambda r: r.path)
        mixed[name] = [ordered[i] for i in rng.permutation(len(ordered))]
    turns = [(mixed[n][k], n) for k in range(max(map(len, mixed.values()))) for n in names if k < len(mixed[n])]
    return turns[:count]


def _one(row: Row, name: str, kind: str, groups: dict[str, list[Row]], rng: np.random.Generator) -> dict[str, Any]:
    """One recording, three other classes that are not like it (words: of the same collection, where it has enough)."""
    others = [n for n in groups if not alike(n, name)]
    if kind == "word":
        near = [n for n in others if any(r.dataset == row.dataset for r in groups[n])]
        others = near if len(near) >= CHOICES - 1 else others
    picked: list[str] = []
    for other in [others[i] for i in rng.permutation(len(others))]:
        if len(picked) < CHOICES - 1 and not any(alike(other, p) for p in picked):
            picked.append(other)
    choices = [name, *picked]
    choices = [choices[i] for i in rng.permutation(len(choices))]
    return _entry(kind, [row], [shown(c) for c in choices], shown(name), "easy")


def _order(row: Row, name: str, groups: dict[str, list[Row]], rng: np.random.Generator) -> dict[str, Any]:
    """This recording, then one of another class."""
    others = [n for n in groups if not alike(n, name)]
    other = others[int(rng.integers(len(others)))]
    second = sorted(groups[other], key=lambda r: r.path)[int(rng.integers(len(groups[other])))]
    choices = [shown(name), shown(other)]
    choices = choices if rng.random() < 0.5 else choices[::-1]
    return _entry("order", [row, second], choices, shown(name), "medium")


def _entry(kind: str, rows: Sequence[Row], choices: list[str], answer: str, difficulty: str) -> dict[str, Any]:
    name = hashlib.sha256("|".join([kind, *(r.path for r in rows)]).encode()).hexdigest()[:16]
    return {
        "id": f"{kind}-{name}",
        "audio_id": f"./dev-audios/{kind}-{name}.wav",
        "question": QUESTION[kind],
        "choices": choices,
        "answer": answer,
        "dataset": "+".join(dict.fromkeys(r.dataset for r in rows)),
        "task": TASK[kind],
        "split": "dev",
        "category": "Information Extraction",
        "sub-category": LABEL[kind],
        "difficulty": difficulty,
        "recordings": [r.path for r in rows],
        "source": rows[0].path,
    }


def stream(entry: dict[str, Any]) -> Item:
    """What is rendered for an entry: room tone, the recordings one behind the other, a short tail."""
    paths = entry["recordings"]
    most = EVENT_S if len(paths) == 1 else SHORT_S
    parts = tuple(Part(p, LEAD_S if k == 0 else GAP_S, 0.0, most, LEVEL_DB) for k, p in enumerate(paths))
    seed = int(hashlib.sha256(entry["id"].encode()).hexdigest()[:7], 16)
    return Item(entry["id"], entry["task"], "", "", entry["source"], seed, parts, Bed("room", BED_DB), TAIL_S)


def build(
    rows: Sequence[Row], audio: Path, out: Path, per_kind: int, seed: int, tick: Callable[[], None] = lambda: None
) -> Path:
    """Write `out`/dev.json and `out`/dev-audios/*.wav (16 kHz, 16 bit) -> the JSON; what is there already is kept.

    A recording that cannot be decoded leaves its WAV out: the question stays, and its row will be an error.
    """
    listed, clips = entries(rows, per_kind, seed), Clips(audio)
    out.mkdir(parents=True, exist_ok=True)
    (out / "dev-audios").mkdir(exist_ok=True)
    for entry in listed:
        path = out / entry["audio_id"]
        if not path.is_file():
            try:
                rendered = render(stream(entry), clips, chunk_samples(400))
            except DataError:
                continue
            part = path.with_suffix(".part")
            soundfile.write(part, rendered.audio, SAMPLE_RATE_HZ, subtype="PCM_16", format="WAV")
            os.replace(part, path)
        tick()
    files.write_json(out / NAME, listed)
    return out / NAME
