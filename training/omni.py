"""The paper's tier in training: streams in the layout of *Audio Interaction Model* (arXiv 2606.05121), and its thinker
under LoRA. The tower stays as it is: its tokens are cached.

A decision is the choice between KEEP_SILENCE and TEXT_BEGIN (and the act token, where the layout has one) at ASSISTANT;
a reply is learned word for word behind it. There is one line of tokens and no branch: the reply closes its chunk, as
the stream has it once it was said.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from soundflow.tiers.omni import layout
from soundflow.tiers.omni.context import OmniContext
from soundflow.tiers.omni.layout import Tokens
from soundflow.types import Kind, Tool
from training.adapters import AdapterConfig, TrainableLalm, adapted, decoder
from training.features import Features
from training.sequence import DELAYS, IGNORE, Target, TokenSequence, soft_chunks

IMPOSSIBLE: Final = -1e4
"""Logit of an act in a layout without its token; finite, so that nothing becomes nan, and within float16."""
UNKNOWN: Final = 4
"""Chunks behind an act that is due and cannot be laid out, in which silence is not learned either."""


class TowerTokens(nn.Module):
    """In the place of a projector: tokens of the tower [C, tokens, D] -> [C * tokens, D]."""

    def forward(self, tags: Tensor, sound: Tensor, speech: Tensor, asked: Tensor | None = None) -> Tensor:
        return speech.flatten(0, 1)


class TrainableOmni(TrainableLalm):
    """The thinker. LoRA is all that is trained: the decision rows are those of its own head."""

    def __init__(self, lm_folder: Path, tokens: Tokens, config: AdapterConfig, dtype: torch.dtype) -> None:
        nn.Module.__init__(self)
        base = decoder(lm_folder, dtype)
        ids = [tokens.keep_silence, tokens.text_begin, tokens.text_begin if tokens.act is None else tokens.act]
        tables = base.get_input_embeddings(), base.get_output_embeddings()
        rows = [table.weight.detach()[ids].float() for table in tables]  # type: ignore[union-attr, operator, index]
        bias = torch.zeros(len(Kind))
        if tokens.act is None:
            rows[1][Kind.ACT], bias[Kind.ACT] = 0.0, IMPOSSIBLE
        self.config, self.dtype = config, dtype
        self.lm = adapted(base, config)
        self.projector = TowerTokens()  # type: ignore[assignment]
        for name, value in (("decision_in", rows[0]), ("decision_out", rows[1]), ("bias", bias)):
            self.register_buffer(name, value)


class OmniBuilder:
    """As `training.sequence.SequenceBuilder`. `longest`: the paper's longest stream, 60 chunks.

    Acts are left out: the published layout has none. Where one is wanted, neither silence nor a reply is learned.
    """

    longest = 60

    def __init__(self, context: OmniContext, tool_sets: Mapping[str, Sequence[Tool]]) -> None:
        self.context, self.tool_sets = context, tool_sets

    def build(
        self,
        samples: Sequence[tuple[Mapping[str, Any], Features]],
        tools: Sequence[Tool],
        rng: random.Random,
        train: bool = True,
    ) -> TokenSequence:
        """Concatenate samples that share instruction and tools into one stream; `train` as of `SequenceBuilder`."""
        seq, said, kinds, weights = TokenSequence(), [], [], []
        for sample, features in samples:
            found = self.targets(sample, features, {}, tools, rng, train)
            acts = {c for t in found if t.kind is Kind.ACT for c in range(t.first, t.due + UNKNOWN + 1)}
            spoken = {t.chunk: t for t in found if t.kind is Kind.SPEAK}
            soft = soft_chunks(sample, spoken.values()) | dict.fromkeys(acts, 0.0)
            seq.features.append(features)
            for chunk in range(features.chunks):
                target = spoken.get(chunk) if train else None
                seq.chunk_ids.append((str(sample["id"]), chunk))
                said.append(self.context.said(target.text) if target else None)
                kinds.append(Kind.SPEAK if target else Kind.SILENT)
                weights.append(1.0 if target else soft.get(chunk, 1.0))
        self._lay(seq, str(samples[0][0].get("instruction", "")), tools, said)
        at = [i for i, value in enumerate(seq.decision) if value != IGNORE]
        for i, kind, weight in zip(at, kinds, weights, strict=True):
            seq.decision[i], seq.weight[i] = int(kind), weight
        return seq

    def _lay(
        self, seq: TokenSequence, instruction: str, tools: Sequence[Tool], said: Sequence[list[int] | None]
    ) -> None:
        """Put the stream's positions into `seq`, with a decision of some kind at each ASSISTANT."""
        t = self.context.tokens
        prefix = self.context.prefix(instruction, [tool.name for tool in tools])
        system = prefix[len(layout.prefix(t, [])) - 1 : -1]
        made = layout.dialogue(t, system, said)
        heard = {at: row for row, chunk in enumerate(made.audio_at) for at in chunk}
        decided = set(made.decided_at)
        for at, token in enumerate(made.ids):
            follows = at + 1 < len(made.ids) and made.learned[at + 1] and at not in decided
            following = made.ids[at + 1] if follows else IGNORE
            seq.add("a" if at in heard else "t", heard.get(at, token), at, token=following)
            if at in decided:
                seq.decision[-1] = int(Kind.SILENT)

    def targets(
        self,
        sample: Mapping[str, Any],
        features: Features,
        finals: Mapping[int, str],
        tools: Sequence[Tool],
        rng: random.Random,
        train: bool,
    ) -> list[Target]:
        """Responses with their chunk. `finals` is not read: no words channel closes a turn, the samples' times do."""
        found: list[Target] = []
        told = {e["id"]: int(e["onset"]) for e in sample["events"]}
        told |= {s["id"]: int(s["offset"]) for s in sample["speech"]}
        for response in sample["responses"]:
            kind, due = Kind[str(response["kind"]).upper()], int(response["due_chunk"])
            sign = told.get(response.get("trigger", ""))
            first = due if sign is None else min(due, sign // features.chunk_samples)
            chunk = due + (rng.choice(DELAYS) if train else 0)
            if chunk < features.chunks and all(f.chunk != chunk for f in found):
                found.append(Target(chunk, due, first, kind, str(response["text"]), "", (), ()))
        return found
