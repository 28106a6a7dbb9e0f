"""`understand` and `voicebench` from plan to report."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import instances, runs
from benchmarks.corpus import audio_folder, read_index
from benchmarks.runs import Options, Result
from benchmarks.systems import NAMES
from benchmarks.understand import predictions, questions, recipe, runner, scoring, show, spoken, voicebench
from soundflow.errors import ConfigError


def chosen(o: Options) -> Options:
    """The options with the systems of this benchmark where none were named."""
    return replace(o, systems=runner.DEFAULT) if o.systems == NAMES else o


def run_understand(
    o: Options,
    data: Path | None = None,
    name: str = "",
    per_kind: int = 30,
    most: int = 0,
    circular: bool = False,
) -> Result:
    """Multiple choice. Without `data` the dev set of `recipe` is made under `o.out`/set, `per_kind` questions a kind.

    Args:
        data: a folder with a JSON in MMAU's format and its audio, or the JSON itself; `name` of several.
        most: at most so many questions of it, 0 = all.
        circular: ask in every rotation of the choices.

    Raises:
        ConfigError, DataError: options, an index or a question file that do not fit.
    """
    o = chosen(o)
    if o.score_only:
        rows = instances.read(o.out)
    else:
        runner.check(o.systems)
        if data is None:
            audio = audio_folder(o.audio)
            data = recipe.build(read_index(audio), audio, o.out / "set", per_kind, o.seed)
        listing = questions.find_json(data, name)
        items = questions.plan(questions.read(listing), listing.parent, o.seed, most, circular)
        setup = runner.setup_of(listing.parent, o.systems, o.adapter)
        more = {"most": most, "circular": circular}
        rows = runs.heard("understand", o, items, setup, runner.answer, listing=listing, **more)
    figures: dict[str, Any] = {}
    if rows:
        figures = scoring.score(rows) | {"predictions_sha256": predictions.mmau(rows, o.out)}
    return runs.finish("understand", o, rows, figures, (), shown=show.multiple(figures) if rows else ())


def run_voicebench(
    o: Options, data: Path, subsets: Sequence[str] = (), most: int = 0, modality: str = "audio"
) -> Result:
    """VoiceBench's subsets out of a folder; `most` of each (0 = all); `modality` "audio" or "text".

    Raises:
        ConfigError, DataError: options or rows that do not fit; with "text" only our own models can be asked.
    """
    o = chosen(o) if o.systems != NAMES else replace(o, systems=("nano",))
    if o.score_only:
        rows = instances.read(o.out)
    else:
        runner.check(o.systems)
        if wrong := [s for s in o.systems if s in runner.RULES]:
            raise ConfigError(f"--systems: expected systems that answer in words, got {', '.join(wrong)}")
        found = voicebench.subsets(data, subsets)
        packed = {s for s in found if not any((data / s).glob("*.jsonl"))}
        if packed and packed != set(found):
            raise ConfigError(f"{data}: expected all subsets as JSONL or all as parquet, got parquet of {packed}")
        folder = o.out / "unpacked" if packed else data
        read = [row for subset in found for row in voicebench.read(data, subset, folder)]
        items = voicebench.plan(read, folder, o.seed, most, modality)
        listing = o.out / "listing.sha256"
        listing.parent.mkdir(parents=True, exist_ok=True)
        listing.write_text(_digest(data, {r.subset for r in read}), encoding="utf-8")
        setup = runner.setup_of(folder, o.systems, o.adapter)
        more = {"most": most, "modality": modality}
        rows = runs.heard("voicebench", o, items, setup, runner.answer_speech, listing=listing, **more)
    figures = spoken.score(rows) if rows else {}
    if rows:
        predictions.voicebench(rows, o.out)
    return runs.finish("voicebench", o, rows, figures, (), shown=show.spoken(figures) if rows else ())


def _digest(data: Path, subsets: set[str]) -> str:
    """sha256 over the rows' files of the subsets (not their audio)."""
    found = hashlib.sha256()
    for subset in sorted(subsets):
        for path in sorted([*(data / subset).glob("*.jsonl"), *(data / subset).glob("*.parquet")]):
            found.update(f"{subset}/{path.name}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest() + "\n"
