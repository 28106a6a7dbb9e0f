"""What a sound was as a whole, said once it has ended: the name that its loud chunks agree on.

`SoundEvents` tells of a label as soon as one chunk is sure of it, under every name that is. Most sounds in a home last
one to some seconds and stand out from the quiet around them; the mean over all of that names them better than the first
or the surest chunk does. Speech is not named here, its words are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from soundflow.errors import ConfigError
from soundflow.perceive.labels import SPEECH, UNREPORTED, group_of
from soundflow.perceive.named import SURE, log_odds
from soundflow.types import FloatArray, Whole

FLOOR_CHUNKS: Final = 25  # of which the quietest is the background
Heard = tuple[float, FloatArray, float, FloatArray]  # level, probabilities, alert branch and embedding of a chunk
Chooser = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class WholeConfig:
    """Chosen on recordings of cal and of the dial's quarter (training/RUNS.md).

    margin_db: over the background, from which a chunk stands out. hang: chunks of quiet that a sound may hold.
    most: chunks; a longer sound is named by its first ones, and once. drop_db: chunks so far under the loudest do not
    count. least: mean log-odds under which there is no name; bare: the same where no sound has a head. unheard: taken
    from the log-odds of labels without a head of their own. speech: taken from those of speech.
    """

    margin_db: float = 10.0
    hang: int = 1
    most: int = 12
    drop_db: float = 12.0
    least: float = -5.0
    bare: float = -3.0
    unheard: float = 4.0
    speech: float = 2.0

    def __post_init__(self) -> None:
        if self.margin_db <= 0 or self.drop_db <= 0 or self.hang < 0 or self.most <= self.hang:
            raise ConfigError(f"whole sounds: margin_db, drop_db > 0 and 0 <= hang < most were expected, got {self}")


NOTED: Final = WholeConfig(hang=0, least=-5.5, unheard=6.0, speech=3.0)
"""Of what is remembered: a name more often, and one for each of two sounds with 0.4 s between them. What it says of
alerts is worth less, so that the second look goes by the default."""


@dataclass(slots=True)
class WholeState:
    """Of one stream. `levels` of the last chunks; of the sound that goes on its `onset` (-1: none), how many of its
    last chunks were `quiet`, and what was heard of its chunks; `told`: it was named before it ended."""

    levels: deque[float] = field(default_factory=lambda: deque(maxlen=FLOOR_CHUNKS))
    onset: int = -1
    quiet: int = 0
    told: bool = False
    heard: list[Heard] = field(default_factory=list)

    def reset(self) -> None:
        """Make this state equal to a fresh one."""
        self.levels.clear()
        self.onset, self.quiet, self.told, self.heard = -1, 0, False, []

    def snapshot(self) -> dict[str, Any]:
        """A copy that later steps do not change."""
        return {
            "levels": list(self.levels),
            "onset": self.onset,
            "quiet": self.quiet,
            "told": self.told,
            "heard": [(level, p.copy(), alert, sound.copy()) for level, p, alert, sound in self.heard],
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to `snapshot`."""
        self.levels.clear()
        self.levels.extend(float(x) for x in snapshot["levels"])
        self.onset, self.quiet, self.told = int(snapshot["onset"]), int(snapshot["quiet"]), bool(snapshot["told"])
        self.heard = [
            (float(level), np.array(p, np.float32), float(alert), np.array(sound, np.float32))
            for level, p, alert, sound in snapshot["heard"]
        ]


class WholeSounds:
    """Names the sounds of a stream that stand out, each once.

    Args:
        labels: of the probabilities.
        headed: labels that a head of their own speaks for; empty where there are no heads, and all count alike.
        choose: embeddings [n, D] of the loud chunks -> what speaks for each label beside its log-odds [L], which then
            chooses the name (`soundflow.perceive.among`); whether there is one, `margin` and `alert` stay.
    """

    def __init__(
        self,
        labels: Sequence[str],
        headed: Collection[str],
        chunk_samples: int,
        config: WholeConfig | None = None,
        choose: Chooser | None = None,
    ) -> None:
        self._choose = choose
        self.labels, self.chunk_samples, self.config = tuple(labels), chunk_samples, config or WholeConfig()
        self._speech: NDArray[np.intp] = np.array([i for i, x in enumerate(labels) if x in SPEECH], np.intp)
        self._least = self.config.least if headed else self.config.bare
        self._less = np.array([0.0 if not headed or x in headed else self.config.unheard for x in labels], np.float32)
        self._less[[x in SPEECH or x in UNREPORTED for x in labels]] = np.inf
        self._alerting = np.array([group_of(x) is not None for x in labels], np.bool_)

    def init_state(self) -> WholeState:
        """State of a stream that has not begun."""
        return WholeState()

    def step(
        self, level_db: float, p: FloatArray, alert: float, sound: FloatArray, chunk: int, state: WholeState
    ) -> Whole | None:
        """The sound that ended, or grew longer than `most` chunks, in this chunk; None where none did, or it has no
        name.

        Args:
            level_db: of the chunk.
            p: [L] probabilities of it.
            alert: log-odds of the alert branch, 0 without one.
            sound: [D] embedding of it.
            chunk: its index.
            state: updated in place.
        """
        state.levels.append(level_db)
        loud = level_db > min(state.levels) + self.config.margin_db
        if state.onset < 0:
            if loud:
                state.onset, state.quiet, state.heard = chunk * self.chunk_samples, 0, [(level_db, p, alert, sound)]
            return None
        state.quiet = 0 if loud else state.quiet + 1
        ended = state.quiet > self.config.hang
        if not ended and not state.told:
            state.heard.append((level_db, p, alert, sound))
        named = None
        if (ended or len(state.heard) >= self.config.most) and not state.told:
            state.told = True
            end = (chunk + 1 - state.quiet) * self.chunk_samples
            named = self._named(state.heard[: len(state.heard) - min(state.quiet, self.config.hang)], state.onset, end)
        if ended:
            state.onset, state.told = -1, False
        if state.told or ended:
            state.heard = []
        return named

    def _named(self, heard: Sequence[Heard], onset: int, end: int) -> Whole | None:
        loudest = max(level for level, *_ in heard)
        loud = [(p, alert, sound) for level, p, alert, sound in heard if level > loudest - self.config.drop_db]
        odds = log_odds(np.stack([p for p, _, _ in loud]))
        mean = odds.mean(axis=0)
        sure = mean - self._less
        spoken = float(odds[:, self._speech].max(axis=1, initial=-np.inf).mean()) - self.config.speech
        if sure.max() < max(self._least, spoken):
            return None
        said = self._choose(np.stack([sound for _, _, sound in loud])) if self._choose else 0.0
        name = int((sure + said).argmax())
        margin = sure[self._alerting].max(initial=-SURE) - sure[~self._alerting].max(initial=-SURE)
        alert = sum(alert for _, alert, _ in loud) / len(loud)
        return Whole(self.labels[name], float(1 / (1 + np.exp(-mean[name]))), onset, end, float(margin), alert)
