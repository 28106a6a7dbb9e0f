"""The thinker with our cache against the published one without a cache; streaming, causality, rows, eviction, cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from soundflow.errors import WeightsError
from soundflow.perceive.mel import whisper_scale
from soundflow.perceive.omni import mel
from soundflow.tiers.omni import layout
from soundflow.tiers.omni.lalm import OmniLalm
from soundflow.types import Kind, Perception, Vad, Words
from tests.tiers.omni.tiny import VOCAB, WIDTH, load, thinker

REPLIES = {2: "a dog", 5: "it rings"}


def audio_tokens(chunks: int, seed: int = 0) -> torch.Tensor:
    """[chunks, 10, D] as the tower might give them."""
    return torch.randn(chunks, 10, WIDTH, generator=torch.Generator().manual_seed(seed))


def inputs(omni, audio, state, said=None, row=0):
    """What one chunk brings, the reply to the chunk before with it."""
    told = [omni.lalm.embed(omni.context.said(said))] if said else []
    return omni.lalm.chunk_inputs(audio, state, row, told)


def fresh(omni, rows=1, lalm=None):
    lalm = lalm or omni.lalm
    state = lalm.init_state(rows)
    for row in range(rows):
        lalm.start(row, omni.context.prefix("", []), state)
    return state


def drive(omni, audio, state=None, replies=REPLIES, first=0):
    """One stream, chunk by chunk -> [chunks, K]; `replies`: what was said to a chunk, told with the next."""
    state = state or fresh(omni)
    out = []
    for k, tokens in enumerate(audio, start=first):
        out.append(omni.lalm.step([k], [inputs(omni, tokens, state, replies.get(k - 1))], state)[0])
    return np.stack(out)


def laid_out(omni, audio, replies=REPLIES):
    """The same stream as one dialogue, and its embeddings with the audio in place."""
    said = [omni.context.said(replies[k]) if k in replies else None for k in range(len(audio))]
    system = omni.context.encode(omni.settings.system)
    made = layout.dialogue(omni.settings.tokens, system, said)
    embedded = thinker().get_input_embeddings()(torch.tensor(made.ids)).clone()
    for at, tokens in zip(made.audio_at, audio, strict=True):
        embedded[at] = tokens
    return made, embedded


def reference(embedded: torch.Tensor) -> torch.Tensor:
    """[T, V] logits of the published thinker, without a cache."""
    with torch.no_grad():
        return thinker()(inputs_embeds=embedded[None], use_cache=False).logits[0]


def test_parity_with_the_published_thinker(omni):
    """Decisions of a stream with two replies: logits to 1e-4 in float32, from the same tokens in the paper's layout."""
    audio = audio_tokens(8)
    made, embedded = laid_out(omni, audio)
    t = omni.settings.tokens
    expected = reference(embedded)[made.decided_at][:, [t.keep_silence, t.text_begin]].numpy()
    got = drive(omni, audio)
    assert np.abs(expected).max() > 1
    assert np.allclose(got[:, :2], expected, atol=1e-4)
    assert (got[:, Kind.ACT] == -np.inf).all()


def test_parity_of_every_logit_and_of_a_reply(omni):
    """Greedy tokens of a reply, from a fork, are those of the published thinker that reads everything again."""
    audio, state = audio_tokens(4), fresh(omni)
    drive(omni, audio, state)
    _, embedded = laid_out(omni, audio, {2: REPLIES[2]})
    embedded = embedded[:-1]  # the last chunk is open
    cache = omni.lalm.fork(0, state, 16)
    due, tokens = omni.lalm.decision_in[int(Kind.SPEAK)][None], []
    for _ in range(8):
        logits = omni.lalm.feed(due, cache)
        embedded = torch.cat([embedded, due])
        expected = reference(embedded)[-1]
        assert torch.allclose(logits, expected, atol=1e-4)
        tokens.append(int(expected.argmax()))
        due = omni.lalm.embed(tokens[-1:])
    assert len(set(tokens)) > 1


