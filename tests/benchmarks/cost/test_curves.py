"""Ours and the naive way decide alike, the points run, and do what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.cost import curves, history, limits, parts, subject, timed, work
from benchmarks.cost.parts import Variant
from benchmarks.cost.shapes import Shape
from soundflow.decide.slab import ROWS
from soundflow.int8 import available
from tests.decide.tiny import CONFIG
from tests.decide.tiny import llama as tiny_llama


@pytest.fixture(scope="module")
def decoder() -> Variant:
    return Variant("fp32", tiny_llama())


def test_the_naive_way_decides_as_ours_while_nothing_is_forgotten(decoder: Variant) -> None:
    prefix, feed = [3, 4, 5], decoder.tokens(40 + 1)
    session = history.Session(decoder.lalm(64), prefix, feed, (10, 40))
    for age in (10, 40):
        session.go_to(age)
        ours = session.step(age)
        (naive,) = history.again(session.lalm, prefix, feed[None, : age + 1])
        assert np.allclose(ours, naive, atol=1e-4)
    small = history.Session(decoder.lalm(24), prefix, feed, (40,))
    small.go_to(40)
    assert small.held(40) <= 24, "ours is bounded"
    assert not np.allclose(small.step(40), history.again(small.lalm, prefix, feed[None])[0], atol=1e-3)


def test_a_session_goes_back_to_what_it_was(decoder: Variant) -> None:
    session = history.Session(decoder.lalm(32), [3, 4], decoder.tokens(30), (5, 20))
    session.go_to(5)
    first = [session.step(k) for k in range(5, 25)]
    session.go_to(5)
    assert all(np.array_equal(a, session.step(5 + k)) for k, a in enumerate(first))


def test_context_and_session_points_leave_the_cache_as_it_was(decoder: Variant) -> None:
    for point in [*curves.contexts(decoder, (16, 40)), *curves.sessions(decoder, (1, 3), held=20)]:
        found = timed.once(point, timed.Clocks())
        assert len(found["ms"]) == point.repeats, found
        assert min(found["ms"]) > 0
    one, _, three, apart = curves.sessions(decoder, (1, 3), held=20)
    weights = work.weights(CONFIG) * 4
    assert three.work.bytes - weights == 3 * (one.work.bytes - weights)
    assert three.work.ops == 3 * one.work.ops
    assert (apart.work.ops, apart.work.bytes) == (3 * one.work.ops, 3 * one.work.bytes), "weights are read each time"
    assert curves.contexts(decoder, (16,))[0].work.bytes == weights + 17 * work.token_bytes(CONFIG, 4)


def test_a_pass_of_many_sessions_is_of_as_many_tokens(decoder: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    lalm = type(decoder.lalm(8))
    original = lalm.step_rows

    def spy(self, chunks, texts=()):
        seen.append([int(state.cache.lengths[0]) for _, _, state in chunks])
        return original(self, chunks, texts)

    monkeypatch.setattr(lalm, "step_rows", spy)
    point, apart = curves.sessions(decoder, (4,), held=20)
    timed.once(point, timed.Clocks())
    assert seen[1:] == [[20] * 4] * point.repeats, "every repeat stands behind as many tokens"
    seen.clear()
    timed.once(apart, timed.Clocks())
    assert seen == [[20]] * 4 * 2, "one after the other, once to warm up"
    assert ROWS >= 4


def test_history_points(decoder: Variant) -> None:
    found = history.points(decoder, None, (10, 60), held=32)
    assert [(p.part, p.x) for p in found] == [("ours lm", 10), ("naive lm", 10), ("ours lm", 60), ("naive lm", 60)]
    ours = [p.work.ops for p in found if p.part == "ours lm"]
    naive = [p.work.ops for p in found if p.part == "naive lm"]
    assert ours[1] < 1.5 * ours[0], "bounded"
    assert naive[1] > 3 * naive[0], "grows"
    for point in found:
        assert "error" not in timed.once(point, timed.Clocks())


def test_many_histories_in_one_pass_decide_as_each_of_them(decoder: Variant) -> None:
    feeds = torch.stack([decoder.tokens(20, k) for k in range(3)])
    together = history.again(decoder.lalm(64), [3, 4], feeds)
    assert together.shape == (3, 3)
    assert np.allclose(together, [history.again(decoder.lalm(64), [3, 4], f[None])[0] for f in feeds], atol=1e-4)


def test_the_naive_way_for_sessions_is_as_much_as_they_heard(decoder: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    original = type(decoder.llama).forward

    def spy(self, x, counts, state):
        seen.append((len(x), int(counts[0])))
        return original(self, x, counts, state)

    monkeypatch.setattr(type(decoder.llama), "forward", spy)
    monkeypatch.setattr(history, "PASS_TOKENS", 60)
    one, five = history.sessions(decoder, (1, 5), 20, held=32)
    assert "error" not in timed.once(five, timed.Clocks())
    assert seen == [(2, 28), (2, 28), (1, 28)], "a prefix of 8 and 20 chunks of each, in passes of at most 60 tokens"
    assert five.work.ops == 5 * one.work.ops
    tokens = work.token_bytes(CONFIG, 4) * 28
    assert five.work.bytes == 3 * (one.work.bytes - tokens) + 5 * tokens, "weights are read in each pass"
    monkeypatch.setattr(history, "PASS_TOKENS", 4)
    seen.clear()
    timed.once(history.sessions(decoder, (2,), 20, held=32)[0], timed.Clocks())
    assert seen == [(1, 28)] * 2 * 2, "one by one where even two are too many; the first of a curve is warmed up"


def test_what_the_naive_way_takes_for_sessions_is_bounded(decoder: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    one = history.sessions(decoder, (1,), 20, held=32)[0].work.ops
    monkeypatch.setattr(history, "DEAR_OPS", 2.5 * one)
    monkeypatch.setattr(history, "MOST_OPS", 4.5 * one)
    found = history.sessions(decoder, (8, 4, 2, 1), 20, held=32)
    assert [(p.x, p.rounds) for p in found] == [(1, 0), (2, 0), (4, history.DEAR_ROUNDS)], "8 are too many"
    monkeypatch.setattr(history, "MOST_OPS", 0.5 * one)
    assert [p.x for p in history.sessions(decoder, (1, 2), 20, held=32)] == [1], "one of them is always timed"
    short = Variant("fp32", parts.random(replace(CONFIG, max_positions=27), torch.float32))
    assert history.sessions(short, (1, 2), 20, held=32) == [], "it has no positions for 28 tokens"
    assert [p.x for p in history.sessions(short, (1, 2), 19, held=32)] == [1]


def test_random_weights_and_kinds_of_numbers() -> None:
    model = subject.of(shape=Shape("tiny", CONFIG))
    made = model.decoders(("bf16", "fp32"))
    assert [d.cache_bytes for d in made] == [2, 4]
    again = model.decoders(("fp32",))[0]
    assert torch.equal(again.llama.blocks[0].qkv.weight, made[1].llama.blocks[0].qkv.weight), "drawn by a seed"
    assert float(made[1].llama.blocks[0].qkv.weight.std()) == pytest.approx(0.02, rel=0.2)
    assert len(model.decoders(("int8",))) == available()
    tied = parts.random(replace(CONFIG, tied=True, qkv_bias=True), torch.float32)
    assert tied.head.weight is tied.embed.weight
    assert float(tied.blocks[0].qkv.bias.std()) > 0


def test_contexts_that_the_model_has_no_positions_for_are_left_out() -> None:
    decoder = Variant("fp32", parts.random(replace(CONFIG, max_positions=512), torch.float32))
    assert [p.x for p in curves.contexts(decoder, (64, 511, 512, 4_096))] == [64, 511]
    assert curves.contexts(decoder, (512,)) == []
    (one, _) = curves.sessions(decoder, (1,), held=9_999)
    assert "error" not in timed.once(one, timed.Clocks())
    late = history.points(decoder, None, (10, 600), held=32)
    errors = {p.name: timed.once(p, timed.Clocks()).get("error", "") for p in late}
    assert errors.pop("history/naive-lm/fp32/600").startswith("WeightsError: a cache of at most 512 positions")
    assert set(errors.values()) == {""}, "ours needs no more than its cache"


def test_the_limits_of_the_machine_are_measured_and_memory_is_given_back() -> None:
    points = limits.points(read_mb=8, sizes={"fp32": (8, 64), "bf16": (8, 64), "int8": (8, 64)})
    assert {p.part for p in points} == {"read sum", "read dot", "product"}
    assert {p.x for p in points} == set(limits.threads_here())
    for point in points:
        found = timed.once(point, timed.Clocks())
        assert min(found["ms"]) > 0, found
    reads = [p for p in points if p.part == "read sum"]
    assert [p.work.bytes for p in reads] == [8e6 * n for n in limits.threads_here()]
    fp32 = next(p for p in points if p.numbers == "fp32")
    assert fp32.work.ops == 2 * 8 * 64 * 64


@pytest.mark.weights
def test_encoders_at_other_chunk_lengths(nano_parts) -> None:
    from soundflow.perceive.moonshine import Moonshine
    from soundflow.perceive.perceiver import Parts

    vad, sound = nano_parts / "vad" / "silero_vad_16k_op15.onnx", nano_parts / "sound" / "yamnet.tflite"
    found = Parts(nano_parts / "asr", vad, sound)
    moonshine = Moonshine(found.asr)
    least = parts.sound_work(found.sound, 2, "fp32")
    # YAMNet is stated at about 70 million multiply-adds a window (its authors, tensorflow/models).
    assert least.ops == pytest.approx(2 * 2 * 69.2e6, rel=0.05)
    for chunk_ms in (200, 500):
        encoders = curves.Encoders(found, chunk_ms, "fp32")
        made = [encoders.sounds("chunk", chunk_ms, 2, least), encoders.voices("chunk", chunk_ms, 2)]
        made.append(encoders.speech("chunk", chunk_ms, moonshine))
        for point in made:
            timed_ = timed.once(point, timed.Clocks())
            assert "error" not in timed_, timed_
