"""The gate against collapse: figures of held-out real recordings by ability, beside the two trivial policies.

Decisions are read at two thresholds, one for chunks that close an utterance and one for all others, as at inference.
They are fitted on every second stream and applied to the others, and the other way round, so that a policy that knows
nothing scores 0.5.

merit = mean over the abilities that have both sides of (balanced accuracy + area under the ROC curve) / 2, weighted by
the recipe's `merit`; without such an ability the same of all streams together.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from soundflow.errors import ConfigError
from soundflow.scoring import Outcome, auc, balanced_accuracy, best_threshold, recalls
from training.evaluate import LATE_CHUNKS, Scored

CHUNK_HOURS = 0.4 / 3600
COLLAPSE_MARGIN = 0.05
ADDRESSEE = "addressee"
ALL, SILENT, RESPOND = "all", "always silent", "always respond"
TRIVIAL = {SILENT: np.inf, RESPOND: -np.inf}


@dataclass(frozen=True, slots=True)
class Figures:
    """`delay`: mean chunks from the due chunk to the response, of those that came. nan where there is no such side.

    `false_alarms_hour`: over streams that want no response; one that fires counts once, however often it does.
    """

    streams: int
    respond: float
    silent: float
    balanced: float
    area: float
    false_alarms_hour: float
    delay: float


@dataclass(frozen=True, slots=True)
class Report:
    """`rows`: figures by ability, then of all streams, then of the two trivial policies on all streams."""

    rows: Mapping[str, Figures]
    merit: float

    @property
    def overall(self) -> Figures:
        return self.rows[ALL]

    def fallen(self, margin: float = COLLAPSE_MARGIN) -> str:
        """What is no better than which trivial policy, all streams together; empty where nothing is."""
        f = self.overall
        low = "respond-recall" if not f.respond > f.silent else "silent-recall"
        policy = SILENT if low == "respond-recall" else RESPOND
        if f.respond < margin or f.silent < margin:
            return f"{low} fell to {min(f.respond, f.silent):.3f}, that of {policy}"
        if f.balanced < 0.5 + margin:
            return f"balanced accuracy fell to {f.balanced:.3f}, that of {policy} (0.500)"
        return ""

    def weak(self, margin: float = COLLAPSE_MARGIN) -> list[str]:
        """Abilities that are no better than a trivial policy."""
        own = set(self.rows) - {ALL, SILENT, RESPOND}
        return [name for name, f in self.rows.items() if name in own and f.balanced < 0.5 + margin]

    def __str__(self) -> str:
        head = f"{'':16}{'streams':>8}{'respond':>9}{'silent':>8}{'balanced':>10}{'auc':>7}{'alarms/h':>10}{'delay':>7}"
        lines = [
            f"{name:16}{f.streams:8}{f.respond:9.3f}{f.silent:8.3f}{f.balanced:10.3f}{f.area:7.3f}"
            f"{f.false_alarms_hour:10.1f}{f.delay:7.2f}"
            for name, f in self.rows.items()
        ]
        return "\n".join([f"merit {self.merit:.4f}", head, *lines])

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON; nan becomes None."""
        rows = {n: {k: None if math.isnan(v) else v for k, v in asdict(f).items()} for n, f in self.rows.items()}
        return {"merit": self.merit, "figures": rows}


class Collapse(ConfigError):
    """Training fell to a trivial policy, and stayed there."""


class Gate:
    """Counts collapses in a row: a warning at each, `Collapse` at the `patience`-th (0: never)."""

    def __init__(self, patience: int, collapses: int = 0) -> None:
        self.patience, self.collapses = patience, collapses

    def check(self, report: Report, step: int) -> str:
        """A warning, or an empty line where all is well."""
        fallen = report.fallen()
        self.collapses = self.collapses + 1 if fallen else 0
        weak = f"; no better than a trivial policy: {', '.join(report.weak())}" if report.weak() else ""
        if not fallen:
            return weak.removeprefix("; ")
        said = f"collapse at step {step}: {fallen}{weak}"
        if self.patience and self.collapses >= self.patience:
            raise Collapse(
                f"{said}. The run stops: {self.collapses} evaluations in a row were at a trivial baseline. Try lower"
                " rates (lora_lr, full_lr), a higher weight of speak and act (loss.classes), more streams that want a"
                " response (mixture), or start from the best checkpoint of an earlier stage (start)"
            )
        return f"WARNING: {said}"


@dataclass(frozen=True, slots=True)
class Chance:
    """One thing that is scored: a wanted response, or a stream that wants none.

    `margin`: [n,2] best log-odds of a response in chunks that close an utterance and in the others, -inf for none.
    `chunks`: [(log-odds, 0 or 1 for the column of its chunk, chunk - due)] of the window, in order.
    """

    ability: str
    source: str
    respond: bool
    best: tuple[float, float]
    chunks: tuple[tuple[float, int, int], ...]
    hours: float


def ability(sample: Mapping[str, object]) -> str:
    """The sample's ability; its sub-task in corpora that know none.

    Whom is spoken to is an ability of its own: quiet streams in which people talk are its silent side, too.
    """
    subtask = str(sample["subtask"])
    if subtask == ADDRESSEE or (subtask == "silence" and sample["speech"]):
        return ADDRESSEE
    return str(sample.get("ability") or subtask)


