"""The audio language model: one decision a chunk from a bounded cache, replies from a fork of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from torch import Tensor

from soundflow.decide import packed
from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.kv_cache import CacheState
from soundflow.errors import CapacityError
from soundflow.perceive.projector import Projector
from soundflow.types import FloatArray, Kind, Perception

MOST_PREFIXES: Final = 16


@dataclass(slots=True)
class LalmState:
    """Cache, and for each row the token count of every chunk still behind the prefix."""

    cache: CacheState
    spans: list[deque[tuple[int, int]]] = field(default_factory=list)  # (chunk, tokens)
    forgotten: list[int] = field(default_factory=list)  # newest chunk that left the cache, -1 for none

    def reset(self, rows: list[int]) -> None:
        self.cache.reset(rows)
        for row in rows:
            self.spans[row].clear()
            self.forgotten[row] = -1

    def snapshot(self, row: int) -> dict[str, object]:
        return {
            "cache": self.cache.snapshot(row),
            "spans": tuple(self.spans[row]),
            "forgotten": self.forgotten[row],
        }

    def restore(self, row: int, saved: dict[str, object]) -> None:
        self.cache.restore(row, saved["cache"])  # type: ignore[arg-type]
        self.spans[row] = deque(saved["spans"])  # type: ignore[call-overload]
        self.forgotten[row] = saved["forgotten"]  # type: ignore[call-overload]


class Lalm:
    """Decoder, projector and the three decision tokens. Holds weights, and the newest prompts as the cache has them."""

    def __init__(
        self,
        llama: Decoder,
        projector: Projector,
        decision_in: Tensor,
        decision_out: Tensor,
        bias: Tensor,
        capacity: int,
    ) -> None:
        """decision_in/decision_out: [K,D] input and output rows of <silent> <speak> <act>; bias [K]."""
        self.llama = llama
        self.projector = projector.eval().requires_grad_(False)
        self.decision_in = decision_in.to(llama.norm.dtype)
        self.decision_out, self.bias = decision_out.float(), bias.float()
        self.capacity = capacity
        self._prefixes: dict[tuple[int, ...], dict[str, Tensor]] = {}  # what the first rows of a prompt became

    @property
    def text_limit(self) -> int:
        """Most text tokens that one chunk may bring of one kind (words, what was said), so that it always fits."""
        return self.capacity // 8

    def init_state(self, batch: int) -> LalmState:
        cache = self.llama.init_state(batch, self.capacity)
        return LalmState(cache, [deque() for _ in range(batch)], [-1] * batch)

    def start(self, row: int, prefix_ids: Sequence[int], state: LalmState) -> None:
        """Put a fresh prompt prefix into `row`. Raises CapacityError where it leaves less than half of the cache."""
        if len(prefix_ids) > self.capacity // 2:
            raise CapacityError(
                f"a prefix (instruction and tool names) of at most {self.capacity // 2} tokens was expected, half of"
                f" the cache of {self.capacity}, got {len(prefix_ids)}"
            )
        state.reset([row])
        key = tuple(prefix_ids)
        if (read := self._prefixes.get(key)) is not None:
            state.cache.restore(row, read)
            return
        self._append(row, self.embed(prefix_ids), state)
        state.cache.prefix[row] = len(prefix_ids)
        while len(self._prefixes) >= MOST_PREFIXES:
            self._prefixes.pop(next(iter(self._prefixes)))
        self._prefixes[key] = state.cache.snapshot(row)

    def embed(self, ids: Sequence[int]) -> Tensor:
        """[P] ids -> [P,D]."""
        out: Tensor = self.llama.embed(torch.tensor(list(ids), dtype=torch.int64))
        return out

    @torch.inference_mode()
    def audio_embedding(self, perception: Perception, asked: FloatArray | None = None) -> Tensor:
        """-> [1,D] in the LM's dtype. `asked` [521]: 1 for each tag that the instruction names."""
        tags, sound, speech = (
            torch.from_numpy(x)[None] for x in (perception.tags, perception.sound, perception.speech)
        )
        named = None if asked is None else torch.from_numpy(asked)[None]
        out: Tensor = self.projector(tags, sound, speech, named)
        return out.to(self.llama.norm.dtype)

    @property
    def can_act(self) -> bool:
        """Whether it has a token for acts."""
        return True

    def opening(self, kind: Kind) -> list[Tensor]:
        """[n,D] that a reply which begins puts in front of the next chunk: its decision token."""
        return [self.decision_in[int(kind)][None]]

    def chunk_inputs(
        self, audio: Tensor, state: LalmState, row: int = 0, said: Sequence[Tensor] = (), text: Sequence[int] = ()
    ) -> Tensor:
        """[P,D] of one chunk of `row`: what is pending, audio [n,D], then ids of words or of a typed request."""
        return torch.cat([*said, audio, *([self.embed(text)] if text else [])])

    @torch.inference_mode()
    def step(self, chunks: Sequence[int | None], inputs: Sequence[Tensor | None], state: LalmState) -> FloatArray:
        """One chunk for every active row.

        Args:
            chunks: chunk index of each row, None for an idle row (it does not change).
            inputs: [P_b,D] embeddings of each row: pending tokens, audio, words.
            state: updated in place; whole chunks are evicted where a row is full.

        Returns:
            [B,K] float32 decision logits; zeros for idle rows.

        Raises:
            CapacityError: one chunk alone is larger than the cache behind the prefix.
        """
        counts = [0 if x is None else len(x) for x in inputs]
        for row, count in enumerate(counts):
            if count:
                self._make_room(row, count, state)
        width, longest = self.llama.config.width, max(counts)
        out = np.zeros((len(counts), len(Kind)), dtype=np.float32)
        if not longest:
            return out
        x = torch.zeros(len(counts), longest, width, dtype=self.llama.norm.dtype)
        for row, tokens in enumerate(inputs):
            if tokens is not None:
                x[row, : len(tokens)] = tokens
        hidden = self.llama(x, torch.tensor(counts), state.cache)
        for row, (chunk, count) in enumerate(zip(chunks, counts, strict=True)):
            if chunk is not None and count:
                state.spans[row].append((chunk, count))
                logits = hidden[row, count - 1].float().cpu() @ self.decision_out.T + self.bias
                out[row] = logits.numpy()
        return out

    @torch.inference_mode()
    def step_rows(
        self,
        chunks: Sequence[tuple[int, Tensor, LalmState]],
        texts: Sequence[tuple[Tensor, CacheState]] = (),
    ) -> tuple[FloatArray, list[Tensor]]:
        """One pass for one chunk each of many streams, and for the texts that are written beside them.

        Args:
            chunks: (chunk index, [P,D] inputs, one-row state) of each stream; a full row is evicted as in `step`.
            texts: ([P,D] embeddings, one-row cache) of each reply.

        Returns:
            [B,K] float32 decision logits, and for each text [V] float32 logits of its next token.

        Raises:
            CapacityError: a chunk alone is larger than its cache behind the prefix, or a text than its cache.
        """
        for _, tokens, state in chunks:
            self._make_room(0, len(tokens), state)
        rows = [tokens for _, tokens, _ in chunks] + [tokens for tokens, _ in texts]
        if not rows:
            return np.zeros((0, len(Kind)), np.float32), []
        caches = [state.cache for _, _, state in chunks] + [cache for _, cache in texts]
        hidden = packed.forward(self.llama, rows, caches)
        last = [h[-1] for h in hidden]
        for chunk, tokens, state in chunks:
            state.spans[0].append((chunk, len(tokens)))
        decided = torch.stack(last[: len(chunks)]).float().cpu() @ self.decision_out.T + self.bias if chunks else None
        logits = self.llama.head(torch.stack(last[len(chunks) :])).float().cpu() if texts else ()
        decisions = np.zeros((0, len(Kind)), np.float32) if decided is None else decided.numpy()
        return decisions, list(logits)

    def fork(self, row: int, state: LalmState, extra: int) -> CacheState:
        """A one-row copy of `row` with room for `extra` tokens, for a reply beside perception."""
        return state.cache.fork(row, extra)

    @torch.inference_mode()
    def feed(self, tokens: Tensor, cache: CacheState) -> Tensor:
        """Append [P,D] embeddings to a one-row cache -> [V] float32 logits of the next token."""
        hidden = self.llama(tokens[None], torch.tensor([len(tokens)]), cache)
        logits: Tensor = self.llama.head(hidden[0, -1])
        return logits.float().cpu()

    def _append(self, row: int, tokens: Tensor, state: LalmState) -> None:
        counts = torch.zeros(state.cache.batch, dtype=torch.int64)
        counts[row] = len(tokens)
        x = torch.zeros(state.cache.batch, len(tokens), tokens.shape[1], dtype=tokens.dtype)
        x[row] = tokens
        self.llama(x, counts, state.cache)

    def check(self, row: int, count: int, state: LalmState) -> None:
        """CapacityError where a chunk of `count` tokens is more than half of the cache behind the prefix."""
        window = state.cache.capacity - int(state.cache.prefix[row])
        if count > window // 2:
            raise CapacityError(f"a chunk of at most {window // 2} tokens was expected, got {count}")

    def _make_room(self, row: int, count: int, state: LalmState) -> None:
        cache = state.cache
        room = cache.capacity - int(cache.lengths[row])
        if room >= count:
            return
        self.check(row, count, state)
        window = cache.capacity - int(cache.prefix[row])
        # An eighth at once: what stays is turned by as much, and in bfloat16 each turn of a key rounds it.
        wanted, dropped = max(count - room, window // 8), 0
        while dropped < wanted and state.spans[row]:
            chunk, tokens = state.spans[row].popleft()
            dropped += tokens
            state.forgotten[row] = chunk
        self.llama.evict(row, dropped, cache)
