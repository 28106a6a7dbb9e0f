"""From rows to picks and figures, worked by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.understand import choices, predictions, questions, scoring, show
from tests.benchmarks.understand.test_questions import entry

Row = dict[str, Any]


def row(name: str, system: str = "nano", orders: int = 1, **body: Any) -> Row:
    item = questions.plan([entry(name, **body.pop("entry", {}))], Path("none"), 0)[0]
    item.facts["circular"], item.facts["orders"] = orders > 1, questions.orders(4, orders > 1)  # type: ignore[index]
    return {"id": name, "system": system, "item": json.loads(json.dumps(item.to_dict()))} | body


CLOZE = [(-6.0, 1, 3), (-7.0, 2, 5), (-8.0, 2, 5), (-9.0, 1, 5)]


def shown(order: list[int], text: str = "A woman") -> dict[str, Any]:
    return {"order": order, "options": CLOZE, "text": text}


def test_likelihood_is_normalised_by_nothing_tokens_or_characters() -> None:
    # -6, -7, -8, -9 | -6, -3.5, -4, -9 | -2, -1.4, -1.6, -1.8
    assert [choices.picked(CLOZE, n) for n in choices.NORMS] == [0, 1, 1]
    # behind silence the first option was likelier still: gains are -5, -1, 0, 0.5
    blind = [(-1.0, 1, 3), (-6.0, 2, 5), (-8.0, 2, 5), (-9.5, 1, 5)]
    assert choices.picked(CLOZE, choices.GAIN, blind) == 3
    assert choices.picked([(-1.0, 1, 1), (-1.0, 1, 1)], "sum") == 0, "the first of equals"


def test_the_picks_of_a_row() -> None:
    one = row("q", cloze=CLOZE, open="A robot", shown=[shown([0, 1, 2, 3]), shown([1, 2, 3, 0], "a child or a man")])
    found = choices.methods(one, None)
    assert found["cloze per token"] == [1]
    assert found["shown sum"] == [0, 0]
    assert found["text"] == [1, None], "the second names two"
    assert found["open text"] == [3]


def test_text_is_judged_by_the_published_answer() -> None:
    one = row("q", shown=[shown([0, 1, 2, 3], "woman")], entry={"answer": "Woman"})
    assert choices.right(one, choices.methods(one, None))["text"] == [True]
    other = row("q", shown=[shown([0, 1, 2, 3], "a dog")], entry={"answer": "Dog"})
    verdicts = choices.right(other, choices.methods(other, None))
    assert verdicts["text"] == [True], "MMAU's rule does not ask whether the answer is among the choices"
    assert verdicts["shown sum"] == [False]


def test_what_needs_no_audio() -> None:
    items = {
        "a": row("a")["item"],  # right at 1 of 4; longest: Woman (5, first of equals) is right
        "b": row("b", entry={"answer": "Robot"})["item"],
        "c": row("c", entry={"choices": ["No", "Yes"], "answer": "Yes"})["item"],
        "d": row("d", entry={"answer": "Cat"})["item"],
    }
    found = choices.without_audio(items)
    assert found["chance"] == {"a": 0.25, "b": 0.25, "c": 0.5, "d": 0.0}
    assert found["best position"] == {"a": 1.0, "b": 0.0, "c": 1.0, "d": 0.0}
    assert found["longest option"] == {"a": 1.0, "b": 0.0, "c": 1.0, "d": 0.0}


def four() -> list[Row]:
    """Four questions, answer Woman (1): text right, right in one of two orders, wrong, and an error."""
    rows = []
    for name, texts in (("a", ("woman", "woman")), ("b", ("woman", "man")), ("c", ("dog", "dog"))):
        orders = [shown([0, 1, 2, 3], texts[0]), shown([1, 2, 3, 0], texts[1])]
        rows.append(row(name, orders=4, cloze=CLOZE, open="", cut=False, shown=orders))
        rows.append(row(name, "nano-blind", orders=4, cloze=CLOZE, open="", cut=False, shown=orders))
        rows.append(row(name, "tag-rule", orders=4, overlaps=[0.0, 1.0, 0.0, 0.0], tags={}, said=""))
    rows.append(row("d", orders=4, error="bad_data: missing"))
    rows.append(row("d", "nano-blind", orders=4, error="bad_data: missing"))
    rows.append(row("d", "tag-rule", orders=4, overlaps=[0.0, 1.0, 0.0, 0.0], tags={}, said=""))
    return rows


def test_an_error_stays_in_the_denominator_and_circular_wants_every_order() -> None:
    figures = scoring.score(four(), draws=200)
    nano = figures["systems"]["nano"]
    text = nano["methods"]["text"]
    assert nano["failed"] == 1
    assert text["items"] == 4
    assert text["accuracy"][0] == 0.5
    assert text["circular"][0] == 0.25
    assert text["minus"]["blind"][:1] == [0.0]
    assert text["minus"]["chance"][0] == 0.25
    assert text["minus"]["tag-rule"][0] == -0.5
    assert nano["methods"]["cloze per token"]["accuracy"][0] == 0.75
    assert text["no_option"] == pytest.approx(2 / 6, abs=1e-4)
    # picked: woman at place 1 of the first order and 0 of the second, for b then man at place 3
    assert text["places"] == [0.25, 0.5, 0.0, 0.25]
    assert text["same"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["baselines"]["chance"]["accuracy"][0] == 0.25
    assert figures["systems"]["tag-rule"]["methods"]["rule"]["accuracy"][0] == 1.0
    for table in show.multiple(figures):
        assert all(len(r) == len(table.columns) for r in table.rows)
        assert "nano" in table.markdown()


def test_a_system_of_which_every_item_failed_has_no_right_ones() -> None:
    figures = scoring.score([row(n, error="x") for n in "ab"], draws=50)
    assert figures["systems"]["nano"]["methods"]["text"]["accuracy"] == [0.0, 0.0, 0.0]


def test_answers_that_are_withheld_are_not_judged() -> None:
    rows = [row(n, entry={"answer": ""}, cloze=CLOZE, open="", shown=[shown([0, 1, 2, 3])]) for n in "ab"]
    figures = scoring.score(rows, draws=50)
    assert figures["not_judged"] == 2
    assert math.isnan(figures["systems"]["nano"]["methods"]["text"]["accuracy"][0])
    assert show.multiple(figures)[0].rows


def test_items_of_one_recording_are_drawn_together() -> None:
    alone = scoring.interval([1, 0] * 20, [str(i) for i in range(40)], 500)
    pairs = scoring.interval([1, 1, 0, 0] * 10, [str(i // 2) for i in range(40)], 500)
    assert alone[0] == pairs[0] == 0.5
    assert pairs[2] - pairs[1] > 1.2 * (alone[2] - alone[1])


def test_predictions_are_what_mmaus_script_reads(tmp_path: Path) -> None:
    hashes = predictions.mmau(four(), tmp_path)
    body = json.loads((tmp_path / "predictions" / "nano-text.json").read_text())
    assert [(e["id"], e["model_prediction"]) for e in body] == [("a", "woman"), ("b", "woman"), ("c", "dog"), ("d", "")]
    assert body[0].keys() == {*entry(), "model_prediction"}
    chosen = json.loads((tmp_path / "predictions" / "nano-cloze-per-token.json").read_text())
    assert [e["model_prediction"] for e in chosen] == ["Woman"] * 3 + [""]
    assert len(hashes["nano-text.json"]) == 64
