"""`soundflow bench own`: sounds that are taught out of 20 recordings; recall, false tellings, and the old abilities.

For each label 20 train recordings are handed to `soundflow train sound`, all into one adapter. Then that adapter and
the one it is a copy of hear the same streams: recordings of these labels that nothing was fitted on, those of all other
labels, and quiet audio.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks import instances, proactive, quiet, report
from benchmarks.compose import Item, Part
from benchmarks.corpus import Row, audio_folder, read_index
from benchmarks.hear import hear
from benchmarks.instances import Row as Instance
from benchmarks.plan import EVENT_S, LEAD_S, TAIL_S, a_bed, beds, capped, draw, item_seed, single_events
from benchmarks.report import Section
from benchmarks.runs import Options, heard, setup_of
from benchmarks.systems import OURS
from benchmarks.tables import Table, num
from soundflow.errors import ConfigError, DataError
from soundflow.scoring import Interval, wilson

SOUNDS: Final = ("rooster", "sea_waves", "clock_tick", "sneezing", "helicopter", "crackling_fire")
CLIPS: Final = 20
SPLIT_SHARE: Final = 0.6  # of the recordings of a label without train rows, for teaching
SNR: Final = 20.0
COMMAND: Final = (sys.executable, "-m", "soundflow.cli", "train", "sound")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is measured: labels, how many clips of each of the other classes, minutes of quiet audio."""

    sounds: tuple[str, ...] = SOUNDS
    per_class: int = 2
    minutes: float = 20.0


def name_of(label: str) -> str:
    """What a taught label is called; AudioSet has no such label."""
    return "my " + label.replace("_", " ")


def says(label: str) -> str:
    """What is said of it: no other reply has these words."""
    return f"I hear {name_of(label)}."


def lessons(rows: Sequence[Row], label: str, seed: int) -> tuple[list[Row], list[Row]]:
    """Recordings to teach `label` with, and those to measure it on.

    The first are train rows, the second dev and dial rows (the data sets' own splits keep sources apart). A label
    without train rows is divided by recording. DataError where one side has fewer than five.
    """
    mine = [r for r in rows if r.kind == "event" and r.label == label]
    train = capped([r for r in mine if r.split == "train" and r.open], CLIPS, seed, f"own/{label}")
    test = [r for r in mine if r.split != "train"]
    if not train:
        test = capped(test, 0, seed, f"own/{label}")
        cut = min(CLIPS, round(SPLIT_SHARE * len(test)))
        train, test = test[:cut], test[cut:]
    if min(len(train), len(test)) < 5:
        raise DataError(
            f"five recordings to teach and five to measure were expected, got {len(train)}, {len(test)}", label
        )
    return train, sorted(test, key=lambda r: r.path)


def plan(rows: Sequence[Row], wanted: Wanted, seed: int) -> list[Item]:
    """Streams of one taught sound each, of one other dev sound each, and of quiet dev audio; beds 20 dB under."""
    found: list[Item] = []
    lying = beds(rows, "dev")
    for label in wanted.sounds:
        for row in lessons(rows, label, seed)[1]:
            name = f"own/{label}/{row.path}"
            rng = draw(seed, name)
            level = round(float(rng.uniform(-32.0, -18.0)), 1)
            part, bed = Part(row.path, LEAD_S, 0.0, EVENT_S, level), a_bed(lying, round(level - SNR, 1), rng)
            found.append(Item(name, "taught", label, "yes", row.path, item_seed(seed, name), (part,), bed, TAIL_S))
    others = [r for r in rows if r.label not in wanted.sounds]
    found += single_events(others, "dev", wanted.per_class, seed, (SNR,))
    return found + quiet.plan(others, wanted.minutes, seed)


def taught(o: Options, rows: Sequence[Row], wanted: Wanted, folder: Path, command: Sequence[str] = COMMAND) -> Path:
    """`o.out`/adapter with every sound, made by the command a user types; seconds of each in `o.out`/taught.json."""
    out, told = o.out / "adapter", o.out / "taught.json"
    took: dict[str, float] = json.loads(told.read_text()) if told.is_file() else {}
    base = ["--adapter", str(o.adapter)] if o.adapter else []
    for label in wanted.sounds:
        if label in took:
            continue
        clips = o.out / "clips" / label
        shutil.rmtree(clips, ignore_errors=True)
        clips.mkdir(parents=True)
        for row in lessons(rows, label, o.seed)[0]:
            shutil.copyfile(folder / row.path, clips / Path(row.path).name)
        words = ["--name", name_of(label), "--say", says(label), "--out", str(out), "--replace"]
        began = time.monotonic()
        done = subprocess.run([*command, str(clips), *words, *base], check=False, capture_output=True, text=True)
        if done.returncode:
            raise ConfigError(f"`soundflow train sound` for {label} was expected to work: {done.stderr.strip()}")
        took[label] = round(time.monotonic() - began, 1)
        told.write_text(json.dumps(took, indent=1) + "\n")
    return out


def run_own(o: Options, wanted: Wanted) -> dict[str, Any]:
    """Teach, hear before and after, score, and write the report under `o.out`."""
    before, after = replace(o, out=o.out / "before"), replace(o, out=o.out / "after")
    if not o.score_only:
        folder = audio_folder(o.audio)
        rows = read_index(folder)
        items = plan(rows, wanted, o.seed)
        adapter = taught(o, rows, wanted, folder)
        for one in (replace(after, adapter=adapter), before):
            ours = replace(one, systems=(OURS,))
            heard("own", ours, items, setup_of(ours), hear)
    took = json.loads((o.out / "taught.json").read_text())
    figures = score(instances.read(before.out), instances.read(after.out)) | {"seconds": took}
    section = Section("own", table(figures, o.out / "adapter"))
    report.write(o.out, "SoundFlow: own", [section], figures, report.facts({"seed": o.seed, "sounds": list(took)}))
    report.show([section])
    return figures


