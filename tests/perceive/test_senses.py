"""Encoders as senses of many streams: whose frames are given, when, and of which audio."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch

from soundflow.errors import ConfigError
from soundflow.perceive.beats import Beats, BeatsConfig, BeatsEncoder, BeatsWindow
from soundflow.perceive.encoders import random
from soundflow.perceive.senses import SoundOf, SpeechOf, move
from tests.perceive.encoders.audio import CHUNK, noise, run
from tests.tiers.whole import held

PROMPT = ("whisper", "voxtral_realtime", "mimi")
LATE = {"nemotron_asr_streaming": {"look_ahead_ms": 1_040}, "moonshine_streaming": {"sliding_windows": [[6, 20]] * 3}}
CHUNKS = 12
NEAR = {"rtol": 1e-4, "atol": 1e-5}


@lru_cache
def encoder_of(name):
    return random(name, CHUNK, **LATE.get(name, {}))


def chunks_of(audio):
    """[n] -> its chunks."""
    return list(audio.numpy().reshape(-1, CHUNK))


def given(sense, audio, talk, state=None):
    """What comes with each chunk of one stream."""
    state = sense.init_state() if state is None else state
    return [sense.step_rows([x], [speaks], [state], None)[0] for x, speaks in zip(chunks_of(audio), talk, strict=True)]


def talking(seed):
    """Stretches of talk and of silence, of one chunk up."""
    draw = np.random.default_rng(seed)
    return np.repeat(np.arange(CHUNKS) % 2 == seed % 2, draw.integers(1, 4, CHUNKS))[:CHUNKS].tolist()


def heard_in(spec, frame):
    """The chunk that holds the last sample of a frame's field."""
    return (frame * spec.hop_samples + spec.field_samples - 1) // CHUNK


@pytest.mark.parametrize("name", PROMPT)
def test_without_a_look_ahead_a_chunk_gives_all_of_its_frames_or_none(name):
    encoder, audio = encoder_of(name), noise(1, CHUNKS * CHUNK)
    assert encoder.spec.look_ahead_samples == 0
    made = [rows[0].numpy() for rows in run(encoder, audio)]
    assert sum(map(len, made)) >= 10
    for seed in range(4):
        found = given(SpeechOf(encoder), audio[0], talking(seed))
        for got, frames, speaks in zip(found, made, talking(seed), strict=True):
            np.testing.assert_array_equal(got, frames[: len(frames) if speaks else 0])


@pytest.mark.parametrize("name", LATE)
def test_late_frames_are_given_of_the_audio_in_which_somebody_spoke(name):
    encoder, audio = encoder_of(name), noise(1, CHUNKS * CHUNK)
    assert encoder.spec.look_ahead_samples > CHUNK // 3
    made = [rows[0].numpy() for rows in run(encoder, audio)]
    late = 0
    for seed in range(4):
        talk, frame = talking(seed), 0
        for k, (got, frames) in enumerate(zip(given(SpeechOf(encoder), audio[0], talk), made, strict=True)):
            of = [heard_in(encoder.spec, frame + i) for i in range(len(frames))]
            frame += len(frames)
            np.testing.assert_array_equal(got, frames[[talk[j] for j in of]] if of else frames)
            late += sum(talk[j] and not talk[k] for j in of)
    assert late > 10


def test_the_end_of_speech_is_given_though_it_comes_when_nobody_speaks():
    """Frames of 80 ms; those whose field ends in chunks 2 and 3 are 10 to 19. Of 0 to 13, which come with chunk 2, four
    are of speech, of 14 to 27, which come with chunk 5, six."""
    encoder, audio = encoder_of("nemotron_asr_streaming"), noise(2, 6 * CHUNK)
    talk = [k in (2, 3) for k in range(6)]
    found = given(SpeechOf(encoder), audio[0], talk)
    assert [len(x) for x in run(encoder, audio[:1])[2]] == [14]
    assert [len(x) for x in found] == [0, 0, 4, 0, 0, 6]
    other = audio[0].clone()
    other[3 * CHUNK : 4 * CHUNK] = audio[1][3 * CHUNK : 4 * CHUNK]
    assert np.abs(given(SpeechOf(encoder), other, talk)[5] - found[5]).max() > 1e-3


@pytest.mark.parametrize("name", [*PROMPT, *LATE])
def test_streams_of_any_age_hear_in_one_batch_what_they_would_alone(name):
    sense, audio = SpeechOf(encoder_of(name)), noise(3, CHUNKS * CHUNK)
    alone = [given(sense, audio[row], talking(row)) for row in range(3)]
    assert all(any(map(len, x)) for x in alone)
    states, at = [sense.init_state() for _ in range(3)], [0, 0, 0]
    draw = np.random.default_rng(0)
    while min(at) < CHUNKS:
        rows = [row for row in range(3) if at[row] < CHUNKS and draw.random() < 0.6]
        if not rows:
            continue
        samples = [chunks_of(audio[row])[at[row]] for row in rows]
        speaking = [talking(row)[at[row]] for row in rows]
        for row, got in zip(rows, sense.step_rows(samples, speaking, [states[x] for x in rows], None), strict=True):
            np.testing.assert_allclose(got, alone[row][at[row]], **NEAR)
            at[row] += 1


