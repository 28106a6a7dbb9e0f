"""History review: what is planned, what a fork hears, and what counts as remembered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import runs
from benchmarks.compose import Item
from benchmarks.corpus import Row, read_index
from benchmarks.stream import probes, recall, review, run, shown, voices
from benchmarks.stream.words import SOUNDS, sentences
from benchmarks.systems import NO_MEMORY, Setup
from benchmarks.workers import run as run_items
from soundflow.errors import ConfigError, DataError
from tests.benchmarks.stream.fakes import Remembers, make_voices


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_voices(tmp_path_factory.mktemp("voices"))


@pytest.fixture(scope="module")
def index(corpus: Path) -> list[Row]:
    return read_index(corpus)


def planned(index: list[Row], said: Path, streams: int = 2, lags: tuple[int, ...] = (1, 3)) -> list[Any]:
    return review.plan(index, voices.voiced(sentences(), said, said), streams, 0, lags)


def test_lags_are_what_they_say(index: list[Row], said: Path) -> None:
    items = planned(index, said, 3, (1, 3, 5, 10))
    assert items == planned(index, said, 3, (1, 3, 5, 10))
    labels = {r.path: r.label for r in index}
    for item in items:
        rounds = item.facts["stretches"]
        assert len(rounds) == 11
        assert [len(r["item"]["parts"]) for r in rounds] == [1, 2, 1, 2, 1, 1, 1, 2, 1, 1, 1]
        asked = {(p["group"], p["distance"]): j for j, r in enumerate(rounds) for p in r["probes"]}
        for lag in (1, 3, 5, 10):
            assert asked["fact", lag] == lag - 1, "told in round 0: the question is round `lag`"
            assert asked["before", lag] == asked["first", lag] == asked["ago", lag] == lag, "heard before round 1"
        sounds = [labels[r["item"]["parts"][0]["path"]] for r in rounds if len(r["item"]["parts"]) == 2]
        assert sounds[0] == item.label
        assert len({SOUNDS[x].family for x in sounds}) == 3
        assert item.seconds > 60
    with pytest.raises(ConfigError, match="lags of 1 to 10"):
        planned(index, said, 1, (0,))
    with pytest.raises(DataError, match="three families"):
        planned([r for r in index if r.label == "dog"], said)


@pytest.mark.parametrize(
    ("wanted", "reply", "right"),
    [
        ("content", "I heard a dog.", True),
        ("content", "It was some barking.", True),
        ("content", "I heard a cat.", False),
        ("content", "I did not hear a dog.", False),
        ("content", "", False),
        ("yes", "Yes.", True),
        ("yes", "I heard a dog.", True),
        ("yes", "I heard a dog twice.", True),
        ("yes", "No, I heard nothing.", False),
        ("yes", "I heard a cat.", False),
        ("no", "No.", True),
        ("no", "I haven't heard a dog.", True),
        ("no", "Nothing special. It was quiet.", True),
        ("no", "Yes, I heard a dog.", False),
        ("no", "", False),
    ],
)
def test_what_is_right_by_hand(wanted: str, reply: str, right: bool) -> None:
    assert recall.right(wanted, reply, SOUNDS["dog"].answers, "What did you hear before my last question?") is right


def test_who_remembers_is_right_and_who_forgets_is_not(
    index: list[Row], corpus: Path, said: Path, tmp_path: Path
) -> None:
    # Beeps only: the fake names an alarm by its 3 kHz.
    mine = [r for r in index if r.kind != "event" or r.label in ("alarm", "rain", "dog")]
    items = [i for i in planned(mine, said, 6, (1, 3)) if i.label == "alarm"]
    assert items
    systems = [
        Remembers("nano"),
        Remembers("short", 36),
        Remembers(NO_MEMORY),
        Remembers("bad", fails_on=items[0].seed),
    ]
    rows = run_items("review", items, tmp_path, Setup(corpus), probes.hear, workers=0, systems=systems)
    assert {r["system"] for r in rows} == {"nano", "short", NO_MEMORY, "bad"}
    found = review.score(rows, draws=50)["systems"]
    at = {s: {lag: found[s]["spoken"]["before"][lag]["right"][0] for lag in ("1", "3")} for s in found}
    assert at["nano"] == {"1": 1.0, "3": 1.0}
    assert at["short"] == {"1": 1.0, "3": 0.0}, "36 chunks ago is one round ago, not three"
    assert at[NO_MEMORY] == {"1": 0.0, "3": 0.0}
    assert found["nano"]["spoken"]["before"]["all"]["minus_no_memory"][0] == 1.0
    assert found["nano"]["spoken"]["before"]["3"]["answered"][0] == 1.0
    assert "typed" not in found["nano"] or not found["nano"]["typed"], "the fake takes no text"
    assert found["bad"]["failed"] == 1
    assert found["bad"]["spoken"]["fact"]["all"]["probes"] == found["nano"]["spoken"]["fact"]["all"]["probes"]
    figures = review.score(rows, draws=20)
    assert shown.review_tables(figures)[0].rows
    assert shown.curve(shown.lag_series(figures), "x", "y", 0.1)[:4] == b"\x89PNG"


def probe(name: str, group: str, wanted: str, label: str, distance: float = 1.0) -> probes.Probe:
    answers = SOUNDS[label].answers
    return probes.Probe(name, group, distance, "What did you hear?", "x.wav", wanted, answers, label, "yes")


def item_of(source: str, *asked: probes.Probe) -> dict[str, Any]:
    bare = Item(f"{source}/0", "round", "", "no", source, 0)
    return {"source": source, "facts": {"stretches": [probes.stretch(bare, asked)]}}


def test_chance_is_the_answer_of_another_stream() -> None:
    items = [
        item_of(f"s{k}", probe("p", "before", "content", label)) for k, label in enumerate(["dog", "dog", "cat", "cat"])
    ]
    assert recall.chance(items, "before") == pytest.approx(1 / 3, abs=0.2)
    assert recall.chance(items[:1], "before") is None
    assert recall.chance([items[0], items[2]], "before") == 0.0
    assert recall.chance(items[:2], "before") == 1.0


def test_shares_by_hand() -> None:
    many = [recall.Recalled(f"s{k}", "p", "before", 1.0, "content", "yes", True, k < 3, False) for k in range(4)]
    value, low, high = recall.share(many, "right")
    assert (value, low, high) == (0.75, 0.25, 1.0)
    assert recall.share(many[:3], "right")[0] == 1.0
    assert recall.share(many[:3], "right")[1] == pytest.approx(0.4385, abs=1e-3), "Wilson of 3 of 3"
    assert recall.share([replace(a, stream="s") for a in many], "right") == [0.75, None, None], "one stream"
    assert recall.share([], "right") == [None, None, None]
    other = [replace(a, right=False) for a in many]
    assert recall.difference(many, other)[0] == 0.75
    assert recall.difference(many, []) == [None, None, None]


def test_the_whole_command(corpus: Path, said: Path, tmp_path: Path) -> None:
    o = runs.Options(tmp_path / "out", corpus, workers=0, systems=("always-silent",))
    found = run.run_review(o, 1, (1,), said)
    assert found.figures["systems"]["always-silent"]["spoken"]["fact"]["all"]["right"][0] == 0.0
    assert (o.out / "review_lags.png").stat().st_size > 100
    assert run.run_review(runs.Options(o.out, score_only=True)).figures == found.figures
    with pytest.raises(ConfigError, match="rules have no answer"):
        run.run_review(runs.Options(tmp_path / "b", corpus, systems=("rules",)), 1, (1,), said)
    with pytest.raises(ConfigError, match=r"expected instances\.jsonl"):
        run.run_review(runs.Options(tmp_path / "none", score_only=True))


def test_a_missing_recording_counts_as_wrong(index: list[Row], corpus: Path, said: Path, tmp_path: Path) -> None:
    body = planned(index, said, 1, (1,))[0].to_dict()
    body["facts"]["stretches"][1]["item"]["parts"][0]["path"] = "not/there.wav"
    rows = run_items(
        "review", [Item.from_dict(body)], tmp_path, Setup(corpus), probes.hear, workers=0, systems=[Remembers("nano")]
    )
    assert "not/there.wav" in rows[0]["error"]
    found = review.score(rows, draws=20)["systems"]["nano"]
    assert found["failed"] == 1
    assert found["spoken"]["before"]["all"] == {
        "probes": 1,
        "right": [0.0, 0.0, pytest.approx(0.7935, abs=1e-3)],
        "answered": [0.0, 0.0, pytest.approx(0.7935, abs=1e-3)],
        "recognised": 0.0,
    }
