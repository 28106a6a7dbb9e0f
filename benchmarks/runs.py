"""Each benchmark from plan to report: plan items, hear what is missing, score the rows, draw and write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import (
    act_items,
    acts,
    charts,
    echo,
    instances,
    proactive,
    quiet,
    report,
    rules,
    tables,
    watch,
)
from benchmarks.compose import Item, render
from benchmarks.corpus import Clips, Row, audio_folder, read_index
from benchmarks.gate import odds_between
from benchmarks.hear import hear
from benchmarks.instances import Row as Instance
from benchmarks.plan import single_events
from benchmarks.report import Picture, Section
from benchmarks.systems import ABLATED, NAMES, OURS, Setup, check
from benchmarks.tables import Table
from benchmarks.workers import Runner, run
from soundflow.errors import ConfigError
from soundflow.scoring import recalls
from soundflow.tiers import checkpoint, nano

SPEAK, ANSWER = "speak_threshold", "answer_threshold"  # of a calibration, and of the adapter in a run's config.json
RULES_PER_CLASS = 24
ASKED_PER_CLASS = 6


@dataclass(frozen=True, slots=True)
class Options:
    """What every command takes. `per_class` 0 = all clips; `score_only`: no audio is heard; `proactivity`: the dial of
    ours, at 0 it listens and never answers."""

    out: Path
    audio: Path | None = None
    adapter: Path | None = None
    per_class: int = 12
    seed: int = 0
    workers: int = 2
    systems: tuple[str, ...] = NAMES
    score_only: bool = False
    proactivity: float = 0.5


@dataclass(frozen=True, slots=True)
class Result:
    """Figures and how they are shown."""

    figures: dict[str, Any]
    section: Section
    rows: Sequence[Instance]


def identity(adapter: Path | None) -> dict[str, Any]:
    """Which weights of ours are measured: folder, hash, and the thresholds of the default dial."""
    folder = adapter or nano.ADAPTER
    file = folder / "adapter.safetensors"
    if not file.is_file():
        raise ConfigError(f"--adapter {folder}: expected a folder with adapter.safetensors")
    loaded = checkpoint.load(folder).calibration
    files = sorted(p for p in folder.iterdir() if p.suffix in (".json", ".safetensors"))
    sha = hashlib.sha256(b"".join(p.name.encode() + p.read_bytes() for p in files)).hexdigest()[:16]
    thresholds = {kind: getattr(loaded, kind) for kind in (SPEAK, ANSWER, "act_threshold")}
    return {"sha256": sha, "second_look": list(loaded.second_look)} | thresholds


def answer_odds(config: Mapping[str, Any]) -> float:
    """Log-odds by which an answer has a higher threshold than a sound, of the adapter in a run's `config`; 0 where it
    does not say (a run of a version before)."""
    adapter = config.get("adapter", {})
    return odds_between(adapter[SPEAK], adapter[ANSWER]) if ANSWER in adapter else 0.0


def setup_of(o: Options, **more: Any) -> Setup:
    """A worker's setup for these options."""
    for name in o.systems:
        check(name)
    return replace(Setup(audio_folder(o.audio), o.systems, o.adapter, proactivity=o.proactivity), **more)


def only(o: Options, *names: str) -> Options:
    """The options with the systems that are among `names`; ConfigError where none is."""
    kept = tuple(s for s in o.systems if s in names)
    if not kept:
        raise ConfigError(f"--systems: expected some of {', '.join(names)}, got {', '.join(o.systems)}")
    return replace(o, systems=kept)


def heard(
    name: str,
    o: Options,
    items: Sequence[Item],
    setup: Setup,
    runner: Runner,
    *,
    listing: Path | None = None,
    **config: Any,
) -> list[Instance]:
    """All rows of a benchmark under `o.out`: hears what is missing once the configuration is known to be the same.

    `listing`: the file that says which recordings there are, where it is not index.csv of the audio folder.
    """
    index = hashlib.sha256((listing or setup.audio / "index.csv").read_bytes()).hexdigest()[:16]
    plan = hashlib.sha256(json.dumps([i.to_dict() for i in items], sort_keys=True).encode()).hexdigest()[:16]
    common = {"bench": name, "seed": o.seed, "per_class": o.per_class, "index": index, "plan": plan}
    ours = {"adapter": identity(o.adapter)} if any(s.startswith(OURS) for s in setup.systems) else {}
    named = {"systems": list(setup.systems), "threshold": setup.threshold, "base_rate": setup.base_rate}
    named |= {} if setup.asked_threshold is None else {"asked_threshold": setup.asked_threshold}
    named |= {} if setup.proactivity == 0.5 else {"proactivity": setup.proactivity}
    instances.check_config(o.out, common | ours | named | {k: str(v) for k, v in config.items()})
    lengths = [i.seconds or sum(p.gap_s + p.most_s for p in i.parts) + i.tail_s for i in items]
    repeats = [float(i.facts.get("repeat", 1.0)) for i in items]
    totals = [a * b for a, b in zip(lengths, repeats, strict=True)]
    return run(name, items, o.out, setup, runner, workers=o.workers, lengths=totals)


