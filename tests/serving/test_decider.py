"""Many sessions in one batch: what one hears never depends on who sits beside it."""

from __future__ import annotations

import numpy as np
import pytest

from serving.decider import Decider
from serving.handle import Heard, SessionSpec
from serving.work import Command, Frame, Open
from soundflow import int8
from soundflow.decide.slab import Slabs
from soundflow.events import DecisionEvent, ErrorEvent, ReplyCancelled, ReplyDelta, ReplyDone, ReplyStarted, Transcript
from soundflow.loop import Stream
from soundflow.memory import recall, remember
from soundflow.respond.playback import Playback
from soundflow.row import Manner, Row
from soundflow.session import SessionConfig
from soundflow.types import AudioChunk, Tool
from tests.tiny_model import CHUNK, tiny_model

pytestmark = pytest.mark.weights
LAMP = Tool(
    "set_lamp", "Switch a lamp.", {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]}
)


@pytest.fixture(scope="module")
def model(nano_parts):
    return tiny_model(nano_parts)


@pytest.fixture(scope="module")
def eight_bit(nano_parts):
    made = tiny_model(nano_parts)
    if not int8.available():
        pytest.skip("this torch does not multiply int8 on this machine")
    made.lalm.llama.to_int8()
    made.perceiver.to_int8()
    return made


def noise(seed: int, chunks: int) -> list[np.ndarray]:
    made = np.random.default_rng(seed).normal(0, 0.05, (chunks, CHUNK)).astype(np.float32)
    made[::3] = 0.0
    return list(made)


def alone(model, spec: SessionSpec, chunks) -> list:
    decider = Decider(model, 4)
    outputs = [o for r in decider.step([Open("a", spec)]).results for o in r.outputs]
    for k, samples in enumerate(chunks):
        outputs += [o for r in decider.step([Frame("a", k, samples)]).results for o in r.outputs]
    return outputs


def plain(outputs) -> list:
    return [o.to_dict() if hasattr(o, "to_dict") else o for o in outputs]


def test_a_session_hears_the_same_alone_and_among_others(eight_bit):
    spec = SessionSpec(proactivity=0.7)
    heard = {name: noise(seed, 10) for seed, name in enumerate("abc")}
    decider = Decider(eight_bit, 4, threads=2)
    found: dict[str, list] = {name: [] for name in heard}
    for k in range(14):  # b joins at the third pass, c at the fifth
        work = []
        for late, name in enumerate(heard):
            if k == 2 * late:
                work.append(Open(name, spec))
            if 0 <= k - 2 * late < 10:
                work.append(Frame(name, k - 2 * late, heard[name][k - 2 * late]))
        for result in decider.step(work).results:
            found[result.session] += result.outputs
    for name, chunks in heard.items():
        mine = [o for o in found[name] if isinstance(o, DecisionEvent)]
        other = [o for o in alone(eight_bit, spec, chunks) if isinstance(o, DecisionEvent)]
        assert [(d.chunk, d.decision) for d in mine] == [(d.chunk, d.decision) for d in other]
        for a, b in zip(mine, other, strict=True):
            assert a.p == pytest.approx(b.p, abs=2e-3)  # the sound encoder's sums depend on the batch by 1e-6


def test_caches_in_slabs_give_the_same_events(model, nano_parts):
    by_index = tiny_model(nano_parts)
    by_index.lalm.llama.slabs = Slabs()  # as on a GPU
    spec, chunks = SessionSpec(proactivity=0.9), noise(7, 12)
    expected, found = (plain(alone(m, spec, chunks)) for m in (model, by_index))
    assert any(e.get("type") == "reply.delta" for e in expected if isinstance(e, dict))
    assert strip(found) == strip(expected)


def strip(events: list) -> list:
    """Without probabilities, which differ in the last bits."""
    return [{k: v for k, v in e.items() if k != "p"} for e in events if isinstance(e, dict)]


def test_what_is_heard_ahead_decides_the_same(model):
    spec, chunks = SessionSpec(proactivity=0.9), noise(8, 8)
    decider = Decider(model, 4, threads=2)
    decider.hear([Frame("a", 0, chunks[0])])  # nobody has this seat yet: heard in its pass
    found = [o for r in decider.step([Open("a", spec)]).results for o in r.outputs]
    for k, samples in enumerate(chunks):
        frame = Frame("a", k, samples)
        if k % 3:
            decider.hear([frame])
        found += [o for r in decider.step([frame]).results for o in r.outputs]
    assert strip(plain(found)) == strip(plain(alone(model, spec, chunks)))


