"""A tiny corpus made of synthetic sounds."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data_builder import synth_alerts as synth
from data_builder.clips import FloatArray
from data_builder.corpora.folder import COLUMNS
from data_builder.mix import noise
from data_builder.plan import Plan

SR = 16_000


def babble(rng: np.random.Generator, seconds: float) -> FloatArray:
    """Syllables of noise and tones at drawn times: no speech, but like it, and no two alike."""
    out = 0.002 * noise(rng, int(seconds * SR), -3.0)
    at = 0
    while at < len(out) - 800:
        part = out[at : at + int(rng.uniform(0.08, 0.3) * SR)]
        t = np.arange(len(part)) / SR
        tones = sum(np.sin(2 * np.pi * float(rng.uniform(150, 6000)) * t) for _ in range(3))
        part += (float(rng.uniform(0.05, 0.3)) * np.hanning(len(part)) * tones).astype(np.float32)
        at += int(len(part) * float(rng.uniform(0.7, 1.8)))
    return np.asarray(out, dtype=np.float32)


def row(path: str, kind: str, label: str, respond: str = "", **other: str) -> dict[str, str]:
    base = dict.fromkeys(COLUMNS, "")
    base |= {"path": path, "dataset": "fake", "split": "train", "kind": kind, "label": label, "seconds": "3.0"}
    return {**base, "license": "CC0 1.0", "source": "test", "open": "yes", "respond": respond, **other}


def write_index(root: Path, rows: list[dict[str, str]]) -> None:
    with (root / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with index.csv: alerting, benign, context sounds, ambience, side talk, coffee orders; train and dev."""
    root, rng = tmp_path_factory.mktemp("corpus"), np.random.default_rng(5)
    rows: list[dict[str, str]] = []

    def add(audio: FloatArray, kind: str, label: str, respond: str = "", **other: str) -> None:
        name = f"{len(rows):03d}.wav"
        sf.write(root / name, 0.5 * audio / np.abs(audio).max(), SR)
        rows.append(row(name, kind, label, respond, seconds=f"{len(audio) / SR:.3f}", **other))

    for split in ("train", "dev"):
        for _ in range(4):
            for label, policy in (("glass_break", "yes"), ("rooster", "no"), ("rain", "no"), ("dog", "context")):
                add(babble(rng, 1.5), "event", label, policy, split=split)
            add(synth.siren_hilo(rng), "event", "siren", "yes", split=split)
            add(babble(rng, 2.0), "speech", "", text="hello", dataset="an4_train", split=split, speaker=split)
            add(
                babble(rng, 2.5),
                "speech",
                "",
                text="ENTER FIVE SIX NOW",
                dataset="an4_train",
                speaker=split,
                split=split,
            )
            more = {
                "text": "\u897f\u74dc",
                "language": "zh",
                "speaker": f"{split}-zh",
                "dataset": "hsk",
                "split": split,
            }
            add(babble(rng, 0.9), "speech", "", **more)
            order = "INTENT:orderDrink coffeeDrink=latte;size=small"
            add(babble(rng, 3.0), "speech", order, dataset="picovoice_s2i", split=split)
        add(babble(rng, 25.0), "ambience", "places/cafe", "no", split=split)
    add(babble(rng, 1.5), "event", "cow", "no", open="no")
    write_index(root, rows)
    return root


VOICELESS = ("narrate_events", "proactive_hazard", "proactive_equipment", "silence")
"""Sub-tasks whose streams can be made without a speech engine."""


@pytest.fixture
def plan(corpus: Path, tmp_path: Path) -> Plan:
    """Six short dialogues a block, one block a shard, nobody speaks."""
    return Plan(
        audio=(str(corpus),),
        out=str(tmp_path / "out"),
        hours=0.03,
        seed=3,
        shares=dict.fromkeys(VOICELESS, 1.0),
        block=6,
        shard_mb=1,
    )


@pytest.fixture(scope="session")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cache of what is known of clips, shared by the tests of a session."""
    return tmp_path_factory.mktemp("facts")
