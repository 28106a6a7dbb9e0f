"""A served reply that speech has cut, and one that is looked up in the notes."""

from __future__ import annotations

import numpy as np
import pytest

from serving.decider import Decider
from serving.handle import SessionSpec
from serving.work import Command, Frame, Open
from soundflow.events import ReplyDone, ReplyStarted
from soundflow.types import Note
from tests.serving.test_decider import noise
from tests.tiny_model import CHUNK, tiny_model

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def model(nano_parts):
    return tiny_model(nano_parts)


def outputs(done) -> list:
    return [o for r in done.results for o in r.outputs]


def test_a_reply_that_speech_has_cut_is_gone_on_with(model):
    decider = Decider(model, 1)
    decider.step([Open("a", SessionSpec(proactivity=0.0)), Command("a", "say", "One thing, and then another one.")])
    decider.step([Frame("a", 0, noise(0, 1)[0])])
    decider.step([Command("a", "voice", 30 * CHUNK)])
    state = decider._seats["a"].row.session.state
    assert (state.voiced, state.voice_from, state.playing_until) == ("r1", CHUNK, 30 * CHUNK)
    state.cut, state.cut_at, state.playing_until = "and then another one.", CHUNK, 0
    found = []
    for k in range(1, 8):
        found += outputs(decider.step([Frame("a", k, np.zeros(CHUNK, np.float32))]))
    said = [o for o in found if isinstance(o, ReplyStarted | ReplyDone)]
    assert [type(o) for o in said] == [ReplyStarted, ReplyDone]
    assert said[1].text == "and then another one."


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("Did you hear a dog?", "Yes, I heard a dog barking just now."),
        ("Did you hear a doorbell?", "No, I have not noticed the doorbell."),
    ],
)
def test_what_was_heard_is_looked_up(model, asked, answer):
    decider = Decider(model, 1)
    decider.step([Open("a", SessionSpec(proactivity=0.0)), Frame("a", 0, np.zeros(CHUNK, np.float32))])
    decider._seats["a"].row.session.state.fresh.append((0, Note(0, "a dog barking")))
    found = outputs(decider.step([Command("a", "respond", asked)]))
    for k in range(1, 4):
        found += outputs(decider.step([Frame("a", k, np.zeros(CHUNK, np.float32))]))
    assert [o.text for o in found if isinstance(o, ReplyDone)] == [answer]
