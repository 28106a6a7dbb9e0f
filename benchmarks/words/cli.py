"""Commands `asr` and `translate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import Adapter, Audio, Dial, Out, ScoreOnly, Seed, Systems, Workers, options, show

Data = Annotated[Path | None, typer.Option(exists=True, file_okay=False, help="Folder of the recordings.")]
Split = Annotated[str, typer.Option(help="Which tsv: test, dev, validated, ...")]
Language = Annotated[str, typer.Option(help="Code of the spoken language, where the data does not say.")]
Clips = Annotated[int, typer.Option(min=0, help="Recordings; 0 = all.")]


def asr(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = "nano,words,whole",
    layout: Annotated[str, typer.Option(help="index (index.csv of --audio), librispeech or commonvoice.")] = "index",
    data: Data = None,
    split: Split = "test",
    language: Language = "",
    clips: Clips = 60,
    streams: Annotated[int, typer.Option(min=0, help="Long streams, each of one speaker.")] = 2,
    minutes: Annotated[float, typer.Option(min=0.5, max=60, help="Length of a long stream.")] = 3.0,
    proactivity: Dial = 0.5,
    score_only: ScoreOnly = False,
) -> None:
    """Word and character errors, how late words come on both clocks, what is taken back, long streams."""
    from benchmarks.words.run import Source, run_asr

    o = options(out, audio, adapter, 0, seed, workers, systems, score_only, proactivity)
    source = Source(layout, data, split, language)
    show(run_asr(o, source, clips, streams=streams, minutes=minutes), out)


def translate(
    out: Out,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = "nano,always-silent",
    data: Data = None,
    split: Split = "test",
    language: Language = "",
    target: Annotated[str, typer.Option(help="Code of the language to translate into.")] = "en",
    dialogues: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Shards of `data build --split dev`.")
    ] = None,
    clips: Clips = 60,
    per_task: Annotated[int, typer.Option(min=0, help="Dialogues of a sub-task; 0 = all.")] = 0,
    score_only: ScoreOnly = False,
) -> None:
    """BLEU and chrF beside chance, and lagging: CoVoST 2 (--data) or translation dialogues (--dialogues)."""
    from benchmarks.words.run import Source, run_translate

    o = options(out, None, adapter, 0, seed, workers, systems, score_only)
    source = Source("covost", data, split, language, target) if data else None
    show(run_translate(o, source, dialogues, clips, per_task), out)
