"""Session scripts on virtual time: barge-in within one chunk, cool-down, late output, notes, the wire of each."""

from __future__ import annotations

import numpy as np
import pytest

from soundflow.decide.notes import MAX_NOTES
from soundflow.events import Transcript
from soundflow.report import transcript_events
from soundflow.session import Session, SessionConfig
from soundflow.types import ActionCall, Decision, Kind, Perception, Segment, Sound, Vad, Whole, Word, Words

CHUNK = 6400
CLEAR = (0.9, 0.95, 0.99)
P = {Kind.SILENT: (0.9, 0.1, 0.0), Kind.SPEAK: (0.1, 0.9, 0.0), Kind.ACT: (0.1, 0.1, 0.8)}


class Script:
    """Feeds a session chunk by chunk; `events` collects what it says."""

    def __init__(self, **config):
        self.session = Session(SessionConfig(**config))
        self.events, self.requests, self.k = [], [], 0

    def chunk(self, kind=Kind.SILENT, sounds=(), vad=None, words=None, heard=(), forgotten=-1, like=(0.0,)):
        end = (self.k + 1) * CHUNK
        zeros = np.zeros(1, np.float32)
        perception = Perception(
            self.k,
            end,
            zeros,
            np.array(like, np.float32),
            zeros,
            vad or Vad((), False),
            words or Words(),
            sounds=tuple(heard),
        )
        out = self.session.on_chunk(perception, Decision(self.k, kind, P[kind]), forgotten, sounds)
        self.events += out.events
        if out.start:
            self.requests.append(out.start)
        self.k += 1
        return out

    def finish(self, text="Fine."):
        request = self.requests[-1]
        self.events += self.session.on_text(request, text, self.k * CHUNK)
        self.events += self.session.on_done(request, text, None, self.k * CHUNK)

    def types(self, prefix=""):
        return [e.type for e in self.events if e.type.startswith(prefix)]


def said(text, k):
    return Words(final=Segment(text, max(0, k - 5) * CHUNK, k * CHUNK))


def test_barge_in_cancels_within_the_chunk_and_late_output_is_dropped():
    s = Script()
    s.chunk(Kind.SPEAK, sounds=("a siren",))
    s.events += s.session.on_text(s.requests[0], "I hear", s.k * CHUNK)
    out = s.chunk(vad=Vad((0.9,), True, started=s.k * CHUNK + 100))
    assert out.cancelled == "r1"
    cancelled = [e for e in out.events if e.type == "reply.cancelled"]
    assert cancelled[0].text == "I hear"
    assert cancelled[0].t == pytest.approx(0.8)
    assert s.session.on_text(s.requests[0], " more", s.k * CHUNK) == []
    assert s.session.on_done(s.requests[0], "x", None, s.k * CHUNK) == []
    assert s.session.counters["late_dropped"] == 2
    assert s.session.counters["barge_ins"] == 1


def test_barge_in_while_the_voice_plays_after_the_text_is_done():
    s = Script()
    s.chunk(Kind.SPEAK, sounds=("a siren",))
    s.finish()
    s.session.on_voice(10 * CHUNK, s.k * CHUNK)
    assert s.chunk(vad=Vad(CLEAR, True, started=s.k * CHUNK)).cancelled == "r1"
    s.k = 12
    assert not s.chunk(vad=Vad((0.9,), True, started=s.k * CHUNK)).cancelled


def playing():
    s = Script()
    s.chunk(Kind.SPEAK, sounds=("a siren",))
    s.finish()
    s.session.on_voice(10 * CHUNK, s.k * CHUNK)
    return s


def test_what_is_left_of_our_own_voice_is_no_barge_in():
    s = playing()
    assert not s.chunk(vad=Vad((0.1, 0.68, 0.66, 0.61, 0.3), True, started=s.k * CHUNK)).cancelled
    assert not s.chunk(vad=Vad((0.6, 0.9, 0.7), False)).cancelled
    assert not s.chunk(vad=Vad(CLEAR, True)).cancelled  # it was over in between
    assert s.session.counters["barge_ins"] == 0


def test_speech_that_begins_at_the_end_of_a_chunk_is_a_barge_in_of_the_next():
    s = playing()
    assert not s.chunk(vad=Vad((0.1, 0.7, 0.9), True, started=s.k * CHUNK)).cancelled
    assert s.chunk(vad=Vad(CLEAR, True)).cancelled == "r1"


def test_speech_that_was_already_going_on_is_no_barge_in():
    s = Script()
    s.chunk(vad=Vad((0.9,), True, started=10))
    s.chunk(Kind.SPEAK, sounds=("a siren",), vad=Vad((0.9,), True))
    assert not s.chunk(vad=Vad((0.9,), True)).cancelled


