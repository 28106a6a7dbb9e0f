"""Pseudo-transcripts: what the recogniser hears in each speech clip, so that training sees the words that inference
will see.

Clips are read whole; the file is appended to as it goes, so that a killed run resumes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import soundfile as sf

from data_builder.talk import read_transcripts
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError
from soundflow.perceive.moonshine import Moonshine

LONGEST_SECONDS = 28
DATASETS = (
    "librispeech_train-clean-100_3spk",
    "librispeech_train-clean-100_resemblyzer",
    "an4_train",
    "picovoice_wakeword",
    "speech_commands_subset",
    "mfa_tests",
)


def transcribe(audio: Path, out: Path, model: Moonshine, datasets: tuple[str, ...], limit: int) -> Iterator[str]:
    """Transcribe up to `limit` English train clips of each dataset into the JSON-lines file `out`, yielding
    their paths.
    """
    done = read_transcripts(out)
    with (audio / "index.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["dataset"] in datasets and r["split"] == "train"]
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a") as sink:
        for dataset in datasets:
            for row in [r for r in rows if r["dataset"] == dataset][:limit]:
                if row["path"] in done:
                    continue
                samples, rate = sf.read(audio / row["path"], dtype="float32", always_2d=True)
                if rate != SAMPLE_RATE_HZ:
                    raise DataError(f"{SAMPLE_RATE_HZ} Hz was expected, got {rate}", row["path"])
                heard = model.hear(samples.mean(axis=1)[: LONGEST_SECONDS * SAMPLE_RATE_HZ])
                sink.write(json.dumps({"path": row["path"], "text": "" if heard.looped else heard.text}) + "\n")
                sink.flush()
                yield row["path"]
