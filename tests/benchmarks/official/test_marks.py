"""Scores by hand, and against the official scorer where a folder of it is given."""

from __future__ import annotations

import importlib
import math
import os
import random
import sys
from pathlib import Path

import pytest

from benchmarks.official.formats import Sample, raw_reply, read_manifest, read_predictions
from benchmarks.official.marks import Verdict, figures, judged, minus, trivial
from tests.benchmarks.official.sets import line, write_json_lines

OFFICIAL = "SOUNDFLOW_PSB_SCORER"  # folder of masaz14/Proactive-Sound-Effect-Benchmark, a package by its __init__.py


def verdict(name: str, respond: bool, decision: str, macro: str = "M", meso: str = "m", why: str = "") -> Verdict:
    return Verdict(name, macro, meso, respond, decision, why)


def by_hand() -> list[Verdict]:
    """Five to answer: 3 answered, 1 not, 1 unreadable. Three to leave: 2 left, 1 answered. One to leave is missing."""
    return [
        verdict("a", True, "RESPOND", "A", "x"),
        verdict("b", True, "RESPOND", "A", "x"),
        verdict("c", True, "RESPOND", "A", "y"),
        verdict("d", True, "IGNORE", "B", "z"),
        verdict("e", True, "", "B", "z", "unparsable"),
        verdict("f", False, "IGNORE", "B", "w"),
        verdict("g", False, "IGNORE", "A", "y"),
        verdict("h", False, "RESPOND", "A", "y"),
        verdict("i", False, "", "B", "w", "missing"),
    ]


