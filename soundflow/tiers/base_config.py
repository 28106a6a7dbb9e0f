"""The config.json of a folder of the `base` tier (and what every model folder begins with): read strictly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from soundflow.clock import chunk_samples
from soundflow.errors import ConfigError
from soundflow.jsonfile import read_object

FORMAT: Final = 1
CONFIG: Final = "config.json"
TIERS: Final = ("nano", "base", "omni")
CACHE_TOKENS: Final = 1024
QUANTISED: Final = ("int8", "4bit")
_PLACE: Final = ("path", "hub", "revision")
_FILE: Final = (*_PLACE, "file")
OF_ONE_FILE: Final = ("sound", "vad")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pretrained part lies: `path`, relative to the model's folder or absolute, or `hub` (owner/name) at a
    `revision`, which `soundflow.tiers.hub` fetches when it is asked to, and nothing else does. `file`: of a part that
    is one file, its path inside that folder or repository; needed with `hub`."""

    path: str = ""
    hub: str = ""
    revision: str = ""
    file: str = ""

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.hub) or bool(self.hub) != bool(self.revision):
            raise ConfigError(f"either path, or hub with a revision, was expected, got {self.to_json() or 'neither'}")
        inside = PurePosixPath(self.file)
        if self.file and (str(inside) != self.file or inside.is_absolute() or ".." in inside.parts or not inside.name):
            raise ConfigError(f"file: a path inside the folder or repository was expected, got {self.file!r}")

    def to_json(self) -> dict[str, str]:
        return {key: value for key in _FILE if (value := getattr(self, key))}


@dataclass(frozen=True, slots=True)
class BaseConfig:
    """Parts of the tier, times in ms. `quantise`: of the language model; None for as `dtype` has it. `vad` None: voice
    activity by level alone. `words` None: no words. `sound_labels`: path, as of a `Place`, of AudioSet's table of class
    names, for a checkpoint that has ids; empty for the one beside it. `licences`: of the parts, by name; for the card.
    """

    lm: Place
    speech: Place
    sound: Place
    vad: Place | None = None
    words: Place | None = None
    chunk_ms: int = 400
    cache_tokens: int = CACHE_TOKENS
    quantise: str | None = None
    speech_left_ms: int | None = None
    speech_look_ahead_ms: int | None = None
    sound_left_ms: int = 9_760
    sound_look_ahead_ms: int = 0
    sound_pool_ms: int | None = None
    licences: tuple[tuple[str, str], ...] = ()
    sound_labels: str = ""

    def __post_init__(self) -> None:
        for name in OF_ONE_FILE:
            place = self.places.get(name)
            if place and place.hub and not place.file:
                raise ConfigError(f"{name}: file: which file of {place.hub} was expected, got none")

    @staticmethod
    def read(folder: Path) -> BaseConfig:
        """ConfigError names file and key, WeightsError a file that is missing."""
        raw, where = head(folder), str(folder / CONFIG)
        if raw["tier"] != "base":
            raise ConfigError(f"{where}: tier 'base' was expected, got {raw['tier']!r}")
        parts = {"lm", "speech", "sound", "vad", "words"}
        _known(raw, {"format", "tier", "chunk_ms", "cache_tokens", "licences"} | parts, where)
        lm = _section(raw, "lm", where, ("quantise",))
        speech = _section(raw, "speech", where, ("left_ms", "look_ahead_ms"))
        sound = _section(raw, "sound", where, ("file", "labels", "left_ms", "look_ahead_ms", "pool_ms"))
        default = BaseConfig(Place("."), Place("."), Place("."))
        quantise = lm.get("quantise")
        if quantise is not None and quantise not in QUANTISED:
            raise ConfigError(f"{where}: lm.quantise: null or one of {', '.join(QUANTISED)} expected, got {quantise!r}")
        given: dict[str, Any] = dict(
            lm=_place(lm, f"{where}: lm"),
            speech=_place(speech, f"{where}: speech"),
            sound=_place(sound, f"{where}: sound"),
            vad=_optional(raw, "vad", where, ("file",)),
            words=_optional(raw, "words", where, ()),
            chunk_ms=_whole(raw, "chunk_ms", where, default.chunk_ms),
            cache_tokens=_whole(raw, "cache_tokens", where, default.cache_tokens),
            quantise=quantise,
            speech_left_ms=_time(speech, "left_ms", f"{where}: speech"),
            speech_look_ahead_ms=_time(speech, "look_ahead_ms", f"{where}: speech"),
            sound_left_ms=_whole(sound, "left_ms", f"{where}: sound", default.sound_left_ms, 0),
            sound_look_ahead_ms=_whole(sound, "look_ahead_ms", f"{where}: sound", default.sound_look_ahead_ms, 0),
            sound_pool_ms=_time(sound, "pool_ms", f"{where}: sound"),
            licences=licences_of(raw.get("licences", {}), parts, where),
            sound_labels=_text(sound, "labels", f"{where}: sound") if "labels" in sound else "",
        )
        try:
            return BaseConfig(**given)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """What `read` takes."""
        speech = {"left_ms": self.speech_left_ms, "look_ahead_ms": self.speech_look_ahead_ms}
        sound = {
            "left_ms": self.sound_left_ms,
            "look_ahead_ms": self.sound_look_ahead_ms,
            "pool_ms": self.sound_pool_ms,
        } | ({"labels": self.sound_labels} if self.sound_labels else {})
        return {
            "format": FORMAT,
            "tier": "base",
            "chunk_ms": self.chunk_ms,
            "cache_tokens": self.cache_tokens,
            "lm": {**self.lm.to_json(), "quantise": self.quantise},
            "speech": {**self.speech.to_json(), **speech},
            "sound": {**self.sound.to_json(), **sound},
            "vad": self.vad.to_json() if self.vad else None,
            "words": self.words.to_json() if self.words else None,
            "licences": dict(self.licences),
        }

    def save(self, folder: Path) -> None:
        write(folder, self.to_json())

    @property
    def chunk_samples(self) -> int:
        return chunk_samples(self.chunk_ms)

    @property
    def places(self) -> dict[str, Place]:
        """Of the parts that it has, by name."""
        all_of = {"lm": self.lm, "speech": self.speech, "sound": self.sound, "vad": self.vad, "words": self.words}
        return {name: place for name, place in all_of.items() if place is not None}


