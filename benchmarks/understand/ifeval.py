"""Checks of IFEval's verifiable instructions (Zhou et al. 2023, arXiv 2311.07911), written anew from their definitions.

Those that need a language identifier or a sentence splitter of a certain library are not here: they are "not judged".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Kwargs = Mapping[str, Any]


def _compare(count: int, kwargs: Kwargs, relation: str, wanted: int) -> bool:
    """ "at least" n, or "less than" n."""
    return count >= wanted if kwargs.get(relation) == "at least" else count < wanted


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _has(text: str, word: str) -> bool:
    return re.search(word, text, re.IGNORECASE) is not None


def _occurrences(text: str, word: str) -> int:
    return len(re.findall(re.escape(word), text, re.IGNORECASE))


def _paragraphs(text: str) -> list[str]:
    """Parts between lines of ***; empty ones count only inside."""
    return [p.strip() for p in re.split(r"\s?\*\*\*\s?", text)]


def _number_paragraphs(text: str, k: Kwargs) -> bool:
    parts = _paragraphs(text)
    inner = parts[1:-1]
    count = len(inner) + sum(bool(p) for p in ({0: parts[0], len(parts) - 1: parts[-1]}).values())
    return all(inner) and count == int(k["num_paragraphs"])


def _nth_paragraph(text: str, k: Kwargs) -> bool:
    parts = [p.strip() for p in re.split(r"\n\n", text)]
    real, nth = [p for p in parts if p], k["nth_paragraph"]
    if len(real) != k["num_paragraphs"] or nth > len(parts) or not parts[nth - 1]:
        return False
    first = re.match(r"[\"']*([^\s.,?!\"']*)", parts[nth - 1].split()[0])
    return first is not None and first.group(1).lower() == str(k["first_word"]).lower()


def _postscript(text: str, k: Kwargs) -> bool:
    marker = str(k["postscript_marker"])
    letters = [re.escape(c) for c in marker.replace(".", "").replace(" ", "")]
    return re.search(r"\s*" + r"\.?\s?".join(letters), text, re.IGNORECASE) is not None


def _sections(text: str, k: Kwargs) -> bool:
    name = re.escape(str(k["section_spliter"]))
    return len(re.findall(rf"\s?{name}\s?\d+\s?", text)) >= int(k["num_sections"])


def _json(text: str, k: Kwargs) -> bool:
    body = re.sub(r"^\s*```(?:json)?|```\s*$", "", text.strip(), flags=re.IGNORECASE)
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _highlights(text: str, k: Kwargs) -> bool:
    single = [m for m in re.findall(r"\*([^\n*]*)\*", text) if m.strip()]
    double = [m for m in re.findall(r"\*\*([^\n*]*)\*\*", text) if m.strip()]
    return len(single) + len(double) >= int(k["num_highlights"])


def _two_responses(text: str, k: Kwargs) -> bool:
    parts = [p.strip() for p in text.split("******")]
    real = [p for p in parts if p]
    return all(parts[1:-1]) and len(real) == 2 and real[0] != real[1]


def _capital_words(text: str, k: Kwargs) -> bool:
    count = sum(w.isupper() for w in re.findall(r"[^\W_]+(?:['-][^\W_]+)*", text))
    return _compare(count, k, "capital_relation", k["capital_frequency"])


def _letters(text: str, k: Kwargs) -> bool:
    return _compare(text.lower().count(str(k["letter"]).lower()), k, "let_relation", k["let_frequency"])


CHECKS: Final[Mapping[str, Callable[[str, Kwargs], bool]]] = {
    "keywords:existence": lambda t, k: all(_has(t, w) for w in k["keywords"]),
    "keywords:frequency": lambda t, k: _compare(_occurrences(t, k["keyword"]), k, "relation", k["frequency"]),
    "keywords:forbidden_words": lambda t, k: not any(_has(t, rf"\b{w}\b") for w in k["forbidden_words"]),
    "keywords:letter_frequency": _letters,
    "length_constraints:number_words": lambda t, k: _compare(len(_words(t)), k, "relation", k["num_words"]),
    "length_constraints:number_paragraphs": _number_paragraphs,
    "length_constraints:nth_paragraph_first_word": _nth_paragraph,
    "detectable_content:number_placeholders": lambda t, k: len(re.findall(r"\[.*?\]", t)) >= k["num_placeholders"],
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": lambda t, k: (
        len(re.findall(r"^\s*(?:\*[^*].*|-.*)$", t, re.MULTILINE)) == k["num_bullets"]
    ),
    "detectable_format:constrained_response": lambda t, k: any(
        f"My answer is {a}." in t for a in ("yes", "no", "maybe")
    ),
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:title": lambda t, k: any(m.strip("< >") for m in re.findall(r"<<[^\n]+>>", t)),
    "combination:two_responses": _two_responses,
    "combination:repeat_prompt": lambda t, k: t.strip().lower().startswith(str(k["prompt_to_repeat"]).strip().lower()),
    "startend:end_checker": lambda t, k: t.strip().strip('"').lower().endswith(str(k["end_phrase"]).strip().lower()),
    "startend:quotation": lambda t, k: len(t.strip()) > 1 and t.strip()[0] == '"' and t.strip()[-1] == '"',
    "change_case:capital_word_frequency": _capital_words,
    "change_case:english_capital": lambda t, k: t.isupper(),
    "change_case:english_lowercase": lambda t, k: t.islower(),
    "punctuation:no_comma": lambda t, k: "," not in t,
}


def follows(reply: str, instruction: str, kwargs: Kwargs) -> bool | None:
    """Whether a reply keeps one instruction; None: not judged (no check here, or its arguments are not there).

    An empty reply keeps nothing, as in the strict rule of the paper.
    """
    check = CHECKS.get(instruction)
    if check is None:
        return None
    if not reply.strip():
        return False
    try:
        return bool(check(reply, {k: v for k, v in kwargs.items() if v is not None}))
    except (KeyError, TypeError, re.error):
        return None


def judged(reply: str, instructions: Sequence[str], kwargs: Sequence[Kwargs]) -> list[bool | None]:
    """`follows` for each instruction of a prompt."""
    return [follows(reply, i, k or {}) for i, k in zip(instructions, kwargs, strict=True)]
