"""A released checkpoint as an omni folder (`soundflow.tiers.omni.settings`). Nothing is held but a block of bytes.

Reads a Hugging Face folder of Qwen2.5-Omni, whole or its thinker alone, or the folder that the code of *Audio
Interaction Model* loads (`soundflow.tiers.omni.names`). Run it as `python -m soundflow.tiers.omni.convert FROM TO`.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from soundflow.decide.backbones.config import DecoderConfig
from soundflow.errors import ConfigError, SoundflowError, WeightsError
from soundflow.jsonfile import read_object
from soundflow.perceive.omni.tower import TowerConfig
from soundflow.tiers.omni import names, pieces
from soundflow.tiers.omni.layout import Tokens
from soundflow.tiers.omni.names import Shapes, Source
from soundflow.tiers.omni.pieces import Piece, Progress
from soundflow.tiers.omni.settings import CONTEXT_TOKENS, LM, PAPER, TOKENIZER, TOWER, Settings

RELEASE_CONFIGS: Final = ("qwen25OmniConfig", "qwen_2_5_omni_config")
RELEASE_TOWERS: Final = ("*_ChunkwisedEncoder.safetensors", "*_ChunkwisedEncoder.pth", "*_ChunkwisedEncoder.pt")
RELEASE_TEXTS: Final = ("*_LM.safetensors", "*_LM.pt", "*_LM.pth")
"""Names differ from one release to the next (audiointeraction_, MiniOmni3_); of several formats the first is read."""
EMBEDDINGS, HEAD = "model.embed_tokens.weight", "lm_head.weight"
Held = Mapping[str, Piece]


@dataclass(frozen=True, slots=True)
class Report:
    """What was written. `layout`: hub or release. `left_out`: tensors that a stream does not need, by part."""

    layout: str
    tower: int
    text: int
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """Where both parts lie, and how each is named there."""

    layout: str
    config: Mapping[str, Any]
    where: Path
    tower: Held
    text: Held
    of_tower: Callable[[str], Source]
    of_text: Callable[[str, DecoderConfig], Source]
    left_out: tuple[str, ...]


def convert(source: Path, target: Path, tokens: Tokens | None = None, progress: Progress | None = None) -> Report:
    """Write an omni folder.

    Args:
        source: a checkpoint; only safetensors and, of the release, state dicts that hold nothing but tensors are read.
        target: empty, or not there; config.json is written last.
        tokens: of the layout; None is the paper's.

    Raises:
        WeightsError: tensors are missing, left over (by part of the model) or of other shapes, or a file is broken.
        ConfigError: something is in `target` already, or the layout's ids do not fit the vocabulary.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target}: an empty folder was expected")
    found = _open(source)
    tower_config = TowerConfig.of_hub(_part(found, "audio_config"), str(found.where))
    text, tied = _text_config(found)
    settings = Settings(tower_config, text.vocab, tokens or PAPER, context_tokens=_context(text))
    Tokens.read(settings.tokens.to_json(), text.vocab, f"{found.where}: the layout's tokens")
    if tower_config.out != text.width:
        raise WeightsError(f"{found.where}: output_dim {text.width} was expected, got {tower_config.out}")
    tower = _gather(names.tower_shapes(tower_config), found.tower, found.of_tower, source)
    texts = _gather(names.text_shapes(text, tied), found.text, lambda name: found.of_text(name, text), source)
    left_out = _left(found, {s.name for s in tower.values()}, {s.name for s in texts.values()}, source)
    if not (source / TOKENIZER).is_file():
        raise WeightsError(f"{source / TOKENIZER} was expected beside the weights")
    (target / LM).mkdir(parents=True, exist_ok=True)
    pieces.write(target / TOWER, _cut(tower, found.tower, names.tower_shapes(tower_config)), progress)
    pieces.write(target / LM / pieces.FILE, _cut(texts, found.text, names.text_shapes(text, tied)), progress)
    body = json.dumps(names.qwen2_config(text, tied), indent=1)
    (target / LM / "config.json").write_text(body + "\n", encoding="utf-8")
    shutil.copyfile(source / TOKENIZER, target / TOKENIZER)
    settings.save(target)
    return Report(found.layout, len(tower), len(texts), left_out)


def _open(source: Path) -> _Checkpoint:
    apart = next((source / name for name in RELEASE_CONFIGS if (source / name).is_dir()), None)
    if apart is not None:
        return _open_release(source, apart / "config.json")
    where = source / "config.json"
    config = read_object(where, "a readable config.json")
    held = pieces.of_folder(source)
    root = "thinker." if any(name.startswith("thinker.") for name in held) else ""
    return _Checkpoint(
        "hub",
        config.get("thinker_config", config),
        where,
        held,
        held,
        lambda name: Source(f"{root}audio_tower.{name}"),
        lambda name, _: Source(root + name),
        (*names.HUB_LEFT_OUT, *(f"{root}audio_tower.{name}" for name in names.TOWER_LEFT_OUT)),
    )