def test_the_same_sound_is_not_announced_again_before_the_cool_down():
    s = Script(cooldown_s=4.0)
    s.chunk(Kind.SPEAK, sounds=("a siren",))
    s.finish()
    assert s.chunk(Kind.SPEAK, sounds=("a siren",)).start is None
    assert s.chunk(Kind.SPEAK, sounds=("glass breaking",)).start is not None
    s.finish()
    s.k = 11
    assert s.chunk(Kind.SPEAK, sounds=("a siren",)).start is not None
    decisions = [e.decision for e in s.events if e.type == "decision"]
    assert decisions == ["speak", "silent", "speak", "speak"]


def test_a_sound_that_gets_its_name_late_is_announced_once():
    s = Script(cooldown_s=8.0)
    s.chunk(Kind.SPEAK, sounds=("laughter",))
    s.finish()
    assert s.chunk(Kind.SPEAK, sounds=("a siren",)).start is None, "the same sound under its right name"
    s.k = 15
    assert s.chunk(Kind.SPEAK, sounds=("a siren",)).start is None, "and within its cool-down"
    assert s.chunk(Kind.SPEAK, sounds=("a dog barking",)).start is not None, "6 s later it is another one"
    asked = Script(instruction="Describe every sound you hear.")
    asked.chunk(Kind.SPEAK, sounds=("laughter",))
    asked.finish()
    assert asked.chunk(Kind.SPEAK, sounds=("a siren",)).start is not None


def test_a_sound_that_goes_on_under_another_name_is_announced_once():
    wind, glass = (1.0, 0.0, 0.4), (0.0, 1.0, 0.4)
    s = Script(cooldown_s=20.0)
    s.chunk(Kind.SPEAK, sounds=("a siren",), like=wind)
    s.finish()
    s.k = 20
    assert s.chunk(Kind.SPEAK, sounds=("a gunshot",), like=(0.9, 0.3, 0.4)).start is None
    assert s.chunk(Kind.SPEAK, sounds=("glass breaking",), like=glass).start is not None
    s.finish()
    saved = s.session.snapshot()
    s.session.restore(saved)
    s.k = 40
    assert s.chunk(Kind.SPEAK, sounds=("an explosion",), like=glass).start is None
    assert s.chunk(Kind.SPEAK, sounds=("an alarm",), like=wind).start is None, "its first minute is not over"
    s.k = 52
    assert s.chunk(Kind.SPEAK, sounds=("a dog barking",), like=wind).start is not None
    asked = Script(instruction="Describe every sound you hear.")
    asked.chunk(Kind.SPEAK, sounds=("a siren",), like=wind)
    asked.finish()
    assert asked.chunk(Kind.SPEAK, sounds=("a gunshot",), like=wind).start is not None


def test_one_word_is_not_answered_unless_it_is_a_call_or_wants_a_device():
    s = Script()
    assert s.chunk(Kind.SPEAK, words=said("Thor?", 0)).start is None
    assert s.session.counters["lone_words"] == 1
    out = s.chunk(Kind.SPEAK, sounds=("a siren",))
    assert out.start is not None, "a sound beside it is told"
    assert out.start.heard == ""
    s.finish()
    for kind, text in ((Kind.SPEAK, "Help!"), (Kind.ACT, "Lights."), (Kind.SPEAK, "Who's there?")):
        s.k += 10
        out = s.chunk(kind, words=said(text, s.k))
        assert out.start is not None
        assert out.start.heard == text
        s.session.on_done(out.start, "Yes.", ActionCall("lights", {}) if kind is Kind.ACT else None, s.k * CHUNK)


def test_the_word_that_the_instruction_waits_for_is_no_lone_one():
    s = Script(instruction='Let me know when you hear the word "six".')
    assert s.chunk(Kind.SPEAK, words=said("Seven.", 0)).start is None
    s.k += 10
    assert s.chunk(Kind.SPEAK, words=said("Six.", s.k)).start.heard == "Six."


def test_a_question_is_answered_within_the_cool_down():
    s = Script()
    s.chunk(Kind.SPEAK, sounds=("a siren",))
    s.finish()
    out = s.chunk(Kind.SPEAK, sounds=("a siren",), words=said("What was that?", s.k))
    assert out.start is not None
    assert out.start.heard == "What was that?"
    assert out.start.sounds == ()


def test_one_reply_at_a_time():
    s = Script()
    s.chunk(Kind.SPEAK, sounds=("a siren",))
    assert s.chunk(Kind.SPEAK, sounds=("glass breaking",)).start is None
    assert s.session.counters["busy_suppressed"] == 1