def test_every_figure_of_nine_clips() -> None:
    f = figures(by_hand(), draws=200)
    assert (f["clips"], f["respond"], f["right"]) == (9, 5, 5)
    assert f["confusion"] == {"tp": 3, "fn": 2, "fp": 2, "tn": 2}
    expected = {
        "accuracy": 5 / 9,
        "respond_recall": 3 / 5,
        "ignore_recall": 2 / 4,
        "balanced_accuracy": (3 / 5 + 1 / 2) / 2,
        "precision": 3 / 5,
        "f1": 2 * 3 / (2 * 3 + 2 + 2),
        "f1_macro": (0.6 + 2 * 2 / (2 * 2 + 2 + 2)) / 2,
    }
    for name, value in expected.items():
        assert f[name][0] == pytest.approx(value, abs=1e-4), name
        assert f[name][1] <= f[name][0] <= f[name][2], name
    assert f["official"] == [5, 7], "the official scorer leaves two out"
    assert (f["missing"], f["unparsable"], f["failed"]) == (1, 1, 0)
    assert f["by_macro"]["A"]["accuracy"][0] == pytest.approx(4 / 5)
    assert f["by_macro"]["B"]["right"] == 1
    # to answer: x 1, y 1, z 0; to leave: w 1/2, y 1/2
    assert f["by_class_balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2, abs=1e-4)


def samples(yes: int, no: int) -> list[Sample]:
    made = [Sample(f"y{k}", "", "", "RESPOND", "A", "a") for k in range(yes)]
    return made + [Sample(f"n{k}", "", "", "IGNORE", "B", "b") for k in range(no)]


def test_always_silent_on_the_shares_of_the_published_set() -> None:
    given = samples(267, 377)
    silent, loud = (figures(trivial(given, n, 0), 50) for n in ("always-silent", "always-respond"))
    assert silent["accuracy"][0] == pytest.approx(0.5854, abs=5e-5)
    assert silent["balanced_accuracy"][0] == loud["balanced_accuracy"][0] == 0.5
    assert silent["f1"][0] == 0.0
    assert loud["f1"][0] == pytest.approx(2 * 267 / (267 + 644), abs=1e-4)
    guess = figures(trivial(given, "random", 0), 50)
    assert abs(guess["balanced_accuracy"][0] - 0.5) < 0.08
    assert trivial(given, "random", 1) == trivial(given, "random", 1) != trivial(given, "random", 2)


def test_a_prediction_that_is_missing_is_wrong_on_both_sides() -> None:
    f = figures(judged(samples(3, 5), {}), 50)
    assert f["accuracy"] == [0.0, 0.0, 0.0]
    assert (f["clips"], f["missing"], f["official"]) == (8, 8, [0, 0])


def test_a_side_that_is_empty_has_no_figure() -> None:
    f = figures(judged(samples(2, 0), {}), 50)
    assert f["ignore_recall"] == f["balanced_accuracy"] == [None, None, None]
    assert f["by_class_balanced_accuracy"] is None
    assert f["accuracy"][0] == 0.0


def test_the_interval_is_that_of_drawn_clips() -> None:
    right = [verdict(f"y{k}", True, "RESPOND" if k < 60 else "IGNORE") for k in range(100)]
    right += [verdict(f"n{k}", False, "IGNORE") for k in range(100)]
    value, low, high = figures(right, draws=20_000)["respond_recall"]
    spread = 1.96 * math.sqrt(0.6 * 0.4 / 100)
    assert value == 0.6
    assert low == pytest.approx(0.6 - spread, abs=0.015)
    assert high == pytest.approx(0.6 + spread, abs=0.015)


def test_the_difference_is_drawn_in_pairs() -> None:
    a = by_hand()
    assert minus(a, a) == [0.0, 0.0, 0.0]
    better = [verdict(v.id, v.respond, "RESPOND" if v.respond else "IGNORE") for v in a]
    assert minus(better, a)[0] == pytest.approx(1 - 0.55)


def test_against_the_official_scorer(tmp_path: Path) -> None:
    """To 1e-6 on random sets, where every row is readable and where some are not; of their scorer, decisions alone."""
    folder = os.environ.get(OFFICIAL)
    if not folder:
        pytest.skip(f"no folder of the official scorer in {OFFICIAL}")
    sys.path.insert(0, str(Path(folder).parent))
    try:
        theirs = importlib.import_module(f"{Path(folder).name}.evaluate")
    finally:
        sys.path.pop(0)
    draw = random.Random(0)
    for k in range(12):
        rows = [
            line(
                f"i{n}",
                f"M{draw.randrange(3)}",
                f"s{draw.randrange(4)}",
                draw.choice(["RESPOND", "IGNORE"]),
                "sound_v3",
            )
            for n in range(draw.randrange(1, 90))
        ]
        says = [
            raw_reply(True, "x"),
            raw_reply(False, ""),
            "<DECISION>(respond or ignore)</decision>",
            "none",
            "Error: x",
        ]
        told = [{"id": r["id"], "_raw_reply": draw.choice(says[: 3 if k % 2 else 5])} for r in rows]
        told = [t for t in told if k % 2 or draw.random() < 0.9]
        manifest = write_json_lines(tmp_path / f"m{k}.jsonl", rows)
        predictions = write_json_lines(tmp_path / f"p{k}.jsonl", told)
        report = theirs.evaluate_predictions(
            benchmark_jsonl=str(manifest),
            predictions_jsonl=str(predictions),
            output_stats_json=str(tmp_path / "stats.json"),
        )["before_semantic"]
        given = read_manifest(manifest)
        found = judged(given, read_predictions(predictions, given))
        ours, overall = figures(found, 20), report["overall"]
        assert ours["official"] == [overall["correct_samples"], overall["total_samples"]]
        if ours["official"][1] == len(rows):
            assert ours["right"] / ours["clips"] == pytest.approx(overall["accuracy"], abs=1e-6)
            for name, part in report["by_domain"].items():
                mine = ours["by_macro"][name]
                assert mine["right"] / mine["clips"] == pytest.approx(part["accuracy"], abs=1e-6)
            for name, part in report["by_folder"].items():
                assert ours["by_class"][name]["right"] == part["correct_samples"]
                assert ours["by_class"][name]["clips"] == part["total_samples"]
        else:
            assert ours["accuracy"][0] <= overall["accuracy"] + 1e-4, "what is left out there is wrong here"
