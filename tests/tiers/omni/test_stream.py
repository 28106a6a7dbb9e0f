"""A small random omni behind the whole path: samples in, events out, in the paper's layout."""

from __future__ import annotations

import numpy as np
import torch

from soundflow.decide.policy import Calibration
from soundflow.loop import Model, Stream
from soundflow.perceive.omni.perceiver import OmniPerceiver
from soundflow.session import SessionConfig


def model(omni, speak: float = 0.5) -> Model:
    """`speak`: the threshold of speaking."""
    fit = Calibration(speak_threshold=speak, answer_threshold=speak)
    return Model("omni", omni.encoder.chunk_samples, OmniPerceiver(omni.encoder), omni.lalm, omni.context, fit)


def noise(chunks: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(chunks * 6400)).astype(np.float32)


def kept(stream: Stream) -> list[int]:
    """Values of the first layer tell tokens apart: the ids that the row holds, audio as -1."""
    lalm, cache = stream.row.model.lalm, stream.row.lalm.cache
    vocab = lalm.llama.init_state(1, lalm.llama.config.vocab)
    table = lalm.llama.embed.weight[None]
    lalm.llama(table, torch.tensor([table.shape[1]]), vocab)
    known = vocab.values[0, 0, :, : table.shape[1]].transpose(0, 1).flatten(1)
    found = cache.values[0, 0, :, : int(cache.lengths[0])].transpose(0, 1).flatten(1)
    gaps = torch.cdist(found, known, compute_mode="donot_use_mm_for_euclid_dist")
    return [int(i) if gap < 1e-4 else -1 for gap, i in zip(*gaps.min(1), strict=True)]


def test_a_silent_stream_is_prefix_and_silent_chunks(omni):
    stream = Stream(model(omni, speak=0.999))
    events = stream.push(noise(4))
    assert not [e for e in events if e.type.startswith("reply")]
    t = omni.settings.tokens
    block = [t.audio_begin, *[-1] * 10, t.assistant]
    assert kept(stream) == [*omni.context.prefix("", []), *[*block, t.keep_silence] * 3, *block]


def test_a_reply_closes_the_chunk_in_which_it_was_finished(omni):
    """Decided at once, written beside the stream, told when it is done: the layout holds at every point."""
    stream = Stream(model(omni, speak=1e-6), config=SessionConfig())
    events = []
    for part in noise(12).reshape(12, 6400):
        events += stream.push(part)
    done = [e for e in events if e.type == "reply.done"]
    assert done
    t, ids = omni.settings.tokens, kept(stream)
    rest = ids[len(omni.context.prefix("", [])) :]
    closings = []
    while rest:
        assert rest[:12] == [t.audio_begin, *[-1] * 10, t.assistant]
        rest = rest[12:]
        end = rest.index(t.audio_begin) if t.audio_begin in rest else len(rest)
        closings.append(rest[:end])
        rest = rest[end:]
    assert closings[-1] == []
    for closing in closings[:-1]:
        assert closing == [t.keep_silence] or (closing[0] == t.text_begin and closing[-1] == t.text_end)
    assert sum(c != [t.keep_silence] for c in closings[:-1]) >= 1


def test_any_slicing_gives_the_same_events_and_a_snapshot_goes_on(omni):
    samples = noise(10)
    runs = []
    for size in (6400, 1000, len(samples)):
        stream = Stream(model(omni, speak=1e-6))
        events = [e for at in range(0, len(samples), size) for e in stream.push(samples[at : at + size])]
        runs.append([*events, *stream.close()])
    assert runs[0] == runs[1] == runs[2]
    stream = Stream(model(omni, speak=1e-6))
    stream.push(samples[:30_000])
    saved = stream.snapshot()
    expected = stream.push(samples[30_000:])
    other = Stream(model(omni, speak=1e-6))
    other.restore(saved)
    assert other.push(samples[30_000:]) == expected


def test_a_typed_request_stands_in_its_frame(omni):
    stream = Stream(model(omni, speak=0.999))
    stream.push(noise(1))
    step = stream.row.ask("what is it")
    t = omni.settings.tokens
    asked = omni.lalm.embed([t.keep_silence, t.user, t.text_begin, *omni.context.encode("what is it"), t.text_end])
    assert step is not None
    assert torch.allclose(step.inputs[: len(asked)], asked)
    assert len(step.inputs) == len(asked) + 12
