"""What else a sound is, where the encoder is sure: the alert branch then has less to say.

The branch was trained on the recordings that could be had, and takes what it hardly knows (two cats, no snoring) for
what is nearest: a crying baby. The encoder's own tags know 521 sounds from millions of clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soundflow.perceive.labels import GENERIC, SPEECH, UNREPORTED, group_of
from soundflow.types import FloatArray

WEIGHT: Final = 2.0
"""Of the rival's lead in log-odds; chosen on the dial's quarter of dev (training/RUNS.md)."""
MOST: Final = 6.0
FLOOR, CEILING = 0.01, 0.998
ALIKE: Final = frozenset(
    {
        *("Bell", *GENERIC["Bell"], "Tubular bells", "Gong", "Singing bowl", "Change ringing (campanology)", "Ding"),
        *("Glockenspiel", "Vibraphone", "Marimba, xylophone", "Mallet percussion", "Theremin", "Ping", "Clang"),
        *("Beep, bleep", "Reversing beeps", "Busy signal", "Dial tone", "Telephone dialing, DTMF", "Sonar", "Tick"),
        *("Whistle", "Steam whistle", "Foghorn", "Train whistle", "Train horn", "Air horn, truck horn", "Toot"),
        *("Vehicle horn, car horn, honking", "Ice cream truck, ice cream van", "Cap gun", "Fireworks", "Firecracker"),
        *("Burst, pop", "Bang", "Crushing", "Chink, clink", "Crack", "Crackle", "Splinter", "Chop", "Whip", "Slam"),
        *("Tap", "Thump, thud", "Thunk", "Whack, thwack", "Slap, smack", "Whoop", "Children shouting"),
        *("Baby laughter", "Hiccup", "Burping, eructation", "Sneeze", "Sniff", "Snort"),
    }
)
"""No rivals: an alarm, a shot, broken glass, a knock or a cough may well be tagged as one of these, too."""
BROAD: Final = frozenset(
    {
        *("Shout", "Singing", "Breathing", "Hands", "Crowd", "Animal", "Domestic animals, pets", "Wild animals"),
        *("Livestock, farm animals, working animals", "Vehicle", "Engine", "Door", "Water", "Liquid", "Music"),
        *("Musical instrument", "Percussion"),
    }
)
"""Nor these, which say little of what it is."""


class Rivals:
    """Columns of the tags of `labels` that alert, and of those that speak against an alert."""

    def __init__(self, labels: Sequence[str]) -> None:
        none = SPEECH | UNREPORTED | ALIKE | BROAD
        self._alerting: NDArray[np.intp] = np.array([i for i, x in enumerate(labels) if group_of(x)], np.intp)
        self._others: NDArray[np.intp] = np.array(
            [i for i, x in enumerate(labels) if group_of(x) is None and x not in none], np.intp
        )

    def less(self, tags: FloatArray) -> FloatArray:
        """[T, L] tags of chunks -> [T] log-odds to take from the branch: WEIGHT times the lead of the surest rival over
        the surest alerting tag, or over even odds where that one is less; the lead is 0 to MOST."""
        other, alert = (
            _log_odds(tags[:, columns].max(axis=1, initial=0.0)) for columns in (self._others, self._alerting)
        )
        return np.asarray(WEIGHT * np.clip(other - np.maximum(alert, 0.0), 0.0, MOST), np.float32)


def _log_odds(p: FloatArray) -> FloatArray:
    p = np.clip(p.astype(np.float32), FLOOR, CEILING)
    return np.asarray(np.log(p / (1 - p)), np.float32)
