"""Replies whose words are known, with nothing of a model but its sizes: in step, on a thread, stopped, failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from soundflow.decide.lalm import LalmState
from soundflow.errors import SoundflowError
from soundflow.replies import Replies
from soundflow.respond.playback import Playback
from soundflow.session import Session, SessionConfig
from soundflow.types import Decision, Kind, Perception, Vad, Words
from tests.decide.tiny import lalm as tiny_lalm

CHUNK = 6400


class Voice:
    name, rate_hz = "hum", 16_000

    def __init__(self, fails=False):
        self.fails = fails

    def speak(self, text):
        yield np.full(800, 0.1, np.float32)
        if self.fails:
            raise SoundflowError("the voice broke")


@dataclass
class Made:
    """Replies over a session that has just decided to say something."""

    realtime: bool = False
    voice: Voice | None = None
    session: Session = field(default_factory=lambda: Session(SessionConfig()))

    def __post_init__(self):
        embed = lambda ids: torch.zeros(len(ids), 3)  # noqa: E731
        lalm = SimpleNamespace(opening=lambda kind: [torch.eye(3)[int(kind)][None]], text_limit=4, embed=embed)
        context = SimpleNamespace(said=lambda text: list(range(len(text))))
        self.playback = Playback(self.voice)
        self.replies = Replies(lalm, context, None, self.session, self.playback, None, self.realtime)
        zeros = np.zeros(1, np.float32)
        heard = Perception(0, CHUNK, zeros, zeros, zeros, Vad((), False), Words())
        out = self.session.on_chunk(heard, Decision(0, Kind.SPEAK, (0.1, 0.9, 0.0)), -1, ("a siren",))
        self.request = out.start
        self.request.say = "There is a siren."
        self.started = self.replies.start(self.request, CHUNK)


def types(events):
    return [event.type for event in events]


@pytest.mark.parametrize("realtime", [False, True])
def test_a_reply_is_told_voiced_and_written_into_the_context(realtime):
    made = Made(realtime, Voice())
    assert types(made.started) == ["reply.started"]
    done = made.replies.close(2 * CHUNK)
    assert types(done) == ["reply.delta", "reply.done"]
    assert {event.t for event in done} == {0.8}
    assert made.playback[0][0] == 2 * CHUNK
    assert made.session.state.playing_until == 2 * CHUNK + 800
    decision, said = made.replies.take_pending()
    assert decision.tolist() == [[0.0, 1.0, 0.0]]
    assert said.shape == (4, 3), "at most text_limit tokens"
    assert made.replies.take_pending() == []


def test_it_advances_with_the_audio_and_then_there_is_nothing_more():
    made = Made()
    assert types(made.replies.advance(2 * CHUNK)) == ["reply.delta", "reply.done"]
    assert made.replies.advance(3 * CHUNK) == []


def with_a_model(capacity: int) -> tuple[Replies, Session, LalmState]:
    """Replies of a tiny LALM whose every answer is as long as an answer may be."""
    model = tiny_lalm(capacity)
    context = SimpleNamespace(
        said=lambda text: [1],
        reply_header=lambda *given: list(range(60)),
        decode=lambda ids: "x" * len(ids),
        end_ids=(),
    )
    row, session = model.init_state(1), Session(SessionConfig())
    return Replies(model, context, row, session, Playback(None), None, False), session, row


def test_a_reply_goes_on_where_the_row_has_become_shorter_than_it_was_when_the_reply_began():
    first, session, row = with_a_model(900)
    model = first._lalm
    model.start(0, [1, 2], row)
    for chunk in range(8):
        model.step([chunk], [torch.randn(110, 32)], row)
    zeros = np.zeros(1, np.float32)
    heard = Perception(0, CHUNK, zeros, zeros, zeros, Vad((), False), Words())
    request = session.on_chunk(heard, Decision(0, Kind.SPEAK, (0.1, 0.9, 0.0)), -1, ("a siren",)).start
    first.start(request, CHUNK)
    saved, kept = first.snapshot(), session.snapshot()
    expected = first.close(2 * CHUNK)
    second, other, shorter = with_a_model(900)
    other.restore(kept)
    second._lalm.start(0, [1, 2], shorter)
    second.restore(saved)
    assert second.close(2 * CHUNK) == expected
    assert expected[-1].text == "x" * 80


def test_a_stopped_reply_says_nothing():
    made = Made(voice=Voice())
    made.replies.stop(2 * CHUNK)
    assert made.replies.advance(2 * CHUNK) == []
    assert made.replies.close(2 * CHUNK) == []
    assert made.playback.playhead == 2 * CHUNK


def test_a_thread_whose_generation_is_over_drops_its_reply():
    made = Made(realtime=True)
    made.replies._making.result()
    made.session.state.generation += 1
    assert made.replies.close(2 * CHUNK) == []
    assert made.session.counters["late_dropped"] == 2


def test_a_broken_voice_is_an_error_beside_the_words():
    made = Made(voice=Voice(fails=True))
    events = made.replies.advance(2 * CHUNK)
    assert types(events) == ["reply.delta", "reply.done", "error"]
    assert "broke" in events[-1].message


def test_on_a_thread_a_broken_voice_ends_the_reply():
    made = Made(realtime=True, voice=Voice(fails=True))
    assert types(made.replies.close(2 * CHUNK)) == ["reply.delta", "error", "reply.cancelled"]


def test_a_snapshot_goes_on_with_the_same_reply():
    first, second = Made(), Made()
    second.replies.advance(CHUNK)
    second.session.restore(first.session.snapshot())
    second.replies.restore(first.replies.snapshot())
    assert [e.to_json() for e in second.replies.advance(CHUNK)] == [e.to_json() for e in first.replies.advance(CHUNK)]
    assert len(second.replies.take_pending()) == len(first.replies.take_pending()) == 2
