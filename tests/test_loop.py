"""The one path: any slicing, snapshot, bounds, bad input, replies beside perception."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile as sf

from soundflow.errors import AudioFormatError, ConfigError, StreamClosedError
from soundflow.loop import Stream
from soundflow.respond.tools import make_tools
from tests.tiny_model import CHUNK, tiny_model

pytestmark = pytest.mark.weights
TOOLS = make_tools(
    [{"type": "function", "name": "go", "description": "", "parameters": {"type": "object", "properties": {}}}], "x"
)


@pytest.fixture(scope="module")
def model(nano_parts):
    return tiny_model(nano_parts)


@pytest.fixture(scope="module")
def scene():
    """12 s: quiet, a real voice out of the demo recording, quiet."""
    from pathlib import Path

    audio, rate = sf.read(Path(__file__).parents[1] / "demo" / "house.flac", dtype="float32")
    assert rate == 16_000
    return audio[: 12 * 16_000]


class FakeVoice:
    name, rate_hz = "fake", 16_000

    def speak(self, text):
        yield np.full(16_000, 0.1, np.float32)


def lines(stream, pieces):
    events = [e for piece in pieces for e in stream.push(piece)]
    return [e.to_json() for e in events + stream.close()]


def test_any_slicing_gives_the_same_events(model, scene):
    whole = lines(Stream(model, proactivity=0.6), [scene])
    odd = lines(Stream(model, proactivity=0.6), [scene[i : i + 1777] for i in range(0, len(scene), 1777)])
    assert whole == odd
    assert sum('"decision"' in line for line in whole) >= len(scene) // CHUNK


def test_words_beside_the_step_change_nothing(model, scene, nano_parts):
    beside = tiny_model(nano_parts, threaded=True)
    assert lines(Stream(beside), [scene]) == lines(Stream(model), [scene])


def test_a_chunk_depends_on_nothing_behind_it(model, scene):
    cut = 8 * CHUNK
    other = np.concatenate([scene[:cut], np.random.default_rng(0).normal(0, 0.2, len(scene) - cut).astype(np.float32)])
    heads = [[e.to_json() for e in Stream(model).push(x[:cut])] for x in (scene, other)]
    assert heads[0] == heads[1]


def test_snapshot_and_restore_continue_alike(model, scene):
    first, cut = Stream(model), 40_000
    first.push(scene[:cut])
    saved = first.snapshot()
    expected = lines(first, [scene[cut:]])
    second = Stream(model)
    second.restore(saved)
    assert lines(second, [scene[cut:]]) == expected


def test_two_streams_of_one_model_do_not_mix(model, scene):
    expected = lines(Stream(model), [scene])
    a, b = Stream(model), Stream(model)
    got = []
    for i in range(0, len(scene), CHUNK):
        got += [e.to_json() for e in a.push(scene[i : i + CHUNK])]
        b.push(scene[::-1][i : i + CHUNK].copy())
    assert got + [e.to_json() for e in a.close()] == expected


def test_bad_audio_is_refused_and_the_stream_goes_on(model, scene):
    stream = Stream(model)
    stream.push(scene[:CHUNK])
    for bad in (np.array([0.0, np.nan], np.float32), np.zeros((3, 2), np.float32), np.array([np.inf], np.float32)):
        with pytest.raises(AudioFormatError):
            stream.push(bad)
    after = [e.to_json() for e in stream.push(scene[CHUNK : 3 * CHUNK])]
    clean = Stream(model)
    clean.push(scene[:CHUNK])
    assert after == [e.to_json() for e in clean.push(scene[CHUNK : 3 * CHUNK])]
    stream.close()
    with pytest.raises(StreamClosedError):
        stream.push(scene[:10])
    with pytest.raises(StreamClosedError):
        stream.close()


def test_state_is_bounded(model):
    stream = Stream(model, proactivity=1.0, voice=FakeVoice())
    noise = np.random.default_rng(1).normal(0, 0.01, 16_000 * 30).astype(np.float32)
    for _ in range(4):
        stream.push(noise)
    assert int(stream.row.lalm.cache.lengths[0]) <= model.lalm.capacity
    assert len(stream.row.lalm.spans[0]) <= model.lalm.capacity
    assert len(stream._playback) <= 64
    assert stream.row.lalm.forgotten[0] > 0


def test_every_reply_ends_once(model, scene):
    events = Stream(model, proactivity=1.0)
    out = events.push(scene) + events.close()
    started = [e.id for e in out if e.type == "reply.started"]
    ended = [e.id for e in out if e.type in ("reply.done", "reply.cancelled")]
    assert started
    assert sorted(set(ended)) == sorted(started)


def test_realtime_replies_come_from_their_own_thread(model, scene):
    stream = Stream(model, proactivity=1.0, realtime=True)
    out = []
    for i in range(0, len(scene), CHUNK):
        out += stream.push(scene[i : i + CHUNK])
    out += stream.close()
    started = [e.id for e in out if e.type == "reply.started"]
    ended = {e.id for e in out if e.type in ("reply.done", "reply.cancelled")}
    assert started
    assert set(started) == ended


def test_the_voice_is_known_as_a_reference(model, scene):
    stream = Stream(model, proactivity=1.0, voice=FakeVoice())
    silence = np.zeros(CHUNK, np.float32)
    for _ in range(20):
        stream.push(silence)
        if stream._playback:
            break
    start = stream._playback[0][0]
    reference = stream.reference(start - 100, 300)
    assert not reference[:100].any()
    assert np.allclose(reference[100:], 0.1, atol=1e-3)


def test_acts_are_valid_calls_whatever_the_model_says(model, scene):
    """A random LALM, always acting: every action still fits its schema."""
    stream = Stream(model, tools=TOOLS, proactivity=1.0)
    out = stream.push(scene) + stream.close()
    actions = [e for e in out if e.type == "action"]
    assert all(a.name == "go" and a.arguments == {} for a in actions)
    assert actions


def test_the_stream_is_wary_after_an_announcement_but_not_under_an_instruction(model, scene):
    stream = Stream(model, proactivity=1.0)
    quiet = scene[:CHUNK]
    started = [e for k in range(6) for e in stream.push(quiet) if e.type == "reply.started"]
    assert started
    assert stream.row.hold.wary_until >= 150
    asked = Stream(model, proactivity=1.0, instruction="Describe every sound you hear.")
    assert [e for k in range(6) for e in asked.push(quiet) if e.type == "reply.started"]
    assert asked.row.hold.wary_until <= 6


def test_a_cache_that_leaves_a_reply_no_positions_is_refused_when_the_model_is_made(nano_parts):
    """Else the first replies would be made, and the one behind a full cache would end the stream."""
    tiny_model(nano_parts, capacity=2048 - 704)
    with pytest.raises(ConfigError, match=r"cache_tokens: at most 1344 was expected.*got 1345"):
        tiny_model(nano_parts, capacity=2048 - 703)