def test_an_act_ends_as_one_action_event():
    s = Script(tools=())
    out = s.chunk(Kind.ACT, words=said("Lock the door.", 0))
    call = ActionCall("lock_door", {"door": "front"}, confirm=True)
    s.events += s.session.on_done(out.start, "", call, s.k * CHUNK)
    action = s.events[-1]
    assert (action.type, action.name, action.confirm) == ("action", "lock_door", True)
    assert action.arguments == {"door": "front"}
    assert s.chunk(Kind.SPEAK, sounds=("a siren",)).start is not None


def test_what_leaves_the_cache_becomes_a_note_that_a_later_question_gets():
    s = Script()
    s.chunk(heard=(Sound("Dog", 0.9, 100),))
    assert "note" not in s.types()
    s.chunk(forgotten=0)
    note = next(e for e in s.events if e.type == "note")
    assert "dog" in note.text.lower()
    out = s.chunk(Kind.SPEAK, words=said("What did you hear?", s.k))
    assert any("dog" in n.text.lower() for n in out.start.notes)


def test_a_whole_sound_is_sent_and_noted():
    s, zeros = Script(), np.zeros(1, np.float32)
    for whole in (Whole("Bark", 0.4, CHUNK, 3 * CHUNK), Whole("Dog", 0.4, 3 * CHUNK, 5 * CHUNK)):
        heard = Perception(4, 5 * CHUNK, zeros, zeros, zeros, Vad((), False), Words(), whole=whole, noted=whole)
        (event,) = s.session.perceived(heard)
    assert event.to_json() == '{"type": "sound.whole", "t": 2.0, "label": "Dog", "p": 0.4, "onset": 1.2, "offset": 2.0}'
    assert [n.text for n in s.session.remembered(9 * CHUNK)] == ["a dog barking", "a dog"]


def test_what_only_is_remembered_is_noted_and_not_sent():
    s, zeros = Script(), np.zeros(1, np.float32)
    noted = Whole("Dog", 0.4, CHUNK, 3 * CHUNK)
    assert (
        s.session.perceived(Perception(4, 5 * CHUNK, zeros, zeros, zeros, Vad((), False), Words(), noted=noted)) == []
    )
    assert [n.text for n in s.session.remembered(9 * CHUNK)] == ["a dog"]


def test_notes_are_bounded():
    s = Script()
    for k in range(2 * MAX_NOTES):
        s.chunk(heard=(Sound("Dog" if k % 2 else "Cat", 0.9, k * CHUNK),), forgotten=k - 1)
    assert len(s.session.state.notes) == MAX_NOTES
    assert len(s.session.state.fresh) <= 32


def test_a_final_is_said_once_and_empty_ones_not_at_all():
    s = Script()
    s.chunk(words=said("Hello there.", 0))
    s.chunk(words=said("", 1))
    finals = [e for e in s.events if e.type == "transcript" and e.final]
    assert [f.text for f in finals] == ["Hello there."]


def test_a_failed_reply_leaves_the_session_open():
    s = Script()
    s.chunk(Kind.SPEAK, sounds=("a siren",))
    s.events += s.session.on_failed(s.requests[0], "capacity", "too long", s.k * CHUNK)
    assert s.types()[-2:] == ["error", "reply.cancelled"]
    assert s.chunk(Kind.SPEAK, sounds=("glass breaking",)).start is not None


def test_barge_in_does_not_lose_an_act():
    s = Script()
    out = s.chunk(Kind.ACT, words=said("Lock the door.", 0))
    assert not s.chunk(vad=Vad((0.9,), True, started=s.k * CHUNK)).cancelled
    call = ActionCall("lock_door", {"door": "front"})
    assert [e.type for e in s.session.on_done(out.start, "", call, s.k * CHUNK)] == ["action"]
    assert not s.types("reply.")


def test_stable_counts_all_printed_words_of_the_open_segment():
    s = Script()
    word = Word("so", 0, 10, 10)
    s.chunk(words=Words(new=(word, word), partial="so so on"))
    s.chunk(words=Words(new=(word,), partial="so so so on"))
    assert [e.stable for e in s.events if e.type == "transcript"] == [2, 3]


def test_snapshot_restore():
    s = Script()
    s.chunk(Kind.SPEAK, sounds=("a siren",), heard=(Sound("Siren", 0.9, 0),))
    saved = s.session.snapshot()
    other = Session(SessionConfig())
    other.restore(saved)
    assert other.snapshot() == saved
    s.finish()
    s.chunk(forgotten=5)
    assert other.snapshot() == saved


def test_no_hypothesis_is_sent_without_its_text() -> None:
    said = Word("stop", 0, 6_400, 6_400)
    assert transcript_events(Words(new=(said,)), 0.4, 0, 1) == []
    grown = transcript_events(Words(new=(said,), partial="stop it"), 0.4, 0, 1)
    assert [(e.text, e.stable, e.final) for e in grown if isinstance(e, Transcript)] == [("stop it", 1, False)]
