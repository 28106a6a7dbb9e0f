"""The tower over a stream: parity, streaming = whole, causality, rows, bounds, bad input."""

from __future__ import annotations

import pytest
import torch

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.mel import whisper_scale
from soundflow.perceive.omni import mel
from soundflow.perceive.omni.encoder import OmniEncoder
from tests.perceive.omni.test_tower import reference
from tests.perceive.omni.tiny import CONFIG, audio, encoder, run, tower

CPU = torch.device("cpu")


def whole(samples: torch.Tensor, left: int, memory: int = 60) -> torch.Tensor:
    """Offline [B, F, D] of the whole stream under the window schedule of the docstring, chunk by chunk from scratch."""
    raw = mel.LogMel(CONFIG.mels, CPU)(torch.nn.functional.pad(samples, (mel.LEFT_SAMPLES, 0)))
    out, model = [], tower()
    for k in range(raw.shape[1] // 40):
        ceiling = raw[:, max(0, k + 1 - memory) * 40 : (k + 1) * 40].amax(dim=(1, 2))
        out.append(model(whisper_scale(raw[:, max(0, k - left) * 40 : (k + 1) * 40], ceiling))[:, -10:])
    return torch.cat(out, 1)


@pytest.mark.parametrize(("left", "memory"), [(0, 60), (0, 1), (2, 3), (4, 60)])
def test_streaming_equals_whole(left, memory):
    samples = audio(2, 8)
    got = run(encoder(left_chunks=left, memory_chunks=memory), samples)
    assert got.shape == (2, 80, CONFIG.out)
    assert torch.allclose(got, whole(samples, left, memory), atol=1e-4)


def test_parity_with_the_papers_encoding_of_a_clip():
    """Where the clip's loudest value is in its first chunk, independent chunks equal the paper's: the published front
    end over the whole clip, then the reference tower on 40 frames at a time."""
    samples = audio(1, 5)
    samples[:, :6400] = 0.9 * torch.sin(torch.arange(6400) * 0.3)
    raw = mel.LogMel(CONFIG.mels, CPU)(torch.nn.functional.pad(samples, (mel.LEFT_SAMPLES, 0)))
    features = whisper_scale(raw)
    with torch.no_grad():
        expected = reference(tower())(input_features=features[0].T, feature_lens=torch.full((5,), 40)).last_hidden_state
    got = run(encoder(), samples)[0]
    assert (got - expected).norm() / expected.norm() < 1e-4


@pytest.mark.parametrize("left", [0, 2])
def test_causal(left):
    """What is heard after a chunk changes nothing of it; within the chunk and its context it does."""
    model, samples = encoder(left_chunks=left), audio(1, 6)
    before = run(model, samples)
    later = samples.clone()
    later[:, 4 * 6400 :] = 0.8
    assert torch.equal(run(model, later)[:, :40], before[:, :40])
    assert not torch.allclose(run(model, later)[:, 40:], before[:, 40:], atol=1e-3)


def test_no_gradient_flows_from_a_chunk_to_samples_behind_it():
    model = tower().train(False)
    samples = audio(1, 2).requires_grad_()
    log_mel = mel.LogMel(CONFIG.mels, CPU)
    raw = log_mel(torch.nn.functional.pad(samples, (mel.LEFT_SAMPLES, 0)))
    tokens = model.forward.__wrapped__(model, whisper_scale(raw[:, :40]))
    tokens.square().sum().backward()
    assert samples.grad is not None
    assert not samples.grad[:, 6400:].any()
    assert samples.grad[:, 6300:6400].any()


@pytest.mark.parametrize(("left", "memory"), [(0, 1), (2, 4)])
def test_nothing_older_than_the_stated_context_counts(left, memory):
    model = encoder(left_chunks=left, memory_chunks=memory)
    samples, reach = audio(1, 9), model.spec.left_samples
    expected = run(model, samples)[:, -1]
    first = samples.shape[1] - 640 - reach
    older, within = samples.clone(), samples.clone()
    older[:, :first] = 0.9
    assert torch.allclose(run(model, older)[:, -1], expected, atol=1e-5)
    within[:, first : first + 6400] = 0.9
    assert not torch.allclose(run(model, within)[:, -1], expected, atol=1e-3)


def test_state_and_cost_do_not_grow(monkeypatch):
    model, samples = encoder(left_chunks=3, memory_chunks=5), audio(1, 40)
    state, shapes = model.init_state(1), []
    size = sum(tensor.numel() for tensor in state.tensors.values())
    forward = type(model._tower).forward
    monkeypatch.setattr(type(model._tower), "forward", lambda self, x: shapes.append(x.shape) or forward(self, x))
    run(model, samples, state)
    assert [s[1] for s in shapes] == [40, 80, 120] + [160] * 37
    assert sum(tensor.numel() for tensor in state.tensors.values()) == size


def test_other_chunk_lengths():
    model = encoder(chunk_samples=1280)
    assert model.tokens == 2
    assert run(model, audio(1, 1)).shape == (1, 10, CONFIG.out)


def test_a_chunk_that_is_skimmed_is_checked_too():
    model = encoder()
    state = model.init_state(1)
    for samples in (torch.zeros(1, 6399), torch.zeros(1, 6400, dtype=torch.int16), torch.full((1, 6400), torch.nan)):
        with pytest.raises(AudioFormatError, match="omni tower"):
            model.skim(samples, state)
    assert int(state.heard[0]) == 0


@pytest.mark.parametrize("other", [{"left_chunks": 2}, {"memory_chunks": 7}, {"chunk_samples": 3200}])
def test_states_and_snapshots_of_another_tower_are_refused(other):
    model, stranger = encoder(left_chunks=1), encoder(**{"left_chunks": 1, **other})
    with pytest.raises(ConfigError, match="expected a state of its own"):
        model.step(audio(1, 1), stranger.init_state(1))
    with pytest.raises(ConfigError, match="expected a state of its own"):
        model.skim(audio(1, 1), stranger.init_state(1))
    with pytest.raises(ConfigError, match="expected states of its own"):
        model.step_rows(audio(2, 1), [model.init_state(1), stranger.init_state(1)])
    with pytest.raises(ConfigError, match="snapshot"):
        model.init_state(1).restore(0, stranger.init_state(1).snapshot(0))


def test_bad_options_are_refused():
    for options in ({"chunk_samples": 6144}, {"chunk_samples": 0}, {"left_chunks": 5}, {"left_chunks": -1},
                    {"memory_chunks": 0}):  # fmt: skip
        with pytest.raises(ConfigError, match="omni tower"):
            OmniEncoder(tower(), **options)


def test_the_spec_says_what_it_is():
    spec = encoder(left_chunks=1).spec
    assert (spec.frame_rate_hz, spec.width, spec.look_ahead_samples) == (25.0, CONFIG.out, 5760)
