"""What is asked of a model that rewords texts, and which of its wordings are kept."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from data_builder.scenario.endpoint import Message
from data_builder.scenario.verify import normal, plain
from soundflow.errors import DataError

BATCH: Final = 40
_SLOT: Final = re.compile(r"\{[a-z_]+\}")
_SYSTEM: Final = (
    "You reword short texts that people say aloud to a device or to each other. Keep the meaning exactly; vary "
    "words and order; plain spoken English. Words in `keep` must appear unchanged, and slots in braces stay as they "
    "are, each as often as before. Answer with one JSON object and nothing else."
)


def request(texts: Sequence[str], n: int, keep: Sequence[Sequence[str]]) -> tuple[list[Message], dict[str, Any]]:
    """Messages and the JSON schema of the answer."""
    items = [
        {"index": i, "text": text, "keep": list(words)} for i, (text, words) in enumerate(zip(texts, keep, strict=True))
    ]
    content = json.dumps({"variants of each": n, "texts": items}, ensure_ascii=False)
    variants = {"type": "array", "items": {"type": "string"}}
    entry = {
        "type": "object",
        "properties": {"index": {"type": "integer"}, "variants": variants},
        "required": ["index", "variants"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": entry}},
        "required": ["items"],
        "additionalProperties": False,
    }
    return [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": content}], schema


def variants_in(answer: dict[str, Any], count: int) -> list[list[str]]:
    """The wordings for each of `count` texts. Raises DataError naming the key."""
    items = answer.get("items")
    if not isinstance(items, list) or len(items) > count:
        raise DataError(f"key 'items': expected a list of at most {count} objects, got {type(items).__name__}")
    out: list[list[str]] = [[] for _ in range(count)]
    for entry in items:
        index = entry.get("index") if isinstance(entry, dict) else None
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < count:
            raise DataError(f"key 'index': expected 0 to {count - 1}, got {str(index)[:40]!r}")
        variants = entry.get("variants")
        if not isinstance(variants, list) or not all(isinstance(v, str) for v in variants):
            raise DataError(f"key 'variants' of item {index}: expected a list of texts")
        out[index] = [" ".join(v.split(" ")).strip() for v in variants[:100]]
    return out


def fault(text: str, variant: str, keep: Sequence[str]) -> str:
    """Why a wording cannot stand for the text; "" where it can."""
    if not variant or len(variant) > 2 * len(text) + 60:
        return f"expected 1 to {2 * len(text) + 60} characters, got {len(variant)}"
    if Counter(_SLOT.findall(variant)) != Counter(_SLOT.findall(text)):
        return f"expected the slots {_SLOT.findall(text)}, got {_SLOT.findall(variant)}"
    if not plain(_SLOT.sub("", variant) or "x"):
        return "expected one line of plain text"
    for word in keep:
        if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", variant, re.IGNORECASE):
            return f"expected the word {word!r} in it"
    return ""


def check_variants(
    texts: Sequence[str],
    n: int,
    keep: Sequence[Sequence[str]],
    given: Sequence[Sequence[str]],
    before: Sequence[Sequence[str]] = (),
) -> tuple[list[list[str]], list[str]]:
    """The wordings that can be used, after those of `before`, at most `n` each; and what was wrong with the others."""
    good: list[list[str]] = []
    reasons: list[str] = []
    for i, text in enumerate(texts):
        taken = list(before[i]) if before else []
        seen = {normal(text), *(normal(v) for v in taken)}
        for variant in given[i]:
            why = fault(text, variant, keep[i])
            if why:
                reasons.append(f"item {i}: {variant[:60]!r}: {why}")
            elif normal(variant) not in seen and len(taken) < n:
                seen.add(normal(variant))
                taken.append(variant)
        if len(taken) < n:
            reasons.append(f"item {i}: expected {n} different wordings, got {len(taken)}")
        good.append(taken)
    return good, reasons
