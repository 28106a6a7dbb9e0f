"""The audio folder: a strict reader of its index.csv, and decoded clips. Nothing here is trained on."""

from __future__ import annotations

import csv
import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import soundfile

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError
from soundflow.types import FloatArray

ENVIRONMENT = "SOUNDFLOW_AUDIO"
ADDRESSED = ("picovoice_s2i", "picovoice_wakeword")  # speech to a machine: never "not addressed"
KINDS = ("event", "ambience", "music", "speech")
RESPOND = ("yes", "no", "context", "")
TRIM_DB = -40.0  # of the clip's peak; 10 ms frames
FRAME = SAMPLE_RATE_HZ // 100
LEFT_OUT = Path(__file__).with_name("left_out.csv")
DIAL_SHARE = 4  # one dev recording in so many serves the default dial, and is in no other figure


@dataclass(frozen=True, slots=True)
class Row:
    """One line of index.csv. `open` tells whether the licence allows training; `respond` is the default policy.

    `split` is train, dev or dial: a quarter of the file's dev recordings, on which the default threshold is fitted.
    """

    path: str
    dataset: str
    split: str
    kind: str
    label: str
    text: str
    speaker: str
    language: str
    seconds: float
    license: str
    source: str
    open: bool
    respond: str


def audio_folder(given: Path | None) -> Path:
    """`given`, else $SOUNDFLOW_AUDIO. ConfigError, saying what is expected, where there is no such folder."""
    named = given or (Path(os.environ[ENVIRONMENT]) if os.environ.get(ENVIRONMENT) else None)
    wanted = "a folder of 16 kHz mono audio with index.csv (path,dataset,split,kind,label,...): docs/benchmarks.md"
    if named is None:
        raise ConfigError(f"--audio DIR (or {ENVIRONMENT}) was expected: {wanted}")
    if not (named / "index.csv").is_file():
        raise ConfigError(f"{named}: expected {wanted}; got no index.csv")
    return named


def read_index(folder: Path) -> list[Row]:
    """All rows in the order of the file, but for dev recordings that are no test: their own name says that the label is
    wrong, train has the same recording, or an ambience holds an alert.

    These are in benchmarks/left_out.csv, each with its reason. The alert was found by looking at false alarms of ours;
    no result of any system was used to find the others.

    Raises:
        DataError: a missing or unknown column, an unknown kind or policy, a bad number, a path twice; line and value.
    """
    path, names = folder / "index.csv", [f.name for f in fields(Row)]
    rows: list[Row] = []
    seen: set[str] = set()
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        if sorted(reader.fieldnames or ()) != sorted(names):
            raise DataError(f"expected the columns {','.join(names)}, got {reader.fieldnames}", str(path))
        for line, raw in enumerate(reader, 2):
            where = f"{path}:{line}"
            if raw["kind"] not in KINDS or raw["respond"] not in RESPOND or raw["open"] not in ("yes", "no"):
                got = {k: raw[k] for k in ("kind", "respond", "open")}
                raise DataError(f"expected kind of {KINDS}, respond of {RESPOND}, open yes or no; got {got}", where)
            if raw["path"] in seen or not raw["path"]:
                raise DataError(f"expected a path that is not used twice, got {raw['path']!r}", where)
            try:
                length = float(raw["seconds"])
            except ValueError as error:
                raise DataError(f"expected seconds as a number, got {raw['seconds']!r}", where) from error
            seen.add(raw["path"])
            rows.append(Row(**{**raw, "seconds": length, "open": raw["open"] == "yes"}))  # type: ignore[arg-type]
    chosen, wrong = dial_rows(rows), left_out()
    return [replace(r, split="dial") if r.path in chosen else r for r in rows if (r.path, r.label) not in wrong]


def left_out(path: Path = LEFT_OUT) -> set[tuple[str, str]]:
    """(path, label) of the recordings that are left out."""
    with path.open(newline="", encoding="utf-8") as lines:
        return {(raw["path"], raw["label"]) for raw in csv.DictReader(lines)}


def dial_rows(rows: Sequence[Row]) -> set[str]:
    """Paths of the dev recordings that serve the dial: of each class (speech: data set; ambience: all) one in four.

    Drawn by a hash of the speaker, or of the path where there is none, so that a speaker is mostly on one side; a class
    of fewer than four keeps them all in dev, and so do the orders, which no threshold is fitted on.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.split == "dev" and row.dataset not in ADDRESSED:
            name = {"speech": row.dataset, "ambience": ""}.get(row.kind, row.label)
            groups.setdefault((row.kind, name), []).append(row)
    chosen: set[str] = set()
    for members in groups.values():
        members.sort(key=lambda r: (hashlib.sha256((r.speaker or r.path).encode()).digest(), r.path))
        chosen |= {r.path for r in members[: len(members) // DIAL_SHARE]}
    return chosen


class Clips:
    """Decoded files of the folder; the last `most` are kept."""

    def __init__(self, folder: Path, most: int = 32) -> None:
        self.folder, self._most = folder, most
        self._kept: OrderedDict[str, FloatArray] = OrderedDict()

    def read(self, path: str) -> FloatArray:
        """[n] samples. DataError, naming the file, where it is not 16 kHz mono audio with sound in it."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        try:
            data, rate = soundfile.read(self.folder / path, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, OSError) as error:
            raise DataError(f"expected audio, got an unreadable file: {error}", path) from error
        if rate != SAMPLE_RATE_HZ or data.shape[1] != 1 or not len(data):
            raise DataError(f"expected 16000 Hz mono, got {rate} Hz x {data.shape[1]}, {len(data)} samples", path)
        samples = np.ascontiguousarray(data[:, 0])
        self._kept[path] = samples
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return samples

    def audible(self, path: str) -> FloatArray:
        """The file without the quiet at its ends (10 ms frames under -40 dB of its peak). DataError for silence."""
        samples = self.read(path)
        frames = len(samples) // FRAME
        peaks = np.abs(samples[: frames * FRAME]).reshape(frames, FRAME).max(axis=1) if frames else np.zeros(1)
        if peaks.max() < 1e-4:
            raise DataError("expected sound, got silence", path)
        loud = np.flatnonzero(peaks >= peaks.max() * 10 ** (TRIM_DB / 20))
        return samples[int(loud[0]) * FRAME : (int(loud[-1]) + 1) * FRAME]
