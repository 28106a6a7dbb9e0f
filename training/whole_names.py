"""Which of the named classes a whole sound is (`soundflow.perceive.among`), fitted on recordings by themselves and on
events of cached streams.

A recording is heard as a taught sound is (`training.own_clips`): as it is, and in other rooms, microphones and noise.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError
from soundflow.perceive.among import Among, seen
from soundflow.perceive.whole import WholeConfig
from soundflow.types import FloatArray
from training.named_classes import class_of
from training.named_sounds import HEARD, WINDOW
from training.own_clips import Ear, clip, hear, read
from training.tag_thresholds import Item

PENALTY: Final = 3e-5
"""Of the squared weights, beside the mean loss; chosen on the dial's quarter and on cal streams (training/RUNS.md)."""
MOST: Final = 120
"""Recordings of a class in a folder."""
LEAST: Final = 6
"""Examples of a class; a label of one with fewer goes by its head alone."""
LONGEST: Final = WholeConfig().most  # chunks of an event
STEPS: Final = 200  # of L-BFGS
BED_S: Final = 20
Example = tuple[str, FloatArray]


def recordings(
    folder: Path, ear: Ear, classes: Collection[str], tell: Callable[[str], None], seed: int = 0
) -> Iterator[Example]:
    """Class and features [D] of each take of the openly licensed train events and music of a folder with an index.csv;
    pieces of its ambience lie under some. DataError where it has none of `classes`."""
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == "train" and r["open"] == "yes"]
    rng = np.random.default_rng(seed)
    beds = [read(folder / r["path"])[: BED_S * SAMPLE_RATE_HZ] for r in rows if r["kind"] == "ambience"]
    named = [(name, folder / r["path"]) for r in rows if (name := _class_of(r)) in classes]
    if not named:
        raise DataError("openly licensed train events of a class with a head were expected, got none", str(folder))
    count: Counter[str] = Counter()
    for k in rng.permutation(len(named)).tolist():
        name, path = named[k]
        count[name] += 1
        if count[name] > MOST:
            continue
        try:
            found = clip(path)
        except DataError as error:
            tell(f"left out: {error}")
            continue
        heard = next(hear([found], beds, ear, rng))
        for take in np.unique(heard.own.take):
            loud = (heard.own.take == take) & heard.own.held
            yield name, seen(heard.embeddings[loud])


def _class_of(row: dict[str, str]) -> str | None:
    return {"event": class_of(row["label"]), "music": "music"}.get(row["kind"])


def events(items: Sequence[Item], classes: Collection[str]) -> Iterator[Example]:
    """Class and features [D] of each event of cached streams that no other event lies over."""
    for sample, features in items:
        ends = (np.arange(features.chunks) + 1) * features.chunk_samples
        for event in sample["events"]:
            name, onset, offset = class_of(event["label"]), int(event["onset"]), int(event["offset"])
            over = [e for e in sample["events"] if e["onset"] < offset and e["offset"] > onset]
            heard = np.minimum(offset, ends) - np.maximum(onset, ends - WINDOW)
            chunks = np.flatnonzero(heard >= min(HEARD, offset - onset))[:LONGEST]
            if name in classes and len(over) == 1 and len(chunks):
                yield str(name), seen(features.sound[chunks].astype(np.float32))


def fit(examples: Sequence[Example], penalty: float = PENALTY) -> Among:
    """The smallest cross-entropy; an example counts by the root of how many its class has. DataError where fewer than
    two classes have LEAST."""
    count = Counter(name for name, _ in examples)
    classes = tuple(sorted(name for name, n in count.items() if n >= LEAST))
    if len(classes) < 2:
        raise DataError(f"two classes with {LEAST} examples each were expected, got {dict(count)}")
    kept = [(classes.index(name), x) for name, x in examples if name in classes]
    truth: NDArray[np.intp] = np.array([k for k, _ in kept])
    x, target = torch.from_numpy(np.stack([x for _, x in kept])), torch.from_numpy(truth)
    weight = torch.bincount(target).float().rsqrt()[target]
    layer = torch.nn.Linear(x.shape[1], len(classes))
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    solver = torch.optim.LBFGS(layer.parameters(), max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe")

    def loss() -> Any:
        solver.zero_grad()
        each = F.cross_entropy(layer(x), target, reduction="none")
        found = (weight * each).sum() / weight.sum() + penalty * layer.weight.square().sum()
        found.backward()
        return found

    solver.step(loss)
    return Among(classes, layer.weight.detach().numpy(), layer.bias.detach().numpy())
