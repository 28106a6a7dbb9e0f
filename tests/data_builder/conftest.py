"""A tiny corpus and utterance bank made of synthetic sounds."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from data_builder import synth_alerts as synth
from data_builder.build import Plan
from data_builder.clips import FloatArray
from data_builder.corpora.folder import COLUMNS
from data_builder.mix import noise

SR = 16_000


def babble(rng: np.random.Generator, seconds: float) -> FloatArray:
    """Noise in syllables: no speech, but like it in time."""
    n = int(seconds * SR)
    pulse = 0.5 - 0.5 * np.cos(2 * np.pi * 4 * np.arange(n) / SR)
    return np.asarray(0.3 * noise(rng, n, -3.0) * pulse, dtype=np.float32)


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
        rows.append(row(name, kind, label, respond, **other))

    for split in ("train", "dev"):
        for _ in range(4):
            for label, policy in (("glass_break", "yes"), ("rooster", "no"), ("rain", "no"), ("dog", "context")):
                add(babble(rng, 1.5), "event", label, policy, split=split)
            add(synth.siren_hilo(rng), "event", "siren", "yes", split=split)
            add(babble(rng, 2.0), "speech", "", text="hello", dataset="an4_train", split=split, speaker=split)
            order = "INTENT:orderDrink coffeeDrink=latte;size=small"
            add(babble(rng, 3.0), "speech", order, dataset="picovoice_s2i", split=split)
        add(babble(rng, 25.0), "ambience", "places/cafe", "no", split=split)
    add(babble(rng, 1.5), "event", "cow", "no", open="no")
    write_index(root, rows)
    return root


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank of made-up utterances of every kind."""
    root, rng = tmp_path_factory.mktemp("bank"), np.random.default_rng(6)
    rows = []
    for split in ("train", "dev"):
        for kind, text, more in (
            ("question", "What is two plus two?", {"answer": "Two plus two is four."}),
            ("heard", "What was that sound?", {}),
            ("act", "Lock the back door.", {"call": {"name": "set_lock", "arguments": {"door": "back door"}}}),
            ("side_talk", "I had a latte at the station this morning.", {}),
        ):
            name = f"{split}-{kind}.wav"
            sf.write(root / name, babble(rng, 1.4), SR)
            entry = {"kind": kind, "split": split, "path": name, "text": text, "voice": f"fake:{split}", "seconds": 1.4}
            rows.append({**entry, "licence": "synthetic", **more})
    (root / "index.json").write_text(json.dumps({"schema": 1, "utterances": rows}))
    return root


@pytest.fixture
def plan(corpus: Path, bank: Path, tmp_path: Path) -> Plan:
    return Plan(
        audio=str(corpus), out=str(tmp_path / "out"), streams=12, seed=3, split="train", bank=str(bank), shard_streams=4
    )
