"""What is waited for: terms, words and times, on made-up perceptions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from soundflow.decide.policy import Calibration
from soundflow.perceive.labels import ALERTING, display_name
from soundflow.types import Perception, Segment, Vad, Words
from soundflow.watch import GONE, Watch

LABELS = ("Dog", "Cat", "Rain", "Siren", "Speech", "Gunshot, gunfire")
CHUNK = 6400
FIT = Calibration(wanted_weight=3.0, wanted_neutral=0.02)
SECOND = 16_000


class Stream:
    """A watch that hears one sound after the other."""

    def __init__(self, instruction: str = "") -> None:
        self.watch, self.k = Watch(instruction, LABELS, FIT), 0
        self.seen = self.hear()

    def hear(self, said: str = "", level: float = -70.0, **p: float) -> Perception:
        tags = np.full(len(LABELS), 1e-4, np.float32)
        for name, value in p.items():
            tags[LABELS.index(name)] = value
        words = Words(final=Segment(said, 0, 0)) if said else Words()
        end = (self.k + 1) * CHUNK
        zeros = np.zeros(1, np.float32)
        loud = -30.0 if any(x > 0.01 for x in p.values()) else level
        self.seen = Perception(self.k, end, tags, zeros, zeros, Vad((), bool(said)), words, level_db=loud)
        self.k += 1
        if said:
            self.watch.heard_said(said, end)
        self.watch.hear(self.seen)
        self.watch.expire(end)
        return self.seen

    def due(self) -> str:
        told = self.watch.due(self.seen)
        return told.say if told else ""


def test_what_is_waited_for_is_named_and_told_under_one_name():
    s = Stream("Tell me when you hear a dog.")
    s.hear(Dog=0.9)
    verdict = s.watch.judge(("a cat",))
    assert (verdict.hold, verdict.name, verdict.count) == (False, "a dog", 0)
    s.watch.told(verdict, s.seen.end_sample)
    s.hear(Dog=0.9)
    assert s.watch.bias() <= 0, "it goes on"


def test_a_name_that_was_misheard_is_read_as_the_nearest_and_said_in_the_answer():
    dog, moved = Watch("", LABELS, FIT), Watch("", LABELS, FIT)
    assert dog.heard_said("Tell me when you hear a dawg.", CHUNK)
    moved.recall(json.loads(json.dumps(dog.memory())))
    for watch in (dog, moved):
        assert watch.tags[LABELS.index("Dog")] == 1
        assert watch.answered("Tell me when you hear a dawg.", CHUNK) == "Okay, I will listen for a dog."
    assert not Watch("", LABELS, FIT).heard_said("Tell me when you hear a dawg.", CHUNK, typed=True)


def test_what_was_not_heard_is_counted_as_what_was_and_sounds_like_it():
    s = Stream()
    for p in (0.9, 1e-4, 0.9, 1e-4):
        s.hear(Dog=p)
    assert s.watch.answered("How often did you hear a cat?", s.seen.end_sample) == "I have not heard a cat."
    duck = "How often did you hear a duck?"
    assert s.watch.answered(duck, s.seen.end_sample) == "I heard a dog twice."
    s.watch.heard_said(duck, s.seen.end_sample, typed=True)
    assert not s.watch.answered(duck, s.seen.end_sample), "a duck was typed"


def test_what_is_waited_for_is_told_of_in_our_words_where_something_was_just_said():
    s = Stream("Tell me when you hear a dog.")
    s.hear(Dog=0.9)
    assert s.watch.judge(("a dog",), answers=True).say == "I hear a dog."
    assert s.watch.judge(("a dog",)).say == ""


def test_under_a_request_another_sound_is_told_of_if_it_alerts_and_under_its_own_name():
    s = Stream("Tell me when you hear a dog.")
    s.hear(Cat=0.9)
    assert s.watch.judge(("a cat",)).hold
    s.hear(Siren=0.9)
    verdict = s.watch.judge(("a siren",))
    assert (verdict.hold, verdict.say) == (False, "I hear a siren.")
    s = Stream("Describe every sound. Tell me when you hear a dog.")
    s.hear(Cat=0.9)
    assert not s.watch.judge(("a cat",)).hold


def test_each_is_counted_and_another_sound_is_no_number_unless_it_alerts():
    s = Stream("Count each time that you hear a dog.")
    for n in (1, 2):
        s.hear(Dog=0.9)
        verdict = s.watch.judge(("a dog",))
        assert verdict.count == n
        s.watch.told(verdict, s.seen.end_sample)
        s.hear()
    s.hear(Cat=0.9)
    assert s.watch.judge(("a cat",)).hold
    s.hear(Siren=0.9)
    verdict = s.watch.judge(("a siren",))
    assert (verdict.hold, verdict.count) == (False, 0)


def test_only_the_second_time_is_told():
    s = Stream("Ignore the first time you hear a dog and report the second.")
    s.hear(Dog=0.9)
    assert s.watch.judge(("a dog",)).hold
    s.hear()
    s.hear(Dog=0.9)
    verdict = s.watch.judge(("a dog",))
    assert not verdict.hold
    assert verdict.say == "I heard a dog for the second time."
    s.watch.told(verdict, s.seen.end_sample)
    assert not s.watch.unasked, "an instruction holds"


def test_a_doorbell_beside_a_siren_does_not_hide_it():
    s = Stream("Count every dog.")
    s.hear(Siren=0.9)
    verdict = s.watch.judge((display_name("Doorbell"), display_name("Siren")))
    assert (verdict.hold, verdict.say) == (False, "I hear a siren.")


def test_an_end_is_told_and_not_that_it_is_there():
    s = Stream()
    for _ in range(3):
        s.hear(Rain=0.8)
    s.hear("Tell me when the rain has stopped.", Rain=0.8)
    s.hear(Rain=0.7)
    assert s.watch.judge(("rain",)).hold
    assert not s.due()
    for _ in range(GONE):
        s.hear()
    assert s.due() == "I do not hear the rain any more, it has stopped."
    s.watch.given(s.watch.due(s.seen), s.seen.end_sample)
    s.hear()
    assert not s.due()


@pytest.mark.parametrize(
    ("asked", "there", "said"),
    [
        ("Is the rain still there in two seconds?", True, "Yes, I still hear the rain."),
        ("Is the rain still there in two seconds?", False, "No, I do not hear the rain any more."),
        ("If you still hear the rain in two seconds, tell me.", True, "Yes, I still hear the rain."),
        ("If you still hear the rain in two seconds, tell me.", False, ""),
    ],
)
def test_a_look_after_some_seconds(asked, there, said):
    s = Stream()
    s.hear(Rain=0.8)
    s.hear(Rain=0.8)
    s.hear(asked, Rain=0.8)
    assert s.watch.answered(asked, s.seen.end_sample) == "Okay, in two seconds."
    assert not len(s.watch.reminders)
    for _ in range(4):
        s.hear(Rain=0.8 if there else 1e-4)
        assert not s.due()
    s.hear(Rain=0.8 if there else 1e-4)
    assert s.due() == said


def test_an_end_is_told_by_the_step_down_where_the_tag_never_came():
    s = Stream()
    for _ in range(4):
        s.hear(level=-35.0)
    s.hear("Tell me when the rain has stopped.", level=-20.0)
    for _ in range(6):
        s.hear(level=-37.0)
        assert not s.due()
    for _ in range(GONE):
        s.hear(level=-60.0)
    assert s.due().startswith("I do not hear the rain")


def test_a_word_is_told_and_not_when_it_is_asked_for():
    s = Stream()
    s.hear("Tell me when somebody says six.")
    assert not s.due()
    s.hear("Sixteen.")
    assert not s.due()
    s.hear("There are 6 of them.")
    told = s.watch.due(s.seen)
    assert (told.say, told.answers) == ('I heard the word "six".', True)


def test_under_a_word_other_sounds_are_held_back():
    s = Stream('Listen for the word "six".')
    s.hear(Cat=0.9)
    assert s.watch.judge(("a cat",)).hold
    s.hear(Siren=0.9)
    assert not s.watch.judge(("a siren",)).hold


def test_what_nobody_wants_to_hear_of_is_held_back():
    s = Stream("You can ignore the dog.")
    s.hear(Dog=0.9)
    assert s.watch.judge(("a dog",)).hold
    s.hear(**{"Gunshot, gunfire": 0.9, "Dog": 0.2})
    assert not s.watch.judge((display_name("Gunshot, gunfire"), "a dog")).hold


def test_a_time_comes_once():
    s = Stream()
    assert s.watch.likely_ours("Remind me in two seconds to stop.")
    assert not s.watch.likely_ours("Tom, remind me in two seconds to stop.")
    assert s.watch.answered("Remind me in two seconds to stop.", 0) == "Okay, in two seconds."
    while s.k < 5:
        assert not s.due()
        s.hear()
    assert s.due() == "It is time to stop."
    s.watch.given(s.watch.due(s.seen), s.seen.end_sample)
    assert not s.due()


def test_another_instruction_ends_what_was_asked_for_and_not_the_times():
    s = Stream()
    s.hear("Tell me when you hear a dog.")
    s.watch.answered("Set a timer for one second.", 0)
    s.watch.instruct("")
    assert not s.watch.unasked, "the same instruction"
    s.watch.instruct("Be kind.")
    s.hear()
    assert not s.watch.tags.any()
    s.hear()
    assert s.due() == "Your one second is over."


def test_a_snapshot_goes_on_alike_and_a_memory_is_json():
    s = Stream("Count every dog.")
    s.hear(Dog=0.9)
    s.watch.told(s.watch.judge(("a dog",)), s.seen.end_sample)
    s.hear("Tell me when the rain has stopped.", Rain=0.8)
    s.watch.answered("Set a timer for nine seconds.", 0)
    other, third = Stream("Count every dog."), Stream("Count every dog.")
    other.watch.restore(s.watch.snapshot())
    third.watch.recall(json.loads(json.dumps(s.watch.memory())))
    assert np.array_equal(third.watch.tags, s.watch.tags)
    assert third.watch.reminders.snapshot() == s.watch.reminders.snapshot()
    other.k = s.k
    for _ in range(GONE):
        assert s.hear().end_sample == other.hear().end_sample
        assert s.watch.bias() == other.watch.bias()
    assert s.due() == other.due() != ""


FULL = tuple(dict.fromkeys([*LABELS, *(x for g in ALERTING.values() for x in g), "Bus", "Music", "Thunder", "Bark"]))


def heard(*said: str, instruction: str = "") -> Watch:
    watch = Watch(instruction, FULL, FIT)
    for k, text in enumerate(said):
        watch.heard_said(text, k * SECOND)
    return watch


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Cancel my alarm.",
            "Cancel the fire alarm test.",
            "I don't want any glass on the floor.",
            "He does not smoke any more.",
        ),
        *(
            "When there was thunder last night.",
            "When I walked the dog this morning it was cold.",
            "He is waiting for the bus.",
        ),
        *("Tell me a story about a dog.", "I am going to walk the dog now.", "Actually the music is too loud now."),
        *("The weather report said rain.", "Never mind.", "I don't want dog hair on the sofa."),
    ],
)
def test_talk_arms_mutes_and_calls_off_nothing(text: str) -> None:
    watch = heard(text)
    assert watch.unasked
    assert not watch.standing.muted.any()
    watch = heard(text, instruction="Tell me when the doorbell rings.")
    assert FULL[int(watch.standing.named.argmax())] == "Doorbell"
    assert not watch.standing.muted.any()


def test_hazards_that_nobody_waits_for_pass_whatever_is_waited_for() -> None:
    for asked in (
        "Tell me when the rain has stopped.",
        "Tell me when you hear a dog.",
        "Wait until you hear a dog twice.",
    ):
        s = Stream(asked)
        s.hear(Siren=0.9, Rain=0.1, Dog=0.06)
        verdict = s.watch.judge((display_name("Siren"),))
        assert (verdict.hold, verdict.name) == (False, "")


@pytest.mark.parametrize(
    "text",
    [
        "Watch over the house and tell me when you hear the siren.",
        "Tell me if you hear a siren at the end of the driveway.",
        "Only speak if you hear a siren. When nothing happens, stay silent.",
        "Tell me when you hear a siren, but do not tell me twice.",
    ],
)
def test_a_siren_is_told_at_once_under_instructions_that_speak_of_ends_and_numbers(text: str) -> None:
    s = Stream(text)
    s.hear(Siren=0.9)
    assert not s.watch.judge((display_name("Siren"),)).hold


def test_what_never_sounded_is_not_there_and_has_no_end() -> None:
    s = Stream()
    s.hear()
    s.hear("Is the dog still there in two seconds?")
    for _ in range(5):
        s.hear()
    assert s.due() == "No, I do not hear the dog any more."
    s = Stream("Tell me when the rain has stopped.")
    for level in (-30.0, -30.0, -70.0, -70.0, -70.0):
        s.hear(level=level)
        assert not s.due()


def test_calls_for_help_are_heard_while_a_word_is_waited_for() -> None:
    watch = heard('Tell me when somebody says "pizza".')
    assert watch.other_word("Seven.")
    assert not watch.other_word("Help!")


def test_a_long_text_of_blanks_takes_no_time() -> None:
    watch = heard("the word" + " " * 100_000 + "is the")
    assert watch.unasked


def test_what_is_muted_is_heeded_and_the_count_goes_on():
    s = Stream("Count each time that you hear a dog.")
    s.hear(Dog=0.9)
    s.watch.told(s.watch.judge(("a dog",)), s.seen.end_sample)
    for _ in range(4):
        s.hear()
    said = "Stop telling me about the cat."
    s.hear(said)
    assert s.watch.likely_ours(said)
    assert not s.watch.likely_ours("Stop it, Tom.")
    s.hear(Dog=0.9)
    assert s.watch.judge(("a dog",)).count == 2


def test_after_a_request_was_taken_back_its_sound_is_left_alone_however_faint() -> None:
    s = Stream()
    s.hear("Tell me when you hear a dog.")
    s.hear("Never mind the dog.")
    s.hear(Dog=0.06)
    assert s.watch.judge(("a dog",)).hold
    assert s.watch.judge(()).hold
    s.hear(Siren=0.9)
    assert not s.watch.judge((display_name("Siren"),)).hold
    s = Stream("Describe every sound.")
    s.hear("Never mind the dog.")
    s.hear(Cat=0.9)
    assert not s.watch.judge(("a cat",)).hold
