"""One decision after n chunks: ours from a bounded cache, against a pass over all that was heard, with our own weights.

The naive way is what offline audio models do when they are asked every chunk (the released code of the paper re-runs
its encoder over the whole history). It is timed at its best here: one prefill without a cache, sound windows in
batches. Speech is left out of both: its encoder takes 30 s at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from benchmarks.cost import work
from benchmarks.cost.curves import CHUNK_MS, HELD
from benchmarks.cost.parts import PREFIX, Variant, sound_work
from benchmarks.cost.timed import Point, Work
from soundflow.clock import chunk_samples
from soundflow.decide.lalm import Lalm, LalmState
from soundflow.perceive.perceiver import Parts
from soundflow.types import FloatArray

STEPS: Final = (HELD - PREFIX) // 8
"""Of ours in a row: a full cache lets an eighth of its window go once in so many steps, and that is in their mean."""
ROWS: Final = 64
"""Chunks of sound that the naive way encodes in one batch."""


class Session:
    """A session of ours that lived through `ages` chunks, kept at each of them.

    Args:
        feed: [n,D] embedding of chunk k at row k, n = the last age + STEPS.
    """

    def __init__(self, lalm: Lalm, prefix: Sequence[int], feed: Tensor, ages: Sequence[int]) -> None:
        self.lalm, self.feed = lalm, feed
        self.state: LalmState = lalm.init_state(1)
        self._kept: dict[int, dict[str, object]] = {}
        lalm.start(0, prefix, self.state)
        for k in range(max(ages) + 1):
            if k in ages:
                self._kept[k] = self.state.snapshot(0)
            self.step(k)

    def step(self, chunk: int) -> FloatArray:
        """The decision logits [K] of one more chunk."""
        found: FloatArray = self.lalm.step_rows([(chunk, self.feed[chunk : chunk + 1], self.state)])[0][0]
        return found

    def go_to(self, age: int) -> None:
        """Back to `age` chunks."""
        self.state.restore(0, self._kept[age])

    def held(self, age: int) -> int:
        """Tokens in the cache then."""
        self.go_to(age)
        return int(self.state.cache.lengths[0])


def again(lalm: Lalm, prefix: Sequence[int], feed: Tensor) -> FloatArray:
    """The decision logits [K] of the naive way: prefix and all chunks [n,D] in one pass, no cache kept."""
    with torch.inference_mode():
        tokens = torch.cat([lalm.embed(prefix), feed])
        cache = lalm.llama.init_state(1, len(tokens))
        last = lalm.llama(tokens[None], torch.tensor([len(tokens)]), cache)[0, -1]
        found: FloatArray = (lalm.decision_out @ last.float() + lalm.bias).numpy()
        return found


def points(decoder: Variant, parts: Parts | None, ages: Sequence[int], held: int = HELD) -> list[Point]:
    """Both ways at each age, decoder and (with `parts`) sound encoder apart."""
    prefix = list(range(3, 3 + min(PREFIX, held // 4)))
    feed = decoder.tokens(max(ages) + STEPS + 1)
    session = Session(decoder.lalm(held), prefix, feed, ages)
    made = []
    for x in ages:
        made += [_ours(session, decoder, x), _naive(session.lalm, prefix, feed[:x], decoder)]
    if parts is not None:
        made += _sounds(parts, "int8" if decoder.numbers == "int8" else "fp32", ages)
    return made


def _ours(session: Session, decoder: Variant, x: int) -> Point:
    def run() -> None:
        for k in range(STEPS):
            session.step(x + k)

    least = work.step(decoder.config, [(session.held(x), 1)], work.WEIGHT_BYTES[decoder.numbers], decoder.cache_bytes)
    prepare = partial(session.go_to, x)
    return Point("history", "ours lm", decoder.numbers, x, least, run, prepare, repeats=1, per=STEPS, warm=False)


def _naive(lalm: Lalm, prefix: Sequence[int], feed: Tensor, decoder: Variant) -> Point:
    def run() -> None:
        again(lalm, prefix, feed)

    new = len(prefix) + len(feed)
    least = work.step(decoder.config, [(0, new)], work.WEIGHT_BYTES[decoder.numbers], decoder.cache_bytes)
    return Point("history", "naive lm", decoder.numbers, len(feed), least, run, repeats=1, warm=False)


def _sounds(parts: Parts, numbers: str, ages: Sequence[int]) -> list[Point]:
    from soundflow.perceive.sound import SoundEncoder

    size = chunk_samples(CHUNK_MS)
    encoder = SoundEncoder(parts.sound, size, branch=parts.branch)
    if numbers == "int8":
        encoder.to_int8()
    one = sound_work(parts.sound, 2, numbers)
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, size).astype(np.float32)

    def encode(count: int) -> Callable[[], None]:
        def run() -> None:
            for first in range(0, count, ROWS):
                rows = min(ROWS, count - first)
                encoder.step_rows([noise] * rows, [encoder.init_state() for _ in range(rows)])

        return run

    made: list[Point] = []
    for x in ages:
        common: dict[str, Any] = {"curve": "history", "numbers": numbers, "x": x}
        made.append(Point(part="ours sound", work=one, run=encode(1), repeats=5, **common))
        made.append(
            Point(part="naive sound", work=Work(one.ops * x, one.bytes), run=encode(x), repeats=1, warm=False, **common)
        )
    return made