def test_a_frame_heard_ahead_that_does_not_fit_ends_its_session_alone(model):
    decider = Decider(model, 4)
    decider.step([Open("a", SessionSpec()), Open("b", SessionSpec())])
    bad, good = Frame("a", 3, noise(1, 1)[0]), Frame("b", 0, noise(2, 1)[0])
    decider.hear([bad, good])
    done = decider.step([bad, good])
    assert ["from 0 on" in r.failed for r in done.results if r.session == "a"] == [True]
    assert any(isinstance(o, DecisionEvent) for r in done.results if r.session == "b" for o in r.outputs)
    decider.hear([Frame("b", 1, noise(3, 1)[0])])
    decider.step([Command("b", "close", False)])
    assert not decider._heard


def test_the_batch_decides_as_the_stream_does(model):
    chunks = noise(5, 12)
    stream = Stream(model, proactivity=0.4)
    expected = [e for x in chunks for e in stream.push(x) if isinstance(e, DecisionEvent)]
    found = [o for o in alone(model, SessionSpec(proactivity=0.4), chunks) if isinstance(o, DecisionEvent)]
    assert [d.chunk for d in found] == [d.chunk for d in expected]
    first = next((k for k, d in enumerate(expected) if d.decision != "silent"), len(expected))
    for a, b in zip(found[:first], expected[:first], strict=True):  # behind it replies are paced differently
        assert a.p == pytest.approx(b.p, abs=1e-3)


def test_replies_go_on_without_audio_and_end(model):
    decider = Decider(model, 2)
    decider.step([Open("a", SessionSpec(proactivity=1.0)), Frame("a", 0, noise(1, 1)[0])])
    events = []
    for _ in range(200):
        done = decider.step([])
        events += [o for r in done.results for o in r.outputs]
        if any(isinstance(e, ReplyDone) for e in events):
            break
    text = "".join(e.text for e in events if isinstance(e, ReplyDelta))
    assert isinstance(events[-1], ReplyDone)
    assert events[-1].text == text


def test_without_texts_only_decisions_are_made(model):
    decider = Decider(model, 2)
    decider.step([Open("a", SessionSpec(proactivity=1.0)), Frame("a", 0, noise(1, 1)[0])])
    done = decider.step([Frame("a", 1, noise(2, 1)[0])], texts=False)
    kinds = {type(o) for r in done.results for o in r.outputs}
    assert DecisionEvent in kinds
    assert ReplyDelta not in kinds


def test_a_session_that_only_hears_decides_nothing(model):
    outputs = alone(model, SessionSpec(decide=False, proactivity=1.0), noise(1, 4))
    assert {type(o) for o in outputs} >= {Heard}
    assert not any(isinstance(o, DecisionEvent | ReplyStarted) for o in outputs)


def test_a_manual_session_answers_when_asked(model):
    decider = Decider(model, 2)
    outputs = alone(model, SessionSpec(manual=True, proactivity=1.0), noise(1, 3))
    assert {o.decision for o in outputs if isinstance(o, DecisionEvent)} == {"silent"}
    decider.step([Open("a", SessionSpec(manual=True))])
    asked = decider.step([Command("a", "respond", "what is the time?")])
    assert any(isinstance(o, ReplyStarted) for r in asked.results for o in r.outputs)
    again = decider.step([Command("a", "respond", "and now?")], texts=False)
    errors = [o for r in again.results for o in r.outputs if isinstance(o, ErrorEvent)]
    assert errors[0].code == "cannot_respond"


def test_cancel_ends_the_reply_and_say_comes_behind_it(model):
    decider = Decider(model, 2)
    decider.step([Open("a", SessionSpec(proactivity=1.0)), Frame("a", 0, noise(1, 1)[0])])
    waits = decider.step([Command("a", "say", "The door is open.")])
    assert not any(isinstance(o, ReplyDone) for r in waits.results for o in r.outputs)
    done = decider.step([Command("a", "cancel", "cancelled")])
    events = [o for r in done.results for o in r.outputs]
    assert next(e for e in events if isinstance(e, ReplyCancelled)).reason == "cancelled"
    assert [e.text for e in events if isinstance(e, ReplyDone)] == ["The door is open."]


def test_an_update_is_checked_and_the_old_manner_stays(model):
    decider = Decider(model, 2)
    decider.step([Open("a", SessionSpec()), Frame("a", 0, noise(1, 1)[0])])
    bad = decider.step([Command("a", "update", SessionSpec(instruction="word " * 400))])
    assert [o.code for r in bad.results for o in r.outputs if isinstance(o, ErrorEvent)] == ["capacity"]
    good = decider.step(
        [Command("a", "update", SessionSpec(instruction="Be brief.", tools=(LAMP,))), Frame("a", 1, noise(2, 1)[0])]
    )
    decided = [o for r in good.results for o in r.outputs if isinstance(o, DecisionEvent)]
    assert decided[0].p["act"] > 0  # there are tools now


