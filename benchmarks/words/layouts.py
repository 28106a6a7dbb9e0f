"""Speech with words: the dev recordings of index.csv, and the published layouts of LibriSpeech, Common Voice, CoVoST 2.

The readers are strict about what is written (a broken line, an id twice, a recording without a transcript are errors
with file and line). A recording that is written down and is not there is kept: it fails when it is to be heard, and
counts as wrong.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.corpus import Row
from benchmarks.plan import capped
from soundflow.errors import ConfigError, DataError

DATASETS: Final = ("librispeech_train-clean-100_3spk", "an4_test")
LAYOUTS: Final = ("index", "librispeech", "commonvoice")
LONGEST_LINE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording (`path` below the folder of the data) and what is said in it.

    `seconds`: 0 where nobody has looked. `translation` into `target`, where there is one. Languages are codes such as
    "en" and "zh-CN".
    """

    path: str
    text: str
    speaker: str
    group: str
    seconds: float = 0.0
    language: str = "en"
    translation: str = ""
    target: str = ""


def of_index(rows: Sequence[Row], seed: int, longest_s: float) -> list[Utterance]:
    """Dev recordings with text of at most `longest_s`, LibriSpeech and AN4 in turn while there are, drawn by seed.

    DataError where there are none.
    """
    groups = []
    for name in DATASETS:
        mine = [r for r in rows if r.dataset == name and r.split == "dev" and r.text and r.seconds <= longest_s]
        drawn = capped(mine, 0, seed, f"wer/{name}")
        groups.append([Utterance(r.path, r.text, r.speaker, name, r.seconds, r.language or "en") for r in drawn])
    if not any(groups):
        raise DataError(f"expected dev rows with text of {', '.join(DATASETS)}, got none")
    return [g[k] for k in range(max(map(len, groups))) for g in groups if k < len(g)]


def librispeech(folder: Path) -> list[Utterance]:
    """A subset such as LibriSpeech/test-clean: SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac beside
    SPEAKER-CHAPTER.trans.txt, whose lines are "ID TEXT" (Panayotov et al. 2015).

    Raises:
        ConfigError: no transcripts. DataError: a line of another form, an id that is not of its chapter, an id twice, a
        recording without a line.
    """
    files = sorted(folder.glob("*/*/*.trans.txt")) if folder.is_dir() else []
    if not files:
        raise ConfigError(f"{folder}: expected SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt (LibriSpeech), got none")
    return [u for file in files for u in _chapter(file, folder)]


def _chapter(file: Path, folder: Path) -> list[Utterance]:
    chapter, speaker = file.parent.name, file.parent.parent.name
    stem = f"{speaker}-{chapter}"
    if file.name != f"{stem}.trans.txt":
        raise DataError(f"expected {stem}.trans.txt in this folder", str(file))
    found: dict[str, Utterance] = {}
    for number, line in _lines(file):
        name, _, text = line.strip().partition(" ")
        if not name.startswith(f"{stem}-") or not name[len(stem) + 1 :].isdigit() or not text.strip():
            raise DataError(f'expected "{stem}-NNNN TEXT", got {line[:80]!r}', f"{file}:{number}")
        if name in found:
            raise DataError(f"expected each recording once, got {name} again", f"{file}:{number}")
        path = (file.parent / f"{name}.flac").relative_to(folder).as_posix()
        found[name] = Utterance(path, text.strip(), speaker, f"librispeech {folder.name}")
    if lonely := sorted({f.stem for f in file.parent.glob("*.flac")} - found.keys()):
        raise DataError(f"expected a transcript of each recording, got none of {lonely[0]}", str(file))
    return list(found.values())


def commonvoice(folder: Path, split: str, language: str = "") -> list[Utterance]:
    """A language of Common Voice (Ardila et al. 2020): SPLIT.tsv with client_id, path, sentence (more columns may be
    there) and the recordings in clips/. The language is that of the column `locale`, else the given one, else "en".

    Raises:
        ConfigError: no such file. DataError: as `tsv`.
    """
    rows = tsv(folder / f"{split}.tsv", ("client_id", "path", "sentence"))
    return [
        Utterance(
            clip(raw["path"], where),
            raw["sentence"],
            raw["client_id"],
            f"commonvoice {split}",
            language=raw.get("locale") or language or "en",
        )
        for where, raw in rows
    ]


def covost(folder: Path, split: str, source: str, target: str) -> list[Utterance]:
    """CoVoST 2 (Wang et al. 2020): covost_v2.SOURCE_TARGET.SPLIT.tsv with path, sentence, translation, client_id, as
    the authors' get_covost_splits.py writes it (a backslash escapes), beside the clips/ of Common Voice.

    Raises:
        ConfigError: no such file. DataError: as `tsv`.
    """
    file = folder / f"covost_v2.{source}_{target}.{split}.tsv"
    rows = tsv(file, ("path", "sentence", "translation", "client_id"), escape="\\")
    group = f"covost2 {source}_{target} {split}"
    return [
        Utterance(
            clip(raw["path"], where),
            raw["sentence"],
            raw["client_id"],
            group,
            language=source,
            translation=raw["translation"],
            target=target,
        )
        for where, raw in rows
    ]


def tsv(file: Path, columns: Sequence[str], escape: str | None = None) -> list[tuple[str, dict[str, str]]]:
    """("FILE:LINE", column -> value) of each row of a tab-separated file with a header and without quotes.

    Raises:
        ConfigError: no such file. DataError: a column is missing, a row has more or fewer fields than the header, one
        of `columns` is empty in it, a path twice, no rows.
    """
    if not file.is_file():
        raise ConfigError(f"{file}: expected a tab-separated file with {', '.join(columns)}; got no such file")
    found: list[tuple[str, dict[str, str]]] = []
    seen: set[str] = set()
    with file.open(newline="", encoding="utf-8") as lines:
        reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar=escape)
        head = next(reader, [])
        if missing := [c for c in columns if c not in head]:
            raise DataError(f"expected the columns {', '.join(columns)}; {', '.join(missing)} missing", f"{file}:1")
        for fields in reader:
            where = f"{file}:{reader.line_num}"
            if not fields:
                continue
            if len(fields) != len(head):
                raise DataError(f"expected {len(head)} fields, got {len(fields)}", where)
            raw = dict(zip(head, fields, strict=True))
            if empty := [c for c in columns if not raw[c].strip()]:
                raise DataError(f"expected a value of {empty[0]}, got none", where)
            if raw["path"] in seen:
                raise DataError(f"expected each path once, got {raw['path']!r} again", where)
            seen.add(raw["path"])
            found.append((where, raw))
    if not found:
        raise DataError("expected rows below the header, got none", str(file))
    return found


def clip(name: str, where: str) -> str:
    """ "clips/NAME.mp3" of a path column (early releases leave the ending out). DataError for a path with folders."""
    if "/" in name or "\\" in name or name.startswith("."):
        raise DataError(f"expected the name of a file in clips/, got {name!r}", where)
    return f"clips/{name}" if "." in name else f"clips/{name}.mp3"


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if len(line) > LONGEST_LINE:
                raise DataError(f"expected lines of at most {LONGEST_LINE} characters", f"{file}:{number}")
            if line.strip():
                yield number, line
