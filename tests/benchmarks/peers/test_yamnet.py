"""YAMNet and thresholds: what fires, what is told of sounds, and how the thresholds are fitted."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.hear import drive, record
from benchmarks.peers import thresholds
from benchmarks.peers.thresholds import chosen
from benchmarks.peers.yamnet import FITTED, GROUP_OF, HOLD_CHUNKS, YamnetThreshold, _Tags, read
from benchmarks.systems import Ask
from soundflow.errors import ConfigError, DataError
from soundflow.events import SoundEvent
from soundflow.types import FloatArray

CHUNK = 6400
LABELS = ("Siren", "Knock", "Speech", "Silence")


def listener(scores: list[list[float]]) -> _Tags:
    """Of a network that gives these scores [chunks, 4]; thresholds 0.4 (siren), 0.1 (knock), 0.5, 0.5."""
    rows = iter(scores)

    def step(samples: FloatArray, state: Any) -> SimpleNamespace:
        row = np.array(next(rows), np.float32)
        return SimpleNamespace(scores=np.stack([row * 0.5, row]))

    parts = SimpleNamespace(
        chunk=CHUNK,
        encoder=SimpleNamespace(init_state=lambda: None, step=step),
        labels=LABELS,
        alerting=[(0, "Siren", 0.4), (1, "Knock", 0.1)],
        thresholds=[0.4, 0.1, 0.5, 0.5],
    )
    return _Tags(parts)  # type: ignore[arg-type]


def test_a_class_fires_at_its_own_threshold_and_is_silent_for_two_seconds() -> None:
    rows = [[0.3, 0.05, 0.9, 0.9], [0.3, 0.2, 0, 0], *[[0.8, 0.0, 0, 0]] * 6, [0.1, 0.0, 0.0, 0.0]]
    made = listener(rows)
    events = drive(made, np.zeros(9 * CHUNK, np.float32), CHUNK)
    body = record(events)
    assert body["decisions"] == "sSsssssSs"
    assert body["decisions"].index("S", 2) - 1 == HOLD_CHUNKS + 1
    assert [r["text"] for r in body["replies"]] == ["I hear knock.", "I hear siren."]
    assert body["p_speak"][0] == pytest.approx(0.75 / 1.75, abs=1e-4)
    assert body["p_speak"][1] == pytest.approx(2 / 3, abs=1e-4)
    assert made.topics[:3] == ["siren", "knock", "siren"]
    sounds = [(e.label, e.onset, e.offset, e.p) for e in events if isinstance(e, SoundEvent)]
    assert sounds == [
        ("Speech", 0.0, None, 0.9),
        ("Knock", 0.4, None, 0.2),
        ("Speech", 0.0, 0.4, 0.9),
        ("Siren", 0.8, None, 0.8),
        ("Knock", 0.4, 0.8, 0.2),
        ("Siren", 0.8, 3.2, 0.8),
    ]


def row(respond: str, label: str, **peaks: float) -> dict[str, Any]:
    named = {k.replace("_", " "): v for k, v in peaks.items()}
    found = {name: named.get(name, 0.0) for name in GROUP_OF}
    return {"item": {"respond": respond, "label": label, "source": f"{label}{sum(peaks.values())}"}, "peaks": found}


def test_thresholds_are_quantiles_of_the_silent_side_and_the_best_share_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By hand: silent peaks of Siren 0.2 and 0.6, of Knock 0 and 0.3. At q = 0 both silent items stay silent, and of
    the sirens (0.5, 0.9) one is heard: accuracy (1 + 0.75) / 2. At q = 1 the thresholds are 0.2 and the floor, and one
    silent item fires: all four are answered, (1 + 0.5) / 2."""
    rows = [
        row("no", "rain", Siren=0.2),
        row("no", "cat", Siren=0.6, Knock=0.3),
        row("yes", "siren", Siren=0.5),
        row("yes", "siren", Siren=0.9),
        row("yes", "knock", Knock=0.4),
        row("yes", "knock", Knock=0.5),
    ]
    monkeypatch.setattr(thresholds, "SHARES", (0.0, 1.0))
    body = chosen(rows)
    assert (body["share"], body["train_items"]) == (0.0, 6)
    assert body["train_balanced_accuracy"] == pytest.approx(0.875)
    assert (body["thresholds"]["Siren"], body["thresholds"]["Knock"]) == pytest.approx((0.60001, 0.30001))
    assert body["thresholds"]["Cough"] == pytest.approx(thresholds.LOWEST, abs=2e-5)
    for side in (rows[:2], rows[2:]):
        with pytest.raises(DataError, match="both sides"):
            chosen(side)


def test_a_file_of_thresholds_is_checked(tmp_path: Path) -> None:
    good = {"thresholds": dict.fromkeys(GROUP_OF, 0.3)}
    path = tmp_path / "t.json"
    path.write_text(json.dumps(good))
    assert read(path)["Knock"] == 0.3
    for broken in ("", "[]", '{"thresholds": 3}', json.dumps({"thresholds": good["thresholds"] | {"Knock": 0}})):
        path.write_text(broken)
        with pytest.raises(ConfigError, match=str(path)):
            read(path)
    with pytest.raises(ConfigError, match="thresholds of yamnet"):
        read(tmp_path / "none.json")


@pytest.mark.weights
def test_the_network_hears_an_alarm_and_no_hiss(nano_parts: Path) -> None:
    limits = dict.fromkeys(read(FITTED), 0.2)
    system = YamnetThreshold(limits, nano_parts / "sound" / "yamnet.tflite")
    t = np.arange(4 * 16_000) / 16_000
    beeping = (0.5 * np.sign(np.sin(2 * np.pi * 3100 * t)) * (np.sin(2 * np.pi * 2 * t) > 0)).astype(np.float32)
    alarm = record(drive(system.open(Ask()), beeping, CHUNK))
    hiss = np.random.default_rng(0).normal(0, 0.01, len(t)).astype(np.float32)
    quiet = record(drive(system.open(Ask()), hiss, CHUNK))
    assert "S" in alarm["decisions"]
    assert "S" not in quiet["decisions"]
    assert max(alarm["p_speak"]) > 0.5 > max(quiet["p_speak"])
