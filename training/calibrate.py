"""Temperature, biases and thresholds of a trained adapter, fitted on held-out streams that are neither train nor
dev.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from soundflow.decide.evidence import Evidence
from soundflow.decide.familiar import Familiar
from soundflow.decide.policy import Calibration
from soundflow.decide.waited import Waited
from soundflow.errors import DataError
from soundflow.perceive.rivals import Rivals
from soundflow.perceive.standing import Standing
from soundflow.perceive.tags import TagCalibration
from soundflow.scoring import Outcome, balanced_accuracy, best_threshold, calibration_error, refired
from soundflow.types import FloatArray, Kind
from soundflow.watch import TAG_MEMORY
from training.evaluate import LATE_CHUNKS, Scored
from training.features import Features
from training.sequence import speech_items
from training.tag_groups import columns
from training.words_sim import simulate_words

LIKELY = 0.05
"""Chunks of at least this p(response) have a calibration error of their own: nearly all others are plain silence."""
LEFT_ALONE = {"answer": 0.98, "act": 1.0}
"""Share of the streams in which people talk among themselves that these thresholds leave alone, whatever requests it
costs: a home is full of talk, and an answer to it, or even an act, is worse than a question put a second time."""
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibration and what it gives.

    The calibration errors are of streams that the scale was not fitted on (two halves, crosswise); `ece_likely` is that
    of p(response) where it is at least LIKELY. Balanced accuracy and false alarms are of the streams of the fit.
    """

    calibration: Calibration
    ece_before: float
    ece_after: float
    ece_likely: float
    balanced_accuracy: float
    false_alarms_hour: float


def with_evidence(
    scored: Sequence[Scored],
    labels: Sequence[str],
    weights: Calibration,
    sure: Callable[[Features], FloatArray] | None = None,
    headed: Collection[str] = (),
) -> list[Scored]:
    """The same streams with the bias of tags and branch on <speak>, as the loop adds it: not where a turn has just
    closed.

    Args:
        sure: gives `Perception.sure` of a stream, [T, 521] (`training.named_sounds.surely`); None: its tags.
        headed: labels that have a head of their own.
    """
    made, rivals = [], Rivals(labels)
    for s in scored:
        sample, features = s.item
        instruction = str(sample.get("instruction") or "")
        standing = Standing(instruction, labels)
        evidence = Evidence(labels, weights, instruction, standing.tags, standing.wanted, headed)
        _, finals = simulate_words(speech_items(sample, features), features, random.Random(0))
        tags, waited, familiar = features.tags.astype(np.float32), Waited(), Familiar()
        wanted = sure(features) if sure else tags
        alerts = features.alert - rivals.less(tags)
        logits = s.logits.copy()
        for k in range(len(logits)):
            if k in finals and standing.hear(finals[k]):
                evidence, waited = (
                    Evidence(labels, weights, instruction, standing.tags, standing.wanted, headed),
                    Waited(),
                )
            waited.hear(evidence.wanted(evidence.likely(wanted[k])))
            doubt = familiar.hear(features.sound[k])
            if k not in finals:
                heard = slice(max(0, k - TAG_MEMORY + 1), k + 1)
                logits[k, Kind.SPEAK] += evidence.bias(tags[heard], alerts[heard].tolist(), waited, doubt)
        made.append(replace(s, logits=logits))
    return made


def chunks(scored: Sequence[Scored]) -> tuple[Array, NDArray[np.int64]]:
    """Logits [n,K] and kinds [n] of the chunks whose right decision is plain: up to and with each stream's first due
    chunk.

    Chunks between the first sign of an event and its due chunk are left out, and all behind the first response, where a
    model that has stayed silent is in a place that the labels do not know.
    """
    logits, kinds = [], []
    for s in scored:
        first, due, kind = min(s.due, key=lambda d: d[1]) if s.due else (len(s.logits), len(s.logits), Kind.SILENT)
        for k in range(min(first, len(s.logits))):
            logits.append(s.logits[k])
            kinds.append(int(Kind.SILENT))
        if due < len(s.logits):
            logits.append(s.logits[due])
            kinds.append(int(kind))
    if len(set(kinds)) < len(Kind):
        raise DataError("held-out streams with silent, speak and act decisions were expected; build more (--hours)")
    return np.array(logits, dtype=np.float64), np.array(kinds)


