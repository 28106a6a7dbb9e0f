"""Which tags mean which class: `classes.csv`, written from what the labels mean, never from what a system gave out.

A tag belongs to a class where it is the same sound or a kind of it in the AudioSet ontology (Gemmeke et al. 2017); a
parent that covers other classes, too ("Animal", "Vehicle"), belongs to none. A tag is in one class of a set at most.
The lines of the set "bed" say which class of the index an ambience recording is of: over rain, rain is not scored.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundflow.errors import ConfigError, DataError
from soundflow.types import FloatArray

FILE = Path(__file__).with_name("classes.csv")
COLUMNS = ("set", "class", "labels", "tags", "why")
INDEX, DESED, BED = "index", "desed", "bed"
SETS = (INDEX, DESED)


@dataclass(frozen=True, slots=True)
class Classes:
    """One set: data set label -> class ("" = not scored), tag -> class."""

    name: str
    of_label: Mapping[str, str]
    of_tag: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """All classes, in alphabetical order."""
        return tuple(sorted({c for c in self.of_label.values() if c}))

    def of(self, label: str, where: str) -> str:
        """The class of a data set's label, "" where it is not scored. DataError, naming `where`, for an unknown one."""
        if label not in self.of_label:
            raise DataError(f"expected a label that {FILE.name} has in the set {self.name!r}, got {label!r}", where)
        return self.of_label[label]

    def scores(self, p: FloatArray, tags: Sequence[str]) -> FloatArray:
        """[classes] highest score of the tags of each class, in the order of `names`, out of `p` [tags].

        ConfigError where a class has no tag among `tags`.
        """
        return np.array([p[columns].max() for columns in self.columns(tags)], np.float32)

    def columns(self, tags: Sequence[str]) -> list[list[int]]:
        """For each class the places of its tags. ConfigError where it has none."""
        found: dict[str, list[int]] = {name: [] for name in self.names}
        for place, tag in enumerate(tags):
            if tag in self.of_tag:
                found[self.of_tag[tag]].append(place)
        if empty := [name for name, places in found.items() if not places]:
            raise ConfigError(f"{FILE.name}: a tag of every class was expected among {len(tags)}, got none of {empty}")
        return list(found.values())


def read(name: str = INDEX, path: Path = FILE) -> Classes:
    """The classes of one set.

    Raises:
        ConfigError: an unknown set.
        DataError: other columns, a label or tag twice, a class without tags or the other way round; file and line.
    """
    if name not in (*SETS, BED):
        raise ConfigError(f"sound classes: expected a set of {', '.join(SETS)}, got {name!r}")
    of_label: dict[str, str] = {}
    of_tag: dict[str, str] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise DataError(f"expected the columns {','.join(COLUMNS)}, got {reader.fieldnames}", str(path))
        for line, raw in enumerate(reader, 2):
            where = f"{path}:{line}"
            if raw["set"] not in (*SETS, BED) or None in raw.values() or None in raw:
                raise DataError(f"expected 5 cells, the first of {(*SETS, BED)}, got {list(raw.values())}", where)
            labels, tags = ([x for x in raw[k].split("|") if x] for k in ("labels", "tags"))
            if not labels or bool(tags) != bool(raw["class"] and raw["set"] != BED):
                raise DataError(f"expected labels, and tags where there is a class, got {raw['class']!r}", where)
            if raw["set"] == name:
                _put(of_label, labels, raw["class"], where)
                _put(of_tag, tags, raw["class"], where)
    return Classes(name, of_label, of_tag)


def digest(path: Path = FILE) -> str:
    """Of the file, for the configuration of a run."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _put(into: dict[str, str], names: Sequence[str], value: str, where: str) -> None:
    for name in names:
        if name in into:
            raise DataError(f"expected each label and tag once in a set, got {name!r} again", where)
        into[name] = value
