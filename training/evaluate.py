"""Held-out streams: respond-recall, balanced accuracy and false alarms an hour, and the gate against collapse."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from soundflow.scoring import Outcome, auc, balanced_accuracy, best_threshold, recalls, refired
from soundflow.types import Kind
from training.adapters import TrainableLalm
from training.dataset import Item, scoring_sequences
from training.sequence import SequenceBuilder, speech_items
from training.words_sim import simulate_words

LATE_CHUNKS = 4
COLLAPSE_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Scored:
    """Decision logits [T,K] of one sample, and the chunks in which a response is wanted."""

    item: Item
    logits: np.ndarray
    due: tuple[tuple[int, int, Kind], ...]  # (first chunk that may, due chunk, kind)


@dataclass(frozen=True, slots=True)
class Report:
    """`threshold` is the best one of these very streams; figures at it are optimistic and serve selection only."""

    balanced_accuracy: float
    respond_recall: float
    silent_recall: float
    area: float
    threshold: float
    false_alarms_hour: float
    by_subtask: dict[str, tuple[float, float]]

    @property
    def collapsed(self) -> bool:
        """Whether this is no better than a trivial policy."""
        return self.balanced_accuracy < 0.5 + COLLAPSE_MARGIN or self.respond_recall < COLLAPSE_MARGIN

    def __str__(self) -> str:
        tasks = "  ".join(f"{k} {r:.2f}/{s:.2f}" for k, (r, s) in sorted(self.by_subtask.items()))
        return (
            f"balanced accuracy {self.balanced_accuracy:.3f} (always-silent 0.500)"
            f"  respond-recall {self.respond_recall:.3f}  silent-recall {self.silent_recall:.3f}"
            f"  auc {self.area:.3f}  at p >= {self.threshold:.2f}  false alarms/h {self.false_alarms_hour:.1f}"
            f"  | respond/silent recall: {tasks}"
        )


@torch.inference_mode()
def score(model: TrainableLalm, items: Sequence[Item], builder: SequenceBuilder, batch: int = 16) -> list[Scored]:
    """Decision logits of every chunk of every sample."""
    model.eval()
    sequences = scoring_sequences(items, builder)
    order = sorted(range(len(items)), key=lambda i: len(sequences[i]))
    found: dict[int, Scored] = {}
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        hidden = model.hidden([sequences[i] for i in rows])
        logits = model.decision_logits(hidden).numpy()
        for r, i in enumerate(rows):
            seq = sequences[i]
            at = [p for p, d in enumerate(seq.decision) if d >= 0]
            found[i] = Scored(items[i], logits[r, at], tuple(due_chunks(items[i], builder)))
    model.train()
    return [found[i] for i in range(len(items))]


def due_chunks(item: Item, builder: SequenceBuilder) -> list[tuple[int, int, Kind]]:
    """(first chunk that may respond, due chunk, kind) of each response of a sample."""
    sample, features = item
    rng = random.Random(0)
    _, finals = simulate_words(speech_items(sample, features), features, rng)
    tools = builder.tool_sets.get(str(sample.get("tools") or ""), ())
    wanted = builder.targets(sample, features, finals, tools, rng, train=False)
    return [(t.first, t.due, t.kind) for t in wanted]


def outcomes(scored: Sequence[Scored]) -> list[Outcome]:
    """An outcome for every wanted response (its best p in [first, due + 4]) and one for every stream that wants
    none.
    """
    found: list[Outcome] = []
    for s in scored:
        sample = s.item[0]
        raised = np.exp(s.logits - s.logits.max(1, keepdims=True))
        p = 1 - raised[:, 0] / raised.sum(1)
        label, source = str(sample["subtask"]), str(sample["id"])
        for first, due, _ in s.due:
            best = float(p[first : due + LATE_CHUNKS + 1].max())
            found.append(Outcome(True, False, best, label, source))
        if not sample["responses"]:
            found.append(Outcome(False, False, float(p.max()), label, source))
    return found


def report(scored: Sequence[Scored]) -> Report:
    """Figures at the best threshold of these streams."""
    every = outcomes(scored)
    threshold = best_threshold(every)
    fired = refired(every, threshold)
    respond, silent = recalls(fired)
    quiet = [s for s in scored if not s.item[0]["responses"]]
    hours = sum(len(s.logits) for s in quiet) * 0.4 / 3600
    alarms = sum(o.fired for o in fired if not o.respond)
    by = {k: recalls([o for o in fired if o.label == k]) for k in {o.label for o in fired}}
    return Report(balanced_accuracy(fired), respond, silent, auc(every), threshold, alarms / max(hours, 1e-9), by)
