"""The runner of one sample, and the benchmark from plan to report."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks import instances, runs
from benchmarks.compose import Item
from benchmarks.corpus import Clips, audio_folder, read_index
from benchmarks.duplex import layout, lines, marks, picture, plan, scene, score, shown, stage
from benchmarks.hear import Shop, Tick, each
from benchmarks.instances import Row as Instance
from benchmarks.report import Picture
from benchmarks.runs import Options, Result
from benchmarks.systems import OURS, Ask, Setup
from soundflow.errors import ConfigError, SoundflowError

NAME: Final = "duplex"
EACH, ALERTS = 20, 2


def hear(item: Item, names: Sequence[str], shop: Shop, tick: Tick, keep: Path | None = None) -> list[Instance]:
    """One row for each system of `names`; a clip that is not there is a row with `error`.

    `keep`: folder for the audio and transcripts that the official scorers read.
    """
    return each(item, names, _talkers(shop), lambda talker: _row(item, talker, shop, tick, keep))


def _row(item: Item, talker: stage.Talker, shop: Shop, tick: Tick, keep: Path | None) -> Instance:
    published = "file" in item.facts
    s = layout.script(item, talker.chunk) if published else scene.script(item, shop.clips, talker.chunk)
    began = time.perf_counter()
    played = scene.play(talker, s, Ask(seed=item.seed), tick, keep is not None)
    if published and item.facts["over"]:
        a, b = (round(x * 16_000) for x in item.facts["over"])
        played.over = (a, b)
    row = scene.row_of(item, talker.name, played, talker.chunk, time.perf_counter() - began)
    if keep is not None:
        sample = item.facts.get("sample") or hashlib.sha256(item.id.encode()).hexdigest()[:12]
        task = item.facts.get("task") or "_".join(dict.fromkeys((item.group, item.label)))
        layout.write(keep / talker.name / task / sample, item, played, marks.chunks(marks.said(row)))
    return row


def _talkers(shop: Shop) -> Sequence[stage.Talker]:
    if "talkers" not in shop.kept:
        setup = shop.setup
        shop.kept["talkers"] = stage.make(setup.systems, setup.adapter, setup.proactivity)
    talkers: Sequence[stage.Talker] = shop.kept["talkers"]
    return talkers


def run_duplex(
    o: Options,
    each: int = EACH,
    scenarios: Sequence[str] = plan.SCENARIOS,
    spoken: Path | None = None,
    folder: Path | None = None,
    reference: Path | None = None,
    keep: bool = False,
    alerts: int = ALERTS,
) -> Result:
    """The benchmark.

    Args:
        each: samples a scenario of the composed set (`pause` has twice as many).
        spoken: the lines by other voices (`soundflow data say`).
        folder: published data in place of the composed set; `reference`: its human backchannel timing.
        keep: write what the official scorers read into `o.out`/outputs.
        alerts: sounds of the echo loops (twelve loops each, ours alone); 0 leaves them out.
    """
    references = layout.references(reference) if reference else None
    if o.score_only:
        rows = instances.read(o.out)
    else:
        stage.known(o.systems)
        kept = o.out / "outputs" if keep else None
        runner = partial(hear, keep=kept) if kept else hear
        if folder is None:
            setup = Setup(audio_folder(o.audio), o.systems, o.adapter, proactivity=o.proactivity)
            said = lines.spoken(spoken) if spoken else lines.speak(o.out / "voices")
            clips = Clips(setup.audio)
            items = plan.plan(read_index(setup.audio), clips, said, each, o.seed, scenarios)
            rows = runs.heard(NAME, o, items, setup, runner, each=each, spoken=spoken or "")
        else:
            items = layout.read(folder, o.seed, keep)
            setup = Setup(folder, o.systems, o.adapter, proactivity=o.proactivity)
            rows = runs.heard(NAME, o, items, setup, runner, listing=_listing(o.out, items), folder=folder)
    figures: dict[str, Any] = score.score(rows, references) if rows else {}
    tables = shown.tables(figures) if figures else []
    pictures = _pictures(o, rows)
    loops = _echo(o, alerts if folder is None else 0)
    if loops:
        figures["echo"] = loops.figures
        tables += list(loops.section.tables)
    return runs.finish(NAME, o, rows, figures, pictures, shown=tables)


def _listing(out: Path, items: Sequence[Item]) -> Path:
    """A file with a hash of every input, which the configuration of the run depends on."""
    hashes = {i.id: hashlib.sha256(Path(i.facts["file"]).read_bytes()).hexdigest()[:16] for i in items}
    out.mkdir(parents=True, exist_ok=True)
    path = out / "samples.json"
    path.write_text(json.dumps(hashes, indent=1, sort_keys=True), encoding="utf-8")
    return path


def _echo(o: Options, alerts: int) -> Result | None:
    """Echo robustness: `bench echo` into `o.out`/echo. None where ours does not take part or nothing was heard."""
    there = replace(o, out=o.out / "echo", systems=(OURS,))
    if o.score_only:
        return runs.run_echo(there) if (there.out / instances.NAME).is_file() else None
    return runs.run_echo(there, alerts) if alerts and OURS in o.systems else None


def _pictures(o: Options, rows: Sequence[Instance]) -> list[Picture]:
    """The first interruption that all systems heard; none where the audio is not at hand."""
    heard: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["item"]["group"] == "interruption" and not row.get("error") and row["over"]:
            heard.setdefault(row["id"], []).append(row)
    if not heard:
        return []
    most = max(len(v) for v in heard.values())
    lanes = next(v for _, v in sorted(heard.items()) if len(v) == most)
    item = Item.from_dict(lanes[0]["item"])
    try:
        mic = _mic(o, item, lanes[0])
    except SoundflowError:
        return []  # the recordings are elsewhere: figures need none
    asked = str(item.facts.get("text", item.id))
    caption = "One interruption: what each system said. Each lane has its interruption at the same time into its reply."
    return [Picture("interruption", caption, picture.timeline([dict(r) for r in lanes], mic, asked))]


def _mic(o: Options, item: Item, row: Mapping[str, Any]) -> Any:
    """What the system of `row` heard, composed again."""
    if "file" in item.facts:
        return layout.script(item, row["chunk"]).audio
    s = scene.script(item, Clips(audio_folder(o.audio)), row["chunk"])
    mic, at = s.audio.copy(), row["over"][0]
    mic[at : at + len(s.over)] += s.over[: len(mic) - at]
    if not len(mic):
        raise ConfigError("expected audio")
    return mic
