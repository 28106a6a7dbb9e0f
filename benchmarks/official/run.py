"""Published test sets and the mini set, from files to report."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks import instances, runs
from benchmarks.corpus import audio_folder, read_index
from benchmarks.official import listen, mini, multi, pins, provoice, show
from benchmarks.official.formats import Sample, file_sha, parse_reply, read_manifest, read_predictions, write_lines
from benchmarks.official.marks import TRIVIAL, Verdict, figures, judged, minus, trivial
from benchmarks.runs import Options, Result
from benchmarks.systems import OURS, Setup, check
from soundflow.errors import ConfigError

RULES: Final = "rules"
Told = dict[str, list[Verdict]]


def run_official(o: Options, manifest: Path, folder: Path, tier: str = "single", answers: Path | None = None) -> Result:
    """Proactive-Sound-Bench, or any set in its layout, heard clip by clip, or (tier multi) as composed streams.

    `manifest`: the JSON lines, or streams.jsonl for the multi tier; `folder`: what its paths are relative to;
    `o.audio`: the folder with index.csv whose train rows the rules are fitted on. Predictions in the official form go
    to `o.out`/predictions/SYSTEM.jsonl.
    """
    if tier not in ("single", "multi"):
        raise ConfigError(f"--tier: expected single or multi, got {tier!r}")
    if o.score_only:
        rows = instances.read(o.out)
    else:
        seed, gone = o.seed, []
        if tier == "multi":
            streams = multi.read_streams(manifest)
            gone = multi.check_audio(streams, folder)
            items = multi.plan(streams, seed)
        else:
            samples = read_manifest(manifest, answers)
            gone = [s.id for s in samples if not (folder / s.path).is_file()]
            items = listen.single(samples, folder, seed)
        _say_missing(gone, len(items), folder)
        rows = _heard(o, "official", items, folder, manifest, tier=tier, manifest_sha=file_sha(manifest))
    return _finish(o, rows, f"Proactive-Sound-Bench format, {tier} tier", "official")


def run_mini(o: Options, index: Path = mini.INDEX, per_side: int = 0) -> Result:
    """The mini set: written into `o.out`/clips out of the audio folder, then heard clip by clip.

    `per_side`: at most so many clips of each side (0 = all), of each class in turn.
    """
    if o.score_only:
        return _finish(o, instances.read(o.out), "Mini set, single tier", "mini")
    entries, folder = thinned(mini.read_mini(index), per_side), o.out / "clips"
    for line in mini.build(entries, audio_folder(o.audio), folder):
        print(line, file=sys.stderr)
    samples = read_manifest(folder / "manifest.jsonl")
    rows = _heard(o, "mini", listen.single(samples, folder, o.seed), folder, index, per_side=per_side)
    return _finish(o, rows, "Mini set, single tier", "mini")


def thinned(entries: Sequence[mini.Entry], per_side: int) -> list[mini.Entry]:
    """At most `per_side` entries of each decision, going round the classes; 0 = all."""
    if per_side <= 0:
        return list(entries)
    turns: dict[tuple[str, str], int] = {}
    ranked = []
    for e in entries:
        key = (e.decision, e.label)
        turns[key] = turns.get(key, 0) + 1
        ranked.append((turns[key], e))
    kept: list[mini.Entry] = []
    for side in ("RESPOND", "IGNORE"):
        of_side = sorted((r for r in ranked if r[1].decision == side), key=lambda r: (r[0], r[1].id))
        kept += [e for _, e in of_side[:per_side]]
    return kept


def run_predictions(
    o: Options, manifest: Path, predictions: Path, answers: Path | None = None, beside: Path | None = None
) -> Result:
    """Scores any system's predictions file against the manifest; no audio. The trivial systems stand beside it, and
    with `beside`, the folder of a run of `run_official` on the same clips, its systems (the rules among them).
    """
    samples = read_manifest(manifest, answers)
    found = judged(samples, read_predictions(predictions, samples))
    others = _told(instances.read(beside)) if beside else {}
    for name, told in others.items():
        if {(v.id, v.respond) for v in told} != {(s.id, s.respond) for s in samples}:
            raise ConfigError(f"--beside {beside}: expected a run on the clips of {manifest}, got others of {name}")
    return _given(o, samples, found, manifest, file_sha(predictions), beside=others)


def run_provoice(
    o: Options, data: Path, folder: Path | None = None, predictions: Path | None = None, limit: int = 0
) -> Result:
    """ProVoice-Bench: `predictions` (a folder of UUID_response.json of any system) is scored, or `folder` is heard.

    Heard: each recording as a stream of its own as in the single tier, without the digital context, which ours cannot
    take; a response is any decision to speak or act from the recording's beginning on. `limit`: only so many samples.
    """
    samples = provoice.read_data(data)
    if limit:
        samples = samples[:limit]
    if predictions is not None:
        found = judged(samples, provoice.read_responses(predictions, samples))
        more = {"response_accuracy": provoice.response_accuracy(predictions, found)}
        return _given(o, samples, found, data, _folder_sha(predictions), more, task=True)
    if o.score_only:
        rows = instances.read(o.out)
    elif folder is None:
        raise ConfigError(
            "provoice: expected --audio DIR to hear the recordings, or --predictions DIR to score answers"
        )
    else:
        _say_missing([s.id for s in samples if not (folder / s.path).is_file()], len(samples), folder)
        items = listen.single(samples, folder, o.seed)
        rows = _heard(o, "provoice", items, folder, data, limit=limit)
    result = _finish(o, rows, "ProVoice-Bench", "provoice", task=True)
    for name, found in _told(rows).items():
        said = {v.id: parse_reply(v.raw)[1] for v in found}
        provoice.write_responses(o.out / "responses" / _file_name(name), found, said)
    return result


def _heard(o: Options, name: str, items: Sequence[Any], folder: Path, listing: Path, **config: Any) -> list[Any]:
    for system in o.systems:
        check(system)
    rate = round(sum(i.respond == "yes" for i in items) / len(items), 4)
    setup = Setup(folder, o.systems, o.adapter, base_rate=rate, proactivity=o.proactivity)
    if RULES in o.systems:
        setup = replace(setup, threshold=_threshold(o))
    return runs.heard(name, o, items, setup, listen.hear, listing=listing, **config)


def _threshold(o: Options) -> float:
    """Of the rules: rules.json of this run or of a sibling `proactive` run, else fitted on train rows of `o.audio`."""
    try:
        audio = audio_folder(o.audio)
    except ConfigError as error:
        raise ConfigError(
            f"{error}; the rules are fitted on its train rows (or leave them out of --systems)"
        ) from error
    fitting = replace(o, systems=(RULES,), audio=audio)
    return runs.fitted(fitting, read_index(audio), runs.setup_of(fitting), runs.RULES_PER_CLASS)


def _say_missing(gone: Sequence[str], count: int, folder: Path) -> None:
    """Says how many clips are not there; ConfigError where it is all of them."""
    if count and len(gone) == count:
        raise ConfigError(
            f"--audio {folder}: expected the audio of the manifest, got none of {count}; first: {gone[0]}"
        )
    if gone:
        named = ", ".join(gone[:5])
        print(f"{len(gone)} of {count} are not in {folder} and count as wrong: {named}", file=sys.stderr)


def _told(rows: Sequence[Mapping[str, Any]]) -> Told:
    """System -> verdicts of all clips, in the order of the rows."""
    found: Told = {}
    for row in rows:
        found.setdefault(row["system"], []).extend(listen.verdicts(dict(row)))
    return {name: sorted(v, key=lambda x: x.id) for name, v in found.items()}


def _finish(o: Options, rows: Sequence[Any], title: str, name: str, *, task: bool = False) -> Result:
    told, shas = _told(rows), {}
    systems: dict[str, Any] = {}
    for system, found in told.items():
        systems[system] = figures(found)
        systems[system]["early"] = sum(listen.early(r) for r in rows if r["system"] == system)
        path = o.out / "predictions" / f"{_file_name(system)}.jsonl"
        shas[system] = write_lines(path, listen.official_rows(found))
        if system == OURS:
            write_lines(o.out / "predictions.jsonl", listen.official_rows(found))
    _against_rules(told, systems)
    body = {"systems": systems, "predictions_sha256": shas, "versions": pins.versions()}
    shown = show.tables(systems, title) if systems else []
    shown += [show.sensing(systems)] if task and systems else []
    return runs.finish(name, o, rows, body, (), [*shown, pins.table(body["versions"], shas)])


def _given(
    o: Options,
    samples: Sequence[Sample],
    found: Sequence[Verdict],
    listing: Path,
    sha: str,
    more: Mapping[str, Any] | None = None,
    *,
    task: bool = False,
    beside: Told | None = None,
) -> Result:
    others = {n: v for n, v in (beside or {}).items() if n not in TRIVIAL}
    told: Told = {"predictions": sorted(found, key=lambda v: v.id)} | others
    told |= {n: trivial(samples, n, o.seed) for n in TRIVIAL}
    systems: dict[str, Any] = {name: figures(v) for name, v in told.items()}
    _against_rules(told, systems)
    systems["predictions"] |= more or {}
    instances.check_config(o.out, {"bench": "predictions", "seed": o.seed, "manifest_sha": file_sha(listing)})
    body = {"systems": systems, "predictions_sha256": {"predictions": sha}, "versions": pins.versions()}
    shown = [*show.tables(systems, "Given predictions"), *([show.sensing(systems)] if task else [])]
    rows = [{"id": v.id, "decision": v.decision, "why": v.why, "right": v.right} for v in found]
    shown.append(pins.table(body["versions"], body["predictions_sha256"]))
    return runs.finish("predictions", o, rows, body, (), shown)


def _against_rules(told: Told, systems: dict[str, Any]) -> None:
    rules = told.get(RULES)
    for name, found in told.items():
        if rules and name not in (RULES, *TRIVIAL) and [v.id for v in found] == [v.id for v in rules]:
            systems[name]["minus_rules"] = minus(found, rules)


def _file_name(system: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", system)


def _folder_sha(folder: Path) -> str:
    """sha256 over the answer files of a folder, by name."""
    import hashlib

    whole = hashlib.sha256()
    for file in sorted(folder.glob(f"*{provoice.ENDING}")):
        whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()
