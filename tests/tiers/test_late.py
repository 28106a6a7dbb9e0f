"""A whole base whose speech encoder streams and looks ahead: the end of speech comes when nobody speaks any more."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from soundflow.loop import Stream
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.encoders import registry
from soundflow.tiers import random
from soundflow.tiers.base_config import BaseConfig
from soundflow.tiers.pretrained import from_pretrained, save_pretrained
from tests.tiers.whole import lines

CHUNK = 6_400
ENCODERS = {
    "nemotron_asr_streaming": ({}, {"speech_look_ahead_ms": 1_040}),
    "moonshine_streaming": ({"sliding_windows": [[6, 20]] * 3}, {}),
}


@pytest.fixture(scope="module", params=ENCODERS)
def model(request, tmp_path_factory):
    """A random base with that encoder, which looks at its frames; saved, and loaded again."""
    name, root = request.param, tmp_path_factory.mktemp(request.param)
    folder = random.write("base", root / "made")
    (folder / "speech" / "model.safetensors").unlink()
    changes, settings = ENCODERS[name]
    module = registry.random_module(name, 0, **changes)
    held = {f"encoder.{k}": v.detach().clone() for k, v in module.state_dict().items()}
    save_file(held, folder / "speech" / "model.safetensors", {"format": "pt"})
    shape = {"model_type": f"{name}_encoder", **registry.FAMILIES[name].small, **changes}
    (folder / "speech" / "config.json").write_text(json.dumps(shape))
    config = replace(BaseConfig.read(folder), speech_left_ms=None, **settings)
    config.save(folder)
    found = from_pretrained(save_pretrained(folder, root / "saved"), dtype=torch.float32)
    speech = found.lalm.projector.speech.weight
    speech.copy_(torch.randn(speech.shape, generator=torch.Generator().manual_seed(0)))
    return found


def spoken(seed=0):
    """[n] 32 chunks: something loud in 4 to 7 and in 20 to 22."""
    loud = [0.2 if k in (4, 5, 6, 7, 20, 21, 22) else 0.0005 for k in range(32)]
    noise = np.random.default_rng(seed).standard_normal(32 * CHUNK)
    return (noise * np.repeat(loud, CHUNK)).clip(-1, 1).astype(np.float32)


def heard(model, audio):
    """What is perceived of each chunk."""
    state = model.perceiver.init_state()
    return [model.perceiver.step(chunk, state) for chunk in Chunker(CHUNK).push(audio)]


def test_the_end_of_speech_is_heard_behind_it(model):
    found, audio = heard(model, spoken()), spoken()
    ends = [k for k in range(31) if found[k].vad.speaking and not found[k + 1].vad.speaking]
    assert len(ends) == 2
    late = [k + 1 for k in range(31) if found[k + 1].speech.any() and not found[k + 1].vad.speaking]
    assert len(late) >= 2
    assert {min(k for k in late if k > end) - end for end in ends} <= {1, 2, 3}
    assert not any(x.speech.any() for x in found[:4])
    last = slice(ends[0] * CHUNK, (ends[0] + 1) * CHUNK)  # still counted as speech, though its level fell
    audio[last] = spoken(seed=1)[last]
    other = heard(model, audio)
    assert np.abs(other[late[0]].speech - found[late[0]].speech).max() > 1e-3


def test_what_comes_late_is_decided_on(model, monkeypatch):
    def decided():
        told = [json.loads(line) for line in lines(model, spoken(), proactivity=0.0)]
        return [x["p"]["silent"] for x in told if x["type"] == "decision"]

    kind, found = type(model.perceiver), heard(model, spoken())
    late = [x.chunk for x in found if x.speech.any() and not x.vad.speaking]
    before, frames = decided(), kind.hear

    def only_while_speaking(self, chunks, states, pool=None):
        made = frames(self, chunks, states, pool)
        return [x if x.vad.speaking else replace(x, speech=np.zeros_like(x.speech)) for x in made]

    monkeypatch.setattr(kind, "hear", only_while_speaking)
    after = decided()
    assert before[: late[0]] == after[: late[0]]
    assert abs(before[late[0]] - after[late[0]]) > 1e-3


def test_any_slicing_gives_the_same_events(model):
    found = lines(model, spoken())
    assert found == lines(model, spoken(), 1_777) == lines(model, spoken(), 6_400)
    assert sum('"decision"' in line for line in found) == 32


def test_a_stream_goes_on_from_a_snapshot_between_speech_and_its_end(model):
    found = heard(model, spoken())
    cut = (next(k for k in range(5, 31) if not found[k].vad.speaking)) * CHUNK
    first, second = (Stream(model, proactivity=0.8) for _ in range(2))
    first.push(spoken()[:cut])
    saved = first.snapshot()
    rest = [e.to_json() for e in [*first.push(spoken()[cut:]), *first.close()]]
    second.push(spoken(seed=3)[: 3 * CHUNK])
    second.restore(saved)
    assert [e.to_json() for e in [*second.push(spoken()[cut:]), *second.close()]] == rest
    assert len(rest) >= 10