def test_muted_sounds_are_not_reported(model):
    rng = np.random.default_rng(0)
    chunks = [(0.3 * np.sin(2 * np.pi * 3000 * np.arange(CHUNK) / 16000) * (rng.random() > -1)).astype(np.float32)] * 8
    labels = {o.label for o in alone(model, SessionSpec(proactivity=0.0), chunks) if getattr(o, "type", "") == "sound"}
    assert labels
    muted = alone(model, SessionSpec(proactivity=0.0, muted=frozenset(labels)), chunks)
    assert not {o.label for o in muted if getattr(o, "type", "") == "sound"} & labels


def test_one_failing_session_leaves_the_others(model, monkeypatch):
    decider = Decider(model, 2)
    decider.step([Open("a", SessionSpec()), Open("b", SessionSpec())])
    row = decider._seats["a"].row
    monkeypatch.setattr(row, "begin", lambda *a, **k: 1 / 0)
    x = noise(1, 1)[0]
    done = decider.step([Frame("a", 0, x), Frame("b", 0, x)])
    failed = {r.session: r.failed for r in done.results}
    assert failed["a"].startswith("internal")
    assert failed["b"] == ""
    assert decider.sessions == 1


def test_more_sessions_than_seats_are_refused(model):
    decider = Decider(model, 1)
    done = decider.step([Open("a", SessionSpec()), Open("b", SessionSpec())])
    assert {r.session: r.failed[:8] for r in done.results} == {"a": "", "b": "capacity"}


def test_a_memory_brings_back_turns_notes_and_the_open_reply(model):
    def fresh() -> Row:
        return Row(model, Manner(proactivity=1.0), SessionConfig(), Playback(), realtime=False, driven=True)

    row = fresh()
    step = row.begin(AudioChunk(0, 0, noise(1, 1)[0]))
    row.finish(step, model.lalm.step_rows([(0, step.inputs, row.lalm)])[0][0])
    row.session.state.heard.append((6400, "where are the keys"))
    request = row.replies.reply.request
    other = fresh()
    back = recall(other, remember(row))
    assert back == request
    assert remember(other) | {"reply": None} == remember(row) | {"reply": None}


def test_a_reply_goes_on_behind_what_was_said(model):
    def begun() -> Decider:
        decider = Decider(model, 1)
        decider.step([Open("a", SessionSpec(proactivity=1.0)), Frame("a", 0, noise(1, 1)[0])], texts=False)
        return decider

    one, said, memory = begun(), "", None
    memory = remember(one._seats["a"].row)
    for _ in range(400):
        said += "".join(o.text for r in one.step([]).results for o in r.outputs if isinstance(o, ReplyDelta))
        if len(said) > 5:
            break
    other = Decider(model, 1)
    events = [
        o
        for r in other.step([Open("a", SessionSpec(proactivity=1.0), memory, said, ((0, noise(1, 1)[0]),), 1)]).results
        for o in r.outputs
    ]
    for _ in range(200):
        events += [o for r in other.step([]).results for o in r.outputs]
        if any(isinstance(e, ReplyDone) for e in events):
            break
    rest = "".join(e.text for e in events if isinstance(e, ReplyDelta))
    assert not any(isinstance(e, ReplyStarted) for e in events)  # it was told of before
    assert next(e for e in events if isinstance(e, ReplyDone)).text == said + rest


def test_close_with_flush_says_the_last_words(model):
    decider = Decider(model, 1)
    decider.step([Open("a", SessionSpec())])
    done = decider.step([Command("a", "close", True)])
    assert decider.sessions == 0
    assert not any(isinstance(o, Transcript) for r in done.results for o in r.outputs)
    assert plain(done.results[0].outputs) == []


def test_what_was_heard_of_a_session_that_left_meanwhile_is_not_kept(model):
    decider, (chunk, *_) = Decider(model, 4, threads=2), noise(9, 2)
    decider.step([Open("a", SessionSpec())])
    heard = decider.model.perceiver.hear

    def leaves_meanwhile(*args):
        found = heard(*args)
        decider._leave("a")
        return found

    decider.model.perceiver.hear = leaves_meanwhile
    try:
        decider.hear([Frame("a", 0, chunk)])
    finally:
        del decider.model.perceiver.hear
    decider.step([])
    assert not decider._heard
