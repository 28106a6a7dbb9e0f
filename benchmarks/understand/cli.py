"""`soundflow bench understand` and `soundflow bench voicebench`; registered in benchmarks/cli.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import Adapter, Audio, Out, ScoreOnly, Seed, Workers, listed, options, show

Most = Annotated[int, typer.Option(min=0, help="At most so many questions (voicebench: of a subset); 0 = all.")]
ALL = "nano,nano-blind,tag-rule,tag-word-rule"
Systems = Annotated[
    str, typer.Option("--systems", "--system", help="Comma-separated; ours also with -blind (silence as its audio).")
]


def understand(
    out: Out,
    audio: Audio = None,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = ALL,
    data: Annotated[
        Path | None, typer.Option(exists=True, help="MMAU's JSON, or its folder; else a set is made of dev recordings.")
    ] = None,
    name: Annotated[str, typer.Option(help="Which JSON of the folder, where it has several.")] = "",
    per_kind: Annotated[int, typer.Option(min=1, help="Questions of each kind in the set of dev recordings.")] = 30,
    most: Most = 0,
    circular: Annotated[bool, typer.Option("--circular", help="Ask in every rotation of the choices.")] = False,
    score_only: ScoreOnly = False,
) -> None:
    """Multiple choice about audio (MMAU's format), by likelihood and by text, against blind, rules and chance."""
    from benchmarks.understand.run import run_understand

    o = options(out, audio, adapter, 0, seed, workers, systems, score_only)
    show(run_understand(o, data, name, per_kind, most, circular), out)


def voicebench(
    data: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder of SUBSET/SPLIT.jsonl and WAVs.")],
    out: Out,
    adapter: Adapter = None,
    seed: Seed = 0,
    workers: Workers = 2,
    systems: Systems = "nano",
    subsets: Annotated[str, typer.Option(help="Comma-separated; default: all that the folder has.")] = "",
    most: Most = 0,
    modality: Annotated[str, typer.Option(help="audio, or text: the prompt typed.")] = "audio",
    score_only: ScoreOnly = False,
) -> None:
    """VoiceBench's spoken questions: what rules can judge, and predictions for an outside judge."""
    from benchmarks.understand.run import run_voicebench

    o = options(out, None, adapter, 0, seed, workers, systems, score_only)
    named = listed(subsets)
    show(run_voicebench(o, data, named, most, modality), out)
