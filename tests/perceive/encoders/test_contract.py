"""What `soundflow.perceive.encoder` promises, of every encoder alike: an encoder in ENCODERS is held to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.encoder import StreamEncoder
from soundflow.perceive.encoders import random
from soundflow.perceive.rows import RowState
from tests.perceive.beats import tiny as beats
from tests.perceive.encoders.audio import CHUNK, noise, run, whole
from tests.perceive.omni import tiny as omni

ENCODERS: dict[str, Callable[[int], StreamEncoder]] = {
    "whisper": lambda chunk: random("whisper", chunk, left_ms=400),
    "moonshine": lambda chunk: random("moonshine", chunk, left_ms=480),
    "moonshine_streaming": lambda chunk: random("moonshine_streaming", chunk),
    "voxtral_realtime": lambda chunk: random("voxtral_realtime", chunk),
    "nemotron_asr_streaming": lambda chunk: random("nemotron_asr_streaming", chunk),
    "nemotron, no look-ahead": lambda chunk: random("nemotron_asr_streaming", chunk, look_ahead_ms=0),
    "mimi": lambda chunk: random("mimi", chunk),
    "beats": beats.encoder,
    "beats, look-ahead": lambda chunk: beats.encoder(chunk, beats.BeatsWindow(left_ms=1_600, look_ahead_ms=320)),
    "omni": lambda chunk: omni.encoder(chunk_samples=chunk, left_chunks=2, memory_chunks=3),
}


@lru_cache(maxsize=64)
def encoder_of(name: str, chunk: int = CHUNK) -> StreamEncoder:
    return ENCODERS[name](chunk)


@pytest.fixture(params=list(ENCODERS))
def name(request: pytest.FixtureRequest) -> str:
    if request.param.startswith("beats"):
        beats.need_torchaudio()
    return str(request.param)


def other_size(name: str) -> int:
    """Of a chunk, no multiple of 400 ms; the omni tower's are whole tokens."""
    return 1_280 if name == "omni" else 1_000


@pytest.fixture(params=["400 ms", "another"])
def chunk(request: pytest.FixtureRequest, name: str) -> int:
    return CHUNK if request.param == "400 ms" else other_size(name)


def close(got: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, Tensor) else bool(one == other)