def tells(row: Instance, label: str) -> bool:
    """Whether the taught sound `label` was told of, anywhere in the stream (a stream that failed: no)."""
    return any(reply["text"] == says(label) for reply in row.get("replies", ()))


def score(before: Sequence[Instance], after: Sequence[Instance]) -> dict[str, Any]:
    """By sound: recall of its streams, false tellings of others' (Wilson 1927) and in quiet audio; the old abilities.

    Old: of the streams in which nothing taught was told of, how many have the same decisions with the same
    probabilities before and after; balanced accuracy on the other sounds before and after. DataError where the two
    runs did not hear the same.
    """
    then, now = ({r["id"]: r for r in rows} for rows in (before, after))
    if set(then) != set(now) or not now:
        raise DataError(f"the same streams before and after were expected, got {len(then)} and {len(now)}")
    labels = list(dict.fromkeys(r["item"]["label"] for r in after if r["item"]["group"] == "taught"))
    calm = [r for r in after if r["id"].startswith("quiet/")]
    hours = sum(r["item"]["seconds"] for r in calm) / 3600
    sounds: dict[str, Any] = {}
    for label in labels:
        mine = [r for r in after if r["item"]["group"] == "taught" and r["item"]["label"] == label]
        rest = [r for r in after if r not in mine and r not in calm]
        false = [r for r in rest if tells(r, label)]
        sounds[label] = {
            "streams": len(mine),
            "recall": _list(wilson(sum(tells(r, label) for r in mine), len(mine))),
            "answered_before": sum(set(then[r["id"]].get("decisions", "")) > {"s"} for r in mine),
            "others": len(rest),
            "false_share": _list(wilson(len(false), len(rest))),
            "taken_for_it": sorted({r["item"]["label"] for r in false}),
            "quiet_false": sum(tells(r, label) for r in calm),
        }
    untold = [r for r in after if not any(tells(r, label) for label in labels)]
    same = sum(_decided(r) == _decided(then[r["id"]]) for r in untold)
    old = [r["id"] for r in after if r["item"]["group"] not in ("taught", "context") and r not in calm]
    hits = [tells(r, r["item"]["label"]) for r in after if r["item"]["group"] == "taught"]
    told = [sum(tells(r, label) for label in labels) for r in calm]
    return {
        "sounds": sounds,
        "all": {
            "recall": _list(wilson(sum(hits), len(hits))),
            "streams": len(hits),
            "quiet_hours": round(hours, 3),
            "quiet_false_hour": quiet.show(quiet.rate(calm, lambda r: sum(tells(r, x) for x in labels))),
            "quiet_false": sum(told),
        },
        "old": {
            "untold": len(untold),
            "same": same,
            "before": proactive.score([then[i] for i in old]),
            "after": proactive.score([now[i] for i in old]),
            "alarms_before": sum(quiet.alarms(then[r["id"]]) for r in calm),
            "alarms_after": sum(quiet.alarms(r) for r in calm),
        },
        "failed": sum(bool(r.get("error")) for r in [*before, *after]),
    }


def table(figures: dict[str, Any], adapter: Path) -> list[Table]:
    """What was taught, and what it did to the rest."""
    meta = adapter / "own_sounds.json"
    stored = {s["name"]: s["taught"] for s in json.loads(meta.read_text())["sounds"]} if meta.is_file() else {}
    rows = []
    for label, f in figures["sounds"].items():
        facts = stored.get(name_of(label), {})
        loo = facts.get("held_out_recall", [None])[0]
        cells = [str(facts.get("clips", "-")), num(figures["seconds"].get(label), 0), num(loo, 2), _shown(f["recall"])]
        cells += [f"{f['answered_before']} of {f['streams']}", _shown(f["false_share"]), ", ".join(f["taken_for_it"])]
        rows.append([label, *cells, str(f["quiet_false"])])
    total = figures["all"]
    rows.append(["all", "", "", "", _shown(total["recall"]), "", "", "", str(total["quiet_false"])])
    old = figures["old"]
    accuracy = [_balanced(old[k]) for k in ("before", "after")]
    kept = [
        ["streams in which nothing taught is told of", str(old["untold"]), "same decisions and p: " + str(old["same"])],
        ["balanced accuracy on other sounds", *accuracy],
        ["alarms in quiet audio", str(old["alarms_before"]), str(old["alarms_after"])],
    ]
    heads = ["sound", "clips", "s to teach", "held-out\nrecall", "recall, unseen", "answered\nbefore"]
    heads += ["told of other sounds", "which", "told in quiet"]
    note = f"95 % intervals (Wilson 1927). Quiet: {total['quiet_hours']:.2f} h. Held-out recall: what training printed."
    return [
        Table("Sounds taught by 20 recordings", heads, rows, note),
        Table("What it did before", ["figure", "before", "after"], kept),
    ]


def _balanced(figures: dict[str, Any]) -> str:
    body: dict[str, Any] = next(iter(figures.values()), {}).get(OURS, {}).get("all", {})
    return _shown(body["balanced_accuracy"]) if body else "-"


def _decided(row: Instance) -> tuple[Any, ...]:
    return row.get("decisions"), row.get("p_speak"), row.get("p_act"), row.get("error")


def _list(value: Interval) -> list[float]:
    return [round(x, 4) for x in (value.value, value.low, value.high)]


def _shown(values: Sequence[float]) -> str:
    return f"{num(values[0], 2)} [{num(values[1], 2)}, {num(values[2], 2)}]"
