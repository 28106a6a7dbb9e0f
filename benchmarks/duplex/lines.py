"""The lines of the composed set as audio: two synthetic voices of the dev split, or a folder of other voices."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.act_items import VOICES, said
from benchmarks.duplex import texts
from soundflow.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Line:
    """A line as said by one voice; `path` is absolute."""

    text: str
    voice: str
    path: str


Lines = Mapping[str, Sequence[Line]]


def speak(out: Path) -> dict[str, list[Line]]:
    """Each line of `texts.lines()` by one of the voices in turn, into `out` (WAV, 16 kHz, kept).

    ConfigError where neither espeak-ng nor flite is on the PATH.
    """
    have = [v for v in VOICES if shutil.which(v[0])]
    if not have:
        raise ConfigError("expected espeak-ng or flite on the PATH; got none (apt install espeak-ng)")
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[Line]] = {}
    for k, text in enumerate(texts.lines()):
        engine, voice = have[k % len(have)]
        path = said(engine, voice, text, out)
        found.setdefault(text, []).append(Line(text, f"{engine}:{voice}", str(path.resolve())))
    return found


def spoken(folder: Path) -> dict[str, list[Line]]:
    """Lines by other voices: `folder` is of `soundflow data say` (index.csv: path, text, voice).

    Raises:
        ConfigError: no index, or a line of the set that nobody there says.
    """
    found: dict[str, list[Line]] = {}
    try:
        with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                line = Line(row["text"], row["voice"], str((folder / row["path"]).resolve()))
                found.setdefault(row["text"], []).append(line)
    except (OSError, KeyError) as error:
        raise ConfigError(f"{folder}/index.csv: expected path, text and voice, got {error!r}") from error
    missing = [text for text in texts.lines() if text not in found]
    if missing:
        raise ConfigError(
            f"{folder}/index.csv: expected every line of `soundflow bench duplex-lines`, {len(missing)} are missing, "
            f"the first {missing[0]!r}"
        )
    return found