def finish(
    name: str,
    o: Options,
    rows: Sequence[Instance],
    figures: dict[str, Any],
    pictures: Sequence[Picture],
    shown: Sequence[Table] | None = None,
) -> Result:
    """Report and figures.json of one benchmark, with the tables `shown` or those of `tables.TABLES`.

    ConfigError where there are no rows.
    """
    if not rows:
        raise ConfigError(f"{o.out}: expected instances.jsonl with rows of {name}, got none")
    section = Section(name, tables.TABLES[name](figures) if shown is None else shown, pictures)
    about = report.facts(saved_config(o.out)) | {"instances_sha256": instances.digest(o.out)}
    report.write(o.out, f"SoundFlow: {name}", [section], figures, about)
    return Result(figures, section, rows)


def saved_config(out: Path) -> dict[str, Any]:
    """What `out`/config.json says; empty where there is none."""
    path = out / "config.json"
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return body


def run_proactive(
    o: Options,
    snrs: Sequence[float] = (20.0,),
    thin: Mapping[tuple[str, str], int] | None = None,
    fit: int = RULES_PER_CLASS,
) -> Result:
    """Single events. `thin`: at most so many items of a class of (group, respond)."""
    if o.score_only:
        rows = instances.read(o.out)
    else:
        setup = setup_of(o)
        index = read_index(setup.audio)
        items = thinned(single_events(index, "dev", o.per_class, o.seed, snrs), thin)
        if "rules" in o.systems:
            setup = replace(setup, threshold=fitted(o, index, setup, fit))
        sides = [i.respond for i in items if i.group in proactive.HEADLINE and i.respond in ("yes", "no")]
        setup = replace(setup, base_rate=round(sides.count("yes") / len(sides), 4))
        rows = heard("proactive", o, items, setup, hear, snr=list(snrs), thin=thin or "")
    figures = proactive.score(rows)
    pictures = (
        []
        if not figures
        else [Picture("classes", "Share of right behaviour by class", charts.classes(next(iter(figures.values()))))]
    )
    return finish("proactive", o, rows, figures, [*pictures, *timelines(o, rows)])


def fitted(o: Options, index: Sequence[Row], setup: Setup, per_class: int) -> float:
    """Threshold of the rules, out of rules.json beside the instances or of a sibling run, else fitted on train."""
    for folder in (o.out, o.out.parent / "proactive"):
        if (folder / "rules.json").is_file():
            return float(json.loads((folder / "rules.json").read_text(encoding="utf-8"))["threshold"])
    body = rules.fit(index, setup, o.out, per_class=per_class, seed=o.seed, workers=o.workers)
    return float(body["threshold"])


def fitted_asked(o: Options, index: Sequence[Row], setup: Setup) -> float:
    """Threshold of the rules for sounds that are asked for, fitted on train and kept beside the instances."""
    body = rules.fit_asked(index, setup, o.out, per_class=ASKED_PER_CLASS, seed=o.seed, workers=o.workers)
    return float(body["threshold"])


def thinned(items: Sequence[Item], most: Mapping[tuple[str, str], int] | None) -> list[Item]:
    """At most `most[group, respond]` items of each label (0: none of the group); the first ones."""
    if most is None:
        return list(items)
    counts: dict[tuple[str, str, str], int] = {}
    kept = []
    for item in items:
        key = (item.group, item.respond, item.label)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= most.get(key[:2], 0):
            kept.append(item)
    return kept


