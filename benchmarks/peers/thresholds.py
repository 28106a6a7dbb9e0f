"""Fits the thresholds of `yamnet-threshold` on open train clips, composed as the benchmark composes them.

The threshold of a label is just above the (1 - q) quantile of its highest score over the train items that want
silence; one q for all labels is chosen for the highest balanced accuracy on train. So each class has its own, and one
number is fitted to what is to be answered: of most classes there are a dozen clips, to which free thresholds would fit.

    python -m benchmarks.peers.thresholds --out DIR [--audio DIR] [--per-class N] [--write]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import files
from benchmarks.compose import Item, render
from benchmarks.corpus import Row, audio_folder, read_index
from benchmarks.hear import Shop, Tick, attempt
from benchmarks.instances import Row as Instance
from benchmarks.peers.yamnet import FITTED, GROUP_OF, NAME
from benchmarks.plan import single_events
from benchmarks.systems import CHUNK_MS, Setup
from benchmarks.workers import run
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_samples
from soundflow.errors import DataError
from soundflow.perceive.sound import SoundEncoder, labels
from soundflow.scoring import Outcome, balanced_accuracy
from soundflow.tiers import weights

SHARES: Final = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08)
"""q: the share of the items to be silent at that may pass one label's threshold."""
LOWEST: Final = 0.05
JUST: Final = 1e-5
"""Above the quantile: an item whose peak it is stays silent."""


def hear_peaks(item: Item, names: Sequence[str], shop: Shop, tick: Tick) -> list[Instance]:
    """The highest score of each alerting label over the sound of an item, from its onset on."""
    kept = shop.kept.get("yamnet")
    if kept is None:
        path, chunk = weights.part("sound") / "yamnet.tflite", chunk_samples(CHUNK_MS)
        kept = shop.kept["yamnet"] = (SoundEncoder(path, chunk), labels(path), chunk)
    return [attempt(item, NAME, lambda: _peaks(item, shop, tick, *kept))]


def _peaks(item: Item, shop: Shop, tick: Tick, encoder: SoundEncoder, listed: Sequence[str], chunk: int) -> Instance:
    rendered = render(item, shop.clips, chunk)
    state, peaks = encoder.init_state(), np.zeros(len(listed), np.float32)
    for start in range(0, len(rendered.audio) - chunk + 1, chunk):
        scores = encoder.step(rendered.audio[start : start + chunk], state).scores.max(axis=0)
        if item.respond != "yes" or start + chunk > rendered.onset:
            peaks = np.maximum(peaks, scores)
        tick(chunk / SAMPLE_RATE_HZ)
    found = {label: round(float(peaks[listed.index(label)]), 5) for label in GROUP_OF}
    return {"id": item.id, "system": NAME, "item": item.to_dict(), "peaks": found}


def fit(rows: Sequence[Row], setup: Setup, out: Path, *, per_class: int, seed: int, workers: int) -> dict[str, Any]:
    """Hear the train items (kept in `out`) and fit; see the module. DataError where a side has no items."""
    items = single_events(rows, "train", per_class, seed, (20.0,))
    items = [i for i in items if i.group in ("event", "ambience") and i.respond in ("yes", "no")]
    heard = run("yamnet on train", items, out, Setup(setup.audio, (NAME,)), hear_peaks, workers=workers)
    body = chosen([r for r in heard if not r.get("error")])
    return body | {"per_class": per_class, "seed": seed, "failed": sum(bool(r.get("error")) for r in heard)}


def chosen(rows: Sequence[Instance]) -> dict[str, Any]:
    """The best q of SHARES with its thresholds and its balanced accuracy on these rows."""
    quiet = [r for r in rows if r["item"]["respond"] == "no"]
    if not quiet or len(quiet) == len(rows):
        raise DataError(
            f"{NAME}: train items of both sides were expected, got {len(rows)} with {len(quiet)} to be silent"
        )
    best: dict[str, Any] = {}
    for share in SHARES:
        limits = {
            label: round(max(LOWEST, float(np.quantile([r["peaks"][label] for r in quiet], 1 - share))) + JUST, 5)
            for label in GROUP_OF
        }
        scored = []
        for row in rows:
            ratio = max(row["peaks"][label] / limit for label, limit in limits.items())
            item = row["item"]
            scored.append(Outcome(item["respond"] == "yes", ratio >= 1.0, ratio, item["label"], item["source"]))
        accuracy = round(balanced_accuracy(scored), 4)
        if not best or accuracy > best["train_balanced_accuracy"]:
            best = {"share": share, "train_balanced_accuracy": accuracy, "train_items": len(rows), "thresholds": limits}
    return best


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.peers.thresholds", description=f"Fit {NAME} on train.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--audio", type=Path)
    parser.add_argument("--per-class", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put it into the package")
    given = parser.parse_args(arguments)
    audio = audio_folder(given.audio)
    body = fit(
        read_index(audio), Setup(audio), given.out, per_class=given.per_class, seed=given.seed, workers=given.workers
    )
    files.write_json(given.out / FITTED.name, body)
    if given.write:
        files.write_json(FITTED, body)
    print(json.dumps({k: v for k, v in body.items() if k != "thresholds"}))


if __name__ == "__main__":
    main()
