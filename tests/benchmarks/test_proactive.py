"""Scores of single events: trivial systems have 0.5, a nervous one loses, a failure counts as wrong, runs resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import instances, proactive, runs
from benchmarks.compose import Item
from benchmarks.corpus import read_index
from benchmarks.hear import hear
from benchmarks.plan import single_events
from benchmarks.runs import Options
from benchmarks.systems import Setup, Trivial
from benchmarks.workers import run
from soundflow.scoring import Interval, Outcome, bootstrap, paired_difference, percentiles, recall_draws
from tests.benchmarks.fakes import CHUNK, FakeSystem, hears_beeps, loud, silent


def items(corpus: Path) -> list[Item]:
    return single_events(read_index(corpus), "dev", 2, 0, (20.0,))


def run_fakes(corpus: Path, out: Path, *systems: Any) -> list[dict[str, Any]]:
    return run("fake", items(corpus), out, Setup(corpus), hear, workers=0, systems=systems)


@pytest.fixture(scope="module")
def rows(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    systems = [FakeSystem("nano", hears_beeps), FakeSystem("nervous", loud), FakeSystem("rules", silent)]
    trivial = [Trivial(n, 0.4) for n in ("always-silent", "always-respond", "random")]
    return run_fakes(corpus, tmp_path_factory.mktemp("run"), *systems, *trivial)


def test_trivial_systems_score_a_half(rows: list[dict[str, Any]]) -> None:
    figures = proactive.score(rows, draws=50)["20"]
    for name in ("always-silent", "always-respond"):
        assert figures[name]["all"]["balanced_accuracy"][0] == 0.5
    assert figures["always-silent"]["all"]["respond_recall"][0] == 0.0
    assert figures["always-respond"]["early_share"] == 1.0


def test_a_system_that_hears_wins_and_one_that_answers_everything_loses(rows: list[dict[str, Any]]) -> None:
    figures = proactive.score(rows, draws=50)["20"]
    assert figures["nano"]["all"]["balanced_accuracy"][0] == 1.0
    assert figures["nano"]["all"]["minus_rules"][0] == 0.5
    assert figures["nano"]["all"]["area"] == 1.0
    assert figures["nano"]["early_share"] == 0.0
    nervous = figures["nervous"]["all"]
    assert nervous["respond_recall"][0] == 1.0
    assert nervous["silent_recall"][0] < 0.2
    assert nervous["balanced_accuracy"][0] < figures["nano"]["all"]["balanced_accuracy"][0] - 0.3
    assert set(figures["nano"]["context"]) == {"event/dog", "event/thunder"}
    assert figures["nano"]["speech"]["silent_recall"][0] == 1.0


def test_scoring_again_from_the_file_gives_the_same(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOUNDFLOW_AUDIO", raising=False)  # the folder of the rules' train rows, where there is one
    heard = run_fakes(corpus, tmp_path, FakeSystem("nano", hears_beeps), FakeSystem("rules", loud))
    first = runs.finish("proactive", Options(tmp_path), heard, proactive.score(heard), ())
    before = (tmp_path / "figures.json").read_text()
    again = runs.run_proactive(Options(tmp_path, score_only=True))
    assert again.figures == first.figures
    assert (tmp_path / "figures.json").read_text() == before


def test_resumes_where_it_stopped(corpus: Path, tmp_path: Path) -> None:
    whole = run_fakes(corpus, tmp_path / "a", FakeSystem("nano", hears_beeps))
    path = tmp_path / "b" / instances.NAME
    path.parent.mkdir()
    lines = (tmp_path / "a" / instances.NAME).read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:5]) + lines[5][:40])
    system = FakeSystem("nano", hears_beeps)
    resumed = run_fakes(corpus, tmp_path / "b", system)
    assert system.opened == len(lines) - 5
    assert proactive.score(resumed, 10) == proactive.score(whole, 10)
    assert instances.digest(tmp_path / "a") == instances.digest(tmp_path / "b")


def test_a_failed_item_is_wrong_and_stays_in_the_denominator(corpus: Path, tmp_path: Path) -> None:
    every = items(corpus)
    bad = next(i for i in every if i.label == "alarm")
    rows = run_fakes(corpus, tmp_path, FakeSystem("nano", hears_beeps, fails_on=bad.seed))
    body = proactive.score(rows, 10)["20"]["nano"]
    assert body["failed"] == 1
    assert body["all"]["items"] == sum(i.group in proactive.HEADLINE and i.respond != "context" for i in every)
    assert body["by_class"]["event/alarm"]["answered"] == 0.5
    benign = {"item": {"respond": "no", "label": "rain", "source": "s"}, "error": "x"}
    assert proactive.outcome(benign).fired


def row(decisions: str, onset: int, offset: int, respond: str = "yes") -> dict[str, Any]:
    item = {"respond": respond, "label": "alarm", "source": "s", "group": "event"}
    p = [0.9 if c != "s" else 0.2 for c in decisions]
    evidence = min(offset, onset + 19_200)
    body = {"chunk": CHUNK, "onset": onset, "offset": offset, "evidence_end": evidence, "decisions": decisions}
    return {"item": item, "p_speak": p, "p_act": [0.0] * len(p), **body}


def test_window_by_hand() -> None:
    # Onset at 4.0 s = chunk 10; a sound of 0.4 s: evidence ends in chunk 11, +4 = 15; end 4.4 s + 2 s = chunk 16.
    short = row("s" * 20, 64_000, 70_400)
    assert proactive.window(short) == (10, 16)
    long = row("s" * 30, 64_000, 64_000 + 80_000)  # until 9 s; + 2 s = chunk 27
    assert proactive.window(long) == (10, 27)
    for at, fired in ((9, False), (10, True), (16, True), (17, False)):
        said = "s" * at + "S" + "s" * (19 - at)
        assert proactive.outcome(row(said, 64_000, 70_400)).fired is fired
        assert proactive.outcome(row(said, 64_000, 70_400, "no")).fired
    assert proactive.early(row("S" + "s" * 19, 64_000, 70_400))
    # Decided in chunk 12, which ends at 5.2 s, 0.8 s behind the evidence.
    assert proactive.delay(row("s" * 12 + "A" + "s" * 7, 64_000, 70_400)) == pytest.approx(0.8)


def test_paired_difference_of_equal_systems_is_zero_and_other_clips_are_refused() -> None:
    a = [Outcome(k % 2 == 0, k % 3 == 0, 0.5, "x", str(k)) for k in range(20)]
    assert paired_difference(a, a, draws=50) == Interval(0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="same clips"):
        paired_difference(a, a[1:], draws=5)


def test_intervals_of_many_draws_agree_with_the_slow_bootstrap() -> None:
    rng = np.random.default_rng(1)
    found = [Outcome(k % 2 == 0, bool(rng.random() < 0.6), 0.5, "abc"[k % 3], str(k // 2)) for k in range(120)]
    slow = bootstrap(found, draws=400)
    fast = percentiles(slow.value, recall_draws(found, 4000).mean(axis=1))
    assert fast.low == pytest.approx(slow.low, abs=0.02)
    assert fast.high == pytest.approx(slow.high, abs=0.02)


def test_classes_of_one_recording_have_an_interval() -> None:
    found = [Outcome(True, k < 5, 0.5, str(k), "s") for k in range(10)]
    drawn = recall_draws(found, 2000)
    assert np.isnan(drawn[:, 1]).all()
    assert drawn[:, 0].mean() == pytest.approx(0.5, abs=0.02)
    assert drawn[:, 0].std() == pytest.approx((0.5 * 0.5 / 10) ** 0.5, abs=0.02)
