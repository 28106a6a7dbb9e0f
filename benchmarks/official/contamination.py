"""Whether clips of a test set are in what was trained on: fingerprints of the training recordings against a folder.

`train_prints.npz` holds the fingerprints of the recordings that the shipped adapter was trained on (openly licensed
`train` rows of index.csv), so that anybody can check a test set without them: 4 bytes for each 100 ms, and the paths.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import files
from benchmarks.corpus import Clips, read_index
from benchmarks.official.audio import read_clip
from benchmarks.official.lookup import LEAST_BITS, Match, Prints, bits_of
from benchmarks.official.prints import HOP, Flags, Words, code
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError

SHIPPED: Final = Path(__file__).with_name("train_prints.npz")
FORMAT: Final = 1
SUFFIXES: Final = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".w64", ".caf")
MOST_FILES: Final = 100_000
MOST_WORDS: Final = 1 << 26
Tick = Callable[[int, int], None]


def of_train(audio: Path, tick: Tick = lambda done, of: None) -> tuple[list[str], list[Words], list[Flags]]:
    """Paths and fingerprints of the openly licensed `train` rows of `audio`/index.csv."""
    rows = [r for r in read_index(audio) if r.split == "train" and r.open]
    if not rows:
        raise ConfigError(f"--audio {audio}: expected rows of split train with open=yes in index.csv, got none")
    clips, words, heard = Clips(audio, 1), [], []
    for k, row in enumerate(rows):
        found = code(clips.read(row.path))
        words.append(np.where(found.heard, found.words, np.uint32(0)))
        heard.append(found.heard)
        tick(k + 1, len(rows))
    return [r.path for r in rows], words, heard


def save(
    path: Path, names: Sequence[str], words: Sequence[Words], heard: Sequence[Flags], about: dict[str, Any]
) -> None:
    """Write the store: an .npz of plain arrays (no pickle), whole or not at all."""
    facts = {"format": FORMAT, "recordings": len(names), **about}
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        words=np.concatenate([*words, np.zeros(0, np.uint32)]),
        heard=np.packbits(np.concatenate([*heard, np.zeros(0, np.bool_)])),
        counts=np.array([len(w) for w in words], np.uint32),
        names=np.frombuffer("\n".join(names).encode(), np.uint8),
        about=np.frombuffer(json.dumps(facts, sort_keys=True).encode(), np.uint8),
    )
    files.write(path, buffer.getvalue())


def load(path: Path) -> tuple[Prints, dict[str, Any]]:
    """(fingerprints, what they are of). DataError for a file that is not such a store, or not whole."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as body:
            words, counts = body["words"], body["counts"].astype(np.int64)
            names = body["names"].tobytes().decode().split("\n") if len(body["names"]) else []
            about: dict[str, Any] = json.loads(body["about"].tobytes().decode())
            flags = np.unpackbits(body["heard"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"expected fingerprints (bench contamination --write), got {error}", str(path)) from error
    whole = words.ndim == 1 and words.dtype == np.uint32 and int(counts.sum()) == len(words) <= MOST_WORDS
    if not whole or len(names) != len(counts) or len(flags) < len(words) or about.get("format") != FORMAT:
        got = f"{len(names)} names, {len(counts)} counts, {len(words)} words, format {about.get('format')}"
        raise DataError(f"expected fingerprints of format {FORMAT} that fit together, got {got}", str(path))
    ends = np.cumsum(counts)[:-1]
    heard = flags[: len(words)].astype(np.bool_)
    return Prints(names, np.split(words, ends), np.split(heard, ends)), about


def describe(audio: Path, words: Sequence[Words], **more: Any) -> dict[str, Any]:
    """Facts that a store carries: hours, and the hash of the index that it is of."""
    hours = sum(len(w) + 1 for w in words) * HOP / SAMPLE_RATE_HZ / 3600
    index = hashlib.sha256((audio / "index.csv").read_bytes()).hexdigest()
    return {"hours": round(hours, 3), "index_sha256": index, **more}


def audio_files(folder: Path) -> list[Path]:
    """Audio files under `folder`, by name. ConfigError for no folder, none, or more than 100,000."""
    if not folder.is_dir():
        raise ConfigError(f"--test {folder}: expected a folder of audio files")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found or len(found) > MOST_FILES:
        kinds = " ".join(SUFFIXES)
        raise ConfigError(f"--test {folder}: expected 1 to {MOST_FILES} audio files ({kinds}), got {len(found)}")
    return found


def check(store: Prints, folder: Path, tick: Tick = lambda done, of: None) -> Iterator[dict[str, Any]]:
    """A row for each audio file: its best match, whether it is the same audio, or why it cannot be told.

    `state`: "same", "other", "too little" (fewer than 40 bits that count: too short, too quiet, or a single steady
    tone), or "unreadable".
    """
    paths = audio_files(folder)
    for k, file in enumerate(paths):
        row: dict[str, Any] = {"clip": str(file.relative_to(folder))}
        try:
            audio = read_clip(file)
        except DataError as error:
            yield row | {"state": "unreadable", "error": str(error)}
            continue
        if bits_of(audio) < LEAST_BITS:
            yield row | {"state": "too little"}
        else:
            match: Match | None = store.best(audio)
            same = match is not None and match.same
            yield row | {"state": "same" if same else "other"} | (asdict(match) if match else {})
        tick(k + 1, len(paths))
