"""One reply: decoded token by token from a fork of the LALM's cache, as free text or as a call under the tools'
grammar.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from soundflow.decide.context import MAX_HEADER_TOKENS, Context
from soundflow.decide.kv_cache import CacheState
from soundflow.decide.lalm import Lalm
from soundflow.respond.grammar import ActGrammar, ActMatcher, parse_act
from soundflow.respond.hints import Hints
from soundflow.respond.tools import tools_prompt
from soundflow.types import ActionCall, Kind, ReplyRequest

MAX_REPLY_TOKENS = 80
MAX_ACT_TOKENS = 192
REPLY_ROOM = MAX_HEADER_TOKENS + MAX_ACT_TOKENS
"""Tokens that a fork has room for."""


class GivenReply:
    """A reply whose words were known beforehand (`ReplyRequest.say`); as `Reply`, without a model."""

    cache: CacheState | None = None

    def __init__(self, request: ReplyRequest) -> None:
        self.request = request
        self.text = ""
        self.done = False
        self.call: ActionCall | None = None

    def begun(self, text: str) -> None:
        """`text`, its beginning, was said already."""
        self.text = text

    def step(self, tokens: int) -> str:
        """All that is left at once."""
        added = "" if self.done else self.request.say[len(self.text) :]
        self.text, self.done = self.request.say, True
        return added

    def wanted(self) -> Tensor | None:
        """Nothing of the model."""
        return None

    def take(self, logits: Tensor) -> str:
        """All of it at once; the model is not asked."""
        return self.step(1)

    def snapshot(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"request": self.request}

    def restore(self, saved: dict[str, Any]) -> None:
        """A snapshot is taken before the one step; nothing has to be put back."""


class Reply:
    """Greedy decoding in steps, so that the caller may stop between any two tokens.

    `step` runs the model itself; a caller that runs it for many replies at once asks each what it has `wanted` and
    gives it what came out (`fed`).
    """

    def __init__(
        self, lalm: Lalm, context: Context, cache: CacheState, request: ReplyRequest, grammar: ActGrammar | None
    ):
        """`cache` is a fork of the row with room for header and reply; it ends with the chunk that decided."""
        self.request = request
        self.cache = cache
        self.text = ""
        self.done = False
        self.call: ActionCall | None = None
        self._lalm, self._context = lalm, context
        self._ids: list[int] = []
        self._logits: Tensor | None = None
        self._due: Tensor | None = None  # [P,D] embeddings that the model has to read next
        self._matcher: ActMatcher | None = None
        if request.kind is Kind.ACT:
            if grammar is None:
                raise ValueError("an act needs a grammar")
            self._matcher = grammar.matcher()
            self._hints = Hints(request.heard, request.tools, lambda token: context.decode([token]))

    def step(self, tokens: int) -> str:
        """Decode at most `tokens` more tokens -> the text they add. Reads the header first (one pass)."""
        before = len(self.text)
        for _ in range(tokens):
            if (wanted := self.wanted()) is not None:
                self.fed(self._lalm.feed(wanted, self.cache))
            if self.done:
                break
            self._next()
        if (wanted := self.wanted()) is not None:
            self.fed(self._lalm.feed(wanted, self.cache))
        return self.text[before:]

    def wanted(self) -> Tensor | None:
        """[P,D] embeddings that the model has to append to `cache` before this goes on; None where it is done."""
        if self._due is None and self._logits is None and not self.done:
            self._due = self._header()
        return self._due

    def begun(self, text: str) -> None:
        """`text` was said already: go on behind it. Before the first step, and not of an act."""
        self._ids, self.text = self._context.encode(text), text
        self._due = torch.cat([self._header(), self._lalm.embed(self._ids)])

    def fed(self, logits: Tensor) -> None:
        """Take [V] float32 logits behind all that was `wanted`."""
        self._due, self._logits = None, logits

    def take(self, logits: Tensor) -> str:
        """`fed`, then choose the next token -> the text that it adds."""
        before = len(self.text)
        self.fed(logits)
        self._next()
        return self.text[before:]

    def _next(self) -> None:
        assert self._logits is not None
        if self._matcher is not None:
            self._step_act(self._matcher, self._logits)
        else:
            self._step_text(self._logits)

    def snapshot(self) -> dict[str, Any]:
        """Between two steps: what `restore` needs to go on with the same tokens."""
        logits = None if self._logits is None else self._logits.clone()
        cache = self.cache.snapshot(0)
        own = {"ids": list(self._ids), "text": self.text, "logits": logits, "due": self._due}
        return {"request": self.request, "cache": cache, **own}

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from `saved`, taken of a reply to the same request."""
        self._ids, self.text, self._logits = list(saved["ids"]), saved["text"], saved["logits"]
        self._due = saved["due"]
        self.cache.restore(0, saved["cache"])
        if self._matcher is not None:
            left = list(self._ids)
            while left:
                forced = self._matcher.forced()
                del left[: len(forced)]
                if left and not forced:
                    self._matcher.advance(left.pop(0))

    def _header(self) -> Tensor:
        r = self.request
        if r.kind is Kind.ACT:
            ids = self._context.act_header(r.heard, tools_prompt(r.tools))
        else:
            ids = self._context.reply_header(r.heard, r.sounds, r.notes, r.count)
        return torch.cat([self._lalm.decision_in[int(r.kind)][None], self._lalm.embed(ids)])

    def _step_text(self, logits: Tensor) -> None:
        token = int(logits.argmax())
        if token in self._context.end_ids or len(self._ids) >= MAX_REPLY_TOKENS:
            self.done = True
            return
        self._ids.append(token)
        whole = self._context.decode(self._ids)
        if not whole.endswith("�"):
            self.text = whole
        self._due = self._lalm.embed([token])

    def _step_act(self, matcher: ActMatcher, logits: Tensor) -> None:
        forced = matcher.forced()
        if not forced:
            token = int(self._hints.raise_(matcher.text, matcher.mask(logits.numpy())).argmax())
            matcher.advance(token)
            forced = [token]
        self._ids += forced
        if matcher.finished or len(self._ids) >= MAX_ACT_TOKENS:
            self.done = True
            self.text = matcher.text
            if matcher.finished:
                self.call = parse_act(self.text, self.request.tools)
            return
        self._due = self._lalm.embed(forced)
