"""Decision logits -> calibrated probabilities -> a decision, with a dial and a hold time. No torch, no clock."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from soundflow.decide.familiar import LOOKED_BACK
from soundflow.errors import ConfigError
from soundflow.types import Decision, Kind, Whole

WARY: Final = 1.5
"""Log-odds: a quarter of the dial."""
LIKELIER: Final = 1.5
"""Log-odds, too: speech over our reply is for us more often than speech in an empty room."""
UNDERSTOOD: Final = 3.0
"""And what the runtime has understood as a request, which it keeps: whoever made it should hear so."""
OWN_MOST: Final = 0.95
"""As far as the dial goes for a taught sound: "always" would tell of it where there is none."""

LOOKS: Final = 4  # numbers of a second look
LEAST: Final = 1e-4
"""Probability under which (and over 1 less it) a second look does not care how little."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """p = softmax((logits + bias) / temperature), fitted on held-out streams (Guo et al. 2017, arXiv 1706.04599).

    The thresholds are the probabilities at which the dial's middle (0.5) fires: `speak_threshold` about a sound,
    `answer_threshold` in a chunk in which somebody has just finished speaking, `act_threshold` for a call.
    `alert_weight`, `branch_weight` and `wanted_weight` (of tags that are waited for) are those of
    `soundflow.decide.evidence`, whose bias the logits already hold. `wanted_neutral`: how sure it has to be of a
    sound that is waited for to say nothing either way. `wanted_prior`: log-odds by which such a sound is likelier than
    another, where it has a head of its own (`soundflow.perceive.named`): who waits for it has reason to. `second_look`:
    weights of `Whole.margin`, `Whole.alert` and the highest log-odds of telling of it while it lasted, and a bias: the
    sum is the log-odds that a sound which has ended is to be told of. None where it is told of at once or never.
    """

    temperature: float = 1.0
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)
    speak_threshold: float = 0.5
    answer_threshold: float = 0.5
    act_threshold: float = 0.5
    alert_weight: float = 0.0
    branch_weight: float = 0.0
    wanted_weight: float = 0.0
    wanted_neutral: float = 0.05
    wanted_prior: float = 0.0
    second_look: tuple[float, ...] = ()

    @staticmethod
    def load(path: Path) -> Calibration:
        """Strict: an unknown key or a wrong value raises ConfigError with file and key."""
        try:
            raw = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: a readable calibration was expected ({error})") from error
        unknown = set(raw) - set(asdict(Calibration()))
        if unknown:
            raise ConfigError(f"{path}: unknown key {sorted(unknown)[0]!r}")
        raw["bias"] = tuple(raw.get("bias", (0.0, 0.0, 0.0)))
        raw["second_look"] = tuple(raw.get("second_look", ()))
        made = Calibration(**raw)
        if not made.temperature > 0 or len(made.bias) != len(Kind):
            raise ConfigError(f"{path}: temperature > 0 and three biases were expected")
        if len(made.second_look) == LOOKS - 1:  # a file of before, which did not know what was thought at once
            made = replace(made, second_look=(*made.second_look[:2], 0.0, made.second_look[2]))
        if len(made.second_look) not in (0, LOOKS) or not all(isinstance(x, int | float) for x in made.second_look):
            raise ConfigError(f"{path}: second_look: {LOOKS} numbers or none were expected, got {made.second_look}")
        if not 0 < made.wanted_neutral < 1:
            raise ConfigError(
                f"{path}: wanted_neutral: a number between 0 and 1 was expected, got {made.wanted_neutral}"
            )
        return made

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    def probabilities(self, logits: Sequence[float]) -> tuple[float, float, float]:
        scaled = [(float(x) + b) / self.temperature for x, b in zip(logits, self.bias, strict=True)]
        top = max(scaled)
        raised = [math.exp(x - top) for x in scaled]
        total = sum(raised)
        silent, speak, act = (x / total for x in raised)
        return silent, speak, act

    def looked_again(self, whole: Whole, highest: float) -> float:
        """Probability that a sound which has ended is to be told of; 0 without a second look. `highest`: probability of
        <speak> while it lasted."""
        if not self.second_look:
            return 0.0
        margin, alert, thought, bias = self.second_look
        sum_ = margin * whole.margin + alert * whole.alert + thought * thought_odds(highest) + bias
        return 1 / (1 + math.exp(-sum_))


def thought_odds(highest: float) -> float:
    """Log-odds of the highest probability of telling of a sound while it lasted, as a second look weighs them."""
    p = min(max(highest, LEAST), 1 - LEAST)
    return math.log(p / (1 - p))


def dial(threshold: float, proactivity: float) -> float:
    """Threshold under the dial: 0.5 keeps it, each 0.25 moves its log-odds by 1.5; 0 never fires, 1 always does."""
    if not 0.0 <= proactivity <= 1.0:
        raise ConfigError(f"proactivity between 0 and 1 was expected, got {proactivity}")
    if proactivity == 0.0:
        return math.inf
    if proactivity == 1.0:
        return 0.0
    return raised(threshold, -6.0 * (proactivity - 0.5))


def raised(threshold: float, log_odds: float) -> float:
    """A threshold that asks for `log_odds` more; the dial's ends (never, always) stay."""
    if not 0.0 < threshold < 1.0:
        return threshold
    return 1 / (1 + math.exp(-(math.log(threshold / (1 - threshold)) + log_odds)))