def chances(scored: Sequence[Scored]) -> list[Chance]:
    """A chance for every wanted response (window [first, due + 4]) and one for every stream that wants none."""
    found: list[Chance] = []
    for s in scored:
        sample = s.item[0]
        x = s.logits.astype(np.float64)
        odds = np.logaddexp.reduce(x[:, 1:], axis=1) - x[:, 0]
        windows = [(first, min(due + LATE_CHUNKS + 1, len(odds)), due) for first, due, _ in s.due if first < len(odds)]
        if not sample["responses"]:
            windows = [(0, len(odds), 0)]
        for first, end, due in windows:
            row = tuple((float(odds[k]), int(k not in s.closed), k - due) for k in range(first, end))
            best = tuple(max((o for o, c, _ in row if c == column), default=-np.inf) for column in (0, 1))
            respond, hours = bool(sample["responses"]), len(odds) * CHUNK_HOURS
            found.append(Chance(ability(sample), str(sample["id"]), respond, (best[0], best[1]), row, hours))
    return found


def thresholds(fitted: Sequence[Chance]) -> tuple[float, float]:
    """Log-odds of best balanced accuracy for chunks that close an utterance, and for the others.

    A response belongs to the column in which it is due; silence must hold in both. A column that lacks a side takes the
    threshold of all chunks together.
    """
    pooled = fit([(c, max(c.best)) for c in fitted])
    cuts = []
    for column in (0, 1):
        own = [c for c in fitted if c.best[column] > -np.inf and (not c.respond or due_column(c) == column)]
        cut = fit([(c, c.best[column]) for c in own])
        cuts.append(pooled if math.isnan(cut) else cut)
    return cuts[0], cuts[1]


def fit(scored: Sequence[tuple[Chance, float]]) -> float:
    """Threshold of best balanced accuracy (means over abilities); nan without two sides."""
    if len({c.respond for c, _ in scored}) < 2:
        return math.nan
    return best_threshold([Outcome(c.respond, False, score, c.ability, c.source) for c, score in scored])


def due_column(chance: Chance) -> int:
    """The column of a wanted response's due chunk."""
    return next((column for _, column, late in chance.chunks if late == 0), 1)


def known(cut: float) -> float:
    """Even odds where nothing could be fitted."""
    return 0.0 if math.isnan(cut) else cut


@dataclass(frozen=True, slots=True)
class Judged:
    """A chance after the thresholds; `late` is nan where nothing fired."""

    outcome: Outcome
    late: float
    hours: float


def judged(chance: Chance, cuts: tuple[float, float], ranked: tuple[float, float]) -> Judged:
    """Fired where a chunk of the window reaches the threshold of its column; its score is the best margin over
    `ranked`, one pair for all, so that scores can be put in order.
    """
    late = next((float(behind) for odds, column, behind in chance.chunks if odds >= known(cuts[column])), math.nan)
    fired = not math.isnan(late)
    score = max(odds - known(ranked[column]) for odds, column, _ in chance.chunks)
    outcome = Outcome(chance.respond, fired, score, chance.ability, chance.source)
    return Judged(outcome, late if chance.respond else float("nan"), chance.hours)


def halves(found: Sequence[Chance]) -> tuple[list[Chance], list[Chance]]:
    """Every second stream of each ability and side, in an order by the hash of their names: no layout can alias."""
    sides: dict[tuple[str, bool], set[str]] = {}
    for c in found:
        sides.setdefault((c.ability, c.respond), set()).add(c.source)
    ranks = {
        (*side, source): rank
        for side, sources in sides.items()
        for rank, source in enumerate(sorted(sources, key=lambda s: (zlib.crc32(s.encode()), s)))
    }
    made: tuple[list[Chance], list[Chance]] = ([], [])
    for c in found:
        made[ranks[c.ability, c.respond, c.source] % 2].append(c)
    return made


def figures(found: Sequence[Judged]) -> Figures:
    """Of one ability, or of all (recalls are then means over abilities)."""
    outcomes = [j.outcome for j in found]
    respond, silent = recalls(outcomes)
    quiet = [j for j in found if not j.outcome.respond]
    hours = sum(j.hours for j in quiet)
    alarms = sum(j.outcome.fired for j in quiet) / hours if quiet else float("nan")
    delays = [j.late for j in found if not math.isnan(j.late)]
    delay = float(np.mean(delays)) if delays else float("nan")
    return Figures(len(found), respond, silent, balanced_accuracy(outcomes), auc(outcomes), alarms, delay)


def report(scored: Sequence[Scored], weights: Mapping[str, float] | None = None) -> Report:
    """Figures at cross-fitted thresholds. `weights`: of an ability in the merit."""
    found = chances(scored)
    folds, ranked = halves(found), thresholds(found)
    cuts = [thresholds(fold) for fold in folds]
    every = [judged(c, cuts[1 - k], ranked) for k in (0, 1) for c in folds[k]]
    by = {name: [j for j in every if j.outcome.label == name] for name in sorted({c.ability for c in found})}
    rows = {name: figures(own) for name, own in by.items()} | {ALL: figures(every)}
    rows |= {name: figures([judged(c, (cut, cut), (cut, cut)) for c in found]) for name, cut in TRIVIAL.items()}
    both = {name: f for name, f in rows.items() if name in by and not math.isnan(f.balanced)}
    share = {name: (weights or {}).get(name, 1.0) for name in both} if both else {ALL: 1.0}
    if not sum(share.values()):
        raise ConfigError(f"merit: a weight above 0 was expected for one of {', '.join(both)}")
    merit = sum(w * (rows[n].balanced + rows[n].area) / 2 for n, w in share.items()) / sum(share.values())
    return Report(rows, 0.0 if math.isnan(merit) else float(merit))
