"""The same LM as ours without our adapter, as text chat: prompt by its own chat template, greedy tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jinja2.sandbox import ImmutableSandboxedEnvironment
from torch import Tensor

from soundflow.decide.backbones.decoder import Decoder
from soundflow.decide.context import Context
from soundflow.errors import WeightsError

MAX_PROMPT_TOKENS = 512
MAX_ANSWER_TOKENS = 80
Message = Mapping[str, str]


class Chat:
    """SmolLM2-135M-Instruct of one folder (config.json, model.safetensors, tokenizer.json, chat_template.jinja)."""

    def __init__(self, folder: Path, dtype: torch.dtype) -> None:
        self.llama, self.context = Decoder.load(folder, dtype), Context.load(folder / "tokenizer.json")
        path = folder / "chat_template.jinja"
        if not path.is_file():
            raise WeightsError(f"{path}: expected the model's chat template; run `soundflow models pull nano`")
        self._template = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(
            path.read_text(encoding="utf-8")
        )

    def prompt(self, messages: Sequence[Message]) -> str:
        """The messages (role, content) as the model's template writes them, up to where it answers. Control tokens in
        contents are broken up."""
        plain = [{**m, "content": self.context.plain(m["content"])} for m in messages]
        return self._template.render(messages=plain, add_generation_prompt=True)

    def answer(self, system: str, turns: Sequence[Message]) -> Answer:
        """Begin an answer to the last of `turns`; the oldest are left out where the prompt would be too long."""
        kept = list(turns)
        while True:
            ids = self.context.encode(self.prompt([{"role": "system", "content": system}, *kept]))
            if len(ids) <= MAX_PROMPT_TOKENS or len(kept) == 1:
                return Answer(self, ids[-MAX_PROMPT_TOKENS:])
            kept.pop(0)


class Answer:
    """Decoded in steps; the first one reads the prompt."""

    def __init__(self, chat: Chat, ids: Sequence[int]) -> None:
        self.text, self.done = "", False
        self._chat, self._ids, self._due = chat, list[int](), list(ids)
        self._cache = chat.llama.init_state(1, len(ids) + MAX_ANSWER_TOKENS)

    def step(self, tokens: int) -> str:
        """At most `tokens` more tokens -> the text that they add."""
        before = len(self.text)
        for _ in range(tokens):
            if self.done:
                break
            token = int(self._feed().argmax())
            if token in self._chat.context.end_ids or len(self._ids) >= MAX_ANSWER_TOKENS:
                self.done = True
                break
            self._ids.append(token)
            self._due = [token]
            whole = self._chat.context.decode(self._ids)
            if not whole.endswith("�"):
                self.text = whole
        return self.text[before:]

    @torch.inference_mode()
    def _feed(self) -> Tensor:
        """[V] logits behind the tokens that are due."""
        llama = self._chat.llama
        embedded = llama.embed(torch.tensor(self._due))[None]
        hidden = llama(embedded, torch.tensor([len(self._due)]), self._cache)
        logits: Tensor = llama.head(hidden[0, -1])
        return logits.float().cpu()