def _open_release(source: Path, where: Path) -> _Checkpoint:
    config = read_object(where, "a readable config.json")
    tower = _sole(source, RELEASE_TOWERS)
    if tower is None:
        raise WeightsError(f"{source}: the audio tower was expected beside the language model: {RELEASE_TOWERS[1]}")
    sharded = (source / pieces.INDEX).exists() or (source / pieces.FILE).exists()
    whole = None if sharded else _sole(source, RELEASE_TEXTS)
    return _Checkpoint(
        "release",
        config.get("thinker_config", config),
        where,
        _pieces(tower),
        pieces.of_folder(source) if whole is None else _pieces(whole),
        Source,
        names.release_source,
        names.TOWER_LEFT_OUT,
    )


def _sole(source: Path, patterns: tuple[str, ...]) -> Path | None:
    """The file of these formats, the first where it is there in several. WeightsError names files of several models."""
    found = [path for pattern in patterns for path in sorted(source.glob(pattern))]
    if len({path.stem for path in found}) > 1:
        raise WeightsError(f"{source}: one {patterns[0]} was expected, got {', '.join(x.name for x in found)}")
    return found[0] if found else None


def _pieces(path: Path) -> Held:
    return pieces.of_file(path) if path.suffix == ".safetensors" else pieces.of_torch(path)


def _text_config(found: _Checkpoint) -> tuple[DecoderConfig, bool]:
    """Of the language model; its vocabulary is as large as the table that is there. And whether the head is tied."""
    config = DecoderConfig.of(_part(found, "text_config"), f"{found.where}: text_config")
    table, head = (found.of_text(name, config).name for name in (EMBEDDINGS, HEAD))
    if table not in found.text:
        raise WeightsError(f"{found.where.parent}: tensor {table!r} was expected and is not there")
    return replace(config, vocab=found.text[table].shape[0]), head not in found.text


def _context(text: DecoderConfig) -> int:
    return min(CONTEXT_TOKENS, text.limit)


def _part(found: _Checkpoint, name: str) -> Mapping[str, Any]:
    part = found.config.get(name)
    if not isinstance(part, Mapping):
        raise WeightsError(f"{found.where}: {name} of a Qwen2.5-Omni thinker was expected, got {part!r}")
    return part


def _gather(wanted: Shapes, held: Held, find: Callable[[str], Source], source: Path) -> dict[str, Source]:
    """Where each wanted tensor lies. WeightsError where one is missing, of another shape or no floats."""
    sources = {name: find(name) for name in wanted}
    if missing := [s.name for s in sources.values() if s.name not in held]:
        raise WeightsError(f"{source}: missing tensors: {_listed(missing)}")
    for name, shape in wanted.items():
        at = sources[name]
        expected = shape if at.of is None else (at.of, *shape[1:])
        piece = held[at.name]
        if piece.shape != expected:
            raise WeightsError(f"{piece.path}: {at.name} {list(expected)} was expected, got {list(piece.shape)}")
        if piece.dtype not in pieces.WIDTHS:
            types = ", ".join(pieces.WIDTHS)
            raise WeightsError(f"{piece.path}: {at.name}: one of {types} was expected, got {piece.dtype}")
    return sources


def _cut(sources: Mapping[str, Source], held: Held, wanted: Shapes) -> dict[str, Piece]:
    return {
        name: held[at.name] if at.of is None else held[at.name].rows(at.first, wanted[name][0])
        for name, at in sources.items()
    }


def _left(found: _Checkpoint, tower: set[str], text: set[str], source: Path) -> dict[str, int]:
    """What is left out on purpose, by part. WeightsError where there is anything else."""
    left = (set(found.tower) | set(found.text)) - tower - text
    known = {name for name in left if name.startswith(found.left_out)}
    if odd := left - known:
        raise WeightsError(f"{source}: tensors that its config.json does not tell of: {_listed(odd)}")
    return dict(Counter(name.removeprefix("thinker.").split(".")[0] for name in known))


def _listed(odd: Iterable[str]) -> str:
    """By part of the model: how many, and the first of them."""
    parts: dict[str, list[str]] = {}
    for name in odd:
        parts.setdefault(names.group(name), []).append(name)
    return "; ".join(f"{part} ({len(of)}, as {min(of)!r})" for part, of in sorted(parts.items()))


def _main(arguments: list[str]) -> None:
    """As `soundflow.cli.main`: an error is one line on stderr and status 2."""
    try:
        if len(arguments) != 2:
            raise ConfigError("usage: python -m soundflow.tiers.omni.convert FROM TO")
        report = convert(Path(arguments[0]), Path(arguments[1]))
    except SoundflowError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    left = ", ".join(f"{count} of {part}" for part, count in sorted(report.left_out.items())) or "nothing"
    print(
        f"{report.layout}: {report.tower} tensors of the tower, {report.text} of the language model; left out: {left}"
    )


if __name__ == "__main__":
    _main(sys.argv[1:])
