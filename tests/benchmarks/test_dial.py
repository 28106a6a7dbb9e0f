"""The dial is fitted on recordings that no figure uses, and under a budget of false alarms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import dial
from benchmarks.corpus import Row, dial_rows, read_index
from benchmarks.dial import choose, write
from benchmarks.plan import single_events
from benchmarks.quiet import plan
from benchmarks.runs import Options
from benchmarks.systems import Setup
from soundflow.decide.policy import Calibration
from soundflow.errors import ConfigError
from soundflow.types import Whole


def _row(k: int, kind: str = "event", label: str = "siren", dataset: str = "d", speaker: str = "") -> Row:
    path = f"{dataset}/{kind}-{label}-{k}.ogg"
    return Row(path, dataset, "dev", kind, label, "", speaker, "", 3.0, "CC0", "", True, "yes")


def test_one_in_four_of_each_class_and_no_class_is_emptied() -> None:
    rows = [_row(k) for k in range(12)] + [_row(k, label="knock") for k in range(3)]
    rows += [_row(k, "ambience", f"place {k}") for k in range(8)]
    rows += [_row(k, "speech", "", "picovoice_s2i") for k in range(8)]
    chosen = dial_rows(rows)
    counts = {label: sum(label in p for p in chosen) for label in ("siren", "knock", "ambience", "picovoice")}
    assert counts == {"siren": 3, "knock": 0, "ambience": 2, "picovoice": 0}
    assert chosen == dial_rows(rows[::-1])


def test_speakers_are_kept_together() -> None:
    rows = [_row(k, "speech", "", "an4_test", speaker=f"s{k // 4}") for k in range(32)]
    chosen = dial_rows(rows)
    assert len({r.speaker for r in rows if r.path in chosen}) == 2


def test_dev_streams_hold_no_dial_recording(corpus: Path) -> None:
    rows = read_index(corpus)
    fitted = {r.path for r in rows if r.split == "dial"}
    items = [*single_events(rows, "dev", 0, 0, (20.0,)), *plan(rows, 20, 0)]
    used = {p.path for i in items for p in i.parts} | {i.bed.path for i in items}
    assert not used & fitted


def _instance(respond: str, p: float, seconds: float = 12.0) -> dict[str, Any]:
    chunks = int(seconds / 0.4)
    item = {"respond": respond, "label": respond, "source": f"{respond}{p}", "group": "event", "seconds": seconds}
    speak = [0.0] * chunks
    speak[15] = p
    return {
        "item": item, "chunk": 6400, "onset": 90_000, "offset": 110_000, "evidence_end": 109_200, "error": "",
        "decisions": "s" * chunks, "p_speak": speak, "p_act": [0.0] * chunks, "topics": [], "id": f"{respond}{p}",
    }  # fmt: skip


def test_the_budget_bounds_the_threshold() -> None:
    events = [_instance("yes", p) for p in (0.3, 0.5, 0.7, 0.9)] + [_instance("no", p) for p in (0.05, 0.1, 0.2)]
    calm = [_instance("no", p, 60.0) for p in (0.1, 0.1, 0.45, 0.6)]
    free = choose(events, calm, budget=1000.0)
    assert 0.2 < free["speak_threshold"] <= 0.3
    assert free["balanced_accuracy"] == 1.0
    bound = choose(events, calm, budget=40.0)
    assert 0.45 < bound["speak_threshold"] <= 0.6
    assert bound["false_alarms_hour"] == pytest.approx(15.0)
    assert bound["expected_hour"] == pytest.approx(30.0)
    strict = choose(events, calm, budget=20.0)
    assert strict["false_alarms_hour"] == 0.0, "one alarm in four minutes lets two be expected"
    none = choose(events, calm, budget=-1.0)
    assert none["false_alarms_hour"] == 0.0
    with pytest.raises(ConfigError, match="expected instances"):
        choose([], calm, 1.0)


def test_nothing_but_the_dial_is_written(tmp_path: Path) -> None:
    (tmp_path / "calibration.json").write_text('{"temperature": 1.5, "speak_threshold": 0.5}')
    found = {"speak_threshold": 0.25, "second_look": [1.0, 1.0, -2.0]}
    write(tmp_path, found | {"area": 0.9})
    assert json.loads((tmp_path / "calibration.json").read_text()) == {"temperature": 1.5, **found}
    with pytest.raises(ConfigError, match="calibrated adapter"):
        write(tmp_path / "none", found)


def test_a_second_look_finds_what_was_missed_at_once() -> None:
    """Every sound is as probable as every other one at once; at their ends they are told apart."""
    rng = np.random.default_rng(0)

    def ended(respond: str, k: int) -> dict[str, Any]:
        odds = (2.0 if respond == "yes" else -2.0) + rng.normal(0, 0.5, 2)
        return _instance(respond, 0.1) | {"id": f"{respond}{k}", "wholes": [[17, float(odds[0]), float(odds[1]), 14]]}

    events = [ended(respond, k) for respond in ("yes", "no") for k in range(20)]
    calm = [_instance("no", 0.3, 600.0) | {"wholes": [[30, -1.5, -2.0, 28], [60, -2.5, -1.0, 57]]} for _ in range(3)]
    found = choose(events, calm, budget=10.0)
    assert found["balanced_accuracy"] == 1.0
    assert found["expected_hour"] <= 10.0
    margin, alert, _, _ = found["second_look"]
    assert margin > 0
    assert alert > 0
    fitted = Calibration(speak_threshold=found["speak_threshold"], second_look=tuple(found["second_look"]))
    for row in events:
        told = fitted.looked_again(Whole("Bark", 0.5, 0, 1, *row["wholes"][0][1:3]), 0.1) >= fitted.speak_threshold
        assert told == (row["item"]["respond"] == "yes")
    without = choose([e | {"wholes": []} for e in events], calm, budget=10.0)
    assert without["second_look"] == []
    assert without["balanced_accuracy"] <= 0.5


def test_the_dial_is_heard_without_answering(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer in the context lowers what is heard after it, so that a threshold above it could not be judged."""
    seen: list[float] = []

    def heard(name: str, o: Options, items: Sequence[Any], setup: Setup, *rest: Any, **config: Any) -> None:
        seen.append(setup.proactivity)
        rows = [_instance("yes", 0.9), _instance("no", 0.1)] if name == "dial" else [_instance("no", 0.1, 60.0)]
        (o.out).mkdir(parents=True, exist_ok=True)
        (o.out / "instances.jsonl").write_text("".join(json.dumps(r | {"system": "nano"}) + "\n" for r in rows))

    monkeypatch.setattr(dial, "heard", heard)
    monkeypatch.setattr(dial, "single_events", lambda *rest: [])
    monkeypatch.setattr(dial.quiet, "plan", lambda *rest: [])
    body = dial.run_dial(Options(tmp_path, corpus), 1.0)
    assert seen == [0.0, 0.0]
    assert 0.1 < body["speak_threshold"] <= 0.9
