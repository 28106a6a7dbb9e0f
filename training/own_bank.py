"""The bank of other sounds: what the frozen encoder makes of openly licensed recordings, so that nobody has to download
any. Features of ours, no audio; own_bank.csv names every recording, its licence and where it is from.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from soundflow.errors import DataError, WeightsError
from soundflow.perceive.own import WIDTH, features
from soundflow.perceive.yamnet import WINDOW_SAMPLES
from soundflow.types import FloatArray
from training.own_clips import Ear, filtered, loudest, noise, read
from training.own_fit import Others

FOLDER: Final = Path(__file__).parent / "own_bank"
COLUMNS: Final = ("label", "recording", "dataset", "license", "source")
SPEECH: Final = "speech ("  # how its labels begin; talk is never left out as being the sound itself
A_LABEL, A_SPEECH, AN_AMBIENCE = 24, 16, 4
"""Recordings of a label or a speech data set; windows of a piece of ambience."""


def load(folder: Path = FOLDER) -> Others:
    """The bank. WeightsError where its files are damaged or do not fit."""
    tensors, listing = folder / "own_bank.safetensors", folder / "own_bank.csv"
    try:
        x = load_file(tensors)["x"]
        with listing.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, SafetensorError, KeyError) as error:
        raise WeightsError(f"{folder}: own_bank.safetensors (x) and own_bank.csv were expected ({error})") from error
    if x.dtype != np.uint8 or x.shape != (len(rows), WIDTH):
        raise WeightsError(f"{tensors}: uint8 [{len(rows)}, {WIDTH}] was expected, got {x.dtype} {list(x.shape)}")
    return Others(unpacked(x), tuple(r["label"] for r in rows), tuple(r["recording"] for r in rows))


def packed(x: FloatArray) -> Any:
    """Features [n, 1024] of length 1 in 8 bits each, by the highest of each row."""
    return np.round(255 * x / np.maximum(x.max(axis=1, keepdims=True), 1e-9)).astype(np.uint8)


def unpacked(x: Any) -> FloatArray:
    """Inverse of `packed`, but for rounding."""
    values = x.astype(np.float32)
    scaled: FloatArray = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
    return scaled


def chosen(rows: Sequence[dict[str, str]], seed: int) -> list[dict[str, str]]:
    """Train rows under an open licence, at most so many of a label, drawn by `seed`."""
    mine = [r for r in rows if r["split"] == "train" and r["open"] == "yes"]
    mine.sort(key=lambda r: r["path"])
    np.random.default_rng(seed).shuffle(mine)  # type: ignore[arg-type]
    counts: dict[str, int] = {}
    kept = []
    for row in mine:
        name = label(row)
        counts[name] = counts.get(name, 0) + 1
        if counts[name] <= (A_SPEECH if row["kind"] == "speech" else A_LABEL):
            kept.append(row)
    return sorted(kept, key=lambda r: (label(r), r["path"]))


def label(row: dict[str, str]) -> str:
    """What a row is called in the bank."""
    return f"{SPEECH}{row['dataset']})" if row["kind"] == "speech" else row["label"]


def make(index: Path, out: Path, ear: Ear, tell: Callable[[str], None], seed: int = 0) -> int:
    """Hear the chosen rows of `index` (index.csv of audio, data_builder's layout) and write the bank -> its windows.

    One window of a recording, the loudest one, filtered at random and over noise 10 to 40 dB under it; of ambience
    AN_AMBIENCE windows, evenly spread, as they are. DataError where the index has no such rows.
    """
    with index.open(encoding="utf-8", newline="") as file:
        rows = chosen(list(csv.DictReader(file)), seed)
    if not rows:
        raise DataError("train rows with open = yes were expected, got none", str(index))
    rng, found, listing = np.random.default_rng([seed, 1]), [], []
    for number, row in enumerate(rows):
        audio = read(index.parent / row["path"])
        audio = np.pad(audio, (0, max(0, WINDOW_SAMPLES - len(audio))))
        if row["kind"] == "ambience":
            starts = np.linspace(0, len(audio) - WINDOW_SAMPLES, AN_AMBIENCE).astype(int)
            windows = [audio[s : s + WINDOW_SAMPLES] for s in starts]
        else:
            windows = [_disturbed(loudest(audio, WINDOW_SAMPLES), rng)]
        found.append(ear.embed(np.stack(windows)))
        named = {"label": label(row), "recording": row["path"]} | {k: row[k] for k in COLUMNS[2:]}
        listing += [named] * len(windows)
        if number % 100 == 99:
            tell(f"{number + 1} of {len(rows)} recordings")
    x = packed(features(np.concatenate(found)))
    out.mkdir(parents=True, exist_ok=True)
    save_file({"x": x}, out / "own_bank.safetensors")
    (out / "own_bank.safetensors").chmod(0o644)
    with (out / "own_bank.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(listing)
    return len(x)


def _disturbed(audio: FloatArray, rng: np.random.Generator) -> FloatArray:
    audio = filtered(audio, rng)
    bed = noise(len(audio), rng)
    power = float(np.mean(np.square(audio, dtype=np.float64))) or 1e-9
    level, under = 10 ** (float(rng.uniform(-34, -18)) / 20), 10 ** (-float(rng.uniform(10, 40)) / 20)
    bed *= np.float32(under / np.sqrt(np.mean(np.square(bed, dtype=np.float64))))
    return ((audio / np.sqrt(power) + bed) * level).astype(np.float32)
