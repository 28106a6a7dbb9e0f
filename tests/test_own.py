"""Taught sounds in the session and on the whole path: what is said, how often, and that the rest stays as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soundflow.decide.policy import Calibration, DecisionPolicy
from soundflow.errors import WeightsError
from soundflow.loop import Stream
from soundflow.perceive.own import WIDTH, OwnSound, OwnSounds, features
from soundflow.perceive.perceiver import Parts, Perceiver
from soundflow.perceive.sound import SoundEncoder
from soundflow.session import Session, SessionConfig
from soundflow.types import Decision, Kind, Perception, Segment, Vad, Words
from tests.tiny_model import CHUNK, tiny_model

KETTLE = OwnSound("kettle", "The kettle is boiling.", 0.5, np.zeros(WIDTH, np.float32), 0.0)
SILENT, SPEAK = (0.9, 0.1, 0.0), (0.1, 0.9, 0.0)


def perceived(k, own=0.0, said=""):
    words = Words(final=Segment(said, 0, k * CHUNK)) if said else Words()
    zeros = np.zeros(1, np.float32)
    return Perception(k, (k + 1) * CHUNK, zeros, zeros, zeros, Vad((), False), words, own=(own,))


def told(session, k, own=KETTLE, p=0.9):
    """One chunk in which the sound is heard: what came of it."""
    seen = perceived(k, p)
    silent = Decision(k, Kind.SILENT, SILENT)
    if not session.may_tell(own, seen, silent):
        return session.on_chunk(seen, silent, -1, ())
    return session.on_chunk(seen, Decision(k, Kind.SPEAK, SPEAK), -1, (), own)


def finish(session, out, k):
    session.on_done(out.start, "x", None, k * CHUNK)


def test_the_given_words_are_asked_for_once_in_a_cool_down():
    session = Session(SessionConfig(cooldown_s=4.0))
    first = told(session, 0)
    assert (first.start.say, first.start.sounds, first.start.heard) == (KETTLE.say, ("kettle",), "")
    finish(session, first, 0)
    outs = [told(session, k) for k in range(1, 12)]
    assert [k for k, out in enumerate(outs, 1) if out.start] == [10]


def test_two_taught_sounds_do_not_silence_each_other():
    session = Session(SessionConfig())
    finish(session, told(session, 0), 0)
    assert told(session, 1, replace(KETTLE, name="my dog")).start


def test_nothing_is_told_while_a_reply_is_made_nor_instead_of_an_answer_or_an_act():
    session = Session(SessionConfig())
    seen = perceived(1, 0.9, said="what time is it")
    assert not session.may_tell(KETTLE, seen, Decision(1, Kind.SPEAK, SPEAK))
    assert session.may_tell(KETTLE, seen, Decision(1, Kind.SILENT, SILENT))
    assert not session.may_tell(KETTLE, perceived(1, 0.9), Decision(1, Kind.ACT, SPEAK))
    assert session.may_tell(KETTLE, perceived(1, 0.9), Decision(1, Kind.SPEAK, SPEAK))
    told(session, 2)
    assert not session.may_tell(replace(KETTLE, name="other"), perceived(3, 0.9), Decision(3, Kind.SILENT, SILENT))


@pytest.mark.parametrize(("topic", "spoken"), [("a smoke alarm", True), ("the sound of steam", False)])
def test_after_it_a_hazard_is_announced_and_a_guess_is_not(topic, spoken):
    session = Session(SessionConfig())
    finish(session, told(session, 0), 0)
    out = session.on_chunk(perceived(2, 0.9), Decision(2, Kind.SPEAK, SPEAK), -1, (topic,))
    assert bool(out.start) is spoken


def test_the_dial_moves_its_threshold_but_never_to_always():
    at = [DecisionPolicy(Calibration(), dial).own for dial in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert at[0] > 1
    assert at[2] == 0.5
    assert at[1] > at[2] > at[3] > at[4] > 0.05
    policy = DecisionPolicy(Calibration())
    state = policy.init_state()
    decision = policy.tell(3, 0.75, state)
    assert (decision.kind, decision.p) == (Kind.SPEAK, (0.25, 0.75, 0.0))
    assert policy.decide(5, [0.0, 9.0, 0.0], state, False).kind is Kind.SILENT
    assert policy.decide(7, [0.0, 9.0, 0.0], state, False).kind is Kind.SPEAK


def parts_of(folder):
    return Parts(folder / "asr", folder / "vad" / "silero_vad_16k_op15.onnx", folder / "sound" / "yamnet.tflite")


@pytest.fixture(scope="module")
def chirps():
    """12 s of faint noise with sweeps from 4.0 to 6.0 s and from 8.0 to 9.2 s."""
    rng, times = np.random.default_rng(0), np.arange(12 * 16_000) / 16_000
    audio = rng.normal(0, 0.003, len(times))
    sweep = 0.2 * np.sin(2 * np.pi * (900 + 500 * np.sin(2 * np.pi * 4 * times)) * times)
    for start, end in ((4.0, 6.0), (8.0, 9.2)):
        span = (times >= start) & (times < end)
        audio[span] += sweep[span]
    return audio.astype(np.float32)


@pytest.fixture(scope="module")
def models(nano_parts, chirps):
    """The tiny model, and the same one that knows the sweeps."""
    plain = tiny_model(nano_parts)
    parts = Parts(
        nano_parts / "asr", nano_parts / "vad" / "silero_vad_16k_op15.onnx", nano_parts / "sound/yamnet.tflite"
    )
    encoder = SoundEncoder(parts.sound, CHUNK)
    state = encoder.init_state()
    x = np.stack([encoder.step(c, state).embeddings[-1] for c in chirps[: 24 * CHUNK].reshape(24, CHUNK)])
    away, near = features(x[3:9]).mean(axis=0), features(x[12:15]).mean(axis=0)
    weight = 60 * (near - away)
    whistle = OwnSound("whistle", "Somebody whistles.", 0.5, weight, -float(weight @ (near + away)) / 2)
    perceiver = Perceiver(parts, CHUNK, own=OwnSounds([whistle]))
    return plain, replace(plain, perceiver=perceiver)


def run(model, audio, pieces=None, **options):
    stream = Stream(model, **options)
    events = [e for piece in pieces or [audio] for e in stream.push(piece)]
    return events + stream.close()


@pytest.mark.weights
def test_it_is_told_in_the_given_words_once_and_all_before_is_the_same(models, chirps):
    taciturn = Calibration(bias=(50.0, 0.0, 0.0))
    before, after = (run(replace(m, calibration=taciturn), chirps) for m in models)
    done = [e for e in after if e.type == "reply.done"]
    assert [e.text for e in done] == ["Somebody whistles."]
    assert 4.4 <= done[0].t <= 6.4
    named = [e for e in after if e.type == "sound" and e.label == "whistle"]
    assert [e.offset is None for e in named] == [True, False, True, False]
    fired = next(e for e in after if e.type == "decision" and e.decision == "speak")
    assert fired.p["speak"] == pytest.approx(1 - fired.p["silent"])
    old, new = ([e.to_json() for e in events if e.type == "decision"] for events in (before, after))
    assert new[: fired.chunk] == old[: fired.chunk]
    assert fired.chunk > 8


@pytest.mark.weights
def test_a_stream_without_the_sound_stays_the_same_to_the_bit(models, chirps):
    quiet = chirps[: int(3.9 * 16_000)]
    before, after = ([e.to_json() for e in run(m, quiet)] for m in models)
    assert before == after


@pytest.mark.weights
def test_any_slicing_and_a_snapshot_midway_give_the_same_events(models, chirps):
    model, cut = models[1], 83_200  # in the chunk after the first one that holds the sweep
    whole = [e.to_json() for e in run(model, chirps)]
    odd = run(model, chirps, [chirps[i : i + 3001] for i in range(0, len(chirps), 3001)])
    assert [e.to_json() for e in odd] == whole
    first = Stream(model)
    head = [e.to_json() for e in first.push(chirps[:cut])]
    second = Stream(model)
    second.restore(first.snapshot())
    tail = second.push(chirps[cut:])
    assert head + [e.to_json() for e in tail + second.close()] == whole


@pytest.mark.weights
def test_the_dial_at_its_ends_and_replies_on_a_thread(models, chirps):
    assert not [e for e in run(models[1], chirps, proactivity=0.0) if e.type.startswith("reply")]
    stream = Stream(models[1], proactivity=0.5, realtime=True)
    events = stream.push(chirps) + stream.close()
    assert "Somebody whistles." in [e.text for e in events if e.type == "reply.done"]


@pytest.mark.weights
def test_the_name_of_a_label_is_refused(nano_parts):
    parts = Parts(
        nano_parts / "asr", nano_parts / "vad" / "silero_vad_16k_op15.onnx", nano_parts / "sound/yamnet.tflite"
    )
    with pytest.raises(WeightsError, match="'Doorbell'"):
        Perceiver(parts, CHUNK, own=OwnSounds([replace(KETTLE, name="Doorbell")]))
