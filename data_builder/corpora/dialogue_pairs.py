"""Short questions and answers out of a `dialogues.jsonl` (UltraChat, MOSS), such as a voice can say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from data_builder.corpora.folder import SPLITS
from data_builder.corpora.manifest import json_lines
from data_builder.corpora.recipe import Bad
from soundflow.errors import ConfigError, DataError

MOST_PAIRS: Final = 50_000
_WORD: Final = re.compile(r"(?:[A-Z]|[A-Z]?[a-z]+)(?:['-][A-Z]?[a-z]+)*[,;:.?!]?")  # no "NASA", "iPhone" or "x_1"
_QUOTES: Final = str.maketrans({"\u2019": "'", "\u2018": "'"})
_ABSENT: Final = re.compile(  # what was written next to the question, or is asked of a writer
    r"\b(?:above|article|below|attached|essay|example|following|link|list|paragraph|passage|poem|rewrite|sentences?|"
    r"stor(?:y|ies)|summari[sz]e|text|translat\w+|write)\b",
    re.I,
)
_MODEL: Final = re.compile(
    r"\b(?:language model|assistant|chat ?bot|trained|i'm sorry|i am sorry|i apologi[sz]e)\b", re.I
)


def read_pairs(
    path: Path,
    most_words_question: int = 14,
    most_words_answer: int = 25,
    *,
    split: str = "",
    open_only: bool = False,
) -> list[tuple[str, str]]:
    """(question, answer) of the first two turns of English dialogues, in the order of the file, each question once.

    Both are one line of plain words with ordinary punctuation: no digits, addresses, code, markup or capitals inside
    a word; questions about a text that is not there and answers of a model about itself are left out.

    Args:
        path: as `soundflow data prepare` writes it.
        most_words_question, most_words_answer: longer ones are left out.
        split: only dialogues of this split ("" = all).
        open_only: only those under an open licence.

    Raises:
        ConfigError: a number of words is less than one, or `split` is none.
        DataError: there is no file, or a line is not what `prepare` writes; the message names it.
    """
    if most_words_question < 1 or most_words_answer < 1:
        raise ConfigError(f"expected at least 1 word, got {most_words_question} and {most_words_answer}")
    if split and split not in SPLITS:
        raise ConfigError(f"expected a split of {', '.join(SPLITS)}; got {split!r}")
    found: dict[str, tuple[str, str]] = {}
    for line in json_lines(path):
        if isinstance(line, Bad):
            raise DataError(line.reason, line.where)
        where, body = line
        question, answer = _first(body, where)
        if (split and body["split"] != split) or (open_only and body["open"] != "yes") or body["language"] != "en":
            continue
        question, answer = _spoken(question, most_words_question), _spoken(answer, most_words_answer)
        if not question or not answer or _ABSENT.search(question) or _MODEL.search(f"{question} {answer}"):
            continue
        found.setdefault(" ".join(_words(question)), (question, answer))
        if len(found) == MOST_PAIRS:
            break
    return list(found.values())


def _first(body: Any, where: str) -> tuple[str, str]:
    """The first two turns. Raises DataError where the line is not a dialogue."""
    keys = ("split", "language", "open")
    if not isinstance(body, dict) or not all(isinstance(body.get(key), str) for key in keys):
        raise DataError(f"expected an object with {', '.join(keys)} and turns", where)
    turns = body.get("turns")
    pair = turns[:2] if isinstance(turns, list) else []
    said = [(t.get("role"), t.get("text")) for t in pair if isinstance(t, dict)]
    if [role for role, _ in said] != ["user", "assistant"] or not all(isinstance(text, str) for _, text in said):
        raise DataError("expected 'turns' that begin with one of the user and one of the assistant", where)
    return str(said[0][1]), str(said[1][1])


def _spoken(text: str, most_words: int) -> str:
    """`text` where it is plain and short enough, else ""."""
    text = text.strip().translate(_QUOTES)
    words = text.split(" ", most_words)
    return text if len(words) <= most_words and all(map(_WORD.fullmatch, words)) else ""


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z'-]+", text.lower())
