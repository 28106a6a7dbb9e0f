"""What was said in the end, when each word came, and what was taken back: by hand."""

from __future__ import annotations

from benchmarks.words.growth import Recorder, by_character, folded, follow, units
from soundflow.events import Event, ReplyCancelled, ReplyDelta, ReplyDone, ReplyStarted, Transcript


def test_words_are_told_when_named_stable_and_shown_when_they_last_changed() -> None:
    out = follow(
        [
            [2, False, 0, "know his", None],
            [3, False, 0, "though his heart", None],
            [5, False, 2, "Though his heart was", None],
            [6, False, 2, "Though his hart is", None],
            [8, True, 4, "Though his heart is.", [1.0, 1.2, 1.5, 1.9]],
        ]
    )
    assert out.words == ["Though", "his", "heart", "is."]
    assert out.told == [5, 5, 8, 8]
    assert out.shown == [3, 3, 8, 8]
    assert out.ends == [1.0, 1.2, 1.5, 1.9]
    # "know his" (both: the first word changed), "heart was", "hart is" (a changed word takes all behind it along)
    assert (out.unstable, out.revisions, out.broken) == (6, 3, 0)
    assert out.text == "Though his heart is."


def test_a_word_that_was_named_stable_and_changes_is_broken() -> None:
    out = follow([[0, False, 2, "a b", None], [1, True, 0, "a c", None]])
    assert (out.broken, out.unstable, out.told) == (1, 1, [0, 1])


def test_segments_are_apart_and_what_never_became_final_was_taken_back() -> None:
    said = [
        [0, True, 0, "one two", None],
        [1, False, 0, "three", None],
        [2, False, 0, "", None],
        [9, True, 0, "", None],
    ]
    out = follow(said)
    assert out.words == ["one", "two"]
    assert (out.unstable, out.revisions) == (1, 1)
    assert follow(said[:3]).unstable == 1
    assert follow([]).words == []


def test_an_empty_partial_says_nothing() -> None:
    out = follow([[0, False, 1, "a b", None], [1, False, 2, "", None], [2, True, 2, "a b", None]])
    assert (out.unstable, out.broken, out.told, out.shown) == (0, 0, [0, 2], [0, 0])


def test_case_and_marks_are_no_change() -> None:
    assert folded("U.S.") == folded("us")
    out = follow([[0, False, 0, "hello world,", None], [1, True, 0, "Hello, world", None]])
    assert (out.unstable, out.shown) == (0, [0, 0])


def test_languages_without_spaces_go_by_characters() -> None:
    assert [by_character(code) for code in ("zh-CN", "ja", "en")] == [True, True, False]
    assert units("你 好。", True) == ["你", "好", "。"]
    out = follow([[0, False, 1, "你好", None], [1, True, 1, "你好吗", None]], True)
    assert (out.words, out.told) == (["你", "好", "吗"], [0, 0, 1])


def test_replies_grow_by_deltas_whose_last_word_may_go_on() -> None:
    recorder = Recorder("reply")
    events: list[list[Event]] = [
        [ReplyStarted(t=0, id="r"), ReplyDelta(t=0, id="r", text="Good mor")],
        [ReplyDelta(t=0, id="r", text="ning ")],
        [ReplyDelta(t=0, id="r", text="all"), ReplyDone(t=0, id="r", text="Good morning all")],
        [ReplyStarted(t=0, id="s", text="And"), ReplyCancelled(t=0, id="s", text="And")],
        [Transcript(t=0, text="not a reply", final=True, start=0, end=0)],
    ]
    for push, mine in enumerate(events):
        recorder.take(mine, push)
    out = follow(recorder.said)
    assert out.words == ["Good", "morning", "all", "And"]
    assert out.told == [0, 1, 2, 3]
    assert (out.text, out.broken) == ("Good morning all And", 0)


def test_transcripts_alone_are_kept_with_the_ends_of_their_words() -> None:
    recorder = Recorder("transcript")
    words = [{"text": "a", "start": 0.0, "end": 0.5}, {"text": "b", "start": 0.5, "end": 0.75}]
    recorder.take([Transcript(t=1, text="a b", final=True, start=0, end=1, words=words)], 4)
    recorder.take([Transcript(t=1, text="a b c", final=True, start=0, end=1, words=words)], 5)  # a word without a time
    recorder.take([ReplyDone(t=1, id="r", text="no")], 6)
    assert recorder.said == [[4, True, 0, "a b", [0.5, 0.75]], [5, True, 0, "a b c", None]]
