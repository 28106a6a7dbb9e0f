"""The recipe of a run: one YAML of common keys and a list of stages.

A key of a stage that stands at the top is the default of every stage. A file without `stages` is one stage.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from soundflow.errors import ConfigError
from training.adapters import PARTS, AdapterConfig
from training.loss import LossConfig

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stretch of training. It goes on from the best checkpoint of the stage before.

    train: folders of cached features. mixture, streams: see `training.mixture`; `streams` 0 means all. leave_out: keys
    of a mixture whose streams are never drawn.
    tag_streams: tag-only streams an epoch. embedding_dropout: share of real streams that lose their sound embedding;
    perturb: share that are perturbed (training/augment.py). ask: share of the streams with variants that are played
    under one. replies: share of sound alerts whose reply text is trained.
    trainable: which of lora, projector, decision change. steps: optimiser steps; minutes: wall time, 0 for no limit.
    tokens_per_batch: padded positions; accumulate: batches a step and worker. ema: decay of the mean weights, 0 off.
    """

    name: str = "train"
    train: tuple[str, ...] = ()
    mixture: Mapping[str, float] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()
    streams: int = 0
    tag_streams: int = 0
    embedding_dropout: float = 0.0
    perturb: float = 0.0
    ask: float = 0.3
    replies: float = 0.6
    trainable: tuple[str, ...] = PARTS
    steps: int = 600
    minutes: float = 0.0
    tokens_per_batch: int = 1200
    accumulate: int = 1
    lora_lr: float = 4e-4
    full_lr: float = 1e-3
    warmup_steps: int = 20
    clip: float = 1.0
    ema: float = 0.0
    loss: LossConfig = field(default_factory=LossConfig)

    def check(self, where: str) -> None:
        """ConfigError for a value out of its range."""
        need(self.train, where, "train", "folders of cached features", list(self.train))
        need(
            set(self.trainable) <= set(PARTS) and self.trainable, where, "trainable", f"some of {PARTS}", self.trainable
        )
        for key in ("embedding_dropout", "perturb", "ask", "replies"):
            need(0 <= getattr(self, key) <= 1, where, key, "a share from 0 to 1", getattr(self, key))
        for key in ("steps", "tokens_per_batch", "accumulate", "clip"):
            need(getattr(self, key) > 0, where, key, "a value above 0", getattr(self, key))
        for key in ("streams", "tag_streams", "minutes", "lora_lr", "full_lr", "warmup_steps"):
            need(getattr(self, key) >= 0, where, key, "a value of at least 0", getattr(self, key))
        need(0 <= self.ema < 1, where, "ema", "a decay from 0 to below 1", self.ema)
        need(0 <= self.loss.late < 1, where, "loss.late", "a share from 0 to below 1", self.loss.late)
        need(len(self.loss.classes) == 3, where, "loss.classes", "three weights", self.loss.classes)
        need(all(w > 0 for w in self.mixture.values()), where, "mixture", "weights above 0", dict(self.mixture))


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One run. `cal`: folders of held-out features. `start`: adapter to go on from. `model`: folder of the model that
    is trained, base or omni, by whose ears all features were made; empty for nano.

    evaluate_every, save_every: optimiser steps. patience: collapses in a row that stop the run, 0 for never.
    merit: weight of an ability in the choice of the best checkpoint, 1 where it is not named.
    bf16: bfloat16 base weights where the machine multiplies them. threads: of all CPU workers together.
    """

    out: str
    cal: tuple[str, ...]
    stages: tuple[Stage, ...]
    transcripts: str = ""
    start: str = ""
    model: str = ""
    seed: int = 0
    evaluate_every: int = 100
    save_every: int = 50
    log_every: int = 10
    eval_streams: int = 240
    patience: int = 2
    merit: Mapping[str, float] = field(default_factory=dict)
    device: str = "auto"
    bf16: bool = True
    threads: int = 2
    adapter: AdapterConfig = field(default_factory=AdapterConfig)

    @property
    def steps(self) -> int:
        """Optimiser steps of all stages."""
        return sum(s.steps for s in self.stages)

    @property
    def folders(self) -> tuple[str, ...]:
        """Every training folder once, in the order of the stages."""
        return tuple(dict.fromkeys(f for s in self.stages for f in s.train))

    def check(self, where: str) -> None:
        """ConfigError for a value out of its range, or for two stages of one name."""
        need(self.device in DEVICES, where, "device", f"one of {DEVICES}", self.device)
        for key in ("evaluate_every", "save_every", "log_every", "eval_streams", "threads"):
            need(getattr(self, key) > 0, where, key, "a value above 0", getattr(self, key))
        names = [s.name for s in self.stages]
        need(names and len(set(names)) == len(names), where, "stages", "stages of different names", names)
        need(all(w >= 0 for w in self.merit.values()), where, "merit", "weights of at least 0", dict(self.merit))
        for stage in self.stages:
            stage.check(f"{where}, stage {stage.name!r}")


def load(path: Path, changes: Sequence[str] = ()) -> RunConfig:
    """Read a recipe: YAML, or the config.json beside a checkpoint. Strict: an unknown key names file and key.

    `changes`: "key=value" or "loss.late=0.1" in YAML, put over the common keys of the file.
    """
    try:
        text = path.read_text()
        raw = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: a readable recipe was expected ({error})") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: a mapping of keys was expected, got {type(raw).__name__}")
    raw.pop("commit", None)
    for change in changes:
        put(raw, change)
    of_stage = {f.name for f in fields(Stage)} - {"name"}
    common = {k: raw.pop(k) for k in list(raw) if k in of_stage}
    listed = raw.pop("stages", [{}])
    if not isinstance(listed, list) or not all(isinstance(s, dict) for s in listed):
        raise ConfigError(f"{path}: stages: a list of mappings was expected")
    nested = common.get("loss", {})
    for losses in (nested, *(s.get("loss", {}) for s in listed)):
        need(isinstance(losses, dict), str(path), "loss", "a mapping", losses)
    merged = [{**common, **s, "loss": {**nested, **s.get("loss", {})}} for s in listed]
    config: RunConfig = made(RunConfig, {**raw, "stages": merged}, str(path))
    config.check(str(path))
    return config


def put(raw: dict[str, Any], change: str) -> None:
    """Put "a.b=value" into a mapping of mappings. ConfigError where it is not of that form."""
    name, equals, text = change.partition("=")
    *outer, last = name.split(".")
    try:
        new = yaml.safe_load(text)
        for key in outer:
            raw = raw.setdefault(key, {})
        if not (equals and last):
            raise ValueError("no name")
        raw[last] = new
    except (ValueError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f"--set: expected KEY=VALUE or LOSS.KEY=VALUE, got {change!r} ({error})") from error


def made(kind: Any, raw: Mapping[str, Any], where: str) -> Any:
    """A dataclass out of a mapping, every value checked against its field's type."""
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{where}: a mapping was expected, got {raw!r}")
    hints = get_type_hints(kind)
    if odd := sorted(set(raw) - set(hints)):
        raise ConfigError(f"{where}: unknown key {odd[0]!r}; known: {', '.join(hints)}")
    needed = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    if absent := [key for key in needed if key not in raw]:
        raise ConfigError(f"{where}: {' and '.join(absent)} expected, got none")
    return kind(**{k: value(hints[k], v, f"{where}: {k}") for k, v in raw.items()})


def value(kind: Any, raw: Any, where: str) -> Any:
    """One value as its type says; ConfigError where it is of another."""
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return made(kind, raw, where)
    if origin is tuple and isinstance(raw, list | tuple):
        return tuple(value(inner[0], v, f"{where}[{i}]") for i, v in enumerate(raw))
    if origin is Mapping and isinstance(raw, Mapping):
        return {str(k): value(inner[1], v, f"{where}.{k}") for k, v in raw.items()}
    if kind is float and isinstance(raw, int | float) and not isinstance(raw, bool):
        return float(raw)
    if isinstance(kind, type) and not isinstance(kind, types.GenericAlias) and type(raw) is kind:
        return raw
    hint = " (write 4.0e-4, not 4e-4: YAML reads the latter as text)" if kind is float else ""
    raise ConfigError(f"{where}: {getattr(kind, '__name__', kind)} was expected, got {raw!r}{hint}")


def need(holds: object, where: str, key: str, expected: str, got: object) -> None:
    if not holds:
        raise ConfigError(f"{where}: {key}: {expected} was expected, got {got!r}")
