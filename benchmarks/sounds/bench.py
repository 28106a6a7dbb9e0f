"""`bench events` from plan to report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import instances, systems
from benchmarks.compose import Item
from benchmarks.corpus import audio_folder, read_index
from benchmarks.instances import Row as Instance
from benchmarks.report import Picture
from benchmarks.runs import Options, Result, finish, heard
from benchmarks.sounds import classes, desed, fit, pictures, plan, tables
from benchmarks.sounds.heard import ALWAYS, NAMES, WHOLE, YAMNET, SoundsSetup, hear
from benchmarks.sounds.score import HEADLINE, score, stream
from soundflow.errors import ConfigError

TRAIN_MINUTES = 20.0


def run_events(
    o: Options,
    minutes: float = 45.0,
    snr: float = 20.0,
    train_minutes: float = TRAIN_MINUTES,
    tsv: Path | None = None,
    folder: Path | None = None,
    files: int = 0,
) -> Result:
    """Sound events on streams: `minutes` of them composed of dev recordings, or the files of a DESED `tsv`.

    Args:
        train_minutes: of train streams, on which the threshold of `yamnet` is fitted. It needs the audio folder even
            with a `tsv`.
        tsv, folder: annotations and audio; at most `files` files (0 = all).

    Ours listens with its dial at 0 (it never answers): sound events come before decisions and do not depend on them.
    """
    if o.score_only:
        rows = instances.read(o.out)
        of = classes.read(_set(rows))
    else:
        if (tsv is None) != (folder is None):
            raise ConfigError("--desed and --desed-audio: expected both or none")
        of = classes.read(classes.INDEX if tsv is None else classes.DESED)
        rows = _heard(replace(o, proactivity=0.0), of, minutes, snr, train_minutes, tsv, folder, files)
    figures = score(rows, of) if rows else {}
    drawn = _pictures(rows, of, figures) if rows else []
    return finish("events", o, rows, figures, drawn, shown=tables.made(figures) if rows else ())


def _heard(
    o: Options,
    of: classes.Classes,
    minutes: float,
    snr: float,
    train_minutes: float,
    tsv: Path | None,
    folder: Path | None,
    files: int,
) -> list[Instance]:
    for name in o.systems:
        if name not in (*NAMES, WHOLE):
            systems.check(name)
    needs_index = tsv is None or YAMNET in o.systems
    audio = audio_folder(o.audio) if needs_index or folder is None else folder
    setup = SoundsSetup(audio, o.systems, o.adapter, proactivity=o.proactivity, classes=of.name)
    index = read_index(audio) if needs_index else []
    items: Sequence[Item]
    if tsv is None or folder is None:
        items = plan.streams(index, of, minutes, o.seed, "dev", snr, o.per_class)
    else:
        items = desed.items(tsv, folder, of, files, o.seed)
    if YAMNET in o.systems:
        train = replace(setup, classes=classes.INDEX)
        found = fit.fit(index, train, o.out, minutes=train_minutes, seed=o.seed, workers=o.workers, snr=snr)
        setup = replace(setup, threshold=found["threshold"])
    config = {"classes": classes.digest(), "set": of.name, "snr": snr if tsv is None else ""}
    return heard("events", o, items, setup, hear, listing=tsv, **config)


def _set(rows: Sequence[Instance]) -> str:
    """The set of classes that rows were made with."""
    return str(rows[0]["item"]["facts"]["set"]) if rows else classes.INDEX


def _pictures(rows: Sequence[Instance], of: classes.Classes, figures: dict[str, Any]) -> list[Picture]:
    """The PSD-ROC, and the stream of the most sounds: its truth against what the systems that hear told."""
    found = []
    if any("psds" in f for f in figures.values()):
        caption = "PSD-ROC: recall over classes against effective false positives an hour"
        found.append(Picture("psd_roc", caption, pictures.roc(figures)))
    shown = [r for r in rows if r["system"] not in ("always-silent", ALWAYS) and not r.get("error")]
    if shown:
        most = max(shown, key=lambda r: (len(r["truth"]), r["id"]))["id"]
        streams = {r["system"]: stream(r, of) for r in shown if r["id"] == most}
        caption = f"One stream of many sounds ({most}): the truth (green) and what was told"
        found.append(Picture("timeline", caption, pictures.timeline(streams, most)))
    return found


__all__ = ["HEADLINE", "NAMES", "run_events"]
