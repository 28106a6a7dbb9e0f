"""The DCASE task 4 / DESED layout: a tsv of `filename, onset, offset, event_label` beside a folder of audio.

Turpault et al. 2019 (DCASE workshop), Serizel et al. 2020 (ICASSP). A file without events has one line with its name
and empty cells. Audio of any rate and number of channels is mixed down and brought to 16 kHz.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from benchmarks.compose import Bed, Item
from benchmarks.plan import item_seed
from benchmarks.sounds.classes import Classes
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError
from soundflow.types import FloatArray

COLUMNS = ("filename", "onset", "offset", "event_label")
LONGEST_S = 3600.0
SLACK_S = 0.1  # by which an annotation may run over the end of its file


def items(tsv: Path, audio: Path, classes: Classes, most: int = 0, seed: int = 0) -> list[Item]:
    """One item a file, in the order of the tsv; the first `most` of them (0 = all). Audio is not decoded.

    A file that is missing or unreadable is an item all the same: it fails when it is heard, and its events were not
    told.

    Raises:
        ConfigError: no tsv or folder.
        DataError: other columns, a bad number, onset >= offset, an event beyond the end, an event twice, a label that
            the classes do not have, a file named with and without events; file and line.
    """
    if not tsv.is_file() or not audio.is_dir():
        raise ConfigError(f"--desed {tsv} --desed-audio {audio}: expected a tsv and a folder of audio")
    events: dict[str, list[tuple[str, float, float]]] = {}
    empty: set[str] = set()
    with tsv.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise DataError(f"expected the columns {', '.join(COLUMNS)}, got {reader.fieldnames}", f"{tsv}:1")
        for line, raw in enumerate(reader, 2):
            where = f"{tsv}:{line}"
            event = _event(raw, classes, where)
            name = raw["filename"]
            mine = events.setdefault(name, [])
            if (event is None and (mine or name in empty)) or (event is not None and name in empty):
                raise DataError(f"expected either events or one empty line of {name!r}, got both or two", where)
            if event is None:
                empty.add(name)
            elif event in mine:
                raise DataError(f"expected each event of {name!r} once, got {event} again", where)
            else:
                mine.append(event)
    if not events:
        raise DataError("expected at least one line behind the header, got none", str(tsv))
    names = list(events)[:most] if most else list(events)
    return [_item(name, sorted(events[name], key=lambda e: e[1:]), audio, classes, tsv, seed) for name in names]


def _event(raw: dict[str, Any], classes: Classes, where: str) -> tuple[str, float, float] | None:
    if None in raw or None in raw.values() or not raw["filename"]:
        raise DataError(f"expected {len(COLUMNS)} cells with a filename, got {list(raw.values())}", where)
    name = Path(raw["filename"])
    if name.is_absolute() or ".." in name.parts:
        raise DataError(f"expected a filename inside the audio folder, got {raw['filename']!r}", where)
    cells = [raw[k] for k in COLUMNS[1:]]
    if not any(cells):
        return None
    try:
        onset, offset = float(raw["onset"]), float(raw["offset"])
    except ValueError as error:
        raise DataError(f"expected onset and offset in seconds, got {cells[:2]}", where) from error
    if not (math.isfinite(offset) and 0.0 <= onset < offset <= LONGEST_S):
        raise DataError(f"expected 0 <= onset < offset <= {LONGEST_S:g}, got {onset:g} and {offset:g}", where)
    return classes.of(raw["event_label"], where), onset, offset


def _item(
    name: str, events: Sequence[tuple[str, float, float]], audio: Path, classes: Classes, tsv: Path, seed: int
) -> Item:
    last = max((e[2] for e in events), default=1.0)
    path = audio / name
    length = last
    try:
        length = float(soundfile.info(path).duration)
    except (soundfile.LibsndfileError, OSError):
        pass  # `read` says what is wrong with it, in the row of the item
    else:
        if last > length + SLACK_S:
            raise DataError(f"{name}: expected events within its {length:.2f} s, got one until {last:.2f} s", str(tsv))
    facts = {"set": classes.name, "file": str(path), "truth": [[c, a, min(b, length)] for c, a, b in events if c]}
    return Item(
        f"desed/{name}", "events", "sounds" if events else "empty", "context", f"desed/{name}",
        item_seed(seed, name), (), Bed("zero"), 0.0, round(min(length, LONGEST_S), 6), facts=facts,
    )  # fmt: skip


def read(path: Path) -> FloatArray:
    """[n] mono at 16 kHz. DataError, naming the file, where it is no audio, empty, or longer than an hour."""
    try:
        with soundfile.SoundFile(path) as file:
            if not 0 < len(file) <= LONGEST_S * file.samplerate:
                raise DataError(f"expected up to {LONGEST_S:g} s of audio, got {len(file)} samples", str(path))
            data, rate = file.read(dtype="float32", always_2d=True), file.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"expected audio, got an unreadable file: {error}", str(path)) from error
    mono = data.mean(axis=1)
    found: FloatArray = mono if rate == SAMPLE_RATE_HZ else soxr.resample(mono, rate, SAMPLE_RATE_HZ, quality="HQ")
    if not np.isfinite(found).all():
        raise DataError("expected finite samples, got NaN or infinity", str(path))
    return np.ascontiguousarray(found, dtype=np.float32)
