"""Was it understood? Word error rate of what a recogniser heard, over words spelt in one way."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from data_builder.clips import FloatArray
from data_builder.speech.numerals import join_numbers
from soundflow import SAMPLE_RATE_HZ
from soundflow.respond.speech_text import speakable

MARGIN_S: Final = 0.4
LONGEST_SAMPLES: Final = 30 * SAMPLE_RATE_HZ
_FILLERS: Final = frozenset(("uh", "um", "hmm", "hm", "mm", "er", "erm"))
_SAME: Final = {
    "ok": "okay",
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "vs": "versus",
    "cannot": "can not",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "lemme": "let me",
    "gimme": "give me",
    "mum": "mom",
    "grey": "gray",
    "tyre": "tire",
    "cheque": "check",
    "programme": "program",
    "pyjamas": "pajamas",
    "centre": "center",
    "litre": "liter",
    "litres": "liters",
    "metre": "meter",
    "metres": "meters",
    "kilometre": "kilometer",
    "kilometres": "kilometers",
    "theatre": "theater",
}
_CONTRACTIONS: Final = tuple(
    (re.compile(pattern), full)
    for pattern, full in (
        (r"\bwon't\b", "will not"),
        (r"\bshan't\b", "shall not"),
        (r"\bcan't\b", "can not"),
        (r"\bain't\b", "is not"),
        (r"n't\b", " not"),
        (r"\blet's\b", "let us"),
        (r"\b(it|he|she|that|this|there|here|what|who|where|when|how|why)'s\b", r"\1 is"),
        (r"'re\b", " are"),
        (r"'ve\b", " have"),
        (r"'ll\b", " will"),
        (r"'m\b", " am"),
        (r"'d\b", " would"),
    )
)
# British to American spelling by rule. The rules also change words that they need not: both sides alike.
_SPELLING: Final = tuple(
    (re.compile(pattern), spelt)
    for pattern, spelt in (
        (r"\b(col|fav|neighb|flav|behavi|harb|hon|lab|hum|rum|vap|arm)our", r"\1or"),
        (r"(\w\w)is(e|es|ed|er|ers|ing|ation|ations)\b", r"\1iz\2"),
        (r"(\w\w)ys(e|es|ed|er|ing)\b", r"\1yz\2"),
        (r"([aeiou])ll(ed|ing|er|ers)\b", r"\1l\2"),
    )
)


class Ear(Protocol):
    """A recogniser of English. `name` tells one from another in the cache: other weights, other name."""

    name: str

    def hear(self, samples: FloatArray) -> str:
        """Text of [N] samples at 16 kHz, "" where there is none."""
        ...


class MoonshineEar:
    """Moonshine tiny of a folder (`weights.part("asr")`), loaded at the first utterance: cheap to hand to a worker.

    It hears each utterance with 0.4 s of silence before and behind.
    """

    name = f"moonshine-tiny-en, {MARGIN_S:g} s around"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._model: Any = None

    def hear(self, samples: FloatArray) -> str:
        """The words, or "" where it fell into a loop. Raises WeightsError where the folder holds no recogniser."""
        if self._model is None:
            from soundflow.perceive.moonshine import Moonshine

            self._model = Moonshine(self.folder)
        # speech that starts with the first sample is heard worse than it will be in a stream
        margin = min(round(MARGIN_S * SAMPLE_RATE_HZ), max(0, LONGEST_SAMPLES - len(samples)) // 2)
        heard = self._model.hear(np.pad(samples, margin))
        return "" if heard.looped else heard.text


def wer(reference: str, heard: str) -> float:
    """Word error rate (substitutions, omissions and insertions a word of the reference) of English text.

    Case, marks, contractions, fillers, British or American spelling and the way numbers are written do not count; nor
    does a compound written as two words ("door bell"). 0 for two empty texts, 1 where only the reference is empty.
    """
    said, got = words(reference), words(heard)
    if not said:
        return float(bool(got))
    return errors(said, got) / len(said)


def errors(said: list[str], got: list[str]) -> int:
    """Fewest words to change, drop or add; two neighbours joined into one word are no change."""
    above: list[list[int]] = []
    for i in range(len(said) + 1):
        row = [i] * (len(got) + 1)
        for j in range(1, len(got) + 1):
            if i == 0:
                row[j] = j
                continue
            best = min(above[i - 1][j] + 1, row[j - 1] + 1, above[i - 1][j - 1] + (said[i - 1] != got[j - 1]))
            if i > 1 and said[i - 2] + said[i - 1] == got[j - 1]:
                best = min(best, above[i - 2][j - 1])
            if j > 1 and got[j - 2] + got[j - 1] == said[i - 1]:
                best = min(best, above[i - 1][j - 2])
            row[j] = best
        above.append(row)
    return above[-1][-1]


def words(text: str) -> list[str]:
    """English text as words that two writers would agree on: small letters, no marks, numbers as digits."""
    line = speakable(unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'")).lower()
    line = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", line)
    for pattern, full in _CONTRACTIONS:
        line = pattern.sub(full, line)
    line = re.sub(r"[^\w\s]", " ", line.replace("'", "")).replace("_", " ")
    for pattern, spelt in _SPELLING:
        line = pattern.sub(spelt, line)
    plain = [part for word in line.split() if word not in _FILLERS for part in _SAME.get(word, word).split()]
    return join_numbers(plain)