def test_parity_of_the_whole_path_from_samples(omni):
    """PCM to decisions: our tower and cache against the published tower on 40 mel frames at a time and its thinker."""
    generator = torch.Generator().manual_seed(4)
    samples = 0.2 * torch.randn(1, 6 * 6400, generator=generator)
    samples[:, :6400] *= 4  # the loudest first: there the published clip-wide ceiling is ours
    raw = mel.LogMel(128, torch.device("cpu"))(torch.nn.functional.pad(samples.clamp(-1, 1), (mel.LEFT_SAMPLES, 0)))
    features = whisper_scale(raw)[0]
    with torch.no_grad():
        tower = thinker().model.audio_tower
        encoded = tower(input_features=features.T, feature_lens=torch.full((6,), 40)).last_hidden_state
    made, embedded = laid_out(omni, encoded.view(6, 10, WIDTH))
    t = omni.settings.tokens
    expected = reference(embedded)[made.decided_at][:, [t.keep_silence, t.text_begin]].numpy()
    hearing = omni.encoder.init_state(1)
    heard = [omni.encoder.step(p, hearing).frames[0] for p in samples.clamp(-1, 1).split(6400, 1)]
    assert np.allclose(drive(omni, heard)[:, :2], expected, atol=1e-3 * np.abs(expected).max())


def test_streaming_equals_whole(omni):
    """One pass over the dialogue with the cache gives what chunk by chunk gives."""
    audio = audio_tokens(9)
    made, embedded = laid_out(omni, audio)
    cache = omni.lalm.llama.init_state(1, len(made.ids))
    hidden = omni.lalm.llama(embedded[None], torch.tensor([len(made.ids)]), cache)[0, made.decided_at]
    whole = hidden @ omni.lalm.decision_out.T
    assert np.allclose(drive(omni, audio)[:, :2], whole[:, :2].numpy(), atol=1e-4)


def test_causal(omni):
    audio = audio_tokens(6)
    later = audio.clone()
    later[4:] += 1.0
    a, b = drive(omni, audio), drive(omni, later)
    assert np.array_equal(a[:4], b[:4])
    assert not np.allclose(a[4:, :2], b[4:, :2], atol=1e-3)


def test_rows_of_a_batch_and_of_one_pass_equal_streams_of_their_own(omni):
    """Full rows and idle ones among them: what is evicted of one does not touch another."""
    audio = [audio_tokens(30, seed) for seed in range(3)]
    alone = [drive(omni, a) for a in audio]
    state, states = fresh(omni, rows=3), [fresh(omni) for _ in range(3)]
    begun = [0, 0, 0]
    for k in range(60):
        active = [r for r in range(3) if begun[r] < 30 and (k + r) % 2]
        at = [begun[r] for r in range(3)]
        said = [REPLIES.get(n - 1) for n in at]
        rows = [inputs(omni, audio[r][at[r]], state, said[r], r) if r in active else None for r in range(3)]
        before = state.snapshot(1)
        together = omni.lalm.step([at[r] if r in active else None for r in range(3)], rows, state)
        single = [(at[r], inputs(omni, audio[r][at[r]], states[r], said[r]), states[r]) for r in active]
        packed, _ = omni.lalm.step_rows(single)
        for r, found in zip(active, packed, strict=True):
            assert np.allclose(found[:2], alone[r][at[r], :2], atol=1e-3)
            assert np.allclose(together[r, :2], alone[r][at[r], :2], atol=1e-3)
            assert state.spans[r] == states[r].spans[0]
            begun[r] += 1
        if 1 not in active:
            assert torch.equal(state.snapshot(1)["cache"]["values"], before["cache"]["values"])
    assert begun == [30, 30, 30]


def test_what_is_left_after_eviction_is_the_prefix_and_whole_chunks(omni):
    """Values of the first layer depend on the token alone: the row holds the paper's layout, without holes."""
    audio, state = audio_tokens(60), fresh(omni)
    replies = {k: "yes" for k in range(3, 59, 7)}
    drive(omni, audio, state, replies)
    cache, spans = state.cache, state.spans[0]
    assert state.forgotten[0] > 30
    assert int(cache.lengths[0]) <= omni.lalm.capacity
    assert sum(n for _, n in spans) == int(cache.lengths[0]) - int(cache.prefix[0])
    kept = [k for k, _ in spans]
    assert kept == list(range(state.forgotten[0] + 1, 60))
    said = {k - kept[0]: text for k, text in replies.items() if k >= kept[0]}
    made, embedded = laid_out(omni, audio[kept[0] :], said)
    assert len(said) >= 1
    other = omni.lalm.llama.init_state(1, len(made.ids))
    omni.lalm.llama(embedded[None], torch.tensor([len(made.ids)]), other)
    length = int(cache.lengths[0])
    assert length == len(made.ids) - 1  # the newest chunk is open
    assert torch.allclose(cache.values[0, 0, :, :length], other.values[0, 0, :, :length], atol=1e-5)
    assert torch.allclose(cache.keys[0, 0, :, :length], other.keys[0, 0, :, :length], atol=1e-4)