def timelines(o: Options, rows: Sequence[Instance]) -> list[Picture]:
    """An item that went well and one that did not, of ours; none where the audio is not at hand."""
    mine = [r for r in rows if r["system"] == OURS and not r.get("error") and proactive.headline(r)]
    scored = [(proactive.outcome(r), r) for r in mine]
    good = [(s.score, r) for s, r in scored if s.respond and s.fired and not proactive.early(r)]
    bad = [(s.score if not s.respond else 1 - s.score, r) for s, r in scored if s.fired is not s.respond]
    try:
        clips = Clips(audio_folder(o.audio))
    except ConfigError:
        return []
    found = []
    threshold = saved_config(o.out).get("adapter", {}).get(SPEAK)
    for name, choice in (("good", good), ("bad", bad)):
        if choice:
            row = max(choice, key=lambda pair: (pair[0], pair[1]["id"]))[1]
            item = Item.from_dict(row["item"])
            wanted = "an answer is wanted" if item.respond == "yes" else "silence is wanted"
            title = f"{item.label} ({wanted}), {item.parts[0].path}"
            png = charts.timeline(row, render(item, clips, row["chunk"]), threshold, title)
            words = {"good": "An item that went well", "bad": "The worst item: an answer missed or given wrongly"}[name]
            found.append(
                Picture(f"timeline_{name}", f"{words}. Green lines: the sound; green band: an answer counts.", png)
            )
    return found


def with_rules(o: Options, index: Sequence[Row], setup: Setup) -> Setup:
    """The setup with the threshold of the rule system, fitted on train, where that system takes part."""
    if "rules" not in setup.systems:
        return setup
    return replace(setup, threshold=fitted(o, index, setup, RULES_PER_CLASS))


def run_quiet(o: Options, minutes: float = 60.0, events: Path | None = None) -> Result:
    """False alarms; the curve needs the folder of a proactive run (`events`, or the sibling "proactive")."""
    if o.score_only:
        rows = instances.read(o.out)
    else:
        setup = setup_of(o)
        index = read_index(setup.audio)
        setup = with_rules(o, index, setup)
        rows = heard("quiet", o, quiet.plan(index, minutes, o.seed), setup, hear, minutes=minutes)
    beside = events or o.out.parent / "proactive"
    others = [r for r in instances.read(beside) if proactive.headline(r)]
    top = max((r["item"]["facts"]["snr"] for r in others), default=0.0)
    others = [r for r in others if r["item"]["facts"]["snr"] == top]
    figures = quiet.score(rows, others, answer_odds(saved_config(o.out)))
    pictures = []
    for system, body in figures.items():
        fired = [r for r in others if r["system"] == system]
        body["recall"] = recalls(proactive.outcomes(fired))[0] if fired else None
    if any(p["recall"] is not None for body in figures.values() for p in body.get("curve", ())):
        hours = next(iter(figures.values()))["hours"]
        caption = "Respond-recall on single events against false alarms an hour, the threshold swept"
        pictures = [Picture("recall_alarms", caption, charts.recall_against_alarms(figures, hours))]
    return finish("quiet", o, rows, figures, pictures)


def run_watch(o: Options) -> Result:
    """Tell me when you hear X."""
    if o.score_only:
        rows = instances.read(o.out)
    else:
        setup = setup_of(only(o, OURS, *ABLATED, "rules", "always-silent", "always-respond"))
        index = read_index(setup.audio)
        if "rules" in setup.systems:
            asked = fitted_asked(o, index, setup)
            setup = replace(setup, threshold=fitted(o, index, setup, RULES_PER_CLASS), asked_threshold=asked)
        rows = heard("watch", o, watch.plan(index, o.per_class, o.seed), setup, hear)
    return finish("watch", o, rows, watch.score(rows), ())


def run_acts(o: Options, spoken: Path | None = None) -> Result:
    """Device acts; forty sentences are synthesised into `o.out`. `spoken`: a folder of the same by other voices."""
    if o.score_only:
        rows = instances.read(o.out)
    else:
        setup = setup_of(only(o, OURS, *ABLATED, "rules"))
        index, folder = read_index(setup.audio), o.out / "utterances"
        setup = with_rules(o, index, setup)
        requests = act_items.speak(folder)
        others = (act_items.spoken(spoken), spoken) if spoken else None
        items = acts.plan(index, requests, folder, o.per_class, o.seed, others)
        rows = heard("acts", o, items, setup, hear)
    return finish("acts", o, rows, acts.score(rows), ())


def run_echo(o: Options, alerts: int = 8) -> Result:
    """Own voice."""
    if o.score_only:
        rows = instances.read(o.out)
    else:
        setup = setup_of(replace(o, systems=(OURS,)))
        rows = heard("echo", o, echo.plan(read_index(setup.audio), alerts, o.seed), setup, echo.hear, alerts=alerts)
    return finish("echo", o, rows, echo.score(rows), ())
