"""Device acts: real coffee orders, and spoken requests for lights, timers, locks and heating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.act_items import Request, coffee_call
from benchmarks.compose import Bed, Item, Part
from benchmarks.corpus import Row
from benchmarks.instances import Row as Instance
from benchmarks.plan import SPEECH_GROUPS, capped, item_seed
from soundflow.errors import ConfigError, DataError
from soundflow.scoring import Interval

DEMO = Path(__file__).resolve().parents[1] / "demo"
TAIL_S = 3.6
NEGATIVES = 24
GROUPS = ("coffee", "home", "spoken")


def tool_file(name: str) -> str:
    """Path of a tool file under demo/. ConfigError where the checkout has none."""
    path = DEMO / name
    if not path.is_file():
        raise ConfigError(f"{path}: expected the tool file of the demo; run the benchmark from a checkout")
    return str(path)


def plan(
    rows: Sequence[Row],
    requests: Sequence[Request],
    folder: Path,
    per_class: int,
    seed: int,
    spoken: tuple[Sequence[Request], Path] | None = None,
) -> list[Item]:
    """Groups "coffee" (`per_class` * 5 orders, 0 = all), "home" (every request), and speech that asks for nothing.

    `spoken`: the same requests by other voices, and their folder: group "spoken".
    """
    orders = [r for r in rows if r.dataset == "picovoice_s2i" and r.split == "dev"]
    if not orders:
        raise DataError("expected dev rows of picovoice_s2i, got none")
    coffee, home = tool_file("coffee_tools.json"), tool_file("tools.json")
    found = []
    for row in capped(orders, per_class * 5, seed, "coffee"):
        wanted = {"call": coffee_call(row.label, row.path)}
        found.append(_item("coffee", row.path, row.path, coffee, wanted, seed))
    for group, asked, where in (("home", requests, folder), ("spoken", *(spoken or ((), folder)))):
        for request in asked:
            facts: dict[str, Any] = {"call": request.call, "text": request.text, "voice": request.voice}
            path = str((where / request.path).resolve())
            found.append(_item(group, f"{request.voice}/{request.text}", path, home, facts, seed))
    talk = [r for r in rows if r.split == "dev" and r.dataset in SPEECH_GROUPS]
    for k, row in enumerate(capped(talk, NEGATIVES, seed, "acts")):
        tools = (coffee, home)[k % 2]
        found.append(_item("not asked", row.path, row.path, tools, {"call": None, "text": row.text}, seed))
    return found


def _item(group: str, name: str, path: str, tools: str, facts: Mapping[str, Any], seed: int) -> Item:
    call = facts["call"]
    label, full = (call["name"] if call else "none"), f"acts/{group}/{name}"
    part = Part(path, 1.0, 0.0, 15.0, -24.0)
    where = (full, group, label, "yes" if call else "no", name, item_seed(seed, full))
    return Item(*where, (part,), Bed("room", -58.0), TAIL_S, tools=tools, facts=facts)


def exact(row: Instance) -> bool:
    """Exactly one right call: the first action has the wanted name and every slot, and no other."""
    wanted, got = row["item"]["facts"]["call"], row.get("actions") or []
    return len(got) == 1 and {k: got[0][k] for k in ("name", "arguments")} == wanted


def slots(row: Instance) -> tuple[int, int, int]:
    """(right, given, wanted) slot=value pairs of the first action; a wrong tool has no right one."""
    wanted = row["item"]["facts"]["call"]
    got = (row.get("actions") or [{"name": "", "arguments": {}}])[0]
    right = set(_pairs(wanted["arguments"])) & set(_pairs(got["arguments"])) if got["name"] == wanted["name"] else set()
    return len(right), len(got["arguments"]), len(wanted["arguments"])


def _pairs(arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(k, str(v)) for k, v in arguments.items()]


def f1(right: int, given: int, wanted: int) -> float:
    """2 * right / (given + wanted) (van Rijsbergen 1979), 1 where there is nothing to find and nothing was given."""
    return 2 * right / (given + wanted) if given + wanted else 1.0


def score(rows: Sequence[Instance], draws: int = 1000, seed: int = 0) -> dict[str, Any]:
    """System -> group -> exact share with its interval over items, slot F1 in all and by slot, act-decision recall.

    Exact match and slot F1 as for spoken language understanding (Bastianelli et al. 2020, SLURP; Lugosch et al. 2019).
    A request without an action counts as wrong in all three; `false_acts` is the share of unasked speech acted upon.
    """
    found: dict[str, Any] = {}
    for system in dict.fromkeys(r["system"] for r in rows):
        mine = [r for r in rows if r["system"] == system]
        found[system] = {}
        for group in GROUPS:
            asked = [r for r in mine if r["item"]["group"] == group]
            if asked:
                found[system][group] = _figures(asked, draws, seed)
        idle = [r for r in mine if r["item"]["group"] == "not asked"]
        if idle:
            acted = [bool(r.get("error")) or bool(r["actions"]) for r in idle]
            answered = [bool(r.get("error")) or any(c != "s" for c in r["decisions"]) for r in idle]
            shares = {"false_acts": float(np.mean(acted)), "false_answers": float(np.mean(answered))}
            found[system]["not asked"] = {"items": len(idle)} | {k: round(v, 4) for k, v in shares.items()}
    return found


def _figures(rows: Sequence[Instance], draws: int, seed: int) -> dict[str, Any]:
    right = np.array([exact(r) for r in rows], float)
    drawn = right[np.random.default_rng(seed).integers(0, len(right), (draws, len(right)))].mean(axis=1)
    interval = Interval(float(right.mean()), *(float(x) for x in np.percentile(drawn, [2.5, 97.5])))
    sums = np.array([slots(r) for r in rows]).sum(axis=0)
    named = [bool(r.get("actions")) and r["actions"][0]["name"] == r["item"]["facts"]["call"]["name"] for r in rows]
    return {
        "items": len(rows),
        "failed": sum(bool(r.get("error")) for r in rows),
        "exact": [round(x, 4) for x in (interval.value, interval.low, interval.high)],
        "name": round(float(np.mean(named)), 4),
        "slot_f1": round(f1(*(int(x) for x in sums)), 4),
        "slot_f1_by_slot": _by_slot(rows),
        "act_recall": round(float(np.mean(["A" in r.get("decisions", "") for r in rows])), 4),
        "spoke_instead": round(float(np.mean([_spoke(r) for r in rows])), 4),
        "by_tool": {
            name: round(float(np.mean([exact(r) for r in rows if r["item"]["label"] == name])), 4)
            for name in sorted({r["item"]["label"] for r in rows})
        },
    }


def _spoke(row: Instance) -> bool:
    said = row.get("decisions", "")
    return "S" in said and "A" not in said


def _by_slot(rows: Sequence[Instance]) -> dict[str, float]:
    counts: dict[str, list[int]] = {}
    for row in rows:
        wanted = row["item"]["facts"]["call"]
        got = (row.get("actions") or [{"name": "", "arguments": {}}])[0]
        same = got["name"] == wanted["name"]
        for slot in {*wanted["arguments"], *(got["arguments"] if same else ())}:
            tally = counts.setdefault(slot, [0, 0, 0])
            a, b = wanted["arguments"].get(slot), got["arguments"].get(slot) if same else None
            tally[0] += a is not None and str(a) == str(b)
            tally[1] += b is not None
            tally[2] += a is not None
    return {slot: round(f1(*tally), 4) for slot, tally in sorted(counts.items())}