def test_step_cost_is_flat_where_reading_again_grows(omni, monkeypatch):
    """Tokens that pass the model and positions that they see, for 200 chunks; the paper's code reads all again."""
    audio, state, seen = audio_tokens(200), fresh(omni), []
    forward = type(omni.lalm.llama).forward

    def spy(self, x, counts, cache):
        seen.append((int(counts.sum()), int((cache.lengths + counts).max())))
        return forward(self, x, counts, cache)

    monkeypatch.setattr(type(omni.lalm.llama), "forward", spy)
    held = state.cache.keys.numel()
    drive(omni, audio, state, {})
    tokens, positions = zip(*seen, strict=True)
    assert tokens == (12, *[13] * 199)
    assert max(positions) <= omni.lalm.capacity
    assert state.cache.keys.numel() == held
    again = [len(laid_out(omni, audio[: k + 1], {})[0].ids) - 1 for k in range(200)]
    assert again[-1] - again[0] == 13 * 199
    assert sum(again) > 100 * sum(tokens)


def test_snapshot_and_restore_with_an_open_chunk(omni):
    audio, state = audio_tokens(40), fresh(omni)
    drive(omni, audio[:20], state)
    saved = state.snapshot(0)
    expected = drive(omni, audio[20:], state, first=20)
    other = omni.lalm.init_state(1)
    other.restore(0, saved)
    assert np.allclose(drive(omni, audio[20:], other, first=20), expected, atol=1e-5)
    state.reset([0])
    assert not state.spans[0]
    omni.lalm.start(0, omni.context.prefix("", []), state)
    assert np.allclose(drive(omni, audio, state), drive(omni, audio), atol=1e-5)


def test_inputs_of_a_chunk(omni):
    lalm, t, state = omni.lalm, omni.settings.tokens, fresh(omni)
    audio = audio_tokens(1)[0]
    own = torch.cat([lalm.embed([t.audio_begin]), audio, lalm.embed([t.assistant])])
    assert torch.equal(lalm.chunk_inputs(audio, state), own)
    lalm.step([0], [own], state)
    closed = torch.cat([lalm.embed([t.keep_silence]), own])
    assert torch.equal(lalm.chunk_inputs(audio, state), closed)
    said = lalm.embed(omni.context.said("yes"))
    assert torch.equal(lalm.chunk_inputs(audio, state, said=[said]), torch.cat([said, own]))
    typed = lalm.chunk_inputs(audio, state, text=[5, 6])
    asked = lalm.embed([t.keep_silence, t.user, t.text_begin, 5, 6, t.text_end])
    assert torch.equal(typed, torch.cat([asked, own]))
    assert lalm.opening(Kind.SPEAK) == []


def test_audio_tokens_travel_in_a_perception(omni):
    audio = audio_tokens(1)[0]
    tags, sound, speech = (np.zeros(n, np.float32) for n in omni.lalm.projector.sizes)
    assert (len(tags), len(sound), len(speech)) == (0, 0, 10 * WIDTH)
    perceived = Perception(0, 6400, tags, sound, audio.flatten().numpy(), Vad((), False), Words())
    assert torch.equal(omni.lalm.audio_embedding(perceived, tags), audio)


def test_an_act_token_of_the_layout_is_decided_on(omni):
    from dataclasses import replace

    tokens = replace(omni.settings.tokens, act=112)
    lalm = OmniLalm(omni.lalm.llama, tokens, 256)
    state = lalm.init_state(1)
    lalm.start(0, omni.context.prefix("", []), state)
    audio = audio_tokens(1)[0]
    got = lalm.step([0], [lalm.chunk_inputs(audio, state)], state)[0]
    _, embedded = laid_out(omni, audio[None], {})
    expected = reference(embedded[:-1])[-1, [tokens.keep_silence, tokens.text_begin, 112]].numpy()
    assert np.allclose(got, expected, atol=1e-4)
    assert (lalm.can_act, omni.lalm.can_act) == (True, False)


def test_bfloat16_decides_alike(omni, converted):
    half = load(converted, torch.bfloat16)
    audio, t = audio_tokens(6), omni.settings.tokens
    state = fresh(omni, lalm=half.lalm)
    got = np.stack([half.lalm.step([k], [half.lalm.chunk_inputs(a, state)], state)[0] for k, a in enumerate(audio)])
    expected = drive(omni, audio, replies={})
    assert half.lalm.chunk_inputs(audio[0], state).dtype == torch.bfloat16
    assert np.allclose(got[:, :2], expected[:, :2], atol=0.1)
    assert t == half.settings.tokens


def test_a_vocabulary_that_is_too_small_is_refused(omni):
    with pytest.raises(WeightsError, match=str(VOCAB)):
        OmniLalm(omni.lalm.llama, layout.Tokens(), 256)