@dataclass(slots=True)
class PolicyState:
    """`until`: chunk before which the row holds its tongue. `wary_until`: chunk before which it asks for more.
    `thought`: chunk and probability of <speak> about a sound, of the last LOOKED_BACK."""

    until: int = 0
    wary_until: int = 0
    thought: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=LOOKED_BACK))

    def highest(self, since: int) -> float:
        """The highest p of `thought` from a chunk on, 0 without any."""
        return max((p for chunk, p in self.thought if chunk >= since), default=0.0)

    def snapshot(self) -> tuple[int, int, list[tuple[int, float]]]:
        """What `restore` needs; plain values."""
        return self.until, self.wary_until, list(self.thought)

    def restore(self, saved: tuple[int, int, list[tuple[int, float]]]) -> None:
        """As it was."""
        self.until, self.wary_until, thought = saved
        self.thought = deque(thought, maxlen=LOOKED_BACK)


class DecisionPolicy:
    """Fires the more probable of speak and act once its probability passes the dialled threshold.

    For `wary_chunks` after a sound was announced the threshold of speaking is WARY higher: one clip of howling wind
    made most of the false alarms of an hour, under one name after another.
    """

    def __init__(
        self, calibration: Calibration, proactivity: float = 0.5, hold_chunks: int = 3, wary_chunks: int = 0
    ) -> None:
        self.calibration = calibration
        self.speak = dial(calibration.speak_threshold, proactivity)
        self.answer = dial(calibration.answer_threshold, proactivity)
        self.act = dial(calibration.act_threshold, proactivity)
        self.wary = raised(self.speak, WARY)
        self.own = dial(0.5, min(proactivity, OWN_MOST))
        self.hold_chunks, self.wary_chunks = hold_chunks, wary_chunks

    def init_state(self) -> PolicyState:
        return PolicyState()

    def announced(self, chunk: int, state: PolicyState) -> None:
        """A sound has just been told of, in `chunk`."""
        state.wary_until = chunk + 1 + self.wary_chunks

    def tell(self, chunk: int, p: float, state: PolicyState) -> Decision:
        """The decision to tell of a taught sound of probability `p`; other sounds then hold for a while."""
        state.until = chunk + 1 + self.hold_chunks
        return Decision(chunk, Kind.SPEAK, (1 - p, p, 0.0))

    def decide(
        self,
        chunk: int,
        logits: Sequence[float],
        state: PolicyState,
        can_act: bool,
        release: bool = False,
        likelier: float = 0.0,
    ) -> Decision:
        """Decide one chunk.

        Args:
            can_act: whether the session has tools; without them <act> is read as <speak>.
            release: a user turn has just closed: an answer has a threshold of its own and need not hold.
            likelier: log-odds by which that turn is likelier to be for us than others.
        """
        p = self.calibration.probabilities(logits)
        if not can_act:
            p = (p[0], p[1] + p[2], 0.0)
        if not release:
            state.thought.append((chunk, p[Kind.SPEAK]))
        speak = raised(self.answer, -likelier) if release else self.wary if chunk < state.wary_until else self.speak
        kind = Kind.SILENT
        if p[Kind.ACT] >= self.act and p[Kind.ACT] >= p[Kind.SPEAK]:
            kind = Kind.ACT
        elif p[Kind.SPEAK] >= speak:
            kind = Kind.SPEAK
        if kind is not Kind.SILENT and chunk < state.until and not release:
            kind = Kind.SILENT
        if kind is not Kind.SILENT:
            state.until = chunk + 1 + self.hold_chunks
        return Decision(chunk, kind, p)

    def look_again(self, decided: Decision, whole: Whole, since: int, state: PolicyState) -> Decision:
        """`decided`, or what the end of a sound that began in chunk `since` says of it, where that is more for telling
        of it; `decided` where the dial says never."""
        p = self.calibration.looked_again(whole, state.highest(since))
        if decided.kind is not Kind.SILENT or p <= decided.p[Kind.SPEAK] or self.speak == math.inf:
            return decided
        fires = p >= (self.wary if decided.chunk < state.wary_until else self.speak) and decided.chunk >= state.until
        if fires:
            state.until = decided.chunk + 1 + self.hold_chunks
        return Decision(decided.chunk, Kind.SPEAK if fires else Kind.SILENT, (1 - p, p, 0.0))
