"""The rows of a suite's first table out of each part's figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.suite.run import Headline
from benchmarks.systems import OURS
from benchmarks.tables import interval, num

Figures = Mapping[str, Any]


def beside(what: str, values: Mapping[str, Any], digits: int = 2) -> list[Headline]:
    """One row: ours, and every other system by name; none where ours has no value. Values: a number or an interval."""
    shown = {name: _told(value, digits) for name, value in values.items() if _is_there(value)}
    if OURS not in shown:
        return []
    return [(what, shown.pop(OURS), ", ".join(f"{name} {value}" for name, value in shown.items()) or "-")]


def _is_there(value: Any) -> bool:
    return value is not None and not (isinstance(value, list | tuple) and (not value or value[0] is None))


def _told(value: Any, digits: int) -> str:
    return interval(value, digits) if isinstance(value, list | tuple) else num(value, digits)


def of_systems(figures: Figures, *path: str) -> dict[str, Any]:
    """System -> what lies under `path`, None where it is not there."""
    found: dict[str, Any] = {}
    for system, body in figures.items():
        for key in path:
            body = body.get(key) if isinstance(body, Mapping) else None  # noqa: PLW2901
        found[system] = body
    return found


def proactive(figures: Figures) -> Sequence[Headline]:
    rows: list[Headline] = []
    for snr, systems in figures.items():
        for name in ("balanced_accuracy", "respond_recall"):
            rows += beside(f"{name.replace('_', ' ')}, {snr} dB", of_systems(systems, "all", name))
    return rows


def quiet(figures: Figures) -> Sequence[Headline]:
    return beside("false alarms an hour", of_systems(figures, "false_alarms_hour"), 1)


def mini(figures: Figures) -> Sequence[Headline]:
    return beside("balanced accuracy, mini set", of_systems(figures["systems"], "balanced_accuracy"))


def asr(figures: Figures) -> Sequence[Headline]:
    found = figures["all"]
    late = beside("words told late, LAAL s", of_systems(found, "laal"))
    return [*beside("word error rate", of_systems(found, "wer"), 3), *late]


def events(figures: Figures) -> Sequence[Headline]:
    rows = beside("event F1, 0.8 s", of_systems(figures, "event 0.8 s"))
    return [*rows, *beside("segment F1, 1 s", of_systems(figures, "segment 1 s"))]


def duplex(figures: Figures) -> Sequence[Headline]:
    wanted = (("all", "right, mean over scenarios"), ("turn", "a turn taken behind a question"))
    rows: list[Headline] = []
    for group, what in (
        *wanted,
        ("pause/asked", "no takeover in a pause"),
        ("interruption", "an interruption answered"),
    ):
        rows += beside(what, of_systems(figures.get(group, {}), "right"))
    return rows


def understand(figures: Figures) -> Sequence[Headline]:
    said: dict[str, Any] = {}
    for system, body in figures["systems"].items():
        for method in ("cloze per token", "cloze gain", "rule"):
            if method in body["methods"]:
                name = system if method in ("cloze per token", "rule") else f"{system} ({method})"
                said[name] = body["methods"][method]["accuracy"]
    return beside("multiple choice, by likelihood", said | of_systems(figures["baselines"], "accuracy"))


def tasks(figures: Figures) -> Sequence[Headline]:
    rows: list[Headline] = []
    for ability in dict.fromkeys(a for body in figures["systems"].values() for a in body.get("abilities", ())):
        rows += beside(
            f"{ability}: balanced", of_systems(figures["systems"], "abilities", ability, "balanced_accuracy")
        )
    return rows


def watch(figures: Figures) -> Sequence[Headline]:
    rows: list[Headline] = []
    for group, what in (("in", "classes in training"), ("out", "classes outside")):
        rows += beside(f"tell me when, {what}: balanced", of_systems(figures, group, "balanced_accuracy"))
    return rows


def acts(figures: Figures) -> Sequence[Headline]:
    rows: list[Headline] = []
    for group in ("coffee", "home", "spoken"):
        rows += beside(f"device acts exact, {group}", of_systems(figures, group, "exact"))
    return rows


def peers(figures: Figures) -> Sequence[Headline]:
    """Balanced accuracy, false alarms and word errors; the page has all others."""
    rows: list[Headline] = []
    for metric, digits in (("balanced accuracy", 2), ("false alarms an hour", 1), ("WER", 3)):
        for run in dict.fromkeys(c["run"] for c in figures["compared"] if c["metric"] == metric):
            found = [c for c in figures["compared"] if c["metric"] == metric and c["run"] == run]
            rows += beside(
                f"{metric}, {run}", {OURS: found[0]["ours"], **{c["peer"]: c["theirs"] for c in found}}, digits
            )
    return rows


def retention(figures: Figures) -> Sequence[Headline]:
    rows: list[Headline] = []
    for what, systems in figures.items():
        for setup in dict.fromkeys(name for body in systems.values() for name in body):
            rows += beside(f"{what} kept, {setup}", of_systems(systems, setup, "retention"))
    return rows


def review(figures: Figures) -> Sequence[Headline]:
    rows: list[Headline] = []
    for way in ("spoken", "typed"):
        for kind in ("fact", "before"):
            values = of_systems(figures["systems"], way, kind, "all", "right")
            rows += beside(f"history review, {kind}, {way}", values)
    return rows


def needle(figures: Figures) -> Sequence[Headline]:
    rows = beside("needle: did you hear it, balanced", of_systems(figures["systems"], "typed", "balanced"))
    return [*rows, *beside("needle: false memory", of_systems(figures["systems"], "typed", "false_memory"))]


def latency(figures: Figures) -> Sequence[Headline]:
    found: list[Headline] = []
    for group, key, what in (
        ("realtime", "step_ms", "step, ms p50 / p99"),
        ("spoken", "token_ms", "decision to first token, ms p50 / p99"),
        ("spoken", "audio_ms", "decision to first audio, ms p50 / p99"),
    ):
        body = figures.get(group, {}).get(key)
        if body:
            found.append((what, f"{body['p50']:.0f} / {body['p99']:.0f}", "-"))
    return found


def capacity(figures: Figures) -> Sequence[Headline]:
    return [("live streams held", str(figures["most"]), "-")]


def nothing(figures: Figures) -> Sequence[Headline]:
    """A part whose figures are curves."""
    return []
