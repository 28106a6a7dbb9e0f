"""Windows, matching, and figures of hand-made rows."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import task_scores, task_tables
from benchmarks.systems import NO_MEMORY, OURS
from benchmarks.task_marks import Said, chance, mark, match, pool_of, responses, wanted
from benchmarks.tasks import plan
from tests.benchmarks.task_shards import CHUNK, event, meta, response, spoken


def item(body: dict[str, Any]) -> dict[str, Any]:
    return plan([body | {"shard": "s.tar", "at": 0, "size": 1}], "dev", 0, 0)[0].to_dict()


def row(
    body: dict[str, Any], decisions: str, texts: dict[int, str] | None = None, system: str = OURS, **more: Any
) -> dict[str, Any]:
    """A row with these decisions; `texts`: chunk of a decision -> what was said a chunk later."""
    replies = [{"id": "", "t": (k + 2) * 0.4, "text": t} for k, t in (texts or {}).items()]
    base = {"id": body["id"], "system": system, "item": item(body), "chunk": CHUNK, "decisions": decisions}
    return base | {"replies": replies, "actions": [], "cancelled": []} | more


def at(length: int, **letters: str) -> str:
    made = ["s"] * length
    for name, letter in letters.items():
        made[int(name[1:])] = letter
    return "".join(made)


HAZARD = meta("h", "proactive_hazard", "proactive", [response("e0", 8, "An alarm.")], events=[event("e0", "alarm", 5)])
QUIET = meta("q", "proactive_hazard", "proactive")
ASK = meta(
    "c",
    "chat_single",
    "chat",
    [response("s0", 9, "It is Paris.", clock="endpoint", evidence_end=6 * CHUNK + 1)],
    speech=[spoken("s0", "What is the capital of France?", 3)],
)


@pytest.mark.parametrize(("chunk", "hit"), [(4, False), (5, True), (12, True), (13, False)])
def test_a_sound_is_answered_from_its_onset_to_four_chunks_behind_the_due_one(chunk: int, hit: bool) -> None:
    found = mark(row(HAZARD, at(26, **{f"c{chunk}": "S"}), {chunk: "An alarm."}), {})
    assert found.hits == (hit,)
    assert found.extra == (not hit)
    assert found.exact is hit


@pytest.mark.parametrize(("chunk", "hit"), [(5, False), (6, True), (14, True), (15, False)])
def test_a_turn_is_answered_from_its_end_to_five_chunks_behind_the_due_one(chunk: int, hit: bool) -> None:
    assert mark(row(ASK, at(26, **{f"c{chunk}": "S"}), {chunk: "Paris."}), {}).hits == (hit,)


def test_the_end_of_a_sound_is_not_told_before_it() -> None:
    ends = response("e0", 9, "It has stopped.", clock="end", evidence_end=8 * CHUNK)
    before = meta("t", "timed", "instruction", [ends], events=[event("e0", "fan", 5)])
    fault = meta("f", "proactive_equipment", "proactive", [ends], events=[event("e0", "dripping", 5)])
    assert wanted(item(before))[0].first == 8
    assert wanted(item(fault))[0].first == 5


def test_the_wrong_kind_is_a_miss_and_a_false_response() -> None:
    found = mark(row(HAZARD, at(26, c8="A")), {})
    assert (found.hits, found.extra) == ((False,), 1)


def test_each_decision_answers_one_response_and_as_many_as_can_be_are() -> None:
    wide, narrow = (
        item(meta("m", "x", "chat", [response("?", due, "Yes.", evidence_end=2 * CHUNK)])) for due in (9, 4)
    )
    wants = [*wanted(wide), *wanted(narrow)]
    assert match(wants, [Said("speak", 3), Said("speak", 10)]) == [1, 0]
    assert match(wants, [Said("speak", 3)]) == [None, 0]


def test_what_is_said_belongs_to_the_decision_before_it() -> None:
    body = row(
        HAZARD,
        at(26, c3="S", c8="S", c12="A"),
        {8: "An alarm."},
        cancelled=[{"id": "", "t": 9 * 0.4, "text": "Well"}],
        actions=[{"t": 14 * 0.4, "name": "go", "arguments": {}, "confirm": False}],
    )
    first, second, third = responses(body)
    assert (first.text, first.cut) == ("Well", True)
    assert (second.text, second.cut) == ("An alarm.", False)
    assert third.call == {"name": "go", "arguments": {}}


def test_a_failed_dialogue_is_wrong_on_either_side() -> None:
    for body in (HAZARD, QUIET):
        found = mark({"id": body["id"], "system": OURS, "item": item(body), "error": "died"}, {})
        assert not found.exact
        assert found.extra == 1
        assert not any(found.hits)


def test_the_right_thing_late_or_the_wrong_thing_in_time_is_not_exact() -> None:
    assert not mark(row(HAZARD, at(26, c8="S"), {8: "A dog."}), {}).exact
    assert not mark(row(HAZARD, at(26, c8="S", c18="S"), {8: "An alarm."}), {}).exact
    assert mark(row(QUIET, at(26)), {}).exact


def test_other_references_to_the_same_sound_count() -> None:
    other = meta("o", "proactive_hazard", "proactive", [response("e0", 8, "Smoke!")], events=[event("e0", "alarm", 5)])
    pool = pool_of([item(HAZARD), item(other)])
    assert mark(row(HAZARD, at(26, c8="S"), {8: "Smoke!"}), pool).right == (True,)
    assert mark(row(HAZARD, at(26, c8="S"), {8: "Smoke!"}), {}).right == (False,)


def test_a_sound_may_be_named_as_it_was_asked_for() -> None:
    def right(said: str, **more: Any) -> tuple[bool, ...]:
        asked = meta("w", "watch_sound", "instruction", [response("e0", 8, "I hear the siren now.")], **more)
        return mark(row(asked | instructed, at(26, c8="S"), {8: said}), {}).right

    instructed = {"instruction": "Let me know when you hear an ambulance."}
    siren = [event("e0", "siren", 5)]
    assert right("An ambulance is sounding.", events=siren) == (True,)
    assert right("A dog is barking.", events=siren) == (False,)
    changed = [spoken("s0", "Listen for a fire engine instead, please.", 1)]
    assert right("I hear a fire engine.", events=siren, speech=changed) == (True,)
    assert right("An ambulance is sounding.", events=siren, speech=changed) == (False,)
    assert right("That is it.", events=siren, speech=[spoken("s0", "Okay, listen.", 1)]) == (False,)


def test_acts_are_exact_in_name_and_slots() -> None:
    call = {"name": "set_light", "arguments": {"room": "hall", "state": "on"}}
    wants = [response("s0", 9, "", kind="act", call=call, clock="endpoint", evidence_end=6 * CHUNK)]
    body = meta("d", "device_act", "agent", wants, speech=[spoken("s0", "Hall light on.", 3)], tools="home")
    good = [{"t": 4.4, "name": "set_light", "arguments": {"state": "on", "room": "hall"}, "confirm": False}]
    assert mark(row(body, at(26, c9="A"), actions=good), {}).exact
    bad = [good[0] | {"arguments": {"room": "hall"}}]
    found = mark(row(body, at(26, c9="A"), actions=bad), {})
    assert (found.hits, found.right) == ((True,), (False,))
    assert "act home" in found.wants[0].tags


def test_figures_by_hand() -> None:
    """Two sub-tasks: hazards 1 of 2 heard and right, 1 of 2 quiet ones left alone; questions 2 of 2, no quiet one."""
    rows = [
        row(HAZARD | {"id": "h1"}, at(26, c8="S"), {8: "An alarm."}),
        row(HAZARD | {"id": "h2"}, at(26)),
        row(QUIET | {"id": "q1"}, at(26)),
        row(QUIET | {"id": "q2"}, at(26, c2="S")),
        row(ASK | {"id": "c1"}, at(26, c9="S"), {9: "Paris."}),
        row(ASK | {"id": "c2"}, at(26, c9="S"), {9: "Rome."}),
    ]
    figures = task_scores.score(rows, draws=200)
    body = figures["systems"][OURS]
    hazard, chat, both = body["subtasks"]["proactive_hazard"], body["subtasks"]["chat_single"], body["abilities"]["all"]
    assert hazard["respond_recall"][0] == hazard["silent_recall"][0] == hazard["balanced_accuracy"][0] == 0.5
    assert hazard["exact"][0] == hazard["exact_wanting"][0] == 0.5
    seconds = 26 * 0.4
    assert hazard["false_alarms_hour"][0] == pytest.approx(3600 / (4 * seconds), abs=0.01)
    assert chat["respond_recall"] == [1.0, 0.0, 1.0]  # nothing varies: 3 of 2 dialogues
    assert (chat["content"][0], chat["content_of_heard"][0]) == (0.5, 0.5)
    assert both["respond_recall"][0] == 0.75  # mean over the sub-tasks
    low, high = hazard["respond_recall"][1:]
    assert low < 0.5 < high
    text = "\n".join(t.markdown() for t in task_tables.tables(figures))
    assert "proactive hazard" in text
    assert task_tables.pictures(figures)[0].png.startswith(b"\x89PNG")


def test_a_failed_dialogue_stays_in_the_denominator() -> None:
    rows = [row(HAZARD | {"id": f"h{k}"}, at(26, c8="S"), {8: "An alarm."}) for k in range(3)]
    rows.append({"id": "h3", "system": OURS, "item": item(HAZARD | {"id": "h3"}), "error": "died"})
    body = task_scores.score(rows, draws=50)["systems"][OURS]["subtasks"]["proactive_hazard"]
    assert (body["wants"], body["failed"], body["respond_recall"][0]) == (4, 1, 0.75)


def test_chance_is_the_reference_of_another_dialogue_and_the_same_every_time() -> None:
    texts = ("A dog.", "A dog.", "A cat.")
    bodies = [
        meta(f"n{k}", "narrate", "understanding", [response("e0", 8, t)], events=[event("e0", t, 5)])
        for k, t in enumerate(texts)
    ]
    items = [item(b) for b in bodies]
    found = chance(items, {}, seed=3)
    assert found == chance(items, {}, seed=3)
    assert 0.0 < found["narrate"]["all"][0] < 0.7  # dog for dog in half of two thirds
    assert chance(items[1:], {})["narrate"]["all"][0] == 0.0


def test_history_review_against_no_memory_in_pairs() -> None:
    rows = []
    for k in range(6):
        late = response("s0", 9, "It is Ruby.", clock="endpoint", refers_to=["s9"], evidence_end=6 * CHUNK)
        body = meta(f"r{k}", "chat_history", "chat", [late], speech=[spoken("s0", "What is my cat called?", 3)])
        rows.append(row(body, at(26, c9="S"), {9: "Ruby."}))
        rows.append(row(body, at(26, c9="S"), {9: "Ruby." if k == 0 else "Okay."}, NO_MEMORY))
    systems = task_scores.score(rows, draws=200)["systems"]
    ours, without = systems[OURS]["headlines"]["history review"], systems[NO_MEMORY]["headlines"]["history review"]
    assert (ours["content"][0], without["content"][0]) == (1.0, 0.1667)
    assert ours["minus_no_memory"][0] == pytest.approx(0.8333)
    assert 0.4 < ours["minus_no_memory"][1] < ours["minus_no_memory"][2] <= 1.0
    assert "subtasks" not in systems[NO_MEMORY]


def test_mandarin_is_told_apart() -> None:
    to_english, from_english = "translate_to_english", "translate_from_english"
    listed = [(to_english, "Wife.", "zh"), (from_english, "汤还太烫。", "en"), (to_english, "Wife.", "fr")]
    bodies = [
        meta("z", task, "translation", [response("s0", 9, text)], speech=[spoken("s0", "x", 3, language)])
        for task, text, language in listed
    ]
    tags = [next(iter(wanted(item(b)))).tags for b in bodies]
    assert ["Mandarin" in t for t in tags] == [True, True, False]
    assert "European" in tags[2]
