"""The words channel over a fake recogniser that reads words out of sample values."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.biasing import Bias
from soundflow.perceive.expected import Expected
from soundflow.perceive.moonshine import Hypothesis, HypWord, Moonshine
from soundflow.perceive.vad import VadConfig, VadState, edge
from soundflow.perceive.words import WordsChannel, WordsConfig, WordsState
from soundflow.types import AudioChunk, FloatArray, Vad, Word, Words

CHUNK = 6_400
WORD, GAP, SLIVER = 4_096, 1_024, 800
Step = tuple[AudioChunk, Vad]


class Reader:
    """Hears the word k in a run of samples of value k / 10000, not in a sliver that a cut left of it.

    The words near the end may be heard wrongly.
    """

    def __init__(self, slips: int = 0, fault: str = "") -> None:
        self.slips, self.fault, self.calls = slips, fault, 0

    def bias(self, expected: Expected) -> Bias | None:
        return Bias([], words=expected.words) if expected.words else None

    def hear(
        self, samples: FloatArray, prefix: Sequence[int] = (), draft: Sequence[int] = (), bias: Bias | None = None
    ) -> Hypothesis:
        self.calls += 1
        values = np.rint(samples * 10_000).astype(int)
        edges = np.flatnonzero(np.diff(values, prepend=0))
        runs = pairwise([*edges, len(values)])
        ids = [int(values[i]) for i, end in runs if values[i] and end - i > SLIVER]
        for back in (1, 2):
            if self.slips and len(ids) >= back and (len(samples) // 64 + back * self.slips) % 3 == 0:
                ids[-back] += 5_000
        ids = [*prefix, *ids[len(prefix) :]]
        words = tuple(HypWord(f"w{i}", (i,)) for i in ids)
        surety = -9.0 if self.fault == "unsure" else -0.1
        return Hypothesis(words, (surety,) * (len(words) + 1), self.fault == "loop")


def stream(groups: Sequence[tuple[int, int]], dip: float = 0.7, size: int = CHUNK) -> list[Step]:
    """Chunks and VAD of groups of (words, samples of silence behind them); words count from 1."""
    parts, voice, k = [np.zeros(3_000, np.float32)], [np.zeros(3_000)], 0
    for count, pause in groups:
        for _ in range(count):
            k += 1
            parts += [np.full(WORD, k / 10_000, np.float32), np.zeros(GAP, np.float32)]
            voice += [np.ones(WORD), np.full(GAP, dip)]
        parts.append(np.zeros(pause, np.float32))
        voice.append(np.zeros(pause))
    audio, level = np.concatenate(parts), np.concatenate(voice)
    audio, level = (np.pad(x, (0, -len(x) % size)) for x in (audio, level))
    state, config, steps, done = VadState(), VadConfig(), [], 0
    for index in range(len(audio) // size):
        end = (index + 1) * size
        probs, started, stopped = [], None, None
        while (done + 1) * 512 <= end:
            probs.append(float(level[done * 512 : (done + 1) * 512].mean()))
            done += 1
            if edge(probs[-1], state, config):
                back = config.start_windows if state.speaking else config.stop_windows
                if state.speaking:
                    started = (done - back) * 512 if started is None else started
                else:
                    stopped = (done - back) * 512
        chunk = AudioChunk(index, index * size, audio[index * size : end].astype(np.float32))
        steps.append((chunk, Vad(tuple(probs), state.speaking, started, stopped)))
    return steps


def run(channel: WordsChannel, steps: Sequence[Step], state: WordsState | None = None) -> list[Words]:
    state = state or channel.init_state()
    return [*(channel.step(chunk, vad, state) for chunk, vad in steps), channel.flush(state)]


def printed(out: Sequence[Words]) -> list[Word]:
    return [word for words in out for word in words.new]


def finals(out: Sequence[Words]) -> list[Word]:
    return [word for words in out if words.final for word in words.final.words]


groups = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 40_000)), min_size=1, max_size=5)


@settings(deadline=None, max_examples=40)
@given(groups, st.integers(1, 3), st.integers(0, 2), st.integers(0, 3), st.sampled_from([CHUNK, 2_560, 16_000]))
def test_words_are_said_once_in_order_and_finals_hold_them_all(
    plan: list[tuple[int, int]], every: int, hold_back: int, slips: int, size: int
) -> None:
    config = WordsConfig(decode_every=every, hold_back=hold_back, cap_samples=4 * 16_000)
    out = run(WordsChannel(Reader(slips), config), stream(plan, size=size))
    said = printed(out)
    assert said == finals(out)
    heard = [int(word.text[1:]) % 5_000 for word in said]
    assert heard == list(range(1, sum(count for count, _ in plan) + 1))
    times = [t for word in said for t in (word.start, word.end)]
    assert times == sorted(times)
    assert [word.printed for word in said] == sorted(word.printed for word in said)
    assert all(word.end <= word.printed for word in said)


def test_partial_begins_with_the_printed_words_of_the_open_segment() -> None:
    so_far: list[str] = []
    for words in run(WordsChannel(Reader(2), WordsConfig()), stream([(20, 20_000), (9, 20_000)])):
        so_far += [word.text for word in words.new]
        if words.final:
            assert words.final.text.split() == so_far
            so_far = []
        if words.partial:
            assert words.partial.split()[: len(so_far)] == so_far


def test_a_final_comes_one_chunk_after_the_stop() -> None:
    steps = stream([(5, 30_000)])
    stop = next(i for i, (_, vad) in enumerate(steps) if vad.stopped is not None)
    out = run(WordsChannel(Reader(), WordsConfig()), steps)
    assert [i for i, words in enumerate(out) if words.final] == [stop + 1]
    final = out[stop + 1].final
    assert final is not None
    assert final.end == steps[stop][1].stopped


def test_an_executor_changes_nothing() -> None:
    steps = stream([(14, 9_000), (3, 20_000), (60, 0)])
    with ThreadPoolExecutor(1) as executor:
        beside = run(WordsChannel(Reader(1), WordsConfig(), executor), steps)
    assert beside == run(WordsChannel(Reader(1), WordsConfig()), steps)


def test_the_future_changes_nothing() -> None:
    channel = WordsChannel(Reader(1), WordsConfig())
    steps = stream([(14, 9_000), (8, 20_000)])
    changed = [*steps[:9], *((replace(c, samples=-c.samples), v) for c, v in steps[9:])]
    assert run(channel, steps)[:9] == run(channel, changed)[:9]


@pytest.mark.parametrize("at", [3, 6, 11, 14])
def test_a_restored_stream_goes_on_as_the_first(at: int) -> None:
    steps = stream([(14, 9_000), (8, 20_000)])
    with ThreadPoolExecutor(1) as executor:
        channel = WordsChannel(Reader(1), WordsConfig(decode_every=1), executor)
        state = channel.init_state()
        for chunk, vad in steps[:at]:
            channel.step(chunk, vad, state)
        snapshot = state.snapshot()
        rest = run(channel, steps[at:], state)
        fresh = channel.init_state()
        fresh.restore(snapshot)
        assert run(channel, steps[at:], fresh) == rest


def test_speech_without_a_pause_is_cut_and_nothing_is_lost_or_doubled() -> None:
    config = WordsConfig()
    channel = WordsChannel(Reader(1), config)
    state, out, most = channel.init_state(), [], 0
    for chunk, vad in stream([(200, 20_000)]):
        out.append(channel.step(chunk, vad, state))
        if state.segment:
            most = max(most, len(state.segment.audio), len(state.segment.probs) * 512)
    out.append(channel.flush(state))
    assert [int(word.text[1:]) % 5_000 for word in printed(out)] == list(range(1, 201))
    assert printed(out) == finals(out)
    assert sum(words.final is not None for words in out) >= 4
    assert most <= config.cap_samples + CHUNK
    assert len(state.recent) <= config.pre_roll_samples + config.context_samples + 32_000


@pytest.mark.parametrize("fault", ["loop", "unsure"])
def test_what_the_recogniser_invents_is_not_said(fault: str) -> None:
    assert not printed(run(WordsChannel(Reader(fault=fault), WordsConfig()), stream([(9, 20_000)])))


def test_without_speech_nothing_is_recognised() -> None:
    reader = Reader()
    channel = WordsChannel(reader, WordsConfig())
    assert not printed(run(channel, stream([(0, 60_000)])))
    state = channel.init_state()
    for chunk, vad in stream([(9, 20_000)]):
        assert channel.step(chunk, vad, state, speech_score=0.01) == Words()
    blip = [(c, replace(v, probs=tuple(p * (i == 0) for i, p in enumerate(v.probs)))) for c, v in stream([(1, 20_000)])]
    assert not printed(run(channel, blip))
    assert reader.calls == 0


def test_every_recognition_of_a_stream_knows_what_is_likely_to_be_said_in_it() -> None:
    seen: list[Bias | None] = []

    class Spy(Reader):
        def hear(
            self, samples: FloatArray, prefix: Sequence[int] = (), draft: Sequence[int] = (), bias: Bias | None = None
        ) -> Hypothesis:
            seen.append(bias)
            return super().hear(samples, prefix, draft)

        def bias(self, expected: Expected) -> Bias | None:
            return known if expected.phrases else None

    channel, known = WordsChannel(Spy(), WordsConfig()), Bias([(1, 2)])
    for expected, bias in ((Expected(("one two",)), known), (Expected(), None)):
        state = channel.init_state()
        channel.expect(state, expected)
        for chunk, vad in stream([(6, 9_000), (6, 20_000)]):
            channel.step(chunk, vad, state)
        channel.flush(state)
        assert seen
        assert all(b is bias for b in seen)
        seen.clear()


def test_a_word_that_is_waited_for_is_believed_where_others_are_doubted() -> None:
    class Unsure(Reader):
        def hear(
            self, samples: FloatArray, prefix: Sequence[int] = (), draft: Sequence[int] = (), bias: Bias | None = None
        ) -> Hypothesis:
            heard = super().hear(samples, prefix, draft)
            return replace(heard, logprobs=(-2.0,) * (len(heard.words) + 1))

    channel = WordsChannel(Unsure(), WordsConfig())
    for waited, said in (("w1", ["w1"]), ("w2", []), ("", [])):
        state = channel.init_state(Expected(words=(waited,) if waited else ()))
        heard = [channel.step(chunk, vad, state) for chunk, vad in stream([(1, 20_000)])]
        assert [w.final.text for w in (*heard, channel.flush(state)) if w.final] == said


def test_a_segment_is_heard_with_what_was_said_just_before() -> None:
    seen: list[Sequence[int]] = []

    class Spy(Reader):
        def hear(
            self, samples: FloatArray, prefix: Sequence[int] = (), draft: Sequence[int] = (), bias: Bias | None = None
        ) -> Hypothesis:
            seen.append(tuple(prefix))
            return super().hear(samples, prefix, draft)

    out = run(WordsChannel(Spy(), WordsConfig()), stream([(6, 9_000), (6, 60_000), (6, 20_000)]))
    assert any(prefix[:6] == (1, 2, 3, 4, 5, 6) for prefix in seen)
    assert not any(prefix[:1] == (7,) and 13 in prefix for prefix in seen)
    assert len(printed(out)) == 18


def test_bad_input_is_refused() -> None:
    channel = WordsChannel(Reader(), WordsConfig())
    steps = stream([(2, 20_000)])
    state = channel.init_state()
    channel.step(*steps[0], state)
    with pytest.raises(AudioFormatError, match="6400"):
        channel.step(*steps[2], state)
    with pytest.raises(ConfigError, match="cap_samples"):
        WordsConfig(cap_samples=100)
    with pytest.raises(ConfigError, match="hold_back"):
        WordsConfig(hold_back=-1)


@pytest.mark.weights
def test_real_weights_print_no_words_for_noise_that_the_vad_takes_for_speech(nano_parts: Path) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 4 * 16_000).astype(np.float32)
    steps = [(replace(c, samples=samples[c.start_sample : c.end_sample]), v) for c, v in stream([(10, 9_000)])[:9]]
    channel = WordsChannel(Moonshine(nano_parts / "asr"), WordsConfig())
    assert not printed(run(channel, steps))
