"""BEATs over streams: the schedule, slicing, rows, causality, context, scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.beats import BeatsEncoder, BeatsWindow
from soundflow.perceive.chunker import Chunker
from tests.perceive.beats.tiny import CHUNK, CLASSES, WINDOW, encoder, joined, need_torchaudio, noise, run, tiny

need_torchaudio()

HOP, FIELD = 2560, 2800
SECONDS = 16_000


def whole(
    made: BeatsEncoder, samples: Tensor, left: int, ahead: int = 0, pool: int | None = None
) -> tuple[Tensor, Tensor]:
    """The same schedule without streaming: of samples [N], each window cut out of the log-mel of all that was heard."""
    model, frames, scores, given = made.model, [], [], 0
    for end in range(made.chunk_samples, len(samples) + 1, made.chunk_samples):
        mel = model.mel(samples[None, :end])
        steps = mel.shape[1] // 16
        first = max(0, steps - left - 1 - ahead)
        last = steps - ahead
        if last <= given:
            continue
        heard = model.frames(model(mel[:, first * 16 : steps * 16]))[0]
        for step in range(given, last):
            frames.append(heard[step - first])
            pooled = heard[max(0, step - first + 1 - (pool or steps)) : step - first + 1]
            scores.append(model.probabilities(model.logits(pooled).mean(0)))
        given = last
    return torch.stack(frames), torch.stack(scores)


def test_the_grid_and_the_spec():
    made = encoder()
    assert made.spec.hop_samples == HOP
    assert made.spec.field_samples == FIELD
    assert made.spec.frame_rate_hz == 6.25
    assert (made.spec.kind, made.spec.width, made.spec.look_ahead_samples) == ("windowed", 32, 0)
    assert made.spec.left_samples == 25_600
    assert made.spec.labels == ("0", "1", "2", "3", "4")
    given = 0
    for k, step in enumerate(run(made, noise(1, 20 * CHUNK)), 1):
        given += int(step.counts[0])
        assert given == (k * CHUNK - FIELD) // HOP + 1
        assert step.frames.shape == (1, int(step.counts[0]), 32)
        assert int(step.counts[0]) in (2, 3)


@pytest.mark.parametrize(
    ("chunk", "window"),
    [
        (6400, WINDOW),
        (6400, BeatsWindow(left_ms=1600, look_ahead_ms=320)),
        (6400, BeatsWindow(left_ms=1600, pool_ms=480)),
        (1000, WINDOW),
        (2560, BeatsWindow(left_ms=0)),
        (7777, BeatsWindow(left_ms=800, look_ahead_ms=160, pool_ms=160)),
        (160, BeatsWindow(left_ms=320)),
    ],
)
def test_streaming_equals_whole(chunk, window):
    made = encoder(chunk, window)
    samples = noise(1, 4 * SECONDS)
    steps = run(made, samples)
    left, ahead = window.left_ms // 160, window.look_ahead_ms // 160
    frames, scores = whole(made, samples[0], left, ahead, None if window.pool_ms is None else window.pool_ms // 160)
    assert torch.allclose(joined(steps), frames, atol=1e-5)
    assert torch.allclose(joined(steps, what="scores"), scores, atol=1e-5)
    assert len(frames) == (len(samples[0]) // chunk * chunk - FIELD) // HOP + 1 - ahead


@pytest.mark.parametrize("slices", [1, 313, 6400, 9999])
def test_how_audio_was_sliced_before_it_was_chunked_changes_nothing(slices):
    samples = noise(1, 6 * CHUNK)
    expected = joined(run(encoder(), samples))
    chunker, made = Chunker(CHUNK), encoder()
    state, steps = made.init_state(1), []
    for piece in np.array_split(samples[0].numpy(), -(-samples.shape[1] // slices)):
        steps += [made.step(torch.from_numpy(chunk.samples)[None], state) for chunk in chunker.push(piece)]
    assert torch.equal(joined(steps), expected)


def test_at_its_end_a_window_scores_as_published():
    made = encoder()
    samples = noise(1, 3 * CHUNK)
    steps = run(made, samples)
    assert torch.allclose(steps[-1].scores[:, -1], made.model.classify(samples), atol=1e-5)


@pytest.mark.parametrize("pool_ms", [None, 480])
def test_rows_of_any_age_are_heard_together(pool_ms):
    made, samples = encoder(window=BeatsWindow(left_ms=1600, pool_ms=pool_ms)), noise(3, 12 * CHUNK)
    alone = [run(made, samples[i : i + 1, i * CHUNK :]) for i in range(3)]
    state, steps = made.init_state(3), []
    for k, chunk in enumerate(samples.split(CHUNK, 1)):
        active = torch.tensor([k >= i for i in range(3)])
        steps.append(made.step(chunk.masked_fill(~active[:, None], float("nan")), state, active))
    for i in range(3):
        for what in ("frames", "scores"):
            assert torch.allclose(joined(steps, i, what), joined(alone[i], 0, what), atol=1e-5)
    behind = steps[0]
    assert behind.counts.tolist() == [2, 0, 0]
    assert not behind.frames[1:].any()


@pytest.mark.parametrize("ahead_ms", [0, 320])
def test_nothing_behind_a_chunk_changes_its_frames(ahead_ms):
    """And what lies within the chunk does, to the last sample that has a frame."""
    made = encoder(window=BeatsWindow(left_ms=1600, look_ahead_ms=ahead_ms))
    samples = noise(1, 9 * CHUNK)
    changed = samples.clone()
    changed[:, 6 * CHUNK :] *= -0.5
    one, two = run(made, samples), run(made, changed)
    assert torch.equal(joined(one[:6]), joined(two[:6]))
    assert not torch.allclose(joined(one[6:]), joined(two[6:]), atol=1e-3)
    last = (6 * CHUNK - FIELD) // HOP * HOP + FIELD
    changed = samples.clone()
    changed[:, last - 200 : last] *= -1
    assert not torch.allclose(joined(one[5:6]), joined(run(made, changed)[5:6]), atol=1e-4)


@pytest.mark.parametrize("ahead_ms", [0, 320])
def test_the_stated_left_context_is_exact(ahead_ms):
    """Audio farther back than `left_samples` changes a frame not at all, what is nearer changes the newest."""
    made = encoder(window=BeatsWindow(left_ms=1600, look_ahead_ms=ahead_ms))
    samples = noise(1, 12 * CHUNK)
    frame = len(joined(run(made, samples))) - 1
    begin = frame * HOP - made.spec.left_samples
    assert begin > 0
    far, near = samples.clone(), samples.clone()
    far[:, :begin] = 0.0
    near[:, begin : begin + HOP] = 0.0
    expected = joined(run(made, samples))[frame]
    assert torch.allclose(joined(run(made, far))[frame], expected, atol=1e-5)
    assert not torch.allclose(joined(run(made, near))[frame], expected, atol=1e-3)


def test_look_ahead_is_the_stated_delay():
    plain, held = encoder(), encoder(window=BeatsWindow(left_ms=1600, look_ahead_ms=480))
    assert held.spec.look_ahead_samples == 3 * HOP
    samples = noise(1, 8 * CHUNK)
    for k, (a, b) in enumerate(zip(run(plain, samples), run(held, samples), strict=True), 1):
        ends = [FIELD + i * HOP for i in range(100)]
        assert int(a.counts[0]) == sum((k - 1) * CHUNK < end <= k * CHUNK for end in ends)
        assert int(b.counts[0]) == sum((k - 1) * CHUNK < end + 3 * HOP <= k * CHUNK for end in ends)


def test_a_chunk_without_a_whole_step_gives_nothing():
    made = encoder(chunk=800)
    steps = run(made, noise(2, 4 * 800))
    assert [step.frames.shape for step in steps] == [(2, 0, 32)] * 3 + [(2, 1, 32)]
    assert steps[0].scores.shape == (2, 0, CLASSES)


def test_without_a_head_there_are_no_scores():
    made = encoder(classes=0)
    assert run(made, noise(1, CHUNK))[0].scores is None
    assert made.spec.labels == ()
    with pytest.raises(ConfigError, match="no head"):
        made.model.classify(noise(1, CHUNK))
    with pytest.raises(AudioFormatError, match="at least 2800"):
        made.model.classify(noise(1, 2799))


def test_scores_are_probabilities_and_follow_the_audio():
    steps = run(encoder(), noise(1, 6 * CHUNK))
    scores = joined(steps, what="scores")
    assert bool(((scores >= 0) & (scores <= 1)).all())
    assert scores.std(0).max() > 1e-3


def test_in_bfloat16_frames_stay_close_and_come_as_float32():
    samples = noise(1, 4 * CHUNK)
    expected = joined(run(encoder(), samples))
    made = BeatsEncoder(tiny(CLASSES).to(torch.bfloat16), CHUNK, WINDOW)
    got = joined(run(made, samples))
    assert got.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(got, expected).min() > 0.99
