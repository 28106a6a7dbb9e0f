"""`bench asr` and `bench translate` from plan to report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import instances, tasks
from benchmarks.compose import Item
from benchmarks.corpus import audio_folder, read_index
from benchmarks.instances import Row
from benchmarks.runs import Options, Result, finish, heard
from benchmarks.systems import OURS, Setup, check
from benchmarks.words import asr_scores, dialogues, layouts, listen, plan, shown, translate_scores
from benchmarks.words.layouts import LAYOUTS, Utterance
from soundflow.errors import ConfigError

ASR_SYSTEMS = (OURS, *plan.OWN)
TRANSLATE_SYSTEMS = (OURS, "always-silent")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the speech lies: index.csv of the audio folder, or the folder `data` in a published layout.

    split: names the tsv of Common Voice and CoVoST 2. language, target: codes, for layouts that do not say.
    """

    layout: str = "index"
    data: Path | None = None
    split: str = "test"
    language: str = ""
    target: str = "en"


def run_asr(
    o: Options,
    source: Source | None = None,
    clips: int = 60,
    longest_s: float = 30.0,
    streams: int = 0,
    minutes: float = 3.0,
) -> Result:
    """Word errors, delays and stability.

    Args:
        clips: recordings heard alone (0: all). longest_s: of index.csv, none longer.
        streams: long ones of one speaker, each of about `minutes` of recordings with pauses; 0: none.

    Raises:
        ConfigError: no data, an unknown layout or system. DataError: broken data, or rows of another run in `o.out`.
    """
    if not o.score_only:
        folder, found = utterances(o, source or Source(), longest_s)
        items = plan.clips(found[: clips or None], o.seed, folder)
        items += plan.long_form(found, streams, minutes, o.seed, folder) if streams else []
        _hear("asr", o, folder, items, clips=clips, streams=streams, minutes=minutes)
    rows = _rows(o)
    figures = asr_scores.score(rows, o.seed)
    worst = asr_scores.worst(rows)
    return finish("asr", o, rows, figures, shown.pictures(figures), shown=shown.asr(figures, worst))


def utterances(o: Options, source: Source, longest_s: float) -> tuple[Path, list[Utterance]]:
    """The folder and what is said in it, in the order drawn by the seed."""
    if source.layout not in LAYOUTS:
        raise ConfigError(f"--layout: expected one of {', '.join(LAYOUTS)}, got {source.layout!r}")
    if source.layout == "index":
        folder = audio_folder(source.data or o.audio)
        return folder, layouts.of_index(read_index(folder), o.seed, longest_s)
    if source.data is None:
        raise ConfigError(f"--data: expected the folder of the {source.layout} recordings")
    if source.layout == "librispeech":
        found = layouts.librispeech(source.data)
    else:
        found = layouts.commonvoice(source.data, source.split, source.language)
    return source.data, plan.some(found, 0, o.seed)


def run_translate(
    o: Options, source: Source | None = None, dialogue_folder: Path | None = None, clips: int = 60, per_task: int = 0
) -> Result:
    """BLEU and chrF beside chance, and LAAL: CoVoST 2 clips of `source`, or the translation dialogues of a corpus.

    Args:
        source: `data` in the layout of CoVoST 2, `language` and `target` its pair.
        dialogue_folder: shards of `soundflow data build --split dev`.
        clips: of CoVoST 2 (0: all). per_task: dialogues of each sub-task (0: all).

    Raises:
        ConfigError: neither or both given, unknown languages or systems. DataError: broken data.
    """
    if not o.score_only:
        if (source is None) == (dialogue_folder is None):
            raise ConfigError("expected --data (CoVoST 2) or --dialogues (shards of `data build`), one of them")
        if dialogue_folder is not None:
            items = dialogues.plan(tasks.read_metas(dialogue_folder), o.seed, per_task)
            _hear("translate", o, dialogue_folder, items, dialogues.hear, shards=tasks.identity(dialogue_folder))
        elif source is not None and source.data is not None:
            found = layouts.covost(source.data, source.split, source.language, source.target)
            items = plan.translations(plan.some(found, clips, o.seed), o.seed, source.data)
            _hear("translate", o, source.data, items, clips=clips)
        else:
            raise ConfigError("--data: expected the folder of CoVoST 2")
    rows = _rows(o)
    figures = translate_scores.score(rows, o.seed)
    signatures = translate_scores.signatures(rows)
    body: dict[str, Any] = {"groups": figures, "signatures": signatures}
    return finish("translate", o, rows, body, (), shown=shown.translate(figures, signatures))


def _hear(name: str, o: Options, folder: Path, items: Sequence[Item], runner: Any = listen.hear, **config: Any) -> None:
    if not items:
        raise ConfigError(f"{folder}: expected something to hear, got nothing")
    listing = plan.write(o.out, items)
    heard(name, o, items, setup(o, folder), runner, listing=listing, **config)


def setup(o: Options, folder: Path) -> Setup:
    """A worker's setup. ConfigError for a system that is neither known (`systems.check`) nor of this package."""
    if not o.systems:
        raise ConfigError(f"--systems: expected some, such as {', '.join(ASR_SYSTEMS)}")
    for name in o.systems:
        if name not in plan.OWN:
            check(name)
    return Setup(folder, tuple(o.systems), o.adapter, proactivity=o.proactivity)


def _rows(o: Options) -> list[Row]:
    rows = instances.read(o.out)
    if not rows:
        raise ConfigError(f"{o.out}: expected instances.jsonl with rows, got none")
    return plan.complete(o.out, rows)