def test_frames_lie_on_the_grid_and_come_when_the_spec_says(name: str, chunk: int) -> None:
    encoder = encoder_of(name, chunk)
    spec, total = encoder.spec, 0
    audio = noise(1, 40_000 // chunk * chunk)
    for k, (frames,) in enumerate(run(encoder, audio)):
        total += len(frames)
        heard = (k + 1) * chunk
        first, last = (max(0, (heard - late) // spec.hop_samples + 1) for late in _due(encoder))
        assert first <= total <= last
        assert frames.shape[1] == spec.width
        assert frames.isfinite().all()
    assert total > 10
    assert encoder.chunk_samples == chunk
    assert spec.frame_rate_hz * spec.hop_samples == 16_000


def _due(encoder: StreamEncoder) -> tuple[int, int]:
    spec = encoder.spec
    return spec.field_samples + spec.look_ahead_samples, spec.field_samples


def test_streaming_is_the_same_for_any_chunk(name: str) -> None:
    if encoder_of(name).spec.kind == "windowed":
        pytest.skip("the chunk is part of a windowed encoder's schedule: its own tests hold it to the whole")
    audio = noise(2, 32_000)
    frames = whole(encoder_of(name), audio)
    for chunk in (160, 1_000, 32_000):
        other = whole(encoder_of(name, chunk), audio)
        most = min(frames.shape[1], other.shape[1])
        assert most >= 20
        close(other[:, :most], frames[:, :most])


def test_rows_of_any_age_hear_what_they_would_alone_and_idle_rows_do_not_change(name: str, chunk: int) -> None:
    encoder = encoder_of(name, chunk)
    chunks = 30_000 // chunk
    audio = noise(3, chunks * chunk)
    alone = [run(encoder, audio[row : row + 1]) for row in range(3)]
    state, at = encoder.init_state(3), [0, 0, 0]
    draw = torch.Generator().manual_seed(3)
    for _ in range(3 * chunks):
        active = torch.rand(3, generator=draw) < 0.6
        active &= torch.tensor(at) < chunks
        samples = torch.full((3, chunk), torch.nan)
        for row in active.nonzero()[:, 0].tolist():
            samples[row] = audio[row, at[row] * chunk : (at[row] + 1) * chunk]
        before = [state.snapshot(row) for row in range(3)]
        out = encoder.step(samples, state, active)
        for row in range(3):
            if active[row]:
                close(out.frames[row, : int(out.counts[row])], alone[row][at[row]][0])
                at[row] += 1
            else:
                assert int(out.counts[row]) == 0
                assert same(before[row], state.snapshot(row))
            assert not out.frames[row, int(out.counts[row]) :].any()
    assert at == [chunks] * 3


def test_what_comes_later_changes_no_frame_and_what_is_in_its_field_does(name: str) -> None:
    encoder = encoder_of(name)
    audio = noise(1, 7 * CHUNK)
    other = audio.clone()
    changed = 4 * CHUNK + 1_000
    other[:, changed:] = noise(1, 7 * CHUNK - changed, seed=9)
    before, after = (torch.cat([rows[0] for rows in run(encoder, x)]) for x in (audio, other))
    spec = encoder.spec
    heard = sum(len(rows[0]) for rows in run(encoder, audio[:, : 4 * CHUNK]))
    assert torch.equal(before[:heard], after[:heard])
    touched = -(-changed // spec.hop_samples)
    assert len(before) > touched + 2
    differ = (before[touched:] - after[touched:]).norm(dim=1) / before[touched:].norm(dim=1)
    assert (differ > 1e-3).all()


def test_what_is_older_than_the_left_context_changes_nothing(name: str) -> None:
    encoder = encoder_of(name)
    spec = encoder.spec
    if spec.left_samples is None:
        pytest.skip("its left context has no end")
    old = 2 * CHUNK
    chunks = -(-(old + spec.left_samples) // CHUNK) + 3
    audio = noise(1, chunks * CHUNK)
    other = audio.clone()
    other[:, :old] = noise(1, old, seed=5)
    before, after = (torch.cat([rows[0] for rows in run(encoder, x)]) for x in (audio, other))
    free = -(-(old + spec.left_samples) // spec.hop_samples)
    assert len(before) > free + 2
    assert torch.equal(before[free:], after[free:])
    assert not torch.equal(before[old // spec.hop_samples], after[old // spec.hop_samples])


def test_a_row_that_was_reset_is_as_a_fresh_one(name: str) -> None:
    encoder = encoder_of(name)
    audio = noise(2, 4 * CHUNK)
    state = encoder.init_state(2)
    run(encoder, noise(2, 3 * CHUNK, seed=7), state)
    kept = state.snapshot(0)
    state.reset([1])
    assert same(state.snapshot(0), kept)
    assert same(state.snapshot(1), encoder.init_state(2).snapshot(1))
    fresh = run(encoder, audio[1:])
    for rows, wanted in zip(run(encoder, audio, state), fresh, strict=True):
        close(rows[1], wanted[0])


def test_a_restored_row_goes_on_as_the_first_whatever_happened_since(name: str) -> None:
    encoder = encoder_of(name)
    audio = noise(1, 7 * CHUNK)
    state = encoder.init_state(1)
    run(encoder, audio[:, : 3 * CHUNK], state)
    saved = state.snapshot(0)
    wanted = run(encoder, audio[:, 3 * CHUNK :], state)
    other = encoder.init_state(2)
    run(encoder, noise(2, CHUNK, seed=8), other)
    other.restore(1, saved)
    for rows, (frames,) in zip(run(encoder, audio[:, 3 * CHUNK :].expand(2, -1), other), wanted, strict=True):
        close(rows[1], frames)


def test_one_encoder_serves_states_side_by_side(name: str) -> None:
    encoder = encoder_of(name)
    audio = noise(2, 4 * CHUNK)
    states = [encoder.init_state(1), encoder.init_state(1)]
    weights = run(encoder, audio[:1])
    for k in range(4):
        part = audio[:, k * CHUNK : (k + 1) * CHUNK]
        out = [encoder.step(part[i : i + 1], states[i]) for i in range(2)]
        close(out[0].frames[0], weights[k][0])


def test_memory_and_cost_do_not_grow_with_age(name: str) -> None:
    encoder = encoder_of(name)
    state, audio = encoder.init_state(1), noise(1, CHUNK)
    held, cost = [], []
    for _ in range(36):
        with FlopCounterMode(display=False) as counter:
            encoder.step(audio, state)
        held.append(sum(x.numel() for x in state.snapshot(0)["tensors"].values()))
        cost.append(counter.get_total_flops())
    assert len(set(held)) == 1
    assert cost[6:12] == cost[30:36]  # six chunks are whole frames of every encoder here
    assert min(cost[6:12]) > 0


@pytest.mark.parametrize(
    ("samples", "active", "says"),
    [
        (torch.zeros(2, CHUNK - 1), None, "expected"),
        (torch.zeros(3, CHUNK), None, "expected"),
        (torch.zeros(CHUNK), None, "expected"),
        (torch.zeros(2, CHUNK, dtype=torch.int16), None, "floats"),
        (torch.full((2, CHUNK), torch.nan), None, "NaN"),
        (torch.full((2, CHUNK), -torch.inf), torch.tensor([False, True]), r"rows \[1\]"),
        (torch.zeros(2, CHUNK), torch.tensor([True]), "active"),
        (torch.zeros(2, CHUNK), torch.tensor([1, 0]), "bool"),
        (torch.zeros(2, CHUNK), torch.tensor([0, 2]), "bool"),
    ],
)
def test_bad_audio_is_refused_and_the_state_is_as_before(
    name: str, samples: Tensor, active: Tensor | None, says: str
) -> None:
    encoder = encoder_of(name)
    state = encoder.init_state(2)
    encoder.step(noise(2, CHUNK), state)
    before = [state.snapshot(row) for row in range(2)]
    with pytest.raises(AudioFormatError, match=says):
        encoder.step(samples, state, active)
    assert all(same(before[row], state.snapshot(row)) for row in range(2))


def test_what_belongs_to_another_encoder_is_refused(name: str) -> None:
    encoder, other = encoder_of(name), encoder_of(name, other_size(name))
    state = encoder.init_state(1)
    with pytest.raises(ConfigError, match="snapshot"):
        state.restore(0, other.init_state(1).snapshot(0))
    with pytest.raises(ConfigError, match="snapshot"):
        state.restore(0, {})
    saved = state.snapshot(0)
    for heard in (None, -1, "6400"):
        with pytest.raises(ConfigError, match="heard expected"):
            state.restore(0, {**saved, "heard": heard})
    key = next(iter(saved["tensors"]))
    saved["tensors"][key] = torch.zeros(3)
    with pytest.raises(ConfigError, match=key.replace(".", r"\.")):
        state.restore(0, saved)
    with pytest.raises(ConfigError, match="state"):
        encoder.step(torch.zeros(1, CHUNK), other.init_state(1))
    for act in (state.snapshot, lambda row: state.reset([row])):
        with pytest.raises(ConfigError, match="row"):
            act(1)


def test_nonsense_sizes_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="chunk_samples"):
        ENCODERS[name](0)
    with pytest.raises(ConfigError, match="batch"):
        encoder_of(name).init_state(0)


def test_states_of_several_streams_are_stepped_as_one_and_parted_again(name: str) -> None:
    encoder = encoder_of(name)
    audio = noise(3, 5 * CHUNK)
    alone = [run(encoder, audio[row : row + 1]) for row in range(3)]
    states = [encoder.init_state(1) for _ in range(3)]
    run(encoder, audio[:1, :CHUNK], states[0])  # the others begin a chunk later
    for k in range(4):
        at = [k + 1, k, k]
        joined = RowState.joined(states)
        out = encoder.step(torch.stack([audio[r, i * CHUNK : (i + 1) * CHUNK] for r, i in enumerate(at)]), joined)
        joined.part(states)
        for row, i in enumerate(at):
            close(out.frames[row, : int(out.counts[row])], alone[row][i][0])
    assert (
        states[0].row_bytes
        == joined.row_bytes
        == sum(x.numel() * x.element_size() for x in states[0].snapshot(0)["tensors"].values())
    )
    with pytest.raises(ConfigError, match="state"):
        RowState.joined([states[0], encoder_of(name, other_size(name)).init_state(1)])
