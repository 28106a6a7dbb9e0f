"""`bench peers`: ours and the peers side by side on sounds, quiet and words, and one table out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks import instances, proactive, report
from benchmarks.compose import Item
from benchmarks.corpus import read_index
from benchmarks.hear import hear
from benchmarks.instances import Row
from benchmarks.peers import catalog
from benchmarks.peers.table import as_figures, compare, licences, table
from benchmarks.plan import single_events
from benchmarks.report import Section
from benchmarks.runs import Options, Result, finish, heard, run_proactive, run_quiet, setup_of
from benchmarks.systems import OURS, real_time
from benchmarks.tables import Table
from benchmarks.words.run import run_asr
from soundflow.errors import ConfigError

SOUNDS: Final = (OURS, "rules", "yamnet-threshold", "cascade", "openwakeword")
WORDS: Final = (OURS, "moonshine-stream", "pocketsphinx", "vosk")
OFFLINE: Final = (OURS, "offline-lalm")
PARTS: Final = ("proactive", "quiet", "asr", "offline")


def run_peers(
    o: Options,
    per_class: int = 1,
    minutes: float = 6.0,
    clips: int = 20,
    offline: int = 12,
    servers: Sequence[str] = (),
    fit: int = 4,
) -> Result:
    """Each part in a folder of `o.out`; what is there is only scored. A part of size 0 is left out.

    Args:
        per_class: events of a class, at 20 dB. minutes: of quiet. clips: of speech. offline: events for the offline
            LALM, whose steps grow. servers: URLs that take part in the first two. fit: train clips a class for `rules`.

    Raises:
        ConfigError: no part is left, or a server's name is wrong.
    """
    there = catalog.installed()

    def of(names: Sequence[str], *more: str) -> tuple[str, ...]:
        return (*(n for n in names if there.get(n, True)), *more)

    parts: dict[str, Result] = {}
    if per_class:
        one = replace(o, out=o.out / "proactive", per_class=per_class, systems=of(SOUNDS, *servers))
        parts["proactive"] = run_proactive(one, fit=fit)
    if minutes:
        parts["quiet"] = run_quiet(replace(o, out=o.out / "quiet", systems=of(SOUNDS, *servers)), minutes)
    if clips:
        parts["asr"] = run_asr(replace(o, out=o.out / "asr", systems=of(WORDS)), clips=clips, longest_s=16.0)
    if offline:
        parts["offline"] = run_offline(replace(o, out=o.out / "offline", systems=OFFLINE), offline)
    if not parts:
        raise ConfigError(f"bench peers: expected a size above 0 for one of {', '.join(PARTS)}, got none")
    return written(o.out, [o.out / name for name in parts], parts, tuple(n for n in servers if real_time(n)))


def run_offline(o: Options, count: int = 12) -> Result:
    """`count` single events, half of them to answer: ours beside the offline LALM, whose decisions should be ours."""
    if o.score_only:
        rows = instances.read(o.out)
    else:
        setup = setup_of(o)
        items = some(single_events(read_index(setup.audio), "dev", 1, o.seed, (20.0,)), count)
        rows = heard("proactive", o, items, setup, hear, offline=count)
    found = agreement(rows)
    figures: dict[str, Any] = proactive.score(rows) | {"agreement": found}
    return finish("proactive", o, rows, figures, (), shown=[agreement_table(found)])


def some(items: Sequence[Item], count: int) -> list[Item]:
    """The first `count` of the headline, one to answer and one not in turn."""
    sides = [[i for i in items if i.group in proactive.HEADLINE and i.respond == r] for r in ("yes", "no")]
    return [i for pair in zip(*sides, strict=False) for i in pair][:count]


def agreement(rows: Sequence[Row]) -> dict[str, Any]:
    """Ours against the offline LALM up to the first answer of either, which empties its history: chunks that were
    decided alike, the largest difference of p(respond), and the time of a step at the end of the stream over that of
    ours.
    """
    mine = {r["id"]: r for r in rows if r["system"] == OURS and not r.get("error")}
    alike = chunks = 0
    apart = 0.0
    times = {OURS: 0.0, OFFLINE[1]: 0.0}
    for row in rows:
        other = mine.get(row["id"])
        if row["system"] != OFFLINE[1] or row.get("error") or other is None:
            continue
        for k, (a, b) in enumerate(zip(other["decisions"], row["decisions"], strict=False)):
            chunks += 1
            alike += a == b
            p = [r["p_speak"][k] + r["p_act"][k] for r in (other, row)]
            apart = max(apart, abs(p[0] - p[1]))
            if a != "s" or b != "s":
                break
        for one in (other, row):
            times[one["system"]] += one["wall_s"]
    failed = sum(bool(r.get("error")) for r in rows)
    ratio = round(times[OFFLINE[1]] / times[OURS], 2) if times[OURS] else None
    return {
        "chunks": chunks,
        "decided_alike": round(alike / chunks, 4) if chunks else None,
        "most_apart": round(apart, 4),
        "time_ratio": ratio,
        "failed": failed,
    }


def agreement_table(found: dict[str, Any]) -> Table:
    """One row."""
    columns = ["chunks up to the first answer", "decided alike", "largest difference of p", "its time / ours", "failed"]
    cells = [str(found[k]) for k in ("chunks", "decided_alike", "most_apart", "time_ratio", "failed")]
    note = "The offline LALM has our weights and no streaming state; one pass over many tokens rounds otherwise."
    return Table("The offline LALM", columns, [cells], note)


def written(out: Path, folders: Sequence[Path], parts: dict[str, Result], paced: Sequence[str] = ()) -> Result:
    """The table out of these runs, with the report of `out`."""
    compared = compare(folders)
    figures: dict[str, Any] = {"compared": as_figures(compared)}
    figures |= {name: result.figures for name, result in parts.items()}
    missing = [n for n, found in catalog.installed().items() if not found]
    about = report.facts({"runs": [str(f) for f in folders]}) | {"not_installed": missing, "real_time": list(paced)}
    section = Section("Peers", [table(compared), licences()])
    more = [r.section for r in parts.values()]
    report.write(out, "SoundFlow: peers", [section, *more], figures, about)
    return Result(figures, section, [row for r in parts.values() for row in r.rows])