@pytest.mark.parametrize("name", LATE)
@pytest.mark.parametrize("cut", [3, 4, 5])
def test_a_restored_stream_still_gives_what_is_late(name, cut):
    sense, audio = SpeechOf(encoder_of(name)), noise(1, 8 * CHUNK)[0]
    talk = [k in (2, 3) for k in range(8)]
    wanted = given(sense, audio, talk)
    state, other = sense.init_state(), sense.init_state()
    given(sense, audio[: cut * CHUNK], talk[:cut], state)
    saved = state.snapshot()
    given(sense, noise(1, 3 * CHUNK, seed=4)[0], [True] * 3, state)
    given(sense, noise(1, 5 * CHUNK, seed=5)[0], [True] * 5, other)
    other.restore(saved)
    for got, frames in zip(given(sense, audio[cut * CHUNK :], talk[cut:], other), wanted[cut:], strict=True):
        np.testing.assert_array_equal(got, frames)
    with pytest.raises(ConfigError, match="snapshot"):
        SpeechOf(encoder_of("whisper")).init_state().restore(saved)


@pytest.mark.parametrize("name", LATE)
def test_a_stream_holds_no_more_as_it_ages(name):
    sense, audio = SpeechOf(encoder_of(name)), noise(1, 8 * CHUNK)[0]
    state, sizes = sense.init_state(), []
    for _ in range(3):
        given(sense, audio, [True, False] * 4, state)
        saved = state.snapshot()
        sizes.append((held(saved), len(saved["spoke"])))
    assert len(set(sizes)) == 1
    late = -(-encoder_of(name).spec.look_ahead_samples // CHUNK)
    assert sizes[0][1] == 1 + late


def sounds(chunk=CHUNK, labels=("Dog", "Bell", "Rain"), **window):
    beats = Beats.random(BeatsConfig.tiny(3), 0, labels)
    return BeatsEncoder(beats, chunk, BeatsWindow(640, **window))


@pytest.mark.parametrize("look_ahead", [0, 320])
def test_a_sound_sense_gives_scores_and_frames_of_its_encoder(look_ahead):
    encoder = sounds(look_ahead_ms=look_ahead)
    sense, audio = SoundOf(encoder), noise(2, 6 * CHUNK)
    assert sense.chunk_samples == CHUNK
    states, rows = [sense.init_state() for _ in range(2)], encoder.init_state(2)
    for k in range(6):
        part = audio[:, k * CHUNK : (k + 1) * CHUNK]
        made, found = encoder.step(part, rows), sense.step_rows(list(part.numpy()), states)
        for row, (got, count) in enumerate(zip(found, made.counts.tolist(), strict=True)):
            if count == 0:
                assert (got.scores.shape, got.embeddings.shape) == ((1, 3), (1, 32))
                assert not got.scores.any()
                assert not got.embeddings.any()
            else:
                np.testing.assert_allclose(got.scores, made.scores[row, :count].numpy(), **NEAR)
                np.testing.assert_allclose(got.embeddings, made.frames[row, :count].numpy(), **NEAR)
                assert np.ptp(got.embeddings) > 0.1
                assert np.ptp(got.scores) > 1e-3
            assert got.alerts.shape == (len(got.scores),)
            assert not got.alerts.any()
        assert int(made.counts[0]) > 0 or k == 0


def test_a_sound_sense_that_skims_hears_what_it_would_have():
    sense, audio = SoundOf(sounds()), noise(1, 4 * CHUNK)[0]
    whole, skimmed, deaf = (sense.init_state() for _ in range(3))
    *first, last = chunks_of(audio)
    for chunk in first:
        sense.step_rows([chunk], [whole])
        sense.skim(chunk, skimmed)
        sense.skim(np.zeros_like(chunk), deaf)
    found = [sense.step_rows([last], [state])[0].embeddings for state in (whole, skimmed, deaf)]
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0] - found[2]).max() > 1e-3


def test_what_an_encoder_cannot_be_is_refused():
    with pytest.raises(ConfigError, match="no labels"):
        SoundOf(encoder_of("whisper"))
    for sense in (SoundOf(sounds()), SpeechOf(encoder_of("whisper"))):
        with pytest.raises(ConfigError, match="eight_bit"):
            sense.to_int8()
    with pytest.raises(ConfigError, match="CPU only"):
        move(encoder_of("whisper"), torch.device("cuda"))