def fit_scale(logits: Array, kinds: NDArray[np.int64]) -> Calibration:
    """Temperature and biases of least cross-entropy (Guo et al. 2017; biases undo the class weights of training)."""
    x, y = torch.from_numpy(logits), torch.from_numpy(kinds)
    log_t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        scaled = (x + torch.cat([torch.zeros(1, dtype=torch.float64), bias])) / log_t.exp()
        loss = F.cross_entropy(scaled, y) + 1e-4 * (bias**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    speak, act = bias.detach().tolist()
    return Calibration(temperature=float(log_t.detach().exp()), bias=(0.0, speak, act))


def probabilities(logits: Array, calibration: Calibration) -> Array:
    """[n,K] -> [n,K]."""
    scaled = (logits + np.array(calibration.bias)) / calibration.temperature
    raised = np.exp(scaled - scaled.max(-1, keepdims=True))
    p: Array = raised / raised.sum(-1, keepdims=True)
    return p


def confidence_error(p: Array, kinds: NDArray[np.int64]) -> float:
    """Expected calibration error of the published decision: confidence of the top class against being right."""
    top = p.argmax(1)
    return calibration_error(p.max(1), (top == kinds).astype(np.float64))


def crossed(scored: Sequence[Scored]) -> tuple[Array, NDArray[np.int64]]:
    """`chunks` as probabilities [n,K], each half of the streams under a scale fitted on the other, and kinds [n]."""
    ordered = sorted(scored, key=lambda s: (s.item[0]["subtask"], bool(s.due), zlib.crc32(s.item[0]["id"].encode())))
    halves = [chunks(ordered[k::2]) for k in (0, 1)]
    p = [probabilities(halves[k][0], fit_scale(*halves[1 - k])) for k in (0, 1)]
    return np.concatenate(p), np.concatenate([kinds for _, kinds in halves])


def likely_error(p: Array, kinds: NDArray[np.int64]) -> float:
    """Expected calibration error of p(response) over the chunks where it is at least LIKELY; nan where none is."""
    fires = 1 - p[:, Kind.SILENT]
    kept = fires >= LIKELY
    return calibration_error(fires[kept], (kinds[kept] != Kind.SILENT).astype(np.float64)) if kept.any() else np.nan


def outcomes(scored: Sequence[Scored], calibration: Calibration, trigger: str) -> list[Outcome]:
    """Scores of one kind of trigger, each as the policy reads it: "act" is p(act); "answer", where an utterance has
    just closed, and "sound", anywhere else, are p(speak), to which p(act) is added in streams without tools.

    A wanted sound scores its best chunk in [first, due + 4], an answer or act its due chunk; a stream that wants none
    scores its best chunk, for an answer its best among those that close an utterance. Streams without speech are the
    silent side of sounds, those with speech that of answers, and those of them with tools that of acts.
    """
    found: list[Outcome] = []
    for s in scored:
        sample = s.item[0]
        p = probabilities(s.logits.astype(np.float64), calibration)
        speak = p[:, Kind.SPEAK] if sample.get("tools") else 1 - p[:, Kind.SILENT]
        fires = p[:, Kind.ACT] if trigger == "act" else speak
        label, source = str(sample["subtask"]), str(sample["id"])
        for first, due, kind in s.due:
            own = "act" if kind is Kind.ACT else "answer" if due in s.closed else "sound"
            if own == trigger:
                best = float(fires[first : due + (LATE_CHUNKS if own == "sound" else 0) + 1].max())
                found.append(Outcome(True, False, best, label, source))
        side = bool(sample["speech"]) == (trigger != "sound") and (trigger != "act" or sample.get("tools"))
        if side and not sample["responses"]:
            read = fires[sorted(s.closed)] if trigger == "answer" else fires
            if len(read):
                found.append(Outcome(False, False, float(read.max()), label, source))
    if len({o.respond for o in found}) < 2:
        raise DataError(f"held-out streams that want {trigger!r} and such that want none were expected; build more")
    return found


def fit(scored: Sequence[Scored]) -> Fit:
    """Scale, then each kind of trigger's threshold of best balanced accuracy, or that of LEFT_ALONE where it is higher.

    DataError where one side is missing.
    """
    logits, kinds = chunks(scored)
    before = confidence_error(probabilities(logits, Calibration()), kinds)
    scaled = fit_scale(logits, kinds)
    unseen = crossed(scored)
    by = {trigger: outcomes(scored, scaled, trigger) for trigger in ("sound", "answer", "act")}
    cut = {k: best_threshold(v) for k, v in by.items()}
    for trigger, share in LEFT_ALONE.items():
        talk = [o.score for o in by[trigger] if not o.respond]
        cut[trigger] = max(cut[trigger], np.quantile(talk, share))
    cut = {k: round(float(np.clip(v, 0.05, 0.95)), 4) for k, v in cut.items()}
    made = replace(scaled, speak_threshold=cut["sound"], answer_threshold=cut["answer"], act_threshold=cut["act"])
    fired = refired(by["sound"], cut["sound"])
    quiet = [s for s in scored if not s.item[0]["responses"] and not s.item[0]["speech"]]
    hours = sum(len(s.logits) for s in quiet) * 0.4 / 3600
    alarms = sum(o.fired for o in fired if not o.respond)
    after, likely = confidence_error(*unseen), likely_error(*unseen)
    return Fit(made, before, after, likely, balanced_accuracy(fired), alarms / max(hours, 1e-9))


def fit_tags(scores: Array, labels: Sequence[str], groups: Sequence[str]) -> TagCalibration:
    """Platt scaling of the tags (Platt 1999): p = sigmoid(a logit(s) + b), one pair for all tags.

    Args:
        scores: [n,L] best score of each tag over n clips, in the order of `labels`.
        groups: for each clip the sound that it holds, a key of `columns(labels)`. A group's score is that of its best
            tag; it is present in the clips of its own and absent from all others.
    """
    step = 1 / 512
    clipped = np.clip(scores, step, 1 - step)
    logits = np.log(clipped / (1 - clipped))
    known = columns(labels)
    x = torch.from_numpy(np.stack([logits[:, i].max(1) for i in known.values()], axis=1))
    y = torch.tensor([[float(name == own) for name in known] for own in groups], dtype=torch.float64)
    a = torch.ones((), dtype=torch.float64, requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([a, b], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(a * x + b, y)
        loss.backward()
        return loss

    optimizer.step(closure)
    size = len(labels)
    return TagCalibration(np.full(size, float(a.detach())), np.full(size, float(b.detach())))


def reliability(p: Array, kinds: NDArray[np.int64], path: Path, title: str) -> None:
    """Reliability diagram of the decision's confidence, equal-mass bins."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    confidence, right = p.max(1), p.argmax(1) == kinds
    parts = np.array_split(np.argsort(confidence), 15)
    figure, axes = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot([confidence[i].mean() for i in parts], [right[i].mean() for i in parts], "o-", color="#0072B2")
    axes.set(xlabel="confidence", ylabel="share right", title=title, xlim=(0.3, 1.02), ylim=(0.3, 1.02))
    figure.savefig(path, dpi=130)
    plt.close(figure)
