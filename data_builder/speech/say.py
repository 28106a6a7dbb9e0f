"""Lines of text, each said by several people: WAV files and an index, for whoever needs other voices."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from data_builder.speech.protocol import Engine
from data_builder.speech.voices import Speaker
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError

COLUMNS: Final = ("path", "text", "voice", "licence")
PEAK: Final = 0.7


def say(
    texts: Sequence[str], people: Sequence[Speaker], have: Mapping[str, Engine], each: int, out: Path
) -> Iterator[tuple[int, int]]:
    """Say every text by `each` people in turn into `out`; index.csv lists what is there. Yields (done, in all).

    Who fails at a text is followed by the next one; a text that fewer can say has fewer voices. 16 kHz mono, peak PEAK;
    a file that is there is not made again.

    Raises:
        ConfigError: fewer people than `each`. DataError: a text that nobody could say.
    """
    if not 1 <= each <= len(people):
        raise ConfigError(f"expected 1 to {len(people)} voices a text (as many as there are), got {each}")
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, str]] = []
    for number, text in enumerate(texts):
        turn = [people[(number * each + k) % len(people)] for k in range(len(people))]
        made: list[dict[str, str]] = []
        for person in turn:
            if len(made) == each:
                break
            voice = person.voices["en"]
            name = hashlib.sha256(f"{voice.id}/{text}".encode()).hexdigest()[:16] + ".wav"
            try:
                if not (out / name).is_file():
                    _write(have[voice.engine].say(text, voice), out / name)
            except DataError:
                continue
            made.append({"path": name, "text": text, "voice": person.id, "licence": have[voice.engine].licence(voice)})
        if not made:
            raise DataError(f"expected a voice of {len(people)} that can say it, got none", text)
        rows += made
        yield number + 1, len(texts)
    with (out / "index.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _write(audio: np.ndarray, path: Path) -> None:
    peak = float(np.abs(audio).max()) if audio.size and np.isfinite(audio).all() else 0.0
    if not peak > 0:
        raise DataError("expected finite samples that are not silence", str(path))
    soundfile.write(path, audio * (PEAK / peak), SAMPLE_RATE_HZ)
