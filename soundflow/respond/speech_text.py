"""Written text -> text that a voice reads well: marks spelt out, markup dropped, cut into short sentences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MAX_TEXT_CHARS = 2_000
MAX_PIECE_CHARS = 180  # about 12 s of speech: what a voice makes in one go

_CURRENCY = {"$": "dollars", "€": "euros", "£": "pounds"}
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), spoken)
    for pattern, spoken in (
        (r"https?://\S+|www\.\S+", "a link"),
        (r"```.*?```", " "),
        (r"!?\[([^\]]*)\]\([^)]*\)", r"\1"),  # a markdown link keeps its words
        (r"[*`#|\[\]{}<>~^\\]+", " "),
        (r"_+", " "),
        (r"(?<![\w.])[-−](?=\d)", "minus "),
        (r"(?<=\d)\s*[-–—]\s*(?=\d)", " to "),
        (r"(?<=\d)\s*°\s*C\b", " degrees Celsius"),
        (r"(?<=\d)\s*°\s*F\b", " degrees Fahrenheit"),
        (r"\s*°", " degrees"),
        (r"\s*%", " percent"),
        (r"(?<=\d)\s*km/h\b", " kilometers per hour"),
        (r"(?<=\d)\s*mph\b", " miles per hour"),
        (r"(?<=\d)\s*kWh\b", " kilowatt hours"),
        (r"(?<=\d)\s*dB\b", " decibels"),
        (r"(?<=\d)\s*km\b", " kilometers"),
        (r"(?<=\d)\s*kg\b", " kilograms"),
        (r"(?<=\d)\s*cm\b", " centimeters"),
        (r"(?<=\d)\s*mm\b", " millimeters"),
        (r"(?<=\d)\s*ml\b", " milliliters"),
        (r"(?<=\d)\s*Hz\b", " hertz"),
        (r"(?<=\d)\s*min\b\.?", " minutes"),
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"\b0?(\d{1,2}):00\b", r"\1 o'clock"),
        (r"\b0?(\d{1,2}):0(\d)\b", r"\1 oh \2"),
        (r"\b0?(\d{1,2}):(\d\d)\b", r"\1 \2"),
        (r"\s*&\s*", " and "),
        (r"\s*\+\s*", " plus "),
        (r"\s*=\s*", " equals "),
        (r"(?<=\w)\s*/\s*(?=\w)", " or "),
        (r"\s*[—–]\s*", ", "),
        (r"…", "."),
    )
)
_MONEY = re.compile(r"([$€£])\s?(\d+(?:[.,]\d+)?)")
_END = re.compile(r"(?<=[.!?])[\"')]*\s+(?=\S)")
_TITLES = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|Prof|No|vs|e\.g|i\.e)\.$", re.IGNORECASE)


def speakable(text: str) -> str:
    """One line of plain words and digits, from at most MAX_TEXT_CHARS; empty where nothing can be said."""
    if len(text) > MAX_TEXT_CHARS:
        text = text[:MAX_TEXT_CHARS].rsplit(" ", 1)[0]
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"^\s*(?:[-*•]|\d+[.)])\s+", "", text, flags=re.MULTILINE)
    text = re.sub(r"\s*\n\s*", lambda m: ". " if "\n\n" in m.group() else " ", text.strip())
    text = _MONEY.sub(lambda m: f"{m.group(2)} {_CURRENCY[m.group(1)]}", text)
    for pattern, spoken in _RULES:
        text = pattern.sub(spoken, text)
    kept = "".join(c for c in text if unicodedata.category(c)[0] not in "SC" or c.isspace())
    line = re.sub(r"\s+([.,!?;:])", r"\1", " ".join(kept.split()))
    line = re.sub(r"([.,])(?:\s*[.,])+", r"\1", line)
    return line if any(c.isalnum() for c in line) else ""


def sentences(text: str) -> Iterator[str]:
    """The sentences of a spoken line, long ones cut at a comma or a space so that none passes MAX_PIECE_CHARS."""
    start = 0
    for end in [m.end() for m in _END.finditer(text)] + [len(text)]:
        if end < len(text) and _TITLES.search(text[start:end].rstrip()):
            continue
        piece, start = text[start:end].strip(), end
        while len(piece) > MAX_PIECE_CHARS:
            head = piece[:MAX_PIECE_CHARS]
            cut = max(head.rfind(", "), head.rfind("; ")) + 1
            cut = cut if cut > MAX_PIECE_CHARS // 3 else head.rfind(" ")
            cut = cut if cut > 0 else MAX_PIECE_CHARS
            yield piece[:cut].strip()
            piece = piece[cut:].strip()
        if piece:
            yield piece
