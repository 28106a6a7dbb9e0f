"""Parts of a model that lie on the hub: fetched when somebody asks for it, found afterwards without a network.

home()/models/hub/<owner>--<name>/<revision>/    the files of a repository that some part needed, by their paths there
                                    .../FETCHED   a line for each part that has all of them: its kind and its file
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from soundflow.download import HUB_NAME, LM, REVISION, SPEECH, WORDS, Wanted, download, one_file
from soundflow.errors import ConfigError, WeightsError
from soundflow.tiers.base_config import Place
from soundflow.tiers.weights import home

FOLDERS: Final[Mapping[str, Wanted]] = {"lm": LM, "speech": SPEECH, "words": WORDS}
"""Parts that are a folder, and what of it they read; the others are one file."""
BESIDE: Final[Mapping[str, tuple[str, ...]]] = {"sound": ("config.yaml", "class_labels_indices.csv"), "vad": ()}
"""What a part that is one file reads beside it."""
_MARK: Final = "FETCHED"


def find(place: Place, model: Path) -> Path:
    """Where a part of the model folder `model` lies on this machine: a folder, or the part's `file` in it.

    Raises:
        WeightsError: it is not there; of one of the hub, the message says how it is fetched.
    """
    if place.path:
        found = model / place.path / place.file
        if not found.exists():
            raise WeightsError(f"{found}: a part of {model} was expected, there is no such file or folder")
        return found
    folder = folder_of(place)
    found = folder / place.file
    if not any(line.split(" ", 1)[1:] == ([place.file] if place.file else []) for line in _fetched(folder)):
        raise WeightsError(f"{place.hub}@{place.revision}: not fetched: run `soundflow models pull {model}`")
    return found


def folder_of(place: Place) -> Path:
    """Where a part of the hub lies once it was fetched. ConfigError for no name of the hub."""
    if not HUB_NAME.fullmatch(place.hub) or ".." in place.hub or not REVISION.fullmatch(place.revision):
        raise ConfigError(f"owner/name and a revision were expected, got {place.hub!r} and {place.revision!r}")
    return home() / "models" / "hub" / place.hub.replace("/", "--") / place.revision


def fetch(parts: Mapping[str, Place], say: Callable[[str], None] = lambda _: None) -> int:
    """Download the parts, by their names in config.json, that lie on the hub and are not here yet -> how many there
    were. Of each repository only what its part reads is fetched.

    Raises:
        WeightsError: one cannot be had; those before it stay.
    """
    count = 0
    for name, place in parts.items():
        if not place.hub:
            continue
        target, line = folder_of(place), f"{name} {place.file}".strip()
        held = _fetched(target)
        if line in held:
            continue
        say(f"{place.hub}@{place.revision}")
        with _quiet():
            download(place.hub, place.revision, wanted(name, place), target)
        half = target / f"{_MARK}.part"
        half.write_text("".join(f"{x}\n" for x in sorted({*held, line})), encoding="utf-8")
        os.replace(half, target / _MARK)
        count += 1
    return count


def wanted(name: str, place: Place) -> Wanted:
    """What of a repository or folder the part `name` reads."""
    return FOLDERS[name] if name in FOLDERS else one_file(place.file, BESIDE[name])


@contextmanager
def _quiet() -> Iterator[None]:
    """The hub's client tells of every try; our error tells of the last."""
    from huggingface_hub.utils import logging as client

    before = client.get_verbosity()
    client.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        client.set_verbosity(before)


def _fetched(folder: Path) -> set[str]:
    mark = folder / _MARK
    return set(mark.read_text(encoding="utf-8").splitlines()) if mark.is_file() else set()
