"""Times that are asked for, taken back, and kept over a move."""

from __future__ import annotations

import json

import pytest

from soundflow.respond.reminders import MOST, Reminders, cannot, reminder

SECOND = 16_000


@pytest.mark.parametrize(
    ("text", "after", "say"),
    [
        ("Remind me in ten minutes to check my oven.", 600, "It is time to check your oven."),
        ("In half an hour, remind me to call my mother, please.", 1800, "It is time to call your mother."),
        ("Can you remind me to turn it off in 20 seconds?", 20, "It is time to turn it off."),
        ("I have to leave in one hour and ten minutes, tell me.", 4200, "It is time to leave."),
        ("Wait five seconds, then tell me to start.", 5, "It is time to start."),
        ("Remind me in ten minutes that the cake is in the oven.", 600, "Remember: the cake is in the oven."),
        ("Set a timer for a minute.", 60, "Your one minute is over."),
        ("Let me know in 90 seconds.", 90, "Your one minute and thirty seconds are over."),
        ("Count twelve seconds for me.", 12, "Your twelve seconds are over."),
    ],
)
def test_a_time_that_is_asked_for(text, after, say):
    asked = reminder(text)
    assert asked is not None
    assert (asked.after_s, asked.say) == (after, say)


@pytest.mark.parametrize(
    "text",
    [
        "The train leaves in ten minutes.",
        "Did you set the timer for the cake?",
        "Tell me when you hear a bell for the second time.",
        "Set a timer.",
        "Remind me in 40 hours.",
        "Tell me a joke.",
        "Tell me in a quarter of a second.",
        "How much time is left on my ten minute timer?",
        "Add five minutes to the timer.",
        "Tell me what you heard in the last ten minutes.",
        "Let me know if you hear a dog in the next ten minutes.",
        "One second, tell me when the dog barks.",
        "Take my pills every two hours.",
        "Set a timer for 1.5 hours.",
        "",
    ],
)
def test_what_asks_for_no_time_that_is_kept(text):
    assert reminder(text) is None


def test_each_is_told_when_its_time_has_come_the_earliest_first():
    kept = Reminders()
    assert kept.hear("Remind me in ten seconds to stir the soup.", 0) == "Okay, in ten seconds."
    assert kept.hear("Set a timer for four seconds.", SECOND) == "Okay, four seconds from now."
    assert kept.due(5 * SECOND - 1) is None
    first = kept.due(5 * SECOND)
    assert first.say == "Your four seconds are over."
    assert kept.due(11 * SECOND) == first, "until it was told"
    kept.told(first)
    assert kept.due(11 * SECOND).say == "It is time to stir the soup."


def test_the_newest_is_taken_back_or_all_and_talk_takes_nothing_back():
    kept = Reminders()
    assert not kept.about("Cancel that, please."), "there is none"
    for n in (5, 6, 7):
        kept.hear(f"Set a timer for {n} seconds.", 0)
    assert kept.hear("Stop talking.", 0) == ""
    assert kept.hear("Cancel that, please.", 0) == "Okay, cancelled."
    assert len(kept) == 2
    assert kept.hear("Cancel all timers.", 0) == "Okay, all cancelled."
    assert len(kept) == 0


def test_they_are_bounded_and_the_one_too_many_is_said_to_be_so():
    kept = Reminders()
    for _ in range(MOST):
        kept.hear("Set a timer for five seconds.", 0)
    assert "sixteen" in kept.hear("Set a timer for five seconds.", 0)
    assert len(kept) == MOST


def test_a_snapshot_is_json_and_holds_them():
    kept, other = Reminders(), Reminders()
    kept.hear("Set a timer for five seconds.", 0)
    other.restore(json.loads(json.dumps(kept.snapshot())))
    assert other.due(5 * SECOND) == kept.due(5 * SECOND)


@pytest.mark.parametrize(
    "text",
    [
        *("Turn off that light.", "Stop this music.", "Delete that email.", "Don't forget that we have guests."),
        *(
            "Will it stop raining this afternoon?",
            "Remind me to turn off the oven later.",
            "I clearly remember that day.",
        ),
    ],
)
def test_talk_takes_no_time_back(text: str) -> None:
    kept = Reminders()
    kept.hear("Set a timer for ten minutes.", 0)
    assert not kept.about(text)
    kept.hear(text, 0)
    assert len(kept) == 1


def test_the_one_that_is_named_is_taken_back() -> None:
    kept = Reminders()
    kept.hear("Set a timer for ten minutes.", 0)
    kept.hear("In two minutes, remind me to check the oven.", 0)
    kept.hear("Remind me in five minutes to call Anna.", 0)
    assert kept.hear("Cancel the oven reminder.", 0) == "Okay, cancelled."
    assert kept.hear("Stop the ten minute timer.", 0) == "Okay, cancelled."
    assert [d["say"] for d in kept.snapshot()] == ["It is time to call Anna."]


def test_how_much_is_left_of_the_one_that_is_named_or_else_of_the_first():
    kept = Reminders()
    asked = "How much time is left on my timer?"
    assert not kept.about(asked)
    assert kept.hear(asked, 0) == ""
    kept.hear("Set a timer for ten minutes.", 0)
    assert kept.about(asked)
    assert kept.hear(asked, 60 * SECOND) == "Nine minutes left."
    kept.hear("Remind me in one minute to stir the soup.", 0)
    assert kept.hear("How long is left?", 30 * SECOND) == "Thirty seconds left: it is time to stir the soup."
    assert kept.hear("How long is left on the ten minute timer?", 0) == "Ten minutes left: your ten minutes are over."
    assert kept.hear("How long did the soup take?", 0) == ""
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Remind me at six to call Anna.", "clock"),
        ("Wake me at half past seven, please.", "clock"),
        ("Wake me up at 7:30.", "clock"),
        ("Set an alarm for six o'clock tomorrow.", "clock"),
        ("Remind me every two hours to drink.", "once"),
        ("Remind me in six minutes to call Anna.", ""),
        ("Tell me about the house at one point.", ""),
        ("Tell me what happened at six times the speed.", ""),
        ("We eat at six.", ""),
    ],
)
def test_what_cannot_be_kept_is_said(text, said):
    kept = Reminders()
    assert bool(cannot(text)) == bool(said)
    if said:
        assert kept.about(text)
        assert said in kept.hear(text, 0)
        assert len(kept) == 0
