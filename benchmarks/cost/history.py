"""One decision after n chunks: ours from a bounded cache, against a pass over all that was heard, with our own weights.

The naive way is what offline audio models do when they are asked every chunk (the released code of the paper re-runs
its encoder over the whole history). It is timed at its best here: one prefill without a cache, audio in batches of
pieces without overlap (`ears`). nano's speech encoder is left out of both: it takes 30 s at most. Against the number of
sessions both are timed by their decoders alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import torch
from torch import Tensor

from benchmarks.cost import ears, work
from benchmarks.cost.curves import HELD
from benchmarks.cost.ears import Hearing
from benchmarks.cost.parts import PREFIX, Variant
from benchmarks.cost.timed import Point, Work
from soundflow.decide.backbones.config import check_capacity
from soundflow.decide.kv_cache import CacheState
from soundflow.decide.lalm import Lalm, LalmState
from soundflow.types import FloatArray

PASS_TOKENS: Final = 384
"""Of several sessions in one naive pass on a processor. Larger ones save nothing or lose: of nano's
shape 92 tokens took 107 ms a session in passes of four and 187 ms in one of 64 (int8), 140 and 147 ms (bf16); of
qwen2.5-0.5b's 285 ms in passes of four and 425 ms in passes of five (int8).
"""
GPU_PASS_TOKENS: Final = 16_384
MOST_OPS: Final = 1.3e12
"""Of the naive way for several sessions on a processor, about 8 s; more of them are left out."""
DEAR_OPS: Final = 3e11
DEAR_ROUNDS: Final = 2
"""In which what takes more than `DEAR_OPS` is timed."""


def steps_of(held: int, prefix: int, chunk: int) -> int:
    """Steps of ours in a row: a full cache of `held` tokens lets an eighth of its window go once in so many chunks of
    `chunk` tokens, and that is in their mean.
    """
    return max(1, -(-((held - prefix) // 8) // chunk))


class Session:
    """A session of ours that lived through `ages` chunks, kept at each of them.

    Args:
        feed: [n * chunk, D] embeddings, n = the last age and the steps behind it.
        full: its cache is full from the first chunk on.
    """

    def __init__(
        self, lalm: Lalm, prefix: Sequence[int], feed: Tensor, ages: Sequence[int], chunk: int = 1, full: bool = False
    ) -> None:
        self.lalm, self.feed, self._chunk = lalm, feed, chunk
        self.state: LalmState = lalm.init_state(1)
        self._kept: dict[int, dict[str, object]] = {}
        lalm.start(0, prefix, self.state)
        while full and (room := lalm.capacity - int(self.state.cache.lengths[0])):
            most = max(1, (lalm.capacity - len(prefix)) // 8)
            lalm.step_rows([(-1, feed[: min(room, most)], self.state)])
        for k in range(max(ages) + 1):
            if k in ages:
                self._kept[k] = self.state.snapshot(0)
            self.step(k)

    def step(self, chunk: int) -> FloatArray:
        """The decision logits [K] of one more chunk."""
        tokens = self.feed[chunk * self._chunk : (chunk + 1) * self._chunk]
        found: FloatArray = self.lalm.step_rows([(chunk, tokens, self.state)])[0][0]
        return found

    def go_to(self, age: int) -> None:
        """Back to `age` chunks."""
        self.state.restore(0, self._kept[age])

    def held(self, age: int) -> int:
        """Tokens in the cache then."""
        self.go_to(age)
        return int(self.state.cache.lengths[0])


def again(lalm: Lalm, prefix: Sequence[int], feeds: Tensor) -> FloatArray:
    """The decision logits [B,K] of the naive way: prefix and all chunks [B,n,D] in one pass, no cache kept.

    WeightsError where that is more than the model has positions.
    """
    llama, c, rows = lalm.llama, lalm.llama.config, len(feeds)
    with torch.inference_mode():
        tokens = torch.cat([lalm.embed(prefix).expand(rows, -1, -1), feeds], 1)
        new = tokens.shape[1]
        check_capacity(c, new)
        # rows of its own: a slab of the GPU would be made for 64 such caches
        cache = CacheState(c.layers, rows, c.kv_heads, new, c.head_dim, llama.norm.dtype, device=llama.device)
        last = llama(tokens, torch.full((rows,), new), cache)[:, -1]
        found: FloatArray = (last.float().cpu() @ lalm.decision_out.T + lalm.bias).numpy()
        return found


def points(decoder: Variant, hearing: Hearing | None, ages: Sequence[int], held: int = HELD) -> list[Point]:
    """Both ways at each age, the decoder and (with `hearing`) each encoder apart."""
    prefix = prefix_of(held)
    steps = steps_of(held, len(prefix), decoder.chunk)
    feed = decoder.tokens((max(ages) + steps + 1) * decoder.chunk)
    session = Session(decoder.lalm(held), prefix, feed, ages, decoder.chunk)
    made = []
    for x in ages:
        made += [ours("history", "ours lm", session, decoder, x, steps), _naive(session, prefix, decoder, x)]
    return made + (ears.history(hearing, ages) if hearing is not None else [])


def sessions(decoder: Variant, counts: Sequence[int], chunks: int, held: int = HELD) -> list[Point]:
    """The naive way for x sessions that have heard `chunks` chunks each, in passes of as many of them as go well
    together; those of x that take too long are left out, and all where the model has no positions for it.
    """
    prefix, on_gpu = prefix_of(held), decoder.llama.device.type != "cpu"
    new = len(prefix) + chunks * decoder.chunk
    if new > decoder.config.limit:
        return []
    lalm, feed = decoder.lalm(held), decoder.tokens(chunks * decoder.chunk)
    most = max(1, (GPU_PASS_TOKENS if on_gpu else PASS_TOKENS) // new)
    made: list[Point] = []
    for x in sorted(counts):
        passes = ears.batches(x, most)
        read = work.WEIGHT_BYTES[decoder.numbers]
        parts = [work.step(decoder.config, [(0, new)] * rows, read, decoder.cache_bytes) for rows in passes]
        least = Work(sum(p.ops for p in parts), sum(p.bytes for p in parts))
        if made and not on_gpu and least.ops > MOST_OPS:
            break

        def run(passes: Sequence[int] = passes) -> None:
            for rows in passes:
                again(lalm, prefix, feed.expand(rows, -1, -1))

        dear = not on_gpu and least.ops > DEAR_OPS
        point = Point("sessions", "lm again", decoder.numbers, x, least, run, repeats=1, warm=x == min(counts))
        made.append(replace(point, rounds=DEAR_ROUNDS if dear else 0))
    return made


def prefix_of(held: int) -> list[int]:
    """Ids of a prompt, for a cache of `held` tokens."""
    return list(range(3, 3 + min(PREFIX, held // 4)))


def ours(curve: str, part: str, session: Session, decoder: Variant, x: int, steps: int) -> Point:
    """`steps` decisions in a row behind `x` chunks."""

    def run() -> None:
        for k in range(steps):
            session.step(x + k)

    rows = [(min(session.held(x), session.lalm.capacity - decoder.chunk), decoder.chunk)]
    least = work.step(decoder.config, rows, work.WEIGHT_BYTES[decoder.numbers], decoder.cache_bytes)
    prepare = partial(session.go_to, x)
    return Point(curve, part, decoder.numbers, x, least, run, prepare, repeats=1, per=steps, warm=False)


def _naive(session: Session, prefix: Sequence[int], decoder: Variant, x: int) -> Point:
    feed = session.feed[: x * decoder.chunk]

    def run() -> None:
        again(session.lalm, prefix, feed[None])

    new = len(prefix) + len(feed)
    least = work.step(decoder.config, [(0, new)], work.WEIGHT_BYTES[decoder.numbers], decoder.cache_bytes)
    return Point("history", "naive lm", decoder.numbers, x, least, run, repeats=1, warm=False)