def head(folder: Path) -> dict[str, Any]:
    """The whole config.json of a model folder of any tier, of which format and tier were checked.

    Raises:
        WeightsError: there is none, or no JSON in it.
        ConfigError: no JSON object, another format, or no tier that we know.
    """
    path = folder / CONFIG
    raw = read_object(path, "the config.json of a model folder", other=ConfigError)
    if raw.get("format") != FORMAT:
        raise ConfigError(f"{path}: format {FORMAT} was expected, got {raw.get('format')!r}")
    if raw.get("tier") not in TIERS:
        raise ConfigError(f"{path}: tier: one of {', '.join(TIERS)} was expected, got {raw.get('tier')!r}")
    return raw


def write(folder: Path, raw: Mapping[str, Any]) -> None:
    (folder / CONFIG).write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")


def _known(raw: Mapping[str, Any], keys: set[str], where: str) -> None:
    if unknown := sorted(set(raw) - keys):
        raise ConfigError(f"{where}: unknown key {unknown[0]!r}")


def _section(raw: Mapping[str, Any], name: str, where: str, more: tuple[str, ...]) -> dict[str, Any]:
    found = raw.get(name)
    if not isinstance(found, dict):
        raise ConfigError(f"{where}: {name}: an object was expected, got {found!r}")
    _known(found, {*_PLACE, *more}, f"{where}: {name}")
    return found


def _optional(raw: Mapping[str, Any], name: str, where: str, more: tuple[str, ...]) -> Place | None:
    return None if raw.get(name) is None else _place(_section(raw, name, where, more), f"{where}: {name}")


def _place(raw: Mapping[str, Any], where: str) -> Place:
    given = {key: _text(raw, key, where) for key in _FILE if key in raw}
    try:
        return Place(**given)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _text(raw: Mapping[str, Any], key: str, where: str) -> str:
    value = raw[key]
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}: {key}: text was expected, got {value!r}")
    return value


def _time(raw: Mapping[str, Any], key: str, where: str) -> int | None:
    return None if raw.get(key) is None else _whole(raw, key, where, 0, 0)


def _whole(raw: Mapping[str, Any], key: str, where: str, default: int, least: int = 1) -> int:
    value = raw.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"{where}: {key}: a whole number of at least {least} was expected, got {value!r}")
    return value


def licences_of(raw: Any, parts: Iterable[str], where: str) -> tuple[tuple[str, str], ...]:
    """Pairs of a part's name and its licence, or that of the adapter. ConfigError for other names, and no text."""
    if not isinstance(raw, dict) or not all(isinstance(x, str) for x in raw.values()):
        raise ConfigError(f"{where}: licences: a licence for each part was expected, got {raw!r}")
    _known(raw, {*parts, "adapter"}, f"{where}: licences")
    return tuple(raw.items())
