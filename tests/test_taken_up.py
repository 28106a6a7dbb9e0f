"""Session scripts: a reply that speech has cut is gone on with, or not."""

from __future__ import annotations

import pytest

from soundflow import floor
from soundflow.clock import samples
from soundflow.types import Kind, Vad, Words
from tests.test_session import CHUNK, CLEAR, Script, said

TEXT = "The plumber comes at two, and he looks at the boiler. Then we bake a cake."
BEGINS = Vad(CLEAR, True)


def cut(text: str = TEXT, at: int = 6, chunks: int = 14) -> Script:
    """A reply of `chunks` chunks of voice, cut in the chunk `at`."""
    s = Script()
    s.chunk(Kind.SPEAK, sounds=("a siren",))
    s.finish(text)
    s.session.on_voice((s.k + chunks) * CHUNK, s.k * CHUNK)
    while s.k < at:
        assert not s.chunk().cancelled
    out = s.chunk(vad=Vad(CLEAR, True, started=s.k * CHUNK))
    assert out.cancelled == "r1"
    assert not out.resume
    return s


def heard(s: Script, text: str, kind: Kind = Kind.SILENT) -> str:
    return s.chunk(kind, words=said(text, s.k)).resume


@pytest.mark.parametrize("text", ["Mm-hm.", "Maria, where are the keys?"])
def test_a_reply_goes_on_behind_speech_that_is_not_answered(text: str) -> None:
    s = cut()
    assert s.session.broken_into(Words())
    assert not s.chunk(vad=BEGINS).resume, "somebody speaks"
    assert heard(s, text) == TEXT[TEXT.index("and he") :]
    assert not s.session.broken_into(Words())
    assert s.session.counters["resumed"] == 1
    assert not heard(s, text), "once"


def test_what_is_answered_is_not_gone_on_with() -> None:
    s = cut()
    assert s.chunk(Kind.SPEAK, words=said("What month follows May?", s.k)).start is not None
    s.finish("June.")
    assert not heard(s, "Yeah.")


def test_nor_behind_words_that_want_us_to_stop() -> None:
    s = cut()
    assert not heard(s, "Okay, stop.")
    assert not s.chunk().resume
    assert not s.session.broken_into(Words())


def test_a_noise_without_words_only_delays_it() -> None:
    s = cut()
    s.chunk(vad=BEGINS)
    quiet = [bool(s.chunk().resume) for _ in range(floor.QUIET_CHUNKS + 2)]
    assert quiet.index(True) == floor.QUIET_CHUNKS - 1
    assert sum(quiet) == 1


def test_speech_that_goes_on_too_long_ends_it() -> None:
    s = cut()
    for _ in range(samples(floor.WAITS_S) // CHUNK + 1):
        assert not s.chunk(vad=BEGINS).resume
    assert not heard(s, "and so on")


def test_it_is_taken_up_so_often_and_no_more() -> None:
    s, found = cut(), []
    for _ in range(4):
        rest = heard(s, "Yeah.")
        found.append(bool(rest))
        if not rest:
            break
        request = s.session.request_said(rest, s.k, s.k * CHUNK)
        assert request is not None
        s.requests.append(request)
        s.finish(rest)
        s.session.on_voice((s.k + 14) * CHUNK, s.k * CHUNK)
        assert s.chunk(vad=Vad(CLEAR, True, started=s.k * CHUNK)).cancelled
    assert found == [True] * floor.MOST_TIMES + [False]


def test_a_reply_that_is_nearly_over_or_not_voiced_is_not_taken_up() -> None:
    assert not heard(cut(at=13), "Yeah.")
    s = Script()
    s.chunk(Kind.SPEAK, sounds=("a siren",))
    s.events += s.session.on_text(s.requests[0], "I hear", s.k * CHUNK)
    assert s.chunk(vad=Vad(CLEAR, True, started=s.k * CHUNK)).cancelled == "r1"
    assert not heard(s, "Yeah.")


def test_a_snapshot_keeps_what_was_cut() -> None:
    s = cut()
    other = Script()
    other.k = s.k
    other.session.restore(s.session.snapshot())
    assert heard(other, "Right.") == heard(s, "Right.") != ""


def test_a_voice_behind_another_begins_where_that_ends() -> None:
    s = Script()
    s.chunk(Kind.SPEAK, sounds=("a siren",))
    s.finish("One.")
    s.session.on_voice(5 * CHUNK, s.k * CHUNK)
    request = s.session.request_said(TEXT, s.k, s.k * CHUNK)
    assert request is not None
    s.requests.append(request)
    s.finish(TEXT)
    s.session.on_voice(12 * CHUNK, s.k * CHUNK)
    s.session.on_voice(19 * CHUNK, (s.k + 1) * CHUNK)
    assert s.session.state.voice_from == 5 * CHUNK
    assert s.session.state.playing_until == 19 * CHUNK


def test_words_of_a_chunk_in_which_somebody_speaks_again_wait() -> None:
    s = cut()
    out = s.chunk(words=Words(final=said("Yeah.", s.k).final), vad=Vad(CLEAR, True, started=s.k * CHUNK))
    assert not out.resume
    assert heard(s, "right") != ""


def test_our_own_words_are_an_echo_and_change_nothing() -> None:
    s = cut()
    words = said("comes at two and he", s.k)
    assert not s.session.broken_into(words)
    assert s.session.broken_into(said("what time is it", s.k))
    assert not s.chunk(words=words).resume
    assert not s.chunk().resume
