"""Pseudo-transcripts: what the recogniser hears in each speech clip, so that training sees the words that inference
will see.

Clips are read whole; the file is appended to as it goes, so that a killed run resumes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import soundfile as sf
import soxr

from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import DataError
from soundflow.perceive.moonshine import Moonshine

LONGEST_SECONDS = 28
FAR_FROM_REFERENCE = 0.5
DATASETS = (
    "librispeech_train-clean-100_3spk",
    "librispeech_train-clean-100_resemblyzer",
    "an4_train",
    "picovoice_wakeword",
    "speech_commands_subset",
    "mfa_tests",
)


def read_transcripts(path: Path) -> dict[str, str]:
    """Clip path (relative to its corpus folder) -> text. Raises DataError for a broken line other than the last."""
    found: dict[str, str] = {}
    lines = path.read_text().splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            found[row["path"]] = row["text"]
        except (ValueError, KeyError) as error:
            if number == len(lines):
                break
            raise DataError(f"{path}: line {number} is not a transcript ({error})") from error
    return found


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


def transcribe_bank(bank: Path, out: Path, model: Moonshine) -> Iterator[str]:
    """Transcribe an utterance bank, yielding `bank:` paths.

    Where the recogniser is far from what was said (robotic voices), the text itself is kept: a label that cannot be
    inferred from its words teaches nothing.
    """
    done = read_transcripts(out)
    with out.open("a") as sink:
        for row in json.loads((bank / "index.json").read_text())["utterances"]:
            path = f"bank:{row['path']}"
            if path in done:
                continue
            samples, rate = sf.read(bank / row["path"], dtype="float32")
            heard = model.hear(soxr.resample(samples, rate, SAMPLE_RATE_HZ).astype("float32"))
            same = SequenceMatcher(None, words(heard.text), words(row["text"])).ratio()
            text = heard.text if same >= FAR_FROM_REFERENCE and not heard.looped else row["text"]
            sink.write(json.dumps({"path": path, "text": text}) + "\n")
            sink.flush()
            yield path


def words(text: str) -> list[str]:
    return "".join(c for c in text.lower() if c.isalnum() or c == " ").split()
