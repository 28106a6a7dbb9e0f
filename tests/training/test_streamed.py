"""What training scores in a packed sequence is what the stream computes chunk by chunk: layout, merge, cache, fork."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.lalm import Lalm
from soundflow.perceive.projector import Projector, tag_embeddings
from soundflow.perceive.standing import Standing
from soundflow.respond.tools import tools_prompt
from soundflow.tiers import checkpoint
from soundflow.types import Kind, Perception, Vad, Words
from tests.training.streams import alert, request
from tests.training.test_sequence import HOME, Never
from tests.training.tiny import make
from training.evaluate import score
from training.sequence import IGNORE, speech_items
from training.words_sim import simulate_words

pytestmark = pytest.mark.weights
NEAR = {"atol": 0.03, "rtol": 0.0}  # a saved adapter is float16


@pytest.fixture(scope="module")
def pair(folder, names, tmp_path_factory):
    """A trainer in which every trained weight is something, and the stream's model of the adapter that it saved."""
    out = tmp_path_factory.mktemp("pair")
    run, _ = make(folder, names, out)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in run.model.trained().values():
            p.add_(0.1 * torch.randn(p.shape, generator=generator))
    run.model.save(out / "adapter", 400, {})
    saved = checkpoint.load(out / "adapter")
    llama = Decoder.load(folder, torch.float32, saved.deltas)
    named = [run.context.encode(n) for n in names]
    projector = Projector(tag_embeddings(llama.embed.weight, named), 1024, 288)
    projector.load_state_dict(saved.projector)
    return run, Lalm(llama, projector, saved.decision_in, saved.decision_out, saved.bias, 768)


def streamed(lalm, builder, item, tools=(), target=None):
    """-> decision logits of each chunk, and of each token of the reply. The reply is said two chunks later."""
    (sample, features), context = item, builder.context
    words, finals = simulate_words(speech_items(sample, features), features, Never(0))
    standing, state = Standing(sample["instruction"], builder.labels), lalm.init_state(1)
    lalm.start(0, context.prefix(sample["instruction"], [t.name for t in tools]), state)
    pending, decisions, replies = [], [], []
    for k in range(features.chunks):
        if k in finals:
            standing.hear(finals[k])
        arrays = [x[k].astype(np.float32) for x in (features.tags, features.sound, features.speech)]
        perception = Perception(k, (k + 1) * 6400, *arrays, Vad((), False), Words())
        ids = context.words(words.get(k, ()), k in finals)
        tokens = [*pending, lalm.audio_embedding(perception, standing.tags), *([lalm.embed(ids)] if ids else [])]
        decisions.append(lalm.step([k], [torch.cat(tokens)], state)[0])
        pending = []
        if target and k == target.chunk:
            replies = replied(lalm, context, state, target, tools)
            pending = [lalm.decision_in[int(target.kind)][None]]
        if target and k == target.chunk + 1 and target.kind is Kind.SPEAK:
            pending = [lalm.embed(context.said(target.text))]
    return np.stack(decisions), replies


def replied(lalm, context, state, target, tools):
    header = (
        context.act_header(target.heard, tools_prompt(tools))
        if target.kind is Kind.ACT
        else context.reply_header(target.heard, target.sounds, target.notes, target.count)
    )
    fork = lalm.fork(0, state, 600)
    logits = [lalm.feed(torch.cat([lalm.decision_in[int(target.kind)][None], lalm.embed(header)]), fork)]
    return torch.stack([*logits, *(lalm.feed(lalm.embed([i]), fork) for i in context.encode(target.text))])


def asks(instruction):
    sample, features = alert()
    return {**sample, "instruction": instruction}, features


@pytest.mark.parametrize("item", [alert(), asks("Tell me when you hear a siren.")], ids=["sound", "asked"])
def test_the_saved_adapter_streams_what_training_scored(pair, item):
    run, lalm = pair
    (expected,) = score(run.model, [item], run.builder)
    got, _ = streamed(lalm, run.builder, item)
    assert np.allclose(got, expected.logits, **NEAR)
    assert np.ptp(expected.logits[:, 1]) > 0.3


@pytest.mark.parametrize(("item", "tools"), [(alert(due=9), ()), (request(), HOME)], ids=["speak", "act"])
def test_a_reply_and_what_comes_behind_it_are_those_of_the_stream(pair, item, tools):
    run, lalm = pair
    seq = run.builder.build([item], tools, Never(0))
    finals = simulate_words(speech_items(*item), item[1], Never(0))[1]
    (target,) = run.builder.targets(*item, finals, tools, Never(0), train=True)
    decisions, replies = streamed(lalm, run.builder, item, tools, target)
    run.model.eval()
    with torch.inference_mode():
        hidden = run.model.hidden([seq])[0]
        expected = run.model.decision_logits(hidden[[i for i, d in enumerate(seq.decision) if d != IGNORE]])
        tokens = run.model.token_logits(hidden[[i for i, t in enumerate(seq.token) if t != IGNORE]])
    assert np.allclose(decisions, expected.numpy(), **NEAR)
    assert len(replies) == len(tokens) == len(run.context.encode(target.text)) + 1
    assert torch.allclose(replies, tokens, atol=0.05, rtol=0.0)
    silent, _ = streamed(lalm, run.builder, item, tools)
    assert not np.allclose(decisions[target.chunk + 1 :], silent[target.chunk + 1 :], **NEAR)
    assert np.array_equal(decisions[: target.chunk + 1], silent[: target.chunk + 1])


def test_an_instruction_that_names_a_sound_is_heard_in_the_audio(pair):
    """The same words but for the sound: with the asked tag's direction the audio tokens differ, too."""
    run, _ = pair
    item = asks("Tell me when you hear a siren.")
    (before,) = score(run.model, [item], run.builder)
    with torch.no_grad():
        held = run.model.projector.asked.clone()
        run.model.projector.asked.zero_()
    (without,) = score(run.model, [item], run.builder)
    with torch.no_grad():
        run.model.projector.asked.copy_(held)
    assert not np.allclose(before.logits[5:9], without.logits[5:9], **NEAR)
