"""The thinker over a stream in the paper's layout: `soundflow.decide.lalm` with other inputs.

The paper (arXiv 2606.05121) encodes its history again at every chunk, and listens no more while it replies. Here a
chunk costs its own tokens, and a reply is written beside the stream from a fork of the cache, so that the stream has to
be told of it afterwards: each chunk is closed by KEEP_SILENCE when the next one comes, but for the one in which a reply
was finished, which is closed by that reply. So what the model reads is always a stream that it was trained on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.kv_cache import CacheState
from soundflow.decide.lalm import Lalm, LalmState
from soundflow.errors import WeightsError
from soundflow.tiers.omni import layout
from soundflow.tiers.omni.layout import Tokens
from soundflow.types import FloatArray, Kind

NEVER: Final = float("-inf")


class AudioTokens(nn.Module):
    """In the place of a projector: the tower already gives embeddings, [1, audio * D] -> [audio, D]."""

    def __init__(self, audio: int, width: int) -> None:
        super().__init__()
        self._audio, self._width = audio, width
        self.sizes = (0, 0, audio * width)

    def forward(self, tags: Tensor, sound: Tensor, speech: Tensor, asked: Tensor | None = None) -> Tensor:
        return speech.reshape(self._audio, self._width)


class OmniLalm(Lalm):
    """Decides by the logits of KEEP_SILENCE, TEXT_BEGIN and, where the layout has one, the act token."""

    def __init__(self, llama: Decoder, tokens: Tokens, capacity: int) -> None:
        """`capacity`: tokens of a row's cache. WeightsError where the vocabulary does not hold the layout's ids."""
        ids = [tokens.keep_silence, tokens.text_begin, tokens.text_begin if tokens.act is None else tokens.act]
        if max(*ids, tokens.audio_begin, tokens.assistant, tokens.pad) >= llama.config.vocab:
            raise WeightsError(f"a vocabulary with the layout's ids was expected, got {llama.config.vocab} tokens")
        rows_in = llama.embed.weight[ids].detach().cpu()
        rows_out = llama.head.weight[ids].detach().float().cpu()
        bias = torch.zeros(len(Kind))
        if tokens.act is None:
            rows_out[Kind.ACT], bias[Kind.ACT] = 0.0, NEVER
        frames = AudioTokens(tokens.audio, llama.config.width)
        super().__init__(llama, frames, rows_in, rows_out, bias, capacity)  # type: ignore[arg-type]
        self.tokens = tokens

    @property
    def can_act(self) -> bool:
        return self.tokens.act is not None

    def opening(self, kind: Kind) -> list[Tensor]:
        """What a reply that begins puts in front of the next chunk: nothing, it is told when it is finished."""
        return []

    def chunk_inputs(
        self, audio: Tensor, state: LalmState, row: int = 0, said: Sequence[Tensor] = (), text: Sequence[int] = ()
    ) -> Tensor:
        """The inputs of one chunk.

        Args:
            audio: [audio, D] audio tokens.
            state: where the row stands; not changed. A chunk that is open is closed first.
            said: [P,D] embeddings of replies that were finished since (`OmniContext.said`); none: KEEP_SILENCE.
            text: ids of a typed request.

        Returns:
            [P,D] in the LM's dtype; the last `tokens.block` of them are the chunk's own.
        """
        t = self.tokens
        closing = list(said) or ([self.embed([t.keep_silence])] if state.spans[row] else [])
        asked = [self.embed(layout.typed(t, text))] if text else []
        own = [self.embed([t.audio_begin]), audio.to(self.llama.norm.dtype).cpu(), self.embed([t.assistant])]
        return torch.cat([*closing, *asked, *own])

    def step(self, chunks: Sequence[int | None], inputs: Sequence[Tensor | None], state: LalmState) -> FloatArray:
        """As `Lalm.step`, of `chunk_inputs`."""
        out = super().step(chunks, inputs, state)
        for row, (chunk, tokens) in enumerate(zip(chunks, inputs, strict=True)):
            if chunk is not None and tokens is not None:
                self._settle(state.spans[row], len(tokens))
        return out

    def step_rows(
        self, chunks: Sequence[tuple[int, Tensor, LalmState]], texts: Sequence[tuple[Tensor, CacheState]] = ()
    ) -> tuple[FloatArray, list[Tensor]]:
        """As `Lalm.step_rows`, of `chunk_inputs`."""
        found = super().step_rows(chunks, texts)
        for _, tokens, state in chunks:
            self._settle(state.spans[0], len(tokens))
        return found

    def _settle(self, spans: deque[tuple[int, int]], count: int) -> None:
        """What closes a chunk leaves the cache with it, and not with the chunk whose inputs brought it."""
        before = count - self.tokens.block
        if before > 0 and len(spans) > 1:
            chunk, own = spans.pop()
            last, tokens = spans.pop()
            spans += [(last, tokens + before), (chunk, own - before)]
